"""DNS in one line: the question, and the answers.

RFC 1035 §4.1 (header, question, records), §4.1.4 (compression: a length byte of 0xC0 and up points
back into the message). Here a pointer may only point before its own position, so loops end; names
longer than 255 bytes (§2.3.4) and messages that run out give the part before.

Multicast DNS (RFC 6762) and LLMNR (RFC 4795) use the same message.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.wire.model.field import Field, Flag
from core.wire.model.kind import Kind, address_text
from core.wire.model.table import HeaderTable
from core.wire.model.text import safe_bytes

PORTS = {53: "DNS", 5353: "mDNS", 5355: "LLMNR"}
_NAME_BYTES = 255
_SHOWN = 4
_POINTER = 0xC0

HEADER = HeaderTable(
    "dns",
    "Domain name system",
    "RFC 1035 §4.1.1",
    Field("id", 16, "Transaction", base=16),
    Flag("flags.response", "Response"),
    Field("flags.opcode", 4, "Operation"),
    Field("flags.other", 7, "Flags"),
    Field("flags.rcode", 4, "Reply code"),
    Field("count.queries", 16, "Questions"),
    Field("count.answers", 16, "Answers"),
    Field("count.auth_rr", 16, "Authorities"),
    Field("count.add_rr", 16, "Additional records"),
)
RECORD = HeaderTable(
    "dns.resp",
    "DNS resource record",
    "RFC 1035 §4.1.3",
    Field("type", 16, "Type"),
    Field("class", 16, "Class"),
    Field("ttl", 32, "Time to live", suffix="s"),
    Field("len", 16, "Data length", suffix="bytes"),
)
QUESTION_BYTES = 4  # type and class
A, NS, CNAME, PTR, MX, AAAA = 1, 2, 5, 12, 15, 28
TYPES = {
    A: "A",
    NS: "NS",
    CNAME: "CNAME",
    6: "SOA",
    PTR: "PTR",
    MX: "MX",
    16: "TXT",
    AAAA: "AAAA",
    33: "SRV",
    41: "OPT",
    43: "DS",
    46: "RRSIG",
    47: "NSEC",
    48: "DNSKEY",
    64: "SVCB",
    65: "HTTPS",
    255: "ANY",
}
OPERATIONS = {0: "Standard query", 1: "Inverse query", 2: "Status", 4: "Notify", 5: "Update"}
REPLY_CODES = {
    1: "format error",
    2: "server failure",
    3: "no such name",
    4: "not implemented",
    5: "refused",
}


def is_message(message: bytes) -> bool:
    """Return True if the bytes may be a message: a whole header with a known operation."""
    return len(message) >= HEADER.size and HEADER["flags.opcode"].number(message) in OPERATIONS


def are_messages(
    data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return a mask (n,) of the bytes ``starts:ends`` in `data` that may be messages."""
    mask: NDArray[np.bool_] = ends - starts >= HEADER.size
    whole = np.flatnonzero(mask)
    operations = HEADER["flags.opcode"].column(data, starts[whole])
    mask[whole] = np.isin(operations, list(OPERATIONS))
    return mask


def describe(message: bytes) -> str | None:
    """Return ``Standard query 0x1a2b A example.org``, and a response's answers; None if not DNS."""
    if not is_message(message):
        return None
    values = {key: HEADER[key].number(message) for key in _USED}
    text = OPERATIONS[values["flags.opcode"]] + (" response" if values["flags.response"] else "")
    text += f" 0x{values['id']:04x}"
    if values["flags.rcode"]:
        code = values["flags.rcode"]
        text += f" {REPLY_CODES.get(code, f'reply code {code}')}"
    return text + _sections(message, values["count.queries"], values["count.answers"])


def _sections(message: bytes, questions: int, answers: int) -> str:
    """Return the first few questions and answers, up to the end of the message."""
    text = ""
    at = HEADER.size
    for index in range(min(questions, _SHOWN) + min(answers, _SHOWN)):
        read = _question if index < min(questions, _SHOWN) else _record
        after, part = read(message, at)
        text += part
        if after is None:
            return text
        at = after
    return text + (" …" if answers > _SHOWN or questions > _SHOWN else "")


_USED = (
    "id",
    "flags.response",
    "flags.opcode",
    "flags.rcode",
    "count.queries",
    "count.answers",
)


def read_name(message: bytes, start: int) -> tuple[str, int | None]:
    """Return the name at `start`, safe to print, and the offset after it (None if it ran out)."""
    labels: list[bytes] = []
    at, after, length = start, None, 0
    limit = len(message)
    while at < limit:
        size = message[at]
        if size >= _POINTER:
            if at + 1 >= limit:
                break
            after = at + 2 if after is None else after
            target = (size & ~_POINTER) << 8 | message[at + 1]
            if target >= min(at, start):
                break
            start = at = target
            continue
        if size == 0:
            after = at + 1 if after is None else after
            return safe_bytes(b".".join(labels)) or "<root>", after
        length += size + 1
        if length > _NAME_BYTES or at + 1 + size > limit:
            break
        labels.append(message[at + 1 : at + 1 + size])
        at += 1 + size
    return safe_bytes(b".".join(labels)) + "…", None


def _question(message: bytes, at: int) -> tuple[int | None, str]:
    name, after = read_name(message, at)
    if after is None or after + QUESTION_BYTES > len(message):
        return None, f" {name}"
    kind = int.from_bytes(message[after : after + 2], "big")
    return after + QUESTION_BYTES, f" {TYPES.get(kind, kind)} {name}"


def _record(message: bytes, at: int) -> tuple[int | None, str]:
    _, after = read_name(message, at)
    if after is None or after + RECORD.size > len(message):
        return None, ""
    kind, length = RECORD["type"].number(message, after), RECORD["len"].number(message, after)
    start = after + RECORD.size
    if start + length > len(message):
        return None, ""
    return start + length, f" {TYPES.get(kind, kind)}{_data(message, start, length, kind)}"


def _data(message: bytes, start: int, length: int, kind: int) -> str:
    body = message[start : start + length]
    if kind == A and length == 4:
        return f" {address_text(Kind.IPV4, int.from_bytes(body, 'big'))}"
    if kind == AAAA and length == 16:
        return f" {address_text(Kind.IPV6, int.from_bytes(body, 'big'))}"
    if kind in (NS, CNAME, PTR):
        return f" {read_name(message, start)[0]}"
    if kind == MX and length > 2:  # a preference, then the name
        return f" {read_name(message, start + 2)[0]}"
    return ""
