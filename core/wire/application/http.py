"""HTTP/1 in one line: the request line or the status line.

RFC 9112 §3 and §4. A segment that starts with neither is the middle of something; TCP's own line
describes it.
"""

from __future__ import annotations

import re

from core.wire.model.text import safe_bytes

_LONGEST = 200
_START = re.compile(
    rb"(?:(?:GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|NOTIFY|M-SEARCH|SUBSCRIBE"
    rb"|UNSUBSCRIBE|PROPFIND|REPORT) [^\r\n]{1,2000}|HTTP/1\.[01] \d{3}[^\r\n]{0,200})"
)


def describe(data: bytes) -> str | None:
    """Return ``GET /index.html HTTP/1.1`` or ``HTTP/1.1 404 Not Found``; None for other bytes."""
    found = _START.match(data)
    if found is None:
        return None
    line = safe_bytes(found[0])
    return line if len(line) <= _LONGEST else line[:_LONGEST] + "…"
