"""The quick way through a file gives the very tree that the builder gives, and nothing where that has complaints.

The builder's tokens are compared with those of crossplane's lexer, of which this is a faster spelling.
"""

from __future__ import annotations

import importlib
import random
from pathlib import Path
from typing import Any

import pytest

from corslint import lint
from corslint.parsers import nginx, nginx_quick
from corslint.parsers.nginx_masks import mask
from corslint.source import SourceFile

_ROOT = Path(__file__).resolve().parents[2]
_FILES = sorted(path for path in (_ROOT / "fixtures").rglob("*.conf"))
_EXAMPLES = [
    (f"{rule.id}-{number}-{name}", text)
    for rule in lint.knowledge().rules
    for number, example in enumerate(rule.examples)
    for name, text in example.files.items()
    if name.endswith(".conf")
]


def both(text: bytes) -> tuple[object, object, int]:
    """The quick tree or None, the builder's tree, and how much it complains of."""
    source = SourceFile("x.conf", text)
    masked = mask(source, "file")
    quick = nginx_quick.build(source, masked.text, nginx._grammar())
    lexed = nginx._Lexed(source, masked, shell=False)
    tree = nginx._Tree(lexed).build()
    return quick, tree, len(lexed.damage)


def crossplanes(text: str) -> list[tuple[str, bool]] | None:
    """Words, quoted or not, as crossplane's lexer has them, without comments; None where it ends inside a quote."""
    lexer: Any = importlib.import_module("crossplane.lexer")
    try:
        found = [(token, quoted) for token, _, quoted in lexer._lex_file_object([text + "\n;\n"])]
    except Exception as problem:  # ngxparse says that a quote is open, crossplane just ends
        if type(problem).__name__ != "NgxParserSyntaxError":
            raise
        return None
    if not found or found[-1] != (";", False):
        return None
    return [(token, quoted) for token, quoted in found[:-1] if quoted or not token.startswith("#")]


def tokens_agree(text: bytes) -> bool:
    """Compares the tokens; whether they could be compared."""
    source = SourceFile("x.conf", text)
    masked = mask(source, "file")
    theirs = crossplanes(masked.text.decode("ascii"))
    lexed = nginx._Lexed(source, masked, shell=False)
    if theirs is None or lexed.damage or masked.text.endswith(b"\\"):
        return False
    assert len(lexed.tokens) == len(theirs), text
    for token, (word, quoted) in zip(lexed.tokens, theirs, strict=True):
        shown = masked.text[token.start : token.end].decode("ascii")
        if quoted:
            shown = shown[1:-1].replace("\\" + token.quote, token.quote)
        assert (shown, token.quote in ("'", '"')) == (word, quoted), text
    return True


def check(text: bytes) -> bool:
    """Compares the two; whether the quick way gave anything."""
    quick, tree, damage = both(text)
    if quick is None:
        return False
    assert quick == tree, text
    assert damage == 0 or mask(SourceFile("x.conf", text), "file").repetitions, text
    return True


def test_fixtures_and_examples() -> None:
    texts = [path.read_bytes() for path in _FILES] + [text.encode() for _, text in _EXAMPLES]
    assert sum(check(text) for text in texts) > 0.75 * len(texts), "most of them are ordinary files"


_PIECES = (
    "server", "location", "if", "map", "types", "upstream", "http", "add_header", "proxy_pass", "return", "set",
    "log_format",
    "~*", r"\.(js|css)$", r"a\ b", "'b c'", '"it\'s"', "'a\\'b'", '"unclosed', "$http_x", "$a", "=", '"b")', "(", ")",
    "($a", "b)", ";", ";", ";", "{", "{", "}", "}", " ", " ", "\n", "\n", "\t", "\r\n", "# comment\n", "#glued", "x#y",
    "a\"b", "é", "\\", "\\\n", "''", '""', "a=b", "[a-z]{2}", "${X}", "{{ x }}",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_any_text(seed: int) -> None:
    drawn = random.Random(seed)
    taken = compared = 0
    for _ in range(1500):
        pieces = [drawn.choice(_PIECES) for _ in range(drawn.randint(1, 12))]
        text = drawn.choice(("", " ", " ")).join(pieces).encode()
        taken += check(text)
        compared += tokens_agree(text)
    assert taken > 20
    assert compared > 200


@pytest.mark.parametrize("seed", range(4))
def test_files_with_one_slip(seed: int) -> None:
    """An ordinary file of which a few bytes are gone, doubled or others."""
    drawn = random.Random(seed)
    texts = [path.read_bytes() for path in _FILES]
    for _ in range(300):
        text = bytearray(drawn.choice(texts))
        at = drawn.randrange(len(text))
        slip = drawn.choice((b"", b";", b"{", b"}", b"\n", b'"', b"'", b"#", b"\\", b" "))
        text[at : at + drawn.randint(0, 2)] = slip
        check(bytes(text))
        tokens_agree(bytes(text))


def test_tokens_of_fixtures() -> None:
    assert sum(tokens_agree(path.read_bytes()) for path in _FILES) > 0.9 * len(_FILES)


def test_an_ordinary_file_is_read_the_quick_way() -> None:
    text = b'server {\n    location / {\n        if ($a = "b") {\n            return 204;\n        }\n    }\n}\n'
    assert check(text)


@pytest.mark.parametrize(
    "text",
    [
        b"server {\n    listen 80\n    server_name x;\n}\n",
        b"server {\n",
        b"}\n",
        b"if;\n",
        b"server { if $a { return 1; } }\n",
        b"add_header X {\n}\n",
        b"map $a $b {\n    x\n    y;\n}\n",
        b"a " + b"b" * 4001 + b";\n",
        b"#" + b"c" * 4001 + b"\n",
        b"a {" * 65 + b"}" * 65,
    ],
)
def test_what_is_out_of_the_ordinary(text: bytes) -> None:
    assert both(text)[0] is None
