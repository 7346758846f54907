"""What is known to be said: each example is understood, and each wording of the file is the one that is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from corslint import lint
from corslint.explain import explanation, messages
from corslint.explain.messages import BROWSERS, Message
from corslint.explain.pasted import complaints
from corslint.explain.wordings import even
from corslint.yamlfile import YamlError

KNOWN = messages.known()
EXAMPLES = [(message, number) for message in KNOWN.messages for number in range(len(message.examples))]


@pytest.mark.parametrize(("message", "number"), EXAMPLES, ids=[f"{message.id}-{n}" for message, n in EXAMPLES])
def test_examples_are_understood(message: Message, number: int) -> None:
    example = message.examples[number]
    found = {one.message.id: one for one in complaints(even(example.text), KNOWN)}
    assert message.id in found
    clues = found[message.id].clues
    assert {name: clues.get(name) for name in example.clues} == example.clues


WORDINGS = [(message, way.wording.text) for message in KNOWN.messages for way in message.ways if not way.wording.alone]


@pytest.mark.parametrize(("message", "wording"), WORDINGS, ids=[f"{message.id}: {text}" for message, text in WORDINGS])
def test_wordings_lead_to_their_message(message: Message, wording: str) -> None:
    text = wording.replace("{url}", "https://api.example.com/x").replace("{status}", "404").replace("{_}", "words")
    text = text.replace("{origin}", "https://app.example.com").replace("{value}", "v").replace("{method}", "PUT")
    text = text.replace("{header}", "x-y").replace("{error}", "ERR_CONNECTION_REFUSED")
    assert [one.message.id for one in complaints(even(text), KNOWN)] == [message.id]


@pytest.mark.parametrize("browser", BROWSERS)
def test_every_fault_has_a_wording_in_every_browser(browser: str) -> None:
    """Of those that all three know."""
    known = {m.id for m in KNOWN.messages if any(way.tells.get("browser") == browser for way in m.ways)}
    assert {
        "allow-origin-missing", "wildcard-with-credentials", "several-origins", "credentials-not-allowed",
        "preflight-status", "method-not-listed", "header-not-listed", "methods-unreadable", "headers-unreadable",
        "not-a-cors-scheme",
    } <= known  # fmt: skip


def test_a_message_says_what_to_do_next() -> None:
    assert [message.id for message in KNOWN.messages if not (message.means and message.next)] == []


def test_gaps_of_the_texts_are_filled() -> None:
    for message in KNOWN.messages:
        for example in message.examples:
            explained = explanation.explain(example.text, lint.knowledge(examples=False).rules, ())
            for one in explained.complaints:
                for text in (one.message.means, one.message.next):
                    assert "{" not in explanation.filled(text, one.clues).replace("0{`", ""), text


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"frames: []": "frames: 1"}, "`frames` has to be a list"),
        ({"from: browser": "from: nobody"}, "'nobody' is not a valid `from`; valid: browser, client, server, proxy"),
        ({"id: b": "id: a"}, "there is already a message 'a'"),
        ({"says: [Blocked]": "says: []"}, "a message needs wordings: `says` or `alone`"),
        ({"says: [Blocked]": 'says: ["{url}"]'}, "a wording needs words: '{url}'"),
        ({"follows: [a]": "follows: [c]"}, "'c' is not a valid `follows`; valid: a, b"),
        ({"clues: {status: '4'}": "clues: {stat: '4'}"}, "unknown key 'stat' in `clues` (did you mean 'status'?)"),
        ({"companion: 'yes'": "companion: yes"}, "YAML reads this word as a boolean"),
    ],
)
def test_mistakes_in_the_file_are_named(change: dict[str, str], complaint: str) -> None:
    text = SMALL
    for old, new in change.items():
        assert old in text
        text = text.replace(old, new, 1)
    with pytest.raises(YamlError) as error:
        messages.read(text.encode(), Path("messages.yaml"))
    assert complaint in error.value.message


SMALL = """\
frames: []
messages:
  - id: a
    from: browser
    means: m
    next: n
    says: [Blocked]
    examples: [{text: Blocked, clues: {status: '4'}}]
  - id: b
    from: browser
    means: m
    next: n
    companion: 'yes'
    says: [Stopped]
    follows: [a]
    examples: [{text: Stopped, clues: {}}]
"""


def test_the_small_file_is_valid() -> None:
    assert [message.id for message in messages.read(SMALL.encode(), Path("messages.yaml")).messages] == ["a", "b"]
