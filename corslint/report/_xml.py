"""XML: what stands in an attribute or between tags."""

from __future__ import annotations

import html

from corslint.report import neutral

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def attributes(**values: object) -> str:
    """` key="value"` for each value, in the given order.

    XML has no way at all to write most control characters: they are shown as escapes.
    """
    return "".join(f' {key}="{html.escape(neutral(str(value)))}"' for key, value in values.items())


def text(*lines: str) -> str:
    """Lines of text, as they stand between two tags."""
    return "\n".join(html.escape(neutral(line), quote=False) for line in lines)
