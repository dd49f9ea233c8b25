"""HTTP/1 in one line: the request line or the status line.

RFC 9112 §3 and §4. A segment that starts with neither is the middle of something; TCP's own line
describes it.
"""

from __future__ import annotations

import re

from core.wire.model.text import safe_bytes

_LONGEST = 200
_METHODS = (
    b"GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH NOTIFY M-SEARCH SUBSCRIBE UNSUBSCRIBE"
    b" PROPFIND REPORT"
).split()
_START = re.compile(
    rb"(?:(?:%s) [^\r\n]{1,2000}|HTTP/1\.[01] \d{3}[^\r\n]{0,200})" % b"|".join(_METHODS)
)
FIRST_BYTES = frozenset(start[0] for start in (*_METHODS, b"HTTP"))
"""The bytes that a request line or a status line can begin with."""


def describe(data: bytes) -> str | None:
    """Return ``GET /index.html HTTP/1.1`` or ``HTTP/1.1 404 Not Found``; None for other bytes."""
    found = _START.match(data)
    if found is None:
        return None
    line = safe_bytes(found[0])
    return line if len(line) <= _LONGEST else line[:_LONGEST] + "…"
