"""Which parser reads which file, and which files are worth parsing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import corslint
from corslint import parsers, resources
from corslint.frameworks import descriptors
from corslint.model.reading import CodeReading, DeploymentReading, ManifestReading, NginxReading
from corslint.parsers import kind_of, language_of, parse, worth_parsing
from corslint.source import SourceFile

NGINX = b"server {\n  listen 80;\n  location / { proxy_pass http://app; }\n}\n"
APACHE = b"<VirtualHost *:80>\n  ServerName example.com\n</VirtualHost>\n"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a.js", "javascript"),
        ("a.jsx", "javascript"),
        ("a.mjs", "javascript"),
        ("a.cjs", "javascript"),
        ("A.JS", "javascript"),
        ("wdio.conf.js", "javascript"),
        ("bin/www", "javascript"),
        ("app/bin/www", "javascript"),
        ("a.ts", "typescript"),
        ("a.mts", "typescript"),
        ("a.cts", "typescript"),
        ("a.d.ts", None),
        ("a.d.mts", None),
        ("d.ts", "typescript"),
        ("a.tsx", "tsx"),
        ("a.html", "html"),
        ("a.htm", "html"),
        ("a.vue", "component"),
        ("src/routes/+page.svelte", "component"),
        ("state.svelte.ts", "typescript"),
        ("a.ejs", "html"),
        ("a.hbs", "html"),
        ("a.html.j2", "html"),
        ("a.html.erb", "html"),
        ("a.py", "python"),
        ("nginx/conf.py", "python"),
        ("nginx.conf", "nginx"),
        ("nginx.prod.conf", "nginx"),
        ("nginx.conf.template", "nginx"),
        ("app.conf", "nginx"),
        ("app.conf.sample", "nginx"),
        ("app.subdomain.conf.sample", "nginx"),
        ("app.conf.j2", "nginx"),
        ("app.conf.b", "nginx"),
        ("app.nginx", "nginx"),
        ("app.vhost", "nginx"),
        ("etc/sites-enabled/default", "nginx"),
        ("etc/sites-available/example.com", "nginx"),
        ("proxy/conf", "nginx"),
        ("nginx/snippets/proxy_params", "nginx"),
        ("nginx/default", "nginx"),
        ("nginx.conf.bz2", None),
        ("nginx/site.conf.gz", None),
        ("nginx/Dockerfile", "dockerfile"),
        ("Dockerfile.nginx", "dockerfile"),
        ("deploy/web.Dockerfile", "dockerfile"),
        ("Containerfile", "dockerfile"),
        ("docker-compose.yml", "compose"),
        ("deploy/compose.prod.yaml", "compose"),
        ("prod.docker-compose.yml", "compose"),
        ("deploy.sh", "shell"),
        ("nginx/README.md", "markdown"),
        ("deploy/site", "nginx"),
        ("site.j2", "nginx"),
        ("etc/nginx/site.conf.erb", "nginx"),
        ("conf", "nginx"),
        ("LICENSE", None),
        ("docs/Makefile", None),
        ("config.py.j2", None),
        ("values.yaml.tpl", None),
        (".gitignore", None),
        ("package.json", "manifest"),
        ("web/package-lock.json", "manifest"),
        ("npm-shrinkwrap.json", "manifest"),
        ("pnpm-lock.yaml", "manifest"),
        ("web/yarn.lock", "manifest"),
        ("poetry.lock", "manifest"),
        ("uv.lock", "manifest"),
        ("api/Pipfile.lock", "manifest"),
        ("pdm.lock", None),
        ("pnpm-workspace.yaml", None),
        ("requirements.txt", "manifest"),
        ("requirements-dev.txt", "manifest"),
        ("dev-requirements.txt", "manifest"),
        ("requirements/base.txt", "manifest"),
        ("pyproject.toml", "manifest"),
        ("notes.txt", None),
        ("composer.json", None),
        ("a.yaml", None),
        ("README.md", "markdown"),
        ("decompose.py", "python"),
        ("profile", "nginx"),
        ("js", "nginx"),
        (".js", None),
        ("", None),
    ],
)
def test_kind_of(path: str, kind: str | None) -> None:
    assert kind_of(path) == kind


def test_what_is_told_by_a_few_letters_is_told_by_the_whole_name() -> None:
    folders = (
        *("", "a/", "a.b/", "nginx/", "conf.d/", "sites-enabled/", "proxy/", "snippets/", "vhosts/", "k8s/", "K8S/"),
        *(
            "manifests/x/",
            "kustomize/",
            "requirements/",
            "bin/",
            "reconf/",
            "profile/",
            "my.env/",
            "a\\",
            "x.d/",
            "D:\\",
        ),
    )
    stems = (
        *(
            "",
            "a",
            "A",
            ".d",
            "a.d",
            "A.D",
            "d",
            "nginx",
            "Nginx.conf",
            "a.conf",
            "dockerfile",
            "Dockerfile",
            "compose",
        ),
        *(
            "docker-compose",
            "Containerfile",
            "procfile",
            "Procfile",
            ".env",
            "file",
            "app",
            "App",
            "package",
            "Package",
        ),
        *("package-lock", "npm-shrinkwrap", "pnpm-lock", "yarn", "requirements", "dev-requirements", "requirements-x"),
        *(
            "deployment",
            "my-StatefulSet",
            "ingress",
            "kubernetes",
            "k8s",
            "a.html",
            "a.htm",
            "pyproject",
            "www",
            "config",
        ),
    )
    extensions = (*parsers._BY_EXTENSION, *parsers._SELDOM_READ, *parsers._PACKED, *parsers._TEMPLATES)
    others = ("lock", "toml", "conf", "in", "nginx", "vhost", "www", "a\\b", "a/b", "")
    count = 0
    paths = []
    for folder in folders:
        for stem in stems:
            for extension in (*extensions, *(one.upper() for one in extensions), *others):
                for path in (f"{folder}{stem}.{extension}", f"{folder}{stem}{extension}"):
                    kind = kind_of(path)
                    assert kind == parsers._kind_of_any(path), path
                    count += kind is not None
                    paths.append(path)
    assert count > 50_000
    kinds = {path: kind_of(path) for path in paths}
    parsers._known.clear()
    assert parsers.kinds_of(paths) == kinds
    for without in (
        ("\\", "sites-"),
        ("\\", "sites-", "requirements/"),
        ("\\", "sites-", "k8s/", "manifests/", "kustomize/"),
    ):
        parsers._known.clear()
        some = [path for path in paths if not any(word in path.lower() for word in without)]
        assert parsers.kinds_of(some) == {path: kinds[path] for path in some}
    assert {path: kind_of(path) for path in some} == {path: kinds[path] for path in some}
    assert parsers.kinds_of(["Sites-Available/a.css", "b/a.css"]) == {"Sites-Available/a.css": "nginx", "b/a.css": None}


@pytest.mark.parametrize(
    ("path", "content", "worth"),
    [
        ("a.js", b"app.use(CORS())", True),
        ("a.js", b"import {Server} from 'Socket.IO'", True),
        ("a.js", b"res.setHeader('Access-Control-Allow-Methods', 'GET')", True),
        ("a.js", b"if (req.headers.Origin) {}", True),
        ("a.js", b"const s = io('/chat')", False),
        ("a.js", b"export const x = 1", False),
        ("a.ts", b"@WebSocketGateway()", True),
        ("a.py", b"import socketio", True),
        ("a.py", b"print(1)", False),
        ("a.html", b"<script src='/socket.io/socket.io.js'></script>", True),
        ("a.html", b"<p>hello</p>", False),
        ("nginx.conf", b"", True),
        ("package.json", b"{}", True),
        ("a.txt", b"cors", False),
        ("a.md", b"cors", True),
        ("a.js", "cors".encode("utf-16"), True),
        ("a.js", "x".encode("utf-16"), True),
    ],
)
def test_worth_parsing(path: str, content: bytes, worth: bool) -> None:
    assert worth_parsing(path, content) is worth


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("a.js", b"const s = io('/chat')"),
        ("a.js", b"const s = io ('/chat')"),
        ("a.html", b"<script>io.connect()</script>"),
        ("a.js", b"http.createServer(app)"),
        ("a.js", b"app.listen(80)"),
        ("a.py", b"MIDDLEWARE = []"),
        ("a.py", b"app = Flask(__name__)"),
        ("a.py", b"app.register_blueprint(api)"),
        ("a.py", b"app = FastAPI()"),
        ("a.py", b"app = Starlette()"),
        ("a.py", b"app.mount('/x', other)"),
        ("a.py", b"uvicorn.run(app)"),
    ],
)
def test_descriptors_bring_words_of_their_own(path: str, content: bytes) -> None:
    words = descriptors.load(resources.frameworks_folder()).words[language_of(path) or ""]
    assert not worth_parsing(path, content)
    assert worth_parsing(path, content, words)


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a.ts", "javascript"),
        ("a.vue", "javascript"),
        ("a.svelte", "javascript"),
        ("a.py", "python"),
        ("nginx.conf", None),
        ("a.md", None),
    ],
)
def test_language_of(path: str, language: str | None) -> None:
    assert language_of(path) == language


def test_further_words() -> None:
    assert not worth_parsing("a.js", b"const app = Fastify()")
    assert worth_parsing("a.js", b"const app = Fastify()", [b"hono", b"fastify"])


@pytest.mark.parametrize(
    ("path", "content", "kind"),
    [
        ("a.js", b"f()", CodeReading),
        ("a.tsx", b"<A/>", CodeReading),
        ("a.html", b"<script>f()</script>", CodeReading),
        ("a.py", b"f()", CodeReading),
        ("package.json", b"{}", ManifestReading),
        ("nginx.conf", b"", NginxReading),
        ("app.conf", NGINX, NginxReading),
        ("proxy/conf", NGINX, NginxReading),
        ("app.conf", APACHE, type(None)),
        ("sites-enabled/app", APACHE, type(None)),
        ("sites-enabled/app", b"listen", NginxReading),
        ("nginx-limit.conf", b"[Definition]\nfailregex = ^<HOST>\n", type(None)),
        ("nginx.conf", b"/var/log/nginx/*.log {\n  daily\n}\n", type(None)),
        ("nginx.conf", b"listen 80\n[x]\n", type(None)),
        ("nginx.conf", b"server {\n  listen 80;\n}\n[x]\n", NginxReading),
        ("README.md", b"", DeploymentReading),
        ("run.sh", b"", DeploymentReading),
        ("Dockerfile", b"", DeploymentReading),
        ("compose.yml", b"", DeploymentReading),
        ("deploy/site", NGINX, NginxReading),
        ("deploy/site", b"To serve it, write\n\n" + NGINX + b"and so on.\nThen start it.\nThat is all.\n", type(None)),
        ("deploy/site", b"#!/bin/sh\n", DeploymentReading),
        ("deploy/site", b"#!/usr/bin/env python3\n", type(None)),
        ("site.j2", NGINX, NginxReading),
        ("site.j2", b"key = {{ value }}\n", type(None)),
    ],
)
def test_parse(path: str, content: bytes, kind: type) -> None:
    assert type(parse(SourceFile(path, content))) is kind


@pytest.mark.parametrize("path", ["a.js", "a.py", "a.html", "nginx.conf", "package.json"])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_another_encoding_is_damage_not_emptiness(path: str, encoding: str) -> None:
    reading = parse(SourceFile(path, "\ufeffcors()".encode(encoding)))
    assert reading is not None
    assert [(one.message, one.whole) for one in reading.damage] == [("the file is UTF-16; corslint reads UTF-8", True)]


@pytest.mark.parametrize(
    ("path", "content", "modules"),
    [
        ("a.js", "f()", {"tree_sitter", "tree_sitter_javascript._binding"}),
        ("a.ts", "f()", {"tree_sitter", "tree_sitter_typescript._binding"}),
        ("a.py", "f()", {"tree_sitter", "tree_sitter_python._binding"}),
        ("nginx.conf", "a b;", {"crossplane"}),
        ("package.json", "{}", set()),
    ],
)
def test_a_parser_loads_only_when_it_is_needed(path: str, content: str, modules: set[str], tmp_path: Path) -> None:
    grammars = {"javascript", "typescript", "python"}
    heavy = {"crossplane", "libcst", "tree_sitter", *(f"tree_sitter_{name}._binding" for name in grammars)}
    program = (
        "import sys; from corslint.parsers import parse; from corslint.source import SourceFile;"
        f"parse(SourceFile({path!r}, {content!r}.encode())); print(sorted({heavy!r} & set(sys.modules)))"
    )
    root = Path(corslint.__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(sorted(modules))
