"""Where reports go: which format into which file, colours or not, and files that are whole or not touched."""

from __future__ import annotations

import contextlib
import errno
import os
import posixpath
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TextIO

from corslint import report
from corslint.records import NamedTuple
from corslint.settings import UsageError

STANDARD_OUTPUT = "-"
"""What stands for standard output where a file is asked for."""


class Output(NamedTuple):
    """One report to write: its format, and its file, `-` for standard output."""

    format: str
    file: str


def paired(formats: Sequence[str], files: Sequence[str]) -> tuple[Output, ...]:
    """The n-th format with the n-th file. Without any, text goes to standard output.

    Raises `UsageError` where it would be a guess what belongs together, or where two reports would overwrite each
    other.
    """
    formats = formats or ("text",)
    if not files and len(formats) == 1:
        files = (STANDARD_OUTPUT,)
    if len(files) != len(formats):
        given = f"{report.counted(len(formats), 'format')} and {report.counted(len(files), 'file')}"
        raise UsageError(
            f"{given}: with several reports, each --output-format needs its own --output-file, in the same order; "
            f"`{STANDARD_OUTPUT}` is standard output"
        )
    taken: set[str] = set()
    for file in files:
        there = file if file == STANDARD_OUTPUT else os.path.realpath(file)
        if there in taken:
            shown = "standard output" if file == STANDARD_OUTPUT else file
            raise UsageError(f"--output-file: two reports would go to {shown}")
        taken.add(there)
        _check(file)
    return tuple(map(Output, formats, files))


def _check(file: str) -> None:
    """That a file can probably be written: before the work, not after it."""
    if file == STANDARD_OUTPUT:
        return
    if not file:  # an unset variable
        raise UsageError("--output-file: its value is empty")
    if os.path.isdir(file):
        raise UsageError(f"--output-file: {file} is a folder")
    if not os.path.isdir(os.path.dirname(os.path.realpath(file))):
        raise UsageError(f"--output-file: {file}: there is no such folder")


def wants_fixes(outputs: Iterable[Output]) -> bool:
    """Whether one of the formats shows what fixes would change."""
    return any(report.format_named(output.format).wants_fixes for output in outputs)


def wants_diagram(outputs: Iterable[Output]) -> bool:
    """Whether one of the formats shows the project as a picture."""
    return any(report.format_named(output.format).wants_diagram for output in outputs)


class Look(NamedTuple):
    """Colours and links in text: `auto`, `always` or `never`. A file has them only with `always`."""

    color: str = "auto"
    links: str = "auto"


def write(
    found: report.Reported,
    outputs: Iterable[Output],
    look: Look,
    about: Callable[[str], report.RuleAbout],
) -> None:
    """Write every report; the closing line goes to standard error unless a report on standard output ends with it.

    Raises `UsageError` for a file that cannot be written.
    """
    closed = False
    run = report.Run(name=_from_the_top(os.getcwd()), about=about)
    for output in outputs:
        made = report.format_named(output.format)
        if output.file != STANDARD_OUTPUT:
            shown = run._replace(colour=look.color == "always", link=_linker(look.links == "always"))
            _write_file(output.file, made.render(found, shown))
            continue
        closed = made.closes
        terminal = sys.stdout.isatty()
        colour, links = coloured(look.color, terminal), linked(look.links, terminal)
        shown = run._replace(colour=colour, width=_width(terminal), link=_linker(links))
        _write_out(made.render(found, shown), as_bytes=not made.for_people)
    if not closed:
        write_text([report.closing_line(found) + "\n"], sys.stderr)


def rendered(
    found: report.Reported, formats: Iterable[str], about: Callable[[str], report.RuleAbout]
) -> dict[str, bytes]:
    """Reports in these formats, as they stand in files when they are written from the working directory."""
    run = report.Run(name=_from_the_top(os.getcwd()), about=about)
    return {name: b"".join(map(_encoded, report.format_named(name).render(found, run))) for name in formats}


def coloured(color: str, terminal: bool, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether text gets colours: `color` is `auto`, `always` or `never`.

    With `auto`, `NO_COLOR` comes first (https://no-color.org: any text but the empty one), then `FORCE_COLOR` and
    `CLICOLOR_FORCE`, then whether it is a terminal that knows colours.
    """
    if color != "auto":
        return color == "always"
    if environment.get("NO_COLOR"):
        return False
    if any(environment.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return terminal and environment.get("TERM") != "dumb"


_TERMINALS_WITH_LINKS = frozenset({"ghostty", "Hyper", "iTerm.app", "rio", "Tabby", "vscode", "WezTerm"})
"""Values of TERM_PROGRAM. Other terminals set a variable of their own, or TERM."""


def linked(links: str, terminal: bool, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether text gets links (OSC 8): `links` is `auto`, `always` or `never`.

    With `auto`, `FORCE_HYPERLINK` comes first, then whether it is a terminal that is known to show them: some print
    what they do not know, and none can be asked.
    """
    if links != "auto":
        return links == "always"
    forced = environment.get("FORCE_HYPERLINK", "")
    if forced:
        return forced != "0"
    if not terminal or environment.get("TERM") == "dumb":
        return False
    vte = environment.get("VTE_VERSION", "")
    return (
        environment.get("TERM_PROGRAM") in _TERMINALS_WITH_LINKS
        or environment.get("TERM") in ("xterm-kitty", "xterm-ghostty", "alacritty", "foot")
        or any(environment.get(name) for name in ("WT_SESSION", "KONSOLE_VERSION", "DOMTERM"))
        or (vte.isdecimal() and int(vte) >= 5000)
    )


def _linker(wanted: bool) -> Callable[[str], str] | None:
    """The address of a file that a path names from the working directory; None where no links are wanted."""
    if not wanted:
        return None
    import socket
    from pathlib import Path
    from urllib.parse import quote

    cwd = Path.cwd()
    # With the name of the machine a terminal can tell that a file is not on its own disk.
    host = quote(socket.gethostname())
    return lambda path: f"file://{host}{(cwd / path).as_uri().removeprefix('file://')}"


def _width(terminal: bool) -> int:
    """The columns of the terminal; what no terminal shows has room enough."""
    if not terminal:
        return report.PLAIN.width
    import shutil

    return shutil.get_terminal_size().columns


def _from_the_top(cwd: str) -> Callable[[str], str]:
    """How a path that counts from the working directory is written from the top of the repository around it."""
    top = cwd
    while not os.path.lexists(os.path.join(top, ".git")):
        parent = os.path.dirname(top)
        if parent == top:
            return str
        top = parent
    prefix = os.path.relpath(cwd, top).replace(os.sep, "/")
    # On another drive than the repository a path is absolute, and stays so.
    return lambda path: path if os.path.isabs(path) else posixpath.normpath(posixpath.join(prefix, path))


# --- streams ---------------------------------------------------------------------------------------------------------


def write_text(pieces: Iterable[str], stream: TextIO) -> None:
    """Write; a reader that has gone away, as `head` does, is no error. Raises `UsageError` where there is no room."""
    with _reader_may_leave(stream):
        stream.writelines(pieces)
        stream.flush()


def write_bytes(pieces: Iterable[bytes], stream: TextIO) -> None:
    """Write bytes to a text stream that has such below it."""
    with _reader_may_leave(stream):
        stream.flush()
        for piece in pieces:
            stream.buffer.write(piece)
        stream.buffer.flush()


def _write_out(pieces: Iterable[str], *, as_bytes: bool) -> None:
    """Write to standard output. What programs read is UTF-8, whatever the locale."""
    if as_bytes and hasattr(sys.stdout, "buffer"):
        write_bytes(map(_encoded, pieces), sys.stdout)
    else:
        write_text(pieces, sys.stdout)


def _encoded(piece: str) -> bytes:
    return piece.encode("utf-8", "backslashreplace")


@contextlib.contextmanager
def _reader_may_leave(stream: TextIO) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # The interpreter flushes once more at exit; that must not fail.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        if error.errno not in _LEFT and stream is sys.stdout:
            raise UsageError(f"standard output cannot be written: {error.strerror or error}") from None


_LEFT = (errno.EPIPE, errno.EINVAL) if os.name == "nt" else (errno.EPIPE,)
"""What the system says of a pipe that nobody reads."""


# --- files -----------------------------------------------------------------------------------------------------------


def _write_file(file: str, pieces: Iterable[str]) -> None:
    """Put a whole report in place of a file; where that fails, the file is as it was. Links stay links."""
    data = map(_encoded, pieces)
    try:
        known = os.stat(file) if os.path.exists(file) else None
        if known is not None and (not stat.S_ISREG(known.st_mode) or os.path.abspath(file).startswith(_DEVICES)):
            with contextlib.suppress(BrokenPipeError), open(file, "ab") as device:
                device.writelines(data)
            return
        replace(os.path.realpath(file), data, None if known is None else stat.S_IMODE(known.st_mode))
    except OSError as error:
        raise UsageError(f"--output-file: {file} cannot be written: {error.strerror or error}") from None


_DEVICES = ("/dev/", "/proc/")
"""Folders whose entries are no files to be replaced, even where what is behind them (`/dev/stdout`) is one."""


def replace(target: str, pieces: Iterable[bytes], mode: int | None = None) -> None:
    """Put a whole file in place of what is there; where that fails, nothing has changed. Raises `OSError`."""
    temporary = f"{target}.{os.getpid()}.tmp"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with open(handle, "wb") as stream:
            stream.writelines(pieces)
        if mode is not None:
            os.chmod(temporary, mode)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
