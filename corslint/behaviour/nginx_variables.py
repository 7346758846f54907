"""nginx's own variables, by the index of nginx.org (varindex) and the sources of the modules it ships."""

from __future__ import annotations

_FAMILIES = (
    "arg_", "cookie_", "http_", "jwt_claim_", "jwt_header_", "jwt_payload", "proxy_protocol_tlv_", "sent_http_",
    "sent_trailer_", "upstream_cookie_", "upstream_http_", "upstream_trailer_", "geoip_", "ssl_", "memcached_", "spdy",
    "proxy_", "upstream_", "realip_", "http2", "http3", "gzip_", "session_", "fastcgi_", "slice_", "secure_link",
    "tcpinfo_", "quic", "acme_", "oidc_", "otel_", "limit_",
)  # fmt: skip
"""Names that begin like this are taken for nginx's own: whole families, and modules with many variables."""

_NAMES = frozenset((
    "ancient_browser", "args", "binary_remote_addr", "body_bytes_sent", "bytes_received", "bytes_sent", "connection",
    "connection_requests", "connection_time", "connections_active", "connections_reading", "connections_waiting",
    "connections_writing", "content_length", "content_type", "date_gmt", "date_local", "document_root", "document_uri",
    "host", "hostname", "https", "invalid_referer", "is_args", "is_request_port", "last_modified", "modern_browser",
    "msec", "msie", "nginx_version", "pid", "pipe", "protocol", "query_string", "realpath_root", "remote_addr",
    "remote_passwd", "remote_port", "remote_user", "request", "request_body", "request_body_file",
    "request_completion", "request_filename", "request_id", "request_length", "request_method", "request_port",
    "request_time", "request_uri", "scheme", "server_addr", "server_name", "server_port", "server_protocol",
    "spdy", "spdy_request_priority", "status", "time_iso8601", "time_local", "uid_got", "uid_reset", "uid_set", "uri",
    "mqtt_preread_clientid", "mqtt_preread_username",
))  # fmt: skip


def is_built_in(name: str) -> bool:
    """Whether nginx, or a module that comes with it, defines this variable. `name` is without the `$`."""
    lowered = name.lower()
    return lowered in _NAMES or lowered.startswith(_FAMILIES)
