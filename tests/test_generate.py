"""The generated schemas: up to date, in agreement with the loader, and with what `corslint facts` prints."""

from __future__ import annotations

import importlib.util
import json
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from corslint import settings
from corslint.model.facts import Fact, Field
from corslint.model.kinds import FACT_KINDS
from corslint.report import facts as report
from corslint.resources import schema_file
from corslint.source import SourceFile, Span

ROOT = Path(__file__).parent.parent
RULES = sorted((ROOT / "rules").glob("*.yaml"))


@pytest.fixture
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "scripts" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def schema(name: str) -> Draft202012Validator:
    loaded = json.loads(Path(schema_file(name)).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(loaded)
    return Draft202012Validator(loaded)


def test_the_schemas_are_what_the_tables_say(generate: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["check"]) == 0
    assert capsys.readouterr().err == ""


def test_check_names_a_stale_file(
    generate: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    assert generate.main(["check"]) == 1
    assert "corslint/schemas/rule.schema.json is not what the tables say" in capsys.readouterr().err
    assert generate.main(["write"]) == 0
    assert generate.main(["check"]) == 0
    (tmp_path / "corslint" / "schemas" / "facts.schema.json").write_text("{}")
    assert generate.main(["check"]) == 1
    assert "facts.schema.json" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["wirte"], ["write", "check"]])
def test_usage(generate: ModuleType, arguments: list[str]) -> None:
    assert generate.main(arguments) == 2


RULE = """\
id: two-owners
severity: error
effect: broken
match:
  - name: route
    fact: proxy_route
    where: {adds.vary: present, complete: "yes", upstream_port: {at_least: 1}}
  - name: policy
    fact: cors_policy
    relation: {served_by: route}
    where: {layer: {not: {one_of: [http]}}, credentials: true, origin: {any: [absent, {matches: a}]}}
report: {at: route.adds.vary, message: m, help: h}
examples:
  - {files: {nginx.conf: x}}
  - {files: {nginx.conf: x}, clean: true}
"""


def test_the_rule_schema_takes_a_rule() -> None:
    assert [error.message for error in schema("rule").iter_errors(yaml.safe_load(RULE))] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("effect: broken", "efect: broken"),
        ("effect: broken", "effect: broke"),
        ("severity: error", "severity: eror"),
        ("severity: error", "severity: []"),
        ("severity: error", "severity: [{when: {route: {}}}]"),
        ("fact: proxy_route", "fact: proxy_rout"),
        ("complete:", "complet:"),
        ('complete: "yes"', "complete: yes"),
        ('complete: "yes"', "complete: {matches: y}"),
        ("adds.vary: present", "adds.Vary: present"),
        ("{at_least: 1}", '"80"'),
        ("{at_least: 1}", "{at_least: 1, at_most: 2}"),
        ("{at_least: 1}", "{contains: 1}"),
        ("served_by:", "served_bye:"),
        ("[http]", "[htp]"),
        ("[http]", "[]"),
        ("credentials: true", "credentials: 'true'"),
        ("{matches: a}", "{matchs: a}"),
        ("  - name: policy\n    fact", "  - fact"),
        (", clean: true", ""),
        ("  - {files: {nginx.conf: x}}\n", ""),
        ("at: route.adds.vary, ", ""),
    ],
)
def test_the_rule_schema_refuses_a_mistake(old: str, new: str) -> None:
    assert RULE.count(old) == 1
    assert not schema("rule").is_valid(yaml.safe_load(RULE.replace(old, new)))


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_the_rule_schema_takes_every_rule(path: Path) -> None:
    loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert [error.message for error in schema("rule").iter_errors(loaded)] == []


SAMPLES: dict[str, object] = {
    "text": "x",
    "number": 1,
    "boolean": True,
    "tri": "yes",
    "list": ("a", 1),
    "instance": Span("a.js", 0, 1),
}


def _printed(*facts: Fact) -> Any:
    source = SourceFile("a.js", b"x = 1\n")
    return json.loads(report.render(facts, lambda path: source))


def _full(kind: str) -> Fact:
    here = Span("a.js", 0, 1)
    fields = {
        name.replace("*", "vary"): Field(
            SAMPLES[spec.type] if isinstance(spec.type, str) else spec.type[0], "written", here
        )
        for name, spec in FACT_KINDS[kind].fields.items()
    }
    return Fact(kind, here, fields)


@pytest.mark.parametrize("kind", FACT_KINDS)
def test_the_facts_schema_takes_every_kind(kind: str) -> None:
    whole, bare = _full(kind), Fact(kind, Span("a.js", 0, 1), {})
    bare.fields = {name: Field(None, "unknown") for name in whole.fields}
    bare.parts["owner"] = whole
    absent = Fact(kind, Span("a.js", 2, 3), dict.fromkeys(whole.fields, Field(None, "absent")))
    assert [error.message for error in schema("facts").iter_errors(_printed(whole, bare, absent))] == []


@pytest.mark.parametrize(
    "field",
    [
        {"polling": Field("maybe")},
        {"polling": Field("yes", "unknown")},
        {"port": Field("80")},
        {"kind": Field("websockets")},
        {"instance": Field("a.js:1")},
        {"transport": Field(("polling",))},
        {"transports": Field("polling")},
        {"path": Field("/x", "guessed")},  # type: ignore[arg-type]
    ],
)
def test_the_facts_schema_refuses_a_mistake(field: dict[str, Field]) -> None:
    assert not schema("facts").is_valid(_printed(Fact("socket_server", Span("a.js", 0, 1), field)))


# --- settings --------------------------------------------------------------------------------------------------------

SETTINGS = """\
extend = "../base.toml"
select = ["wildcard-origin", "our-rule", "socketio-*"]
extend-ignore = ["null-origin-allowed"]
min-confidence = "medium"
exclude = ["dist", "*.gen.js"]
nginx-version = "1.28"
nginx-paths = { "/etc/nginx/" = "deploy" }
frontends = ["https://app.example.com"]
fail-on = "never"
markdown = true
severity = { wildcard-origin = "error", our-rule = "note" }
per-file-ignores = { "legacy/**" = ["*"] }
"""


def test_the_settings_schema_takes_settings() -> None:
    assert [error.message for error in schema("settings").iter_errors(tomllib.loads(SETTINGS))] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("select =", "selct ="),
        ('"our-rule"', "1"),
        ('"our-rule"', '"Our Rule"'),
        ('"medium"', '"sure"'),
        ('"1.28"', "1.28"),
        ('"1.28"', '"latest"'),
        ('"/etc/nginx/"', '"etc"'),
        ('"deploy"', '"/deploy"'),
        ('["https://app.example.com"]', '["app.example.com"]'),
        ('"never"', '"nothing"'),
        ("true", '"yes"'),
        ('our-rule = "note"', 'our-rule = "off"'),
        ('wildcard-origin = "error"', 'wildcard-origin = "off"'),
        ('["*"]', '"*"'),
        ('["dist", "*.gen.js"]', '[" "]'),
    ],
)
def test_the_settings_schema_refuses_what_the_loader_refuses(old: str, new: str) -> None:
    assert SETTINGS.count(old) == 1
    table = tomllib.loads(SETTINGS.replace(old, new))
    assert not schema("settings").is_valid(table)
    if new != '"Our Rule"':  # which rules there are is asked later
        with pytest.raises(settings.UsageError):
            settings.read_table(table)


def test_the_settings_schema_knows_every_key_and_rule() -> None:
    loaded = json.loads(Path(schema_file("settings")).read_text(encoding="utf-8"))
    assert set(loaded["properties"]) == set(settings.KEYS)
    assert set(loaded["properties"]["severity"]["properties"]) == {path.stem for path in RULES}


# --- descriptors -----------------------------------------------------------------------------------------------------

DESCRIPTORS = sorted((ROOT / "corslint" / "frameworks").glob("*.yaml"))


@pytest.mark.parametrize("path", DESCRIPTORS, ids=lambda path: path.stem)
def test_the_descriptor_schema_takes_every_descriptor(path: Path) -> None:
    loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert [f"{list(one.path)} {one.message}" for one in schema("descriptor").iter_errors(loaded)] == []


DESCRIPTOR = """\
id: cors
title: Express cors
language: javascript
package: {ecosystem: npm, name: cors}
calls:
  - callee: cors#default
    form: call
    options: 0
    emits:
      - fact: cors_policy
        fields: {origin: {key: origin, as: value}, layer: http}
        policy:
          origin: {meanings: [["*", star]], string: fixed, function: callback}
          credentials: "true"
          refused: nothing
          sends: [{decision: star, acao: "*"}]
        options: [{names: [origin]}]
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("language: javascript", "language: ruby"),
        ("ecosystem: npm", "ecosystem: gem"),
        ("calls:", "cals:"),
        ("callee:", "calle:"),
        ("form: call", "form: new"),
        ("options: 0", 'options: "0"'),
        ("fact: cors_policy", "fact: cors_polcy"),
        ("key: origin", "keys: origin"),
        ("as: value", "as: valu"),
        ("string: fixed", "string: fix"),
        ("meanings:", "meaning:"),
        ("function: callback", "function: call"),
        ('credentials: "true"', "credentials: true"),
        ("refused: nothing", "refused: nobody"),
        ("decision: star", "decision: stars"),
        ("names: [origin]", "name: [origin]"),
        ("title: Express cors\n", ""),
    ],
)
def test_the_descriptor_schema_refuses_a_mistake(old: str, new: str) -> None:
    assert schema("descriptor").is_valid(yaml.safe_load(DESCRIPTOR.replace(old, new))) is (old == new)


def test_what_an_editor_shows_about_a_key(generate: ModuleType) -> None:
    made = generate.descriptor_schema()
    call = made["$defs"]["call"]["properties"]
    assert call["callee"]["description"] == "name or names of the API"
    undocumented: set[str] = set()
    for name in ("call", "emit", "group", "file", "settings", "headers", "page", "origin"):
        undocumented |= {key for key, one in made["$defs"][name]["properties"].items() if "description" not in one}
    assert undocumented == set()


@pytest.mark.parametrize("path", [*RULES, *DESCRIPTORS], ids=lambda path: path.stem)
def test_every_file_names_its_schema(path: Path) -> None:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    name = first.removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / name).resolve() == Path(schema_file("rule" if path in RULES else "descriptor"))
