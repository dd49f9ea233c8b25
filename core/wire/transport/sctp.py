"""SCTP: the common header, and the names of the chunks after it.

RFC 9260 §3.1. The checksum is CRC-32C over the whole packet with the field zeroed, no pseudo-header
(§6.8, appendix A), so only the kernel can tell that it was left to the network card; a field of 0
in a saved frame is doubtful (`core.wire.checksum.packet_checksums`). Chunks are type, flags and a
length that counts them and is padded to 4.
"""

from __future__ import annotations

from core.wire.checksum import packet_checksums
from core.wire.model.assigned_numbers import IpProtocol
from core.wire.model.batch import header_step
from core.wire.model.dissection import Check, Dissection, Layer, PacketFlag, Verdict
from core.wire.model.field import Field
from core.wire.model.other_tools import OtherTools
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Next, Numbering, Walk
from core.wire.protocol import ChecksumRule, LayerKind, LayerPosition, Protocol, Reader

SCTP = HeaderTable(
    "sctp",
    "Stream Control Transmission Protocol",
    "RFC 9260 §3.1",
    Field("srcport", 16, "Source port"),
    Field("dstport", 16, "Destination port"),
    Field("verification_tag", 32, "Verification tag", base=16),
    Field("checksum", 32, "Checksum", base=16, automatic=True),
)
CHUNK = HeaderTable(
    "sctp",
    "SCTP chunk",
    "RFC 9260 §3.2",
    Field("chunk_type", 8, "Chunk type"),
    Field("chunk_flags", 8, "Chunk flags", base=16),
    Field("chunk_length", 16, "Chunk length", suffix="bytes"),
    start=SCTP.size,
)
CHUNK_NAMES = {
    0: "DATA",
    1: "INIT",
    2: "INIT ACK",
    3: "SACK",
    4: "HEARTBEAT",
    5: "HEARTBEAT ACK",
    6: "ABORT",
    7: "SHUTDOWN",
    8: "SHUTDOWN ACK",
    9: "ERROR",
    10: "COOKIE ECHO",
    11: "COOKIE ACK",
    12: "ECNE",
    13: "CWR",
    14: "SHUTDOWN COMPLETE",
    64: "I-DATA",
    192: "FORWARD TSN",
}
CHUNK_ALIGNMENT = 4
_CHUNKS_SHOWN = 8
_CHECKSUM = SCTP["checksum"]


def parse(walk: Walk, offset: int) -> Next | None:
    """Read the common header and check its CRC."""
    if walk.begin(SCTP, offset):
        walk.add((SCTP,), offset, checks=(_check(walk, offset),))
    return None


def _check(walk: Walk, offset: int) -> Check:
    if reason := packet_checksums.obstacle(walk, walk.stop):
        return packet_checksums.unverified(walk, _CHECKSUM, reason)
    stored = _CHECKSUM.number(walk.data, offset)
    start, stop = _CHECKSUM.span.start + offset, _CHECKSUM.span.stop + offset
    zeroed = walk.data[offset:start] + bytes(stop - start) + walk.data[stop : walk.stop]
    expected = packet_checksums.crc32c(zeroed)
    if expected == stored:
        return Check(_CHECKSUM, Verdict.GOOD, expected)
    if walk.flags & PacketFlag.CHECKSUM_NOT_READY:
        reason = "the kernel had not filled it in yet"
        return Check(_CHECKSUM, Verdict.OFFLOADED, expected, reason)
    reason = packet_checksums.doubt(walk, stored, skips_loopback=True)
    return Check(_CHECKSUM, Verdict.BAD, expected, reason)


def info(layer: Layer, dissection: Dissection) -> str:
    """Return ``38001 → 38002 INIT``, with the chunks in order."""
    data = dissection.data
    ports = (layer.number(data, key) for key in ("srcport", "dstport"))
    text = " → ".join("?" if port is None else str(port) for port in ports)
    return " ".join([text, *_chunks(data, layer)])


def _chunks(data: bytes, layer: Layer) -> list[str]:
    names: list[str] = []
    at = layer.offset
    while at + CHUNK.stop <= layer.captured and len(names) < _CHUNKS_SHOWN:
        kind = CHUNK["chunk_type"].number(data, at)
        length = CHUNK["chunk_length"].number(data, at)
        if length < CHUNK.size:
            break
        names.append(CHUNK_NAMES.get(kind, f"chunk {kind}"))
        at += length + -length % CHUNK_ALIGNMENT
    return names


PROTOCOLS = (
    Protocol(
        name="sctp",
        shown="SCTP",
        tables=(SCTP,),
        is_message=True,
        info=info,
        readers=(Reader(Numbering.IP_PROTOCOL, (IpProtocol.SCTP,), parse, header_step(SCTP)),),
        checksum=ChecksumRule(cyclic=True),
        kinds=(LayerKind("sctp", "SCTP", LayerPosition.TRANSPORT, (SCTP,), over="ip"),),
        tools=OtherTools(pcap="sctp"),
        is_listed=True,
    ),
)
