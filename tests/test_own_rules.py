"""Rules of the user's own: found through settings, checked when loaded, tested by their examples."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corslint import cli

Capture = pytest.CaptureFixture[str]

RULE = """\
id: no-demo-origin
severity: warning
effect: policy
match:
  - {name: entry, fact: origin_entry, where: {text: {matches: "demo"}}}
report: {at: entry.text, message: "`{entry.text}` is a demo", help: Remove it.}
examples:
  - name: a demo
    files:
      server.js: |
        require('express')().use(require('cors')({ origin: [⟦'https://demo.example.com'⟧] }));
  - name: no demo
    clean: true
    files:
      server.js: |
        require('express')().use(require('cors')({ origin: ['https://app.example.com'] }));
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "no-demo-origin.yaml").write_text(RULE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ran(capsys: Capture, *arguments: str) -> tuple[int, str, str]:
    status = cli.run(list(arguments))
    return status, *capsys.readouterr()


def test_a_rule_is_found_through_the_settings_and_can_be_selected_and_ignored(capsys: Capture) -> None:
    Path("corslint.toml").write_text('rules = ["ours"]\n')
    code = "require('express')().use(require('cors')({ origin: ['https://demo.example.com'] }));\n"
    Path("a.js").write_text(code)
    status, out, _ = ran(capsys, "check", "--output-format", "concise")
    assert (status, out) == (1, "a.js:1:53: warning: `https://demo.example.com` is a demo [no-demo-origin]\n")
    assert ran(capsys, "check", "--ignore", "no-demo-origin")[0] == 0
    assert "no-demo-origin" in ran(capsys, "rule")[1]
    Path("a.js").write_text(f"// corslint: ignore[no-demo-origin]\n{code}")
    assert ran(capsys, "check")[0] == 0
    assert "[unused-ignore]" in ran(capsys, "check", "--isolated", "--output-format", "concise")[1]


def test_examples_that_hold(capsys: Capture) -> None:
    expected = (0, "", "corslint: 2 examples of 1 rule: all hold\n")
    assert ran(capsys, "rule", "--test", "--rules", "ours") == expected
    assert ran(capsys, "rule", "--test", "--rules", "ours", "no-demo-origin") == expected
    Path("corslint.toml").write_text('rules = ["ours"]\n')
    assert ran(capsys, "rule", "--test") == expected
    status, _, err = ran(capsys, "rule", "--test", "null-origin-allowed")
    assert (status, err.endswith("of 1 rule: all hold\n")) == (0, True)


def test_an_example_that_does_not_hold_is_named_with_its_place(capsys: Capture) -> None:
    Path("ours/no-demo-origin.yaml").write_text(
        RULE.replace("⟦", "").replace("⟧", "").replace("'cors'", "⟦'cors'⟧", 1), encoding="utf-8"
    )
    status, out, err = ran(capsys, "rule", "--test", "--rules", "ours")
    assert status == 1
    assert out == (
        "ours/no-demo-origin.yaml:8: no-demo-origin: a demo: found at"
        " [\"server.js:52-78 'https://demo.example.com'\"], expected [\"server.js:33-39 'cors'\"]\n"
    )
    assert err == "corslint: 2 examples of 1 rule: 1 failed\n"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("effect: policy", "efect: policy", "ours/no-demo-origin.yaml:3: unknown key 'efect'"),
        ("fact: origin_entry", "fact: orign_entry", "ours/no-demo-origin.yaml:5: "),
        ("id: no-demo-origin", "id: null-origin-allowed", "ours/no-demo-origin.yaml:1: "),
        ("report:", "report: [", "ours/no-demo-origin.yaml:"),
    ],
)
@pytest.mark.parametrize("command", [["check"], ["rule"], ["rule", "--test"], ["facts"]])
def test_a_mistake_in_a_rule_is_placed(capsys: Capture, command: list[str], old: str, new: str, message: str) -> None:
    Path("corslint.toml").write_text('rules = ["ours"]\n')
    Path("a.js").write_text("start();\n")
    Path("ours/no-demo-origin.yaml").write_text(RULE.replace(old, new), encoding="utf-8")
    status, out, err = ran(capsys, *command)
    assert (status, out) == (2, "")
    assert err.startswith(f"corslint: error: {message}")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--test"], "no rules of your own: name a rule, or a folder with `rules` in the settings or --rules"),
        (["--test", "no-such"], "there is no rule `no-such`"),
        (["--rules", "theirs"], "--rules names a folder that does not exist: theirs"),
    ],
)
def test_wrong_use(capsys: Capture, arguments: list[str], message: str) -> None:
    status, out, err = ran(capsys, "rule", *arguments)
    assert (status, out) == (2, "")
    assert err.startswith(f"corslint: error: {message}")


@pytest.mark.parametrize("name", ["settings", "rule", "descriptor", "facts"])
def test_schemas_are_printed(capsys: Capture, name: str) -> None:
    status, out, _ = ran(capsys, "schema", name)
    assert status == 0
    assert json.loads(out)["$schema"].startswith("https://json-schema.org/")
