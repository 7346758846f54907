"""Clients in Vue and Svelte components are joined with servers like those in other files."""

from __future__ import annotations

import pytest

from corslint import lint
from corslint.settings import Settings
from tests.examples import findings_of

SERVER = """\
const { createServer } = require('http');
const { Server } = require('socket.io');
const server = createServer();
new Server(server, { path: '/live', cors: { origin: 'https://app.example.com' } });
server.listen(3000);
"""
CONFIG = "export const path = '/socket.io';\n"
MANIFEST = '{"dependencies": {"socket.io": "4.8.1", "socket.io-client": "4.8.1"}}'

CLIENT = "import { io } from 'socket.io-client';\nimport { path } from './config';\n"
CALL = "const socket = io('http://localhost:3000', { path });\n"


def found(files: dict[str, str]) -> set[tuple[str, str, str]]:
    """Rule, file and the text at the place of each finding about the path."""
    data = {path: text.encode() for path, text in files.items()}
    return {
        (one.rule, one.primary.path, data[one.primary.path][one.primary.start : one.primary.end].decode())
        for one in findings_of(data, Settings(), lint.knowledge())
        if one.rule == "socketio-path-mismatch"
    }


def project(path: str, component: str, **more: str) -> dict[str, str]:
    return {"package.json": MANIFEST, "server.js": SERVER, "src/config.ts": CONFIG, path: component, **more}


@pytest.mark.parametrize(
    ("path", "component", "config"),
    [
        ("src/App.vue", f"<template><p>é</p></template>\n<script>\n{CLIENT}{CALL}</script>\n", "src/config.ts"),
        (
            "src/App.vue",
            f'<template>{{{{ a }}}}</template>\n<script lang="ts">{CLIENT}{CALL}</script>',
            "src/config.ts",
        ),
        ("src/App.vue", f"<script>\n{CLIENT}</script>\n<script setup>\n{CALL}</script>\n", "src/config.ts"),
        ("src/App.svelte", f"<p>é</p>\n<script>\n{CLIENT}{CALL}</script>\n", "src/config.ts"),
        ("src/App.svelte", f'<script module>{CLIENT}</script>\n<script lang="ts">{CALL}</script>\n', "src/config.ts"),
        (
            "src/routes/+page.svelte",
            '<script context="module" lang="ts">\n' + CLIENT.replace("./", "$lib/") + CALL + "</script>\n",
            "src/lib/config.ts",
        ),
    ],
)
def test_a_client_in_a_component(path: str, component: str, config: str) -> None:
    """What it connects to stands in another file of the project, which is where the fault is mended."""
    files = project(path, component, **{"src/lib/config.ts": CONFIG})
    assert found(files) == {("socketio-path-mismatch", config, "'/socket.io'")}


@pytest.mark.parametrize(
    ("path", "before"), [("src/App.vue", "<template><p>é</p></template>\n"), ("src/App.svelte", "<p>é {a}</p>\n")]
)
def test_places_lie_in_the_component(path: str, before: str) -> None:
    component = before + "<script>" + CLIENT + CALL.replace("path }", "path: '/é' }") + "</script>"
    assert found(project(path, component)) == {("socketio-path-mismatch", path, "'/é'")}


@pytest.mark.parametrize("ending", ["vue", "svelte"])
def test_what_a_component_exports(ending: str) -> None:
    """Another file imports the path from the component."""
    tag = "script module" if ending == "svelte" else "script"
    component = f"<{tag}>\nexport const path = '/socket.io';\n</script>\n"
    client = f"import {{ io }} from 'socket.io-client';\nimport {{ path }} from './Config.{ending}';\n{CALL}"
    files = project(f"src/Config.{ending}", component, **{"src/client.js": client})
    assert found(files) == {("socketio-path-mismatch", f"src/Config.{ending}", "'/socket.io'")}


SCRIPT = f"<script>{CLIENT}{CALL}</script>"


@pytest.mark.parametrize(
    ("path", "component"),
    [
        # as it is meant
        ("src/App.vue", SCRIPT.replace("'./config'", "'./live'")),
        ("src/App.svelte", SCRIPT.replace("'./config'", "'./live'")),
        # no script of the component
        ("src/App.vue", f"<!-- {SCRIPT} -->"),
        ("src/App.svelte", f"<!-- {SCRIPT} -->"),
        ("src/App.vue", f"<docs>\n{SCRIPT}\n</docs>"),
        ("src/App.vue", f"<template><pre>{SCRIPT}</pre></template>"),
        ("src/App.vue", f"<template><p>{{{{ `{SCRIPT}` }}}}</p></template>"),
        ("src/App.vue", SCRIPT.replace("<script>", "<script type='application/ld+json'>")),
        ("src/App.vue", SCRIPT.replace("<script>", "<script src='./other.js'>")),
        ("src/App.svelte", f"<p>{{@html `{SCRIPT}`}}</p>"),
        ("src/App.svelte", '<p title={"' + SCRIPT.replace("\n", " ") + '"}>x</p>'),
        ("src/App.svelte", SCRIPT.replace("<script>", "<script type='application/ld+json'>")),
        # its text speaks of a client, and is none
        ("src/App.vue", "<script>const text = `" + CLIENT + CALL + "`</script>"),
        ("src/App.svelte", "<script>/* " + CLIENT + CALL + " */</script>"),
    ],
)
def test_near_misses(path: str, component: str) -> None:
    assert found(project(path, component, **{"src/live.ts": "export const path = '/live';\n"})) == set()
