"""Writes, or checks, what is generated from the code's own tables: JSON Schemas, docs/reference.md and more.

    python scripts/generate.py write
    python scripts/generate.py check      # status 1 and the names, if a file is not what `write` would make

Sources: kinds of facts and their fields (`corslint/model/kinds.py`), conditions and keys of rules
(`corslint/rulefiles.py`), relations (`corslint/relations/table.py`), edit verbs (`corslint/fixes.py`), settings
(`corslint/settings.py`), what the loader of descriptors allows (`corslint/frameworks/descriptors.py`) with the words of
docs/descriptors.md. Rules and descriptors get a first line that names their schema, so that editors complete them.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

CHECKOUT = Path(__file__).resolve().parent.parent
ROOT = CHECKOUT
"""Where files are written."""

sys.path.insert(0, str(CHECKOUT))

from corslint import rulefiles, settings  # noqa: E402
from corslint.frameworks import descriptors  # noqa: E402
from corslint.model import semantics  # noqa: E402
from corslint.model.edits import APPLICABILITY, VERBS  # noqa: E402
from corslint.model.facts import State  # noqa: E402
from corslint.model.finding import CONFIDENCES, EFFECTS, SEVERITIES  # noqa: E402
from corslint.model.kinds import FACT_KINDS, FieldSpec  # noqa: E402
from corslint.model.symptom import CLUES, WEIGHTS  # noqa: E402
from corslint.relations import Relation  # noqa: E402
from corslint.relations.table import RELATIONS  # noqa: E402
from corslint.rulefiles import CONDITIONS, EXPECT, REQUIRED_KEYS, REQUIRED_WAY_KEYS, RULE_KEYS, TYPES, WAY_KEYS  # noqa: E402
from corslint.ruleset import category  # noqa: E402

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TEXT: Schema = {"type": "string"}
TEXTS: Schema = {"type": "array", "items": TEXT}
SCALAR: Schema = {"type": ["string", "number", "boolean"]}
REFERENCE = r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_.*-]*$"
PLACE = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_.*-]*)?$"


def one_key(properties: Mapping[str, Schema]) -> Schema:
    return {
        "type": "object",
        "properties": dict(properties),
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }


def closed(properties: Mapping[str, Schema], required: tuple[str, ...] = (), doc: str = "") -> Schema:
    schema: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    if required:
        schema["required"] = list(required)
    return {"description": doc, **schema} if doc else schema


# --- rules ----------------------------------------------------------------------------------------------------------


def literal(spec: FieldSpec) -> Schema | None:
    """What a literal may be; None where the field takes none."""
    if not isinstance(spec.type, str):
        return {"enum": list(spec.type)}
    literals: dict[str, Schema] = {
        "text": {"type": "string"},
        "tri": {"enum": ["yes", "no"]},
        "boolean": {"type": "boolean"},
        "number": {"type": "number"},
    }
    return literals.get(spec.type)


def operand(kind: str, literals: Schema | None, itself: Schema) -> Schema:
    reference: Schema = {"type": "string", "pattern": REFERENCE}
    return {
        "condition": itself,
        "conditions": {"type": "array", "items": itself, "minItems": 1},
        "literals": {"type": "array", "items": literals or {}, "minItems": 1},
        "regex": {"type": "string", "format": "regex"},
        "reference": reference,
        "number": {"type": "number"},
        "bound": {"anyOf": [{"type": "number"}, reference]},
        "literal": SCALAR,
        "list": {"anyOf": [{"type": "array", "items": SCALAR, "minItems": 1}, reference]},
        "text": {"type": "string"},
    }[kind]


def condition(name: str, spec: FieldSpec) -> Schema:
    """The conditions that a field of this type takes; `name` is the definition's own name, for nested ones."""
    literals = literal(spec)
    itself: Schema = {"$ref": f"#/$defs/{name}"}
    forms: list[Schema] = [{"enum": ["present", "absent"]}]
    if literals is not None:
        forms.append(literals)
    known = category(spec.type)
    forms.append(
        one_key(
            {
                key: {"description": rule.doc, **operand(rule.operand, literals, itself)}
                for key, rule in CONDITIONS.items()
                if known in rule.types
            }
        )
    )
    return {"anyOf": forms}


def definition(kind: str, field: str) -> str:
    """The name of a field's definition: one for each type, and one for each field with texts of its own."""
    known = category(FACT_KINDS[kind].fields[field].type)
    return f"{kind}.{field}" if known == "choice" else known


def where(kind: str) -> Schema:
    plain: dict[str, Schema] = {}
    patterns: dict[str, Schema] = {}
    for field, spec in FACT_KINDS[kind].fields.items():
        schema: Schema = {"description": spec.doc, "$ref": f"#/$defs/{definition(kind, field)}"}
        if field.endswith(".*"):
            stem = field[:-2].replace(".", r"\.")
            patterns[rf"^{stem}\.[^A-Z.*]+$"] = schema
        else:
            plain[field] = schema
    schema = closed(plain, doc=FACT_KINDS[kind].doc)
    if patterns:
        schema["patternProperties"] = patterns
    return schema


def rule_schema() -> Schema:
    definitions: dict[str, Schema] = {}
    samples = {
        "text": "text",
        "number": "number",
        "boolean": "boolean",
        "tri": "tri",
        "list": "list",
        "instance": "instance",
    }
    assert {*samples, "choice"} == set(TYPES)
    for name in samples:
        definitions[name] = condition(name, FieldSpec(name, ""))
    for kind, spec in FACT_KINDS.items():
        for field, of in spec.fields.items():
            if category(of.type) == "choice":
                definitions[definition(kind, field)] = condition(definition(kind, field), of)
        definitions[f"where.{kind}"] = where(kind)
    asked: Schema = {"anyOf": [{"type": "object"}, {"enum": ["present", "absent"]}]}
    when: Schema = {"type": "object", "minProperties": 1, "additionalProperties": asked}
    place: Schema = {"type": "string", "pattern": PLACE}
    files: Schema = {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": {"anyOf": [TEXT, closed({"unreadable": TEXT}, ("unreadable",))]},
    }
    keys = sorted({key for allowed in VERBS.values() for key in allowed})
    definitions["fix"] = closed(
        {
            "title": TEXT,
            "applicability": {"enum": list(APPLICABILITY)},
            "only_when": when,
            "otherwise": {"$ref": "#/$defs/fix"},
            "edits": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "properties": {**dict.fromkeys(VERBS, place), **{key: {} for key in keys}},
                    "additionalProperties": False,
                    "oneOf": [{"required": [verb]} for verb in VERBS],
                },
            },
        },
        ("title", "applicability", "edits"),
    )
    severity: Schema = {"enum": list(SEVERITIES)}
    effect: Schema = {"enum": list(EFFECTS)}
    case = closed(
        {
            "when": when,
            "unknown": {"const": True},
            "is": severity,
            "at": place,
            "effect": effect,
            "message": TEXT,
            "help": TEXT,
            "fix": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/fix"}]},
        },
        ("is",),
    )
    clause = closed(
        {
            "name": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"},
            "fact": {"enum": list(FACT_KINDS)},
            "where": {"type": "object"},
            "relation": closed({name: {"description": one.doc, **TEXT} for name, one in RELATIONS.items()}),
            "expect": {"enum": list(EXPECT)},
            "distinct": {"anyOf": [TEXT, TEXTS]},
        },
        ("fact",),
    )
    clause["allOf"] = [
        {
            "if": {"properties": {"fact": {"const": kind}}, "required": ["fact"]},
            "then": {"properties": {"where": {"$ref": f"#/$defs/where.{kind}"}}},
        }
        for kind in FACT_KINDS
    ]
    clause["allOf"].append(
        {
            "if": {"not": {"properties": {"expect": {"const": "none"}}, "required": ["expect"]}},
            "then": {"required": ["name"]},
        }
    )
    example = closed(
        {
            "name": TEXT,
            "files": files,
            "fixed": {"type": "object", "additionalProperties": TEXT},
            "clean": {"type": "boolean"},
            "severity": severity,
            "effect": effect,
            "message": TEXT,
            "applicability": {"enum": [*APPLICABILITY, "none"]},
            "settings": {"type": "object"},
        },
        ("files",),
    )
    clue: Schema = {"anyOf": [TEXT, TEXTS, closed({"matches": {"type": "string", "format": "regex"}}, ("matches",))]}
    symptom = closed(
        {
            "says": TEXT,
            "where": closed({name: {"description": text, **clue} for name, text in CLUES.items()}),
            "weight": {"type": "integer", "minimum": WEIGHTS[0], "maximum": WEIGHTS[-1]},
        },
        ("says",),
    )
    is_clean: Schema = {"properties": {"clean": {"const": True}}, "required": ["clean"]}
    parts: dict[str, Schema] = {
        "id": {"type": "string", "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"},
        "title": TEXT,
        "explanation": TEXT,
        "severity": {"anyOf": [severity, {"type": "array", "minItems": 1, "items": case}]},
        "effect": effect,
        "match": {"type": "array", "minItems": 1, "items": clause},
        "report": closed(
            {
                "at": place,
                "message": TEXT,
                "help": TEXT,
                "related": {"type": "array", "items": closed({"at": place, "message": TEXT}, ("at", "message"))},
            },
            ("at",),
        ),
        "also": {"type": "array", "items": {"$ref": "#/$defs/way"}},
        "subjects": {"type": "array", "items": place},
        "yields_to": TEXTS,
        "symptoms": {"type": "array", "items": {"anyOf": [TEXT, symptom]}},
        "fix": {"$ref": "#/$defs/fix"},
        "proof": TEXT,
        "references": TEXTS,
        "examples": {
            "type": "array",
            "items": example,
            "allOf": [{"contains": is_clean}, {"contains": {"not": is_clean}}],
        },
    }
    assert parts.keys() == RULE_KEYS.keys()
    definitions["way"] = closed({key: parts[key] for key in WAY_KEYS}, REQUIRED_WAY_KEYS)
    schema = closed({key: {"description": RULE_KEYS[key], **part} for key, part in parts.items()}, REQUIRED_KEYS)
    return {"$schema": DIALECT, "title": "A corslint rule", **schema, "$defs": definitions}


# --- facts ----------------------------------------------------------------------------------------------------------

POSITION: Schema = {"type": "integer", "minimum": 1}
STANDS: dict[str, Schema] = {"path": TEXT, "line": POSITION, "column": POSITION}


def value(spec: FieldSpec) -> Schema:
    """What a field's value looks like in the output of `corslint facts`."""
    if not isinstance(spec.type, str):
        return {"enum": list(spec.type)}
    return {
        "text": TEXT,
        "number": {"type": "number"},
        "boolean": {"type": "boolean"},
        "tri": {"enum": ["yes", "no"]},
        "list": {"type": "array", "items": SCALAR},
        "instance": {"$ref": "#/$defs/place"},
    }[spec.type]


def field(spec: FieldSpec) -> Schema:
    nothing = [state for state in get_args(State) if state in ("absent", "unknown")]
    return {
        "description": spec.doc,
        "allOf": [
            {"$ref": "#/$defs/field"},
            {
                "if": {"properties": {"state": {"enum": nothing}}},
                "then": {"properties": {"value": {"type": "null"}}},
                "else": {"properties": {"value": {"anyOf": [value(spec), {"type": "null"}]}}},
            },
        ],
    }


def facts_schema() -> Schema:
    definitions: dict[str, Schema] = {
        "place": closed(STANDS, tuple(STANDS), "Where something stands: 1-based, columns in code points."),
        "field": {
            "type": "object",
            "properties": {
                "value": {},
                "state": {"enum": list(get_args(State))},
                "confidence": {"enum": list(CONFIDENCES)},
                **STANDS,
            },
            "required": ["value", "state"],
            "dependentRequired": {"path": ["line", "column"]},
        },
    }
    for kind, spec in FACT_KINDS.items():
        schema: Schema = {"type": "object", "description": spec.doc, "properties": {}, "additionalProperties": False}
        for name, of in spec.fields.items():
            if name.endswith(".*"):
                stem = name[:-2].replace(".", r"\.")
                schema.setdefault("patternProperties", {})[rf"^{stem}\..+$"] = field(of)
            else:
                schema["properties"][name] = field(of)
        definitions[f"fields.{kind}"] = schema
    fact: Schema = {
        "type": "object",
        "properties": {
            "id": {"type": "integer", "minimum": 0, "description": "what `parts` of other facts call it"},
            "kind": {"enum": list(FACT_KINDS)},
            **STANDS,
            "end_line": POSITION,
            "end_column": POSITION,
            "fields": {"type": "object"},
            "parts": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}},
        },
        "required": ["kind", *STANDS, "end_line", "end_column", "fields"],
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                "then": {"properties": {"fields": {"$ref": f"#/$defs/fields.{kind}"}}},
            }
            for kind in FACT_KINDS
        ],
    }
    return {
        "$schema": DIALECT,
        "title": "The output of `corslint facts`",
        "type": "object",
        "properties": {"version": {"const": 1}, "facts": {"type": "array", "items": fact}},
        "required": ["version", "facts"],
        "$defs": definitions,
    }


# --- settings -------------------------------------------------------------------------------------------------------


def rule_names() -> Schema:
    """Names of rules: the built-in ones are offered, others are allowed, as are patterns."""
    known = sorted(path.stem for path in (CHECKOUT / "rules").glob("*.yaml"))
    return {"type": "array", "items": {"anyOf": [{"enum": known}, {"type": "string", "pattern": r"^[a-z0-9*-]+$"}]}}


def setting(key: settings.Key) -> Schema:
    """What the value of a settings key looks like."""
    level: Schema = {"enum": list(settings.LEVELS)}
    known = sorted(path.stem for path in (CHECKOUT / "rules").glob("*.yaml"))
    schemas: dict[str, Schema] = {
        "text": {"type": "string", "minLength": 1},
        "texts": TEXTS,
        "boolean": {"type": "boolean"},
        "patterns": {"type": "array", "items": {"type": "string", "pattern": r"\S"}},
        "rules": rule_names(),
        "rules by pattern": {"type": "object", "additionalProperties": rule_names()},
        "severities": {"type": "object", "properties": dict.fromkeys(known, level), "additionalProperties": level},
        "confidence": {"enum": list(settings.CONFIDENCES)},
        "threshold": {"enum": list(settings.FAIL_ON)},
        "version": {"type": "string", "pattern": r"^\d{1,4}\.\d{1,4}(\.\d{1,4})?$"},
        "places": {
            "type": "object",
            "propertyNames": {"pattern": "^/"},
            "additionalProperties": {"type": "string", "pattern": "^[^/]"},
        },
        "expectations": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "from": {"type": "string", "pattern": r"^(null|https?://[^\s/?#@]+)$"},
                    "to": {"type": "string", "pattern": r"^(https?|wss?)://[^\s/?#@]+([/?]\S*)?$"},
                    "credentials": {"type": "boolean"},
                    "method": {"type": "string", "pattern": "^[A-Za-z]+$"},
                    "headers": {"type": "array", "items": {"type": "string"}},
                    "verdict": {"enum": list(settings.VERDICTS)},
                },
                "required": ["from", "to", "verdict"],
                "additionalProperties": False,
            },
        },
        "origins": {"type": "array", "items": {"type": "string", "pattern": r"^[a-z][a-z0-9+.-]*://[^\s/?#@]+$"}},
    }
    return {"description": key.doc, **schemas[key.kind]}


def settings_schema() -> Schema:
    schema = closed({name: setting(key) for name, key in settings.KEYS.items()})
    return {"$schema": DIALECT, "title": "Settings of corslint", **schema}


# --- descriptors ----------------------------------------------------------------------------------------------------


def checked(function: str, subject: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The keys that a function of the descriptors' loader allows a part called `subject`, and those it needs."""
    tree = ast.parse(inspect.getsource(getattr(descriptors, function)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "keys":
            if len(node.args) >= 3 and ast.unparse(node.args[0]).partition(".get(")[2].startswith(f"{subject!r}"[:-1]):
                break
            if len(node.args) >= 3 and ast.unparse(node.args[0]) == subject:
                break
    else:
        raise LookupError(f"{function} checks no keys of {subject}")
    allowed, needed = ([ast.literal_eval(one) for one in node.args[2:4]] + [()])[:2]
    return tuple(allowed), tuple(needed)


_ROW = re.compile(r"^\| (`[^|]+?`) \| (.+) \|$", re.MULTILINE)


def described(section: str, keys: Iterable[str], known: Mapping[str, Schema]) -> dict[str, Schema]:
    """The keys with what docs/descriptors.md says of them under a heading."""
    text = (CHECKOUT / "docs" / "descriptors.md").read_text(encoding="utf-8")
    own = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    docs: dict[str, str] = {}
    for names, doc in _ROW.findall(own):
        docs.update(dict.fromkeys(re.findall(r"`([\w.]+)`", names), doc.replace("\\|", "|")))
    return {key: {**({"description": docs[key]} if key in docs else {}), **known.get(key, {})} for key in sorted(keys)}


def descriptor_schema() -> Schema:
    names: Schema = {"anyOf": [TEXT, TEXTS]}
    positions: Schema = {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}}]}
    behind: Schema = {
        "type": "object",
        "properties": {"position": {"type": "integer"}, "after": {"enum": ["number"]}},
        "required": ["position", "after"],
        "additionalProperties": False,
    }
    option_positions: Schema = {"anyOf": [behind, {"type": "array", "items": {"anyOf": [{"type": "integer"}, behind]}}]}
    flag: Schema = {"type": "boolean"}
    meaning: Schema = {"enum": list(semantics.MEANINGS)}
    ranges: Schema = {"type": "array", "items": {"type": "array", "minItems": 2, "maxItems": 2}}
    emits: Schema = {"type": "array", "items": {"$ref": "#/$defs/emit"}}
    source: Schema = {"$ref": "#/$defs/source"}
    policy: Schema = {"$ref": "#/$defs/policy"}

    def word(words: Iterable[str]) -> Schema:
        return {"enum": list(words)}

    def word_by_version(words: Iterable[str]) -> Schema:
        return {"anyOf": [word(words), ranges]}

    def listed(name: str) -> Schema:
        return {"type": "array", "items": {"$ref": f"#/$defs/{name}"}}

    def part(section: str, function: str, subject: str, known: Mapping[str, Schema]) -> Schema:
        allowed, needed = checked(function, subject)
        return closed(described(section, allowed, known), needed)

    when = part("", "_call", "when", {"is": names, "receiver": names, "path": {"type": "string"}})
    sources = {
        "position": positions, "key": names, "setting": names, "inside": names, "only": names, "handler": names,
        "blind": names, "through": names, "spells": {"type": "string"},
        "as": word(descriptors.READ_AS), "by_version": ranges, "map": ranges,
        **dict.fromkeys(("receiver", "of_receiver", "call", "method", "callee", "delegated", "unknown"), flag),
        **dict.fromkeys(("scope", "present", "truthy"), flag),
    }  # fmt: skip
    origin_keys: dict[str, Schema] = {
        "meanings": ranges, "unset": meaning, "string": word(semantics.TEXT_MODES), "fold_case": flag,
        "list": word(semantics.ITEM_MODES), "star_in_list": word_by_version(semantics.STAR_IN_LIST),
        "list_otherwise": word(semantics.LIST_OTHERWISE), "empty_list": meaning, "otherwise": meaning,
        "regex_mode": word(("search", "match", "full")), "function": word(semantics.FUNCTIONS),
        "lists": word(semantics.LISTS), "regex": word(semantics.REGEXES), "list_regex": word(semantics.REGEXES),
        "promise": word_by_version(semantics.PROMISES), "no_error": word(semantics.NO_ERROR), "of_request": flag,
        "stateful_regex": flag, "in_versions": ranges, "in_configuration": {"$ref": "#/$defs/origin"},
        "origin_parameter": {"type": "integer"}, "callback_parameter": {"type": "integer"},
    }  # fmt: skip
    row: dict[str, Schema] = {name: word(words) for name, words in semantics.ROW_WORDS.items()}
    policy_keys: dict[str, Schema] = {
        "sources": TEXTS, "group": ranges, "group_otherwise": meaning, "credentials": word(semantics.CREDENTIALS),
        "refused": word_by_version(semantics.REFUSED), "gate": word(semantics.GATES),
        "vary": {"type": "array", "items": word(semantics.DECISIONS)},
        "sends": {"type": "array", "items": closed(described("`policy`", semantics.Row._fields, row))},
    }  # fmt: skip
    emit = part(
        "`emits`",
        "_emit",
        "raw",
        {
            "fact": {"enum": list(FACT_KINDS)},
            "fields": {"type": "object", "additionalProperties": source},
            "policy": policy,
            "options": listed("group"),
        },
    )
    emit["allOf"] = [
        {
            "if": {"properties": {"fact": {"const": kind}}},
            "then": {
                "properties": {
                    "fields": {
                        "properties": {name: {"description": one.doc, **source} for name, one in spec.fields.items()}
                    }
                }
            },
        }
        for kind, spec in FACT_KINDS.items()
    ]
    definitions: dict[str, Schema] = {
        "source": {
            "anyOf": [
                {"type": ["string", "number", "boolean", "null", "array"]},
                closed(described("Where a field comes from", descriptors._SOURCE_KEYS, sources)),
            ]
        },
        "emit": emit,
        "origin": closed(described("`policy`", semantics._ORIGIN_KEYS, origin_keys)),
        "policy": {
            "type": "object",
            "properties": described("`policy`", semantics._POLICY_KEYS, policy_keys),
            "additionalProperties": {"$ref": "#/$defs/origin"},
        },
        "group": part("`options`", "_group", "raw", {"names": names, "strict": flag, "fails": flag}),
        "call": part(
            "`calls`",
            "_call",
            "raw",
            {
                "callee": names,
                "form": word(("construct", "call", "any")),
                "lays": word(("over", "under", "apart")),
                "when": when,
                "options": {"anyOf": [{"const": "keywords"}, positions, option_positions]},
                "emits": emits,
                "fills": {"type": "object", "additionalProperties": source},
                "late": flag,
                "delegate": part("", "_delegate", "raw", {"wrapped": flag}),
            },
        ),
        "class": part("`classes`", "_class", "raw", {"base": names, "emits": emits}),
        "file": part("`files`", "_file", "raw", {"names": {"type": "string", "format": "regex"}, "emits": emits}),
        "settings": part("`settings`", "_settings", "raw", {"names": names, "emits": emits, "final": flag}),
        "headers": part("`headers`", "_headers", "raw", {"policy": policy, "objects": flag}),
        "page": part("`pages`", "_page", "raw", {"global": TEXT, "stands_for": TEXT}),
    }
    ecosystem: Schema = {"enum": ["npm", "pypi"]}
    allowed, needed = checked("read", "raw")
    top = described(
        "The file",
        allowed,
        {
            "id": {"type": "string", "pattern": "^[a-z0-9][a-z0-9.-]*$"},
            "title": TEXT,
            "language": word(("javascript", "python")),
            "package": closed({"ecosystem": ecosystem, "name": TEXT}, ("ecosystem", "name")),
            "versions": {"type": "string"},
            "words": TEXTS,
            "tables": {"type": "object"},
            "calls": listed("call"),
            "classes": listed("class"),
            "files": listed("file"),
            "settings": listed("settings"),
            "headers": listed("headers"),
            "pages": listed("page"),
            "environment": part("`environment`", "read", "environment", {}),
            "examples": {"type": "array", "items": {"type": "object"}},
        },
    )
    title = "A corslint descriptor of a library"
    return {"$schema": DIALECT, "title": title, **closed(top, needed), "$defs": definitions}


# --- fleet ----------------------------------------------------------------------------------------------------------


def fleet_schema() -> Schema:
    count: Schema = {"type": "integer", "minimum": 0}
    counts: Schema = {"type": "object", "additionalProperties": count}
    effects: Schema = {"type": "object", "propertyNames": {"enum": list(EFFECTS)}, "additionalProperties": count}
    by_severity = {f"{name}s": count for name in SEVERITIES}
    change = closed(
        {"new": count, "gone": count},
        ("new", "gone"),
        "How many more findings of a rule there are in a repository than last time, and how many fewer.",
    )
    date: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}
    place: Schema = {"type": "string", "description": "Below the output folder."}
    totals = {
        "repositories": count,
        "with_findings": count,
        "clean": count,
        "failed": count,
        "files": count,
        **by_severity,
        "effects": effects,
    }
    since = {
        "date": date,
        "corslint": TEXT,
        "same_options": {"type": "boolean"},
        "repositories": {
            "description": "Those that were checked both times; `new` and `gone` count in these.",
            **count,
        },
        "added": count,
        "removed": count,
        "new": count,
        "gone": count,
    }
    rule = {"rule": TEXT, "findings": count, "repositories": count, **by_severity, "effects": effects}
    checked = {
        "name": TEXT,
        "status": {"enum": ["findings", "clean"]},
        "files": count,
        **by_severity,
        "effects": effects,
        "rules": {"description": "Findings by rule.", **counts},
        "json": place,
        "sarif": place,
    }
    failed = {"name": TEXT, "status": {"const": "failed"}, "failure": TEXT}
    run = {"date": date, "repositories": count, "with_findings": count, "failed": count, **by_severity}
    parts: dict[str, Schema] = {
        "version": {"const": 1},
        "corslint": {"description": "The version that made it.", **TEXT},
        "date": {"description": "When the run ended, in UTC.", **date},
        "options": {"description": "Is the same where the options of the command line are.", **TEXT},
        "totals": closed(totals, tuple(totals)),
        "since": {
            "description": "What is different from the last run; null for the first.",
            "anyOf": [closed(since, tuple(since)), {"type": "null"}],
        },
        "rules": {
            "description": "Those with findings, or with some last time; those in most repositories first.",
            "type": "array",
            "items": closed({**rule, "since": change}, tuple(rule)),
        },
        "repositories": {
            "description": "Sorted by name.",
            "type": "array",
            "items": {"anyOf": [closed({**checked, "since": change}, tuple(checked)), closed(failed, tuple(failed))]},
        },
        "trend": {
            "description": "The last runs with this one, oldest first.",
            "type": "array",
            "items": closed(run, tuple(run)),
        },
    }
    return {"$schema": DIALECT, "title": "The summary of `corslint fleet`", **closed(parts, tuple(parts))}


SCHEMAS = {
    "rule": rule_schema,
    "facts": facts_schema,
    "settings": settings_schema,
    "descriptor": descriptor_schema,
    "fleet": fleet_schema,
}

NAMING = "# yaml-language-server: $schema="
"""What the first line of a YAML file says to editors, before the path of its schema."""


def named(path: Path) -> str:
    """A rule or descriptor whose first line names its schema."""
    schema = "../corslint/schemas/rule" if path.parent.name == "rules" else "../schemas/descriptor"
    text = path.read_text(encoding="utf-8")
    body = text.partition("\n")[2] if text.startswith(NAMING) else text
    return f"{NAMING}{schema}.schema.json\n{body}"


# --- the reference --------------------------------------------------------------------------------------------------


def reference() -> str:
    """docs/reference.md: what a rule may say, and what it can ask about."""
    parts = [
        "# Reference",
        "<!-- Made by `python scripts/generate.py write` from the code's own tables. Change those. -->",
        "[rules.md](rules.md) shows how a rule is written.",
        "## Rules",
        inspect.cleandoc(rulefiles.__doc__ or "").partition("\n\n")[2].strip(),
        f"`expect` is {one_of(EXPECT)}; `effect` is {one_of(EFFECTS)}.",
        table("key of a rule", {name: required(name) + text for name, text in RULE_KEYS.items()}),
        "## Symptoms",
        "What a message tells of the request, for `where` in a symptom. What it does not tell is not known.",
        table("clue", CLUES),
        "## Edits of a fix",
        "Each edit is `{verb: name.field, key: ...}`.",
        table("verb", {verb: ", ".join(f"`{key}`" for key in sorted(keys)) for verb, keys in VERBS.items()}, "keys"),
        "## Relations",
        *(
            f"**`{name}`**, from {kinds(one.first)} to {kinds(one.second)}. {words(one)}"
            for name, one in RELATIONS.items()
        ),
        "## Facts",
        "`corslint facts` prints those of a project. A field is written, default, absent or unknown.",
    ]
    for kind, spec in FACT_KINDS.items():
        parts += [f"### {kind}", spec.doc, table("field", {n: f"{shape(f)}: {f.doc}" for n, f in spec.fields.items()})]
    return "\n\n".join(parts) + "\n"


def table(head: str, rows: Mapping[str, str], second: str = "") -> str:
    lines = [f"| {head} | {second} |", "|---|---|"]
    return "\n".join([*lines, *(f"| `{name}` | {text.replace('|', chr(92) + '|')} |" for name, text in rows.items())])


def one_of(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words[:-1]) + f" or `{words[-1]}`"


def required(key: str) -> str:
    return "(required) " if key in REQUIRED_KEYS else ""


def words(relation: Relation) -> str:
    return " ".join((inspect.getdoc(relation.holds) or "").split())


def kinds(names: Sequence[str]) -> str:
    return "any" if set(names) == set(FACT_KINDS) else ", ".join(f"`{name}`" for name in names)


def shape(spec: FieldSpec) -> str:
    if isinstance(spec.type, str):
        return '`"yes"` or `"no"`' if spec.type == "tri" else spec.type
    return ", ".join(f"`{value}`" for value in spec.type)


def settings_page() -> str:
    """docs/settings.md with the present table of keys."""
    before, begin, rest = (CHECKOUT / "docs" / "settings.md").read_text(encoding="utf-8").partition("<!-- keys -->\n")
    _, end, after = rest.partition("<!-- end of keys -->\n")
    rows = table("key", {name: key.doc for name, key in settings.KEYS.items()})
    return f"{before}{begin}{rows}\n{end}{after}"


def generated() -> dict[Path, str]:
    """Every generated file with its content."""
    folder = ROOT / "corslint" / "schemas"
    schemas = {
        folder / f"{name}.schema.json": json.dumps(make(), indent=1, ensure_ascii=False) + "\n"
        for name, make in SCHEMAS.items()
    }
    files = [path for folder in ("rules", "corslint/frameworks") for path in (CHECKOUT / folder).glob("*.yaml")]
    first_lines = {ROOT / path.relative_to(CHECKOUT): named(path) for path in sorted(files)}
    pages = {ROOT / "docs" / "reference.md": reference(), ROOT / "docs" / "settings.md": settings_page()}
    return {**schemas, **pages, **first_lines}


def main(arguments: list[str]) -> int:
    if arguments not in (["write"], ["check"]):
        print(__doc__, file=sys.stderr)
        return 2
    stale = []
    for path, content in generated().items():
        if arguments == ["write"]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != content:
            stale.append(path.relative_to(ROOT).as_posix())
    for name in stale:
        print(f"{name} is not what the tables say: run `python scripts/generate.py write`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
