"""Where the data files lie: the only code that knows.

In a wheel, rules lie inside the package. In a checkout and in an editable install of one they lie at the top of the
repository, where people look for them; the build backend cannot map a folder into the package there.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = os.path.dirname(os.path.realpath(__file__))
"""The package's folder."""


def rules_folder() -> Path:
    """The folder of the built-in rules (`*.yaml`)."""
    return _path(RULES)


def frameworks_folder() -> Path:
    """The folder of the built-in framework descriptors (`*.yaml`)."""
    return _path(FRAMEWORKS)


def schema_file(name: str) -> Path:
    """A shipped JSON Schema: `schema_file("facts")`."""
    return _path(PACKAGE) / "schemas" / f"{name}.schema.json"


def messages_file() -> Path:
    """What browsers, clients and servers say (`corslint explain`)."""
    return _path(PACKAGE) / "explain" / "messages.yaml"


def _path(text: str) -> Path:
    from pathlib import Path  # here only: it takes 3 ms, and a run that finds its rules compiled needs none

    return Path(text)


def _rules() -> str:
    packaged = os.path.join(PACKAGE, "rules")
    return packaged if os.path.isdir(packaged) else os.path.join(os.path.dirname(PACKAGE), "rules")


RULES, FRAMEWORKS = _rules(), os.path.join(PACKAGE, "frameworks")
"""The folders of the built-in rules and framework descriptors."""
