"""Other tools, with rules that ask for about the same as a few of corslint's: what is found of them, and how to run it.

None of them does the same work: ripgrep looks for three words, the others look at one file at a time. They say what a
user is used to wait for.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from benchmark.measure import Tool

WORDS = r"cors|socket\.io|access-control-"
"""What ripgrep looks for: it reads every file, and is the floor for all that do."""

SEMGREP_RULES = Path(__file__).with_name("semgrep.yaml")
"""As many of corslint's questions as semgrep can be asked."""

_AST_GREP_RULES = {
    "cors": "{pattern: 'cors($$$)'}",
    "server": "{pattern: 'new Server($$$)'}",
    "header": "{pattern: '$R.setHeader($$$)'}",
}

_ESLINT = """import { createRequire } from "node:module";
const parser = createRequire(MODULES)("@typescript-eslint/parser");
const wrong = {
  selector: "CallExpression[callee.name='cors'] > ObjectExpression:has(Property[key.name='credentials'])"
    + " > Property[key.name='origin'][value.value='*'], NewExpression[callee.name='Server']",
  message: "every site may read answers, with cookies",
};
export default [{
  files: ["**/*.{js,ts,tsx,jsx,mjs,cjs}"],
  languageOptions: { parser },
  rules: { "no-restricted-syntax": ["error", wrong] },
}];
"""


class Peers(NamedTuple):
    """Where other tools are; None for one that is not here. `modules`: a folder `node_modules` with ESLint's parser."""

    ripgrep: str | None
    ast_grep: str | None
    semgrep: str | None
    eslint: str | None
    oxlint: str | None
    modules: str | None

    def missing(self) -> list[str]:
        """Those that are not here."""
        return [name.replace("_", "-") for name in self._fields[:-1] if getattr(self, name) is None]


def found(named: Mapping[str, str | None]) -> Peers:
    """The tools that were named, or that the PATH or the folder of node modules holds."""
    modules = named.get("modules")
    inside = os.path.join(modules, ".bin") if modules else None

    def find(name: str, command: str) -> str | None:
        given = named.get(name)
        if given is not None and shutil.which(given) is None:
            raise SystemExit(f"--{name.replace('_', '-')}: there is no such command: {given}")
        return given or shutil.which(command) or (shutil.which(command, path=inside) if inside else None)

    eslint = find("eslint", "eslint")
    return Peers(
        find("ripgrep", "rg"),
        find("ast_grep", "ast-grep"),
        find("semgrep", "semgrep"),
        eslint if modules and os.path.isdir(os.path.join(modules, "@typescript-eslint", "parser")) else None,
        find("oxlint", "oxlint"),
        modules,
    )


def tools(peers: Peers, tree: Path, rules: Path) -> dict[str, Tool]:
    """The tools that are here, on a tree. Their rules are written to a folder outside of it."""
    made: dict[str, Tool] = {}
    if peers.ripgrep is not None:
        made["ripgrep"] = Tool("ripgrep", (peers.ripgrep, "-c", "-i", WORDS, "."), tree)
    if peers.ast_grep is not None:
        config = _ast_grep(rules)
        made["ast-grep"] = Tool("ast-grep", (peers.ast_grep, "scan", "-c", str(config), "-j2", "."), tree)
    if peers.semgrep is not None:
        quiet = ("--metrics=off", "--disable-version-check", "--quiet", "--jobs", "2")
        made["semgrep"] = Tool("semgrep", (peers.semgrep, "scan", *quiet, "--config", str(SEMGREP_RULES), "."), tree)
    if peers.eslint is not None:
        config = rules / "eslint.config.mjs"
        config.write_text(_ESLINT.replace("MODULES", json.dumps(f"{peers.modules}/x.js")), encoding="utf-8")
        made["ESLint"] = Tool("ESLint", (peers.eslint, "--config", str(config), "--quiet", "."), tree)
    if peers.oxlint is not None:
        config = rules / "oxlintrc.json"
        config.write_text('{"categories": {"correctness": "off"}, "rules": {"no-debugger": "error"}}', encoding="utf-8")
        made["oxlint"] = Tool("oxlint", (peers.oxlint, "--threads=2", "--no-ignore", "-c", str(config), "."), tree)
    return made


def _ast_grep(rules: Path) -> Path:
    (rules / "ast-grep").mkdir(exist_ok=True)
    for language in ("JavaScript", "TypeScript", "Tsx"):
        for name, rule in _AST_GREP_RULES.items():
            text = (
                f"id: {name}-{language.lower()}\nlanguage: {language}\nseverity: warning\nmessage: look\nrule: {rule}\n"
            )
            (rules / "ast-grep" / f"{name}-{language}.yaml").write_text(text, encoding="utf-8")
    config = rules / "sgconfig.yml"
    config.write_text("ruleDirs: [ast-grep]\n", encoding="utf-8")
    return config
