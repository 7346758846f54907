"""Whole checks: nginx in other files, includes through containers, versions of images, templates."""

from __future__ import annotations

import pytest

from corslint import lint
from corslint.model.finding import Finding
from corslint.settings import Settings
from tests.examples import context_of, findings_of

KNOWN = lint.knowledge()

TWICE = "add_header Access-Control-Allow-Origin *;"
SOCKET = "server {\n  listen 80;\n  location /socket.io/ {\n    proxy_pass http://127.0.0.1:3000;\n  }\n}\n"
UPGRADE = "proxy_http_version 1.1;\nproxy_set_header Upgrade $http_upgrade;\nproxy_set_header Connection upgrade;\n"


def found(files: dict[str, str], settings: Settings | None = None) -> list[Finding]:
    return findings_of({path: text.encode() for path, text in files.items()}, settings or Settings(), KNOWN)


def shown(files: dict[str, str], settings: Settings | None = None) -> list[tuple[str, str, str]]:
    """Rule, path and text of each finding."""
    return [
        (one.rule, one.primary.path, files[one.primary.path].encode()[one.primary.start : one.primary.end].decode())
        for one in found(files, settings)
    ]


class TestScripts:
    def test_a_heredoc_is_checked_in_its_place(self) -> None:
        files = {"setup.sh": f"#!/bin/sh\ncat > /etc/nginx/conf.d/app.conf <<EOF\n{SOCKET}EOF\n"}
        assert shown(files) == [("missing-upgrade-headers", "setup.sh", "location /socket.io/")]

    def test_an_escaped_dollar_is_a_variable_of_nginx(self) -> None:
        body = SOCKET.replace("    proxy_pass", UPGRADE.replace("$", "\\$") + "    proxy_pass")
        assert shown({"setup.sh": f"cat > x <<EOF\n{body}EOF\n"}) == []

    def test_a_variable_of_the_shell_is_unknown(self) -> None:
        body = "location / {\n  add_header Access-Control-Allow-Origin {} always;\n"
        body += "  add_header Access-Control-Allow-Credentials true always;\n  proxy_pass http://a;\n}\n"
        for value, rules in (("\\$http_origin", ["reflected-origin-with-credentials"]), ("$http_origin", [])):
            files = {"setup.sh": f"cat > x <<EOF\n{body.replace('{} ', value + ' ')}EOF\n"}
            assert [one.rule for one in found(files)] == rules

    def test_each_heredoc_is_a_configuration_of_its_own(self) -> None:
        files = {"setup.sh": f"cat > a <<EOF\n{TWICE}\nEOF\ncat > b <<EOF\n{TWICE}\nEOF\n"}
        assert [one.rule for one in found(files) if one.severity == "error"] == []

    def test_there_is_no_fix_for_a_script(self) -> None:
        text = f"#!/bin/sh\ncat > x <<'EOF'\n{SOCKET}EOF\n"
        for path in ("setup.sh", "deploy/setup"):
            (one,) = findings_of({path: text.encode()}, Settings(), KNOWN, with_fixes=True)
            assert (one.rule, one.fix) == ("missing-upgrade-headers", None)

    def test_a_dockerfile(self) -> None:
        files = {"Dockerfile": f"FROM nginx:1.27\nCOPY <<EOF /etc/nginx/conf.d/default.conf\n{SOCKET}EOF\n"}
        assert shown(files) == [("missing-upgrade-headers", "Dockerfile", "location /socket.io/")]


class TestMarkdown:
    FILES = {"README.md": f"# Deploy\n\n```nginx\n{SOCKET}```\n"}

    def test_only_where_it_is_asked_for(self) -> None:
        assert shown(self.FILES) == []
        expected = [("missing-upgrade-headers", "README.md", "location /socket.io/")]
        assert shown(self.FILES, Settings(markdown=True)) == expected

    def test_a_file_that_was_named_is_asked_for(self) -> None:
        files = {**self.FILES, "docs/other.md": self.FILES["README.md"], "app.js": ""}
        contents = {path: text.encode() for path, text in files.items()}
        for named, paths in (("README.md", ["README.md"]), ("app.js", [])):
            context = context_of(files)._replace(lint=frozenset({named}))
            report = lint.lint(context, Settings(), contents, KNOWN)
            assert ([one.primary.path for one in report.findings], report.files) == (paths, 1)


class TestIncludes:
    MAIN = "events {}\nhttp {\n  include /etc/nginx/sites/*.conf;\n}\n"
    SERVER = SOCKET.replace("    proxy_pass", "    include proxy/ws.conf;\n    proxy_pass")

    def files(self, snippet: str) -> dict[str, str]:
        return {
            "compose.yml": "services:\n  proxy:\n    image: nginx:1.27\n    volumes:\n"
            "      - ./main.conf:/etc/nginx/nginx.conf\n      - ./web:/etc/nginx/sites\n      - ./p:/etc/nginx/proxy\n",
            "main.conf": self.MAIN,
            "web/a.conf": self.SERVER,
            "p/ws.conf": snippet,
        }

    def test_through_volumes(self) -> None:
        assert shown(self.files(UPGRADE)) == []
        assert shown(self.files("proxy_set_header Host $host;\n")) == [
            ("missing-upgrade-headers", "web/a.conf", "location /socket.io/")
        ]

    def test_what_lies_elsewhere_is_unknown(self) -> None:
        files = self.files("proxy_set_header Host $host;\n")
        files["compose.yml"] = files["compose.yml"].replace("      - ./p:/etc/nginx/proxy\n", "")
        files["p/x.conf"] = files.pop("p/ws.conf")
        assert shown(files) == []

    def test_the_settings(self) -> None:
        files = self.files("proxy_set_header Host $host;\n")
        files.pop("compose.yml")
        places = (("/etc/nginx/proxy", "p"), ("/etc/nginx/sites", "web"), ("/etc/nginx/nginx.conf", "main.conf"))
        assert shown(files, Settings(nginx_paths=places)) == [
            ("missing-upgrade-headers", "web/a.conf", "location /socket.io/")
        ]

    @pytest.mark.parametrize("target", ["web/a.conf", "main.conf"])
    def test_loops_end(self, target: str) -> None:
        files = self.files(f"include /etc/nginx/{'sites/a.conf' if target == 'web/a.conf' else 'nginx.conf'};\n")
        assert [one for one in shown(files) if one[0] != "template-skipped"] == []


class TestVersions:
    def test_the_settings_beat_an_image(self) -> None:
        files = {
            "Dockerfile": "FROM nginx:1.31\nCOPY a.conf /etc/nginx/conf.d/a.conf\n",
            "a.conf": SOCKET.replace(
                "    proxy_pass", UPGRADE.replace("proxy_http_version 1.1;", "") + "    proxy_pass"
            ),
        }
        assert shown(files) == []
        assert [one.rule for one in found(files, Settings(nginx_version=(1, 28, 0)))] == ["proxy-http-version"]
