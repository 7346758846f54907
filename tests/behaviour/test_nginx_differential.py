"""A short run of the comparison with a real nginx, and faults in the model that it has to find.

The long run is `make nginx-differential`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from corslint.behaviour import nginx_machine, nginx_proxy, nginx_response, nginx_routing, nginx_values
from corslint.behaviour.nginx_content import Files
from corslint.behaviour.nginx_levels import Inherited, Level, nearest, pattern_of
from corslint.behaviour.nginx_machine import _Machine
from corslint.behaviour.nginx_proxy import Proxy
from corslint.behaviour.nginx_rewrite import Script
from corslint.behaviour.nginx_routing import choose_server
from corslint.model.patterns import pcre_groups
from corslint.model.tri import Tri
from tests.behaviour.nginx_differential import Run
from tests.behaviour.nginx_lab import require_nginx, version

SEED = 154060
CONFIGURATIONS = 300


@pytest.fixture(autouse=True)
def _nginx() -> None:
    require_nginx()


def test_no_difference() -> None:
    run = Run(shrink=1)
    run.batches(SEED, CONFIGURATIONS, 10, stop_after=3)
    assert not run.differences, "\n\n".join(map(str, run.differences))
    assert (run.configurations, run.requests) == (CONFIGURATIONS, 10 * CONFIGURATIONS)
    assert run.proxied > run.requests // 3, "too few requests reach an upstream: the generator lost its point"
    assert run.rare(3) == []


Patch = pytest.MonkeyPatch


def _every_level_adds_up(patch: Patch) -> None:
    def added(level: Level) -> Inherited:
        levels = list(level.outwards())
        lines = [line for one in levels for line in one.own("add_header")]
        return Inherited(tuple(lines), True, level)

    patch.setattr(nginx_response, "added_headers", added)


def _errors_are_safe(patch: Patch) -> None:
    patch.setattr(nginx_response, "_SAFE", frozenset(range(200, 600)))


def _patterns_have_case(patch: Patch) -> None:
    real = pcre_groups
    patch.setattr(nginx_values, "pcre_groups", lambda source, _, text: real(source, False, text))


def _prefixes_never_stop_patterns(patch: Patch) -> None:
    def blurred(level: Level) -> Any:
        modifier, text, word = pattern_of(level)
        return "" if modifier == "^~" else modifier, text, word

    patch.setattr(nginx_routing, "pattern_of", blurred)


def _no_slash_is_added(patch: Patch) -> None:
    patch.setattr(nginx_routing, "_redirects", lambda _: False)


def _request_headers_add_up(patch: Patch) -> None:
    def gathered(level: Level, key: str) -> Inherited:
        if key != "proxy_set_header":
            return nearest(level, key)
        return Inherited(tuple(line for one in level.outwards() for line in one.own(key)), True, level)

    patch.setattr(nginx_proxy, "nearest", gathered)


def _nothing_is_hidden(patch: Patch) -> None:
    patch.setattr(nginx_machine, "passed_back", lambda _, response: response.headers)


def _error_pages_keep_the_method(patch: Patch) -> None:
    real = _Machine._send_page

    def keeping(machine: _Machine, page: Any) -> Any:
        method = machine.state.method
        result = real(machine, page)
        machine.state.method = method
        return result

    patch.setattr(_Machine, "_send_page", keeping)


def _uri_is_put_in_front(patch: Patch) -> None:
    patch.setattr(nginx_proxy, "pattern_of", lambda level: ("~", *pattern_of(level)[1:]))


def _ifs_are_no_levels(patch: Patch) -> None:
    real = Script._if

    def staying(script: Script, level: Level, block: Any) -> None:
        conf = script.state.conf
        try:
            real(script, level, block)
        finally:
            script.state.conf = conf

    patch.setattr(Script, "_if", staying)


def _failed_tests_keep_captures(patch: Patch) -> None:
    real = Script._match

    def keeping(script: Script, *arguments: Any) -> Tri:
        captures = script.state.captures
        answer = real(script, *arguments)
        script.state.captures = script.state.captures or captures
        return answer

    patch.setattr(Script, "_match", keeping)


def _methods_are_not_limited(patch: Patch) -> None:
    patch.setattr(_Machine, "_excepts", lambda *_: False)


def _try_files_finds_nothing(patch: Patch) -> None:
    patch.setattr(Files, "try_files", lambda _: None)


def _names_are_not_looked_at(patch: Patch) -> None:
    real = choose_server
    patch.setattr(nginx_machine, "choose_server", lambda group, _: real(group, "nobody.invalid"))


def _http_1_1_is_old(patch: Patch) -> None:
    patch.setattr(nginx_proxy, "_HTTP_1_1", (0,) if version() < nginx_proxy._HTTP_1_1 else (99,))


def _unparsed_address_is_forgotten(patch: Patch) -> None:
    real = Proxy._path

    def forgetting(proxy: Proxy, *arguments: Any) -> str | None:
        proxy.state.valid_unparsed_uri = False
        return real(proxy, *arguments)

    patch.setattr(Proxy, "_path", forgetting)


FAULTS = [
    _every_level_adds_up,
    _errors_are_safe,
    _patterns_have_case,
    _prefixes_never_stop_patterns,
    _no_slash_is_added,
    _request_headers_add_up,
    _nothing_is_hidden,
    _error_pages_keep_the_method,
    _uri_is_put_in_front,
    _ifs_are_no_levels,
    _failed_tests_keep_captures,
    _methods_are_not_limited,
    _try_files_finds_nothing,
    _names_are_not_looked_at,
    _http_1_1_is_old,
    _unparsed_address_is_forgotten,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__.strip("_"))
def test_faults_are_found(fault: Callable[[Patch], None], monkeypatch: Patch) -> None:
    fault(monkeypatch)
    run = Run()
    run.batches(SEED, CONFIGURATIONS, 10, stop_after=1)
    assert run.differences, "the comparison does not notice that the model is wrong"
