"""A library that nobody described so far takes one YAML file and no Python.

Two made-up libraries get a descriptor beside the built-in ones. Rules that know nothing of them find what is wrong with
code that uses them, and say who gets through.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from corslint import fixes, lint, resources
from corslint.frameworks import descriptors
from corslint.model.finding import Finding
from corslint.settings import Settings
from corslint.source import SourceFile
from tests import descriptor_examples
from tests.examples import findings_of

NPM = r"""
id: portcullis
title: Portcullis
language: javascript
package: {ecosystem: npm, name: "@made-up/portcullis"}
words: [portcullis]
calls:
  - callee: ["@made-up/portcullis#default", "@made-up/portcullis#Portcullis"]
    options: [1, 0]
    emits:
      - fact: cors_policy
        fields:
          layer: http
          instance: {call: true}
          app: {position: 0, as: instance}
          origin: {key: letIn, by_version: [["<2", star], [">=2", none]]}
          credentials: {key: trust, default: false}
        policy:
          sources: [origin]
          origin:
            meanings: [["*", star], ["everyone", echo], [false, none]]
            unset: echo
            string: exact
            regex_mode: search
            function: predicate
            otherwise: unknown
          credentials: "true"
          vary: [echo, fixed, nothing]
        options:
          - names: [letIn, trust, cacheFor]
            meant: {allow: letIn}
            consequence: {star: it lets everybody in, none: it lets nobody in}
examples:
  - name: nobody since version 2
    version: "2.1.0"
    code: |
      import guard from '@made-up/portcullis';
      export default guard({ cacheFor: 60 });
    facts:
      - {kind: cors_policy, framework: Portcullis, library: portcullis, major: 2, effect.to_stranger: nothing}
    absent: [policy_option]
  - name: everybody before
    version: "1.9.0"
    code: |
      const { Portcullis } = require('@made-up/portcullis');
      new Portcullis(app, { trust: true });
    facts:
      - {kind: cors_policy, effect.to_stranger: star, effect.credentials: "yes"}
  - name: the boolean alone sends credentials
    version: "2.0.0"
    code: |
      require('@made-up/portcullis')({ letIn: 'everyone', trust: 'true' });
    facts:
      - {kind: cors_policy, effect.to_stranger: echo, effect.credentials: "no", effect.accepts_null: "yes"}
"""

PYPI = r"""
id: drawbridge
title: Drawbridge
language: python
package: {ecosystem: pypi, name: draw-bridge}
words: [drawbridge]
calls:
  - callee: [drawbridge#Drawbridge, drawbridge.wsgi#Drawbridge]
    options: keywords
    emits:
      - fact: cors_policy
        fields:
          layer: http
          instance: {call: true}
          app: {position: 0, keyword: app, as: instance}
          origin: {key: lower_for, default: none}
          patterns: {key: lower_for_matching}
          credentials: {key: with_cookies, default: true}
        policy:
          sources: [origin, patterns]
          origin: {meanings: [["*", echo]], unset: fails, string: letters, star_in_list: wildcard-echo}
          patterns: {string: regex, regex_mode: match}
          credentials: truthy
          refused: refuse
          vary: [echo]
        options:
          - names: [app, lower_for, lower_for_matching, with_cookies]
            strict: true
            fails: true
            consequence: the program stops with a TypeError
examples:
  - name: it lets nobody in by default, and refuses
    code: |
      from drawbridge import Drawbridge
      Drawbridge(app)
    facts:
      - {kind: cors_policy, effect.to_stranger: refused, credentials: true, credentials.state: default}
  - name: one star in a list, and patterns that have to match at the beginning
    code: |
      import drawbridge.wsgi
      drawbridge.wsgi.Drawbridge(app, lower_for=["*"], with_cookies=False)
      drawbridge.wsgi.Drawbridge(app, lower_for_matching=r"https://app\.example\.com\Z")
    facts:
      - {kind: cors_policy, effect.to_stranger: echo, effect.credentials: "no"}
      - {kind: cors_policy, effect.to_stranger: refused, witness.origin: absent}
"""


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> lint.Knowledge:
    """The built-in rules and descriptors, and one file for each of the two libraries."""
    folder = tmp_path_factory.mktemp("made-up") / "frameworks"
    shutil.copytree(Path(resources.frameworks_folder()), folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (folder / "portcullis.yaml").write_text(NPM.lstrip(), encoding="utf-8")
    (folder / "drawbridge.yaml").write_text(PYPI.lstrip(), encoding="utf-8")
    return lint.Knowledge(lint.knowledge().rules, descriptors.load(folder))


@pytest.mark.parametrize("name", ["portcullis", "drawbridge"])
def test_the_examples_of_the_descriptor_hold(name: str, known: lint.Knowledge) -> None:
    descriptor = next(one for one in known.catalog.descriptors if one.id == name)
    assert [descriptor_examples.trouble(descriptor, example, known) for example in descriptor.examples] == [None] * len(
        descriptor.examples
    )


def found_in(path: str, code: str, manifest: dict[str, str], known: lint.Knowledge) -> list[Finding]:
    files = {path: code.encode(), **{name: text.encode() for name, text in manifest.items()}}
    return findings_of(files, Settings(), known, with_fixes=True)


def shown(found: list[Finding], code: str) -> set[tuple[str, str, str]]:
    """Rule, severity and the text at its place."""
    data = code.encode()
    return {(one.rule, one.severity, data[one.primary.start : one.primary.end].decode()) for one in found}


GUARD = "const guard = require('@made-up/portcullis');\nmodule.exports = "
NPM_MANIFEST = {"package.json": '{"dependencies": {"@made-up/portcullis": "2.1.0"}}'}
OLD_NPM_MANIFEST = {"package.json": '{"dependencies": {"@made-up/portcullis": "^1.4.0"}}'}
PYPI_MANIFEST = {"requirements.txt": "draw-bridge==0.3.0\n"}


@pytest.mark.parametrize(
    ("code", "manifest", "expected", "witness"),
    [
        (
            (
                "import guard from '@made-up/portcullis';\n"
                "export default guard({ letIn: /^https:\\/\\/app\\.example\\.com/, trust: true });\n"
            ),
            NPM_MANIFEST,
            {("weak-origin-check", "error", "/^https:\\/\\/app\\.example\\.com/")},
            "https://app.example.com.attacker.test",
        ),
        (
            (
                "import { Portcullis } from '@made-up/portcullis';\n"
                "export const one = new Portcullis(app, { letIn: (origin) => origin.endsWith('example.com') });\n"
            ),
            NPM_MANIFEST,
            {("weak-origin-check", "warning", "origin.endsWith('example.com')")},
            "https://attackerexample.com",
        ),
        (
            (
                "const guard = require('@made-up/portcullis');\n"
                "module.exports = guard({ letIn: ['https://app.example.com', 'null'], trust: true });\n"
            ),
            NPM_MANIFEST,
            {("null-origin-allowed", "error", "'null'")},
            None,
        ),
        (
            GUARD + "guard({ letIn: 'everyone', trust: true });\n",
            NPM_MANIFEST,
            {("reflected-origin-with-credentials", "error", "'everyone'")},
            None,
        ),
        (
            GUARD + "guard({ trust: true });\n",
            OLD_NPM_MANIFEST,
            {("wildcard-origin-with-credentials", "error", "guard({ trust: true })")},
            None,
        ),
        (
            GUARD + "guard({ allow: 'https://app.example.com' });\n",
            NPM_MANIFEST,
            {("unknown-cors-option", "error", "allow")},
            None,
        ),
        (
            (
                "const guard = require('@made-up/portcullis');\n"
                "module.exports = guard({ letIn: process.env.FRONT_END, trust: true });\n"
            ),
            NPM_MANIFEST,
            {("unset-origin-env", "error", "process.env.FRONT_END")},
            None,
        ),
        (
            GUARD + "guard({ letIn: 'https://app.example.com/' });\n",
            NPM_MANIFEST,
            {("malformed-origin", "error", "'https://app.example.com/'")},
            None,
        ),
    ],
)
def test_npm(
    code: str,
    manifest: dict[str, str],
    expected: set[tuple[str, str, str]],
    witness: str | None,
    known: lint.Knowledge,
) -> None:
    found = found_in("server.js", code, manifest, known)
    assert shown(found, code) == expected
    if witness is not None:
        assert f"`{witness}`" in found[0].message


@pytest.mark.parametrize(
    ("code", "expected", "witness"),
    [
        (
            (
                "from drawbridge import Drawbridge\n"
                'application = Drawbridge(app, lower_for_matching=r"https://app\\.example\\.com")\n'
            ),
            {("weak-origin-check", "error", 'r"https://app\\.example\\.com"')},
            "https://app.example.com.attacker.test",
        ),
        (
            (
                "import drawbridge\n"
                'application = drawbridge.Drawbridge(app, lower_for_matching=r"https://app.example\\.com\\Z")\n'
            ),
            {("weak-origin-check", "error", 'r"https://app.example\\.com\\Z"')},
            "https://appxexample.com",
        ),
        (
            'from drawbridge.wsgi import Drawbridge as Bridge\napplication = Bridge(app, lower_for="*")\n',
            {("reflected-origin-with-credentials", "error", '"*"')},
            None,
        ),
        (
            (
                "import os\nfrom drawbridge import Drawbridge\n"
                'application = Drawbridge(app, lower_for=os.environ.get("FRONT_END"))\n'
            ),
            {("unset-origin-env", "warning", 'os.environ.get("FRONT_END")')},
            None,
        ),
    ],
)
def test_pypi(code: str, expected: set[tuple[str, str, str]], witness: str | None, known: lint.Knowledge) -> None:
    found = found_in("app.py", code, PYPI_MANIFEST, known)
    assert shown(found, code) == expected
    if witness is not None:
        assert f"`{witness}`" in found[0].message


@pytest.mark.parametrize(
    ("path", "code", "manifest"),
    [
        # a guard that is right
        (
            "server.js",
            (
                "import guard from '@made-up/portcullis';\n"
                "export default guard({ letIn: /^https:\\/\\/app\\.example\\.com$/, trust: true });\n"
            ),
            NPM_MANIFEST,
        ),
        (
            "server.js",
            (
                "const guard = require('@made-up/portcullis');\nconst known = new Set(['https://app.example.com']);\n"
                "module.exports = guard({ letIn: (origin) => known.has(origin), trust: true });\n"
            ),
            NPM_MANIFEST,
        ),
        # the default of this version
        ("server.js", "module.exports = require('@made-up/portcullis')({ trust: true });\n", NPM_MANIFEST),
        # what is not known
        (
            "server.js",
            GUARD + "guard({ letIn: load(), trust: true });\n",
            NPM_MANIFEST,
        ),
        ("server.js", "module.exports = require('@made-up/portcullis')({ letIn: 1, trust: true });\n", NPM_MANIFEST),
        # another package, an own function, another export, a name alone
        (
            "server.js",
            "import guard from '@others/portcullis';\nexport default guard({ letIn: 'everyone', trust: true });\n",
            NPM_MANIFEST,
        ),
        (
            "server.js",
            "function guard(options) {}\nguard({ letIn: 'everyone', trust: true });\n",
            NPM_MANIFEST,
        ),
        (
            "server.js",
            "import { gate } from '@made-up/portcullis';\ngate({ letIn: 'everyone', trust: true });\n",
            NPM_MANIFEST,
        ),
        ("server.js", "portcullis({ letIn: 'everyone', trust: true });\n", NPM_MANIFEST),
        # the other language
        (
            "app.py",
            "from portcullis import Portcullis\nPortcullis(letIn='everyone', trust=True)\n",
            PYPI_MANIFEST,
        ),
        (
            "app.py",
            (
                "from drawbridge import Drawbridge\n"
                'application = Drawbridge(app, lower_for=["https://app.example.com"])\n'
            ),
            PYPI_MANIFEST,
        ),
        (
            "app.py",
            (
                "from drawbridge import Drawbridge\n"
                'application = Drawbridge(app, lower_for_matching=r"https://app\\.example\\.com\\Z")\n'
            ),
            PYPI_MANIFEST,
        ),
        (
            "app.py",
            'from .drawbridge import Drawbridge\napplication = Drawbridge(app, lower_for="*")\n',
            PYPI_MANIFEST,
        ),
    ],
)
def test_near_misses(path: str, code: str, manifest: dict[str, str], known: lint.Knowledge) -> None:
    assert shown(found_in(path, code, manifest, known), code) == set()


def test_nothing_is_found_without_the_descriptor() -> None:
    code = GUARD + "guard({ letIn: 'everyone', trust: true });\n"
    assert found_in("server.js", code, NPM_MANIFEST, lint.knowledge()) == []


def test_a_fix_knows_the_options_of_the_library(known: lint.Knowledge) -> None:
    code = GUARD + "guard({ allow: ['https://app.example.com'] });\n"
    files = {"server.js": code.encode(), "package.json": NPM_MANIFEST["package.json"].encode()}
    result = fixes.fix_to_fixpoint(
        lambda changed: findings_of({**files, **changed}, Settings(), known, with_fixes=True),
        findings_of(files, Settings(), known, with_fixes=True),
        lambda path: SourceFile(path, files[path]),
        unsafe=False,
    )
    assert result.changed == {"server.js": code.replace("allow:", "letIn:").encode()}
