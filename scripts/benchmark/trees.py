"""Source trees of any size, the same ones for the same arguments: nothing in them comes from elsewhere."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable
from pathlib import Path

SOURCES = 7_000
"""Source files of the large tree, of 3.6 kB as in a large TypeScript repository, and beside them:"""
OTHERS = 8_000
_OTHER_SIZE = 13_000
"""Bytes of the other files: translations, fixtures, texts, pictures."""
SERVER_EVERY = 300
"""Of so many source files one is a server's."""
_FILES_PER_FOLDER = 40

_WORDS = (
    "account", "address", "amount", "batch", "billing", "bucket", "cart", "channel", "client", "collection",
    "context", "country", "currency", "customer", "discount", "draft", "entity", "event", "filter", "group",
    "handler", "index", "inventory", "invoice", "item", "job", "label", "level", "line", "locale", "location",
    "message", "metadata", "method", "module", "notification", "option", "order", "page", "payload", "payment",
    "price", "product", "profile", "promotion", "provider", "quantity", "query", "queue", "record", "refund",
    "region", "request", "response", "result", "return", "sales", "schema", "scope", "service", "session", "setting",
    "shipping", "state", "status", "stock", "store", "task", "tax", "template", "total", "type", "user", "value",
    "variant", "version", "widget", "workflow",
)  # fmt: skip


def _name(chance: random.Random) -> str:
    first, *rest = (chance.choice(_WORDS) for _ in range(chance.choice((1, 2, 2, 3))))
    return first + "".join(word.capitalize() for word in rest)


def _identifier(chance: random.Random) -> str:
    name = _name(chance)
    return f"{name}{chance.choice(('Id', 'List', 'Map', 'Input', 'Data'))}"


def typescript(chance: random.Random) -> str:
    """A module of a service, some 3.6 kB."""
    lines = [f'import {{ {_identifier(chance)} }} from "../{_name(chance)}"' for _ in range(chance.randint(1, 6))]
    lines += [f'import type {{ {_name(chance).capitalize()} }} from "@scope/{_name(chance)}"', ""]
    for _ in range(chance.randint(1, 9)):
        lines += _function(chance)
    return "\n".join([*lines, ""])


def _function(chance: random.Random) -> list[str]:
    given, made = _identifier(chance), _identifier(chance)
    parameters = f"{given}: Record<string, unknown>, limit = {chance.randint(1, 99)}"
    lines = [f"export const {_identifier(chance)} = async ({parameters}) => {{"]
    lines += [f"  const {made} = await this.{_name(chance)}Service.{_name(chance)}({given}, {{"]
    lines += [
        f"    {_name(chance)}: {chance.choice(('true', 'null', '[]', repr(_name(chance)), given))},"
        for _ in range(chance.randint(1, 6))
    ]
    lines += [
        "  })",
        f"  if (!{made}) {{",
        f"    throw new Error(`{_name(chance)} {_name(chance)}: ${{limit}}`)",
        "  }",
    ]
    lines += [
        f"  const {_identifier(chance)} = {made}.filter((one) => one.{_name(chance)} !== {given}.{_name(chance)})"
        for _ in range(chance.randint(0, 3))
    ]
    return [*lines, f"  return {made}.map((one) => ({{ ...one, {_name(chance)}: one.{_name(chance)} ?? 0 }}))", "}", ""]


def python(chance: random.Random) -> str:
    """A module of an application in Python."""
    lines = [f"from app.{_name(chance)} import {_identifier(chance)}", ""]
    for _ in range(chance.randint(1, 12)):
        given, made = _identifier(chance), _identifier(chance)
        lines += ["", f"def {_identifier(chance)}({given}: dict[str, object], limit: int = {chance.randint(1, 99)}):"]
        lines += [f"    {made} = {_name(chance)}.objects.filter({_name(chance)}={given}, {_name(chance)}=None)"]
        lines += [f"    if not {made}:", f'        raise ValueError(f"{_name(chance)}: {{limit}}")']
        lines += [f"    return [one for one in {made} if one.{_name(chance)} is not {given}]", ""]
    return "\n".join(lines)


def server(chance: random.Random, number: int) -> str:
    """The one in so many that is a server: some are right, some are wrong."""
    chosen = chance.choice(_SERVERS)
    return chosen.replace("PORT", str(3000 + number % 1000)) + "\n" + typescript(chance)


_EXPRESS = """import cors from "cors"
import express from "express"

const app = express()
app.use(cors(OPTIONS))
app.listen(PORT)
"""
_REFLECTS = _EXPRESS.replace("OPTIONS", "{ origin: true, credentials: true }")
_SERVERS = (
    _EXPRESS.replace("OPTIONS", '{ origin: "https://app.example.com", credentials: true }'),
    _REFLECTS,
    """import { Server } from "socket.io"

const io = new Server(PORT, { cors: { origin: "*", credentials: true } })
io.on("connection", (socket) => socket.emit("hello"))
""",
    """import { io } from "socket.io-client"

export const socket = io("http://localhost:PORT")
""",
)


def large(folder: Path, sources: int = SOURCES, others: int = OTHERS, *, seed: int = 1) -> Path:
    """A repository in TypeScript with a server here and there, committed."""

    def source(chance: random.Random, number: int) -> str:
        return server(chance, number) if number % SERVER_EVERY == 0 else typescript(chance)

    _write(folder, "src", sources, ".ts", source, seed)
    _write(folder, "data", others, ".txt", lambda chance, _: _text(chance), seed + 1)
    return _committed(folder)


def candidates(folder: Path, sources: int, *, seed: int = 2) -> Path:
    """The worst case: every file speaks of servers and origins, so that none can be passed over."""
    _write(folder, "src", sources, ".ts", server, seed)
    return _committed(folder)


def repositories(folder: Path, count: int, *, seed: int = 3) -> list[Path]:
    """Small repositories with a server, a page's script and some modules in each."""
    made = []
    for number in range(count):
        chance = random.Random(seed * 1_000_003 + number)
        place = folder / f"repository{number}"
        (place / "src").mkdir(parents=True)
        (place / "package.json").write_text('{"name": "app", "dependencies": {"express": "4.21.0", "cors": "2.8.5"}}\n')
        (place / "src" / "server.ts").write_text(server(chance, number))
        for module in range(10):
            (place / "src" / f"module{module}.ts").write_text(typescript(chance))
        made.append(place)
    return made


def findings(folder: Path, count: int) -> Path:
    """One server after the other that lets every site read answers with cookies: as many findings as files."""
    (folder / "src").mkdir(parents=True)
    for number in range(count):
        (folder / "src" / f"server{number}.ts").write_text(_REFLECTS.replace("PORT", str(3000 + number)))
    return folder


def _text(chance: random.Random) -> str:
    line = " ".join(chance.choices(_WORDS, k=200))
    return "\n".join([line] * (_OTHER_SIZE // len(line)))


def _write(
    folder: Path, name: str, count: int, ending: str, content: Callable[[random.Random, int], str], seed: int
) -> None:
    for number in range(count):
        place = folder / name / f"part{number // _FILES_PER_FOLDER}"
        place.mkdir(parents=True, exist_ok=True)
        chance = random.Random(seed * 1_000_003 + number)
        (place / f"file{number}{ending}").write_text(content(chance, number), encoding="utf-8")


def _committed(folder: Path) -> Path:
    git = ["git", "-c", "user.name=benchmark", "-c", "user.email=benchmark@example.com", "-C", str(folder)]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "add", "--all"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", "A tree", "--no-gpg-sign"], check=True)
    return folder
