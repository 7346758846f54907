"""What becomes of a finding in its file: which severity it has there, and whether it is shown."""

from __future__ import annotations

from collections.abc import Iterable

from corslint.model.finding import CONFIDENCES, Finding
from corslint.records import NamedTuple
from corslint.ruleset import RuleSet, Selection, UnknownRuleError, select
from corslint.settings import Pattern, Settings, any_matches


class NamedRuleError(UnknownRuleError):
    """A rule id that no loaded rule has, in the setting `key` of `settings`."""

    def __init__(self, error: UnknownRuleError, settings: Settings, key: str) -> None:
        super().__init__(error.rule, str(error))
        self.settings = settings
        self.key = key


class _Choice(NamedTuple):
    """What settings say about findings, with their names of rules looked up."""

    selection: Selection
    severity: dict[str, str]
    least: int
    silent: tuple[tuple[Pattern, frozenset[str]], ...]
    include_tests: bool


class Triage:
    """Sorts findings by the settings of the files that they stand in. Raises `NamedRuleError` at once."""

    def __init__(self, rules: RuleSet, settings: Settings) -> None:
        self._settings = settings
        self._choices: dict[str, _Choice] = {}
        for one in (settings, *(nested for _, nested in settings.nested)):
            self._choices[one.source] = _choice(rules, one.implied())

    def settled(self, finding: Finding) -> Finding:
        """The finding with the severity that it has in its file."""
        level = self._of(finding).severity.get(finding.rule)
        if level is None or finding.fenced:
            return finding
        return finding._replace(severity=level)

    def selects(self, finding: Finding) -> bool:
        """Whether the finding's rule is wanted in its file."""
        choice = self._of(finding)
        if not choice.selection.wants(finding):
            return False
        silent = [pattern for pattern, rules in choice.silent if finding.rule in rules]
        return not silent or not any_matches(silent, finding.primary.path)

    def is_sure_enough(self, finding: Finding) -> bool:
        """Whether the finding is as sure as is asked for in its file."""
        return CONFIDENCES.index(finding.confidence) <= self._of(finding).least

    def shows(self, finding: Finding) -> bool:
        """Whether a selected finding is no hidden note."""
        return self._of(finding).selection.shows(finding)

    def shows_tests(self, finding: Finding) -> bool:
        """Whether findings in test files are shown, if the finding's file is one."""
        return self._of(finding).include_tests

    def _of(self, finding: Finding) -> _Choice:
        return self._choices[self._settings.of(finding.primary.path).source]


def _choice(rules: RuleSet, settings: Settings) -> _Choice:
    def named(key: str, names: Iterable[str]) -> frozenset[str]:
        try:
            return rules.named(names)
        except UnknownRuleError as error:
            raise NamedRuleError(error, settings, key) from None

    named("select", settings.select)
    named("extend-select", settings.extend_select)
    named("ignore", settings.ignore)
    silent = tuple((pattern, named("per-file-ignores", names)) for pattern, names in settings.per_file_ignores)
    levels: dict[str, str] = {}
    for name, level in settings.severity:
        levels.update(dict.fromkeys(named("severity", [name]), level))
    selection = select(rules, settings.select, settings.ignore, settings.pedantic, settings.extend_select)
    return _Choice(selection, levels, CONFIDENCES.index(settings.min_confidence), silent, settings.include_tests)
