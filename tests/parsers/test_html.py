"""The scripts of pages and templates."""

from __future__ import annotations

import time

import pytest

from corslint.model.reading import CodeReading
from corslint.parsers import grammars
from corslint.parsers.html import read
from corslint.source import SourceFile
from tests.parsers.rendering import show_calls

FILLED = "?(filled in by a template)"
DECIDES = "?(a template decides) -> "


def reading(text: str | bytes, path: str = "a.html") -> CodeReading:
    return read(SourceFile(path, text if isinstance(text, bytes) else text.encode()))


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("<script>f()</script>", ["f()"]),
        ("<SCRIPT>f()</SCRIPT >", ["f()"]),
        ("<script type=module>f()</script>", ["f()"]),
        ("<script type='text/javascript'>f()</script>", ["f()"]),
        ('<script type="text/javascript; charset=utf-8">f()</script>', ["f()"]),
        ("<script type = 'application/javascript' async>f()</script>", ["f()"]),
        ("<script type=''>f()</script>", ["f()"]),
        ("<script type>f()</script>", ["f()"]),
        ("<script type='text/babel'>f(<a b={{c: g()}}/>)</script>", ["g()", "f(?(jsx self closing element))"]),
        ("<script type='text/babel' data-presets='react,typescript'>f<T>(a as B)</script>", ["f(a)"]),
        ("<script lang=ts>f<T>(a as B)</script>", ["f(a)"]),
        ("<script type='text/typescript'>f<T>(a as B)</script>", ["f(a)"]),
        ("<script type='text/template'>f()</script>", []),
        ("<script type='text/x-handlebars'><script>f()</script>", []),
        ("<script type='application/json'>{\"a\": 1}</script>", []),
        ("<script type='application/ld+json'>{\"a\": f()}</script>", []),
        ("<script type='importmap'>{}</script>", []),
        ("<script src='a.js'>f()</script>", []),
        ("<!-- <script>f()</script> --><script>g()</script>", ["g()"]),
        ("<!-- <script>f()</script>", []),
        ("<!--><script>g()</script>", ["g()"]),
        ("<scripts>f()</scripts>", []),
        ("<script>f('<script>')</script>", ["f('<script>')"]),
        ("<script>f('</scr' + 'ipt>')</script>", ["f(concat('</scr', 'ipt>'))"]),
        ("<script data-a='>' data-b=\"</script>\">f()</script>", ["f()"]),
        ("<script>f()", ["f()"]),
        ("<script", []),
        ("<script a='b", []),
        ("<script <p>f()</script>", ["f()"]),
        ("<script>\n<!--\nf()\n//-->\n</script>", ["f()"]),
        ("<script>\n<!-- hide\nf()\n-->\n</script>", ["f()"]),
        ("<script>//<![CDATA[\nf()\n//]]></script>", ["f()"]),
        ("<script><![CDATA[\nf()\n]]></script>", ["f()"]),
        ("<script>f()</script><script>(function () { g() })()</script>", ["f()", "g@1()", "fn @1(){}()"]),
        ("<p>no scripts</p>", []),
        ("", []),
    ],
)
def test_which_scripts_are_read(text: str, calls: list[str]) -> None:
    found = reading(text)
    assert show_calls(found) == calls
    assert found.damage == ()
    assert found.page


def test_scripts_share_one_scope_and_keep_their_offsets() -> None:
    text = "<p>ä</p>\n<script>\nvar a = f('ä');\n</script>\n<p/>\n<script type=module>a.b(1)</script>"
    source = SourceFile("a.html", text.encode())
    found = read(source)
    assert [(scope.kind, sorted(scope.bindings)) for scope in found.scopes] == [("module", ["a"])]
    assert [source.text(site.call.span) for site in found.calls] == ["f('ä')", "a.b(1)"]
    assert source.position(found.calls[0].call.span.start) == (3, 9)
    assert source.position(found.calls[1].call.span.start) == (6, 21)
    assert found.scopes[0].span.end == len(text.encode())


@pytest.mark.parametrize(
    ("text", "scripts"),
    [
        ('<script src="https://cdn.socket.io/4.5.4/socket.io.min.js"></script>',
         ["https://cdn.socket.io/4.5.4/socket.io.min.js"]),
        ("<script async src=/socket.io/socket.io.js></script>", ["/socket.io/socket.io.js"]),
        ("<SCRIPT SRC='a.js' SRC='b.js'></SCRIPT>", ["a.js"]),
        ("<script src='a.js' /><script src=b.js></script>", ["a.js", "b.js"]),
        ("<script type=module src='a.js'></script>", ["a.js"]),
        ("<script type='text/template' src='a.js'></script>", []),
        ("<!-- <script src='a.js'></script> -->", []),
        ("<script src=' a.js '></script>", ["a.js"]),
        ("""<script src="{{ url_for("static", filename='a>b.js') }}"></script>""",
         ["""{{ url_for("static", filename='a>b.js') }}"""]),
        ("<script src='<%= base %>/a.js'></script>", ["<%= base %>/a.js"]),
        ("<script src></script>", [""]),
    ],
)  # fmt: skip
def test_external_scripts(text: str, scripts: list[str]) -> None:
    found = reading(text)
    assert [script.url for script in found.scripts] == scripts
    assert found.calls == ()


def test_the_place_of_an_external_script() -> None:
    source = SourceFile("a.html", b"<p></p><script defer src='/x.js'></script>")
    (script,) = read(source).scripts
    assert source.text(script.span) == "/x.js"


@pytest.mark.parametrize(
    ("script", "calls"),
    [
        ("f({{ a }})", [f"f({FILLED})"]),
        ("f({{a}}{{b}})", [f"f({FILLED})"]),
        ("f(x{{a}})", [f"f({FILLED})"]),
        ("f('{{ a }}')", [f"f({FILLED})"]),
        ("f('http://{{ host }}:3000')", [f"f({FILLED})"]),
        ('f("{{ a["b"] }}", 1)', [f"f({FILLED}, 1)"]),
        ("f('http://' + {{ host }})", [f"f(concat('http://', {FILLED}))"]),
        ("f(`a${b}{{ c }}`)", [f"f(concat('a', b, {FILLED}))"]),
        ("f({{{ a }}})", [f"f({FILLED})"]),
        ("f({a: {{ b }}})", [f"f({{a: {FILLED}}})"]),
        ("f({'{{ a }}': 1})", ["f({[?]: 1})"]),
        ("f({ {{a}}: 1})", ["f({[?]: 1})"]),
        ("f(o.{{ a }})", [f"f(o[{FILLED}])"]),
        ("f(/a{{ b }}/)", ["f(?(regular expression))"]),
        ("f({{ 'a;b' }})", [f"f({FILLED})"]),
        ("f(<%= a %>, <%- b %>)", [f"f({FILLED}, {FILLED})"]),
        ("f('<?= $a ?>', <?php echo $b ?>)", [f"f({FILLED}, {FILLED})"]),
        ("f({{ a\n| tojson }})", [f"f({FILLED})"]),
        ("{# f() #} {{! g() }} <%# h() %> i()", ["i()"]),
        ("var a = 1; {% block scripts %} f(a) {% endblock %}", ["f(a)"]),
        ("{% if a %} f(1) {% else %} f(2) {% endif %} f(3)", [f"{DECIDES}f(1)", f"{DECIDES}f(2)", "f(3)"]),
        ("{% for a in b %} f('{{ a }}'); {% endfor %} f(3)", [f"{DECIDES}f({FILLED})", "f(3)"]),
        ("{%- if a -%} {% if b %} f(1) {% endif %} f(2) {%- endif -%} f(3)",
         [f"{DECIDES}f(1)", f"{DECIDES}f(2)", "f(3)"]),
        ("{{#if a}} f(1) {{else}} f(2) {{/if}} f(3)", [f"{DECIDES}f(1)", f"{DECIDES}f(2)", "f(3)"]),
        ("{{^a}} f(1) {{/a}} f(3)", [f"{DECIDES}f(1)", "f(3)"]),
        ("<% if (a) { %> f(1) <% } else { %> f(2) <% } %> f(3)", [f"{DECIDES}f(1)", f"{DECIDES}f(2)", "f(3)"]),
        ("<% if a %> f(1) <% end %> f(3)", [f"{DECIDES}f(1)", "f(3)"]),
        ("<?php if ($a): ?> f(1) <?php endif; ?> f(3)", [f"{DECIDES}f(1)", "f(3)"]),
        ("f('{% if a %}b{% endif %}')", [f"f({FILLED})"]),
        ("f([{% for a in b %}'{{ a }}',{% endfor %}])", [f"f([{FILLED}])"]),
        # what is no placeholder
        ("if (a) {{ f(); g() }}", ["a -> f()", "a -> g()"]),
        ("f({a: {b: {c: 1}}})", ["f({a: {b: {c: 1}}})"]),
        ("f('{{', 1)", ["f('{{', 1)"]),
        ("f('a%}')", ["f('a%}')"]),
        ("f(`${{a: 1}.a}`)", ["f(concat({a: 1}.a))"]),
    ],
)  # fmt: skip
def test_placeholders(script: str, calls: list[str]) -> None:
    found = reading(f"<script>{script}</script>")
    assert show_calls(found) == calls
    assert found.damage == ()


def test_an_early_exit_under_a_template_condition() -> None:
    found = reading("<script>function f() { {% if a %} return; {% endif %} g() }</script>")
    assert show_calls(found) == ["!?(a template decides) -> g@1()"]


def test_a_broken_script_does_not_spoil_the_others() -> None:
    found = reading("<script>f(</script><script>g(1)</script><script>h({{ }</script><script>var b = {</script>")
    assert show_calls(found)[-1] == "g(1)"
    assert [(each.message, each.whole) for each in found.damage] == [("does not parse", False)] * 3


def test_a_script_with_placeholders_is_not_reported() -> None:
    assert reading("<script>{{ a }} f( {{ b }}</script>").damage == ()


def test_utf_16_is_whole_damage() -> None:
    found = reading(b"\xff\xfe" + "<script>f()</script>".encode("utf-16-le"))
    assert [each.whole for each in found.damage] == [True]
    assert found.calls == ()


def test_bytes_that_are_not_utf_8() -> None:
    assert show_calls(reading(b"<p>\xe9</p><script>f('\xe9')</script>")) == ["f('\ufffd')"]


_HOSTILE = {
    "openers": "{{" * 200_000,
    "spaced openers": "{{ a " * 100_000,
    "statements": "{% " * 200_000,
    "closed": "{{ a }}" * 50_000,
    "comments": "<!--" * 200_000,
    "scripts": "<script>" * 100_000,
    "closed scripts": "<script>f()</script>" * 2_000,
    "slashes": "<script" + "/" * 200_000,
    "spaces": "<script" + " " * 200_000 + "a=",
    "equals": "<script" + "=" * 200_000,
    "quotes": '<script a="' + "a='" * 100_000,
    "attributes": "<script " + "a=b " * 50_000 + ">",
    "conditions": "<script>" + "{% if a %}f(){% endif %}" * 5_000,
    "end tags": "<script>" + "</scrip" * 100_000,
}


@pytest.mark.parametrize("name", _HOSTILE)
def test_hostile_pages(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grammars, "_PARSE_SECONDS", 0.5)
    started = time.thread_time()
    reading(_HOSTILE[name])
    assert time.thread_time() - started < 5
