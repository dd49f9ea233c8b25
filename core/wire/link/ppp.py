"""PPP, alone and over Ethernet.

PPP, RFC 1661 §2 and RFC 1662 §3.1: a protocol number, before it on serial lines an address and a
control byte (0xFF 0x03). The number may be compressed to one byte: its last bit is then one, which
the first of two bytes never has.

PPPoE, RFC 2516 §4: a header with a session and a length, which ends the payload; a session frame
carries PPP without address and control.
"""

from __future__ import annotations

from core.wire.link.link_types import LinkType
from core.wire.model import computed_number
from core.wire.model.assigned_numbers import PPP_PROTOCOL_NAMES, EtherType, PppProtocol
from core.wire.model.batch import BatchReader, FrameGroup, byte_column
from core.wire.model.dissection import Dissection, Layer, Note
from core.wire.model.field import Field
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Next, Numbering, Walk
from core.wire.protocol import Protocol, Reader

ADDRESS, CONTROL = 0xFF, 0x03
CODES = {
    0x00: "Session data",
    0x07: "Discovery offer (PADO)",
    0x09: "Discovery initiation (PADI)",
    0x19: "Discovery request (PADR)",
    0x65: "Discovery confirmation (PADS)",
    0xA7: "Termination (PADT)",
}

_FRAMING = (
    Field("address", 8, "Address", base=16, default=ADDRESS),
    Field("control", 8, "Control", base=16, default=CONTROL),
)
_PROTOCOL = Field(
    "protocol", 16, "Protocol", base=16, values=PPP_PROTOCOL_NAMES, default=PppProtocol.IPV4
)
_COMPRESSED = Field(
    "protocol", 8, "Protocol", base=16, values=PPP_PROTOCOL_NAMES, default=PppProtocol.IPV4
)

PPP = HeaderTable("ppp", "Point-to-Point Protocol", "RFC 1661 §2", _PROTOCOL)
PPP_COMPRESSED = HeaderTable("ppp", "Point-to-Point Protocol", "RFC 1661 §6.5", _COMPRESSED)
PPP_FRAMED = HeaderTable("ppp", "Point-to-Point Protocol", "RFC 1662 §3.1", *_FRAMING, _PROTOCOL)
PPP_FRAMED_COMPRESSED = HeaderTable(
    "ppp", "Point-to-Point Protocol", "RFC 1662 §3.1", *_FRAMING, _COMPRESSED
)
PPPOE = HeaderTable(
    "pppoe",
    "PPP over Ethernet",
    "RFC 2516 §4",
    Field("version", 4, "Version", default=1),
    Field("type", 4, "Type", default=1),
    Field("code", 8, "Code", base=16, values=CODES),
    Field("session_id", 16, "Session", base=16),
    Field("payload_length", 16, "Payload length", suffix="bytes", automatic=True),
)
TABLES = (PPP_FRAMED, PPP_FRAMED_COMPRESSED, PPP, PPP_COMPRESSED, PPPOE)


def parse(walk: Walk, offset: int) -> Next | None:
    """Read a PPP frame, with or without address and control."""
    if not walk.has("ppp", offset, PPP_COMPRESSED.size):
        return None
    framed = walk.data[offset] == ADDRESS
    whole, compressed = (PPP_FRAMED, PPP_FRAMED_COMPRESSED) if framed else (PPP, PPP_COMPRESSED)
    if not walk.begin(compressed, offset, depth=walk.depth):
        return None
    number = compressed["protocol"].number(walk.data, offset)
    table = compressed
    if number % 2 == 0:
        if not walk.begin(whole, offset, depth=walk.depth):
            return None
        table, number = whole, whole["protocol"].number(walk.data, offset)
    walk.add((table,), offset, depth=walk.depth)
    return Next(Numbering.PPP, number, offset + table.size)


def parse_session(walk: Walk, offset: int) -> Next | None:
    """Read PPPoE in a session; PPP follows."""
    if not _header(walk, offset):
        return None
    return Next(Numbering.PPP_FRAME, 0, offset + PPPOE.size)


def parse_discovery(walk: Walk, offset: int) -> Next | None:
    """Read PPPoE before a session; rawscope does not read the tags that follow."""
    _header(walk, offset)
    return None


def _header(walk: Walk, offset: int) -> bool:
    if not walk.begin(PPPOE, offset, depth=walk.depth):
        return False
    slot = PPPOE["payload_length"]
    length = slot.number(walk.data, offset)
    room = walk.stop - offset - PPPOE.size
    notes: tuple[Note, ...] = ()
    if length > room:
        notes = (Note(f"{length} bytes go past the {room} that {walk.limited_by} allows", slot),)
    walk.limit(offset + PPPOE.size + length, "pppoe.payload_length")
    walk.end_packet(walk.stop)
    walk.add((PPPOE,), offset, depth=walk.depth, notes=notes)
    return True


def step(walk: BatchReader, group: FrameGroup) -> None:
    """Read many PPP frames, as `parse` does one."""
    group = walk.has(group, PPP_COMPRESSED.size)
    framed = byte_column(walk, group) == ADDRESS
    kinds = ((~framed, PPP, PPP_COMPRESSED), (framed, PPP_FRAMED, PPP_FRAMED_COMPRESSED))
    for mask, whole, compressed in kinds:
        some = walk.begin(compressed, group.where(mask))
        number = walk.column(compressed["protocol"], some)
        short = number % 2 == 1
        walk.queue(Numbering.PPP, number[short], some.where(short).moved(compressed.size))
        walk.reclassify(compressed, whole, some.where(~short))
        some = walk.has(some.where(~short), whole.size)
        walk.queue(Numbering.PPP, walk.column(whole["protocol"], some), some.moved(whole.size))


def step_session(walk: BatchReader, group: FrameGroup) -> None:
    """Read many session headers, as `parse_session` does one."""
    group = walk.begin(PPPOE, group)
    after = group.moved(PPPOE.size)
    walk.limit(after, after.at + walk.column(PPPOE["payload_length"], group))
    walk.queue(Numbering.PPP_FRAME, 0, after)


def step_discovery(walk: BatchReader, group: FrameGroup) -> None:
    """Read many discovery headers, as `parse_discovery` does one."""
    walk.begin(PPPOE, group)


def info(layer: Layer, dissection: Dissection) -> str:
    """Return ``PPP LCP``."""
    number = layer.tables[0]["protocol"].number(dissection.data, layer.offset)
    return f"PPP {PPP_PROTOCOL_NAMES.get(number, f'0x{number:04x}')}"


def info_pppoe(layer: Layer, dissection: Dissection) -> str:
    """Return the frame's purpose, and the session."""
    code, session = (
        PPPOE[key].number(dissection.data, layer.offset) for key in ("code", "session_id")
    )
    return f"{CODES.get(code, f'Code 0x{code:02x}')}, session 0x{session:04x}"


PROTOCOLS = (
    Protocol(
        name="ppp",
        shown="PPP",
        tables=TABLES[:-1],
        info=info,
        readers=(
            Reader(Numbering.LINK, (LinkType.PPP,), parse, step),
            Reader(Numbering.ETHERTYPE, (EtherType.PPP,), parse, step, is_computed=False),
            Reader(Numbering.PPP_FRAME, (0,), parse, step),
        ),
    ),
    Protocol(
        name="pppoe",
        shown="PPPoE",
        tables=(PPPOE,),
        info=info_pppoe,
        headline={"session_id": "session"},
        readers=(
            Reader(Numbering.ETHERTYPE, (EtherType.PPPOE_SESSION,), parse_session, step_session),
            Reader(
                Numbering.ETHERTYPE, (EtherType.PPPOE_DISCOVERY,), parse_discovery, step_discovery
            ),
        ),
        computed={"payload_length": computed_number.CARRIED},
    ),
)
