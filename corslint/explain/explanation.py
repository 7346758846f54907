"""A pasted text explained: what was said, what a browser makes of pasted answers, and what may be the cause."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping

from corslint.explain import messages, transcripts
from corslint.explain.causes import Cause, Elsewhere, Symptoms
from corslint.explain.messages import Messages
from corslint.explain.pasted import Complaint, complaints
from corslint.explain.wordings import LONGEST_TEXT, even
from corslint.model.finding import Finding
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.ruleset import RuleSet


class Explanation(NamedTuple):
    """What is known of a text."""

    complaints: tuple[Complaint, ...]
    answers: tuple[transcripts.Judged, ...]
    """What `curl -v` got, judged."""
    causes: tuple[Cause, ...]
    """Best first."""
    cut: bool
    """The text was longer than what is looked at."""

    @property
    def knows_something(self) -> bool:
        """Whether anything in the text is known."""
        return bool(self.complaints or self.answers)


def explain(
    text: str,
    rules: RuleSet,
    found: Iterable[Finding],
    known: Messages | None = None,
    elsewhere: Elsewhere | None = None,
) -> Explanation:
    """Explain what a user pasted.

    `found` are the findings of the project, of all severities; `elsewhere` says which of its servers have no part in
    what a message is about.
    """
    known = known or messages.known()
    pasted = even(text)
    symptoms = Symptoms(rules, known)
    answers = tuple(transcripts.judge(one) for one in transcripts.exchanges(text[:LONGEST_TEXT]))
    words = [line for one in answers for line in (*one.says, *(one.says_with_cookies if one.wants_cookies else ()))]
    said = complaints(pasted, known)
    judged = complaints(even("\n".join(dict.fromkeys(words))), known) if words else ()
    own = symptoms.said_by_rules(pasted)
    shown = (*judged, *said, *(one for one in own if not _covered(one, said)))
    return Explanation(shown, answers, symptoms.rank((*judged, *said, *own), found, elsewhere), pasted.cut)


def _covered(one: Complaint, said: Iterable[Complaint]) -> bool:
    return any(other.start <= one.start and one.end <= other.end for other in said)


_PLAIN = regex(r"[A-Za-z0-9._~:/?#\[\]@!&()*+,;=%-]{1,2048}")
_GAP = regex(r"\{([a-z_]+)\}")
_OTHERWISE = {
    "url": "the server", "origin": "the page's origin", "value": "", "header": "that header", "method": "that method",
    "status": "that status", "error": "no reason given",
}  # fmt: skip


def filled(text: str, clues: Mapping[str, str]) -> str:
    """A text of a message with what the clues say in its gaps."""

    def put(gap: re.Match[str]) -> str:
        if gap[1] == "curl":
            return f"`{curl(clues)}`"
        told = clues.get(gap[1])
        if gap[1] == "value":
            return "not known which" if told is None else f"`{_short(told)}`" if told else "nothing"
        return f"`{_short(told)}`" if told else _OTHERWISE.get(gap[1], "")

    return _GAP.sub(put, text).replace(" (not known which)", "")


def curl(clues: Mapping[str, str]) -> str:
    """The command that asks the same again. What is no plain address or origin is not put into a command."""
    url, origin = clues.get("url", ""), clues.get("origin", "")
    words = ["curl", "-v"]
    if clues.get("request") == "websocket":
        words += ["-H", "Connection: Upgrade", "-H", "Upgrade: websocket", "-H", "Sec-WebSocket-Version: 13"]
        words += ["-H", "Sec-WebSocket-Key: Y29yc2xpbnQgZXhwbGFpbg=="]
        url = re.sub(r"^ws", "http", url)
    elif clues.get("preflight") == "yes":
        words += ["-X", "OPTIONS", "-H", f"Access-Control-Request-Method: {_method(clues)}"]
        if _PLAIN.fullmatch(clues.get("header", "")):
            words += ["-H", f"Access-Control-Request-Headers: {clues['header']}"]
    words += ["-H", f"Origin: {origin if _PLAIN.fullmatch(origin) else 'ORIGIN-OF-THE-PAGE'}"]
    words.append(url if _PLAIN.fullmatch(url) else "URL")
    return shlex.join(words)


def _method(clues: Mapping[str, str]) -> str:
    method = clues.get("method", "")
    return method if re.fullmatch("[A-Z]{1,20}", method) else "PUT"


def _short(text: str, longest: int = 200) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"
