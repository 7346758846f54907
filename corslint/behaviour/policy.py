"""One policy's answers: what a stranger gets, whether credentials go along, who else passes, what is listed wrongly.

Fills the `origin.*`, `effect.*`, `witness.*` and `null_entry` fields of a `cors_policy` fact and makes the facts of its
parts: the texts that it lists, its patterns, origins without TLS, a value for credentials that doesn't count. What a
library sends is its descriptor's table; this module reads it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from corslint.behaviour.origins import (
    Compiled,
    ListedText,
    Scene,
    Site,
    compile_header,
    compile_meaning,
    compile_value,
    returned_for,
    special,
    without_environment,
)
from corslint.extract import Policy
from corslint.frameworks.catalog import HeaderSpec
from corslint.model.decisions import (
    All,
    Always,
    Answer,
    Any,
    Atom,
    Case,
    Decision,
    Echo,
    Fixed,
    Hang,
    Not,
    Nothing,
    Own,
    Pattern,
    Predicate,
    Raise,
    Refuse,
    Star,
    UnknownAnswer,
    Witness,
    accepts_null,
    answer,
    answers,
    any_subdomain,
    depends_on_origin,
    insecure,
    patterns_of,
    possible_origin,
    sends_several,
    to_stranger,
    witness,
)
from corslint.model.exchange import Request
from corslint.model.facts import Fact, Field
from corslint.model.narrowing import narrowed
from corslint.model.patterns import matches, valid
from corslint.model.reading import CodeReading
from corslint.model.semantics import MEANINGS, OriginSemantics, Row, means_yes
from corslint.model.surface import binding_scope
from corslint.model.tri import Tri, any_of, tri
from corslint.model.values import (
    Call,
    Choice,
    Concat,
    EnvVar,
    Fallback,
    Function,
    Guard,
    Index,
    Literal,
    Mapping,
    Member,
    Name,
    Null,
    Operation,
    Regex,
    Sequence,
    Split,
    Undefined,
    Value,
)
from corslint.project.link import Linker
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import Span

ReadCode = Callable[[str], CodeReading | None]

_HOLDERS = frozenset({"headers", "header", "environ", "meta"})
"""What holds a request's headers, in lower case: `req.headers.origin`, Koa's `ctx.request.header.origin`,
`environ["HTTP_ORIGIN"]`, `request.META`."""
_REQUESTS = frozenset({"req", "request"})
_WITH_COOKIES = Request(cookie=Tri.YES)


def judge(policy: Policy, linker: Linker, code: ReadCode) -> list[Fact]:
    """Fill the derived fields of a policy's fact; returns the facts of its parts."""
    parts = Judge(policy, scene_of(linker, code), code).judge()
    if policy.handshake is None:
        return parts
    _tell_of_handshakes(policy.fact, policy.handshake)
    return []


def _tell_of_handshakes(decides: Fact, server: Fact) -> None:
    """Fill a socket server's `same_origin_check` and `upgrade.*` from what decides about its handshakes."""
    given = decides.field("effect.to_stranger")
    known = given.state != "unknown"
    open_to_all = given.value in ("star", "echo", "fixed")
    told = {
        "same_origin_check": "no" if open_to_all else "yes",
        "upgrade.to_stranger": "accepted" if open_to_all else "refused",
    }
    for name, value in told.items():
        server.fields[name] = given._replace(value=value if known else None)
    for name in ("witness.origin", "witness.technique", "witness.test"):
        if name in decides.fields:
            server.fields[f"upgrade.{name}"] = decides.fields[name]


def decided(policy: Policy, linker: Linker, code: ReadCode) -> tuple[Decision, bool]:
    """What a policy that is still to be judged sends for any Origin, and whether the server's own pages pass besides.

    The policy's fact stays as it is.
    """
    judge = Judge.of(policy, scene_of(linker, code), code)
    decision, same_origin = judge.decision()
    return judge._sent(decision), same_origin


def scene_of(linker: Linker, code: ReadCode) -> Scene:
    """What the linker knows, in the form that `behaviour/origins.py` asks for."""

    def bound(name: Name) -> Value | None:
        reading = code(name.span.path)
        if reading is None or not 0 <= name.scope < len(reading.scopes):
            return None
        scope = binding_scope(reading, name.scope, name.name)
        bindings = reading.scopes[scope].bindings[name.name] if scope is not None else ()
        return bindings[0].value if len(bindings) == 1 else None

    def calls_in(function: Function) -> Iterable[Site]:
        reading = code(function.span.path)
        for site in reading.calls if reading is not None else ():
            if function.span.covers(site.call.span):
                yield Site(site, _function_scope(reading, site.scope) == function.scope)

    return Scene(linker.resolve, linker.test, linker.canonical, bound, calls_in)


def _function_scope(reading: CodeReading | None, scope: int) -> int:
    """The scope of the nearest function (or the module) around a scope."""
    for _ in range(len(reading.scopes) if reading is not None else 0):
        if reading is None or scope <= 0 or reading.scopes[scope].kind == "function":
            return scope
        scope = reading.scopes[scope].parent
    return 0


class _Source(NamedTuple):
    """One origin option: its fact field, what it compiled to, and its value where one is written."""

    name: str
    compiled: Compiled
    value: Value | None
    semantics: OriginSemantics


class Judge:
    """Judges one policy."""

    @classmethod
    def of(cls, policy: Policy, scene: Scene, code: ReadCode) -> Judge:
        """A judge whose questions leave the policy's fact as it is."""
        fact = Fact(policy.fact.kind, policy.fact.span, dict(policy.fact.fields), dict(policy.fact.values))
        return cls(policy._replace(fact=fact), scene, code)

    def __init__(self, policy: Policy, scene: Scene, code: ReadCode) -> None:
        self.fact = policy.fact
        self.semantics = policy.semantics
        self.guards = policy.guards
        self.broken = policy.broken or self._refused_credentials()
        self.header = policy.spec if policy.header else None
        self.handed_out = None if policy.header else policy.spec
        self.scene = scene
        self.code = code
        others: dict[str, Answer] = {"refuse": Refuse(0), "unknown": UnknownAnswer("differs between the versions")}
        self.refused = others.get(policy.semantics.refused, Nothing())
        if policy.semantics.refused == "first":
            first = self.first_text()
            self.refused = (
                Fixed(first) if isinstance(first, str) else UnknownAnswer("which is listed first is not known")
            )
        self.several = Tri.UNKNOWN
        self.credentials = self._credentials()
        self.literal_star = self._literal_star()
        # A function that decides about every request by itself; what it does is not looked at.
        self.gate = policy.fact.field("gate").value == "yes" or policy.fact.field("gate").state == "unknown"

    def judge(self) -> list[Fact]:
        """Fill the fact's derived fields; returns a fact for every origin that is listed, and for its other parts."""
        sources = self._sources()
        decision, same_origin = self._combined([source.compiled for source in sources])
        sent = self._sent(decision)
        self._place(sources, sent)
        self._environment(sources, sent)
        self._unchecked(sources)
        self._effects(decision, sent, same_origin, sources)
        self._wildcard_pair(to_stranger(decision), to_stranger(sent))
        self._tidy()
        entries = [fact for source in sources for fact in self._entries(source)]
        self.fact.fields["origin.entries"] = self.fact.fields["origin.form"]._replace(value=len(entries))
        for fact in entries:
            fact.fields["siblings"] = Field(len(entries) - 1, "written", fact.span)
        common = self._part()
        return [*entries, *parts_of(sent, common), *self._credentials_value(common)]

    def _tidy(self) -> None:
        """Drop what only the judgement needed: the other sources, and meanings in place of values."""
        fields = self.fact.fields
        others = [name for name in fields if name.startswith("given.")]
        for name in ("group", "gate", "vary", *self.semantics.sources, *others):
            if name != "origin":
                fields.pop(name, None)
        if fields["origin"].state in ("default", "absent"):
            fields["origin"] = fields["origin"]._replace(value=None)

    # -- compiling ------------------------------------------------------------------------------------------------

    def _sources(self) -> list[_Source]:
        grouped = self._group()
        if grouped is not None:
            return [grouped]
        found = []
        for name, semantics in self.semantics.sources.items():
            value = self.fact.values.get(name)
            found.append(_Source(name, self._compiled(name, value, semantics), value, semantics))
        return found

    def _group(self) -> _Source | None:
        """A literal in place of the whole options object."""
        value = self.fact.values.get("group")
        if value is None:
            return None
        name = next(iter(self.semantics.sources))
        semantics = self.semantics.sources[name]
        meaning: str | None = None
        if isinstance(value, Literal):
            meaning = self.semantics.group_otherwise if value.value else "none"
            for known, means in self.semantics.group:
                if known == value.value and type(known) is type(value.value):
                    meaning = means
        elif isinstance(value, (Null, Undefined)):
            meaning = next((means for known, means in self.semantics.group if known is None), "none")
        elif isinstance(value, Sequence):
            meaning = self.semantics.group_otherwise
        elif not isinstance(value, (Mapping, Choice, Fallback)):
            meaning = "unknown"
        if meaning is None:
            return None
        if meaning != "unknown":
            # Nothing but the literal was given, so nothing says anything about credentials.
            self.credentials = Tri.NO
        self.fact.fields[name] = self.fact.field("group")._replace(value=None, state="unknown")
        if isinstance(value, Literal):
            self.fact.fields[name] = Field(value.value, "written", value.span, self.fact.field("group").trail)
        return _Source(name, compile_meaning(meaning, value.span, self.refused), value, semantics)

    def _compiled(self, name: str, value: Value | None, semantics: OriginSemantics) -> Compiled:
        if value is not None:
            if self.header is not None:
                reads = partial(_reads_request_origin, spec=self.header, scene=self.scene)
                return compile_header(value, self.guards, semantics, self.scene, reads)
            asks = partial(_reads_request_origin, spec=self.handed_out, scene=self.scene) if self.handed_out else None
            return compile_value(value, semantics, self.refused, self.scene, asks)
        field = self.fact.field(name)
        span = field.span or self.fact.span
        if field.state == "unknown":
            return compile_meaning("unknown", span, self.refused)
        meaning = field.value if isinstance(field.value, str) and field.value in MEANINGS else semantics.unset
        return compile_meaning(meaning, span, self.refused)

    def _combined(self, parts: Iterable[Compiled]) -> tuple[Decision, bool]:
        """The first source that grants wins."""
        if self.broken:
            return Decision((Case(Always(), Raise(), self.fact.span),)), False
        cases: tuple[Case, ...] = ()
        same_origin = False
        for position, compiled in enumerate(parts):
            same_origin = same_origin or compiled.same_origin
            cases = compiled.decision.cases if position == 0 else _laid_over(cases, compiled.decision.cases)
        first = next(iter(self.semantics.sources.values()), None)
        found = Decision(cases, first.stand_in if first is not None else None)
        self.several = several(found)
        return found, same_origin

    def decision(self) -> tuple[Decision, bool]:
        """What the origin options decide before the `sends` table, and whether the server's own pages pass besides."""
        return self._combined([source.compiled for source in self._sources()])

    def exact_texts(self) -> tuple[str, ...]:
        """The texts that are compared with whole origins, as they are written."""
        compared = [case.predicate for source in self._sources() for case in source.compiled.decision.cases]
        return tuple(
            dict.fromkeys(
                atom.operand
                for predicate in compared
                for atom in (predicate.parts if isinstance(predicate, Any) else (predicate,))
                if isinstance(atom, Atom) and atom.op == "equals" and isinstance(atom.operand, str)
            )
        )

    def covers(self, path: str) -> Tri:
        """Whether a request for this path is one that the policy is for.

        A policy of a route whose path is not known counts as asked for that route.
        """
        scope = self.fact.field("scope")
        written = self.fact.values.get("scope")
        found = self.scene.resolve(written) if written is not None else None
        items = found.items if isinstance(found, Sequence) else (found,) if found is not None else ()
        texts = [item.value for item in items if isinstance(item, Literal) and isinstance(item.value, str)]
        if texts and len(texts) == len(items):
            return any_of(self._covers(text, path) for text in texts)
        return tri(path.startswith(scope.value)) if isinstance(scope.value, str) else Tri.YES

    def _covers(self, scope: str, path: str) -> Tri:
        mode = self.semantics.responds.scope if self.semantics.responds is not None else "pattern"
        if mode == "pattern-if-special" and not self.special(scope):
            return tri(path == scope)
        pattern = ".*" if scope == "*" and mode == "pattern-if-special" else scope
        return matches(Pattern(pattern, "", "python", "match"), path)

    def first_text(self) -> str | None:
        """The text that is listed first; None where that is not known."""
        value = self.fact.values.get(next(iter(self.semantics.sources)))
        found = self.scene.resolve(value) if value is not None else None
        if isinstance(found, Sequence):
            found = self.scene.resolve(found.items[0]) if found.items else None
        return found.value if isinstance(found, Literal) and isinstance(found.value, str) else None

    def special(self, text: str) -> bool:
        """Whether the library takes a text for a regular expression because of its characters."""
        return special(text, next(iter(self.semantics.sources.values())))

    def credentials_for(self, origin: str | None) -> Tri:
        """Whether credentials are allowed to this origin, where the option names those that get them."""
        value = self.fact.values.get("credentials")
        if value is None or self.credentials is not Tri.UNKNOWN:
            return self.credentials
        found = self.scene.resolve(value)
        if self.semantics.credentials == "called" and isinstance(found, Function):
            return self._credentials_by(found, origin)
        if self.semantics.credentials != "origins":
            return self.credentials
        listed = found.items if isinstance(found, Sequence) else (found,)
        texts = [self.scene.resolve(item) for item in listed]
        if not all(isinstance(text, Literal) for text in texts):
            return Tri.UNKNOWN
        return tri(any(isinstance(text, Literal) and text.value == origin for text in texts))

    def admits(self, origin: str | None) -> Tri:
        """Whether the application's own check, called with the request and a callback, lets this origin in."""
        value = self.fact.values.get("gate")
        if value is None or isinstance(self.scene.resolve(value), (Null, Undefined)):
            return tri(not self.gate) if not self.gate else Tri.UNKNOWN
        asked = OriginSemantics(function="callback-allows", of_request=True, error="refuse")
        found = answer(compile_value(value, asked, Refuse(0), self.scene).decision, origin)
        return Tri.UNKNOWN if isinstance(found, (UnknownAnswer, Hang)) else tri(isinstance(found, Echo))

    def is_function(self) -> Tri:
        """Whether the origin option is a function of the application's."""
        values = [self.fact.values[name] for name in self.semantics.sources if name in self.fact.values]
        found = [self.scene.resolve(value) for value in values]
        if any(isinstance(value, Function) for value in found):
            return Tri.YES
        return Tri.UNKNOWN if any(isinstance(value, (Call, Name, Member)) for value in found) else Tri.NO

    # -- what is sent ---------------------------------------------------------------------------------------------

    def _credentials(self) -> Tri:
        field = self.fact.field("credentials")
        value = self.fact.values.get("credentials")
        if (
            value is not None
            and self.semantics.credentials != "origins"
            and isinstance(self.scene.resolve(value), Null)
        ):
            return Tri.NO  # null and None are written all the same: they take the default's place
        if field.state == "unknown":
            return self._credentials_of(self.fact.values.get("credentials"))
        if self.semantics.credentials in ("truthy", "called"):
            return tri(bool(field.value))
        if self.semantics.credentials == "origins" and isinstance(field.value, str):
            return Tri.YES if field.value == "*" else Tri.UNKNOWN  # some origins get them, others do not
        return tri(field.value is True)

    def _credentials_of(self, value: Value | None) -> Tri:
        """Whether credentials are allowed by what was no plain value in the program's text."""
        found = self.scene.resolve(value) if value is not None else None
        how = self.semantics.credentials
        if isinstance(found, (Literal, Null, Undefined)):
            given = found.value if isinstance(found, Literal) else None
            return Tri.UNKNOWN if how == "origins" else tri(given is True if how == "true" else bool(given))
        if not isinstance(found, (Function, Mapping)):
            return Tri.UNKNOWN
        if how == "called" and isinstance(found, Function):
            by_origin = {self._credentials_by(found, origin) for origin in (None, "null", "https://unlisted.invalid")}
            constant = len(found.returns) == 1 and isinstance(self.scene.resolve(found.returns[0].value), Literal)
            return by_origin.pop() if constant and len(by_origin) == 1 else Tri.UNKNOWN
        return tri(how != "true") if how in ("called", "truthy", "true") else Tri.UNKNOWN

    def _credentials_by(self, function: Function, origin: str | None) -> Tri:
        """Whether a function of the application's allows credentials to this origin."""
        given = self.called(function, origin)
        return tri(given.value is True) if isinstance(given, Literal) else Tri.UNKNOWN

    def called(self, function: Function, origin: str | None) -> Value | None:
        """What a function gives to this origin that the library calls like the origin option's."""
        semantics = next(iter(self.semantics.sources.values()))
        return returned_for(function, origin, semantics, self.scene)

    def _refused_credentials(self) -> bool:
        """Whether the library raises because of what it was given for credentials."""
        field = self.fact.field("credentials")
        if field.state != "written" or self.semantics.credentials not in ("boolean", "origins"):
            return False
        return isinstance(field.value, bool) is (self.semantics.credentials == "origins")

    def _literal_star(self) -> Tri:
        field = self.fact.field("literal_star")
        return Tri.UNKNOWN if field.state == "unknown" else tri(bool(field.value))

    def _rows(self, kind: str, request: Request = _WITH_COOKIES, *, open_to_all: bool) -> Iterator[Row]:
        """The rows that may apply to this kind of answer: the last one applies for certain.

        By default what counts is a page's real request with cookies; a literal star is only sent where strangers are
        let in.
        """
        for row in self.semantics.sends:
            if row.decision == "several" and kind == "echo" and self.several is not Tri.NO:
                pass
            elif row.decision not in (None, kind) or row.kind not in (None, request.kind):
                continue
            if row.cookie is not None and request.cookie is not tri(row.cookie):
                continue
            held = Tri.YES
            star = self.literal_star if open_to_all else Tri.NO
            credentials = self.credentials if request is _WITH_COOKIES else self.credentials_for(request.origin)
            for asked, given in ((row.credentials, credentials), (row.literal_star, star)):
                if asked is None or held is Tri.NO:
                    continue
                if given is Tri.UNKNOWN:
                    held = Tri.UNKNOWN
                elif given is not tri(asked):
                    held = Tri.NO
            if held is not Tri.NO:
                yield row
            if held is Tri.YES:
                return
        yield Row()

    def _sent(self, decision: Decision) -> Decision:
        """The decision as it is sent: the descriptor's table turns a star into an echo, an echo into a star, ..."""
        return decision._replace(
            cases=tuple(
                case._replace(answer=self._sent_answer(case.answer, open_to_all=isinstance(case.predicate, Always)))
                for case in decision.cases
            )
        )

    def sent(self, case: Case, request: Request) -> Answer:
        """What a case's answer becomes for this request."""
        return self._sent_answer(case.answer, request, open_to_all=isinstance(case.predicate, Always))

    def _sent_answer(self, given: Answer, request: Request = _WITH_COOKIES, *, open_to_all: bool) -> Answer:
        # What decides before the policy leaves its refusals as they are.
        stays = (Nothing, Refuse, Raise, Hang) if self.semantics.gate == "before" else ()
        gated = request is _WITH_COOKIES and self.gate and not isinstance(given, stays)
        sent_whole = isinstance(given, Raise) and all(row.decision != given.kind for row in self.semantics.sends)
        if (sent_whole or isinstance(given, (UnknownAnswer, Hang))) and not gated:
            return given
        if gated:
            return UnknownAnswer("a check of the application's own decides first")
        outcomes = {_as_sent(row, given) for row in self._rows(given.kind, request, open_to_all=open_to_all)}
        return outcomes.pop() if len(outcomes) == 1 else UnknownAnswer("depends on an option that is not known")

    def _sends_credentials(self, decision: Decision, sent: Decision, same_origin: bool) -> Tri:
        """Whether Allow-Credentials: true goes along, for the answers that can be given at all."""
        found: set[Tri] = set()
        for given, case in zip(decision.cases, sent.cases, strict=True):
            if isinstance(case.answer, UnknownAnswer):
                # Whatever the origin is, the header goes along where the policy is not switched off altogether.
                found.add(Tri.NO if self.credentials is Tri.NO else self.credentials)
            elif not isinstance(case.answer, (Nothing, Refuse, Raise, Hang)) and case.predicate != Any(()):
                rows = self._rows(given.answer.kind, open_to_all=isinstance(case.predicate, Always))
                found |= {self.credentials if row.acac is None else tri(row.acac) for row in rows}
        if not found:
            return self.credentials if same_origin else Tri.NO
        return found.pop() if len(found) == 1 else Tri.UNKNOWN

    # -- fields ---------------------------------------------------------------------------------------------------

    def _place(self, sources: list[_Source], sent: Decision) -> None:
        """`origin` and `origin.form`: the source that decides about strangers, else the first one that is written."""
        fields = self.fact.fields
        if self.header is not None:
            value = self.fact.values["origin"]
            found = self.scene.resolve(value)
            text = found.value if isinstance(found, Literal) else None
            fields["origin"] = Field(text, "written" if text is not None else "unknown", value.span)
        written = [source for source in sources if source.value is not None]
        given = to_stranger(sent)
        opening = [s for s in written if to_stranger(s.compiled.decision).kind in ("star", "echo")]
        chosen = opening[0] if opening and given.kind in ("star", "echo") else written[0] if written else None
        if chosen is not None and chosen.name != "origin":
            fields["origin"] = fields[chosen.name]
        if "origin" not in fields:
            fields["origin"] = Field(None, "absent", self.fact.span)
        at = fields["origin"].span or self.fact.span
        form = _form(chosen.value, self.scene) if chosen is not None else None
        if form is None:
            form = "missing" if fields["origin"].state == "absent" else "default"
        fields["origin.form"] = Field(form, "written", at)
        if chosen is not None and chosen.value is not None:
            portable = _portable(self.scene.resolve(chosen.value))
            fields["origin.portable"] = Field("yes" if portable else "no", "written", at)
        self._takes(chosen, at)

    def _takes(self, chosen: _Source | None, at: Span) -> None:
        """How exact origins could be given in place of what is written: `origin.takes`, `origin.with_port`."""
        semantics = chosen.semantics if chosen is not None else self.semantics.sources.get("origin")
        takes = None
        if self.header is not None:
            takes = "text"
        elif semantics is not None and (chosen is None or chosen.name == "origin"):
            text = semantics.text in _TAKES_EXACT
            lists = semantics.items in _TAKES_EXACT and semantics.lists == "compared"
            takes = "either" if text and lists else "text" if text else "list" if lists else None
        self.fact.fields["origin.takes"] = Field(takes, "absent" if takes is None else "written", at)
        ported = semantics is not None and "port" in semantics.text + semantics.items
        self.fact.fields["origin.with_port"] = _answer_field(tri(ported), at)

    def _environment(self, sources: list[_Source], sent: Decision) -> None:
        """What follows from an environment variable, unless strangers are let in whatever it holds."""
        if to_stranger(sent).kind in ("star", "echo"):
            return
        for position, source in enumerate(sources):
            if source.value is None:
                continue
            env, instead = without_environment(source.value, self.scene)
            if env is None:
                continue
            fields = self.fact.fields
            fields["origin.env"] = Field(env.name, "written", env.span, fields["origin"].trail)
            plain = isinstance(self.scene.resolve(source.value), EnvVar)
            fields["origin.plain_env"] = _answer_field(tri(plain), env.span)
            fields["origin.fails_fast"] = _answer_field(self._fails_fast(env, source.value), env.span)
            if instead is not None:
                compiled = self._compiled(source.name, instead, source.semantics)
                kind = self._stranger_without(sources, position, compiled)
                fields["origin.env_fallback"] = _known(kind, instead.span)
                fields["origin.fallback"] = _fallback(instead)
                if source.semantics.unset != "fails":
                    compiled = compile_meaning(source.semantics.unset, env.span, self.refused)
                    fields["origin.env_unset"] = _known(self._stranger_without(sources, position, compiled), env.span)
            elif plain:
                if source.semantics.unset == "fails":
                    fields["effect.if_unset"] = Field("fails", "written", env.span)
                else:
                    compiled = compile_meaning(source.semantics.unset, env.span, self.refused)
                    fields["effect.if_unset"] = _known(self._stranger_without(sources, position, compiled), env.span)
            return

    def _stranger_without(self, sources: list[_Source], position: int, compiled: Compiled) -> str | None:
        """What a stranger gets when one source is something else."""
        parts = [source.compiled for source in sources]
        parts[position] = compiled
        decision, _ = self._combined(parts)
        kind = to_stranger(self._sent(decision)).kind
        return None if kind == "unknown" else kind

    def _fails_fast(self, env: EnvVar, value: Value) -> Tri:
        if env.required or self._checked_before(env):
            return Tri.YES
        # `process.env.X.split(",")` stops when X is missing, `process.env.X?.split(",")` does not: they read alike.
        return Tri.UNKNOWN if isinstance(self.scene.resolve(value), Split) else Tri.NO

    def _checked_before(self, env: EnvVar) -> bool:
        """Whether the policy stands behind a test that the variable is set: `if (!process.env.X) throw ...`."""
        instance = self.fact.field("instance").value
        reading = self.code(self.fact.span.path)
        if reading is None or not isinstance(instance, Span):
            return False
        guards: list[Guard] = list(self.guards)
        for site in reading.calls:
            if site.call.span == instance:
                guards += site.guards
        return any(self._demands(guard.test, env, guard.holds, 0) for guard in guards)

    def _demands(self, test: Value, env: EnvVar, holds: bool, depth: int) -> bool:
        if depth > 8:
            return False
        if isinstance(test, Operation):
            if test.operator == "not":
                return self._demands(test.operands[0], env, not holds, depth + 1)
            if test.operator == "and" and holds:
                return any(self._demands(part, env, True, depth + 1) for part in test.operands)
            if test.operator in ("==", "!=") and len(test.operands) == 2:
                missing = [part for part in test.operands if isinstance(self.scene.resolve(part), (Null, Undefined))]
                other = [part for part in test.operands if part not in missing]
                return bool(missing and other) and (test.operator == "!=") is holds and self._is_env(other[0], env)
            return False
        if isinstance(test, Fallback) and not holds:
            return any(self._demands(part, env, False, depth + 1) for part in (test.first, test.then))
        return holds and self._is_env(test, env)

    def _is_env(self, value: Value, env: EnvVar) -> bool:
        found = self.scene.resolve(value)
        return isinstance(found, EnvVar) and found.name == env.name

    def _unchecked(self, sources: list[_Source]) -> None:
        """Whether what is written switches the library's check of origins off."""
        for source in sources:
            value = self.scene.resolve(source.value) if source.value is not None else None
            empty = isinstance(value, Sequence) and not value.items and not value.immutable
            if empty and source.semantics.empty_list == "unchecked":
                self.fact.fields["origin.unchecked"] = Field("yes", "written", self.fact.field("origin").span)

    def _effects(self, decision: Decision, sent: Decision, same_origin: bool, sources: Iterable[_Source]) -> None:
        fields = self.fact.fields
        origin = fields["origin"]
        at = origin.span or self.fact.span
        given = to_stranger(sent)
        state = "default" if origin.state in ("default", "absent") else "written"
        stranger = None if isinstance(given, UnknownAnswer) else given.kind
        field = _known(stranger, at)
        if stranger is not None:
            field = Field(stranger, "default" if state == "default" else "written", at, origin.trail, origin.confidence)
        fields["effect.to_stranger"] = field
        allowed = fields.get("credentials", Field(None, "absent", self.fact.span))
        credentials = _answer_field(
            self._sends_credentials(decision, sent, same_origin), allowed.span or self.fact.span
        )
        fields["effect.credentials"] = credentials._replace(trail=allowed.trail, confidence=allowed.confidence)
        null = accepts_null(sent)
        fields["effect.accepts_null"] = _answer_field(null, at)
        fields["effect.same_origin"] = _answer_field(tri(same_origin), at)
        depends = Tri.UNKNOWN if same_origin else depends_on_origin(sent)
        fields["effect.depends_on_origin"] = _answer_field(depends, at)
        fields["effect.vary_origin"] = _answer_field(self._vary(sent), at)
        fields["effect.sends_several"] = _answer_field(sends_several(sent), at)
        # A function may throw for strangers alone.
        raises = Tri.UNKNOWN if stranger is None else tri(stranger == "raises" and not _sends_header_to_some(sent))
        fields["effect.raises"] = _answer_field(raises, at)
        fields["effect.sends_origin_header"] = _answer_field(_sends_header(sent, same_origin), at)
        self._witness(sent, at)
        if null is Tri.YES and stranger not in ("star", "echo"):
            entry = _null_entry(sent)
            if entry is not None:
                listed = (each for source in sources for each in source.compiled.entries if each.span == entry)
                other = any(each.text != "null" for each in listed)
                fields["null_entry"] = Field("null", "written", entry, _trail(entry, at))
                fields["null_entry.schemeless"] = _answer_field(tri(other), entry)

    def _wildcard_pair(self, asked: Answer, sent: Answer) -> None:
        """What becomes of `*` for everybody with credentials on top of it."""
        fields = self.fact.fields
        shown = fields["effect.to_stranger"]
        if isinstance(sent, Star):
            credentials = fields["effect.credentials"]
            if credentials.state == "unknown":
                fields["effect.wildcard_pair"] = shown._replace(value=None, state="unknown")
            elif credentials.value == "yes":
                fields["effect.wildcard_pair"] = shown._replace(value="sent")
        elif isinstance(sent, Raise) and not isinstance(asked, Raise):
            fields["effect.wildcard_pair"] = shown._replace(value="raises")
        elif isinstance(sent, UnknownAnswer):
            fields["effect.wildcard_pair"] = shown._replace(value=None, state="unknown")

    def _vary(self, sent: Decision) -> Tri:
        """Whether Vary: Origin goes along with an echoed origin."""
        told = self.fact.field("vary")
        if told.state == "unknown":
            return Tri.UNKNOWN
        if self.header is not None:
            return tri(bool(told.value))
        if told.state != "absent" and not told.value:
            return Tri.NO
        if "several" in self.semantics.vary:
            return several(sent)
        return tri("echo" in self.semantics.vary)

    def _witness(self, sent: Decision, at: Span) -> None:
        below = any_subdomain(sent)
        if below is not None:
            trail = _trail(below.span, at)
            self.fact.fields["subdomain.origin"] = Field(below.origin, "written", below.span, trail)
            self.fact.fields["subdomain.domain"] = Field(below.trusted, "written", below.span, trail)
        found = witness(sent)
        if found is None:
            return
        fields = self.fact.fields
        trail = _trail(found.span, at)
        fields["witness.origin"] = Field(found.origin, "written", found.span, trail)
        fields["witness.technique"] = Field(found.technique, "written", found.span, trail)
        fields["witness.test"] = Field(found.test, "written", found.span, trail)
        self._narrower(sent, found)

    def _narrower(self, sent: Decision, found: Witness) -> None:
        """What could stand in place of the test: proven to let in whom it was written for, and nobody else."""
        language = self.fact.field("language").value
        better = narrowed(sent, found, str(language)) if language in ("javascript", "python") else None
        reading = self.code(found.span.path)
        if better is None or reading is None:
            return
        fields = self.fact.fields
        calls = [site.call for site in reading.calls if site.call.span == found.span]
        if better.around is None and not calls:
            fields["witness.narrower"] = Field(better.text, "written", found.span)
        elif better.around is not None and len(calls) == 1:
            callee = calls[0].callee
            if isinstance(callee, Member) and callee.key.lower() in ("endswith", "startswith", "includes"):
                before, behind = better.around
                fields["witness.tested"] = Field(found.test, "written", callee.base.span)
                fields["witness.before"] = Field(before, "written", found.span)
                fields["witness.behind"] = Field(behind, "written", found.span)

    # -- parts ----------------------------------------------------------------------------------------------------

    def _part(self) -> dict[str, Field]:
        """The fields that every part has in common."""
        return part_fields(self.fact)

    def _credentials_value(self, common: dict[str, Field]) -> Iterator[Fact]:
        """A value for credentials that is meant to allow them, in a library for which only the boolean does."""
        how = self.semantics.credentials
        value = self.fact.values.get("credentials")
        if self.header is not None or value is None or how not in ("true", "boolean"):
            return
        found = self.scene.resolve(value)
        if isinstance(found, EnvVar):
            text, raw_type = found.name, "env"
        elif isinstance(found, Literal) and means_yes(found.value) and found.value is not True:
            text, raw_type = str(found.value), "text" if isinstance(found.value, str) else "number"
        else:
            return
        shown = self.fact.field("credentials")
        own = {name: field for name, field in common.items() if name != "policy"}
        fields = {
            "text": Field(text, "written", found.span, shown.trail),
            "raw_type": Field(raw_type, "written", found.span),
            "by": Field("option", "written", found.span),
            "does": Field("ignored" if how == "true" else "raises", "written", found.span),
        }
        yield Fact("credentials_value", found.span, {**own, **fields})

    # -- entries --------------------------------------------------------------------------------------------------

    def _entries(self, source: _Source) -> Iterator[Fact]:
        fact = self.fact
        common = self._part()
        if "layer" in fact.fields:
            common["layer"] = fact.fields["layer"]
        at = fact.fields["origin"].span or fact.span
        through = fact.fields["origin"].trail
        if fact.span.path != at.path and all(span.path != fact.span.path for span in through):
            through = (*through, fact.span)
        for entry in source.compiled.entries:
            if not entry.text:
                continue
            defect, corrected = entry_defect(entry, source.semantics)
            if not _exact(entry):
                corrected = None
            if defect == "whitespace" and corrected == entry.text.strip() and entry.in_list and not _quoted(entry):
                defect = "untrimmed"  # a piece of a text that is cut, with the space that followed the comma
            yield Fact(
                "origin_entry",
                entry.span,
                {
                    **common,
                    "text": Field(entry.text, "written", entry.span, (*_trail(entry.span, at), *through)),
                    "defect": Field(defect, "written", entry.span),
                    "corrected": Field(corrected, "written" if corrected is not None else "absent", entry.span),
                    "in_list": _answer_field(tri(entry.in_list), entry.span),
                    "as_list": self._as_list(entry, source.semantics),
                    "as_regex": self._as_regex(entry, defect, source.semantics),
                    "null": _answer_field(tri(entry.text == "null"), entry.span),
                },
            )

    def _as_list(self, entry: ListedText, semantics: OriginSemantics) -> Field:
        """The origins in a text that is the whole option, spelled as a list of the file's language."""
        absent = Field(None, "absent", entry.span)
        whole = self.fact.fields["origin"].span == entry.span and _quoted(entry) and self.header is None
        if not whole or not entry.complete or semantics.lists == "joined":
            return absent
        pieces = [piece for piece in re.split(r"[\s,;]+", entry.text) if piece]
        exact = all("://" in piece and _defect(piece, semantics)[0] == "none" for piece in pieces)
        if len(pieces) < 2 or not exact or any(re.search(r"['\"\\\\]", piece) for piece in pieces):
            return absent
        quote = '"' if self.fact.field("language").value == "python" else "'"
        return Field(f"[{', '.join(f'{quote}{piece}{quote}' for piece in pieces)}]", "written", entry.span)

    def _as_regex(self, entry: ListedText, defect: str, semantics: OriginSemantics) -> Field:
        """The regular expression that a text was meant to be, where the library takes one and no attacker passes it."""
        absent = Field(None, "absent", entry.span)
        # `'\\.'` is a backslash and a dot; in `'\.'` the backslash is lost, and nobody knows what else was.
        surplus = entry.span.end - entry.span.start - len(entry.text.encode()) - entry.text.count("\\")
        if surplus != 2 or self.header is not None or self.fact.field("language").value != "javascript":
            return absent
        if defect == "glob" and re.fullmatch(r"https?://\*\.[\w.-]+(:\d+)?", entry.text):
            source, flags = f"^{re.escape(entry.text).replace(chr(92) + '-', '-')}$".replace(r"\*", "[a-z0-9-]+"), ""
        elif defect == "quoted-regex":
            delimited = re.fullmatch(r"/(.+)/([a-z]*)", entry.text, re.DOTALL)
            source, flags = delimited.groups() if delimited is not None else (entry.text, "")
        else:
            return absent
        if not valid(Pattern(source, flags, "ecmascript", "search")) or set(flags) - set("imsu"):
            return absent
        meant: Value = Regex(source, flags, "ecmascript", entry.span)
        meant = Sequence((meant,), entry.span) if entry.in_list else meant
        decision = compile_value(meant, semantics, self.refused, self.scene).decision
        if not list(patterns_of(decision)) or to_stranger(decision).kind != "nothing" or witness(decision) is not None:
            return absent
        escaped = re.sub(r"(?<!\\)((?:\\\\)*)/", r"\1\/", source)
        return Field(f"/{escaped}/{flags}", "written", entry.span)


# --- Parts of a policy -------------------------------------------------------------------------------------------


def part_fields(policy: Fact) -> dict[str, Field]:
    """What a part of a policy has from the policy: its library, and which policy that is."""
    copied = ("framework", "library", "language", "version", "major", "fence")
    common = {name: policy.fields[name] for name in copied if name in policy.fields}
    instance = policy.field("instance")
    common["policy"] = instance if isinstance(instance.value, Span) else Field(policy.span, "written", policy.span)
    return common


def parts_of(decision: Decision, common: dict[str, Field]) -> Iterator[Fact]:
    """The facts of what a policy compares origins with: its patterns, and what lets in origins without TLS."""
    for pattern, span in patterns_of(decision):
        going_on = set(pattern.flags) & set("gy")
        flags = "".join(flag for flag in pattern.flags if flag not in "gy")
        shown = f"/{pattern.source}/{pattern.flags}"
        # As a literal, and not put together by a call.
        rest = f"/{pattern.source}/{flags}" if len(shown.encode()) == span.end - span.start else None
        fields = {
            "text": Field(shown, "written", span),
            "flags": Field(pattern.flags, "written", span),
            "stateful": _answer_field(tri(pattern.stateful and bool(going_on)), span),
            "stateless": Field(rest, "absent" if rest is None else "written", span),
        }
        yield Fact("origin_pattern", span, {**common, **fields})
    for one in insecure(decision):
        secure = None if one.origin.rpartition(":")[2].isdigit() else one.origin.replace("http:", "https:", 1)
        fields = {
            "origin": Field(one.origin, "written", one.span),
            "how": Field(one.how, "written", one.span),
            "private": _answer_field(tri(one.private), one.span),
            "beside_https": _answer_field(tri(one.beside_https), one.span),
            "twin": _answer_field(tri(one.twin), one.span),
            "secure": Field(secure, "absent" if secure is None else "written", one.span),
        }
        yield Fact("insecure_origin", one.span, {**common, **fields})


# --- Decisions as they are sent ----------------------------------------------------------------------------------


def _laid_over(first: tuple[Case, ...], then: tuple[Case, ...]) -> tuple[Case, ...]:
    """`first`, and where it does not grant anything, `then`."""
    cases: list[Case] = []
    for case in first:
        if not isinstance(case.answer, (Nothing, Refuse)):
            cases.append(case)
        elif isinstance(case.predicate, Always):
            cases += then
        else:
            cases += [other._replace(predicate=All((case.predicate, other.predicate))) for other in then]
        if isinstance(case.predicate, Always):
            break
    return tuple(cases)


def _as_sent(row: Row, given: Answer) -> Answer:
    match row.acao:
        case "*":
            return Star()
        case "origin":
            return Echo()
        case "none":
            return Nothing()
        case "raises":
            return Raise()
        case "unknown":
            return UnknownAnswer("what is sent differs between the versions")
    return Star() if given == Fixed("*") else given


def several(decision: Decision) -> Tri:
    """Whether more than one exact text can be accepted."""
    accepting = [case.predicate for case in decision.cases if isinstance(case.answer, Echo)]
    return tri(len(accepting) > 1 or any(not isinstance(test, Atom) or test.op != "equals" for test in accepting))


def _sends_header(decision: Decision, same_origin: bool) -> Tri:
    reachable = [case.answer for case in decision.cases if case.predicate != Any(())]
    if any(isinstance(given, (Star, Echo, Fixed, Own)) for given in reachable):
        return Tri.YES
    unsure = same_origin or any(isinstance(given, UnknownAnswer) for given in reachable)
    return Tri.UNKNOWN if unsure else Tri.NO


def _sends_header_to_some(decision: Decision) -> bool:
    """Whether some case sends the header for certain, or may."""
    reachable = [case.answer for case in decision.cases if case.predicate != Any(())]
    return any(isinstance(given, (Star, Echo, Fixed, Own, UnknownAnswer)) for given in reachable)


def _null_entry(decision: Decision) -> Span | None:
    """Where the origin `null` is named, in the case that lets it pass."""
    for case in answers(decision, "null"):
        if isinstance(case.answer, Fixed):
            return case.span
        found = _null_atom(case.predicate)
        if found is not None:
            return found
    return None


def _null_atom(predicate: Predicate) -> Span | None:
    if isinstance(predicate, Atom):
        named = predicate.op == "equals" and predicate.operand == "null" and predicate.part == "origin"
        return predicate.span if named else None
    if isinstance(predicate, (All, Any)):
        return next((found for part in predicate.parts if (found := _null_atom(part)) is not None), None)
    return _null_atom(predicate.part.part) if isinstance(predicate, Not) and isinstance(predicate.part, Not) else None


def _trail(span: Span, origin: Span) -> tuple[Span, ...]:
    """The option itself, for a place that does not lie in it."""
    return () if origin.covers(span) or span.covers(origin) else (origin,)


def _answer_field(answer: Tri, span: Span) -> Field:
    return Field(None, "unknown", span) if answer is Tri.UNKNOWN else Field(answer.value, "written", span)


def _known(value: str | None, span: Span) -> Field:
    return Field(None, "unknown", span) if value is None else Field(value, "written", span)


def _form(value: Value | None, scene: Scene) -> str | None:
    """How the origin is given."""
    if value is None:
        return None
    value = scene.resolve(value)
    match value:
        case Literal(value=bool()):
            return "boolean"
        case Literal(value=str()) | Concat():
            return "literal"
        case Sequence():
            return "list"
        case Regex():
            return "regex"
        case Function():
            return "function"
        case EnvVar():
            return "env"
        case Fallback(first=first):
            return "env" if isinstance(scene.resolve(first), EnvVar) else "other"
        case Split(value=inner):
            return "env" if without_environment(inner, scene)[0] is not None else "list"
        case Null() | Undefined():
            return "absent"
        case Call(callee=callee):
            return "regex" if scene.canonical(callee) in ("global#RegExp", "re#compile") else "other"
    return "other"


# --- Headers written by hand -------------------------------------------------------------------------------------


def _reads_request_origin(value: Value, spec: HeaderSpec, scene: Scene) -> bool:
    """Whether an expression reads the request's own Origin header."""
    if isinstance(value, Call) and len(value.arguments) == 2 and _reads_a_request(value, spec, scene):
        named = scene.resolve(value.arguments[1].value)
        return isinstance(named, Literal) and str(named.value).lower() in spec.request_members
    if isinstance(value, Call) and isinstance(value.callee, Member) and len(value.arguments) == 1:
        named = scene.resolve(value.arguments[0].value)
        if not isinstance(named, Literal) or not isinstance(named.value, str):
            return False
        if value.callee.key == "get" and value.span.path.endswith(".py"):
            # Every dictionary has a `get`: `settings.get("origin")` is not the request's header.
            holder = _last_name(value.callee.base, scene)
            if holder not in _HOLDERS and holder not in _REQUESTS:
                return False
        return value.callee.key in spec.request_calls and named.value.lower().replace("-", "_") in spec.request_members
    if isinstance(value, Member):
        if value.key.lower() not in spec.request_members:
            return False
        if isinstance(value.base, Call) and len(value.base.arguments) == 1:
            return _reads_a_request(value.base, spec, scene)
        holder = _last_name(value.base, scene)
        return holder in _HOLDERS or (holder in _REQUESTS and value.span.path.endswith(".py"))
    if isinstance(value, Index):
        key = scene.resolve(value.key)
        named_key = isinstance(key, Literal) and str(key.value).lower() in spec.request_members
        return named_key and _last_name(value.base, scene) in _HOLDERS
    return False


def _reads_a_request(call: Call, spec: HeaderSpec, scene: Scene) -> bool:
    """Whether a function reads headers of the request that it is given."""
    name = scene.canonical(call.callee) if spec.request_functions and not isinstance(call.callee, Member) else None
    return name is not None and name.rpartition("#")[2] in spec.request_functions


def _last_name(value: Value, scene: Scene) -> str:
    """The last name of `a.b.c`, in lower case, looking through names that were bound once."""
    for _ in range(20):
        if isinstance(value, Member):
            return value.key.lower()
        if not isinstance(value, Name):
            return ""
        further = scene.bound(value)
        if not isinstance(further, (Name, Member)):
            return value.name.lower()
        value = further
    return ""


def _fallback(instead: Value) -> Field:
    """The one text among what counts without the variable that lets everybody in, or that is all of it."""
    texts = [
        one for one in (instead.items if isinstance(instead, Sequence) else (instead,)) if isinstance(one, Literal)
    ]
    found = [one for one in texts if one.value == "*"] or texts
    if len(found) != 1 or not isinstance(found[0].value, str):
        return Field(None, "absent", instead.span)
    return Field(found[0].value, "written", found[0].span)


def _portable(value: Value) -> bool:
    """Whether a resolved value is made of literals alone."""
    if isinstance(value, Sequence):
        return all(isinstance(item, Literal) for item in value.items)
    return isinstance(value, Literal)


def _quoted(entry: ListedText) -> bool:
    """Whether the entry's place is a text of its own, with its quotes (and at most one letter before them)."""
    return entry.span.end - entry.span.start - len(entry.text.encode()) in (2, 3)


def _exact(entry: ListedText) -> bool:
    """Whether the entry's place is the entry alone, with or without quotes, so that it can be replaced."""
    surplus = entry.span.end - entry.span.start - len(entry.text.encode())
    return surplus in (0, 2, 3)


# --- Texts that no browser sends ---------------------------------------------------------------------------------

_SCHEME = regex(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_PORT_GLOB = regex(r"(?:[a-z][a-z0-9+.-]*://)?[^/*\s:]+:\*", re.IGNORECASE)
_PORTED = regex(r":(?:\d+|\*)(?![\w.])")
_QUOTED_REGEX = regex(r"/.+/[a-z]*|\^.*|.*\\[./dw].*|.*[^$]\$", re.DOTALL)
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_WEB = ("http", "https")


_GLOBS = ("glob", "wide-glob", "first-glob")
_TAKES_EXACT = frozenset({"exact", "exact-port", "exact-or-host", "fixed", "site", "prefix-regex-if-special", *_GLOBS})
"""Ways to compare in which a whole origin, without a pattern's characters, means that origin alone."""


def entry_defect(entry: ListedText, semantics: OriginSemantics) -> tuple[str, str | None]:
    """Why no browser sends a text as its Origin (`none`: one does), and what was certainly meant instead.

    Follows the serialisation of an origin (HTML standard, section 7.1.1): scheme, host and port, lower case, no path,
    no default port. Texts that the library reads as a pattern have no defect here.
    """
    mode, text = entry.mode, entry.text
    if mode == "exact-or-host" and "://" not in text:
        return "none", None
    if mode in ("regex", "host-suffix", "unknown") or (mode in _GLOBS and "*" in text):
        return "none", None
    if mode == "prefix-regex-if-special" and special(text, semantics):
        return ("glob" if _dead_glob(text) else "none"), None
    if mode == "substring":
        lacks = "://" not in text and text not in ("", "null") and entry.complete
        return ("no-scheme" if lacks else "none"), None
    if not entry.complete:
        return _defect_of_end(text), None
    if mode in ("exact-port", "substring-port"):
        return _defect_with_port(text, mode)
    if text in ("", "null"):
        return "none", None
    if text == "*":
        return ("star" if mode in ("exact", "site") and semantics.star_in_list == "literal" else "none"), None
    if mode == "site" and (found := _SCHEME.match(text)) is not None:
        # Nothing after the host is compared.
        text = re.split(r"[/?#]", text[found.end() :], maxsplit=1)[0]
        text = f"{found[0]}{text}"
    return _defect(text, semantics)


def _defect(text: str, semantics: OriginSemantics) -> tuple[str, str | None]:
    if _QUOTED_REGEX.fullmatch(text):
        return "quoted-regex", None
    pieces = [piece for piece in re.split(r"[\s,;]+", text) if piece]
    if len(pieces) > 1:
        named = all(re.search(r"[.:*]|^localhost$|^null$", piece) for piece in pieces)
        return ("list" if named else "whitespace"), None
    if re.search(r"\s", text):
        return "whitespace", _corrected(text.strip())
    if "*" in text:
        return ("port-glob" if _PORT_GLOB.fullmatch(text) else "glob"), None
    scheme = _SCHEME.match(text)
    if scheme is None:
        return "no-scheme", None
    authority, slash, path = text[scheme.end() :].partition("/")
    if slash and authority:
        return ("path" if path.strip("/") else "trailing-slash"), _corrected(text)
    if authority and re.search(r"[?#]", authority):
        return "path", _corrected(text)
    if scheme[1].lower() not in _WEB:
        return "none", None
    if authority.endswith(":" + _DEFAULT_PORTS[scheme[1].lower()]) and not authority.startswith("["):
        return "default-port", _corrected(text)
    if text != text.lower() and not semantics.fold_case:
        return "upper-case", _corrected(text)
    return "none", None


def _corrected(text: str) -> str | None:
    """The origin of a URL as a browser serialises it; None where that is not certain."""
    scheme = _SCHEME.match(text)
    if scheme is None:
        return None
    name = scheme[1].lower()
    authority = re.split(r"[/?#]", text[scheme.end() :], maxsplit=1)[0].lower()
    if name in _WEB:
        authority = authority.removesuffix(":" + _DEFAULT_PORTS[name])
        origin = f"{name}://{authority}"
        return origin if possible_origin(origin) else None
    return f"{name}://{authority}" if re.fullmatch(r"[a-z0-9.-]+", authority) else None


def _defect_with_port(text: str, mode: str) -> tuple[str, str | None]:
    """Texts of a library that looks origins up with their port spelled out."""
    if text in ("", "null", "*", "*:*") or (mode == "substring-port" and re.search(r"[\s,]", text.strip())):
        return "none", None
    scheme = _SCHEME.match(text)
    authority, slash, path = text[scheme.end() if scheme else 0 :].partition("/")
    bare = f"{scheme[0].lower() if scheme else ''}{authority.lower()}"
    ported = _PORTED.search(authority) is not None
    corrected = (
        bare
        if ported
        else f"{bare}:{_DEFAULT_PORTS[scheme[1].lower()]}"
        if scheme and scheme[1].lower() in _WEB
        else None
    )
    if mode == "exact-port":
        if re.search(r"\s", text):
            return ("list" if len(text.split()) > 1 else "whitespace"), None
        if "," in text:
            return "list", None
        if slash:
            return ("path" if path.strip("/") else "trailing-slash"), corrected
        if scheme and authority.endswith(":*"):
            return "port-glob", None
        if "*" in authority and not authority.startswith("*:") and not authority.endswith(":*"):
            return "glob", None
    if not ported and re.fullmatch(r"[\w.-]+|\[[0-9a-fA-F:]+\]", authority):
        return "missing-port", corrected
    if bare != text.rstrip("/") and text != text.lower():
        return "upper-case", corrected
    return "none", None


def _defect_of_end(text: str) -> str:
    """What is certainly wrong with a text of which parts are not known (`…`)."""
    rest = text[text.find("://") + 3 :] if "://" in text else text
    if "://" not in text and not text.startswith("…"):
        return "none"
    _, slash, path = rest.rpartition("…")[2].partition("/")
    if not slash:
        return "none"
    return "path" if path.strip("/") else "trailing-slash"


def _dead_glob(text: str) -> bool:
    """A text that is read as a regular expression, was meant as a glob, and accepts none of what the glob would."""
    if "*" not in text or re.search(r"\.\*|\]\*|\)\*|[\\^$()|+\[\]]", text):
        return False
    meant = [text.replace("*", filled) for filled in ("app", "a.b", "8080")]
    return not any(matches(Pattern(text, "i", "python", "match"), origin) is Tri.YES for origin in meant)
