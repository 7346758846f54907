"""URLs as a browser reads them: their origin, where a redirect leads, and whether a text is one at all."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv6Address
from urllib.parse import unquote_to_bytes, urljoin, urlsplit

from corslint.model.tri import Tri, tri
from corslint.regexes import regex

_DEFAULT_PORTS = {"http": 80, "https": 443}
_WITH_HOST = frozenset({"http", "https", "ws", "wss", "ftp", "chrome", "chrome-extension", "chrome-untrusted"})
"""Schemes whose URLs are nothing without a host; Chromium adds its own to the URL standard's special ones."""

_SCHEME = regex(r"([A-Za-z][A-Za-z0-9+.-]*):")
_AUTHORITY_END = regex(r"[/?#]")
_PORT = regex(r"[0-9]*")
_LARGEST_PORT = 65535
_NUMERIC = regex(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_BAD_ESCAPE = regex(r"%(?![0-9A-Fa-f]{2})")
_BAD_IN_HOST = regex(r"[\x00-\x1f#%/:<>?@\[\\\]^|\x7f]")
"""A host holds none of them, also not percent-encoded. Of the URL standard's list Chromium lets the space pass."""
_BAD_IN_OPAQUE_HOST = regex(r"[\x00\x09\x0a\x0d #/:<>?@\[\\\]^|]")


def origin_of(url: str) -> str:
    """Scheme, host and port of an absolute http(s) or ws(s) URL, without the scheme's own port.

    Raises:
        ValueError: no host, or no possible port.

    """
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError(f"{url!r} names no host")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    own_port = parts.port in (None, _DEFAULT_PORTS.get(_as_http(parts.scheme)))
    return f"{parts.scheme}://{host}" if own_port else f"{parts.scheme}://{host}:{parts.port}"


def _as_http(scheme: str) -> str:
    return {"ws": "http", "wss": "https"}.get(scheme, scheme)


def path_of(url: str) -> str:
    """Path and query, as the request line has them."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def scheme_of(url: str) -> str:
    """The scheme in lower case; empty where there is none."""
    found = _SCHEME.match(url)
    return found[1].lower() if found else ""


def has_password(url: str) -> bool:
    """Whether the URL carries a user name or a password."""
    parts = urlsplit(url)
    return bool(parts.username or parts.password)


def redirected(url: str, location: str) -> str | None:
    """The URL that a `Location` header leads to; the fragment goes along unless the header has one of its own.

    None where the header is no URL.
    """
    try:
        found = _with_slashes(urljoin(url, location.strip(" \t")))
        fragment = urlsplit(url).fragment
        if is_url(found) is Tri.NO or (scheme_of(found) in _DEFAULT_PORTS and not origin_of(found)):
            return None
    except ValueError:
        return None
    return f"{found}#{fragment}" if fragment and "#" not in found else found


def _with_slashes(url: str) -> str:
    """`https:/x` and `https:x` are `https://x` to a browser."""
    scheme = scheme_of(url)
    return f"{scheme}://{url[len(scheme) + 1 :].lstrip('/')}" if scheme in _DEFAULT_PORTS else url


def is_url(text: str) -> Tri:
    """Whether Chromium's parser takes a text for an absolute URL; unknown where that needs the rules for IDNs.

    Chromium words its complaint about a wrong `Access-Control-Allow-Origin` by that.
    """
    text = text.strip(" \t").replace("\t", "")
    found = _SCHEME.match(text)
    if found is None:
        return Tri.NO
    scheme, rest = found[1].lower(), text[found.end() :]
    if scheme in _WITH_HOST:
        return _valid_authority(rest.replace("\\", "/").lstrip("/"), needs_host=True)
    if scheme == "file" or not rest.startswith("//"):
        return Tri.YES
    return _valid_authority(rest[2:], needs_host=False)


def _valid_authority(text: str, *, needs_host: bool) -> Tri:
    """`user:password@host:port`, up to where the path begins."""
    authority = _AUTHORITY_END.split(text, maxsplit=1)[0].rpartition("@")[2]
    host, port = _host_and_port(authority)
    if _PORT.fullmatch(port) is None or _is_beyond(port, _LARGEST_PORT):
        return Tri.NO
    if host.startswith("["):
        return tri(host.endswith("]") and _is_ipv6(host[1:-1]))
    if not needs_host:
        return tri(_BAD_IN_OPAQUE_HOST.search(host) is None and not (port and not host))
    return _valid_host(host)


def _is_beyond(digits: str, largest: int) -> bool:
    significant = digits.lstrip("0")
    return len(significant) > len(str(largest)) or int(significant or "0") > largest


def _host_and_port(authority: str) -> tuple[str, str]:
    closed = authority.rfind("]")
    colon = authority.find(":", closed + 1) if closed >= 0 else authority.find(":")
    return (authority, "") if colon < 0 else (authority[:colon], authority[colon + 1 :])


def _valid_host(host: str) -> Tri:
    if not host or _BAD_ESCAPE.search(host):
        return Tri.NO
    decoded = unquote_to_bytes(host).decode("latin-1")
    if not decoded.isascii():
        return Tri.UNKNOWN
    if _BAD_IN_HOST.search(decoded):
        return Tri.NO
    labels = decoded.removesuffix(".").split(".")
    return tri(_NUMERIC.fullmatch(labels[-1]) is None or _is_ipv4(labels))


def _is_ipv4(labels: list[str]) -> bool:
    """One to four numbers, decimal, octal (`0..`) or hexadecimal (`0x..`); the last one fills the rest."""
    if len(labels) > 4:
        return False
    try:
        numbers = [_number(label) for label in labels]
    except ValueError:
        return False
    return all(number < 256 for number in numbers[:-1]) and numbers[-1] < 256 ** (5 - len(numbers))


def _number(label: str) -> int:
    if label[:2].lower() == "0x":
        return int(label[2:] or "0", 16)
    return int(label, 8 if len(label) > 1 and label.startswith("0") else 10)


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return "%" not in text
