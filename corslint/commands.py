"""The commands besides `check`. They are loaded when one of them is asked for, and for the help."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from corslint import command_line, outputs, report
from corslint import settings as settings_
from corslint.settings import UsageError

if TYPE_CHECKING:
    from corslint import lint
    from corslint.ruleset import Case, RuleSet


@click.command()
@command_line.PATHS
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
    outputs.write_text([facts_report.render(found, lambda path: owners[path](path))], sys.stdout)
    return 0


@click.command()
@command_line.PATHS
@click.option("--from", "from_", metavar="ORIGIN", help="The origin of the page that asks.")
@click.option("--to", metavar="URL", help="What it asks for; a path of a Socket.IO server is asked as its client does.")
@click.option("--credentials", is_flag=True, help="Cookies go along.")
@click.option("--method", default="GET", show_default=True, metavar="METHOD", help="The method of the request.")
@click.option("--header", "headers", multiple=True, metavar="NAME[: VALUE]", help="A header that the page sets.")
@click.option("--status", type=click.IntRange(200, 599), help="What the application answers with, in place of success.")
@click.option("--env-file", metavar="FILE", help="The environment variables that are set; no others are.")
@click.option(
    "--output-format", "output_format", type=click.Choice(("text", "json", "html")), default="text", show_default=True
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
    outputs.write_text([text], sys.stdout)
    return status


@click.command()
@click.argument("path", type=click.Path(exists=True, file_okay=False), default=".")
@click.option("--write", is_flag=True, help="Write it to corslint.toml; nothing is ever overwritten.")
def init(path: str, write: bool) -> int:
    """Print a settings file, proposed from what is found in a folder."""
    from corslint import proposal

    found = command_line.contexts((path,), os.getcwd(), {"config": (), "isolated": True})
    text = "".join(proposal.propose(context, settings) for context, settings in found)
    if not write:
        outputs.write_text([text], sys.stdout)
        return 0
    written = proposal.write(path, text)
    outputs.write_text([f"corslint: wrote {report.neutral(written)}\n"], sys.stderr)
    return 0


@click.command()
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
        outputs.write_text([_list_of(known.rules)], sys.stdout)
        return 0
    outputs.write_text([_explanation(known.rules, rule_id)], sys.stdout)
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
        outputs.write_text(["".join(f"{report.neutral(line)}\n" for line in text.splitlines())], sys.stdout)
    said = f"{report.counted(len(outcomes), 'example')} of {report.counted(len(chosen), 'rule')}"
    outputs.write_text([f"corslint: {said}: {f'{len(failed)} failed' if failed else 'all hold'}\n"], sys.stderr)
    return 1 if failed else 0


@click.command()
@click.argument("text", metavar="TEXT")
@command_line.PATHS
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
        outputs.write_text(
            ["corslint: nothing in this text is known; paste the whole line of the console\n"], sys.stderr
        )
        return 3
    if output_format == "json":
        outputs.write_text([render.as_json(explained, whole.sources)], sys.stdout)
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


_MOST_FAILURES = 20
"""Repositories that are named on standard error when they could not be checked; the summary names all."""


@click.command()
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
        outputs.write_text([f"corslint: {text}\n"], sys.stderr)
    if len(failed) > _MOST_FAILURES:
        outputs.write_text([f"corslint: and {len(failed) - _MOST_FAILURES} more could not be checked\n"], sys.stderr)
    outputs.write_text([_said_of_fleet(totals, done.unchanged) + "\n"], sys.stderr)
    outputs.write_text([f"corslint: wrote {report.neutral(done.page)}\n"], sys.stderr)
    counts = {severity: totals[f"{severity}s"] for severity in ("error", "warning", "note")}
    return 2 if failed else int(command_line.fails(counts, done.reached, options))


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
        raise command_line.misnamed(error, cwd, options) from None


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


@click.command()
@click.argument("name", type=click.Choice(("settings", "rule", "descriptor", "facts", "fleet")))
def schema(name: str) -> int:
    """Print a JSON Schema: of settings, rules, descriptors, or of what `facts` and `fleet` write."""
    from corslint import resources

    outputs.write_text([resources.schema_file(name).read_text(encoding="utf-8")], sys.stdout)
    return 0


@click.command()
@click.argument("url")
@command_line.PATHS
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
        outputs.write_text([probe_report.as_json(found)], sys.stdout)
    else:
        outputs.write_text(probe_report.text(found), sys.stdout)
    return probe_report.status(found)


@click.command()
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


@click.command()
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> int:
    """Print what makes a shell complete commands, options, rules and files."""
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    assert made is not None
    command = click.get_current_context().find_root().command
    outputs.write_text([made(command, {}, "corslint", "_CORSLINT_COMPLETE").source() + "\n"], sys.stdout)
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


ALL: tuple[click.Command, ...] = (facts, trace, init, rule, explain, fleet, schema, probe, server, completion)
"""Every one of them."""
