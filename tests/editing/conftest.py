from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from corslint.editing import Code, Order, apply_changes
from corslint.fixes import editor
from corslint.source import SourceFile, Span

_OPEN, _CLOSE = "⟦".encode(), "⟧".encode()


def _edited(path: str, text: str, verb: str, new: Any = None, **keys: Any) -> str | None:
    """The text after an edit of the place between ⟦ and ⟧; None where the edit was given up."""
    data = text.encode()
    start = data.index(_OPEN)
    end = data.index(_CLOSE) - len(_OPEN)
    data = data.replace(_OPEN, b"").replace(_CLOSE, b"")
    change = editor(path)
    assert change is not None
    changes = change(SourceFile(path, data), Order(verb, Span(path, start, end), new, **keys))
    return None if changes is None else apply_changes(data, changes).decode()


@pytest.fixture
def edited() -> Callable[..., str | None]:
    return _edited


@pytest.fixture
def code() -> type[Code]:
    return Code
