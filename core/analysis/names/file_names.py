"""Names in a pcapng file: its name resolution blocks (draft-ietf-opsawg-pcapng §4.5).

They are read, and written with the names that rawscope has learned.
"""

from __future__ import annotations

import ipaddress
import struct
import sys
from collections.abc import Iterable, Iterator, Mapping

from core.analysis.names.dns_names import is_host
from core.decode.batch import FileBlock
from core.wire.model.kind import ipv4_text, ipv6_text

NAME_RESOLUTION = 4  # the kind of block
_END, _IPV4, _IPV6 = 0, 1, 2
_TEXTS = {_IPV4: (4, ipv4_text), _IPV6: (16, ipv6_text)}
MOST_NAMES = 1 << 16  # of a file
_NAMES_OF_BLOCK = 4096  # that are written
_RECORD = struct.Struct("=HH")


def names_of_blocks(blocks: Iterable[FileBlock]) -> Iterator[tuple[str, str]]:
    """Yield ``(address, name)`` of the name resolution blocks of a file, at most `MOST_NAMES`."""
    found = 0
    for block in blocks:
        if block.kind != NAME_RESOLUTION:
            continue
        for each in _names_of(block.body):
            if found == MOST_NAMES:
                return
            found += 1
            yield each


def _names_of(body: bytes) -> Iterator[tuple[str, str]]:
    at = 0
    while at + 4 <= len(body):
        kind, length = (
            int.from_bytes(body[place : place + 2], sys.byteorder) for place in (at, at + 2)
        )
        value = body[at + 4 : at + 4 + length]
        if kind == _END or len(value) < length:
            return
        at += 4 + (length + 3) // 4 * 4
        if kind in _TEXTS:
            size, text_of = _TEXTS[kind]
            name = value[size:].partition(b"\0")[0].decode(errors="replace")
            if len(value) > size and is_host(name):
                yield text_of(value[:size]), name


def blocks_of_names(names: Mapping[str, str], known: Iterable[FileBlock]) -> Iterator[FileBlock]:
    """Yield name resolution blocks with names by address, except for those in `known` blocks."""
    written = {address for address, _ in names_of_blocks(known)}
    records = [_record(*each) for each in names.items() if each[0] not in written]
    for start in range(0, len(records), _NAMES_OF_BLOCK):
        body = b"".join(records[start : start + _NAMES_OF_BLOCK]) + _RECORD.pack(_END, 0)
        yield FileBlock(NAME_RESOLUTION, body)


def _record(address: str, name: str) -> bytes:
    number = ipaddress.ip_address(address).packed
    value = number + name.encode() + b"\0"
    kind = _IPV4 if len(number) == 4 else _IPV6
    return _RECORD.pack(kind, len(value)) + value + bytes(-len(value) % 4)
