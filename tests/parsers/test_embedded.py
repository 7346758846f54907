"""nginx configurations inside shell scripts and Markdown."""

from __future__ import annotations

import time

import pytest

from corslint.model.reading import DeploymentReading, Directive, NginxReading
from corslint.parsers import parse
from corslint.source import SourceFile

BODY = "server {\n  listen 80;\n  location / { proxy_pass http://app; }\n}\n"


def reading(text: str, path: str = "deploy.sh") -> DeploymentReading:
    found = parse(SourceFile(path, text.encode()))
    assert isinstance(found, DeploymentReading)
    return found


def flat(directives: tuple[Directive, ...]) -> list[Directive]:
    return [inner for one in directives for inner in (one, *flat(one.block or ()))]


def lines(text: str, part: NginxReading) -> list[list[str]]:
    """Every directive as its words; and each word's place holds the word, as far as nothing replaces it."""
    shown = []
    for one in flat(part.directives):
        for word in (one.name, *one.arguments):
            raw = text.encode()[word.span.start : word.span.end].decode()
            assert word.quote or "$" in raw or "\\" in raw or "`" in raw or raw == word.text
        shown.append([word.text for word in (one.name, *one.arguments)])
    return shown


class TestHeredocs:
    @pytest.mark.parametrize(
        ("opening", "closing"),
        [
            ("cat > /etc/nginx/conf.d/app.conf <<EOF", "EOF"),
            ("cat <<EOF > /etc/nginx/conf.d/app.conf", "EOF"),
            ("cat <<'EOF' | sudo tee /etc/nginx/conf.d/app.conf", "EOF"),
            ('sudo tee app >/dev/null << "NGINX_CONF"', "NGINX_CONF"),
            ("cat >app <<-EOF", "\t\tEOF"),
            ("cat >app <<\\EOF", "EOF"),
            ("CONF=$(cat <<EOF", "EOF\n)"),
        ],
    )
    def test_is_found(self, opening: str, closing: str) -> None:
        text = f"#!/bin/sh\nset -e\n{opening}\n{BODY}{closing}\necho done\n"
        (part,) = reading(text).parts
        assert lines(text, part) == [["server"], ["listen", "80"], ["location", "/"], ["proxy_pass", "http://app"]]
        assert part.damage == ()
        assert text[part.directives[0].span.start : part.directives[0].span.end] == BODY.strip()

    @pytest.mark.parametrize(
        "text",
        [
            "cat > x <<EOF\nhello\nEOF\n",
            "cat > x.service <<EOF\n[Service]\nExecStart=/bin/x\nEOF\n",
            f"# cat > x <<EOF\n{BODY}",
            f"cat <<EOF\n{BODY}",
            f"cat <<EOF\n{BODY}  EOF\n",
            f'grep x <<< "EOF"\n{BODY}EOF\n',
            f"x=$((1<<EOF))\n{BODY}EOF\n",
            f"cat > README <<EOF\nPut this into your configuration,\nand start nginx again.\n{BODY}\nAnd\nmore.\nEOF\n",
        ],
    )
    def test_is_none(self, text: str) -> None:
        assert reading(text).parts == ()

    def test_several_one_after_another_and_on_one_line(self) -> None:
        text = f"cat <<A <<B\n{BODY}A\n{BODY}B\ncat <<C\nhello\nC\ncat <<D\nadd_header X y;\nD\n"
        parts = reading(text).parts
        assert [part.context for part in parts] == ["http", "http", "unknown"]

    def test_a_script_sent_to_another_machine(self) -> None:
        text = f"ssh host <<'END'\ncat > x <<EOF\n{BODY}EOF\nEND\n"
        assert [len(flat(part.directives)) for part in reading(text).parts] == [4]
        assert reading(text.replace("'END'", "END")).parts == ()

    def test_what_the_shell_replaces(self) -> None:
        text = (
            "cat > x <<EOF\nserver {\n  server_name $DOMAIN www.${DOMAIN};\n  listen $(port 'a;b' 80);\n"
            '  proxy_set_header Upgrade \\$http_upgrade;\n  proxy_set_header Host "\\${host}";\n'
            "  add_header X `date;`;\n  set \\$a b\\\\c;\n  proxy_pass \\\n    http://a;\n"
            "  $EXTRA\n  $(cat more)\n}\nEOF\n"
        )
        (part,) = reading(text).parts
        assert (part.damage, part.template) == ((), True)
        assert lines(text, part) == [
            ["server"],
            ["server_name", "{{$DOMAIN}}", "www.{{${DOMAIN}}}"],
            ["listen", "{{$(port 'a;b' 80)}}"],
            ["proxy_set_header", "Upgrade", "$http_upgrade"],
            ["proxy_set_header", "Host", "${host}"],
            ["add_header", "X", "{{`date;`}}"],
            ["set", "$a", "b\\c"],
            ["proxy_pass", "http://a"],
        ]
        assert [text[span.start : span.end] for span in part.logic] == ["$EXTRA", "$(cat more)"]

    def test_a_quoted_heredoc_is_left_as_it_is(self) -> None:
        text = "cat > x <<'EOF'\nlocation / {\n  proxy_set_header Upgrade \\$http_upgrade;\n  proxy_pass http://$x;\n}\nEOF\n"
        (part,) = reading(text).parts
        assert lines(text, part)[1:] == [
            ["proxy_set_header", "Upgrade", "\\$http_upgrade"],
            ["proxy_pass", "http://$x"],
        ]
        assert part.template is False

    def test_damage_has_its_place_in_the_script(self) -> None:
        text = "echo é\ncat > x <<'EOF'\nserver {\n  root /x\n  listen 80;\n}\nEOF\n"
        (damage,) = reading(text).damage
        assert text.encode()[damage.span.start : damage.span.end] == b"/x"
        assert (damage.kind, damage.message) == (
            "syntax",
            'invalid number of arguments in "root" directive (missing ";")',
        )

    def test_windows_line_ends(self) -> None:
        text = f"cat <<EOF\n{BODY}EOF\n".replace("\n", "\r\n")
        (part,) = reading(text).parts
        assert (lines(text, part)[1], part.damage) == (["listen", "80"], ())

    @pytest.mark.parametrize(
        "text",
        [
            "cat <<EOF\n" * 20_000,
            f"cat <<EOF\n{BODY}EOF\n" * 2_000,
            "cat <<EOF\n" + "$(" * 100_000 + BODY + "\nEOF\n",
            "cat <<EOF\n" + BODY + "`" * 100_001 + "\nEOF\n",
            "cat <<'A'\n" * 5_000 + BODY + "A\n" * 5_000,
        ],
    )
    def test_ends_soon(self, text: str) -> None:
        begun = time.process_time()
        assert len(reading(text).parts) <= 200
        assert time.process_time() - begun < 5


class TestMarkdown:
    @pytest.mark.parametrize(
        ("opening", "closing", "count"),
        [
            ("```nginx", "```", 1),
            ("~~~nginx", "~~~", 1),
            ("````Nginx title=x", "````", 1),
            ("``` {.nginx}", "```", 1),
            ("   ```nginxconf", "   ```", 1),
            ("```conf", "```", 1),
            ("```", "```", 1),
            ("```nginx", "", 1),
            ("```nginx", "~~~", 1),
            ("```yaml", "```", 0),
            ("> ```nginx", "> ```", 0),
            ("text", "text", 0),
        ],
    )
    def test_fences(self, opening: str, closing: str, count: int) -> None:
        text = f"# Title\n\n{opening}\n{BODY}{closing}\n"
        assert len(reading(text, "README.md").parts) == count

    def test_a_fence_without_a_name_must_hold_nginx(self) -> None:
        assert reading("```\n$ nginx -t\n```\n```conf\n[x]\na = 1\n```\n", "README.md").parts == ()

    def test_a_fence_inside_a_longer_one_is_text(self) -> None:
        text = f"````\n```nginx\nroot /x;\n```\n````\n\n```nginx\n{BODY}```\n"
        (part,) = reading(text, "README.md").parts
        assert lines(text, part)[0] == ["server"]

    @pytest.mark.parametrize("name", ["bash", "sh", "console", "Shell"])
    def test_heredocs_of_a_shell_fence(self, name: str) -> None:
        text = f"```{name}\nsudo tee /etc/nginx/sites-available/<domain> << 'EOF'\n{BODY}EOF\n```\n"
        text += f"```yaml\n- |\n  cat <<EOF\n{BODY}EOF\n```\n"
        (part,) = reading(text, "README.md").parts
        assert lines(text, part)[0] == ["server"]

    def test_left_out_pieces(self) -> None:
        text = "```nginx\nserver {\n    ...\n    listen 80;\n    \u2026\n}\n```\n"
        (part,) = reading(text, "README.md").parts
        assert (lines(text, part), part.damage) == ([["server"], ["listen", "80"]], ())
        assert [text.encode()[span.start : span.end].decode() for span in part.logic] == ["...", "\u2026"]

    def test_an_excerpt_is_not_said_to_be_refused(self) -> None:
        (damage,) = reading("```nginx\n    }\n```\n", "README.md").damage
        assert (damage.kind, damage.message) == (
            "template",
            'this excerpt is no nginx configuration by itself (unexpected "}")',
        )
