"""The command line: options, settings, `lint()`, report, exit status. Nothing is decided here.

Exit status 0: nothing at or above the threshold; 1: findings; 2: a usage error or a failure.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import click

import corslint
from corslint import command_line, outputs, progress, report, result
from corslint.settings import Settings, UsageError

if TYPE_CHECKING:
    from corslint import discovery
    from corslint.baseline import Baseline, Tellable
    from corslint.model.finding import Finding
    from corslint.result import Report

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run corslint and exit."""
    # Readings are millions of small tuples without cycles: the collector halves the speed and frees nothing (measured).
    gc.disable()
    status = run(arguments)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):  # a pipe that nobody reads any more
        sys.exit(status)
    os._exit(status)  # to take all of it apart, piece by piece, costs a tenth of the time


def run(arguments: Sequence[str] | None = None) -> int:
    """Run corslint. The exit status."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed, as by `>&-`
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        status: object = command.main(args=arguments, prog_name="corslint", standalone_mode=False)
        return status if isinstance(status, int) else 0
    except click.UsageError as error:
        if error.ctx is not None:
            _write(error.ctx.get_usage() + "\n", sys.stderr)
        return _fail(error.format_message())
    except click.ClickException as error:
        return _fail(error.format_message())
    except click.Abort:
        return _fail("interrupted")
    except UsageError as error:
        return _fail(str(error))
    except Exception as error:  # whatever it is, the user gets one clear line and the status that says "not checked"
        if command_line.is_about_rules(error):
            return _fail(str(error))
        if os.environ.get("CORSLINT_DEBUG"):
            raise
        return _fail(
            f"internal error: {type(error).__name__}: {error} (CORSLINT_DEBUG=1 shows where; please report it)"
        )


def _fail(message: str) -> int:
    _write(f"corslint: error: {report.neutral(message)}\n", sys.stderr)
    return 2


def _write(text: str, stream: TextIO) -> None:
    outputs.write_text([text], stream)


def _write_bytes(text: str) -> None:
    """Write text that holds the very bytes of files, so that a patch stays one; but never to a terminal."""
    if sys.stdout.isatty() or not hasattr(sys.stdout, "buffer"):
        _write("".join(report.neutral(line) + "\n" for line in text.splitlines()), sys.stdout)
    else:
        outputs.write_bytes([text.encode("utf-8", "surrogateescape")], sys.stdout)


class _Commands(click.Group):
    """`check`, which hooks run on every commit, and the other commands, which are loaded when they are asked for."""

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """The command of that name."""
        if name not in self.commands:
            self._load()
        return super().get_command(context, name)

    def list_commands(self, context: click.Context) -> list[str]:
        """The names of all commands."""
        self._load()
        return super().list_commands(context)

    def _load(self) -> None:
        from corslint import commands

        for one in commands.ALL:
            self.add_command(one)


@click.group(
    cls=_Commands, context_settings=_CONTEXT, invoke_without_command=True, subcommand_metavar="COMMAND [ARGS]..."
)
@click.version_option(corslint.__version__, prog_name="corslint", message="%(prog)s %(version)s")
@click.pass_context
def command(context: click.Context) -> int:
    """Find faults in CORS, Socket.IO and nginx configuration."""
    if context.invoked_subcommand is not None:
        return 0
    # Wrong use, but no mistake to name: as ruff does. (click's own way differs between its versions.)
    _write(context.get_help() + "\n", sys.stderr)
    return 2


@command.command()
@command_line.PATHS
@click.option(
    "--output-format",
    "output_formats",
    multiple=True,
    type=click.Choice(report.FORMATS),
    envvar="CORSLINT_OUTPUT_FORMAT",
    show_envvar=True,
    help="How findings are written; once for each report.  [default: text]",
)
@click.option(
    "-o",
    "--output-file",
    "output_files",
    multiple=True,
    metavar="FILE",
    help="Where the report of the --output-format at the same position goes; `-` is standard output.",
)
@command_line.options(
    command_line.SOURCES,
    command_line.JOBS,
    command_line.CHANGES,
    command_line.CHOICES,
    command_line.SHOWS,
    command_line.IGNORES,
    command_line.BASELINE,
)
@click.option("--diff", is_flag=True, help="Show what fixes would change; change nothing.")
@click.option("--fix", is_flag=True, help="Apply safe fixes.")
@click.option("--unsafe-fixes", is_flag=True, help="With --fix or --diff: also fixes that change who may read data.")
@click.option(
    "--color",
    type=click.Choice(("auto", "always", "never")),
    default="auto",
    show_default=True,
    help="Colours in text. NO_COLOR, FORCE_COLOR and CLICOLOR_FORCE are honoured.",
)
@click.option(
    "--links",
    type=click.Choice(("auto", "always", "never")),
    default="auto",
    show_default=True,
    help="Links in text, to the places and to what is known about the rules. FORCE_HYPERLINK is honoured.",
)
@click.option("--watch", is_flag=True, help="Check again whenever a file changes.")
def check(
    paths: tuple[str, ...], output_formats: tuple[str, ...], output_files: tuple[str, ...], watch: bool, **options: Any
) -> int:
    """Check files and folders (default: the working directory), or standard input (`-`).

    A folder is checked on its own; the files of a repository are checked together with the rest of it.
    """
    if not watch:
        return _check(paths, output_formats, output_files, options)
    for name in ("fix", "diff", "add_ignores", "write_baseline", "prune_baseline", "show_files", "show_settings"):
        if options[name]:
            raise click.UsageError(f"--{name.replace('_', '-')} does not go with --watch")
    if "-" in paths:
        raise click.UsageError("standard input does not go with --watch")
    from corslint import watching

    return watching.run(lambda: _check(paths, output_formats, output_files, options), paths or (".",))


_outlived: list[object] = []
"""What the last check made: to take that apart, piece by piece, takes longer than to end the process around it."""


def _check(
    paths: tuple[str, ...], output_formats: tuple[str, ...], output_files: tuple[str, ...], options: Mapping[str, Any]
) -> int:
    """One check, to its exit status."""
    _outlived.clear()
    fixing = options["fix"] or options["diff"]
    if options["unsafe_fixes"] and not fixing:
        raise click.UsageError("--unsafe-fixes goes with --fix or --diff")
    if options["add_ignores"] and fixing:
        raise click.UsageError("--add-ignores does not go with --fix or --diff: fix first, then take back what is left")
    if options["reason"] and not options["add_ignores"]:
        raise click.UsageError("--reason goes with --add-ignores")
    if options["diff"] and output_files:
        raise click.UsageError("--diff writes a patch and no report: it goes without --output-file")
    wanted = outputs.paired(output_formats, output_files)
    with_fixes = fixing or outputs.wants_fixes(wanted)
    with_diagram = outputs.wants_diagram(wanted)
    cwd = os.getcwd()
    reports: list[Report] = []
    differences: list[str] = []
    failed = False
    if options["write_baseline"] and (options["changed"] or options["since"] is not None):
        raise click.UsageError("--write-baseline writes all findings: it does not go with --changed or --since")
    given = command_line.stdin_context(paths, cwd, options)
    checked, overlay = given or (command_line.contexts(paths, cwd, options), None)
    _outlived.extend((checked, reports))
    shown = command_line.shown(checked, options)
    if shown is not None:
        _write(shown, sys.stdout)
        return 0
    known = _known(options, cwd)
    for context, settings in checked:
        found = _linted(
            context, settings, cwd, options, known, overlay, with_fixes=with_fixes, with_diagram=with_diagram
        )
        context = context.changed()  # by what follows
        if options["add_ignores"]:
            _add_ignores(context, found, options["reason"])
            found = _linted(context, settings, cwd, options, known, with_fixes=with_fixes, with_diagram=with_diagram)
        if fixing:
            unsafe = options["unsafe_fixes"]
            differences.append(
                _fixed(context, settings, found, known, overlay, unsafe=unsafe, write=not options["diff"])
            )
            if not options["diff"]:
                again = _linted(context, settings, cwd, options, known, with_fixes=True, with_diagram=with_diagram)
                found = _left(again, unsafe=unsafe)
        reports.append(found)
        failed = failed or any(
            result.reaches(finding, settings.of(finding.primary.path).fail_on) for finding in found.findings
        )
    if options["write_baseline"]:
        return _write_baseline(options["write_baseline"], reports, cwd)
    stale = _stale(known, checked, reports, options, cwd) if known is not None else 0
    whole = report.merged(reports)
    if options["diff"]:
        _write_bytes("".join(differences))
        _write(report.closing_line(whole) + "\n", sys.stderr)
    elif options["statistics"]:
        from corslint import statistics

        _write(statistics.render(whole, "json" if "json" in output_formats else "text"), sys.stdout)
        _write(report.closing_line(whole) + "\n", sys.stderr)
    else:
        folders = [settings.rules for _, settings in checked]
        look = outputs.Look(options["color"], options["links"])
        outputs.write(whole, wanted, look, lambda rule: _about(rule, folders))
    return int(
        command_line.fails(report.severities(whole.findings), failed, options)
        or (stale > 0 and options["fail_on_stale"])
    )


def _about(rule: str, folders: Sequence[tuple[str, ...]]) -> report.RuleAbout:
    """What is known of a rule that has a finding: one of the built-in ones, or of those in the given folders."""
    from corslint import lint, rulepages

    known = (lint.knowledge(each, examples=False).rules.rules.get(rule) for each in folders)
    return rulepages.about(next(one for one in known if one is not None))


def _linted(
    context: discovery.Context,
    settings: Settings,
    cwd: str,
    options: Mapping[str, Any],
    known: Baseline | None,
    overlay: Mapping[str, bytes] | None = None,
    *,
    with_fixes: bool,
    with_diagram: bool,
) -> Report:
    """Check one context. A rule that does not exist is reported with the place that names it."""
    if result.is_idle(context, settings):
        return result.nothing(context)
    from corslint import lint
    from corslint.triage import NamedRuleError

    bar = progress.Progress()
    try:
        found = lint.lint(
            context,
            settings,
            overlay,
            with_fixes=with_fixes,
            with_diagram=with_diagram,
            watch=bar.watch,
            jobs=options["jobs"],
        )
        return _new(found, known)
    except NamedRuleError as error:
        raise command_line.misnamed(error, cwd, options) from None
    finally:
        bar.erase()


def _add_ignores(context: discovery.Context, found: Report, reason: str) -> None:
    """Write comments that take the findings back, as far as comments can stand there."""
    from corslint import fixes, lint
    from corslint.editing import ignores

    changed: dict[str, bytes] = {}
    count = 0
    by_path: dict[str, list[Finding]] = {}
    for finding in found.findings:
        if finding.rule not in lint.about_comments():
            by_path.setdefault(finding.primary.path, []).append(finding)
    for path, findings in by_path.items():
        added = ignores.add(found.sources(path), findings, reason)
        count += added.taken_back
        if added.taken_back:
            changed[path] = added.data
        for finding in added.left:
            place = f"{path}:{found.sources(path).position(finding.primary.start).line}"
            text = f"{place}: no comment can stand here for {finding.rule}: use `per-file-ignores` or a baseline"
            _write(f"corslint: {report.neutral(text)}\n", sys.stderr)
    if changed:
        try:
            fixes.write(changed, found.sources, root=context.root)
        except fixes.WriteRefusedError as error:
            raise UsageError(f"no comment was added: {error}") from None
        done = f"{report.counted(count, 'finding')} in {report.counted(len(changed), 'file')}"
        _write(f"corslint: took back {done}\n", sys.stderr)


# --- baseline --------------------------------------------------------------------------------------------------------


def _known(options: Mapping[str, Any], cwd: str) -> Baseline | None:
    """The baseline that was named, if any."""
    if options["baseline"] is None:
        for name in ("prune_baseline", "fail_on_stale"):
            if options[name]:
                raise click.UsageError(f"--{name.replace('_', '-')} goes with --baseline FILE")
        return None
    if options["write_baseline"] is not None:
        raise click.UsageError("--write-baseline writes all findings: it does not go with --baseline")
    from corslint import baseline

    return baseline.read(options["baseline"], cwd)


def _new(found: Report, known: Baseline | None) -> Report:
    """The report without what the baseline knows."""
    if known is None:
        return found
    is_known = known.is_known(found.live, found.sources)
    new = tuple(finding for finding in found.findings if not is_known[finding])
    count = len(found.findings) - len(new)
    return found._replace(findings=new, left_out={**found.left_out, result.KNOWN: count} if count else found.left_out)


def _write_baseline(path: str, reports: Sequence[Report], cwd: str) -> int:
    from corslint import baseline

    entries = [entry for one in reports for entry in baseline.make(path, one.findings, one.live, one.sources, cwd)]
    baseline.write(path, entries, cwd)
    _write(f"corslint: wrote {report.counted(len(set(entries)), 'finding')} to {report.neutral(path)}\n", sys.stderr)
    return 0


def _tellable(context: discovery.Context, settings: Settings, found: Report) -> Tellable:
    """What a run over a context can tell about findings that are gone."""
    from corslint import discovery, lint
    from corslint.baseline import Tellable

    rules = lint.knowledge(settings.rules).rules
    # A rule that joins facts may speak only where the whole repository is read.
    in_part = discovery.is_part(context.root)
    return Tellable(
        context.lint,
        context.root if context.lint.issuperset(context.files) else None,
        frozenset(finding.primary.path for finding in found.live if finding.effect == "tool"),
        frozenset(rule.id for rule in rules if not in_part or len(rule.match) == 1),
        frozenset(rules.rules),
    )


_MOST_STALE = 10


def _stale(
    known: Baseline,
    checked: Sequence[tuple[discovery.Context, Settings]],
    reports: Sequence[Report],
    options: Mapping[str, Any],
    cwd: str,
) -> int:
    """Say which entries of the baseline are gone, and drop them if asked to. How many are left in the file."""
    from corslint import baseline

    stale: list[baseline.Entry] = []
    for (context, settings), found in zip(checked, reports, strict=True):
        stale += known.stale(_tellable(context, settings, found))
    stale = sorted(set(stale))
    if not stale:
        return 0
    shown = report.neutral(known.path)
    if options["prune_baseline"]:
        gone = set(stale)
        baseline.write(known.path, [entry for entry in known.entries if entry not in gone], cwd)
        _write(f"corslint: dropped {report.counted(len(stale), 'finding')} from {shown}\n", sys.stderr)
        return 0
    for entry in stale[:_MOST_STALE]:
        _write(f"corslint: {shown}: gone: {report.neutral(entry.path)}: {report.neutral(entry.rule)}\n", sys.stderr)
    count = report.counted(len(stale), "finding")
    _write(f"corslint: {shown}: {count} gone (--prune-baseline drops what is gone)\n", sys.stderr)
    return len(stale)


def _left(found: Report, *, unsafe: bool) -> Report:
    """What is left after fixing, only with the fixes that were not tried: those that failed are no offer."""
    tried = ("safe", "unsafe") if unsafe else ("safe",)
    return found._replace(
        findings=tuple(
            finding._replace(fix=None) if finding.fix is not None and finding.fix.applicability in tried else finding
            for finding in found.findings
        )
    )


def _fixed(
    context: discovery.Context,
    settings: Settings,
    found: Report,
    known: Baseline | None,
    overlay: Mapping[str, bytes] | None,
    *,
    unsafe: bool,
    write: bool,
) -> str:
    """Mend what can be mended; as a difference, and on the disk if asked for."""
    from corslint import fixes, lint

    def again(changed: Mapping[str, bytes]) -> list[Finding]:
        return _fixable(_new(lint.lint(context, settings, {**(overlay or {}), **changed}, with_fixes=True), known))

    result = fixes.fix_to_fixpoint(again, _fixable(found), found.sources, unsafe)
    for finding, reason in result.refused:
        line = report.neutral(f"{finding.primary.path}: fix for {finding.rule} not applied: {reason}")
        _write(f"corslint: {line}\n", sys.stderr)
    if write and result.changed:
        try:
            fixes.write(result.changed, found.sources, root=context.root)
        except fixes.WriteRefusedError as error:
            raise UsageError(f"nothing was fixed: {error}") from None
        done = f"{report.counted(result.applied, 'finding')} in {report.counted(len(result.changed), 'file')}"
        _write(f"corslint: fixed {done}\n", sys.stderr)
    return fixes.diff(result.changed, found.sources)


def _fixable(found: Report) -> list[Finding]:
    """All by which fixes are judged. Those that are not shown have no fix to make, but none may be added.

    Nor may a policy become one that cannot be told: it would be silent, not mended.
    """
    from corslint import fixes

    shown = set(found.findings)
    hidden = (finding._replace(fix=None) for finding in found.live if finding not in shown)
    return [*found.findings, *hidden, *map(fixes.undecided, found.undecided)]
