"""Dockerfiles and compose files: images, and what lies where."""

from __future__ import annotations

import time

import pytest

from corslint.model.reading import Container, DeploymentReading, Image
from corslint.parsers import parse
from corslint.parsers.containers import image
from corslint.source import SourceFile, Span

PLACE = Span("x", 0, 0)


def reading(text: str, path: str) -> DeploymentReading:
    found = parse(SourceFile(path, text.encode()))
    assert isinstance(found, DeploymentReading)
    return found


def container(text: str, path: str = "web/Dockerfile") -> Container:
    (found,) = reading(text, path).containers
    return found


def mounts(one: Container) -> list[tuple[str, str]]:
    return [(mount.source, mount.target) for mount in one.mounts]


def named(one: Image | None) -> tuple[str, str] | None:
    return None if one is None else (one.name, one.tag)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nginx", ("nginx", "")),
        ("nginx:1.27-alpine", ("nginx", "1.27-alpine")),
        ("docker.io/library/nginx:1.27", ("nginx", "1.27")),
        ("nginx:1.27@sha256:0123", ("nginx", "1.27")),
        ("nginx@sha256:0123", ("nginx", "")),
        ("localhost:5000/nginx", ("localhost:5000/nginx", "")),
        ("localhost:5000/nginx:1.27", ("localhost:5000/nginx", "1.27")),
        ("nginxinc/nginx-unprivileged:1.25", ("nginxinc/nginx-unprivileged", "1.25")),
        ("nginx:${TAG}", None),
        ("", None),
    ],
)
def test_image(text: str, expected: tuple[str, str] | None) -> None:
    assert named(image(text, PLACE)) == expected


class TestDockerfile:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("FROM nginx:1.27\n", ("nginx", "1.27")),
            ("from --platform=linux/amd64 nginx:1.27 as web\n", ("nginx", "1.27")),
            ("FROM node:20 AS build\nRUN x\nFROM nginx:1.27\nCOPY --from=build /a /b\n", ("nginx", "1.27")),
            ("FROM nginx:1.27 AS base\nFROM base\n", ("nginx", "1.27")),
            ("FROM nginx:1.27 AS base\nFROM node:20\n", ("node", "20")),
            ("ARG VERSION=1.27\nFROM nginx:${VERSION}-alpine\n", ("nginx", "1.27-alpine")),
            ("ARG VERSION\nFROM nginx:${VERSION:-1.25}\n", ("nginx", "1.25")),
            ("ARG VERSION\nFROM nginx:$VERSION\n", None),
            ("# FROM nginx:1.27\nFROM \\\n  nginx:1.26\n", ("nginx", "1.26")),
            ("FROM nginx:1.27\nRUN cat <<EOF > /x\nFROM node:20\nEOF\n", ("nginx", "1.27")),
        ],
    )
    def test_base(self, text: str, expected: tuple[str, str] | None) -> None:
        assert named(container(text).image) == expected

    def test_the_place_of_an_image(self) -> None:
        text = "# é\nFROM nginx:1.27\n"
        found = container(text).image
        assert found is not None
        assert text.encode()[found.span.start : found.span.end] == b"nginx:1.27"

    def test_copies(self) -> None:
        found = container(
            "FROM nginx\nCOPY nginx.conf /etc/nginx/nginx.conf\nADD --chown=1:1 ./conf.d /etc/nginx/conf.d\n"
            'COPY a.conf b.conf /etc/nginx/conf.d\nCOPY ["c d.conf", "/etc/nginx/c.conf"]\nCOPY ../up.conf /up.conf\n'
            "COPY --from=x a /b\nCOPY x relative\nCOPY *.conf /etc/nginx/\nADD https://a.test/x /x\n"
            "COPY $A /a\nCOPY [x /y\n"
        )
        assert mounts(found) == [
            ("web/nginx.conf", "/etc/nginx/nginx.conf"),
            ("web/conf.d", "/etc/nginx/conf.d"),
            ("web/a.conf", "/etc/nginx/conf.d/"),
            ("web/b.conf", "/etc/nginx/conf.d/"),
            ("web/c d.conf", "/etc/nginx/c.conf"),
            ("up.conf", "/up.conf"),
        ]

    def test_only_the_last_stage_counts(self) -> None:
        assert mounts(container("FROM node\nCOPY a /b\nFROM nginx\nCOPY c /d\n")) == [("web/c", "/d")]

    @pytest.mark.parametrize(
        "opening", ["COPY <<EOF /etc/nginx/conf.d/x.conf", "RUN cat <<EOF > /etc/nginx/conf.d/x.conf"]
    )
    def test_heredocs(self, opening: str) -> None:
        text = f"FROM nginx\n{opening}\nserver {{\n  listen $PORT;\n  set \\$a b;\n}}\nEOF\n"
        (part,) = reading(text, "Dockerfile").parts
        (server,) = part.directives
        assert [[word.text for word in one.arguments] for one in server.block or ()] == [["{{$PORT}}"], ["$a", "b"]]

    def test_none(self) -> None:
        assert reading("# nothing\n", "Dockerfile").containers == ()


class TestCompose:
    def test_a_service(self) -> None:
        text = """# é
services:
  web:
    image: nginx:1.27-alpine
    build:
      context: ./web
      dockerfile: prod.Dockerfile
    volumes:
      - ./nginx/conf.d:/etc/nginx/conf.d:ro
      - ../shared/nginx.conf:/etc/nginx/nginx.conf
      - {type: bind, source: ./a, target: /a}
      - {type: volume, source: data, target: /b}
      - data:/c
      - /etc/letsencrypt:/etc/letsencrypt
      - ./x:relative
      - ${A:-./y}:/y
      - ${B}/z:/z
      - 7
    configs:
      - source: site
        target: /etc/nginx/conf.d/site.conf
      - main
      - nothing
configs:
  site: {file: ./site.conf}
  main: {file: main.conf}
"""
        found = container(text, "deploy/docker-compose.yml")
        assert (found.name, named(found.image)) == ("web", ("nginx", "1.27-alpine"))
        assert (found.builds, found.context) == ("deploy/web/prod.Dockerfile", "deploy/web")
        assert mounts(found) == [
            ("deploy/nginx/conf.d", "/etc/nginx/conf.d"),
            ("shared/nginx.conf", "/etc/nginx/nginx.conf"),
            ("deploy/a", "/a"),
            ("deploy/y", "/y"),
            ("deploy/site.conf", "/etc/nginx/conf.d/site.conf"),
            ("deploy/main.conf", "/main"),
        ]
        assert found.image is not None
        data = text.encode()
        assert data[found.image.span.start : found.image.span.end] == b"nginx:1.27-alpine"
        assert data[found.mounts[0].span.start : found.mounts[0].span.end] == b"./nginx/conf.d:/etc/nginx/conf.d:ro"

    @pytest.mark.parametrize(
        ("build", "expected"),
        [
            ("./web", ("web/Dockerfile", "web")),
            (".", ("Dockerfile", ".")),
            ("{dockerfile: web/Dockerfile}", ("web/Dockerfile", ".")),
            ("https://a.test/x.git", ("", "")),
            ("/srv/web", ("", "")),
            ("${WEB}", ("", "")),
        ],
    )
    def test_build(self, build: str, expected: tuple[str, str]) -> None:
        found = container(f"services:\n  web:\n    build: {build}\n", "compose.yaml")
        assert (found.builds, found.context) == expected

    def test_merged_entries(self) -> None:
        text = "x-base: &base\n  image: nginx:1.27\n  volumes: [./a:/a]\n"
        text += "services:\n  web:\n    <<: *base\n    volumes: [./b:/b]\n"
        found = container(text, "compose.yaml")
        assert (named(found.image), mounts(found)) == (("nginx", "1.27"), [("b", "/b")])

    @pytest.mark.parametrize("image_", ["nginx:${TAG:-1.27}", "nginx:1.27"])
    def test_a_byte_order_mark_and_a_fallback(self, image_: str) -> None:
        text = f"\ufeffservices:\n  web:\n    image: {image_}\n"
        found = container(text, "compose.yaml").image
        assert found is not None
        assert (found.name, found.tag) == ("nginx", "1.27")
        assert text.encode()[found.span.start : found.span.end] == image_.encode()

    @pytest.mark.parametrize(
        "text", ["", "- a\n", "services: [a]\n", "services:\n  web\n", "a: [\n", "services: {web: 1}\n"]
    )
    def test_other_shapes(self, text: str) -> None:
        found = reading(text, "compose.yaml")
        assert all((one.image, one.mounts) == (None, ()) for one in found.containers)

    def test_a_bomb_of_aliases(self) -> None:
        text = "a0: &a0 {image: nginx}\n"
        text += "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}, *a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 40))
        text += "services:\n  web:\n    <<: *a39\n"
        begun = time.process_time()
        container(text, "compose.yaml")
        assert time.process_time() - begun < 2

    @pytest.mark.parametrize(
        ("written", "expected"),
        [
            ('["8080:3000"]', ((8080, 3000),)),
            ('["127.0.0.1:8080:3000/tcp", "[::1]:81:80"]', ((8080, 3000), (81, 80))),
            ('["${PORT:-8080}:3000"]', ((8080, 3000),)),
            ("[{published: 8080, target: 3000}]", ((8080, 3000),)),
            ("[{published: 8080, target: 3000, protocol: tcp}]", ((8080, 3000),)),
            ("[{published: 8080, target: 3000, protocol: udp}]", ()),
            ('["3000", "8080-8081:3000-3001", "53:53/udp", "${PORT}:3000"]', ()),
            ("8080:3000", ()),
        ],
    )
    def test_published_ports(self, written: str, expected: tuple[tuple[int, int], ...]) -> None:
        found = container(f"services:\n  web:\n    image: a\n    ports: {written}\n", "compose.yaml")
        assert found.ports == expected
