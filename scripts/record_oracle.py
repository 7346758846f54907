"""Records what real libraries answer: the truth that corslint's predictions are tested against.

    python scripts/record_oracle.py [--check] [--libraries DIR] [NAME ...]
    python scripts/record_oracle.py --fresh SEED [--cases COUNT] [--output FILE] [NAME ...]

For each case of `fixtures/oracle/<name>.cases.yaml` the library itself runs on a loopback port and is asked, once per
origin and kind of request; what it answers goes to `fixtures/oracle/<library>@<version>.json` together with all that is
needed to write the program again. Nothing leaves the machine. The libraries are not part of the repository: they lie in
`.lab` (`make lab`); where one is missing, the script says so and goes on with the next.

`--fresh` draws options that were never recorded, from the grammar of the cases file, and records what the library makes
of them in the same form. The same seed draws the same options.

A cases file
    title       what a reader calls the library
    library     its package; must be one of `packages`
    ecosystem   npm or pypi
    packages    package: version, what the manifest of such a project would say (and what must be installed)
    also        further packages the snippets need, the same way
    venv        `old`: the environment with the older majors (Python only)
    file        name of the snippet's file (server.js, server.mjs, app.py, settings.py); a case may give its own
    files       further files beside it, name: text
    template    the program, with ⟦options⟧ where a case's options go
    bare        the same program without the library, or with the library's CORS switched off where it is the server
                itself (⟦options⟧: what a case says by `bare`). Recorded as the case `bare`: what the application
                answers alone
    path        what is requested
    kinds       get, preflight, upgrade
    extends     name of another cases file whose fields and cases this one takes over (its own come on top)
    without     ids of cases that are not taken over
    cases       id, and
                options (for the template) or code (a whole program)
                bare: where the application would answer otherwise than the file's `bare`: the options for that in a
                case with options, else a whole program. Recorded as the case `bare-<id>`
                env: variables to set; all others that the code names are unset
                origins: asked beside the five of every case
                path, kinds
                method, headers: what a preflight asks for (default POST, content-type; null: not asked)
                thorough: also ask the preflights of `PREFLIGHTS`
                cookie: of all requests but preflights, as from a page that sends cookies
                times: how often each question is asked, where an answer may change from one request to the next
    draw        how options are drawn for `--fresh`
                parts: name: texts, one of which is taken (null: left out)
                words: name: texts, one of which stands where a text says ⟦name⟧
                options: what becomes the options; ⟦parts⟧ stands for the parts that were taken
                join: what stands between them (default ", ")

A recording
    library, version, name (of the cases file), title, ecosystem, packages, versions, file, path, files, template
    cases       by id: options or code; file, files, env as the cases file has them; bare (the id of the case without
                the library, where it is not `bare`); raises (why the program refused to start), crashes (why a request
                brought it down), checks (failed Django system checks), where there are any
    rows        one answer each: case, options (null where the case is a whole program), request, answer. A program that
                refused to start has none

A request has `kind` and `origin` (null: no such header; `self`: the server's own origin), `method` and `headers` of a
preflight as asked for (null: not asked for), `path` and `cookie` where they are not the usual ones, and `turn`
where a question is asked several times. An answer has `status` (null: none came, or the connection broke) and `acao`,
`acac`, `vary`, `acam`, `acah`: the response header's value, several lines joined by a comma as a browser joins them,
null where there is none; without the library also `allow`, which some libraries look at. `http` and `https` are origins
no browser sends; they show what a comparison accepts.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from difflib import unified_diff
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parent.parent
ORACLE = ROOT / "fixtures" / "oracle"
DRIVERS = ROOT / "scripts" / "oracle"
LIBRARIES = ROOT / ".lab"
ALLOWED = "https://app.example.com"
FOREIGN = "https://evil.example"
LOOKALIKE = "https://app.example.com.evil.example"
ORIGINS = (ALLOWED, FOREIGN, LOOKALIKE, "null", None)
HEADERS = {
    "acao": "access-control-allow-origin",
    "acac": "access-control-allow-credentials",
    "vary": "vary",
    "acam": "access-control-allow-methods",
    "acah": "access-control-allow-headers",
}
PREFLIGHTS = (
    ("PUT", "content-type"),
    ("DELETE", "x-token, authorization"),
    ("POST", None),
    ("patch", "x-token"),
    ("GET", "X-Token"),
    ("PURGE", "content-type"),
)
"""Method and headers of the further preflights of a thorough case. Asked from an allowed and a foreign origin."""

WORKERS = 2
START_SECONDS = 30
ANSWER_SECONDS = 6
HANGING_SECONDS = 1
"""How long the further answers of a program are waited for that has left one out already."""

DRAWS = 50
"""How many draws in a row may be known already before the grammar counts as exhausted."""

SLOT = "⟦options⟧"
WORD = re.compile(r"⟦(\w+)⟧")
ENV_READ = re.compile(r"process\.env\.(\w+)|environ(?:\.get)?[(\[]\s*[\"'](\w+)|getenv\(\s*[\"'](\w+)")


class MissingError(Exception):
    """Libraries that are not installed in the version that the cases ask for."""


def known_names() -> list[str]:
    """The names of the cases files."""
    return sorted(path.name.removesuffix(".cases.yaml") for path in ORACLE.glob("*.cases.yaml"))


def cases_of(name: str) -> dict[str, Any]:
    """The cases file of that name, with the fields and cases of the file it extends."""
    own: dict[str, Any] = yaml.safe_load((ORACLE / f"{name}.cases.yaml").read_text(encoding="utf-8"))
    if "extends" not in own:
        return own
    base = cases_of(own["extends"])
    without = set(own.get("without", ()))
    inherited = [case for case in base["cases"] if case["id"] not in without]
    return {**base, **own, "cases": inherited + own.get("cases", [])}


def with_bare_programs(spec: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The cases, each program without the library before the first case that refers to it."""
    found = [{"id": "bare", "code": spec["bare"].replace(SLOT, ""), "thorough": True}]
    for case in spec["cases"]:
        if "bare" not in case:
            found.append({**case, "bare": "bare"})
            continue
        name = f"bare-{case['id']}"
        code = spec["bare"].replace(SLOT, case["bare"]) if "options" in case else case["bare"]
        asked = {key: value for key, value in case.items() if key not in ("options", "code", "bare", "times")}
        found += [{**asked, "id": name, "code": code}, {**case, "bare": name}]
    return found


def program_of(spec: Mapping[str, Any], case: Mapping[str, Any]) -> str:
    """The program of a case, of a cases file or of a recording alike."""
    if "code" in case:
        return str(case["code"])
    return str(spec["template"]).replace(SLOT, str(case["options"]).rstrip("\n"))


def recording_file(spec: Mapping[str, Any]) -> str:
    """What the recording of a cases file is called: `koa-cors@5.0.0.json`."""
    library = spec["library"].removeprefix("@").replace("/", "-")
    return f"{library}@{spec['packages'][spec['library']]}.json"


# -- drawing ----------------------------------------------------------------------------------------------------------


def same_options(text: str) -> str:
    """The options without what makes no difference: two texts that agree in this are the same options."""
    return re.sub(r",(?=[})\]])", "", re.sub(r"\s+", "", text)).strip(",")


def draw(spec: Mapping[str, Any], rng: random.Random) -> str:
    """One text of options out of the grammar of the cases file."""
    grammar = spec["draw"]
    taken: list[str] = []
    while not taken:
        drawn = (rng.choice(texts) for texts in grammar["parts"].values())
        taken = [_filled(text, grammar.get("words", {}), rng) for text in drawn if text is not None]
    return str(grammar["options"]).replace("⟦parts⟧", str(grammar.get("join", ", ")).join(taken))


def _filled(text: str, words: Mapping[str, Sequence[str]], rng: random.Random) -> str:
    while (slot := WORD.search(text)) is not None:
        text = text[: slot.start()] + rng.choice(words[slot[1]]) + text[slot.end() :]
    return text


def drawn_cases(name: str, seed: int, count: int) -> list[dict[str, Any]]:
    """Up to that many cases with options that the cases file does not have. The same seed draws the same cases."""
    spec = cases_of(name)
    rng = random.Random(f"{name} {seed}")
    known = {same_options(case["options"]) for case in spec["cases"] if "options" in case}
    found: list[dict[str, Any]] = []
    in_vain = 0
    while len(found) < count and in_vain < DRAWS:
        options = draw(spec, rng)
        in_vain += 1
        if same_options(options) not in known:
            known.add(same_options(options))
            found.append({"id": f"fresh-{seed}-{len(found) + 1}", "options": options, "thorough": True})
            in_vain = 0
    return found


# -- libraries --------------------------------------------------------------------------------------------------------


def npm_alias(package: str, version: str) -> str:
    """Where a package of that version lies: majors live side by side under names of their own."""
    return f"{package}-{version.split('.')[0]}"


class Libraries:
    """The installed libraries: `DIR/node_modules/<package>-<major>`, `DIR/venv` and `DIR/venv-old`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def python(self, spec: Mapping[str, Any]) -> Path:
        """The interpreter that sees the packages of a cases file."""
        return self.folder / ("venv-old" if spec.get("venv") == "old" else "venv") / "bin" / "python"

    def check(self, spec: Mapping[str, Any]) -> dict[str, str]:
        """The versions in place. Raises `MissingError` unless each is the version that the cases ask for."""
        packages: dict[str, str] = {**spec["packages"], **spec.get("also", {})}
        found = self._npm(packages) if spec["ecosystem"] == "npm" else self._pypi(packages, self.python(spec))
        wrong = [
            f"{package} {version} ({f'there is {found[package]}' if package in found else 'there is none'})"
            for package, version in packages.items()
            if found.get(package) != version
        ]
        if wrong:
            raise MissingError(", ".join(wrong))
        return found

    def _npm(self, packages: Mapping[str, str]) -> dict[str, str]:
        found = {}
        for package, version in packages.items():
            manifest = self.folder / "node_modules" / npm_alias(package, version) / "package.json"
            if manifest.exists():
                found[package] = json.loads(manifest.read_text(encoding="utf-8"))["version"]
        return found

    def _pypi(self, packages: Mapping[str, str], python: Path) -> dict[str, str]:
        if not python.exists():
            return {}
        ask = (
            "import json, sys; from importlib.metadata import distributions; "
            "print(json.dumps({d.metadata['Name'].lower(): d.version for d in distributions()}))"
        )
        installed = json.loads(subprocess.run([python, "-c", ask], check=True, capture_output=True).stdout)
        # One distribution may write its name with a hyphen, another with an underscore.
        known = {re.sub(r"[-_.]+", "-", name): version for name, version in installed.items()}
        return {package: known[package.lower()] for package in packages if package.lower() in known}

    def link_into(self, folder: Path, packages: Mapping[str, str]) -> None:
        """Make `require('<package>')` find the right version from that folder."""
        for package, version in packages.items():
            link = folder / "node_modules" / package
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to((self.folder / "node_modules" / npm_alias(package, version)).resolve())


# -- asking -----------------------------------------------------------------------------------------------------------


class Server:
    """One snippet, running. Started again by itself when a request brought it down."""

    def __init__(self, command: list[str], env: dict[str, str], folder: Path) -> None:
        self.command = command
        self.env = env
        self.folder = folder
        self.checks: list[str] = []
        self.error: str | None = None
        self.crash: str | None = None
        self.port = 0
        self.patience = ANSWER_SECONDS
        self.process: subprocess.Popen[str] | None = None

    def up(self) -> bool:
        """Whether it listens. Starts it where needed; false where the program refuses to start."""
        if self.alive():
            return True
        self.close()
        self.process = subprocess.Popen(
            self.command,
            env=self.env,
            cwd=self.folder,  # some keep a cache in the folder that they are started in
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        watchdog = threading.Timer(START_SECONDS, self.process.kill)
        watchdog.start()
        try:
            assert self.process.stdout is not None
            for line in self.process.stdout:
                event = json.loads(line)
                if event["event"] == "checks":
                    self.checks = event["failed"]
                elif event["event"] == "listening":
                    self.port = event["port"]
                    return True
                else:
                    self.error = event["error"]
                    return False
        finally:
            watchdog.cancel()
        _, noise = self.process.communicate()
        raise SystemExit(f"{self.command[-1]} neither listened nor raised:\n{noise}")

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def unanswered(self) -> None:
        """Look whether the request that got no answer brought the program down, and why."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            if (
                self.process is not None
                and self.process.wait(timeout=1) is not None
                and self.process.stdout is not None
            ):
                for line in self.process.stdout:
                    self.crash = json.loads(line)["error"]

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


class Question(NamedTuple):
    """One request. A preflight asks for `method` and `headers` (None: says nothing about them)."""

    kind: str
    origin: str | None
    path: str
    method: str | None = "GET"
    headers: str | None = None
    cookie: str | None = None
    turn: int | None = None

    def fields(self, own: str) -> dict[str, str]:
        """The request headers; `own` is the origin of the server itself."""
        # The connection is closed at once: an upgraded one is of no further interest.
        fields = {"Connection": "close"}
        if self.origin is not None:
            fields["Origin"] = own if self.origin == "self" else self.origin
        if self.cookie is not None:
            fields["Cookie"] = self.cookie
        if self.kind == "preflight":
            if self.method is not None:
                fields["Access-Control-Request-Method"] = self.method
            if self.headers is not None:
                fields["Access-Control-Request-Headers"] = self.headers
        if self.kind == "upgrade":
            fields |= {
                "Connection": "Upgrade",
                "Upgrade": "websocket",
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            }
        return fields

    def recorded(self, usual_path: str) -> dict[str, Any]:
        """The request as a recording has it."""
        found: dict[str, Any] = {"kind": self.kind, "origin": self.origin}
        if self.kind == "preflight":
            found |= {"method": self.method, "headers": self.headers}
        unusual = {"path": self.path if self.path != usual_path else None, "cookie": self.cookie, "turn": self.turn}
        return found | {key: value for key, value in unusual.items() if value is not None}


def questions(spec: Mapping[str, Any], case: Mapping[str, Any]) -> Iterator[Question]:
    """What is asked in a case, in this order."""
    path = case.get("path", spec["path"])
    origins = dict.fromkeys((*ORIGINS, *case.get("origins", ())))
    times = case.get("times", 1)
    turns: list[int | None] = [None] if times == 1 else [turn + 1 for turn in range(times)]
    for kind in case.get("kinds", spec["kinds"]):
        for origin in origins:
            for turn in turns:
                if kind == "preflight":
                    asked = (case.get("method", "POST"), case.get("headers", "content-type"))
                    yield Question(kind, origin, path, *asked, turn=turn)
                else:
                    yield Question(kind, origin, path, cookie=case.get("cookie"), turn=turn)
        if kind == "preflight" and case.get("thorough"):
            for method, headers in PREFLIGHTS:
                yield from (Question(kind, origin, path, method, headers) for origin in (ALLOWED, FOREIGN))


def ask(server: Server, question: Question, headers: Mapping[str, str]) -> dict[str, Any]:
    """The answer to one request: its status and these headers, by short name."""
    own = f"http://127.0.0.1:{server.port}"
    method = "OPTIONS" if question.kind == "preflight" else "GET"
    path = question.path
    if question.kind == "upgrade":
        path = path.replace("transport=polling", "transport=websocket")
    connection = HTTPConnection("127.0.0.1", server.port, timeout=server.patience)
    status: int | None = None
    found: dict[str, str | None] = dict.fromkeys(headers)
    try:
        connection.request(method, path, headers=question.fields(own))
        response = connection.getresponse()
        status = response.status
        for short, name in headers.items():
            lines = [value for key, value in response.getheaders() if key.lower() == name]
            found[short] = ", ".join(lines).replace(own, "self") if lines else None
    except TimeoutError:
        server.patience = HANGING_SECONDS
    except (HTTPException, OSError):
        server.unanswered()
    finally:
        connection.close()
    return {"status": status, **found}


@contextlib.contextmanager
def running(spec: Mapping[str, Any], case: Mapping[str, Any], libraries: Libraries) -> Iterator[Server]:
    """The program of a case in a folder of its own; started by the first question."""
    code = program_of(spec, case)
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        for name, text in {**spec.get("files", {}), **case.get("files", {})}.items():
            (here / name).write_text(text, encoding="utf-8")
        snippet = here / case.get("file", spec["file"])
        snippet.write_text(code, encoding="utf-8")
        if spec["ecosystem"] == "npm":
            libraries.link_into(here, {**spec["packages"], **spec.get("also", {})})
            command = ["node", "--preserve-symlinks-main", str(DRIVERS / "serve.cjs"), str(snippet)]
        else:
            command = [str(libraries.python(spec).absolute()), str(DRIVERS / "serve.py"), str(snippet)]
        named = {name for match in ENV_READ.finditer(code) for name in match.groups() if name}
        env = {key: value for key, value in os.environ.items() if key not in named}
        # The same seed in every run: some libraries write the elements of a set into a header in its order.
        always = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
        server = Server(command, {**env, **always, **case.get("env", {})}, here)
        try:
            yield server
        finally:
            server.close()


# -- recording --------------------------------------------------------------------------------------------------------


class Recorded(NamedTuple):
    """What a recording says of one case: its entry in `cases`, and its rows."""

    entry: dict[str, Any]
    rows: list[dict[str, Any]]


def record_case(spec: Mapping[str, Any], case: Mapping[str, Any], libraries: Libraries) -> Recorded:
    """Run one program and ask it everything."""
    entry = {key: case[key] for key in ("options", "code", "file", "files", "env") if key in case}
    if case.get("bare", "bare") != "bare":
        entry["bare"] = case["bare"]
    rows: list[dict[str, Any]] = []
    with running(spec, case, libraries) as server:
        if not server.up():
            return Recorded({**entry, "raises": server.error}, [])
        for question in questions(spec, case):
            server.up()
            request = question.recorded(spec["path"])
            answer = ask(server, question, HEADERS if "bare" in case else {**HEADERS, "allow": "allow"})
            rows.append({"case": case["id"], "options": case.get("options"), "request": request, "answer": answer})
        if server.crash:
            entry["crashes"] = server.crash
        if server.checks:
            entry["checks"] = server.checks
    return Recorded(entry, rows)


def record(name: str, libraries: Libraries, cases: Sequence[Mapping[str, Any]] | None = None) -> dict[str, Any]:
    """The recording of one cases file, or of other cases than its own."""
    spec = cases_of(name)
    versions = libraries.check(spec)
    cases = with_bare_programs({**spec, "cases": spec["cases"] if cases is None else cases})
    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        recorded = list(pool.map(lambda case: record_case(spec, case, libraries), cases))
    head = {"library": spec["library"], "version": spec["packages"][spec["library"]], "name": name}
    fields = ("title", "ecosystem", "packages", "file", "path", "files", "template")
    return {
        **head,
        **{field: spec[field] for field in fields if field in spec},
        "versions": versions,
        "cases": {case["id"]: one.entry for case, one in zip(cases, recorded, strict=True)},
        "rows": [row for one in recorded for row in one.rows],
    }


def fresh_recordings(
    seed: int, names: Iterable[str] | None = None, per_library: int = 10, libraries: Libraries | None = None
) -> dict[str, dict[str, Any]]:
    """Recordings of options that were drawn and never recorded, by name of the cases file.

    Raises `MissingError` where a library is not installed.
    """
    libraries = libraries or Libraries(LIBRARIES)
    return {
        name: record(name, libraries, drawn_cases(name, seed, per_library))
        for name in (known_names() if names is None else names)
    }


def as_text(recording: Mapping[str, Any]) -> str:
    """JSON with a line for each case and each answer: a changed answer is a changed line."""
    lines = []
    for key, value in recording.items():
        if key == "cases":
            entries = ",\n".join(f"  {_json(name)}: {_json(entry)}" for name, entry in value.items())
            lines.append(f' "cases": {{\n{entries}\n }}')
        elif key == "rows":
            lines.append(' "rows": [\n' + ",\n".join(f"  {_json(row)}" for row in value) + "\n ]")
        else:
            lines.append(f" {_json(key)}: {_json(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


# -- command line -----------------------------------------------------------------------------------------------------


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Record what real libraries answer.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(known_names())}; default all")
    parser.add_argument("--check", action="store_true", help="change nothing; status 1 where an answer is new")
    parser.add_argument("--fresh", type=int, metavar="SEED", help="record drawn options instead of the known ones")
    parser.add_argument("--cases", type=int, default=10, metavar="COUNT", help="drawn cases a library (default 10)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="where drawn recordings go (default stdout)")
    parser.add_argument(
        "--libraries", type=Path, default=LIBRARIES, metavar="DIR", help="where they are installed (default .lab)"
    )
    return parser.parse_args()


def _fresh(given: argparse.Namespace) -> int:
    try:
        found = fresh_recordings(given.fresh, given.names or None, given.cases, Libraries(given.libraries.resolve()))
    except MissingError as what:
        print(f"Not installed (make lab): {what}", file=sys.stderr)
        return 2
    text = "{\n" + ",\n".join(f"{_json(name)}: {as_text(one).rstrip()}" for name, one in found.items()) + "\n}\n"
    if given.output is None:
        sys.stdout.write(text)
    else:
        given.output.write_text(text, encoding="utf-8")
    return 0


def main() -> int:
    given = _arguments()
    if given.fresh is not None:
        return _fresh(given)
    libraries = Libraries(given.libraries.resolve())
    missing: list[str] = []
    changed: list[str] = []
    for name in given.names or known_names():
        started = time.monotonic()
        try:
            recording = record(name, libraries)
        except MissingError as what:
            missing.append(f"{name}: {what}")
            continue
        text = as_text(recording)
        file = ORACLE / recording_file(cases_of(name))
        old = file.read_text(encoding="utf-8") if file.exists() else ""
        if text != old:
            changed.append(name)
        if given.check:
            sys.stdout.writelines(
                unified_diff(old.splitlines(True), text.splitlines(True), "recorded", "answered now", n=0)
            )
        else:
            file.write_text(text, encoding="utf-8")
        print(f"{name}: {len(recording['rows'])} answers in {time.monotonic() - started:.1f} s", flush=True)
    if missing:
        print("Not installed (make lab), so not recorded:", *missing, sep="\n  ", file=sys.stderr)
    return 2 if missing else int(given.check and bool(changed))


if __name__ == "__main__":
    sys.exit(main())
