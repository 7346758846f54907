"""Whether a file is nginx configuration, by its content. Templates and broken files count; no parser is needed."""

from __future__ import annotations

from corslint.parsers import SNIFFED
from corslint.regexes import regex

_BOM = b"\xef\xbb\xbf"

_COMMENT = regex(rb"(?m)^[ \t]*#.*$")
_PLACEHOLDER = regex(rb"\{\{[^{}\n]{0,200}\}\}|\$\{[^{}\n]{0,200}\}|<%=[^%\n]{0,200}%>")
_STATEMENT = regex(rb"\{%[^%\n]{0,400}%\}|\{#[^#\n]{0,400}#\}|<%(?!=)[^%\n]{0,400}%>")
_STRONG = regex(  # names that no other configuration language ends with `;` or `{`
    rb"(?m)(?:^|[;{}])[ \t]*(?:"
    rb"(?:proxy|fastcgi|uwsgi|grpc|ssl|gzip|brotli|limit|more|add|client|worker|real|auth|resolver|sub|http2|map"
    rb"|charset|valid)_\w+"
    rb"|server_name|server_tokens|try_files|error_page|access_log|error_log|log_format|rewrite|set[ \t]+\$"
    rb"|open_file_cache|resolver|default_type)[ \t]+(?![=:])[^{};\n]{0,1000};"
    rb"|(?:^|[;{}])[ \t]*(?:(?:add|proxy_set)_header|more_\w+_headers|log_format|\w{1,20}_types|valid_referers)"
    rb"\s[^{};]{0,4000};"
    rb"|(?:^|[;{}])[ \t]*(?:allow|deny)[ \t]+(?:all|unix:|[\da-fA-F:]{1,4}[\da-fA-F.:/]+)[ \t]*;"
    rb"|(?:^|[;{}])[ \t]*[a-z_]{2,40}_by_lua_block\b[^;{}\n]{0,100}\{"
    rb"|(?:^|[;{}])[ \t]*set_real_ip_from[ \t]+\S+[ \t]*;"
    rb"|(?:^|[;{}])[ \t]*load_module[ \t]+\S+\.so[\"']?[ \t]*;"
    rb"|(?:^|[;{}])[ \t]*listen[ \t]+(?:\[[\da-f:]*\]|\*|unix:|\d)[^;{}\n]{0,200};"
    rb"|(?:^|[;{}])[ \t]*server[ \t]+[\w.\[\]:-]+(?:[ \t]+(?:weight|max_fails|fail_timeout|max_conns)=\w+|[ \t]+backup"
    rb"|[ \t]+down)+[ \t]*;"
    rb"|(?:^|[;{}])[ \t]*location[ \t]+(?:[~=^*]+[ \t]*)?[/@^\"'.\\(]\S*[ \t\r\n]*\{"
    rb"|(?:^|[;{}])[ \t]*map[ \t]+\"?\$\S+[ \t]+\$\w+[ \t\r\n]*\{"
    rb"|(?:^|[;{}])[ \t]*geo[ \t]+(?:\$\w+[ \t]+)?\$\w+[ \t\r\n]*\{"
)
_LIKELY = regex(  # other languages have these, too, but not in files that are called `*.conf`
    rb"(?m)(?:^|[;{}])[ \t]*(?:if[ \t]*\([ \t]*\$\w+[^\n{}]*\)[ \t\r\n]*\{"
    rb"|return[ \t]+[1-5]\d\d(?:[ \t]+[^;\n]{1,400})?;)"
)
_ONLY_INCLUDES = regex(rb"(?:\s*include[ \t]+[\w.*/$-]+[ \t]*;)+\s*")
_WEAK_BLOCK = regex(rb"(?m)(?:^|[;{}])[ \t]*(?:server|http|events|upstream[ \t]+[\w.-]+|types)[ \t\r\n]*\{")
_WEAK_LINE = regex(
    rb"(?m)(?:^|[;{}])[ \t]*(?:listen[ \t]+[\w.:\[\]*$]|return[ \t]+[1-5]\d\d|server[ \t]+[\w.-]+(?::\d+)?"
    rb"|root[ \t]+[/\w$]|include[ \t]+[\w./*-]+|worker_processes|text/\w+|expires[ \t]|ip_hash|least_conn|index[ \t])"
    rb"[^{}=\n]*;?[ \t\r}]*(?:#.*)?$"
)
_OTHER = regex(
    rb"(?m)^[ \t]*(?:\[[\w.: -]+\][ \t\r]*$"  # INI, systemd, supervisor, fail2ban
    rb"|</?(?:VirtualHost|Directory|IfModule|IfDefine|Location|Files|Proxy|Macro|LimitExcept)\b"  # Apache
    rb"|/[^\s{}]+[ \t]*\{[ \t\r]*$"  # logrotate
    rb"|[\w.-]+[ \t]*=[^;{}\n]*$"  # properties, HOCON
    rb"|check[ \t]+(?:process|host|file)[ \t])"  # monit
)
_PROGRAM = regex(
    rb"(?m)^[ \t]*(?:#[ \t]*(?:include[ \t]*[<\"]|pragma\b|ifn?def\b|define\b)|//|/\*|\*/|<\?"
    rb"|(?:class|const|def|function|import|let|namespace|package|template|typedef|using|var)\b[ \t])"
)
_LINE = regex(rb"(?m)^.*\S.*$")


def _head(data: bytes) -> bytes | None:
    """The beginning of a file without its comments and placeholders; None for binary data."""
    head = data[:SNIFFED]
    if head.count(b"\0") > len(head) // 20:
        return None
    if len(data) > SNIFFED:
        head = head[: head.rfind(b"\n") + 1] or head
    head = _COMMENT.sub(b"", head.removeprefix(_BOM))
    return _STATEMENT.sub(b"", _PLACEHOLDER.sub(b"x", head))


def looks_like_nginx(data: bytes) -> bool:
    """Whether a file called `*.conf` or the like is nginx: HOCON, Apache, systemd and the rest are not."""
    head = _head(data)
    if head is None:
        return False
    return _is_likely(head) or _LIKELY.search(head) is not None


def _is_likely(head: bytes) -> bool:
    if _STRONG.search(head) or _ONLY_INCLUDES.fullmatch(head):
        return True
    block = _WEAK_BLOCK.search(head)
    return block is not None and _WEAK_LINE.search(head, block.end() - 1) is not None


def is_nginx_throughout(data: bytes) -> bool:
    """Whether a file whose name says nothing is nginx, and not a text or a program that holds some of it."""
    head = None if data.startswith((b"#!", b"<")) else _head(data)
    if head is None or not _is_likely(head) or _PROGRAM.search(data, 0, SNIFFED):
        return False
    lines = [line.partition(b" #")[0].strip() for line in _LINE.findall(head)]
    # The rest are directives on several lines, and insertions of a template.
    ended: int = sum(line.endswith((b";", b"{", b"}")) or line == b"x" for line in lines)
    return 3 * ended >= 2 * len(lines)


def is_something_else(data: bytes) -> bool:
    """Whether a file whose name says nginx is a file about nginx: for fail2ban, logrotate, supervisor, Apache."""
    head = _head(data)
    return head is None or (_OTHER.search(head) is not None and not looks_like_nginx(data))
