"""What hatchling runs when it builds a wheel: the built-in rules and descriptors are compiled into it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompiledKnowledge(BuildHookInterface):  # type: ignore[type-arg]  # its configuration is of no use here
    """Adds `corslint/knowledge.json`. An editable install compiles when it first runs."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile what lies in the source tree, and no other copy that may be installed."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from corslint import compiled

        self._folder = tempfile.TemporaryDirectory()
        file = Path(self._folder.name, compiled.SHIPPED)
        file.write_bytes(compiled.compiled())
        build_data["force_include"][str(file)] = f"corslint/{compiled.SHIPPED}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """The wheel is written."""
        if version != "editable":
            self._folder.cleanup()
