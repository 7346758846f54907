"""A project's nginx configuration, run by the real nginx.

In the copy, and there only: ports of `listen` become reserved ones of loopback, addresses of upstreams those of the
parts that stand for them, `/etc/nginx/` of an include and the roots that the experiment names folders of the project,
and `http` gets folders of its own for temporary files. A file without `http` (`conf.d`, `sites-enabled`) stands inside
of an ordinary `http` block.
"""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.addresses import Address, Addresses
from tests.lab.experiment import Nginx
from tests.lab.observation import Observation
from tests.lab.processes import LabError, Ports, Program, environment

_SYSTEM = "/etc/nginx/"
_MAIN = "corslint-lab.conf"
_DIRECTIVE = r"(?<![\w$./-])"
_SKIPPED = r"""(?P<skipped>\#[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
_PLACES = re.compile(
    rf"""{_SKIPPED}
    | {_DIRECTIVE}(?P<listen>listen\s+)(?P<at>[^\s;]+)
    | {_DIRECTIVE}(?P<server>server\s+)(?P<upstream>[^\s;{{}}]+)(?=[^;{{}}]*;)
    | {_DIRECTIVE}(?P<proxy>proxy_pass\s+http://)(?P<target>[^/\s;]+)
    | {_DIRECTIVE}(?P<include>include\s+)(?P<file>/etc/nginx/[^\s;]+)
    | {_DIRECTIVE}(?P<files>(?:root|alias)\s+)(?P<root>/[^\s;]*)
    | {_DIRECTIVE}(?P<pid>pid\s+)(?P<run>[^\s;]+)
    | {_DIRECTIVE}(?P<http>http\s*\{{)
    """,
    re.VERBOSE,
)
_UPSTREAM = re.compile(rf"{_DIRECTIVE}upstream\s+(\S+?)\s*\{{")
_LISTEN = re.compile(r"(?:(?P<host>\[[^\]]*\]|[^:\[\]]+):)?(?P<port>\d+)")


@dataclass
class Reserved:
    """Ports that belong to this experiment: bound, so that nobody else gets them, and not listened on.

    nginx sets SO_REUSEADDR, so it can bind the same ports; until it does, a connection is refused.
    """

    sockets: list[socket.socket] = field(default_factory=list)

    def port(self, family: socket.AddressFamily = socket.AF_INET) -> int:
        """A port of 127.0.0.1 or ::1."""
        own = socket.socket(family)
        self.sockets.append(own)
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        own.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        port: int = own.getsockname()[1]
        return port

    def release(self) -> None:
        """Give them back."""
        for own in self.sockets:
            own.close()
        self.sockets.clear()


@dataclass
class Configuration:
    """One configuration of a project's copy, about to be rewritten for the lab."""

    file: Path
    reserved: Reserved
    upstream: Callable[[Address], int]
    """The real port behind an upstream's address."""
    roots: Mapping[str, Path] = field(default_factory=dict)
    listening: dict[int, int] = field(default_factory=dict)
    """Ports of `listen`, written to real."""

    @property
    def folder(self) -> Path:
        """What stands for `/etc/nginx`: the project's folder `nginx` around the file, or the file's own."""
        return next((above for above in self.file.parents if above.name == "nginx"), self.file.parent)

    def rewrite(self) -> Path:
        """Rewrite it and what stands beside it. Returns the file that nginx is started with."""
        files = [path for path in sorted(self.folder.rglob("*")) if path.is_file()]
        texts = {path: path.read_text(encoding="utf-8") for path in files if _is_text(path)}
        names = {name for text in texts.values() for name in _UPSTREAM.findall(text)}
        whole = any(found["http"] for found in _PLACES.finditer(texts[self.file]))
        for path, text in texts.items():
            path.write_text(_PLACES.sub(lambda found: self._replaced(found, names), text), encoding="utf-8")
        if whole:
            return self.file
        main = self.folder / _MAIN
        main.write_text(f"events {{}}\nhttp {{\n{self._http()}include {self.file};\n}}\n", encoding="utf-8")
        return main

    def _replaced(self, found: re.Match[str], upstreams: set[str]) -> str:
        if found["listen"]:
            return found["listen"] + self._listen(found["at"])
        if found["server"]:
            return found["server"] + self._upstream(found["upstream"], set())
        if found["proxy"]:
            return found["proxy"] + self._upstream(found["target"], upstreams)
        if found["include"]:
            own = found["file"].removeprefix(_SYSTEM)
            return found["include"] + (str(self.folder / own) if list(self.folder.glob(own)) else found["file"])
        if found["files"]:
            return found["files"] + self._root(found["root"])
        if found["pid"]:
            return f"{found['pid']}{self.folder}/nginx.pid"
        if found["http"]:
            return f"{found['http']}\n{self._http()}"
        return found[0]

    def _listen(self, at: str) -> str:
        parts = _LISTEN.fullmatch(at)
        if parts is None:
            return at
        written = int(parts["port"])
        if (parts["host"] or "").startswith("["):
            return f"[::1]:{self.reserved.port(socket.AF_INET6)}"
        if written not in self.listening:
            self.listening[written] = self.reserved.port()
        return f"127.0.0.1:{self.listening[written]}"

    def _upstream(self, target: str, names: set[str]) -> str:
        if "$" in target or target in names or target.startswith("unix:"):
            return target
        host, _, port = target.rpartition(":") if re.search(r":\d+$", target) else (target, "", "80")
        return f"127.0.0.1:{self.upstream(Address(host.strip('[]'), int(port)))}"

    def _root(self, written: str) -> str:
        for folder, own in self.roots.items():
            if written == folder or written.startswith(folder.rstrip("/") + "/"):
                return f"{own}{written.removeprefix(folder.rstrip('/'))}"
        return written

    def _http(self) -> str:
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        lines = [f"{kind}_temp_path {self.folder}/temp_{kind};" for kind in kinds]
        types = Path(_SYSTEM) / "mime.types"
        if types.exists() and "mime.types" not in self.file.read_text(encoding="utf-8"):
            lines.append(f"include {types};")
        return "".join(f"{line}\n" for line in ["access_log off;", *lines])


def _is_text(path: Path) -> bool:
    return b"\0" not in path.read_bytes()


def _globals(main: Path) -> str:
    """The directives of the top level that the lab sets, except those that the configuration has."""
    text = main.read_text(encoding="utf-8")
    own = {"daemon": "off", "master_process": "off", "pid": f"{main.parent}/nginx.pid", "error_log": "stderr"}
    return " ".join(f"{name} {value};" for name, value in own.items() if not re.search(rf"(?m)^\s*{name}\s", text))


def _command(binary: Path, main: Path) -> list[str]:
    return [
        str(binary),
        "-p",
        str(main.parent),
        "-c",
        str(main),
        "-e",
        f"{main.parent}/error.log",
        "-g",
        _globals(main),
    ]


def start(binary: Path, part: Nginx, project: Path, ports: Ports, reserved: Reserved, home: Path) -> Program:
    """Start nginx with a configuration of the project's copy, and wait until it listens.

    Raises:
        LabError: it refuses the configuration, or would dial an address that is none of the experiment's.
    """
    addresses = Addresses(ports)

    def upstream(at: Address) -> int:
        if not addresses.names(at):
            raise LabError(
                f"{part.config}: nginx would dial {at}, which is no part of the experiment (name it in `hosts`)"
            )
        real = addresses.part(at)
        return reserved.port() if real is None else real

    roots = {folder: project / own for folder, own in part.roots.items()}
    configuration = Configuration(project / part.config, reserved, upstream, roots)
    main = configuration.rewrite()
    program = Program.start(
        "nginx", _command(binary, main), main.parent, environment(ports, home, {}), home / "nginx.log"
    )
    try:
        for written, real in configuration.listening.items():
            program.wait_until(lambda real=real: _listens(real), f"it listened on {written}")  # type: ignore[misc]
            ports.tell(written, real)
    except BaseException:
        program.stop()
        raise
    return program


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def tested(binary: Path, config: Path) -> Observation:
    """What `nginx -t` says of a configuration of the project's copy."""
    reserved = Reserved()
    try:
        main = Configuration(config, reserved, lambda _: reserved.port()).rewrite()
        # As on a terminal: with the log elsewhere, nginx says on stderr what is wrong, without time and process.
        command = [*_command(binary, main), "-t", "-q"]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    finally:
        reserved.release()
    said = ran.stderr.strip()
    accepted = ran.returncode == 0
    return Observation(
        summary="nginx accepts it" if accepted else f"nginx: {_first(said)}", body=said, accepted=accepted
    )


def _first(said: str) -> str:
    """The complaint itself; of the file's path only the name."""
    complaints = [line for line in said.splitlines() if "[emerg]" in line]
    return re.sub(
        r"^.*\[emerg\] (?:\d+#\d+: )?|(?<= in )/\S*/(?=[^/\s]+:\d+$)", "", complaints[0] if complaints else said
    )
