"""Regular expressions of modules, compiled when they are first used: a run needs few of those that are imported."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, AnyStr

if TYPE_CHECKING:

    def regex(source: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
        """As `re.compile`."""

    REGEX: tuple[type, ...]
    """The types of compiled expressions, and of those that are not compiled yet."""

else:

    class _Regex:
        """Stands for a compiled expression; each of its methods is looked up there once."""

        def __init__(self, source: str | bytes, flags: int = 0) -> None:
            self._written = source, flags
            self.pattern = source

        def __getattr__(self, name: str) -> Any:
            found = getattr(re.compile(*self._written), name)
            setattr(self, name, found)
            return found

    regex = _Regex
    REGEX = re.Pattern, _Regex
