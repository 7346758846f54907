"""Where the data files lie: the only code that knows.

In a wheel, rules lie inside the package. In a checkout and in an editable install of one they lie at the top of the
repository, where people look for them; the build backend cannot map a folder into the package there.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def rules_folder() -> Path:
    """The folder of the built-in rules (`*.yaml`)."""
    packaged = _PACKAGE / "rules"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "rules"


def frameworks_folder() -> Path:
    """The folder of the built-in framework descriptors (`*.yaml`)."""
    return _PACKAGE / "frameworks"


def schema_file(name: str) -> Path:
    """A shipped JSON Schema: `schema_file("facts")`."""
    return _PACKAGE / "schemas" / f"{name}.schema.json"


def messages_file() -> Path:
    """What browsers, clients and servers say (`corslint explain`)."""
    return _PACKAGE / "explain" / "messages.yaml"
