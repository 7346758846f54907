"""A page for each library: what its descriptor says, in words and tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from corslint.rulepages import cell, escaped
from corslint.ruleset import PRIMARY_MARKS, RELATED_MARKS, Rule

_REGISTRIES = {"npm": "https://www.npmjs.com/package/", "pypi": "https://pypi.org/project/"}
_LANGUAGES = {"javascript": "JavaScript and TypeScript", "python": "Python"}
_ENDINGS = {"javascript": "js", "python": "py"}
_UNMARKED = dict.fromkeys(map(ord, PRIMARY_MARKS + RELATED_MARKS))
SENT = {
    "star": "`*`",
    "echo": "its own origin",
    "fixed": "a fixed text, which is not its own",
    "refused": "nothing: it is refused",
    "nothing": "nothing",
    "raises": "nothing: the program stops",
    "hangs": "nothing: there is no answer",
    "unknown": "not known",
}
"""What a page of any other origin is sent, in words."""
MEANS = {
    "star": "`*` is sent",
    "echo": "whatever origin asks, it is sent back",
    "none": "no header is sent",
    "refuse": "the request is refused",
    "raises": "the program stops at its start",
    "fails": "every request ends in an error",
    "same-origin": "only the server's own pages are let in",
    "loopback": "pages of the same machine are let in",
    "unchecked": "no header is sent, and nobody is refused, by WebSocket neither",
    "text": "it is sent to everybody, as the text that it becomes",
    "unknown": "not known",
}
"""The meanings of a value (`corslint/model/semantics.py`), in words."""
_RECORDING = re.compile(r"fixtures/oracle/([\w.@-]+\.json)")


class Library(NamedTuple):
    """A descriptor as it is written."""

    id: str
    title: str
    versions: str
    language: str
    written: Mapping[str, Any]

    @property
    def heading(self) -> str:
        """Its title, with the versions it speaks of, or its id where the title alone tells too little."""
        if self.versions:
            return f"{self.title} ({self.versions})"
        told = self.id.replace("-", "").replace(".", "") in re.sub(r"[^a-z0-9]", "", self.title.lower())
        return self.title if told else f"{self.title} ({self.id})"


def read(folder: Path) -> list[Library]:
    """All descriptors, by title."""
    libraries = []
    for path in folder.glob("*.yaml"):
        written = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        libraries.append(
            Library(written["id"], written["title"], written.get("versions", ""), written["language"], written)
        )
    return sorted(libraries, key=lambda one: (one.title.lower(), one.id))


def page(library: Library, code: Callable[[str, str], str], rules: Iterable[Rule]) -> str:
    """A library's page, as Markdown."""
    written = library.written
    parts = [f"# {escaped(library.heading)}", _labels(library)]
    if "notes" in written:
        parts.append(escaped(_RECORDING.sub(lambda found: f"`fixtures/oracle/{found[1]}`", written["notes"].strip())))
    parts += _section("What is read", _read(written))
    parts += _section("Options and their defaults", _sources(written))
    parts += _section("What values mean", _meanings(written))
    parts += _section("What other origins are sent", _sent(library))
    parts += _section("Names of options", _options(written))
    parts += _section("Middleware", _layers(written))
    parts += _examples(library, code)
    parts += _section("Rules with an example of it", _rules(library, rules))
    if written.get("references"):
        parts += ["## References", "\n".join(f"- <{reference}>" for reference in written["references"])]
    return "\n\n".join(parts) + "\n"


def _section(heading: str, parts: Iterable[str]) -> list[str]:
    made = list(parts)
    return [f"## {heading}", *made] if made else []


def _labels(library: Library) -> str:
    labels = [f"`{library.id}`", _LANGUAGES[library.language]]
    package = library.written.get("package")
    if package:
        labels.append(
            f"[{package['ecosystem']}: {package['name']}]({_REGISTRIES[package['ecosystem']]}{package['name']})"
        )
        labels.append(f"versions `{library.versions}`" if library.versions else "all versions")
    return " · ".join(labels)


# --- what is read ----------------------------------------------------------------------------------------------------


def _read(written: Mapping[str, Any]) -> Iterator[str]:
    rows = [*_in_code(written)]
    if rows:
        yield table(("what stands in the code", "makes these facts", ""), rows)
    if written.get("environment"):
        words = ", ".join(cell(key) for key in written["environment"])
        yield f"Of its surroundings: {words}, as [descriptors.md](../descriptors.md#environment) explains them."
    if written.get("refusals"):
        yield "How handlers refuse: " + ", ".join(
            _names(one[key]) for one in written["refusals"] for key in ("callee", "members", "verifies") if key in one
        )


def _in_code(written: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for call in written.get("calls", ()):
        yield _names(call["callee"]), _facts(call), _notes_of(call)
    for derived in written.get("classes", ()):
        yield f"a class derived from {_names(derived['base'])}", _facts(derived), ""
    for file in written.get("files", ()):
        yield f"what a file named {cell(file['names'])} exports", _facts(file), ""
    for names in written.get("settings", ()):
        yield f"the settings {_names(names['names'])}", _facts(names), ""
    for headers in written.get("headers", ()):
        how = [*headers.get("methods", ()), *headers.get("functions", ())]
        yield f"headers written by {_names(how)}", "[`cors_policy`](../reference.md#cors_policy)", ""
    for each in written.get("pages", ()):
        yield f"the global {cell(each['global'])} of a page", f"as {cell(each['stands_for'])}", ""


def _names(names: str | Sequence[str]) -> str:
    given = [names] if isinstance(names, str) else names
    return ", ".join(cell(name) for name in given)


def _facts(call: Mapping[str, Any]) -> str:
    kinds = dict.fromkeys(emit["fact"] for emit in call.get("emits", ()))
    return ", ".join(f"[`{kind}`](../reference.md#{kind})" for kind in kinds)


def _notes_of(call: Mapping[str, Any]) -> str:
    notes = []
    if call.get("form") == "construct":
        notes.append("with `new`")
    if "completes" in call:
        notes.append("completes what began elsewhere")
    if "when" in call:
        notes.append("under a condition")
    if call.get("options") == "keywords":
        notes.append("options are keywords")
    elif "options" in call:
        notes.append(f"options in argument {' or '.join(map(_position, _positions(call['options'])))}")
    return "; ".join(notes)


def _positions(given: object) -> Sequence[object]:
    return given if isinstance(given, list) else [given]


def _position(given: object) -> str:
    """An argument at which options may stand, counted from 0 as descriptors do."""
    if isinstance(given, Mapping):
        return f"{given['position']} (after a number)"
    return str(given)


def _emits(written: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for part in ("calls", "classes", "files", "settings"):
        for call in written.get(part, ()):
            yield from call.get("emits", ())


def _sources(written: Mapping[str, Any]) -> Iterator[str]:
    """The options that fields are read from, with what the library does without them."""
    rows = []
    for emit in _emits(written):
        for name, source in emit.get("fields", {}).items():
            if not isinstance(source, Mapping):
                continue
            given = [text for key in ("key", "keyword", "setting", "config") for text in _listed(source.get(key, ()))]
            if given:
                rows.append((_names(given), f"`{emit['fact']}`", cell(name), _default(name, source)))
    if rows:
        yield table(("option", "of", "field", "without it"), list(dict.fromkeys(rows)))


def _listed(value: object) -> list[str]:
    return [value] if isinstance(value, str) else [str(one) for one in value] if isinstance(value, list) else []


def _default(field: str, source: Mapping[str, Any]) -> str:
    if field == "origin" and source.get("default") in MEANS:
        return MEANS[source["default"]]
    if "by_version" in source:
        return ", ".join(f"{cell(str(versions))}: {cell(_literal(value))}" for versions, value in source["by_version"])
    return cell(_literal(source["default"])) if "default" in source else ""


def _literal(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return '""' if value == "" else str(value)


# --- what it does ----------------------------------------------------------------------------------------------------


def _meanings(written: Mapping[str, Any]) -> Iterator[str]:
    rows: list[tuple[str, ...]] = []
    for emit in _emits(written):
        origin = (emit.get("policy") or {}).get("origin") or {}
        for value, meaning in origin.get("meanings", ()):
            rows.append((cell(_literal(value)), _meaning(meaning)))
        for key, words in _KINDS_OF_VALUES.items():
            if isinstance(origin.get(key), str):
                rows.append((words, _meaning(origin[key])))
    if rows:
        yield "Of the option that holds the origin; the words are those of [descriptors](../descriptors.md#policy)."
        yield table(("value", "means"), list(dict.fromkeys(rows)))


_KINDS_OF_VALUES = {
    "unset": "`undefined`, `None`, or not given",
    "string": "any other text",
    "list": "a list",
    "empty_list": "an empty list",
    "regex": "a regular expression",
    "function": "a function",
    "otherwise": "anything else",
}


def _meaning(word: object) -> str:
    return f"`{word}`" + (f": {MEANS[str(word)]}" if str(word) in MEANS else "")


def _sent(library: Library) -> Iterator[str]:
    """What the examples say of a stranger's page; the tests hold them true."""
    rows = []
    for example in library.written["examples"]:
        for fact in example.get("facts", ()):
            sent = fact.get("effect.to_stranger")
            text = fact.get("text") or _only_call(example)
            if fact["kind"] == "cors_policy" and sent in SENT and text:
                cookies = {"yes": "yes", "no": "no"}.get(str(fact.get("effect.credentials")), "")
                rows.append(
                    (cell(text), SENT[sent], cookies, cell(str(example["version"])) if "version" in example else "")
                )
    if rows:
        yield "What a page of an origin that nobody named finds in `Access-Control-Allow-Origin`, as the tests hold it:"
        yield table(("code", "it is sent", "with cookies", "version"), list(dict.fromkeys(rows)))


def _only_call(example: Mapping[str, Any]) -> str:
    lines = [line for line in example["code"].strip().splitlines() if line.strip()]
    return lines[0].strip().translate(_UNMARKED) if len(lines) == 1 else ""


def _options(written: Mapping[str, Any]) -> Iterator[str]:
    for emit in _emits(written):
        for group in emit.get("options", ()):
            under = f" under {cell(group['path'])}" if group.get("path") else ""
            if group.get("names"):
                yield f"Read{under}: {_names(group['names'])}."
            taken = {**group.get("meant", {}), **group.get("legacy", {}), **group.get("misplaced", {})}
            if taken:
                yield (
                    "Not read, though it looks as if: "
                    + ", ".join(f"{cell(wrong)} (it is {cell(str(right))})" for wrong, right in taken.items())
                    + "."
                )


def _layers(written: Mapping[str, Any]) -> Iterator[str]:
    rows = []
    for layer in written.get("layers", ()):
        kind = f"`{layer['kind']}`" if "kind" in layer else "what it wraps"
        rows.append((_names(layer["is"]), kind, str(layer.get("preflight", "no"))))
    if rows:
        yield table(("layer", "is", "a preflight ends there"), rows)


# --- examples --------------------------------------------------------------------------------------------------------


def _examples(library: Library, code: Callable[[str, str], str]) -> Iterator[str]:
    """All examples, the first of them open."""
    yield "## Examples"
    yield "The tests read each of these, and compare the facts that come of it."
    for number, example in enumerate(library.written["examples"]):
        file = example.get("file", f"example.{_ENDINGS[library.language]}")
        files = {**example.get("files", {}), file: example["code"]}
        body = [code(path, text.translate(_UNMARKED)) for path, text in files.items() if isinstance(text, str)]
        facts = "\n".join(_fact(fact) for fact in example.get("facts", ()))
        if facts:
            body.append(code("facts.yaml", facts))
        if example.get("absent"):
            body.append(f"No {_names(example['absent'])} comes of it.")
        if example.get("answers") or example.get("answers_of"):
            body.append("What is answered is compared with the library's own answers.")
        name = example["name"]
        version = f" ({example['version']})" if "version" in example else ""
        yield _folded(f"{name}{version}", "\n\n".join(body), opened=number == 0)


def _folded(title: str, body: str, *, opened: bool) -> str:
    attribute = " open" if opened else ""
    summary = escaped_html(title)
    return f'<details{attribute} markdown="1">\n<summary>{summary}</summary>\n\n{body}\n\n</details>'


def escaped_html(text: str) -> str:
    """Text for HTML, with what stands between backquotes as code."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", text)


def _fact(fact: Mapping[str, Any]) -> str:
    return (
        "- "
        + yaml.safe_dump(dict(fact), default_flow_style=True, width=10_000, sort_keys=False, allow_unicode=True).strip()
    )


def _rules(library: Library, rules: Iterable[Rule]) -> Iterator[str]:
    modules = {
        re.escape(module)
        for call in library.written.get("calls", ())
        for name in _listed(call["callee"]) or [call["callee"]]
        if (module := name.partition("#")[0]) not in ("*", "global", "")
    }
    if not modules:
        return
    either = "|".join(sorted(modules))
    if library.language == "javascript":
        imported = re.compile(rf"""(?:from|require\(|import)\s*['"](?:{either})['"]""")
    else:
        imported = re.compile(rf"(?m)^\s*(?:from|import)\s+(?:{either})\b")
    rows = []
    for rule in rules:
        texts = [text.translate(_UNMARKED) for one in rule.examples if not one.clean for text in one.files.values()]
        if any(imported.search(text) for text in texts):
            rows.append(f"- [`{rule.id}`](../rules/{rule.id}.md): {escaped(rule.title)}")
    if rows:
        yield "\n".join(rows)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown; columns in which nothing stands are left out."""
    kept = [at for at in range(len(heads)) if any(row[at] for row in rows)]
    lines = [[heads[at] for at in kept], ["---"] * len(kept), *([row[at] for at in kept] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
