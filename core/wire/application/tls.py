"""TLS in one line: the record, and the name of the server that a client wants.

RFC 8446 §5.1 (records), §4.1.2 (ClientHello), RFC 6066 §3 (server name). Lengths inside the
ClientHello lead from field to field; a length past the end of the bytes ends the reading, and the
line has the part before.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.wire.model.field import Field
from core.wire.model.kind import Kind
from core.wire.model.table import HeaderTable
from core.wire.model.text import safe_bytes

RECORD = HeaderTable(
    "tls.record",
    "TLS record",
    "RFC 8446 §5.1",
    Field("content_type", 8, "Content type"),
    Field("version", 16, "Version", base=16),
    Field("length", 16, "Length", suffix="bytes"),
)
HANDSHAKE_HEADER = HeaderTable(
    "tls.handshake",
    "TLS handshake",
    "RFC 8446 §4",
    Field("type", 8, "Type"),
    Field("length", 24, "Length", suffix="bytes"),
)
HELLO = HeaderTable(
    "tls.hello",
    "TLS client hello, up to its lists",
    "RFC 8446 §4.1.2",
    Field("version", 16, "Legacy version", base=16),
    Field("random", 256, "Random", Kind.BYTES),
)
EXTENSION = HeaderTable(
    "tls.extension",
    "TLS extension",
    "RFC 8446 §4.2",
    Field("type", 16, "Type"),
    Field("length", 16, "Length", suffix="bytes"),
)
SERVER_NAMES = HeaderTable(
    "tls.server_name",
    "TLS server name list, up to the first name",
    "RFC 6066 §3",
    Field("list_length", 16, "List length", suffix="bytes"),
    Field("type", 8, "Name type"),
    Field("length", 16, "Name length", suffix="bytes"),
)
HANDSHAKE = 22
CONTENT = {20: "Change cipher spec", 21: "Alert", 22: "Handshake", 23: "Application data"}
FIRST_BYTES = frozenset(CONTENT)
"""The bytes that a record can begin with."""
VERSIONS = {0x0300: "SSL 3.0", 0x0301: "TLS", 0x0302: "TLS 1.1", 0x0303: "TLS"}
CLIENT_HELLO = 1
MESSAGES = {
    CLIENT_HELLO: "Client hello",
    2: "Server hello",
    4: "New session ticket",
    11: "Certificate",
    12: "Server key exchange",
    14: "Server hello done",
    16: "Client key exchange",
}
_LONGEST_RECORD = (1 << 14) + 2048  # TLS 1.2's limit for protected records (RFC 5246 §6.2.3)
_LISTS = (1, 2, 1)  # session, cipher suites, compression: bytes of each one's length
_EXTENSIONS_LENGTH = 2
_SERVER_NAME = 0
_EXTENSIONS_READ = 64
_IS_CONTENT = np.isin(np.arange(256), list(CONTENT))


def are_messages(
    data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return a mask (n,) of the bytes ``starts:ends`` in `data` that `describe` describes."""
    mask = np.zeros(len(starts), np.bool_)
    rows = np.flatnonzero(ends - starts >= RECORD.size)
    for key, values in (("content_type", CONTENT), ("version", VERSIONS)):
        rows = rows[np.isin(RECORD[key].column(data, starts[rows]), list(values))]
    lengths = RECORD["length"].column(data, starts[rows])
    mask[rows[(lengths > 0) & (lengths <= _LONGEST_RECORD)]] = True
    return mask


def describe(data: bytes) -> str | None:
    """Return ``Client hello, server name example.org``; None if the bytes are not a TLS record."""
    if len(data) < RECORD.size:
        return None
    kind, version = RECORD["content_type"].number(data), RECORD["version"].number(data)
    length = RECORD["length"].number(data)
    if kind not in CONTENT or version not in VERSIONS or not 0 < length <= _LONGEST_RECORD:
        return None
    if kind != HANDSHAKE or len(data) < RECORD.size + HANDSHAKE_HEADER.size:
        return CONTENT[kind]
    message = HANDSHAKE_HEADER["type"].number(data, RECORD.size)
    size = HANDSHAKE_HEADER["length"].number(data, RECORD.size)
    if message not in MESSAGES or size > _LONGEST_RECORD * 4:
        return "Encrypted handshake message"
    text = MESSAGES[message]
    if message != CLIENT_HELLO:
        return text
    name = server_name(data[RECORD.size + HANDSHAKE_HEADER.size :])
    return f"{text}, server name {name}" if name else text


def server_name(hello: bytes) -> str:
    """Return the first host name in a ClientHello's body, safe to print, or an empty string."""
    at = HELLO.size
    for width in _LISTS:
        if at + width > len(hello):
            return ""
        at += width + int.from_bytes(hello[at : at + width], "big")
    at += _EXTENSIONS_LENGTH
    for _ in range(_EXTENSIONS_READ):
        if at + EXTENSION.size > len(hello):
            return ""
        kind = EXTENSION["type"].number(hello, at)
        length = EXTENSION["length"].number(hello, at)
        at += EXTENSION.size
        body = hello[at : at + length]
        if kind == _SERVER_NAME and len(body) > SERVER_NAMES.size:
            size = SERVER_NAMES["length"].number(body)
            return safe_bytes(body[SERVER_NAMES.size :][:size])
        at += length
    return ""
