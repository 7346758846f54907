"""Which parser reads a file, and whether reading it can say anything. The parsers themselves load only when needed."""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, TypeAlias, get_args
from typing import Literal as OneOf

from corslint.regexes import regex
from corslint.source import SourceFile, Span

if TYPE_CHECKING:
    from corslint.model.reading import DeploymentReading, Reading

Kind: TypeAlias = OneOf[
    "javascript",
    "typescript",
    "tsx",
    "html",
    "component",
    "python",
    "nginx",
    "manifest",
    "shell",
    "dockerfile",
    "compose",
    "markdown",
    "procfile",
    "kubernetes",
    "heroku",
    "environment",
]
Language: TypeAlias = OneOf["javascript", "python"]

SNIFFED = 65_536
"""Bytes. No more of a file is looked at to tell what it is."""

_BY_EXTENSION: dict[str, Kind] = {
    **dict.fromkeys(("js", "jsx", "mjs", "cjs"), "javascript"),
    **dict.fromkeys(("ts", "mts", "cts"), "typescript"),
    "tsx": "tsx",
    **dict.fromkeys(("html", "htm", "xhtml", "ejs", "hbs", "handlebars", "mustache", "njk"), "html"),
    **dict.fromkeys(("vue", "svelte"), "component"),
    "py": "python",
    **dict.fromkeys(("sh", "bash", "ksh", "zsh"), "shell"),
    **dict.fromkeys(("md", "markdown"), "markdown"),
}

_MANIFESTS = frozenset({"package.json", "pyproject.toml"})
_LOCK_FILES = frozenset(
    {
        "package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock", "poetry.lock", "uv.lock",
        "pipfile.lock",
    }
)  # fmt: skip
_REQUIREMENTS = regex(r"requirements[^/]*\.txt$|(?:^|/)requirements/[^/]+\.txt$")
_TEMPLATED_PAGE = regex(r"\.html?\.(?:j2|jinja2?|tmpl|tpl|template|erb|ejs|hbs|in)$")

# nginx files have no extension of their own: `app.conf`, `app.conf.template`, `app.conf.j2`, `app.conf.sample`,
# `nginx.conf.prod`, `sites-enabled/default`, `proxy/conf`. The first three say nginx; the others only allow it.
_NGINX_NAME = regex(
    r"(?:^|/)nginx[\w.-]*\.conf(?:\.[\w-]+)*$"
    r"|(?:^|/)nginx\.(?:j2|jinja2?|tmpl|tpl|template)$"
    r"|(?:^|/)sites-(?:available|enabled)/[^/]+$"
    r"|\.(?:nginx|nginxconf|vhost)$"
)
_PERHAPS_NGINX = regex(
    r"\.conf(?:\.[\w-]+)*$"
    r"|(?:^|/)(?:nginx|proxy|conf\.d|snippets|vhosts?)/(?!makefile|readme|license|procfile)[^/.]+$"
)
# Any file without an extension may be one, and any template: `deploy/default`, `site.j2`.
_BY_CONTENT = regex(
    r"(?:^|/)(?!(?:authors|changelog|changes|cname|codeowners|contributing|contributors|copying|gemfile|gnumakefile"
    r"|gradlew|history|install|jenkinsfile|justfile|licen[cs]e|makefile|mvnw|news|notice|owners|podfile|procfile|rakefile"
    r"|readme|todo|vagrantfile|version)$)[^/.]+$"
    r"|[^/]\.(?:erb|epp|j2|jinja2?|template|tmpl|tpl)$"
)
_OTHER_TEMPLATE = regex(
    r"\.(?:[cm]?[jt]sx?|css|csv|env|go|ini|json|md|php|py|rb|rst|service|sh|sql|toml|txt|xml|ya?ml)\.\w+$"
)
_SHEBANG = regex(rb"#!.*\b(?:ba|da|k|z|a)?sh\b")

_DOCKERFILE = regex(r"(?:^|/)(?:dockerfile|containerfile)(?:[.-][\w.-]+)?$|\.(?:dockerfile|containerfile)$")
_COMPOSE = regex(r"(?:^|/)(?:[\w.-]*[.-])?(?:docker-)?compose[\w.-]*\.ya?ml$")

_PROCFILE = regex(r"(?:^|/)procfile(?:\.[\w-]+)?$")
_ENVIRONMENT = regex(r"(?:^|/)\.env(?:\.[\w.-]+)?$")
_KUBERNETES = regex(
    r"(?:^|/)(?:k8s|kubernetes|manifests|kustomize)/(?:[^/]+/)*[^/]+\.ya?ml$"
    r"|(?:^|/)[\w.-]*(?:deployment|statefulset|ingress|k8s|kubernetes)[\w.-]*\.ya?ml$"
)

_SELDOM_READ: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "c", "cc", "cpp", "cs", "css", "csv", "gif", "go", "h", "ico", "java", "jpeg", "jpg", "kt", "less", "map",
            "mdx", "mp3", "mp4", "otf", "pdf", "php", "png", "po", "rb", "rs", "rst", "sass", "scss", "snap", "sql",
            "svg", "swift", "ttf", "webp", "woff", "woff2", "xml",
        ),
        (),
    ),
    "txt": ("requirements",),
    "json": ("package", "shrinkwrap", "app.json"),
    **dict.fromkeys(
        ("yml", "yaml"),
        ("compose", "k8s", "kubernetes", "manifests/", "kustomize/", "deployment", "statefulset", "ingress", "lock"),
    ),
}  # fmt: skip
"""Extensions that say next to nothing, with what has to stand in a path for a parser to read the file; what makes any
file one for nginx, or a Dockerfile, does as well (`sites-enabled/a.c`)."""

_PACKED = frozenset(("7z", "bz2", "gpg", "gz", "lz4", "tgz", "xz", "zip", "zst"))

_UNICODE_MARKS = ((b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"))


class _Kinds(dict[str, "Kind | None"]):
    """What is known of names; the others are looked at when they are asked for."""

    def __missing__(self, path: str) -> Kind | None:
        if len(self) >= _MOST_KNOWN:
            self.clear()
        found = self[path] = _kind_of(path)
        return found


_MOST_KNOWN = 1 << 16
_known = _Kinds()

kind_of: Callable[[str], Kind | None] = _known.__getitem__
"""Which syntax a file's name stands for; None for files that corslint does not read.

`nginx` for a name that is only common among nginx files (`app.conf`): `parse` looks at the content as well.
"""


def _kind_of(path: str) -> Kind | None:
    # Most names say it with their last letters: a tree of 15,000 files is looked through in a third of the time.
    dot = path.rfind(".")
    extension = path[dot + 1 :]
    found = _BY_EXTENSION.get(extension)
    if found is not None and dot > 0 and path[dot - 1] not in "/\\":
        is_declaration = found in ("typescript", "tsx") and path[dot - 2 : dot] in (".d", ".D")
        return None if is_declaration else found
    words = _SELDOM_READ.get(extension)
    if words is not None and dot >= 0 and not _may_be_any(lowered := path.lower()):
        for word in words:
            if word in lowered:
                break
        else:
            return None
    return _kind_of_any(path)


_TELLING_FOLDERS = {
    "txt": ("requirements/",),
    **dict.fromkeys(("yml", "yaml"), ("k8s/", "kubernetes/", "manifests/", "kustomize/")),
}


def kinds_of(paths: Sequence[str]) -> dict[str, Kind | None]:
    """The kinds of many paths, most of which a few names and extensions tell. They are not looked at again."""
    found = _kinds_of(paths)
    if len(_known) + len(found) <= _MOST_KNOWN:
        _known.update(found)
    return found


_LETTERS: dict[Kind, str] = {kind: chr(ord("a") + number) for number, kind in enumerate(get_args(Kind))}


def written(kinds: Iterable[Kind]) -> str:
    """The kinds, a letter each."""
    return "".join([_LETTERS[kind] for kind in kinds])


def kinds_as_written(paths: Sequence[str], letters: str) -> dict[str, Kind | None]:
    """The kinds of these paths, as `written` has written them. They are not looked at again.

    Raises `LookupError` for a letter that stands for no kind.
    """
    of = {letter: kind for kind, letter in _LETTERS.items()}
    found: dict[str, Kind | None] = dict(zip(paths, [of[letter] for letter in letters], strict=True))
    if len(_known) + len(found) <= _MOST_KNOWN:
        _known.update(found)
    return found


def _kinds_of(paths: Sequence[str]) -> dict[str, Kind | None]:
    together = "\n".join(paths).lower()
    if "\\" in together or "sites-available/" in together or "sites-enabled/" in together:  # all in there is for nginx
        return {path: kind_of(path) for path in paths}
    by_name = {one for one in _SELDOM_READ if not any(word in together for word in _TELLING_FOLDERS.get(one, ()))}
    found: dict[str, Kind | None] = {}
    unread: set[str] = set()
    by_extension = _BY_EXTENSION.get
    for path in paths:
        dot = path.rfind(".")
        extension = path[dot + 1 :]
        kind = by_extension(extension)
        if kind is not None and dot > 0 and path[dot - 1] != "/" and path[dot - 2 : dot] not in (".d", ".D"):
            found[path] = kind
        elif extension in by_name and dot >= 0:
            name = path[path.rfind("/") + 1 :]
            if name not in unread:
                found[path] = kind_of(name)
                if found[path] is None:
                    unread.add(name)
            else:
                found[path] = None
        else:
            found[path] = kind_of(path)
    return found


def _may_be_any(path: str) -> bool:
    return _hints_at_nginx(path) or "erfile" in path or "procfile" in path or ".env" in path or "\\" in path


def _kind_of_any(path: str) -> Kind | None:
    """The same, for names of every sort."""
    path = path.replace("\\", "/").lower()
    name = path[path.rfind("/") + 1 :]
    stem, dot, extension = name.rpartition(".")
    if dot and stem:
        found = _BY_EXTENSION.get(extension)
        if found in ("typescript", "tsx") and stem.endswith(".d"):
            return None  # type declarations call nothing
        if found is not None:
            return found
    if "compose" in name and _COMPOSE.search(name):
        return "compose"
    if "file" in name and _DOCKERFILE.search(name):
        return "dockerfile"
    if name.startswith((".env", "procfile")):
        if _ENVIRONMENT.search(path):
            return "environment"
        if _PROCFILE.search(path):
            return "procfile"
    if name == "app.json":
        return "heroku"
    if extension in ("yml", "yaml") and name not in _LOCK_FILES and _KUBERNETES.search(path):
        return "kubernetes"
    if name in _MANIFESTS or name in _LOCK_FILES or (extension == "txt" and _REQUIREMENTS.search(path)):
        return "manifest"
    if ".htm" in name and _TEMPLATED_PAGE.search(name):
        return "html"
    if extension in _PACKED:
        return None  # `nginx.conf.bz2`
    if _hints_at_nginx(path) and (_NGINX_NAME.search(path) or _PERHAPS_NGINX.search(path)):
        return "nginx"
    # The start script that the express generator writes; server and listener stand in it.
    if path == "bin/www" or path.endswith("/bin/www"):
        return "javascript"
    return "nginx" if _by_content(path) else None


def _hints_at_nginx(path: str) -> bool:
    # Written out: a generator costs more than all of these, and most names come here.
    return (
        "conf" in path
        or "nginx" in path
        or "sites-" in path
        or "proxy/" in path
        or "snippets/" in path
        or "vhost" in path
    )


_TEMPLATES = frozenset(("erb", "epp", "j2", "jinja", "jinja2", "template", "tmpl", "tpl"))


def _by_content(path: str) -> bool:
    _, dot, extension = path[path.rfind("/") + 1 :].rpartition(".")
    if dot and extension not in _TEMPLATES:
        return False
    return _BY_CONTENT.search(path) is not None and _OTHER_TEMPLATE.search(path) is None


def is_found_by_content(path: str) -> bool:
    """Whether a file's name says nothing, so that only its content can tell what it is."""
    return kind_of(path) == "nginx" and _is_nginx_by_content(path)


@lru_cache(maxsize=1 << 16)
def _is_nginx_by_content(path: str) -> bool:
    path = path.replace("\\", "/").lower()
    return _by_content(path) and not _NGINX_NAME.search(path) and not _PERHAPS_NGINX.search(path)


def kind_by_content(path: str, data: bytes) -> Kind | None:
    """The kind of a file, where need be by its first bytes (`SNIFFED` are enough)."""
    kind = kind_of(path)
    if kind != "nginx":
        return kind
    from corslint.parsers import nginx_content

    lowered = path.replace("\\", "/").lower()
    if is_found_by_content(path):
        if _SHEBANG.match(data):
            return "shell"
        return "nginx" if nginx_content.is_nginx_throughout(data) else None
    if _NGINX_NAME.search(lowered):
        return None if nginx_content.is_something_else(data) else "nginx"
    return "nginx" if nginx_content.looks_like_nginx(data) else None


# Measured on 213 hand-labelled places in code and pages: these find all of them, together with the words of the client
# that needs none of them. Descriptors bring the words for what those places are joined with: servers and listeners.
# Comments that speak to corslint hold the first of them, too.
_WORDS = (b"cors", b"socket", b"access-control", b"control-allow-", b"origin")

# `headers.origin`, `allowed_origins`, `OriginValidator`, `ORIGIN_URL`; not `original`, `originate`, `origin_country`.
_ORIGIN = regex(rb"[oO]rigins?(?![a-z0-9_])|ORIGINS?(?![A-Z0-9])")


_LANGUAGES: dict[Kind | None, Language] = {
    "python": "python",
    **dict.fromkeys(("javascript", "typescript", "tsx", "html", "component"), "javascript"),
}


def language_of(path: str) -> Language | None:
    """The language of the code in a file, which a page's scripts are, too; None for nginx, manifests and the rest."""
    return _LANGUAGES.get(kind_of(path))


def worth_parsing(path: str, data: bytes, words: Iterable[bytes] = ()) -> bool:
    """Whether a file can hold facts of its own: one of a few words stands in it, in any case.

    False only says that the file need not be parsed for its own sake; what another file imports from it is read on
    demand. `words` are further lower-case words to look for: those of the descriptors for the file's language. nginx
    files and manifests are always worth it.
    """
    if language_of(path) is None:
        return kind_of(path) is not None
    return bool(worth_parsing_of([data], words))


_WORTH_LOADING = 1 << 16
"""Bytes. To look through fewer takes less time than to load what looks through them faster."""


def worth_parsing_of(contents: Sequence[bytes], words: Iterable[bytes] = ()) -> list[int]:
    """The same for the contents of many files of code in one language: the places of those that are worth it.

    To look for a word in many small files takes longer than in all of them at once, and most have none.
    """
    together = b"\0".join(contents).lower()
    starts = list(accumulate((len(data) + 1 for data in contents), initial=0))
    worth = {place for place, data in enumerate(contents) if data.startswith((b"\xff\xfe", b"\xfe\xff"))}
    find = _finder(len(together))
    for word in (*_WORDS, *words):
        at = find(together, word, 0)
        while at >= 0:
            place = bisect_right(starts, at) - 1
            if word != b"origin" or _ORIGIN.match(contents[place], at - starts[place]) is not None:
                worth.add(place)
                at = starts[place + 1] - 1  # the rest of this file says no more
            at = find(together, word, at + 1)
    return sorted(worth)


def _finder(size: int) -> Callable[[bytes, bytes, int], int]:
    """What finds a word in so many bytes: `bytes.find`, or what takes a tenth of its time (measured)."""
    if size < _WORTH_LOADING and "stringzilla" not in sys.modules:
        return bytes.find
    import stringzilla

    found: Callable[[bytes, bytes, int], int] = stringzilla.find
    return found


def expect_many() -> None:
    """Get ready for much that is going to be looked through, if only little of it at once."""
    import stringzilla  # noqa: F401


_HANDED_ON = regex(
    rb"""export\s[^;'"]*\sfrom\s*["'][.@~]|(?:module\.exports|exports\.\w+)\s*=\s*require\(\s*["'][.@~]"""
)


def hands_on(path: str, data: bytes, packages: Collection[str]) -> bool:
    """Whether what a file of code exports may be an API: it names one of the packages, or exports what others do."""
    if language_of(path) == "python":
        return path.endswith("/__init__.py") or _imports(frozenset(packages)).search(data) is not None
    return _imports(frozenset(packages)).search(data) is not None or _HANDED_ON.search(data) is not None


_ALL_OF_OTHERS = regex(rb"export\s*\*|module\.exports\s*=\s*(?:\{\s*\.\.\.)?require|\\")


def exports_all_of_others(data: bytes) -> bool:
    """Whether a JavaScript file may export names that do not stand in it."""
    return _ALL_OF_OTHERS.search(data) is not None


@lru_cache(maxsize=8)
def _imports(packages: frozenset[str]) -> re.Pattern[bytes]:
    """Finds an import of one of these packages, or of something in them."""
    names = b"|".join(re.escape(name.encode()) for name in sorted(packages))
    return re.compile(
        rb"""(?:["'](?:node:)?|\bimport\s+|\bfrom\s+)(?:%s)(?![\w-])|\b(?:from|import)\s*["']https?://""" % names
    )


def parse(source: SourceFile) -> Reading | None:
    """Read a file with the parser its name asks for.

    None where there is no parser for it, or where the name only allows nginx and the content is something else.
    """
    kind = kind_by_content(source.path, source.data)
    if kind is None and kind_of(source.path) == "nginx" and source.data.startswith((b"\xff\xfe", b"\xfe\xff")):
        kind = "nginx" if _NGINX_NAME.search(source.path.lower()) else None
    if kind is None:
        return None
    for mark, encoding in _UNICODE_MARKS:
        if source.data.startswith(mark):
            return _refused(source, kind, f"the file is {encoding}; corslint reads UTF-8")
    if kind == "html":
        from corslint.parsers import html

        return html.read(source)
    if kind == "component":
        from corslint.parsers import components

        return components.read(source)
    if kind == "python":
        from corslint.parsers import python

        return python.read(source)
    if kind == "nginx":
        from corslint.parsers import nginx

        return nginx.read(source)
    if kind in ("shell", "markdown"):
        from corslint.parsers import embedded

        return embedded.shell(source) if kind == "shell" else embedded.markdown(source)
    if kind in ("dockerfile", "compose"):
        return _containers(source, kind)
    if kind in ("procfile", "kubernetes", "heroku", "environment"):
        from corslint.parsers import launches

        if kind == "procfile":
            return launches.procfile(source)
        if kind == "heroku":
            return launches.heroku(source)
        return launches.kubernetes(source) if kind == "kubernetes" else launches.environment(source)
    if kind == "manifest":
        from corslint.parsers import lockfiles, manifest

        is_lock = source.path.replace("\\", "/").rpartition("/")[2].lower() in _LOCK_FILES
        return lockfiles.read(source) if is_lock else manifest.read(source)
    from corslint.parsers import javascript

    return javascript.read(source, kind)


def _containers(source: SourceFile, kind: Kind) -> DeploymentReading:
    """What a Dockerfile or compose file holds, and what it starts."""
    from corslint.parsers import containers, launches

    if kind == "dockerfile":
        return containers.dockerfile(source)._replace(launches=launches.of_dockerfile(source))
    found = containers.compose(source)
    if found.damage:
        return found
    started, variables = launches.of_compose(source)
    return found._replace(launches=started, variables=variables)


def _refused(source: SourceFile, kind: Kind, reason: str) -> Reading:
    """A reading that holds nothing but the damage."""
    from corslint.model.reading import (
        CodeReading,
        Damage,
        DeploymentReading,
        ManifestReading,
        NginxReading,
        Scope,
    )

    damage = (Damage(Span(source.path, 0, 0), reason, whole=True),)
    if kind == "nginx":
        return NginxReading(source.path, (), "unknown", damage)
    if (
        kind == "shell"
        or kind == "dockerfile"
        or kind == "compose"
        or kind == "markdown"
        or kind == "procfile"
        or kind == "kubernetes"
        or kind == "heroku"
        or kind == "environment"
    ):
        return DeploymentReading(source.path, kind, damage=damage)
    if kind == "manifest":
        return ManifestReading(source.path, source.path.rpartition("/")[2], (), (), damage)
    scope = Scope(-1, "module", Span(source.path, 0, 0), {})
    language: Language = "python" if kind == "python" else "javascript"
    return CodeReading(source.path, language, (scope,), (), (), (), (), damage, page=kind == "html")
