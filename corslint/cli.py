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
from corslint import settings as settings_
from corslint.settings import Settings, UsageError

if TYPE_CHECKING:
    from corslint import discovery, lint
    from corslint.baseline import Baseline, Tellable
    from corslint.model.finding import Finding
    from corslint.result import Report
    from corslint.ruleset import Case, RuleSet
    from corslint.triage import NamedRuleError

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


_PATHS = click.argument("paths", nargs=-1, type=click.Path())


@click.group(context_settings=_CONTEXT, invoke_without_command=True, subcommand_metavar="COMMAND [ARGS]...")
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
@_PATHS
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


def _check(
    paths: tuple[str, ...], output_formats: tuple[str, ...], output_files: tuple[str, ...], options: Mapping[str, Any]
) -> int:
    """One check, to its exit status."""
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
    return int(_fails(report.severities(whole.findings), failed, options) or (stale > 0 and options["fail_on_stale"]))


def _fails(counts: Mapping[str, int], reached: bool, options: Mapping[str, Any]) -> bool:
    """Whether the exit status is 1; `reached`: a finding is as severe as the settings of its file ask for."""
    if options["exit_zero"]:
        return False
    if options["max_warnings"] is None:
        return reached
    return counts["error"] > 0 or counts["warning"] > options["max_warnings"]


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
        raise _misnamed(error, cwd, options) from None
    finally:
        bar.erase()


def _misnamed(error: NamedRuleError, cwd: str, options: Mapping[str, Any]) -> UsageError:
    """Says where a rule is named that does not exist: in an option, or in settings."""
    given = options.get(error.key.replace("-", "_"), ())
    if error.rule in given or any(error.rule in pair or error.rule in pair[1] for pair in given):
        return UsageError(f"--{error.key}: {error}")
    place = settings_.place(error.settings, cwd, error.key, error.rule) or "--config"
    return UsageError(f"{place}: `{error.key}`: {error}")


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


# --- fleet -----------------------------------------------------------------------------------------------------------

_MOST_FAILURES = 20
"""Repositories that are named on standard error when they could not be checked; the summary names all."""


@command.command()
@click.argument("repositories", nargs=-1, required=True, type=click.Path(), metavar="REPOSITORIES...")
@click.option("--output", required=True, metavar="FOLDER", help="Where all reports go; runs go on from what is there.")
@click.option(
    "--executor",
    default="processes",
    show_default=True,
    metavar="EXECUTOR",
    help="Who does the work: processes, dask:ADDRESS, mpi, or MODULE:ATTRIBUTE of anything that makes an Executor.",
)
@click.option("-j", "--jobs", type=click.IntRange(1), metavar="N", help="How many workers.  [default: all there are]")
@click.option("--fresh", is_flag=True, help="Check repositories again that have not changed.")
@command_line.options(command_line.SETTINGS, command_line.CHOICES)
def fleet(
    repositories: tuple[str, ...], output: str, executor: str, jobs: int | None, fresh: bool, **options: Any
) -> int:
    """Check many repositories in one go: folders, folders of repositories, and lists of folders (a path a line).

    Writes the reports of each repository (JSON, SARIF), and a summary of all with what changed since the last run.
    A run that is ended goes on where it was; what has not changed is not read again.

    Exit status 2 also where a repository could not be checked.
    """
    from corslint.fleet import command as fleet_command

    if not output:
        raise click.UsageError("--output: its value is empty")
    _named_well(options)
    done = fleet_command.carried_out(repositories, output, options, executor=executor, jobs=jobs, fresh=fresh)
    totals = done.summary["totals"]
    failed = [one for one in done.summary["repositories"] if one["status"] == "failed"]
    for one in failed[:_MOST_FAILURES]:
        text = f"{report.shown_path(one['name'])}: could not be checked: {report.neutral(one['failure'])}"
        _write(f"corslint: {text}\n", sys.stderr)
    if len(failed) > _MOST_FAILURES:
        _write(f"corslint: and {len(failed) - _MOST_FAILURES} more could not be checked\n", sys.stderr)
    _write(_said_of_fleet(totals, done.unchanged) + "\n", sys.stderr)
    _write(f"corslint: wrote {report.neutral(done.page)}\n", sys.stderr)
    counts = {severity: totals[f"{severity}s"] for severity in ("error", "warning", "note")}
    return 2 if failed else int(_fails(counts, done.reached, options))


def _named_well(options: Mapping[str, Any]) -> None:
    """Refuse rules that do not exist before anything is checked."""
    from corslint import lint, triage

    cwd = os.getcwd()
    taken = settings_.sources(options["config"], options["isolated"])
    loaded = settings_.load(cwd, cwd, taken if taken.file else taken._replace(isolated=True))
    settings = command_line.with_options(loaded, options)
    try:
        triage.Triage(lint.knowledge(settings.rules, examples=False).rules, settings)
    except triage.NamedRuleError as error:
        raise _misnamed(error, cwd, options) from None


def _said_of_fleet(totals: Mapping[str, int], unchanged: int) -> str:
    """`corslint: found 3 errors in 2 of 40 repositories; 1 could not be checked; 12 had not changed`."""
    counts = [report.counted(totals[f"{one}s"], one) for one in ("error", "warning", "note") if totals[f"{one}s"]]
    every = "1 repository" if totals["repositories"] == 1 else f"{totals['repositories']} repositories"
    where = f"{totals['with_findings']} of {every}"
    parts = [f"corslint: found {report.listed(counts)} in {where}" if counts else f"corslint: no findings in {every}"]
    if totals["failed"]:
        parts.append(f"{totals['failed']} could not be checked")
    if unchanged:
        parts.append(f"{unchanged} had not changed")
    return "; ".join(parts)


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


@command.command()
@_PATHS
@command_line.options(command_line.SOURCES)
def facts(paths: tuple[str, ...], **options: Any) -> int:
    """Print what corslint understood, as JSON."""
    from corslint import lint
    from corslint.report import facts as facts_report

    cwd = os.getcwd()
    found, owners = [], {}
    for context, settings in command_line.contexts(paths, cwd, options):
        known, sources = lint.facts(context, settings)
        found.extend(known)
        owners.update(dict.fromkeys((*context.files, *context.unreadable), sources))
    _write(facts_report.render(found, lambda path: owners[path](path)), sys.stdout)
    return 0


@command.command()
@_PATHS
@click.option("--from", "from_", metavar="ORIGIN", help="The origin of the page that asks.")
@click.option("--to", metavar="URL", help="What it asks for; a path of a Socket.IO server is asked as its client does.")
@click.option("--credentials", is_flag=True, help="Cookies go along.")
@click.option("--method", default="GET", show_default=True, metavar="METHOD", help="The method of the request.")
@click.option("--header", "headers", multiple=True, metavar="NAME[: VALUE]", help="A header that the page sets.")
@click.option("--status", type=click.IntRange(200, 599), help="What the application answers with, in place of success.")
@click.option("--env-file", metavar="FILE", help="The environment variables that are set; no others are.")
@click.option(
    "--output-format", "output_format", type=click.Choice(("text", "json")), default="text", show_default=True
)
@command_line.options(command_line.SOURCES)
def trace(paths: tuple[str, ...], from_: str | None, to: str | None, **options: Any) -> int:
    """Follow a browser's request through the project: who answers, with which headers, and what the browser says.

    Without --from and --to: every request of a client in the project.

    Exit status 0: allowed; 1: blocked; 3: unknown; 2: wrong use.
    """
    from corslint import tracing

    if (from_ is None) != (to is None):
        raise click.UsageError("--from and --to go together")
    asked = tracing.Asked(
        from_, to, options["credentials"], options["method"], options["headers"], options["status"], options["env_file"]
    )
    text, status = tracing.run(asked, command_line.contexts(paths, os.getcwd(), options), options["output_format"])
    _write(text, sys.stdout)
    return status


@command.command()
@click.argument("path", type=click.Path(exists=True, file_okay=False), default=".")
@click.option("--write", is_flag=True, help="Write it to corslint.toml; nothing is ever overwritten.")
def init(path: str, write: bool) -> int:
    """Print a settings file, proposed from what is found in a folder."""
    from corslint import proposal

    found = command_line.contexts((path,), os.getcwd(), {"config": (), "isolated": True})
    text = "".join(proposal.propose(context, settings) for context, settings in found)
    if not write:
        _write(text, sys.stdout)
        return 0
    written = proposal.write(path, text)
    _write(f"corslint: wrote {report.neutral(written)}\n", sys.stderr)
    return 0


@command.command()
@click.argument("rule_id", required=False, metavar="[ID]", shell_complete=command_line.complete_rule)
@click.option("--test", is_flag=True, help="Run the examples of this rule, or of all rules of your own.")
@click.option("--rules", multiple=True, metavar="FOLDER", help="A folder with rules, beside those of the settings.")
def rule(rule_id: str | None, test: bool, rules: tuple[str, ...]) -> int:
    """List the rules, explain one, or run the examples of your own."""
    from corslint import lint

    for folder in rules:
        if not os.path.isdir(folder):
            raise UsageError(f"--rules names a folder that does not exist: {folder}")
    folders = tuple(dict.fromkeys((*settings_.load(".", os.getcwd()).rules, *rules)))
    known = lint.knowledge(folders)
    if test:
        return _test_rules(known, folders, rule_id)
    if rule_id is None:
        _write(_list_of(known.rules), sys.stdout)
        return 0
    _write(_explanation(known.rules, rule_id), sys.stdout)
    return 0


def _test_rules(known: lint.Knowledge, folders: tuple[str, ...], rule_id: str | None) -> int:
    """Run the examples of one rule, or of all in these folders; status 1 if one does not hold."""
    from corslint import examples

    chosen = [known.rules[rule_id]] if rule_id is not None else known.rules.of(folders)
    if not chosen:
        raise UsageError("no rules of your own: name a rule, or a folder with `rules` in the settings or --rules")
    outcomes = list(examples.run(chosen, known))
    failed = [outcome for outcome in outcomes if outcome.trouble is not None]
    for outcome in failed:
        text = f"{outcome.place}: {outcome.rule}: {outcome.name}: {outcome.trouble}"
        _write("".join(f"{report.neutral(line)}\n" for line in text.splitlines()), sys.stdout)
    said = f"{report.counted(len(outcomes), 'example')} of {report.counted(len(chosen), 'rule')}"
    _write(f"corslint: {said}: {f'{len(failed)} failed' if failed else 'all hold'}\n", sys.stderr)
    return 1 if failed else 0


@command.command()
@click.argument("text", metavar="TEXT")
@_PATHS
@click.option("--output-format", type=click.Choice(("text", "json")), default="text", show_default=True)
@command_line.options(command_line.SOURCES)
def explain(text: str, paths: tuple[str, ...], output_format: str, **options: Any) -> int:
    """Explain a message of the browser's console, a client, a server or `curl -v`; `-` reads it from standard input.

    Names the rules that may be the cause, with their findings in files and folders (default: the working directory).
    Exit status 3: nothing in the text is known.
    """
    from corslint import lint, tracing
    from corslint.explain import explanation, render

    said = _pasted(text)
    if not said.strip():
        raise click.UsageError("there is no text to explain")
    cwd = os.getcwd()
    checked = command_line.contexts(paths, cwd, options)
    reports = []
    for context, settings in checked:
        linted = lint.lint(context, settings)
        # Also notes, and what is not selected: whatever it is, it may be the cause.
        outside = tuple(one for one in linted.live if one.primary.path not in context.in_tests)
        reports.append(linted._replace(findings=outside))
    whole = report.merged(reports)
    rules = lint.knowledge(tuple(dict.fromkeys(folder for _, one in checked for folder in one.rules)), examples=False)
    explained = explanation.explain(said, rules.rules, whole.findings, elsewhere=tracing.Elsewhere(checked))
    if not explained.knows_something:
        _write("corslint: nothing in this text is known; paste the whole line of the console\n", sys.stderr)
        return 3
    if output_format == "json":
        _write(render.as_json(explained, whole.sources), sys.stdout)
    else:
        outputs.write_text(render.text(explained, whole.sources, files=whole.files), sys.stdout)
    return 0


def _pasted(text: str) -> str:
    """The text of the argument, or of standard input where that is `-`: as much of it as is looked at."""
    if text != "-":
        return text
    from corslint.explain.wordings import LONGEST_TEXT

    data = sys.stdin.buffer.read(4 * LONGEST_TEXT + 4) if hasattr(sys.stdin, "buffer") else sys.stdin.read().encode()
    return data.decode("utf-8", "replace")


@command.command()
@click.argument("name", type=click.Choice(("settings", "rule", "descriptor", "facts", "fleet")))
def schema(name: str) -> int:
    """Print a JSON Schema: of settings, rules, descriptors, or of what `facts` and `fleet` write."""
    from corslint import resources

    _write(resources.schema_file(name).read_text(encoding="utf-8"), sys.stdout)
    return 0


@command.command()
@click.argument("url")
@_PATHS
@click.option("--origin", required=True, metavar="ORIGIN", help="Of the page that asks: https://app.example.com.")
@click.option("--credentials", is_flag=True, help="As a script does that sends cookies.")
@click.option("--socketio", "handshake", is_flag=True, help="As a Socket.IO client does: polling, then the upgrade.")
@click.option("--ws", is_flag=True, help="With a WebSocket.")
@click.option("--method", default="GET", show_default=True, help="Of the script's request; only GET and HEAD are sent.")
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="That the script sets.")
@click.option("--cookie", metavar="TEXT", help="With --credentials: the cookies that the browser has.")
@click.option("--eio", type=click.Choice(("3", "4")), default="4", help="With --socketio: 3 for clients of version 2.")
@click.option("--attack-origins", is_flag=True, help="Also try origins that an attacker can have.")
@click.option("--timeout", type=click.FloatRange(0, 60, min_open=True), default=5.0, show_default=True)
@click.option("--output-format", type=click.Choice(("text", "json")), default="text", show_default=True)
@command_line.options(command_line.SOURCES)
def probe(url: str, paths: tuple[str, ...], origin: str, **options: Any) -> int:
    """Ask a running server what a browser would ask it, and judge the answers as a browser does.

    With PATHS: say where the server differs from what these files foretell.

    Exit status 0: the page gets what it asks for, or with PATHS the server is as foretold, and no attacker gets in; 1:
    it is otherwise; 2: wrong use, or there is no server.
    """
    from corslint.probe import client, run, usage
    from corslint.probe import report as probe_report

    question = usage.question(url, origin, options)
    try:
        found = run.probe(
            question,
            client.HttpClient(options["timeout"]),
            socket=options["handshake"],
            ws=options["ws"],
            attack=options["attack_origins"],
        )
    except client.UnreachableError as error:
        raise UsageError(str(error)) from None
    if paths:
        from corslint.probe import foretold

        contexts = command_line.contexts(paths, os.getcwd(), options)
        found = found._replace(compared=foretold.compare(question, found.findings, contexts))
    if options["output_format"] == "json":
        _write(probe_report.as_json(found), sys.stdout)
    else:
        outputs.write_text(probe_report.text(found), sys.stdout)
    return probe_report.status(found)


@command.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Wait for an editor at this port of loopback.")
@command_line.options(command_line.SOURCES)
def server(port: int | None, **options: Any) -> int:
    """Serve an editor (language server protocol): findings as code is typed, fixes, and what rules say."""
    try:
        from corslint.language_server import server as language_server
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise UsageError("the server needs pygls: pip install 'corslint[editor]'") from None
    language_server.run(options, port)
    return 0


@command.command()
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> int:
    """Print what makes a shell complete commands, options, rules and files."""
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    assert made is not None
    _write(made(command, {}, "corslint", "_CORSLINT_COMPLETE").source() + "\n", sys.stdout)
    return 0


# --- rules for people ------------------------------------------------------------------------------------------------


def _list_of(rules: RuleSet) -> str:
    from corslint.rulepages import plain

    rows = [
        (name, "/".join(one.severities), one.title or plain(one.cases[0].message)) for name, one in rules.rules.items()
    ]
    first, second = (max((len(row[column]) for row in rows), default=0) for column in (0, 1))
    return "".join(f"{name:<{first}}  {severities:<{second}}  {title}\n" for name, severities, title in rows)


def _explanation(rules: RuleSet, rule_id: str) -> str:
    from corslint.ruleset import RELATED_MARKS

    one = rules[rule_id]
    out = [f"{one.id} ({', '.join(one.severities)})"]
    if one.title:
        out.append(one.title)
    if one.explanation:
        out += ["", one.explanation.strip()]
    for case in one.cases:
        out += ["", *_case(case)]
    fires = next((example for example in one.examples if not example.clean), None)
    if fires is not None:
        out += ["", "Example, with the place that is reported in ⟦⟧:"]
        for path, marked in fires.files.items():
            text = marked.translate(dict.fromkeys(map(ord, RELATED_MARKS)))
            out += ["", f"  {path}", *(f"    {line}".rstrip() for line in text.rstrip().split("\n"))]
    if one.references:
        out += ["", "References:", *(f"  {reference}" for reference in one.references)]
    return "\n".join([*out, ""])


def _case(case: Case) -> list[str]:
    from corslint.rulepages import plain
    from corslint.ruleset import alternatives

    lines = [f"{case.severity}: {plain(case.message)}", f"  help: {plain(case.help)}"]
    lines += [f"  fix ({fix.applicability}): {plain(fix.title)}" for fix in alternatives(case.fix)]
    return lines
