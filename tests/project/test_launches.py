"""What starts the programs of a project: Procfile, Dockerfile, compose, Kubernetes, and variables."""

from __future__ import annotations

import pytest

from corslint import lint
from corslint.model.facts import Fact
from corslint.parsers import kind_of
from corslint.parsers.launches import Command, taken_apart
from corslint.settings import Settings
from corslint.trace import question_of
from tests.examples import context_of


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("uvicorn main:app --port 8000 --workers 4", Command("main:app", 8000, 4)),
        ("gunicorn -w 3 -b 0.0.0.0:5000 shop.wsgi:application", Command("shop.wsgi:application", 5000, 3)),
        ("gunicorn --workers=2 'app:create()'", Command("app:create()", None, 2)),
        ("pm2 start server.js -i 4", Command("server.js", None, 4)),
        ("PORT=3000 node dist/server.js", Command("dist/server.js", 3000, None)),
        ("gunicorn -w $WORKERS app:app --bind 0.0.0.0:$PORT", Command("app:app", None, None)),
        ("sh -c 'unclosed", Command(None, None, None)),
    ],
)
def test_a_command(command: str, expected: Command) -> None:
    assert taken_apart(command) == expected


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("Procfile", "procfile"),
        ("api/Procfile.dev", "procfile"),
        (".env", "environment"),
        ("web/.env.production", "environment"),
        (".envrc", None),
        ("k8s/api.yaml", "kubernetes"),
        ("deploy/api-deployment.yml", "kubernetes"),
        ("config/database.yml", None),
        ("docker-compose.yml", "compose"),
        ("app.json", "heroku"),
        ("web/app.json", "heroku"),
        ("my-app.json", None),
    ],
)
def test_the_kind_of_a_file(path: str, kind: str | None) -> None:
    assert kind_of(path) == kind


def facts_of(files: dict[str, str], *kinds: str) -> list[Fact]:
    project = {path: text.encode() for path, text in files.items()}
    found = lint.understand(context_of(project), Settings(), project).facts
    return sorted((fact for fact in found if fact.kind in kinds), key=lambda fact: fact.span)


def shown(fact: Fact, *names: str) -> tuple[object, ...]:
    return tuple(fact.field(name).value for name in names)


FILES = {
    "Procfile": "web: gunicorn -w 3 -b 0.0.0.0:5000 app:app\nworker: python worker.py\n",
    "Dockerfile": 'FROM python:3.12\nCMD ["wrong"]\nFROM python:3.12\nCMD ["uvicorn", "main:app", "--port", "80"]\n',
    "compose.yaml": (
        "services:\n  api:\n    build: ./api\n    command: uvicorn main:app --port 8000\n    deploy: {replicas: 2}\n"
        "    environment:\n      - ORIGIN=https://app.example.com\n      - HIDDEN=${SECRET}\n"
    ),
    "k8s/api.yaml": (
        "kind: Deployment\nmetadata: {name: api}\nspec:\n  replicas: 3\n  template:\n    spec:\n      containers:\n"
        "        - command: [node, server.js]\n          ports: [{containerPort: 3000}]\n"
        "          env: [{name: LEVEL, value: info}]\n---\n"
        "kind: Ingress\nspec:\n  rules:\n    - host: api.example.com\n"
        "      http:\n        paths:\n          - path: /v1\n"
        "            backend: {service: {name: api, port: {number: 80}}}\n"
    ),
    ".env": "# comment\nexport CLIENT='https://www.example.com'\nURL=http://$HOST/ # no\nPORT=3000 # here\n",
}


def test_processes() -> None:
    found = facts_of(FILES, "process")
    assert [shown(fact, "by", "name", "entry", "port", "workers") for fact in found] == [
        ("dockerfile", "", "main:app", 80, None),
        ("procfile", "web", "app:app", 5000, 3),
        ("procfile", "worker", "worker.py", None, None),
        ("compose", "api", "main:app", 8000, 2),
        ("kubernetes", "api", "server.js", 3000, 3),
    ]


def test_variables() -> None:
    found = facts_of(FILES, "env_value")
    assert [shown(fact, "name", "value") for fact in found] == [
        ("CLIENT", "https://www.example.com"),
        ("PORT", "3000"),
        ("ORIGIN", "https://app.example.com"),
        ("LEVEL", "info"),
    ]


def test_hosts_that_a_cluster_lets_in() -> None:
    (fact,) = facts_of(FILES, "exposed_path")
    assert shown(fact, "host", "path", "service", "port", "affinity") == ("api.example.com", "/v1", "api", 80, "no")


SERVICES = """\
kind: Service
metadata: {name: chat}
spec: {selector: {app: chat, tier: web}, type: LoadBalancer}
---
kind: Service
metadata: {name: mail}
spec: {sessionAffinity: ClientIP}
---
kind: Service
metadata: {name: news, annotations: {traefik.ingress.kubernetes.io/service.sticky.cookie: "true"}}
spec: {type: NodePort}
"""


def test_services_of_a_cluster() -> None:
    found = facts_of({"k8s/services.yaml": SERVICES}, "cluster_service")
    assert [shown(fact, "name", "selector", "outside", "affinity") for fact in found] == [
        ("chat", ("app=chat", "tier=web"), "yes", "no"),
        ("mail", (), "no", "yes"),
        ("news", (), "yes", "yes"),
    ]


DEPLOYMENT = (
    "kind: Deployment\nspec:\n  replicas: 2\n  template:\n    metadata: {labels: {app: chat, tier: web}}\n"
    "    spec: {containers: [{image: chat}]}\n"
)


@pytest.mark.parametrize(
    ("services", "sticky"),
    [
        (SERVICES, "no"),
        (SERVICES.replace("type: LoadBalancer", "sessionAffinity: ClientIP, type: NodePort"), "yes"),
        (SERVICES.replace(", type: LoadBalancer", ""), None),
        (SERVICES.replace("tier: web", "tier: api"), None),
        (SERVICES.replace("{app: chat, tier: web}", "{}"), None),
        ("", None),
    ],
)
def test_what_keeps_a_client_on_one_pod(services: str, sticky: str | None) -> None:
    (fact,) = facts_of({"k8s/chat.yaml": DEPLOYMENT, "k8s/services.yaml": services}, "process")
    assert shown(fact, "replicated", "several", "labels", "sticky") == ("yes", "yes", ("app=chat", "tier=web"), sticky)


CHATS = "services:\n  chat:\n    image: chat\n    deploy: {replicas: 3}\n"
PASSED = "server {\n    location / {\n        proxy_pass http://chat;\n    }\n}\n"


@pytest.mark.parametrize(
    ("compose", "nginx", "sticky"),
    [
        (CHATS, "", None),
        (CHATS, PASSED, "no"),
        (CHATS, PASSED.replace("chat", "mail"), None),
        (CHATS, "upstream all {\n    ip_hash;\n    server chat:80;\n}\n" + PASSED.replace("chat", "all"), "yes"),
        (CHATS, "upstream all {\n    server chat:80;\n}\n" + PASSED.replace("chat", "all"), "no"),
        (CHATS + '    ports: ["80:80"]\n', "", "no"),
        (CHATS + "    command: gunicorn -w 2 app:app\n", "", "no"),
    ],
)
def test_what_keeps_a_client_on_one_container(compose: str, nginx: str, sticky: str | None) -> None:
    (fact,) = facts_of({"compose.yaml": compose, "nginx.conf": nginx}, "process")
    assert shown(fact, "several", "sticky") == ("yes", sticky)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            '{"formation": {"web": {"quantity": 2}, "worker": {"quantity": 1, "size": "eco"}}}',
            [("web", 2), ("worker", 1)],
        ),
        ('{"expo": {"name": "shop"}}', []),
        ('{"formation": {"web": {"quantity": "all"}, "worker": 3}}', []),
        ('{"formation": ["web"]}', []),
        ('{"formation": ', []),
    ],
)
def test_how_many_dynos(text: str, found: list[tuple[str, int]]) -> None:
    facts = facts_of({"app.json": text}, "process")
    assert [shown(fact, "name", "workers") for fact in facts] == found
    assert all(shown(fact, "by", "scales") == ("heroku", "yes") for fact in facts)


@pytest.mark.parametrize(
    ("files", "started"),
    [
        ({"Procfile": "web: node src/server.js", "src/server.js": "go()"}, "src/server.js"),
        ({"api/Procfile": "web: node ./server.js", "api/server.js": "go()", "server.js": "go()"}, "api/server.js"),
        ({"Procfile": "web: gunicorn shop.wsgi:application", "shop/wsgi.py": "go()"}, "shop/wsgi.py"),
        ({"Procfile": "web: gunicorn shop.wsgi:application"}, None),
        ({"Procfile": "web: node dist/server.js", "src/server.ts": "go()"}, None),
        ({"Procfile": "web: npm start", "server.js": "go()"}, None),
    ],
)
def test_the_file_that_is_started(files: dict[str, str], started: str | None) -> None:
    (fact,) = facts_of(files, "process")
    assert fact.field("file").value == started


@pytest.mark.parametrize(
    "text", ["services: [", "services: {a: 1}", "- 1", "kind: Deployment", "{}", "\0", "a: &a [*a]"]
)
def test_files_that_say_nothing(text: str) -> None:
    assert facts_of({"compose.yaml": text, "k8s/a.yaml": text}, "process", "exposed_path") == []


MAIN = (
    "from fastapi import FastAPI\nfrom fastapi.middleware.cors import CORSMiddleware\napp = FastAPI()\n"
    'app.add_middleware(CORSMiddleware, allow_origins=["https://{name}.example.com"])\n'
)


def traced(files: dict[str, str], origin: str, url: str) -> str:
    project = {path: text.encode() for path, text in files.items()}
    known = lint.knowledge((), examples=False)
    understood = lint.understand(context_of(project), Settings(), project, known.catalog)
    tracer = lint.tracer(understood, Settings(), known.catalog)
    found = tracer.trace(question_of(tracer, origin, url))
    return found.verdict if found.hint is None else f"{found.verdict}, perhaps {found.hint.verdict}"


TWO = {
    "one/main.py": MAIN.replace("{name}", "one"),
    "two/main.py": MAIN.replace("{name}", "two"),
    "requirements.txt": "fastapi==0.165.0\nstarlette==1.10.0\n",
}


def test_a_command_says_where_an_application_listens() -> None:
    files = {
        **TWO,
        "one/Procfile": "web: uvicorn main:app --port 8001\n",
        "two/Procfile": "web: uvicorn main:app --port=8002",
    }
    assert traced(files, "https://one.example.com", "http://localhost:8001/") == "allowed"
    assert traced(files, "https://one.example.com", "http://localhost:8002/") == "blocked"
    assert traced(TWO, "https://one.example.com", "http://localhost:8001/") == "unknown"


def test_a_cluster_says_which_service_has_a_host() -> None:
    backend = "{backend: {service: {name: {name}, port: {number: 80}}}}"
    rule = f"    - host: {{name}}.example.com\n      http: {{paths: [{backend}]}}\n"
    rules = "".join(rule.replace("{name}", name) for name in ("one", "two"))
    files = {**TWO, "k8s/ingress.yaml": f"kind: Ingress\nspec:\n  rules:\n{rules}"}
    assert traced(files, "https://one.example.com", "https://one.example.com:8443/") == "allowed"
    assert traced(files, "https://two.example.com", "https://one.example.com/") == "blocked"


def test_variables_are_hints_and_no_proof() -> None:
    files = {
        "package.json": '{"dependencies": {"express": "4.22.3", "cors": "2.8.6"}}',
        "server.js": (
            "const app = require('express')();\napp.use(require('cors')({ origin: process.env.CLIENT }));\n"
            "app.get('/', (req, res) => res.end());\napp.listen(3000);\n"
        ),
        ".env.example": "CLIENT=https://app.example.com\n",
    }
    assert traced(files, "https://app.example.com", "http://localhost:3000/") == "unknown, perhaps allowed"
    assert traced(files, "https://other.example.com", "http://localhost:3000/") == "unknown, perhaps blocked"
    del files[".env.example"]
    assert traced(files, "https://app.example.com", "http://localhost:3000/") == "unknown"
