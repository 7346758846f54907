"""Where files lie in containers, what an include means there, and which nginx runs."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from corslint.model.reading import DeploymentReading, Image, NginxReading
from corslint.parsers import parse
from corslint.project.placement import Placement, version_of
from corslint.source import SourceFile, Span

MAIN = "events {}\nhttp { include conf.d/*.conf; }\n"
SERVER = "server { listen 80; }\n"


def placement(files: Mapping[str, str], roots: Mapping[str, str] | None = None) -> Placement:
    readings = {path: parse(SourceFile(path, text.encode())) for path, text in files.items()}
    return Placement(
        files,
        [one for one in readings.values() if isinstance(one, DeploymentReading)],
        {path: one for path, one in readings.items() if isinstance(one, NginxReading)},
        roots,
    )


COMPOSE = "services:\n  web:\n    image: nginx:1.27\n    volumes:\n"
AT_MAIN = ":/etc/nginx/nginx.conf"


class TestIncludes:
    def test_volumes(self) -> None:
        found = placement(
            {
                "compose.yml": f"{COMPOSE}      - ./a/main.conf{AT_MAIN}\n      - ./b:/etc/nginx/conf.d:ro\n",
                "a/main.conf": MAIN,
                "b/2.conf": SERVER,
                "b/1.conf": SERVER,
                "b/.x.conf": SERVER,
                "b/sub/3.conf": SERVER,
                "c/conf.d/4.conf": SERVER,
            }
        )
        assert found.resolve("conf.d/*.conf", "a/main.conf") == ("b/1.conf", "b/2.conf")
        assert found.resolve("/etc/nginx/conf.d/*.conf", "a/main.conf") == ("b/1.conf", "b/2.conf")
        assert found.resolve("/etc/nginx/conf.d/1.conf", "a/main.conf") == ("b/1.conf",)
        assert found.resolve("/etc/nginx/conf.d/[!2].conf", "a/main.conf") == ("b/1.conf",)
        assert found.resolve("conf.d/none*", "a/main.conf") == ()
        assert found.resolve("conf.d/none.conf", "a/main.conf") is None
        assert found.resolve("/etc/nginx/other/*.conf", "a/main.conf") is None
        assert found.resolve("/etc/passwd", "a/main.conf") is None

    def test_relative_to_the_main_file_and_never_to_the_including_one(self) -> None:
        files = {
            "Dockerfile": "FROM nginx\nCOPY conf /opt/nginx/conf\n",
            "conf/nginx.conf": MAIN,
            "conf/conf.d/a.conf": SERVER,
            "conf/sites/b.conf": "server { include conf.d/x.inc; }\n",
        }
        found = placement(files)
        assert found.resolve("conf.d/*.conf", "conf/nginx.conf") == ("conf/conf.d/a.conf",)
        # A file that is no main file: nginx's own main file then lies in /etc/nginx, and nothing of that is known.
        assert found.resolve("conf.d/*.conf", "conf/sites/b.conf") is None

    def test_copies_and_a_later_volume(self) -> None:
        files = {
            "web/Dockerfile": "FROM nginx\nCOPY nginx.conf /etc/nginx/nginx.conf\nCOPY site.conf /etc/nginx/conf.d\n",
            "compose.yml": "services: {web: {build: web, volumes: ['./dev.conf:/etc/nginx/conf.d/site.conf']}}\n",
            "web/nginx.conf": MAIN,
            "web/site.conf": SERVER,
            "dev.conf": SERVER,
        }
        assert placement(files).resolve("conf.d/*.conf", "web/nginx.conf") == ("dev.conf",)
        del files["compose.yml"]
        assert placement(files).resolve("conf.d/*.conf", "web/nginx.conf") == ("web/site.conf",)

    def test_a_dockerfile_in_a_folder_of_its_own(self) -> None:
        files = {
            "docker/Dockerfile": "FROM nginx\nCOPY web/nginx.conf /etc/nginx/\nCOPY web/sites /etc/nginx/conf.d\n",
            "web/nginx.conf": MAIN,
            "web/sites/a.conf": SERVER,
        }
        assert placement(files).resolve("conf.d/*.conf", "web/nginx.conf") == ("web/sites/a.conf",)

    def test_templates_of_the_official_image(self) -> None:
        files = {
            "compose.yml": f"{COMPOSE}      - ./n.conf:/etc/nginx/nginx.conf\n      - ./t:/etc/nginx/templates\n",
            "n.conf": MAIN,
            "t/default.conf.template": "server { listen ${PORT}; }\n",
        }
        assert placement(files).resolve("conf.d/*.conf", "n.conf") == ("t/default.conf.template",)

    def test_two_containers_that_disagree(self) -> None:
        files = {
            "compose.yml": "services:\n"
            "  a: {image: nginx, volumes: ['./n.conf:/etc/nginx/nginx.conf', './a:/etc/nginx/conf.d']}\n"
            "  b: {image: nginx, volumes: ['./n.conf:/etc/nginx/nginx.conf', './b:/etc/nginx/conf.d']}\n",
            "n.conf": MAIN,
            "a/x.conf": SERVER,
            "b/x.conf": SERVER,
        }
        assert placement(files).resolve("conf.d/*.conf", "n.conf") is None

    def test_the_settings(self) -> None:
        files = {"deploy/etc/nginx.conf": MAIN, "deploy/etc/conf.d/a.conf": SERVER, "x/conf.d/b.conf": SERVER}
        found = placement(files, {"/etc/nginx/": "deploy/etc"})
        assert found.resolve("conf.d/*.conf", "deploy/etc/nginx.conf") == ("deploy/etc/conf.d/a.conf",)
        assert found.resolve("/etc/nginx/conf.d/*.conf", "x/conf.d/b.conf") == ("deploy/etc/conf.d/a.conf",)
        assert found.resolve("../../x/conf.d/*.conf", "deploy/etc/nginx.conf") is None

    def test_nothing_out_of_the_tree(self) -> None:
        files = {
            "compose.yml": f"{COMPOSE}      - ../secret:/etc/nginx/conf.d\n      - ./n.conf:/etc/nginx/nginx.conf\n"
        }
        files["n.conf"] = MAIN
        assert placement(files).resolve("conf.d/*.conf", "n.conf") is None

    def test_a_file_that_is_not_nginx_makes_a_glob_unknown(self) -> None:
        files = {
            "compose.yml": f"{COMPOSE}      - ./n.conf:/etc/nginx/nginx.conf\n      - ./b:/etc/nginx/conf.d\n",
            "n.conf": MAIN,
            "b/a.conf": SERVER,
            "b/b.conf": "{{ made_elsewhere }}\n",
        }
        assert placement(files).resolve("conf.d/*.conf", "n.conf") is None

    def test_nothing_is_known(self) -> None:
        assert placement({"n.conf": MAIN, "conf.d/a.conf": SERVER}).resolve("conf.d/*.conf", "n.conf") is None


@pytest.mark.parametrize(
    ("name", "tag", "version"),
    [
        ("nginx", "1.27.4", "1.27.4"),
        ("nginx", "1.27", "1.27"),
        ("nginx", "1.25-alpine", "1.25"),
        ("nginx", "1.29.3-alpine3.22-slim", "1.29.3"),
        ("nginx", "1.29", None),
        ("nginx", "1.29-alpine", None),
        ("nginx", "1", None),
        ("nginx", "", None),
        ("nginx", "alpine", None),
        ("nginx", "stable-alpine", None),
        ("nginxinc/nginx-unprivileged", "1.25-alpine", "1.25"),
        ("ghcr.io/nginxinc/nginx-unprivileged", "1.25.1", "1.25.1"),
        ("public.ecr.aws/nginx/nginx", "1.24", "1.24"),
        ("public.ecr.aws/docker/library/nginx", "1.24", "1.24"),
        ("bitnami/nginx", "1.25.3-debian-11-r0", "1.25.3"),
        ("openresty/openresty", "1.25.3.1-alpine", "1.25.3"),
        ("acme/nginx", "1.25.3", None),
        ("nginxproxy/nginx-proxy", "1.7-alpine", None),
        ("node", "1.25", None),
    ],
)
def test_version_of(name: str, tag: str, version: str | None) -> None:
    assert version_of(Image(name, tag, Span("x", 0, 0))) == version


class TestVersion:
    def test_of_the_container_that_holds_the_file(self) -> None:
        files = {
            "compose.yml": "services:\n"
            "  a: {image: 'nginx:1.25', volumes: ['./a.conf:/etc/nginx/nginx.conf']}\n"
            "  b: {image: 'nginx:1.29.4', volumes: ['./b.conf:/etc/nginx/nginx.conf']}\n",
            "a.conf": MAIN,
            "b.conf": MAIN,
            "c.conf": MAIN,
        }
        found = placement(files)
        assert [found.version(path) for path in ("a.conf", "b.conf", "c.conf")] == ["1.25", "1.29.4", None]

    def test_of_the_only_image(self) -> None:
        files = {"Dockerfile": "FROM nginx:1.25\n", "a.conf": MAIN, "x.sh": f"cat <<EOF\n{SERVER}EOF\n"}
        found = placement(files)
        assert (found.version("a.conf"), found.version("x.sh")) == ("1.25", None)
        assert placement({**files, "b/Dockerfile": "FROM nginx\n"}).version("a.conf") is None
        assert placement({**files, "b/Dockerfile": "FROM node:20\n"}).version("a.conf") == "1.25"

    def test_of_what_a_dockerfile_writes(self) -> None:
        files = {"Dockerfile": f"FROM nginx:1.25\nCOPY <<EOF /etc/nginx/conf.d/x.conf\n{SERVER}EOF\n"}
        assert placement(files).version("Dockerfile") == "1.25"

    def test_an_image_of_a_service_that_is_built_is_only_its_name(self) -> None:
        files = {
            "compose.yml": f"services:\n  a: {{image: 'nginx:1.20', build: ., volumes: ['./a.conf{AT_MAIN}']}}\n",
            "Dockerfile": "FROM nginx:1.25\n",
            "a.conf": MAIN,
        }
        assert placement(files).version("a.conf") == "1.25"
