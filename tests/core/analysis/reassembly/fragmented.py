"""Fragmented datagrams for tests."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from core.decode.batch_decoder import decode_batch
from core.decode.chunk import Chunk
from core.store.packet_store import PacketStore
from core.wire.link.link_types import LinkType
from core.wire.model.assigned_numbers import EtherType, IpProtocol
from core.wire.network.ipv6_extensions import FRAGMENT
from tests.core.decode.frames import ethernet, ipv4, ipv6, udp
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of

UNIT = 8
DATA = bytes(range(256))
WHOLE, WHOLE_6 = udp(DATA), udp(DATA, six=True)
CUTS = (0, 96, 192, len(WHOLE))  # of three fragments


def piece(
    data: bytes,
    start: int = 0,
    *,
    more: bool = False,
    ident: int = 1,
    protocol: int = IpProtocol.UDP,
    six: bool = False,
    tags: int = 0,
    **fields: int,
) -> bytes:
    """Return the frame of a fragment with some bytes of a datagram, from `start` on."""
    if six:
        values = {"nxt": protocol, "more": more, "offset": start // UNIT, "ident": ident}
        body = FRAGMENT.emit(values) + data
        return ethernet(ipv6(body, IpProtocol.FRAGMENT, **fields), EtherType.IPV6, tags)
    values = {"frag_offset": start // UNIT, "flags__mf": int(more), "id": ident}
    return ethernet(ipv4(data, protocol, **(values | fields)), tags=tags)


def pieces(
    whole: bytes = WHOLE, cuts: Sequence[int] = CUTS, *, ident: int = 1, six: bool = False
) -> list[bytes]:
    """Return the frames of a whole datagram's fragments, in order."""
    return [
        piece(whole[start:end], start, more=end < len(whole), ident=ident, six=six)
        for start, end in itertools.pairwise(cuts)
    ]


def write_pcap(path: Path, frames: list[bytes]) -> None:
    """Write Ethernet frames to a file, a second apart."""
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, LinkType.ETHERNET)
    records = (
        struct.pack("<IIII", 1_000 + second, 0, len(frame), len(frame)) + frame
        for second, frame in enumerate(frames)
    )
    path.write_bytes(header + b"".join(records))


def chunk_of(frames: list[bytes], first: int = 1, **columns: list[int]) -> Chunk:
    """Return the chunk of some Ethernet frames."""
    link_types = np.array([LinkType.ETHERNET], np.int32)
    return decode_batch(batch_of(frames, **columns), link_types, first)


def store_of(batches: Iterable[list[bytes]]) -> PacketStore:
    """Return a store with batches of Ethernet frames."""
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    for batch in batches:
        store.append(batch_of(batch))
    return store
