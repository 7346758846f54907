"""Text and numbers as JavaScript writes them, and as they are (ECMA-262, sections 12.9.3 and 12.9.4)."""

from __future__ import annotations

import re
from math import isfinite

from corslint.regexes import regex

_ESCAPE = regex(
    r"\\(?:u\{([0-9a-fA-F]{1,8})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([0-3]?[0-7]{1,2})|(\r\n|.))", re.DOTALL
)
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}
_CONTINUATIONS = frozenset({"\n", "\r", "\r\n", "\u2028", "\u2029"})
_SURROGATES = regex("[\ud800-\udfff]")
_INTEGER = regex(r"[0-9]+")
_RADIX = {"x": 16, "o": 8, "b": 2}


def unescaped(text: str) -> str:
    """The text that the inside of a string or template literal stands for.

    An escape that ECMA-262 forbids keeps its characters without the backslash; half a surrogate pair becomes U+FFFD,
    as no UTF-8 output could hold it.
    """
    if "\\" not in text:
        return text
    decoded = _ESCAPE.sub(_character, text)
    if _SURROGATES.search(decoded):
        decoded = decoded.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return decoded


def _character(found: re.Match[str]) -> str:
    braced, unicode, hexadecimal, octal, other = found.groups()
    if other is not None:
        return "" if other in _CONTINUATIONS else _PLAIN.get(other, other)
    if octal is not None:
        return chr(int(octal, 8))
    number = int(braced or unicode or hexadecimal, 16)
    return chr(number) if number <= 0x10FFFF else "\ufffd"


def number(text: str) -> int | float | None:
    """The number a numeric literal stands for, or None if it is none. `10n` is the integer 10."""
    text = text.replace("_", "")
    if len(text) > 400:
        return None  # Beyond any number's range, and int() refuses more than 4300 digits.
    text = text.removesuffix("n")
    try:
        radix = _RADIX.get(text[1:2].lower()) if text.startswith("0") else None
        if radix is not None:
            return int(text[2:], radix)
        if _INTEGER.fullmatch(text):
            legacy_octal = len(text) > 1 and text[0] == "0" and not set(text) & {"8", "9"}
            return int(text, 8 if legacy_octal else 10)
        found = float(text)
    except ValueError:
        return None
    return found if isfinite(found) else None


def number_key(value: int | float) -> str:
    """The property key that a number is as a key: `{1.0: x}` has the key `1`."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return str(value)
