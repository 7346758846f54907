"""Lays down a new rule or library descriptor, with its examples to fill in.

    python scripts/lay_down.py rule websocket-only-client
    python scripts/lay_down.py library flask-cors --language python
    python scripts/lay_down.py library hono-cors --package hono

`make new-rule NAME=...` and `make new-library NAME=... [LANGUAGE=python] [PACKAGE=...]` do the same. The file can be
loaded as it is, so `corslint facts` and single tests work from the start; `tests/test_laid_down.py` fails, line by
line, until nothing of it says FILL IN any more. Nothing is ever overwritten.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RULES = Path("rules")
LIBRARIES = Path("corslint/frameworks")

FILL_IN = "FILL IN"

_RULE_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_LIBRARY_NAME = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")
_PACKAGE_NAME = re.compile(r"(?:@[a-z0-9][a-z0-9._-]*/)?[A-Za-z0-9][A-Za-z0-9._-]*")
_LEFT = re.compile(rf"{FILL_IN}:? ?(?P<what>.*?)[\"']?\s*$")

_RULE = """\
# docs/rules.md says how a rule is written, docs/reference.md what it may ask for.
id: {name}
title: "FILL IN: the fault in a few words, as `corslint rule` lists it"
explanation: "FILL IN: why a browser refuses it, or what an attacker gains; two or three sentences"
severity: error # FILL IN: keep `error`, or say `warning` or `note`
effect: broken # FILL IN: keep `broken`, or say `exploitable`, `degraded` or `policy`
match:
  # FILL IN: the facts of the fault and how they belong together; `corslint facts FOLDER` shows what is read
  - {{name: policy, fact: cors_policy, where: {{effect.to_stranger: star}}}}
report:
  at: policy.origin # FILL IN: the place where one mends it
  message: "FILL IN: what is wrong, in one breath; fields stand in braces: {{policy.framework}}"
  help: "FILL IN: what to do about it, in one breath"
# FILL IN: the project that proves it on real servers (CONTRIBUTING.md, The lab), or drop this line and the next
# proof: {name}
references:
  - "FILL IN: where the claim comes from: a standard, the library's source, an issue"
examples:
  - name: "FILL IN: what is faulty here"
    files:
      server.js: |
        // FILL IN: the smallest program with the fault, and marks around the places: ⟦origin: '*'⟧
        const cors = require('cors');
        require('express')().use(cors(⟦⟧));
  - name: "FILL IN: the near miss, in which one condition alone fails; write one for each condition"
    clean: true
    files:
      server.js: |
        // FILL IN: the same program with that one thing different
        const cors = require('cors');
        require('express')().use(cors({{ origin: 'https://app.example.com' }}));
"""

_LIBRARY = """\
# docs/descriptors.md says what may stand here. Each claim has to come from the library itself: fixtures/oracle/.
id: {name}
title: "FILL IN: how messages call the library"
language: {language}
package: {{ecosystem: {ecosystem}, name: "{package}"}}
# FILL IN: keep it, or drop it where each file that uses the library says cors, socket, origin or access-control anyway
words: ["{word}"]
notes: "FILL IN: which version was looked at, and whether it was recorded or its source was read"
calls:
  - callee: "{callee}" # FILL IN: the name or names of its API
    options: {options} # FILL IN: where its options stand
    emits:
      - fact: cors_policy
        fields:
          layer: http # FILL IN: keep `http`, or say `socket`
          instance: {{call: true}}
          # FILL IN: where each of these comes from, and what the library does without it
          origin: {{key: origin, default: none}}
          credentials: {{key: credentials, default: false}}
        policy:
          sources: [origin]
          origin:
            # FILL IN: what each kind of value means, as the library compares it; what is left out is not known
            meanings: [["*", star]]
            string: exact
            otherwise: unknown
          credentials: truthy # FILL IN: which values switch credentials on
        options:
          # FILL IN: all names that it reads, and what it does with one that it does not know
          - names: [origin, credentials]
examples:
  - name: "FILL IN: without options"
    code: |
{bare}
    facts:
      # FILL IN: every field that has to come of it
      - {{kind: cors_policy, effect.to_stranger: nothing}}
  - name: "FILL IN: each kind of value, and the near misses: what is not this library, or does not count"
    code: |
{given}
    facts:
      - {{kind: cors_policy, effect.to_stranger: star, effect.credentials: "yes"}}
      # FILL IN: what comes of each
"""

_CODE = {
    "javascript": ("const cors = require('{package}');\ncors();", "cors({{ origin: '*', credentials: true }});"),
    "python": ("from {module} import CORS\nCORS()", 'CORS(origin="*", credentials=True)'),
}


class RefusedError(Exception):
    """Why nothing was laid down."""


def rule(name: str, root: Path = ROOT) -> Path:
    """Lay down a rule; the file's path below `root`."""
    if not _RULE_NAME.fullmatch(name):
        raise RefusedError(f"{name!r} is no name for a rule: words in lower case with hyphens, like `origin-glob`")
    return _laid(root, RULES / f"{name}.yaml", _RULE.format(name=name))


def library(name: str, language: str = "javascript", package: str | None = None, root: Path = ROOT) -> Path:
    """Lay down a descriptor; the file's path below `root`. `package` is the registry's name, where it is another."""
    if not _LIBRARY_NAME.fullmatch(name):
        raise RefusedError(f"{name!r} is no name for a library: lower case with hyphens or dots, like `koa-cors`")
    package = package or name
    if not _PACKAGE_NAME.fullmatch(package):
        raise RefusedError(f"{package!r} is no name of a package")
    module = re.sub(r"[^a-z0-9]", "_", package.lower())
    bare, given = (code.format(package=package, module=module) for code in _CODE[language])
    text = _LIBRARY.format(
        name=name,
        language=language,
        ecosystem="npm" if language == "javascript" else "pypi",
        package=package,
        word=(package if language == "javascript" else module).lower(),
        callee=f"{package}#default" if language == "javascript" else f"{module}#CORS",
        options="0" if language == "javascript" else "keywords",
        bare=_indented(bare),
        given=_indented(bare.partition("\n")[0] + "\n" + given),
    )
    return _laid(root, LIBRARIES / f"{name}.yaml", text)


def left(text: str) -> list[tuple[int, str]]:
    """What a file still has to be given: lines, from 1, and in words."""
    return [
        (number, found["what"])
        for number, line in enumerate(text.splitlines(), 1)
        if (found := _LEFT.search(line)) is not None
    ]


def _indented(code: str) -> str:
    return "\n".join(f"      {line}" for line in code.splitlines())


def _laid(root: Path, path: Path, text: str) -> Path:
    try:
        with (root / path).open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise RefusedError(f"{path.as_posix()} is there already; nothing was written") from None
    return path


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Lay down a new rule or library descriptor.")
    parser.add_argument("kind", choices=("rule", "library"))
    parser.add_argument("name")
    parser.add_argument("--language", choices=tuple(_CODE), default="javascript", help="of a library")
    parser.add_argument("--package", help="the registry's name of a library, where that is not NAME")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    try:
        if given.kind == "rule":
            path = rule(given.name, given.root)
        else:
            path = library(given.name, given.language, given.package, given.root)
    except RefusedError as error:
        print(f"lay_down: {error}", file=sys.stderr)
        return 2
    count = len(left((given.root / path).read_text(encoding="utf-8")))
    print(f"{path.as_posix()}: {count} lines say FILL IN; tests/test_laid_down.py fails until none does")
    return 0


if __name__ == "__main__":
    sys.exit(main())
