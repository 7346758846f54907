"""The scripts of Vue and Svelte components: which they are, and what is read in them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from corslint.model.reading import CodeReading
from corslint.parsers import components, grammars, parse
from corslint.source import SourceFile
from tests.parsers.rendering import show_bindings, show_calls, show_exports

RECORDED: list[dict[str, Any]] = json.loads(
    (Path(__file__).resolve().parents[2] / "fixtures" / "components.json").read_text(encoding="utf-8")
)["cases"]

UNFINISHED = {
    "<script>f()": [[8, "f()"]],
    "<template><p>{{ open </p></template><script>g()</script>": [[44, "g()"]],
}
"""Vue reads nothing in these and says so. They are what an editor holds while somebody writes."""


def reading(text: str | bytes, path: str = "A.vue") -> CodeReading:
    found = parse(SourceFile(path, text if isinstance(text, bytes) else text.encode()))
    assert isinstance(found, CodeReading)
    return found


def scripts(kind: str, text: str) -> list[list[Any]]:
    """Where each script that stands in the component begins, and its text; none that is empty."""
    source = SourceFile(f"A.{kind}", text.encode())
    return [
        [found.start, source.data[found.start : found.end].decode()]
        for found in components.scripts(source)
        if "src" not in found.attributes and found.end > found.start
    ]


@pytest.mark.parametrize("case", RECORDED, ids=[f"{one['kind']}-{number}" for number, one in enumerate(RECORDED)])
def test_scripts_are_those_that_the_compiler_takes(case: dict[str, Any]) -> None:
    kind, text, wanted = case["kind"], case["text"], case["scripts"]
    found = scripts(kind, text)
    if wanted is None:  # the compiler refuses the component; all that has to hold is that nothing else is read
        assert all(text.encode()[start - 1 :].startswith(f">{inner}".encode()) for start, inner in found)
    else:
        assert found == UNFINISHED.get(text, [one for one in wanted if one[1]])


def test_there_are_cases_of_both_kinds() -> None:
    assert {kind: sum(one["kind"] == kind for one in RECORDED) for kind in ("vue", "svelte")} == {
        "vue": 54,
        "svelte": 53,
    }


def test_vue() -> None:
    found = reading(
        """<template><p v-if="a > 1">{{ a }}</p></template>
<script>export default { data() { return f('{{ a }}') } }</script>
<script setup lang="ts">const x: number = io<T>('y')</script>
<style>a { b: c }</style>""",
    )
    assert not found.page
    assert found.damage == ()
    assert show_calls(found) == ["f@1('{{ a }}')", "io('y')"]
    assert show_bindings(found, "x") == ["io('y')"]
    assert show_exports(found) == ["default: {data: fn data@1(){f@1('{{ a }}')}}"]


def test_svelte() -> None:
    found = reading(
        """<script context="module" lang="ts">
  import { url } from '$lib/config';
  export const prefix: string = '/é';
</script>
<script lang="ts">
  let socket: Socket = io(url, { path: prefix });
  $: ready = check(socket);
</script>
<p on:click={() => log('<script>')}>{socket.id}</p>""",
        "src/Chat.svelte",
    )
    assert not found.page
    assert found.damage == ()
    assert show_calls(found) == ["io(url, {path: prefix})", "check(socket)"]
    assert show_bindings(found, "url") == ["<$lib/config.url>"]
    assert show_exports(found) == ["prefix: prefix"]


@pytest.mark.parametrize(
    ("path", "tag", "calls"),
    [
        ("A.vue", "lang='tsx'", ["f(?(jsx element))"]),
        ("A.vue", "lang='jsx'", ["f(?(jsx element))"]),
        ("A.vue", "lang='coffee'", []),
        ("A.vue", "type='application/ld+json'", []),
        ("A.vue", "type='text/plain' lang='ts'", []),
        ("A.vue", "type='module'", ["f(?(jsx element))"]),
        ("A.svelte", "lang='coffee'", []),
        ("A.svelte", "type='application/ld+json'", []),
        ("A.svelte", "", ["f(?(jsx element))"]),
    ],
)
def test_languages(path: str, tag: str, calls: list[str]) -> None:
    assert show_calls(reading(f"<script {tag}>f(<a></a>)</script>", path)) == calls


@pytest.mark.parametrize("tag", ["lang='ts'", "lang=ts", 'lang="typescript"', "type='text/typescript'"])
@pytest.mark.parametrize("path", ["A.vue", "A.svelte"])
def test_typescript(path: str, tag: str) -> None:
    found = reading(f"<script {tag}>f<T>(a as B)</script>", path)
    assert (show_calls(found), found.damage) == (["f(a)"], ())


@pytest.mark.parametrize(
    ("path", "text", "urls"),
    [
        ("A.vue", "<script src='./a.js'></script><script setup>f()</script>", ["./a.js"]),
        ("A.vue", "<script src='./a.js' /><template><p/></template>", ["./a.js"]),
        ("A.vue", "<template><script src='./a.js'></script></template>", []),
        ("A.vue", "<!-- <script src='./a.js'></script> -->", []),
        (
            "A.svelte",
            "<svelte:head><script src='https://cdn.example.com/socket.io.js'></script></svelte:head>",
            ["https://cdn.example.com/socket.io.js"],
        ),
        ("A.svelte", "<svelte:head>{@html `<script src='a.js'></script>`}</svelte:head>", []),
    ],
)
def test_scripts_that_lie_elsewhere(path: str, text: str, urls: list[str]) -> None:
    found = reading(text, path)
    assert [tag.url for tag in found.scripts] == urls
    assert [text.encode()[tag.span.start : tag.span.end].decode() for tag in found.scripts] == urls


def test_damage_is_that_of_the_script_alone() -> None:
    text = "<template>{{ < }}</template><script>f(</script><script setup>g()</script>"
    found = reading(text)
    [damage] = found.damage
    assert text.index("f(") <= damage.span.start <= damage.span.end <= text.index("</script>")
    assert show_calls(found)[-1] == "g()"


def test_utf_16_is_whole_damage() -> None:
    found = components.read(SourceFile("A.vue", b"\xff\xfe" + "<script>f()</script>".encode("utf-16-le")))
    assert [each.whole for each in found.damage] == [True]
    assert found.calls == ()


def test_bytes_that_are_not_utf_8() -> None:
    assert show_calls(reading(b"<p>\xe9</p><script>f('\xe9')</script>")) == ["f('\ufffd')"]


_HOSTILE = {
    "braces": "{" * 200_000,
    "placeholders": "{{" * 200_000,
    "quoted braces": '<p a="{' * 50_000,
    "templates": "{`${" * 50_000,
    "comments": "{/*" * 50_000,
    "patterns": "{/" * 50_000,
    "classes": "{(/[" * 50_000,
    "spaces in code": "{a" + " " * 200_000 + "/" * 100,
    "slashes in code": "{" + "a /" * 100_000,
    "elements": "<a>" * 100_000,
    "end tags": "</a>" * 100_000,
    "elements and other ends": "<a>" * 50_000 + "</b>" * 50_000,
    "nested": "<a>" * 3_000 + "</b>" * 3_000 + "</a>" * 3_000,
    "blocks": "{#if a}" * 50_000,
    "template blocks": "<template>" * 50_000,
    "docs": "<docs>" * 50_000,
    "closed docs": "<docs></docs>" * 20_000,
    "attributes": "<p " + "a=b " * 100_000 + ">",
    "unclosed attributes": "<p a=" * 50_000,
    "quotes": "<p a='" + 'a="' * 50_000,
    "comments of HTML": "<!--" * 100_000,
    "scripts": "<script>" * 50_000,
    "closed scripts": "<script>f()</script>" * 2_000,
}


@pytest.mark.parametrize("path", ["A.vue", "A.svelte"])
@pytest.mark.parametrize("name", _HOSTILE)
def test_hostile_components(name: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grammars, "_PARSE_SECONDS", 0.5)
    started = time.thread_time()
    reading(_HOSTILE[name] + "<script>", path)
    reading(f"<template>{_HOSTILE[name]}<script>", path)
    assert time.thread_time() - started < 20  # seconds on a crowded machine: it is about hangs
