"""The names that a DNS response gives to addresses.

RFC 1035 §4.1. An address record belongs to its owner; an owner that CNAME records lead to is shown
under the name in the question. A PTR record of ``in-addr.arpa`` or ``ip6.arpa`` names an
address, too (RFC 1035 §3.5, RFC 3596 §2.5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.wire.application.dns import (
    AAAA,
    CNAME,
    HEADER,
    PTR,
    QUESTION_BYTES,
    RECORD,
    A,
    is_message,
    read_name,
)
from core.wire.model.kind import ipv4_text, ipv6_text

MOST_RECORDS = 64
"""Records of a message that are read."""

_LONGEST_HOST = 255
_HOST = re.compile(r"[\w.\-]+", re.ASCII)
_REVERSED_4 = re.compile(r"(\d+)\.(\d+)\.(\d+)\.(\d+)\.in-addr\.arpa", re.IGNORECASE)
_REVERSED_6 = re.compile(r"((?:[0-9a-f]\.){32})ip6\.arpa", re.IGNORECASE)


def names_in(message: bytes) -> Iterator[tuple[str, str]]:
    """Yield ``(address, name)``, both as text, of a successful response; never raise for bytes."""
    if not is_message(message):
        return
    values = {key: HEADER[key].number(message) for key in _USED}
    if not values["flags.response"] or values["flags.rcode"]:
        return
    at = HEADER.size
    for _ in range(min(values["count.queries"], MOST_RECORDS)):
        _, after = read_name(message, at)
        if after is None:
            return
        at = after + QUESTION_BYTES
    asked: dict[str, str] = {}  # the name that led to an alias
    count = values["count.answers"] + values["count.auth_rr"] + values["count.add_rr"]
    for _ in range(min(count, MOST_RECORDS)):
        owner, after = read_name(message, at)
        if after is None or after + RECORD.size > len(message):
            return
        kind, length = (RECORD[key].number(message, after) for key in ("type", "len"))
        start = after + RECORD.size
        at = start + length
        if at > len(message):
            return
        name = asked.get(owner.lower(), owner)
        if kind == CNAME:
            asked.setdefault(read_name(message, start)[0].lower(), name)
        elif found := _named(kind, message[start:at], name, read_name(message, start)[0]):
            yield found


_USED = (
    *("flags.response", "flags.rcode", "count.queries"),
    *("count.answers", "count.auth_rr", "count.add_rr"),
)


def _named(kind: int, data: bytes, owner: str, target: str) -> tuple[str, str] | None:
    """Return the address and the name of a record; None if it names no address."""
    address, name = "", owner
    if kind == A and len(data) == 4:
        address = ipv4_text(data)
    elif kind == AAAA and len(data) == 16:
        address = ipv6_text(data)
    elif kind == PTR:
        address, name = _reversed_address(owner), target
    return (address, name) if address and is_host(name) else None


def is_host(name: str) -> bool:
    """Return True for a text that may be a host name."""
    return len(name) <= _LONGEST_HOST and _HOST.fullmatch(name) is not None


def _reversed_address(owner: str) -> str:
    """Return the address that a name of a reverse lookup stands for, or an empty text."""
    if found := _REVERSED_4.fullmatch(owner):
        parts = [int(part) for part in reversed(found.groups())]
        return ipv4_text(bytes(parts)) if max(parts) < 256 else ""
    if found := _REVERSED_6.fullmatch(owner):
        return ipv6_text(bytes.fromhex(found[1].replace(".", "")[::-1]))
    return ""
