"""What pages have in common: one file that asks for nothing else, with the style sheet and the script in it.

It is whole without its script; a Content-Security-Policy lets that script run, by its hash, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import corslint
from corslint.report._markup import Markup, element

_PAGE = Path(__file__).resolve().parent / "page"


def document(
    title: str,
    what: str,
    main: Iterable[str],
    note: str,
    skip: Markup | None = None,
    *,
    styles: Sequence[str] = ("style.css",),
    scripts: Sequence[str] = ("colours.js", "script.js"),
) -> Iterator[str]:
    """The page, in pieces.

    `what` is the kind of page, `main` its content, `note` its last sentence, `skip` a link that keys reach first.
    `styles` and `scripts` are files of the folder `page`; what is in them stands in the page.
    """
    style, script = ("".join(map(_text, names)) for names in (styles, scripts))
    yield "<!doctype html>\n"
    yield '<html lang="en">\n'
    yield element("head", _head(title, style, script)) + "\n"
    yield "<body>\n"
    if skip is not None:
        yield skip + "\n"
    yield _masthead(title, what) + "\n"
    yield "<main>\n"
    yield from main
    yield "</main>\n"
    made = f"Made by corslint {corslint.__version__}. {note}"
    yield element("footer", element("p", made), class_="foot") + "\n"
    yield f"<script>{script}</script>\n</body>\n</html>\n"


def _text(name: str) -> str:
    return (_PAGE / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _head(title: str, style: str, script: str) -> list[Markup]:
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    )
    return [
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"{title}: corslint"),
        element("style", Markup(style)),
    ]


def _masthead(title: str, what: str) -> Markup:
    switch = element("button", "Dark", type="button", id="colours", class_="scripted", aria_pressed="false")
    return element(
        "header",
        element("p", element("span", "corslint", class_="name"), f" {what}"),
        element("h1", title),
        switch,
        class_="masthead",
    )
