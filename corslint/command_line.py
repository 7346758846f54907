"""Options of the command line that say what is checked and what counts, and the settings that come of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from corslint import cache, discovery, report, result
from corslint import settings as settings_
from corslint.cache import Cache
from corslint.settings import Expectation, Pattern, Settings, UsageError

if TYPE_CHECKING:
    from corslint.triage import NamedRuleError

_F = TypeVar("_F", bound=Callable[..., Any])


def rule_ids(_context: click.Context, option: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    """Ids separated by commas. A value without any is a mistake, such as a variable that is not set: all would run."""
    named = []
    for value in values:
        ids = [part.strip() for part in value.split(",") if part.strip()]
        if not ids:
            raise click.UsageError(f"{option.opts[0]} names no rule: its value is empty")
        named += ids
    return tuple(named)


def is_about_rules(error: BaseException) -> bool:
    """Whether it is a mistake in a rule file, or an unknown rule id. (Loaded late: most runs end without an error.)"""
    from corslint.ruleset import UnknownRuleError
    from corslint.yamlfile import YamlError

    return isinstance(error, YamlError | UnknownRuleError)


def _pattern_and_rules(
    context: click.Context, option: click.Parameter, values: Sequence[str]
) -> tuple[tuple[Pattern, tuple[str, ...]], ...]:
    """`PATTERN:RULES`, as often as given."""
    read = []
    for value in values:
        pattern, colon, rules = value.rpartition(":")
        if not colon or not pattern.strip():
            raise click.UsageError(
                f"{option.opts[0]} takes a pattern, a colon and rules, like 'legacy/**:wildcard-origin'"
            )
        read.append((Pattern(".", pattern), rule_ids(context, option, [rules])))
    return tuple(read)


def _rule_and_level(
    _context: click.Context, option: click.Parameter, values: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    """`RULE=SEVERITY`, as often as given."""
    read = []
    for value in values:
        rule, equals, level = value.partition("=")
        if not equals or not rule.strip() or level.strip() not in settings_.LEVELS:
            raise click.UsageError(
                f"{option.opts[0]} takes a rule and its severity ({', '.join(settings_.LEVELS)}), like"
                f" 'wildcard-origin=error', not {value!r}"
            )
        read.append((rule.strip(), level.strip()))
    return tuple(read)


def complete_rule(_context: click.Context, _option: click.Parameter, begun: str) -> list[str]:
    """The built-in rules whose ids begin like that, for a shell."""
    from corslint import resources

    return sorted(path.stem for path in resources.rules_folder().glob("*.yaml") if path.stem.startswith(begun))


def complete_rules(context: click.Context, option: click.Parameter, begun: str) -> list[str]:
    """The same for a list with commas: the last of it is completed."""
    before, comma, last = begun.rpartition(",")
    return [f"{before}{comma}{rule}" for rule in complete_rule(context, option, last)]


PATHS = click.argument("paths", nargs=-1, type=click.Path())

SETTINGS = (
    click.option(
        "--config", multiple=True, metavar="FILE|KEY=VALUE", help="This settings file, or one setting in TOML."
    ),
    click.option("--isolated", "--no-config", is_flag=True, help="Look for no settings file."),
    click.option("--exclude", multiple=True, metavar="PATTERN", help="Do not read these files and folders, either."),
)  # fmt: skip
SOURCES = (
    *SETTINGS,
    click.option("--force-exclude", is_flag=True, help="Files that are named count like those found in a folder."),
    click.option(
        "--cache-dir", metavar="FOLDER", envvar="CORSLINT_CACHE_DIR", show_envvar=True,
        help="Where readings of files are kept.  [default: .corslint_cache]",
    ),
    click.option(
        "-n", "--no-cache", is_flag=True, envvar="CORSLINT_NO_CACHE", show_envvar=True, help="Keep no readings."
    ),
)  # fmt: skip
JOBS = (
    click.option(
        "-j", "--jobs", type=click.IntRange(1), metavar="N",
        help="How many processes read files.  [default: as many as pay]",
    ),
)  # fmt: skip
CHANGES = (
    click.option("--changed", is_flag=True, help="Only files that differ from the last commit, and new ones."),
    click.option("--since", metavar="REV", help="Only files changed since the branch left this commit, branch or tag."),
    click.option("--stdin-filename", metavar="FILE", help="With the path `-`: what standard input stands in for."),
)
CHOICES = (
    click.option(
        "--select", multiple=True, callback=rule_ids, shell_complete=complete_rules, metavar="RULES",
        help="Only these rules.",
    ),
    click.option(
        "--extend-select", multiple=True, callback=rule_ids, shell_complete=complete_rules, metavar="RULES",
        help="These rules, too.",
    ),
    click.option(
        "--ignore", multiple=True, callback=rule_ids, shell_complete=complete_rules, metavar="RULES",
        help="All but these rules.",
    ),
    click.option(
        "--per-file-ignores", multiple=True, callback=_pattern_and_rules, metavar="PATTERN:RULES",
        help="Without these rules in files that match.",
    ),
    click.option("--severity", multiple=True, callback=_rule_and_level, metavar="RULE=SEVERITY", help="Of one rule."),
    click.option("--min-confidence", type=click.Choice(settings_.CONFIDENCES), help="Only findings at least as sure."),
    click.option("--pedantic", is_flag=True, help="Show notes; implied by --fail-on note and by --select."),
    click.option("--include-tests", is_flag=True, help="Show findings in test files."),
    click.option("--markdown", is_flag=True, help="Also check the nginx configurations in Markdown files."),
    click.option(
        "--fail-on", type=click.Choice(settings_.FAIL_ON),
        help="The least severity that makes the exit status 1.  [default: warning]",
    ),
    click.option("--exit-zero", is_flag=True, help="The exit status is 0 whatever is found."),
    click.option("--max-warnings", type=click.IntRange(0), help="Exit status 1 only for errors, or more warnings."),
)  # fmt: skip


IGNORES = (
    click.option("--add-ignores", is_flag=True, help="Write a comment for each finding that takes it back."),
    click.option("--reason", default="", metavar="TEXT", help="With --add-ignores: what the comments give as reason."),
)


BASELINE = (
    click.option("--baseline", metavar="FILE", help="Show only findings that this baseline does not have."),
    click.option("--write-baseline", metavar="FILE", help="Write all findings into a baseline."),
    click.option("--prune-baseline", is_flag=True, help="With --baseline: drop its findings that are gone."),
    click.option(
        "--fail-on-stale", is_flag=True, help="With --baseline: exit status 1 if one of its findings is gone."
    ),
)


def options(*groups: Sequence[Callable[[_F], _F]]) -> Callable[[_F], _F]:
    """Adds options to a command, in the order in which they are written here."""

    def add(command: _F) -> _F:
        for option in reversed([option for group in groups for option in group]):
            command = option(command)
        return command

    return add


def contexts(paths: Sequence[str], cwd: str, given: Mapping[str, Any]) -> list[tuple[discovery.Context, Settings]]:
    """What is checked, and the settings of each context; what they exclude is not in it."""
    return _prepared(_discovered(paths or (".",), cwd, given), paths, cwd, given)


def stdin_context(
    paths: Sequence[str], cwd: str, given: Mapping[str, Any]
) -> tuple[list[tuple[discovery.Context, Settings]], dict[str, bytes]] | None:
    """The same for `-` and `--stdin-filename`, and what standard input holds; None where that is not asked for.

    Raises `click.UsageError` where one comes without the other, or with what goes with files only.
    """
    name = given["stdin_filename"]
    if "-" not in paths:
        if name is not None:
            raise click.UsageError("--stdin-filename goes with the path `-`, which stands for standard input")
        return None
    if len(paths) > 1:
        raise click.UsageError("`-` stands for standard input and goes alone (a file of that name is `./-`)")
    if not name:
        raise click.UsageError("`-` needs --stdin-filename FILE: the name says the language and the project")
    for option in ("changed", "since", "fix", "add_ignores", "write_baseline"):
        if given[option]:
            hint = "; --diff shows what it would change" if option == "fix" else ""
            raise click.UsageError(f"--{option.replace('_', '-')} does not go with standard input{hint}")
    if sys.stdin is None:
        raise settings_.UsageError("standard input is closed")
    data = sys.stdin.buffer.read(discovery.MANIFEST_SIZE_LIMIT + 1)

    remember = _remembering(cwd, given)

    def discovered(*, as_found: bool) -> list[discovery.Context]:
        return [discovery.standing_in(name, data, cwd, as_found=as_found, remember=remember)]

    checked = _prepared(discovered, (name,), cwd, given)
    return checked, {path: data for context, _ in checked for path in context.lint}


def _discovered(paths: Sequence[str], cwd: str, given: Mapping[str, Any]) -> _Discover:
    """What finds the contexts; with `--changed` or `--since` these are asked only for what changed."""
    revision = given.get("since") if given.get("since") is not None else ("HEAD" if given.get("changed") else None)
    if given.get("changed") and given.get("since") is not None:
        raise click.UsageError("--changed is `--since HEAD`: only one of them can count")
    remember = _remembering(cwd, given)
    if revision is None:
        return lambda *, as_found: discovery.contexts(
            paths, cwd, as_found=as_found, remember=remember, meanwhile=_load_linter
        )
    from corslint import changes

    around = discovery.contexts(paths, cwd, as_found=True, remember=remember)
    found = [changes.only_changed(one, revision, cwd) for one in around]
    return lambda *, as_found: found  # noqa: ARG005


def _load_linter() -> None:
    """Import what checks files. It takes about as long as git to look through a large work tree."""
    from corslint import lint  # noqa: F401


_WORTH_KEEPING = 50
"""Files. What fewer files hold is read as fast as it is found, and many small folders need no cache."""


def _remembering(cwd: str, given: Mapping[str, Any]) -> discovery.Remember:
    """What gives the caches of folders, as the command line and the settings there ask for it."""
    known: dict[str, Cache] = {}
    named = given.get("cache_dir")

    def remember(root: str, files: int) -> Cache:
        if given.get("no_cache") or not cache.can_be_kept():
            return Cache()
        if root not in known:
            taken = settings_.sources(given["config"], given["isolated"])
            own = "" if named else settings_.load(root, cwd, taken).cache_dir
            if not named and not own and files < _WORTH_KEEPING:
                return Cache()
            known[root] = Cache(_place(root, cwd, named, own))
        return known[root]

    return remember


def _place(root: str, cwd: str, named: str | None, own: str) -> cache.Place:
    """Where a cache lies. The folder that a user names may be a link; in the project none is followed."""
    from corslint import __version__, compiled

    name = cache.digest(f"{compiled.identity()}\0{root}\0{cwd}".encode("utf-8", "surrogateescape"))
    if named:
        base, folder = os.path.split(os.path.realpath(os.path.join(cwd, named)))
        return cache.Place(base, (folder, __version__), name)
    folders = os.path.relpath(os.path.join(cwd, own), root).split(os.sep) if own else [cache.FOLDER]
    return cache.Place(root, (*folders, __version__), name)


def _prepared(
    discovered: _Discover, named: Sequence[str], cwd: str, given: Mapping[str, Any]
) -> list[tuple[discovery.Context, Settings]]:
    """The contexts with their settings; those where `force-exclude` counts, as if nothing in them had been named."""
    taken = settings_.sources(given["config"], given["isolated"])
    forced = given.get("force_exclude", False)
    found = []
    for number, context in enumerate(discovered(as_found=forced)):
        around = (*context.files, *context.unreadable)
        loaded = settings_.load_tree(context.settings_at, context.root, around, cwd, taken)
        settings = with_options(loaded, given)
        if settings.force_exclude and not context.as_found:
            context = discovered(as_found=True)[number]
        still = () if settings.force_exclude else named
        found.append((discovery.without_excluded(context, settings.excludes, still, cwd), settings))
    return found


class _Discover(Protocol):
    def __call__(self, *, as_found: bool) -> list[discovery.Context]: ...


def with_options(settings: Settings, given: Mapping[str, Any]) -> Settings:
    """The settings with what the command line says in their place."""
    if given.get("select"):
        # Asking for a rule by name beats a file that ignores it.
        settings = settings._replace(select=given["select"], extend_select=(), ignore=())
    further = given.get("extend_select", ())
    return settings._replace(
        extend_select=(*settings.extend_select, *further),
        ignore=(*(name for name in settings.ignore if name not in further), *given.get("ignore", ())),
        per_file_ignores=(*settings.per_file_ignores, *given.get("per_file_ignores", ())),
        severity=(*settings.severity, *given.get("severity", ())),
        min_confidence=given.get("min_confidence") or settings.min_confidence,
        exclude=(*settings.exclude, *(Pattern(".", text) for text in given.get("exclude", ()))),
        force_exclude=settings.force_exclude or given.get("force_exclude", False),
        fail_on=given.get("fail_on") or settings.fail_on,
        pedantic=settings.pedantic or given.get("pedantic", False),
        include_tests=settings.include_tests or given.get("include_tests", False),
        markdown=settings.markdown or given.get("markdown", False),
        nested=tuple((folder, with_options(nested, given)) for folder, nested in settings.nested),
    ).implied()


# --- what would be done ----------------------------------------------------------------------------------------------

SHOWS = (
    click.option("--show-settings", is_flag=True, help="Print the settings that count, and check nothing."),
    click.option("--show-files", is_flag=True, help="Print the files that would be checked, and check nothing."),
    click.option("--statistics", is_flag=True, help="Print how many findings each rule has, in place of the findings."),
)


def shown(checked: Sequence[tuple[discovery.Context, Settings]], given: Mapping[str, Any]) -> str | None:
    """What `--show-settings` or `--show-files` prints; None where neither is given."""
    if given["show_files"]:
        paths = sorted({path for one in checked for path in result.wanted(*one).lint})
        return "".join(f"{report.shown_path(path)}\n" for path in paths)
    if not given["show_settings"]:
        return None
    parts = []
    for context, settings in checked:
        for folder, one in (("", settings), *settings.nested):
            parts.append(_written(f"{context.root}: {folder}" if folder else context.root, one))
    return "\n".join(parts)


def _written(what: str, settings: Settings) -> str:
    """Settings as a settings file would say them; every key that is not at its default, with the others as comments."""
    lines = [f"# {what}: settings from {settings.source or 'no file'}"]
    lines += [f"# which extends {source}" for source in settings.extended]
    values = _values(settings)
    defaults = _values(Settings())
    lines += [f"{'' if value != defaults.get(key) else '# '}{key} = {value}" for key, value in values.items()]
    return "".join(f"{report.neutral(line)}\n" for line in lines)


def _values(settings: Settings) -> dict[str, str]:
    version = settings.nginx_version
    return {
        "select": _list(settings.select),
        "extend-select": _list(settings.extend_select),
        "ignore": _list(settings.ignore),
        "per-file-ignores": _table((_pattern(one), _list(rules)) for one, rules in settings.per_file_ignores),
        "severity": _table((rule, _quoted(level)) for rule, level in dict(settings.severity).items()),
        "min-confidence": _quoted(settings.min_confidence),
        "exclude": _list(map(_pattern, settings.exclude)),
        "force-exclude": str(settings.force_exclude).lower(),
        "rules": _list(settings.rules),
        **({"nginx-version": _quoted(".".join(map(str, version)))} if version else {}),
        "nginx-paths": _table((target, _quoted(folder)) for target, folder in settings.nginx_paths),
        "markdown": str(settings.markdown).lower(),
        "frontends": _list(settings.frontends),
        "expect": _expected(settings.expect),
        "include-tests": str(settings.include_tests).lower(),
        "fail-on": _quoted(settings.fail_on),
        "pedantic": str(settings.pedantic).lower(),
        **({"cache-dir": _quoted(settings.cache_dir)} if settings.cache_dir else {}),
    }


def _quoted(text: str) -> str:
    """A TOML string."""
    import json

    return json.dumps(text, ensure_ascii=False)  # every JSON string is a TOML string


def _list(texts: Iterable[str]) -> str:
    return f"[{', '.join(map(_quoted, texts))}]"


def _expected(expectations: Iterable[Expectation]) -> str:
    """Expectations as a list of tables."""
    tables = []
    for one in expectations:
        parts = {"from": _quoted(one.origin), "to": _quoted(one.url), "verdict": _quoted(one.verdict)}
        parts |= {"credentials": "true"} if one.credentials else {}
        parts |= {"method": _quoted(one.method)} if one.method != "GET" else {}
        parts |= {"headers": _list(one.headers)} if one.headers else {}
        tables.append(f"{{ {', '.join(f'{key} = {value}' for key, value in parts.items())} }}")
    return f"[{', '.join(tables)}]"


def _table(entries: Iterable[tuple[str, str]]) -> str:
    found: dict[str, str] = {}
    for key, value in entries:
        found[key] = value if key not in found else f"{found[key][:-1]}, {value[1:]}"
    return f"{{ {', '.join(f'{_quoted(key)} = {value}' for key, value in found.items())} }}" if found else "{}"


def _pattern(pattern: Pattern) -> str:
    """A pattern, as it counts from the working directory."""
    if pattern.folder == ".":
        return pattern.text
    sign, text = ("!", pattern.text[1:]) if pattern.text.startswith("!") else ("", pattern.text)
    anchored = "/" in text.rstrip("/")
    return f"{sign}{pattern.folder}/{text.lstrip('/') if anchored else f'**/{text}'}"


def fails(counts: Mapping[str, int], reached: bool, options: Mapping[str, Any]) -> bool:
    """Whether the exit status is 1; `reached`: a finding is as severe as the settings of its file ask for."""
    if options["exit_zero"]:
        return False
    if options["max_warnings"] is None:
        return reached
    return counts["error"] > 0 or counts["warning"] > options["max_warnings"]


def misnamed(error: NamedRuleError, cwd: str, options: Mapping[str, Any]) -> UsageError:
    """Says where a rule is named that does not exist: in an option, or in settings."""
    given = options.get(error.key.replace("-", "_"), ())
    if error.rule in given or any(error.rule in pair or error.rule in pair[1] for pair in given):
        return UsageError(f"--{error.key}: {error}")
    place = settings_.place(error.settings, cwd, error.key, error.rule) or "--config"
    return UsageError(f"{place}: `{error.key}`: {error}")
