# Needs Python 3.11 or newer, git and make; everything else is installed into .venv, the lab into .lab.
#   make demo     install corslint, lint a broken chat application, then the mended one
#   make test     install with development tools and run every check
#   make lab      install real servers, nginx and a browser, and prove every rule against them
#   make mutants  break each rule and descriptor in turn: the tests must notice
#   make docs     build the documentation into site/: the guides, and a page for each rule and each library
#   make format   format the source
#   make new-rule NAME=x, make new-library NAME=x [LANGUAGE=python] [PACKAGE=y]
#                 lay down rules/x.yaml or corslint/frameworks/x.yaml with its examples to fill in
#   make nginx-differential
#                 compare the nginx model with a real nginx: 2,000 random configurations, 20,000 requests
#                 (NGINX=/path/to/nginx, NGINX_MODULES=/folder/of/its/modules, SEED=1)
#   make fix-storm
#                 2,000 random edits to projects, each followed by --fix: no file may come to harm (SEED=1, CASES=2000)
#   make hostile  5,000 mutated projects: the linter may not fall over at any (SEED=1, CASES=5000)
#   make fuzz     feed random bytes to each part that reads what strangers wrote, for an hour (SECONDS=3600, SEED=1)
#   make lock     write requirements/ anew: the newest versions, and hashes, of all that is installed
#   make audit    ask whether what is locked has known vulnerabilities (status 2: the service cannot be reached)
#   make dist     build what is committed, twice, compare, and write dist/ and build/SHA256SUMS
#   make sbom     the same, and build/corslint-VERSION.cdx.json with all packages that an installation has
#   make bench    measure beside other tools and write docs/benchmarks.md (BENCH="--semgrep /path/to/semgrep --tree PATH")

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$p"; break; }; done)
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
# What is installed is locked: the versions and hashes of requirements/. The checkout itself is built with what is there.
LOCKED := $(PIP) --require-hashes
CHECKOUT := $(PIP) --no-deps --no-build-isolation --editable .

.PHONY: demo test check mutants lab lab-install docs format new-rule new-library nginx-differential fix-storm hostile fuzz lock audit dist sbom bench clean
.DELETE_ON_ERROR:

# The stamps are younger than pyproject.toml as long as its dependencies are installed.
$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "make: needs Python 3.11 or newer (PYTHON=/path/to/python3.11 make ...)" >&2; exit 1; }
	"$(PYTHON)" -m venv $(VENV)

$(VENV)/installed: pyproject.toml requirements/runtime.txt requirements/build.txt | $(BIN)/python
	$(LOCKED) --requirement requirements/runtime.txt --requirement requirements/build.txt
	$(CHECKOUT)
	@touch $@

$(VENV)/installed-dev: pyproject.toml requirements/development.txt | $(BIN)/python
	$(LOCKED) --requirement requirements/development.txt
	$(CHECKOUT)
	@touch $(VENV)/installed $@

# Findings are what the broken project is for: its exit status 1 is expected, anything else is a failure.
demo: $(VENV)/installed
	@echo '$$ corslint check fixtures/projects/chat/bad'
	@$(BIN)/corslint check fixtures/projects/chat/bad; test $$? -eq 1
	@echo
	@echo '$$ corslint check fixtures/projects/chat/good'
	@$(BIN)/corslint check fixtures/projects/chat/good

test: check mutants

check: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python scripts/generate.py check
	$(BIN)/python -m pytest -n 2 --dist loadgroup

mutants: $(VENV)/installed-dev
	$(BIN)/python scripts/mutants.py

# The libraries go to .lab. As root apt installs nginx and Chromium, otherwise the line to run is printed.
lab-install: $(VENV)/installed-dev
	$(BIN)/python -m tests.lab.installation

lab: lab-install
	$(BIN)/python -m tests.lab

$(VENV)/installed-docs: pyproject.toml requirements/documentation.txt requirements/build.txt | $(BIN)/python
	$(LOCKED) --requirement requirements/documentation.txt --requirement requirements/build.txt
	$(CHECKOUT)
	@touch $(VENV)/installed $@

docs: $(VENV)/installed-docs
	PYTHONPATH=scripts $(BIN)/python -m documentation

format: $(VENV)/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

new-rule:
	@"$(PYTHON)" scripts/lay_down.py rule '$(NAME)'

new-library:
	@"$(PYTHON)" scripts/lay_down.py library '$(NAME)' $(if $(LANGUAGE),--language '$(LANGUAGE)') \
		$(if $(PACKAGE),--package '$(PACKAGE)')

nginx-differential: $(VENV)/installed-dev
	$(BIN)/python -m tests.behaviour.nginx_differential $(if $(SEED),--seed $(SEED))

fix-storm: $(VENV)/installed-dev
	$(BIN)/python -m tests.fix_storm $(if $(SEED),--seed $(SEED)) $(if $(CASES),--cases $(CASES))

hostile: $(VENV)/installed-dev
	$(BIN)/python -m tests.hostile $(if $(SEED),--seed $(SEED)) $(if $(CASES),--cases $(CASES))

# Where there is no atheris (no wheel for this system or Python), edits are drawn at random.
fuzz: $(VENV)/installed-dev
	-$(PIP) 'atheris>=3,<4'
	$(BIN)/python -m tests.fuzz $(if $(SEED),--seed $(SEED)) $(if $(SECONDS),--seconds $(SECONDS))

lock: $(VENV)/installed-dev
	$(BIN)/python scripts/lock.py write

audit: $(VENV)/installed-dev
	$(BIN)/python scripts/audit.py

dist: $(VENV)/installed-dev
	$(BIN)/python scripts/release.py dist

sbom: dist
	$(BIN)/python scripts/release.py sbom

bench: $(VENV)/installed-dev
	PYTHONPATH=scripts $(BIN)/python -m benchmark $(BENCH)

clean:
	rm -rf $(VENV) .lab build dist site .mypy_cache .pytest_cache .ruff_cache
