"""Reads framework descriptors (`frameworks/*.yaml`) into a catalog. Their shape is documented in docs/descriptors.md.

Most runs take the catalog out of a snapshot, and load nothing of this.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from corslint.frameworks.catalog import (
    LAYER_KINDS,
    ORDERS,
    CallSpec,
    Catalog,
    ClassSpec,
    Delegate,
    Descriptor,
    EmitSpec,
    FieldSource,
    FileSpec,
    HeaderSpec,
    LayerSpec,
    OptionGroup,
    RefusalSpec,
    SettingsSpec,
    SocketPaths,
    VarySpec,
)
from corslint.later import Later
from corslint.model.kinds import FACT_KINDS
from corslint.model.responses import Responds, ResponsesError, read_responds
from corslint.model.semantics import MEANINGS, PolicySemantics, SemanticsError, policy_semantics
from corslint.model.tri import Tri
from corslint.model.versions import fault
from corslint.project.link import Assumptions, EnvironmentRead
from corslint.project.scripts import ScriptLibrary, ScriptSource
from corslint.regexes import regex
from corslint.yamlfile import Checker, KeyPath, parse, without_examples

if TYPE_CHECKING:
    from pathlib import Path

READ_AS = (
    "value", "instance", "number", "seconds", "integer", "application", "list", "tri", "path", "rooted", "prefix",
    "keys", "names", "source", "dotted", "handler", "place", "socket",
)  # fmt: skip
_LEAST_WORD = 3
_SOURCE_KEYS = frozenset(
    {
        "position",
        "keyword",
        "key",
        "receiver",
        "of_receiver",
        "call",
        "method",
        "callee",
        "beside",
        "handed_with",
        "delegated",
        "scope",
        "inside",
        "override",
        "only",
        "handler",
        "blind",
        "spells",
        "through",
        "unknown",
        "decorated",
        "setting",
        "config",
        "constant",
        "default",
        "absent",
        "as",
        "present",
        "truthy",
        "map",
        "by_version",
    }
)

_LAST_NAME = regex(r"[#/.]")


def load(folder: Path, *, examples: bool = True) -> Catalog:
    """Read and check every descriptor of a folder, with their `examples` or without.

    Raises:
        YamlError: a file is not valid; the error names file, line and the nearest valid name.

    """
    descriptors: list[Descriptor] = []
    environments: list[Mapping[str, Any]] = []
    for path in sorted(folder.glob("*.yaml")):
        data = path.read_bytes() if examples else without_examples(path.read_bytes())
        descriptor, environment = read(data, path)
        descriptors.append(descriptor)
        if environment is not None:
            environments.append(environment)
    return build(descriptors, environments)


def build(descriptors: Iterable[Descriptor], environments: Iterable[Mapping[str, Any]]) -> Catalog:
    """Index descriptors by the names they describe."""
    descriptors, environments = tuple(descriptors), tuple(environments)
    calls: dict[str, list[tuple[int, int]]] = {}
    any_receiver: dict[str, list[tuple[int, int]]] = {}
    for of, descriptor in enumerate(descriptors):
        for at, call in enumerate(descriptor.calls):
            for name in call.callee:
                if name.startswith("*/"):
                    any_receiver.setdefault(name[2:], []).append((of, at))
                else:
                    calls.setdefault(name, []).append((of, at))
    specs = [call for descriptor in descriptors for call in descriptor.calls]
    return Catalog(
        tuple(descriptor._replace(calls=Later(descriptor.calls)) for descriptor in descriptors),
        {name: tuple(found) for name, found in calls.items()},
        {name: tuple(found) for name, found in any_receiver.items()},
        _assumptions(environments),
        frozenset(_LAST_NAME.split(name)[-1] for name in (*calls, *any_receiver)),
        frozenset(name for part in environments for name in part.get("page_builders", ())),
        frozenset(name for part in environments for name in part.get("own_origin", ())),
        frozenset(name for part in environments for name in part.get("session_keepers", ())),
        frozenset(name for part in environments for name in part.get("homepage_readers", ())),
        {
            language: tuple(dict.fromkeys(word for one in found for word in one.words))
            for language, found in _by_language(descriptors).items()
        },
        SocketPaths(
            *(
                frozenset(name for part in environments for name in part.get("socket_paths", {}).get(group, ()))
                for group in SocketPaths._fields
            )
        ),
        {name: layer for descriptor in descriptors for layer in descriptor.layers for name in sorted(layer.names)},
        {
            language: tuple(refusal for one in found for refusal in one.refusals)
            for language, found in _by_language(descriptors).items()
        },
        frozenset(name for call in specs for name in call.without | call.beside),
        frozenset(
            source.config
            for call in specs
            for emit in call.emits
            for source in emit.fields.values()
            if source.config is not None
        ),
        frozenset(
            name for call in specs if any(emit.kind == "http_server" for emit in call.emits) for name in call.callee
        ),
    )


def _by_language(descriptors: Iterable[Descriptor]) -> dict[str, list[Descriptor]]:
    found: dict[str, list[Descriptor]] = {}
    for descriptor in descriptors:
        found.setdefault(descriptor.language, []).append(descriptor)
    return found


def _assumptions(parts: Iterable[Mapping[str, Any]]) -> Assumptions:
    objects: set[str] = set()
    required: set[str] = set()
    reads: dict[str, EnvironmentRead] = {}
    production: dict[str, str | bool] = {}
    receivers: set[str] = set()
    records: set[str] = set()
    for part in parts:
        objects |= set(part.get("objects", ()))
        required |= set(part.get("required_objects", ()))
        receivers |= set(part.get("receivers", ()))
        records |= set(part.get("records", ()))
        production |= part.get("production", {})
        for read in part.get("reads", ()):
            names = [read["callee"]] if isinstance(read["callee"], str) else read["callee"]
            for name in names:
                reads[name] = EnvironmentRead(
                    read.get("name", 0),
                    read.get("fallback"),
                    read.get("fallback_keyword"),
                    bool(read.get("required")),
                    bool(read.get("splits")),
                    read.get("cast"),
                    frozenset(read.get("lists", ())),
                )
    return Assumptions(
        frozenset(objects), frozenset(required), reads, production, frozenset(receivers), frozenset(records)
    )


# --- reading one file ---


def read(data: bytes, path: Path) -> tuple[Descriptor, Mapping[str, Any] | None]:
    """Check one descriptor file; also returns its `environment:` part."""
    check = Checker(str(path), data)
    raw = parse(data, str(path))
    check.keys(
        raw,
        (),
        (
            "id",
            "title",
            "language",
            "package",
            "versions",
            "words",
            "tables",
            "calls",
            "settings",
            "headers",
            "files",
            "classes",
            "environment",
            "pages",
            "layers",
            "refusals",
            "examples",
            "references",
            "notes",
        ),
        ("id", "title", "language"),
    )
    identifier = check.text(raw["id"], ("id",))
    if identifier != path.stem:
        raise check.fail(("id",), f"the id {identifier!r} has to be the file's name without its ending ({path.stem!r})")
    package = check.keys(raw.get("package", {}), ("package",), ("ecosystem", "name"))
    if package:
        check.one_of(package.get("ecosystem"), ("package", "ecosystem"), ("npm", "pypi"))
    versions = _versions(check, raw["versions"], ("versions",)) if "versions" in raw else None
    tables = _tables(check, raw.get("tables", {}))
    if tables:
        raw |= {
            key: _with_tables(check, raw[key], (key,), tables) for key in ("calls", "settings", "headers") if key in raw
        }
    descriptor = Descriptor(
        identifier,
        check.text(raw["title"], ("title",)),
        check.one_of(raw["language"], ("language",), ("javascript", "python")),
        package.get("ecosystem"),
        package.get("name"),
        versions,
        tuple(_call(check, part, ("calls", i)) for i, part in enumerate(check.items(raw.get("calls", []), ("calls",)))),
        tuple(
            _settings(check, part, ("settings", i))
            for i, part in enumerate(check.items(raw.get("settings", []), ("settings",)))
        ),
        tuple(
            _headers(check, part, ("headers", i))
            for i, part in enumerate(check.items(raw.get("headers", []), ("headers",)))
        ),
        tuple(_file(check, part, ("files", i)) for i, part in enumerate(check.items(raw.get("files", []), ("files",)))),
        tuple(
            _class(check, part, ("classes", i))
            for i, part in enumerate(check.items(raw.get("classes", []), ("classes",)))
        ),
        tuple(_page(check, part, ("pages", i)) for i, part in enumerate(check.items(raw.get("pages", []), ("pages",)))),
        tuple(raw.get("examples", ())),
        _words(check, raw["words"], ("words",)) if "words" in raw else (),
        tuple(
            _layer(check, part, ("layers", i)) for i, part in enumerate(check.items(raw.get("layers", []), ("layers",)))
        ),
        tuple(
            _refusal(check, part, ("refusals", i))
            for i, part in enumerate(check.items(raw.get("refusals", []), ("refusals",)))
        ),
    )
    environment = raw.get("environment")
    if environment is not None:
        check.keys(
            environment,
            ("environment",),
            (
                "objects",
                "required_objects",
                "reads",
                "production",
                "receivers",
                "records",
                "page_builders",
                "session_keepers",
                "homepage_readers",
                "own_origin",
                "socket_paths",
            ),
        )
        paths = check.keys(
            environment.get("socket_paths", {}),
            ("environment", "socket_paths"),
            SocketPaths._fields,
        )
        for group, names in paths.items():
            at = ("environment", "socket_paths", group)
            for i, name in enumerate(check.items(names, at)):
                if not re.fullmatch(r"[a-z0-9_.-]+", check.text(name, (*at, i))):
                    raise check.fail((*at, i), f"{name!r} is no segment of a path, in lower case and without slashes")
        for i, part in enumerate(environment.get("reads", ())):
            check.keys(
                part,
                ("environment", "reads", i),
                ("callee", "name", "fallback", "fallback_keyword", "required", "splits", "cast", "lists"),
                ("callee",),
            )
    return descriptor, environment


def _words(check: Checker, value: object, at: KeyPath) -> tuple[bytes, ...]:
    found = []
    for i, part in enumerate(check.items(value, at)):
        word = check.text(part, (*at, i))
        # Files are searched in lower case, byte by byte. Two letters stand in nearly every file.
        if not word.isascii() or word != word.lower() or len(word) < _LEAST_WORD:
            raise check.fail(
                (*at, i), f"{word!r} is no word to look for: at least {_LEAST_WORD} ASCII characters, in lower case"
            )
        found.append(word.encode("ascii"))
    return tuple(found)


def _names(check: Checker, value: object, at: KeyPath) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(check.text(part, (*at, i)) for i, part in enumerate(check.items(value, at)))


def _positions(check: Checker, value: object, at: KeyPath) -> tuple[int, ...]:
    found = tuple(value) if isinstance(value, list) else (value,)
    if not all(isinstance(part, int) and not isinstance(part, bool) for part in found):
        raise check.fail(at, "positions are numbers, counted from 0")
    return found


def _option_positions(check: Checker, value: object, at: KeyPath) -> tuple[tuple[int, ...], frozenset[int]]:
    """The positions of options, and those among them that only count behind a number."""
    if value == "keywords":
        return (), frozenset()
    listed = value if isinstance(value, list) else [value]
    behind = {
        i: check.keys(part, (*at, i), ("position", "after"), ("position", "after"))
        for i, part in enumerate(listed)
        if isinstance(part, dict)
    }
    for i, part in behind.items():
        check.one_of(part["after"], (*at, i, "after"), ("number",))
    positions = _positions(check, [behind[i]["position"] if i in behind else part for i, part in enumerate(listed)], at)
    return positions, frozenset(positions[i] for i in behind)


def _call(check: Checker, raw: object, at: KeyPath) -> CallSpec:
    part = check.keys(
        raw,
        at,
        ("callee", "form", "when", "options", "emits", "completes", "lays", "fills", "late", "delegate"),
        ("callee",),
    )
    form = check.one_of(part.get("form", "any"), (*at, "form"), ("any", "construct", "call"))
    when = check.keys(
        part.get("when", {}),
        (*at, "when"),
        ("position", "keyword", "is", "is_not", "of_receiver", "receiver", "least", "most", "without", "with", "path"),
    )
    if "is" in when and "is_not" in when:
        raise check.fail((*at, "when"), "`is` and `is_not` exclude each other")
    asked = "is_not" if "is_not" in when else "is"
    completes = part.get("completes", False)
    completed = (
        check.keys(completes, (*at, "completes"), ("position", "keyword")) if completes not in (True, False) else {}
    )
    options = part.get("options", [])
    positions, after_number = _option_positions(check, options, (*at, "options"))
    fills = check.keys(part.get("fills", {}), (*at, "fills"), _all_fields())
    return CallSpec(
        _names(check, part["callee"], (*at, "callee")),
        None if form == "any" else form == "construct",
        when.get("position"),
        when.get("keyword"),
        frozenset(_names(check, when.get(asked, []), (*at, "when", asked))),
        positions,
        options == "keywords",
        _emits(check, part.get("emits", []), (*at, "emits")),
        bool(completes),
        (completed.get("position"), completed.get("keyword")),
        check.one_of(part.get("lays", "over"), (*at, "lays"), ("over", "under", "apart")),
        {name: _source(check, value, (*at, "fills", name)) for name, value in fills.items()},
        bool(part.get("late", False)),
        _delegate(check, part["delegate"], (*at, "delegate")) if "delegate" in part else None,
        frozenset(_names(check, when.get("receiver", []), (*at, "when", "receiver"))),
        int(when.get("least", 0)),
        int(when["most"]) if "most" in when else None,
        asked == "is_not",
        bool(when.get("of_receiver", False)),
        after_number,
        frozenset(_names(check, when.get("without", []), (*at, "when", "without"))),
        frozenset(_names(check, when.get("with", []), (*at, "when", "with"))),
        _pattern(check, when["path"], (*at, "when", "path")) if "path" in when else None,
    )


def _file(check: Checker, raw: object, at: KeyPath) -> FileSpec:
    part = check.keys(raw, at, ("names", "emits"), ("names", "emits"))
    names = _pattern(check, part["names"], (*at, "names"))
    return FileSpec(names, _call(check, {"callee": [], "options": 0, "emits": part["emits"]}, at))


def _class(check: Checker, raw: object, at: KeyPath) -> ClassSpec:
    part = check.keys(raw, at, ("base", "emits"), ("base", "emits"))
    return ClassSpec(
        frozenset(_names(check, part["base"], (*at, "base"))), _emits(check, part["emits"], (*at, "emits"))
    )


def _delegate(check: Checker, raw: object, at: KeyPath) -> Delegate:
    part = check.keys(raw, at, ("callback", "argument", "key", "wrapped", "group"), ("callback", "argument"))
    return Delegate(
        int(part["callback"]),
        int(part["argument"]),
        part.get("key"),
        bool(part.get("wrapped", False)),
        part.get("group"),
    )


def _all_fields() -> frozenset[str]:
    return frozenset(name for kind in FACT_KINDS.values() for name in kind.fields)


def _emits(check: Checker, raw: object, at: KeyPath) -> tuple[EmitSpec, ...]:
    return tuple(_emit(check, part, (*at, i)) for i, part in enumerate(check.items(raw, at)))


def _emit(check: Checker, raw: object, at: KeyPath) -> EmitSpec:
    part = check.keys(
        raw,
        at,
        (
            "fact",
            "fields",
            "policy",
            "options",
            "each",
            "for_each",
            "unless_absent",
            "unless_imported",
            "needs",
            "order",
            "next",
        ),
        ("fact",),
    )
    kind = check.one_of(part["fact"], (*at, "fact"), tuple(FACT_KINDS))
    allowed = FACT_KINDS[kind].fields
    sources = set(part.get("policy", {}).get("sources", ())) if isinstance(part.get("policy"), dict) else set()
    scoped = [part["for_each"]] if "for_each" in part else []
    raw_fields = part.get("fields", {})
    others = [name for name in raw_fields if str(name).startswith("given.")] if isinstance(raw_fields, dict) else []
    fields = check.keys(raw_fields, (*at, "fields"), (*allowed, *sources, *scoped, "group", "gate", "vary", *others))
    return EmitSpec(
        kind,
        {name: _source(check, value, (*at, "fields", name)) for name, value in fields.items()},
        _policy(check, part["policy"], (*at, "policy")) if "policy" in part else None,
        tuple(
            _group(check, group, (*at, "options", i))
            for i, group in enumerate(check.items(part.get("options", []), (*at, "options")))
        ),
        part.get("each"),
        part.get("for_each"),
        part.get("unless_absent"),
        part.get("needs"),
        check.one_of(part["order"], (*at, "order"), ORDERS) if "order" in part else None,
        part.get("next"),
        frozenset(_names(check, part.get("unless_imported", []), (*at, "unless_imported"))),
    )


def _source(check: Checker, raw: object, at: KeyPath) -> FieldSource:
    if not isinstance(raw, dict):
        return FieldSource(constant=_frozen(raw), has_constant=True)
    part = check.keys(raw, at, _SOURCE_KEYS)
    mapping = tuple((pair[0], pair[1]) for pair in check.items(part.get("map", []), (*at, "map")))
    return FieldSource(
        positions=_positions(check, part["position"], (*at, "position")) if "position" in part else (),
        keyword=part.get("keyword"),
        keys=_names(check, part["key"], (*at, "key")) if "key" in part else (),
        settings=_names(check, part["setting"], (*at, "setting")) if "setting" in part else (),
        config=part.get("config"),
        receiver=bool(part.get("receiver", False)),
        of_receiver=bool(part.get("of_receiver", False)),
        call=bool(part.get("call", False)),
        method=bool(part.get("method", False)),
        callee=bool(part.get("callee", False)),
        beside=part.get("beside"),
        handed_with=part.get("handed_with"),
        delegated=bool(part.get("delegated", False)),
        unknown=bool(part.get("unknown", False)),
        scope=bool(part.get("scope", False)),
        inside=_names(check, part["inside"], (*at, "inside")) if "inside" in part else (),
        override=part.get("override"),
        only=frozenset(_names(check, part.get("only", []), (*at, "only"))),
        handler=_names(check, part.get("handler", []), (*at, "handler")),
        blind=frozenset(_names(check, part.get("blind", []), (*at, "blind"))),
        spells=_pattern(check, part["spells"], (*at, "spells")) if "spells" in part else None,
        through=frozenset(_names(check, part.get("through", []), (*at, "through"))),
        decorated=bool(part.get("decorated", False)),
        constant=_frozen(part.get("constant")),
        has_constant="constant" in part,
        default=_frozen(part.get("default")),
        has_default="default" in part,
        absent=part.get("absent"),
        has_absent="absent" in part,
        read_as=check.one_of(part.get("as", "value"), (*at, "as"), READ_AS),
        present=bool(part.get("present", False)),
        truthy=bool(part.get("truthy", False)),
        mapping=mapping,
        by_version=tuple(
            _version_default(check, pair, (*at, "by_version", i)) for i, pair in enumerate(part.get("by_version", []))
        ),
    )


def _pattern(check: Checker, raw: object, at: KeyPath) -> re.Pattern[str]:
    try:
        return re.compile(check.text(raw, at))
    except re.error as error:
        raise check.fail(at, f"not a regular expression: {error}") from None


def _version_default(check: Checker, raw: object, at: KeyPath) -> tuple[str, object]:
    pair = check.items(raw, at)
    if len(pair) != 2:
        raise check.fail(at, "a pair [range of major versions, default] is expected")
    return _versions(check, pair[0], at), _frozen(pair[1])


def _versions(check: Checker, raw: object, at: KeyPath) -> str:
    text = check.text(raw, at)
    wrong = fault(text)
    if wrong is not None:
        raise check.fail(at, f"{wrong!r} is not a range of major versions (>=N, <N or ==N)")
    return text


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _tables(check: Checker, raw: object) -> Mapping[str, Responds]:
    if not isinstance(raw, dict):
        raise check.fail(("tables",), "`tables` has to be a mapping")
    tables = {}
    for name, part in raw.items():
        try:
            tables[name] = read_responds(part)
        except ResponsesError as error:
            raise check.fail(("tables", name, *error.at), str(error)) from None
    return tables


def _with_tables(check: Checker, value: Any, at: KeyPath, tables: Mapping[str, Responds]) -> Any:
    """The same with each `responds: NAME` replaced by the table of that name."""
    if isinstance(value, list):
        return [_with_tables(check, part, (*at, index), tables) for index, part in enumerate(value)]
    if not isinstance(value, dict):
        return value
    filled = {key: _with_tables(check, part, (*at, key), tables) for key, part in value.items()}
    if isinstance(value.get("responds"), str):
        filled["responds"] = tables[check.one_of(value["responds"], (*at, "responds"), tuple(tables))]
    return filled


def _policy(check: Checker, raw: object, at: KeyPath) -> PolicySemantics:
    try:
        return policy_semantics(raw)
    except SemanticsError as error:
        raise check.fail((*at, *error.at), str(error)) from None


def _group(check: Checker, raw: object, at: KeyPath) -> OptionGroup:
    part = check.keys(
        raw, at, ("path", "names", "legacy", "misplaced", "meant", "consequence", "strict", "fails"), ("names",)
    )
    return OptionGroup(
        part.get("path", ""),
        frozenset(_names(check, part["names"], (*at, "names"))),
        dict(part.get("legacy", {})),
        dict(part.get("misplaced", {})),
        dict(part.get("meant", {})),
        _consequence(check, part.get("consequence", {}), (*at, "consequence")),
        bool(part.get("strict", False)),
        bool(part.get("fails", False)),
    )


def _consequence(check: Checker, raw: object, at: KeyPath) -> Mapping[str, str]:
    if isinstance(raw, str):
        return {"always": raw}
    part = check.keys(raw, at, sorted(MEANINGS), ())
    return {meaning: check.text(words, (*at, meaning)) for meaning, words in part.items()}


def _settings(check: Checker, raw: object, at: KeyPath) -> SettingsSpec:
    part = check.keys(
        raw, at, ("names", "development", "emits", "requires", "prefix", "beside", "final"), ("names", "emits")
    )
    development = part.get("development")
    return SettingsSpec(
        frozenset(_names(check, part["names"], (*at, "names"))),
        re.compile(development) if development is not None else None,
        _emits(check, part["emits"], (*at, "emits")),
        {name: re.compile(pattern) for name, pattern in part.get("requires", {}).items()},
        part.get("prefix", ""),
        frozenset(_names(check, part.get("beside", []), (*at, "beside"))),
        bool(part.get("final", False)),
    )


def _layer(check: Checker, raw: object, at: KeyPath) -> LayerSpec:
    part = check.keys(raw, at, ("is", "kind", "preflight", "when", "unless", "default", "apart", "wraps"), ("is",))
    setting = part.get("when", part.get("unless"))
    return LayerSpec(
        frozenset(_names(check, part["is"], (*at, "is"))),
        check.one_of(part.get("kind", "unknown"), (*at, "kind"), LAYER_KINDS),
        Tri(check.one_of(part.get("preflight", "no"), (*at, "preflight"), ("yes", "no", "unknown"))),
        check.text(setting, at) if setting is not None else None,
        bool(part.get("default", False)),
        "unless" in part,
        frozenset(part.get("apart", ())),
        part.get("wraps"),
    )


def _refusal(check: Checker, raw: object, at: KeyPath) -> RefusalSpec:
    part = check.keys(
        raw,
        at,
        ("callee", "position", "keyword", "status", "members", "returned", "methods", "secrets", "verifies"),
    )
    return RefusalSpec(
        frozenset(_names(check, part.get("callee", []), (*at, "callee"))),
        _positions(check, part["position"], (*at, "position")) if "position" in part else (),
        part.get("keyword"),
        part.get("status"),
        frozenset(_names(check, part.get("members", []), (*at, "members"))),
        part.get("returned"),
        frozenset(_names(check, part.get("methods", []), (*at, "methods"))),
        frozenset(name.lower() for name in _names(check, part.get("secrets", []), (*at, "secrets"))),
        frozenset(_names(check, part.get("verifies", []), (*at, "verifies"))),
    )


def _page(check: Checker, raw: object, at: KeyPath) -> ScriptLibrary:
    part = check.keys(raw, at, ("global", "stands_for", "scripts"), ("global", "stands_for", "scripts"))
    sources = []
    for i, one in enumerate(check.items(part["scripts"], (*at, "scripts"))):
        inner = (*at, "scripts", i)
        source = check.keys(one, inner, ("url", "version_of"), ("url",))
        try:
            url = re.compile(check.text(source["url"], (*inner, "url")), re.IGNORECASE)
        except re.error as error:
            raise check.fail((*inner, "url"), f"not a regular expression: {error}") from None
        package = source.get("version_of")
        sources.append(
            ScriptSource(url, ("npm", check.text(package, (*inner, "version_of"))) if package is not None else None)
        )
    return ScriptLibrary(
        check.text(part["global"], (*at, "global")), check.text(part["stands_for"], (*at, "stands_for")), tuple(sources)
    )


def _headers(check: Checker, raw: object, at: KeyPath) -> HeaderSpec:
    part = check.keys(
        raw,
        at,
        (
            "methods",
            "functions",
            "appends",
            "containers",
            "objects",
            "holders",
            "responses",
            "requests",
            "request_methods",
            "clients",
            "made",
            "decorators",
            "beside",
            "request_members",
            "request_calls",
            "request_functions",
            "vary",
            "policy",
        ),
        ("methods", "policy"),
    )
    vary = check.keys(part.get("vary", {}), (*at, "vary"), VarySpec._fields)
    return HeaderSpec(
        frozenset(part["methods"]),
        frozenset(part.get("functions", ())),
        frozenset(part.get("appends", ())),
        frozenset(part.get("containers", ())),
        bool(part.get("objects", False)),
        frozenset(part.get("holders", ())),
        frozenset(part.get("responses", ())),
        frozenset(part.get("requests", ())),
        frozenset(part.get("beside", ())),
        frozenset(name.lower() for name in part.get("request_members", ())),
        frozenset(part.get("request_calls", ())),
        VarySpec(**{name: frozenset(names) for name, names in vary.items()}),
        _policy(check, part["policy"], (*at, "policy")),
        frozenset(part.get("request_methods", ())),
        frozenset(part.get("clients", ())),
        frozenset(part.get("made", ())),
        frozenset(part.get("request_functions", ())),
        frozenset(part.get("decorators", ())),
    )
