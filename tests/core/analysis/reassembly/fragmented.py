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
from tests.core.decode.frames import ethernet, ipv4, ipv6, tcp, udp
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of

UNIT = 8
DATA = bytes(range(256))
WHOLE, WHOLE_6 = udp(DATA), udp(DATA, six=True)
SEGMENT = tcp(bytes(100), flags="ack push")
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


def cases() -> list[bytes]:
    """Return all kinds of fragmented datagrams, each with an identification of its own."""
    first, second, third = WHOLE[:96], WHOLE[96:192], WHOLE[192:]
    frames = [*pieces(ident=1), *pieces(ident=2)[::-1], *pieces(ident=1)]  # used again
    frames += [*pieces(ident=3)[:1] * 2, *pieces(ident=3)]  # duplicates, and a late one
    frames += [
        piece(first, more=True, ident=4),
        piece(bytes(96), 96, more=True, ident=4),
        piece(second, 96, more=True, ident=4),
        piece(third, 192, ident=4),
    ]  # conflict
    frames += [
        piece(first, more=True, ident=5),
        piece(third, 192, ident=5),
        piece(third, 200, ident=5),
        piece(second, 96, more=True, ident=5),
    ]  # two tails
    frames += [
        piece(first, more=True, ident=6),
        piece(third, 192, ident=6),
        piece(bytes(80), 800, more=True, ident=6),
        piece(second, 96, more=True, ident=6),
    ]
    frames += [piece(b"a" * 36, more=True, ident=7), piece(b"b" * 4, 24, ident=7)]  # teardrop
    frames += [piece(first, more=True, ident=8), piece(third, 192, ident=8)]  # a hole
    frames += [piece(WHOLE[:103], more=True, ident=9), piece(WHOLE[96:], 96, ident=9)]
    frames += [piece(b"", 96, ident=10), piece(first, more=True, ident=10)]  # nothing in it
    frames += [*pieces(WHOLE[:-1] + b"!", (0, 96, len(WHOLE)), ident=11)]  # a wrong checksum
    frames += [*pieces(WHOLE_6, (0, 96, 192, len(WHOLE_6)), six=True)]
    frames += [*pieces(WHOLE_6, (0, 96, 192, len(WHOLE_6)), six=True, ident=2)[::-1]]
    frames += [
        piece(SEGMENT[:16], more=True, ident=12, protocol=IpProtocol.TCP),
        piece(SEGMENT[16:], 16, ident=12, protocol=IpProtocol.TCP),
    ]  # a tiny first one
    frames += [
        piece(first, more=True, ident=64, tags=1),
        piece(second, 96, more=True, ident=64),
        piece(WHOLE[96:], 96, ident=64, tags=1),
    ]  # in a VLAN; tshark mixes it with the ID
    return frames  # fmt: skip


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
