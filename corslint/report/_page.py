"""What all pages have in common: one file that asks for nothing else, and lets nothing run but its own script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import corslint
from corslint.report._markup import Markup, element

_FOLDER = Path(__file__).resolve().parent / "page"


class Page:
    """The frame of a page. `title` names what it is about, `kind` says what the page is.

    `styles` and `scripts` are files of the folder `page`; what is in them stands in the page.
    """

    def __init__(self, title: str, kind: str, styles: Sequence[str], scripts: Sequence[str]) -> None:
        self._title = title
        self._kind = kind
        self._style = "".join(map(_text, styles))
        self._script = "".join(map(_text, scripts))

    def begin(self, skip: tuple[str, str] | None) -> Iterator[str]:
        """The page up to what it is about; `skip` is where its first link leads to, and what that says."""
        yield "<!doctype html>\n"
        yield '<html lang="en">\n'
        yield element("head", self._head()) + "\n"
        yield "<body>\n"
        if skip is not None:
            yield element("a", skip[1], href=skip[0], class_="skip") + "\n"
        yield self._masthead() + "\n"

    def end(self, words: str) -> Iterator[str]:
        """The foot of the page, with these words, and the script."""
        made = f"Made by corslint {corslint.__version__}. {words}"
        yield element("footer", element("p", made), class_="foot") + "\n"
        yield f"<script>{self._script}</script>\n</body>\n</html>\n"

    def _head(self) -> list[Markup]:
        policy = (
            f"default-src 'none'; style-src {_hash(self._style)}; script-src {_hash(self._script)}; "
            "base-uri 'none'; form-action 'none'"
        )
        return [
            element("meta", charset="utf-8"),
            element("meta", http_equiv="Content-Security-Policy", content=policy),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("meta", name="color-scheme", content="light dark"),
            element("meta", name="referrer", content="no-referrer"),
            element("title", f"{self._title}: corslint"),
            element("style", Markup(self._style)),
        ]

    def _masthead(self) -> Markup:
        switch = element("button", "Dark", type="button", id="colours", class_="scripted", aria_pressed="false")
        return element(
            "header",
            element("p", element("span", "corslint", class_="name"), f" {self._kind}"),
            element("h1", self._title),
            switch,
            class_="masthead",
        )


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
