# docker build --tag corslint .
# docker run --rm --volume "$PWD:/project:ro" corslint check
FROM python:3.13-slim AS build
WORKDIR /corslint
COPY pyproject.toml README.md LICENSE ./
COPY corslint corslint
COPY rules rules
COPY requirements requirements
COPY scripts scripts
# The wheel is built with the locked tools, and installed without them.
RUN python -m venv /build && /build/bin/python -m pip install --no-cache-dir --require-hashes \
        --requirement requirements/runtime.txt --requirement requirements/build.txt \
    && /build/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && python -m venv /opt/corslint \
    && /opt/corslint/bin/python -m pip install --no-cache-dir --require-hashes --requirement requirements/runtime.txt \
    && /opt/corslint/bin/python -m pip install --no-cache-dir --no-deps --no-index /wheels/*.whl

FROM python:3.13-slim
# git says which files it ignores. A mounted folder belongs to somebody else, and corslint lets git run nothing from it.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && git config --system --add safe.directory '*' \
    && useradd --create-home corslint
COPY --from=build /opt/corslint /opt/corslint
USER corslint
WORKDIR /project
ENTRYPOINT ["/opt/corslint/bin/corslint"]
CMD ["check"]
