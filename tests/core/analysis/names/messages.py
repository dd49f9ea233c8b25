"""DNS messages for tests, made by `struct` and not by the tables under test."""

from __future__ import annotations

import struct

from tests.helpers.scripted import dns_name

A, CNAME, PTR, AAAA = 1, 5, 12, 28


def record(owner: str, kind: int, data: bytes) -> bytes:
    """Return a resource record of class IN."""
    return dns_name(owner) + struct.pack(">HHIH", kind, 1, 60, len(data)) + data


def response(question: str, *records: bytes, flags: int = 0x8180) -> bytes:
    """Return a response; an empty question is left out."""
    asked = dns_name(question) + struct.pack(">HH", A, 1) if question else b""
    counts = struct.pack(">6H", 7, flags, bool(question), len(records), 0, 0)
    return counts + asked + b"".join(records)
