"""Each form of attack is found in each library, and the origin that the finding names is really let in.

A library's wrong programs (`bad`) are linted one by one; then one process of the lab serves them all and is asked with
the origins that the findings name. The mended programs (`good`) are clean, and refuse those origins.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from corslint import lint
from corslint.model.decisions import possible_origin
from corslint.model.finding import Finding
from corslint.settings import Settings
from tests.examples import findings_of
from tests.lab import probes
from tests.lab.attacks import (
    FORMS,
    LEVELS,
    LIBRARIES,
    MENDED,
    NGINX_FORMS,
    NGINX_MENDED,
    OWN,
    STRANGER,
    Form,
    Level,
    Library,
    NginxForm,
    nginx_file,
    nginx_parts,
)
from tests.lab.chromium import Chromium
from tests.lab.experiment import Experiment, Get, Nginx, Part, Process, Side
from tests.lab.installation import Tools, require
from tests.lab.run import Running

KNOWN = lint.knowledge()
FIRST_PORT = 4100
NOTES = frozenset({"any-subdomain-allowed", "insecure-origin-allowed"})
"""Rules that may speak of a note: of a choice that is somebody's to make, and of hosts without TLS beside a fault."""
ENDINGS = {"javascript": ".js", "python": ".py"}
NAMED = re.compile(r"`((?:https?://|null)[^\s]*)`(?= in\b|,| may | is |$)")
"""The origin that a finding speaks of: `` `null` is allowed``, ``lets `https://…` in``, `` `http://…` may read``."""


def forms(library: Library) -> tuple[Form, ...]:
    """The forms that a library's programs have."""
    known = library.own or FORMS
    return tuple(form for form in known if form.check(library.language) and form.name not in library.without)


def mended(library: Library) -> str:
    """The check that lets only the own page in."""
    return library.mended or MENDED[library.language]


def program(library: Library, check: str, port: int) -> str:
    """One program of a library."""
    return library.template.replace("CHECK", check).replace("PORT", str(port)).lstrip()


def module(form: Form) -> str:
    """A form's program without its ending, as a name that can be imported."""
    return f"form_{form.name.replace('-', '_')}"


def ports(library: Library) -> dict[Form, int]:
    """Where each form's program listens."""
    return {form: FIRST_PORT + number for number, form in enumerate(forms(library))}


def manifests(library: Library) -> dict[str, str]:
    """What says which libraries there are."""
    if library.language == "javascript":
        return {"package.json": json.dumps({"dependencies": library.dependencies})}
    return {"requirements.txt": "".join(f"{name}{wanted}\n" for name, wanted in library.dependencies.items())}


def ending(library: Library) -> str:
    return library.ending or ENDINGS[library.language]


def linted(library: Library, form: Form, check: str) -> list[Finding]:
    """What is found in one program: faults, and notes about who gets in."""
    name = module(form) + ending(library)
    texts = {name: program(library, check, 3000), **manifests(library)}
    found = findings_of({path: text.encode() for path, text in texts.items()}, Settings(), KNOWN)
    return [one for one in found if one.severity != "note" or one.rule in NOTES]


def witness(finding: Finding) -> str:
    """The origin that a finding names; any where it says that every one is let in."""
    named = NAMED.search(finding.message)
    return named[1] if named else STRANGER


def written(library: Library, folder: Path) -> None:
    """The two sides of a library's experiment."""
    for side in ("bad", "good"):
        texts = dict(manifests(library))
        for form, port in ports(library).items():
            check = form.check(library.language) if side == "bad" else mended(library)
            texts[module(form) + ending(library)] = program(library, check, port)
        pairs = [[module(form), port] for form, port in ports(library).items()]
        names = pairs if library.language == "python" else [name for name, _ in pairs]
        texts["main" + ending(library)] = library.main.replace("MODULES", json.dumps(names)).lstrip()
        (folder / side).mkdir()
        for name, text in texts.items():
            (folder / side / name).write_text(text, encoding="utf-8")


def served(library: Library) -> Process:
    """The process that serves all programs of a library."""
    tool = "node" if library.language == "javascript" else "python"
    return Process((tool, "main" + ending(library)), listens=tuple(ports(library).values()))


def allowed(
    part: Part, folder: Path, side: Side, found: Tools, asked: Mapping[str, tuple[str, str]]
) -> Mapping[str, list[str | None]]:
    """What is sent as Allow-Origin for each form: to its attacker, and to the own page. `asked`: URL and attacker."""
    experiment = Experiment("weak-origin-check", str(folder), "", (part,), ())
    answers: dict[str, list[str | None]] = {}
    with Running(experiment, side, found, _no_browser) as running:
        for name, (url, attacker) in asked.items():
            seen = [probes.send(Get(url, origin=origin), running.addresses) for origin in (attacker, OWN)]
            answers[name] = [dict(one.headers).get("access-control-allow-origin") for one in seen]
    return answers


def prove(part: Part, folder: Path, found: Tools, asked: Mapping[str, tuple[str, str]]) -> None:
    """The wrong side lets each attacker in; the mended one lets in the own page alone."""
    bad = allowed(part, folder, "bad", found, asked)
    assert {name: sent[0] for name, sent in bad.items()} == {name: attacker for name, (_, attacker) in asked.items()}
    good = allowed(part, folder, "good", found, asked)
    assert {name: sent[0] for name, sent in good.items() if sent[0] not in (None, OWN)} == {}
    assert {sent[1] for sent in good.values()} == {OWN}


def _no_browser() -> Chromium:
    raise AssertionError("no step of an attack needs a browser")


@pytest.mark.parametrize("library", LIBRARIES, ids=[library.name for library in LIBRARIES])
def test_the_finding_names_an_origin(library: Library) -> None:
    seen = {form.name: _short(linted(library, form, form.check(library.language))) for form in forms(library)}
    assert seen == {form.name: [(form.rule, form.witness)] for form in forms(library)}


def _short(findings: list[Finding]) -> list[tuple[str, str]]:
    """Rule and origin of each; a note beside a fault tells nothing new."""
    faults = [one for one in findings if one.severity != "note"]
    return [(one.rule, witness(one)) for one in faults or findings]


@pytest.mark.parametrize("library", LIBRARIES, ids=[library.name for library in LIBRARIES])
def test_the_mended_program_is_clean(library: Library) -> None:
    assert linted(library, forms(library)[0], mended(library)) == []


@pytest.mark.parametrize("library", LIBRARIES, ids=[library.name for library in LIBRARIES])
def test_the_library_lets_that_origin_in(library: Library, tmp_path: Path) -> None:
    node = library.language == "javascript"
    found = require(*(("node", "node_modules") if node else ("venv",)))
    written(library, tmp_path)
    # Only node's programs take links to npm libraries.
    found = found if node else replace(found, node_modules=None)
    where = ports(library)
    asked = {form.name: (f"http://localhost:{where[form]}{library.path}", form.witness) for form in where}
    prove(served(library), tmp_path, found, asked)


def test_only_named_forms_are_left_out() -> None:
    names = {form.name for form in FORMS}
    for library in LIBRARIES:
        assert set(library.without) <= names, library.name
        assert all(library.without.values()), library.name


# nginx


def nginx_test(level: Level, form: NginxForm, side: Side) -> str:
    """A form's test, as that level writes it, or the mended one."""
    if side == "good":
        return NGINX_MENDED[level.keyed]
    return form.keys if level.keyed else form.test


def nginx_linted(level: Level, form: NginxForm, side: Side) -> list[Finding]:
    """What is found in the configuration of one form."""
    text = nginx_file([nginx_parts(level, nginx_test(level, form, side), 0, 8080)])
    found = findings_of({"nginx.conf": text.encode()}, Settings(), KNOWN)
    return [one for one in found if one.severity != "note" or one.rule in NOTES]


@pytest.mark.parametrize("level", LEVELS, ids=[level.name for level in LEVELS])
def test_the_finding_in_nginx_names_an_origin(level: Level) -> None:
    seen = {form.name: _short(nginx_linted(level, form, "bad")) for form in NGINX_FORMS}
    assert seen == {form.name: [(form.rule, form.witness)] for form in NGINX_FORMS}
    assert nginx_linted(level, NGINX_FORMS[0], "good") == []


@pytest.mark.parametrize("level", LEVELS, ids=[level.name for level in LEVELS])
def test_nginx_lets_that_origin_in(level: Level, tmp_path: Path) -> None:
    found = replace(require("nginx"), node_modules=None)
    where = {form: FIRST_PORT + number for number, form in enumerate(NGINX_FORMS)}
    sides: tuple[Side, ...] = ("bad", "good")
    for side in sides:
        (tmp_path / side).mkdir()
        parts = [nginx_parts(level, nginx_test(level, form, side), port, port) for form, port in where.items()]
        (tmp_path / side / "nginx.conf").write_text(nginx_file(parts), encoding="utf-8")
    asked = {form.name: (f"http://localhost:{port}/", form.witness) for form, port in where.items()}
    prove(Nginx("nginx.conf", listens=tuple(where.values())), tmp_path, found, asked)


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium.start(require("chromium").path("chromium")) as running:
        yield running


def test_browsers_can_send_what_findings_name(browser: Chromium) -> None:
    """The origins of the findings, and each printable character in the middle of a host name."""
    hosts = [f"a{chr(code)}b.attacker.test" for code in range(0x21, 0x7F) if not chr(code).isupper()]
    origins = [*(f"https://{host}" for host in hosts), *(form.witness for form in FORMS if form.witness != "null")]
    script = "(all) => all.map((one) => { try { return new URL(one + '/x').origin } catch { return '' } })"
    with browser.page() as page:
        kept = page.evaluate(script, origins)
    assert {origin: possible_origin(origin) for origin in origins} == {
        origin: origin == same for origin, same in zip(origins, kept, strict=True)
    }
