"""Records what real libraries answer: the truth that corslint's predictions are tested against.

    python scripts/record_oracle.py [--check] [--libraries DIR] [NAME ...]

For each case of `fixtures/oracle/<name>.cases.yaml` the library itself runs on a loopback port and is asked, once per
origin and kind of request; what it answers goes to `fixtures/oracle/<name>.json` together with the exact code that ran.
Nothing leaves the machine. The libraries are not part of the repository: where one is missing, the script says what to
install and goes on with the next.

A cases file
    library     what a reader calls it
    ecosystem   npm or pypi
    packages    package: version, what the manifest of such a project would say (and what must be installed)
    also        further packages the snippets need, the same way
    file        name of the snippet's file (server.js, server.mjs, app.py, settings.py); a case may give its own
    files       further files beside it, name: text
    template    the program, with ⟦options⟧ where a case's options go
    path        what is requested
    kinds       get, preflight, upgrade
    extends     name of another cases file whose fields and cases this one takes over (its own come on top)
    without     ids of cases that are not taken over
    cases       id, and
                options (for the template) or code (a whole program)
                env: variables to set; all others that the code names are unset
                origins: asked beside the four of every case
                path, kinds
                asked_method, asked_headers: of the preflight (default POST, content-type)
                cookie: of all requests but preflights, as from a page that sends cookies
                times: how often each question is asked, where an answer may change from one request to the next

A recorded case has `raises` (why the program refused to start, else null), `crashes` (why a request brought it down),
`checks` (failed Django system checks) and `answers`. An answer has `status` (null: none came, or the connection broke)
and `acao`, `acac`, `vary`, `acam`, `acah`: the response header's value, several lines joined by a comma as a browser
joins them, null where there is none. The origin `none` stands for a request without `Origin`, `self` for the server's
own origin. `http` and `https` are origins no browser sends; they show what a comparison accepts.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from difflib import unified_diff
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
ORACLE = ROOT / "fixtures" / "oracle"
DRIVERS = ROOT / "scripts" / "oracle"
ORIGINS = ("https://app.example.com", "https://evil.example", "null", "none")
HEADERS = {
    "acao": "access-control-allow-origin",
    "acac": "access-control-allow-credentials",
    "vary": "vary",
    "acam": "access-control-allow-methods",
    "acah": "access-control-allow-headers",
}
ANSWER = '{"kind": '
START_SECONDS = 30
ANSWER_SECONDS = 4
ENV_READ = re.compile(r"process\.env\.(\w+)|environ(?:\.get)?[(\[]\s*[\"'](\w+)|getenv\(\s*[\"'](\w+)")


class MissingError(Exception):
    """Libraries that are not installed: what to ask npm or pip for."""

    def __init__(self, ecosystem: str, wanted: list[str]) -> None:
        super().__init__(" ".join(wanted))
        self.ecosystem = ecosystem
        self.wanted = wanted


def cases_of(name: str) -> dict[str, Any]:
    """The cases file of that name, with the fields and cases of the file it extends."""
    own: dict[str, Any] = yaml.safe_load((ORACLE / f"{name}.cases.yaml").read_text(encoding="utf-8"))
    if "extends" not in own:
        return own
    base = cases_of(own["extends"])
    without = set(own.get("without", ()))
    inherited = [case for case in base["cases"] if case["id"] not in without]
    return {**base, **own, "cases": inherited + own.get("cases", [])}


def npm_alias(package: str, version: str) -> str:
    """Where a package of that version lies: majors live side by side under names of their own."""
    return f"{package}-{version.split('.')[0]}"


class Libraries:
    """The installed libraries: `DIR/node_modules/<package>-<major>` and `DIR/venv`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "venv" / "bin" / "python"

    def check(self, ecosystem: str, packages: dict[str, str]) -> dict[str, str]:
        """The versions in place. Raises `MissingError` unless each is the version that the cases ask for."""
        found = self._npm(packages) if ecosystem == "npm" else self._pypi(packages)
        wrong = {package: version for package, version in packages.items() if found.get(package) != version}
        if not wrong:
            return found
        if ecosystem == "npm":
            raise MissingError(
                ecosystem, [f"{npm_alias(name, wanted)}@npm:{name}@{wanted}" for name, wanted in wrong.items()]
            )
        raise MissingError(ecosystem, [f"{name}=={wanted}" for name, wanted in wrong.items()])

    def installation(self, missing: list[MissingError]) -> list[str]:
        """The commands that install what is missing."""
        wanted = {
            kind: sorted({each for error in missing if error.ecosystem == kind for each in error.wanted})
            for kind in ("npm", "pypi")
        }
        commands = []
        if wanted["npm"]:
            commands.append(f"npm install --prefix {self.folder} {' '.join(wanted['npm'])}")
        if wanted["pypi"]:
            commands.append(f"python3 -m venv {self.folder / 'venv'}")
            commands.append(f"{self.python} -m pip install {' '.join(wanted['pypi'])}")
        return commands

    def _npm(self, packages: dict[str, str]) -> dict[str, str]:
        found = {}
        for package, version in packages.items():
            manifest = self.folder / "node_modules" / npm_alias(package, version) / "package.json"
            if manifest.exists():
                found[package] = json.loads(manifest.read_text(encoding="utf-8"))["version"]
        return found

    def _pypi(self, packages: dict[str, str]) -> dict[str, str]:
        if not self.python.exists():
            return {}
        ask = (
            "import json, sys; from importlib.metadata import distributions; "
            "print(json.dumps({d.metadata['Name'].lower(): d.version for d in distributions()}))"
        )
        installed = json.loads(subprocess.run([self.python, "-c", ask], check=True, capture_output=True).stdout)
        return {package: installed[package.lower()] for package in packages if package.lower() in installed}

    def link_into(self, folder: Path, packages: dict[str, str]) -> None:
        """Make `require('<package>')` find the right version from that folder."""
        for package, version in packages.items():
            link = folder / "node_modules" / package
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to((self.folder / "node_modules" / npm_alias(package, version)).resolve())


class Server:
    """One snippet, running. Started again by itself when a request brought it down."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self.command = command
        self.env = env
        self.checks: list[str] = []
        self.error: str | None = None
        self.crash: str | None = None
        self.port = 0
        self.process: subprocess.Popen[str] | None = None

    def up(self) -> bool:
        """Whether it listens. Starts it where needed; false where the program refuses to start."""
        if self.alive():
            return True
        self.close()
        self.process = subprocess.Popen(
            self.command,
            env=self.env,
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


def ask(
    server: Server, kind: str, origin: str, path: str, method: str, headers: str, cookie: str | None
) -> dict[str, Any]:
    """One answer. The connection is closed at once: an upgraded one is of no further interest."""
    own = f"http://127.0.0.1:{server.port}"
    fields = {"Connection": "close"}
    if origin != "none":
        fields["Origin"] = own if origin == "self" else origin
    if cookie is not None and kind != "preflight":
        fields["Cookie"] = cookie
    if kind == "preflight":
        fields |= {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    if kind == "upgrade":
        path = path.replace("transport=polling", "transport=websocket")
        fields |= {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        }
    connection = HTTPConnection("127.0.0.1", server.port, timeout=ANSWER_SECONDS)
    status: int | None = None
    found: dict[str, str | None] = dict.fromkeys(HEADERS)
    try:
        connection.request("OPTIONS" if kind == "preflight" else "GET", path, headers=fields)
        response = connection.getresponse()
        status = response.status
        for short, name in HEADERS.items():
            lines = [value for key, value in response.getheaders() if key.lower() == name]
            found[short] = ", ".join(lines).replace(own, "self") if lines else None
    except (HTTPException, OSError):
        server.unanswered()
    finally:
        connection.close()
    return {"kind": kind, "origin": origin, "status": status, **found}


@contextlib.contextmanager
def running(spec: dict[str, Any], case: dict[str, Any], code: str, libraries: Libraries) -> Iterator[Server]:
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
            command = [str(libraries.python), str(DRIVERS / "serve.py"), str(snippet)]
        named = {name for match in ENV_READ.finditer(code) for name in match.groups() if name}
        env = {key: value for key, value in os.environ.items() if key not in named}
        # The same seed in every run: some libraries write the elements of a set into a header in its order.
        always = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
        server = Server(command, {**env, **always, **case.get("env", {})})
        try:
            yield server
        finally:
            server.close()


def record_case(spec: dict[str, Any], case: dict[str, Any], libraries: Libraries) -> dict[str, Any]:
    code = case.get("code") or spec["template"].replace("⟦options⟧", case["options"].rstrip("\n"))
    with running(spec, case, code, libraries) as server:
        result: dict[str, Any] = {"id": case["id"], "file": case.get("file", spec["file"]), "code": code}
        for field in ("env", "files", "cookie"):
            if field in case:
                result[field] = case[field]
        if not server.up():
            return {**result, "raises": server.error, "answers": []}
        answers = []
        for kind in case.get("kinds", spec["kinds"]):
            for origin in (*ORIGINS, *case.get("origins", ())):
                for _ in range(case.get("times", 1)):
                    server.up()
                    question = (
                        case.get("path", spec["path"]),
                        case.get("asked_method", "POST"),
                        case.get("asked_headers", "content-type"),
                        case.get("cookie"),
                    )
                    answers.append(ask(server, kind, origin, *question))
        if server.crash:
            result["crashes"] = server.crash
        if server.checks:
            result["checks"] = server.checks
        return {**result, "raises": None, "answers": answers}


def record(name: str, libraries: Libraries) -> str:
    """The recording of one cases file, as text."""
    spec = cases_of(name)
    versions = libraries.check(spec["ecosystem"], {**spec["packages"], **spec.get("also", {})})
    with ThreadPoolExecutor(max_workers=2) as pool:
        cases = list(pool.map(lambda case: record_case(spec, case, libraries), spec["cases"]))
    head = {
        "library": spec["library"],
        "ecosystem": spec["ecosystem"],
        "packages": spec["packages"],
        "versions": versions,
    }
    if "files" in spec:
        head["files"] = spec["files"]
    # One answer a line: a changed answer is a changed line.
    text = json.dumps({**head, "cases": []}, indent=1, ensure_ascii=False).removesuffix("[]\n}")
    blocks = []
    for case in cases:
        answers = ",\n".join("    " + json.dumps(answer, ensure_ascii=False) for answer in case.pop("answers"))
        block = json.dumps(case, indent=1, ensure_ascii=False).replace("\n", "\n  ").removesuffix("\n  }")
        blocks.append(f'  {block},\n   "answers": [' + (f"\n{answers}\n   ]" if answers else "]") + "}")
    return text + "[\n" + ",\n".join(blocks) + "\n]}\n"


def main() -> int:
    known = sorted(path.name.removesuffix(".cases.yaml") for path in ORACLE.glob("*.cases.yaml"))
    parser = argparse.ArgumentParser(description="Record what real libraries answer.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(known)}; default all")
    parser.add_argument("--check", action="store_true", help="change nothing; status 1 where an answer is new")
    parser.add_argument(
        "--libraries",
        type=Path,
        default=ROOT / ".oracle",
        metavar="DIR",
        help="where they are installed (default .oracle)",
    )
    given = parser.parse_args()
    libraries = Libraries(given.libraries.resolve())
    missing: list[MissingError] = []
    changed: list[str] = []
    for name in given.names or known:
        started = time.monotonic()
        try:
            text = record(name, libraries)
        except MissingError as what:
            missing.append(what)
            continue
        file = ORACLE / f"{name}.json"
        old = file.read_text(encoding="utf-8") if file.exists() else ""
        if text != old:
            changed.append(name)
        if given.check:
            sys.stdout.writelines(
                unified_diff(old.splitlines(True), text.splitlines(True), "recorded", "answered now", n=0)
            )
        else:
            file.write_text(text, encoding="utf-8")
        print(f"{name}: {text.count(ANSWER)} answers in {time.monotonic() - started:.1f} s")
    if missing:
        print(
            "Not installed, so not recorded. To install:", *libraries.installation(missing), sep="\n  ", file=sys.stderr
        )
    return 2 if missing else int(given.check and bool(changed))


if __name__ == "__main__":
    sys.exit(main())
