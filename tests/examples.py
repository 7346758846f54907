"""Runs the examples that rules and descriptors carry, as `corslint rule --test` does. Used by the mutation run, too."""

from corslint.examples import context_of, findings_of, settings_of, trouble, unmarked

__all__ = ["context_of", "findings_of", "settings_of", "trouble", "unmarked"]
