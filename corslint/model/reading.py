"""What a parser says about one file, without having looked at any other."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from typing import Literal as OneOf
from typing import TypeAlias, Union

from corslint.model.values import Call, Guard, Literal, Value
from corslint.records import NamedTuple
from corslint.source import Span


class Damage(NamedTuple):
    """A place that could not be read. `whole`: nothing of the file could be read. `message` says what is wrong.

    `kind`: `syntax` for what its language refuses; `swallowed` for a statement that lacks its end, so that the next one
    became a part of it, which nginx accepts; `template` for a template that could not be read as what it makes.
    """

    span: Span
    message: str
    whole: bool = False
    kind: OneOf["syntax", "swallowed", "template"] = "syntax"


class Binding(NamedTuple):
    """One thing that a name was bound to: declaration, assignment, import, parameter, function or class.

    `guards` are the tests between the scope's own start and this binding. `span` is the bound name.
    """

    value: Value
    span: Span
    guards: tuple[Guard, ...]


class Scope(NamedTuple):
    """A lexical scope; `parent` is an index, -1 for the module scope (always index 0).

    `bindings` are in text order. A class scope holds fields and methods (looked up through `This`, never by name).
    """

    parent: int
    kind: OneOf["module", "function", "class", "block"]
    span: Span
    bindings: MappingOf[str, tuple[Binding, ...]]


class CallSite(NamedTuple):
    """A call, where it stands, and the tests that lead to it (outermost first, inside its own function).

    `loop`: it stands in a loop of that function.
    """

    call: Call
    scope: int
    guards: tuple[Guard, ...]
    loop: bool = False


class Write(NamedTuple):
    """An assignment to a member or index: `base.key = value`, `base[key] = value`, `base.key += value`."""

    target: Value
    value: Value
    operation: OneOf["set", "append"]
    scope: int
    guards: tuple[Guard, ...]
    span: Span


class Decoration(NamedTuple):
    """A decorator on a class or function; `decorator` is a Call, Name or Member value.

    `guards` and `loop` are those of a call that would stand there.
    """

    decorator: Value
    target: str
    target_span: Span
    scope: int
    guards: tuple[Guard, ...] = ()
    loop: bool = False


class Export(NamedTuple):
    """An exported value. `name` is `default` for a default export, `=` for `module.exports = value`,
    and `*` for `export * from "m"` (the value is then a Reference)."""

    name: str
    value: Value


class ScriptTag(NamedTuple):
    """An external script of a page: the `src` text, and its span."""

    url: str
    span: Span


class CodeReading(NamedTuple):
    """A JavaScript, TypeScript or Python file, or the scripts of an HTML page (read as one file)."""

    path: str
    language: OneOf["javascript", "python"]
    scopes: tuple[Scope, ...]
    calls: Sequence[CallSite]
    writes: Sequence[Write]
    decorations: Sequence[Decoration]
    exports: Sequence[Export]
    damage: tuple[Damage, ...]
    scripts: tuple[ScriptTag, ...] = ()
    page: bool = False


_new = tuple.__new__
"""Makes a named tuple in half the time: places of nginx's words are asked for that often."""


class Word(NamedTuple):
    """One word of an nginx directive: `text` as nginx sees it, `quote` is `"`, `'` or empty, `span` includes quotes.

    Placeholders stand in `text` as written; one that a shell fills in stands in double braces (`{{$HOST}}`), since to
    nginx it would be a variable of its own.
    """

    text: str
    quote: str
    path: str
    start: int
    length: int
    """In bytes, as all places. Python keeps one object for each small number, and a large file has many words."""

    @property
    def span(self) -> Span:
        """Where it stands."""
        return _new(Span, (self.path, self.start, self.start + self.length))


class Directive(NamedTuple):
    """An nginx directive. `span` runs from its name to its `;` or `}`. `block` is None for a simple directive.

    `body` is the span between the braces (an empty one at the start of the file where there is no block).
    For `if`, the words keep their parentheses off: `if ($a = b)` has the words `$a`, `=`, `b`.
    """

    name: Word
    arguments: tuple[Word, ...]
    block: tuple[Directive, ...] | None
    body: Span
    length: int

    @property
    def span(self) -> Span:
        """Where it stands."""
        start = self.name.start
        return _new(Span, (self.name.path, start, start + self.length))

    @property
    def key(self) -> str:
        """The directive's name (nginx compares names case-sensitively)."""
        return self.name.text


class NginxReading(NamedTuple):
    """An nginx configuration or a part of one.

    `context` is the context the top-level directives stand in, as far as their names tell:
    `main`, `http`, `server`, `location`, `upstream` or `unknown`.
    `template`: placeholders (`${X}`, Jinja) were masked. `logic` are the outermost regions that a template may leave
    out or repeat (`{% if %}` ... `{% endif %}`), and places where it inserts statements that cannot be seen.
    """

    path: str
    directives: tuple[Directive, ...]
    context: str
    damage: tuple[Damage, ...]
    template: bool = False
    logic: tuple[Span, ...] = ()


class Requirement(NamedTuple):
    """A package named in a manifest or lock file. `version` is set where the file pins one exactly (lock files, `==`).

    `folder`: for a lock file entry, the workspace folder (relative to the lock file) whose `node_modules` holds it.
    `ranges`: for an entry of a lock file that says which ranges it stands for instead (`yarn.lock`), those.
    """

    ecosystem: OneOf["npm", "pypi"]
    name: str
    specifier: str
    version: str | None
    development: bool
    span: Span
    folder: str = ""
    ranges: tuple[str, ...] = ()


class ManifestReading(NamedTuple):
    """A manifest (`package.json`, `requirements*.txt`, `pyproject.toml`) or a lock file of one.

    `kind` is the file's format; `workspaces` are the glob patterns of an npm workspace root, or the folders that a
    lock file covers besides its own; `texts` are what else `package.json` says in one text each, by key.
    """

    path: str
    kind: str
    requirements: tuple[Requirement, ...]
    workspaces: tuple[str, ...]
    damage: tuple[Damage, ...]
    texts: tuple[tuple[str, Literal], ...] = ()


class Image(NamedTuple):
    """A container image: `name` without registry defaults (`nginx`, `bitnami/nginx`); `tag` may be empty."""

    name: str
    tag: str
    span: Span


class Mount(NamedTuple):
    """A file or folder of the project that a container has at `target`, an absolute path.

    `source` is relative to the working directory, normalised; one that leads out of it begins with `..`.
    """

    source: str
    target: str
    span: Span


class Container(NamedTuple):
    """What one container runs on and holds: the last stage of a Dockerfile, or a service of a compose file.

    `builds` is the Dockerfile that a service is built from, `context` the folder its sources are relative to. Of
    several mounts of one target the last is in force. `span` is the service's definition, `ports` are those that the
    machine has, too: the machine's and its own.
    """

    name: str
    image: Image | None
    mounts: tuple[Mount, ...]
    builds: str = ""
    context: str = ""
    span: Span | None = None
    ports: tuple[tuple[int, int], ...] = ()


class Launch(NamedTuple):
    """Something that starts a program. `instances`: how many of it there are, where that is written; `port` is the one
    that its container is said to listen on. `span` is the command, or the number of instances. `labels` are those of
    what is deployed, `None` where it has none of a cluster's."""

    name: str
    command: str
    instances: int | None
    span: Span
    port: int | None = None
    labels: tuple[str, ...] | None = None


class ClusterService(NamedTuple):
    """A service of a cluster: what it selects, and whether it keeps a client on one (Kubernetes' Service)."""

    name: str
    selector: tuple[str, ...]
    outside: bool
    affinity: bool
    span: Span


class Variable(NamedTuple):
    """An environment variable with its value, as a file of the project has it; `span` is the value."""

    name: str
    value: str
    span: Span


class Exposed(NamedTuple):
    """A host and path that a cluster lets in, and the service that takes it (Kubernetes' Ingress)."""

    host: str
    path: str
    service: str
    port: int | None
    span: Span
    affinity: bool = False


class DeploymentReading(NamedTuple):
    """A file that carries nginx configurations or places them, or that says what is started where: a shell script,
    Dockerfile, compose, Markdown or Kubernetes file, a Procfile, variables (`.env`).

    `parts` are the nginx configurations inside, each on its own; their spans lie in this file.
    """

    path: str
    kind: OneOf["shell", "dockerfile", "compose", "markdown", "procfile", "kubernetes", "heroku", "environment"]
    parts: tuple[NginxReading, ...] = ()
    containers: tuple[Container, ...] = ()
    damage: tuple[Damage, ...] = ()
    launches: tuple[Launch, ...] = ()
    variables: tuple[Variable, ...] = ()
    services: tuple[ClusterService, ...] = ()
    exposed: tuple[Exposed, ...] = ()


Reading: TypeAlias = Union[CodeReading, NginxReading, ManifestReading, DeploymentReading]
