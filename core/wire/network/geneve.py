"""Geneve: a tunnel for packets of any EtherType, with options, inside UDP port 6081 (RFC 8926).

Eight bytes, and after them the options, whose total length the header gives in words of four bytes.
An option is a class, a type, and a length in words, which does not count these first four bytes. An
Ethernet frame has the EtherType of transparent Ethernet bridging, as in GRE. An option that is
longer than the rest of them ends their reading; what the tunnel carries begins behind them all the
same.
"""

from __future__ import annotations

from core.wire.model.assigned_numbers import ETHERTYPE_NAMES, GENEVE_PORT
from core.wire.model.dissection import Dissection, Layer, Option, OptionValue
from core.wire.model.field import Field, Flag, Span
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Next, Numbering, Walk
from core.wire.protocol import HeaderLength, Protocol, Reader

OPTION_NAME = "geneve.option"
WORD = 4  # bytes

GENEVE = HeaderTable(
    "geneve",
    "Generic network virtualization encapsulation",
    "RFC 8926 §3.4",
    Field("version", 2, "Version"),
    Field("option.length", 6, "Length of the options", unit=4, suffix="bytes"),
    Field(
        "flags",
        8,
        "Flags",
        base=16,
        parts=(
            Flag("oam", "Control packet"),
            Flag("critical", "Critical options present"),
            Field("reserved", 6, "Reserved"),
        ),
    ),
    Field("proto_type", 16, "Protocol", base=16, values=ETHERTYPE_NAMES),
    Field("vni", 24, "Network identifier"),
    Field("reserved", 8, "Reserved", base=16),
)
OPTION = HeaderTable(
    OPTION_NAME,
    "Geneve option",
    "RFC 8926 §3.5",
    Field("class", 16, "Class", base=16),
    Field(
        "type",
        8,
        "Type",
        base=16,
        parts=(Flag("critical", "Critical"), Field("number", 7, "Number")),
    ),
    Field("flags", 3, "Flags", base=16, parts=(Field("reserved", 3, "Reserved"),)),
    Field("words", 5, "Length of the data in words"),
)


def read_options(data: bytes, start: int, stop: int) -> tuple[Option, ...]:
    """Return the options in ``data[start:stop]``, which is wholly captured."""
    found: list[Option] = []
    while start < stop:
        label = f"Option of class 0x{OPTION['class'].number(data, start):04x}"
        kind = OPTION["type"].number(data, start)
        end = start + OPTION.size + WORD * OPTION["words"].number(data, start)
        if end > stop:
            problem = f"length {end - start} goes past the {stop - start} bytes left"
            place = Span(start, stop)
            found.append(Option(f"{OPTION_NAME}.invalid", label, kind, place, problem=problem))
            break
        values = tuple(
            OptionValue(slot, slot.read(data, start), slot.span.shifted(start))
            for slot in OPTION.slots
        )
        found.append(Option(OPTION_NAME, label, kind, Span(start, end), values))
        start = end
    return tuple(found)


def parse(walk: Walk, offset: int) -> Next | None:
    """Read the header with its options; an EtherType names the next header."""
    if not walk.begin(GENEVE, offset):
        return None
    data, begin = walk.data, offset + GENEVE.size
    size = GENEVE.size + GENEVE["option.length"].number(data, offset)
    if not walk.has(GENEVE.name, offset, size):
        walk.add((GENEVE,), offset)
        return None
    options = read_options(data, begin, offset + size)
    span = Span(begin, offset + size) if size > GENEVE.size else None
    walk.add((GENEVE,), offset, size, options=options, options_span=span)
    return Next(Numbering.ETHERTYPE, GENEVE["proto_type"].number(data, offset), offset + size)


def info(layer: Layer, dissection: Dissection) -> str:
    """Return the network identifier."""
    return f"Geneve network {layer.number(dissection.data, 'vni')}"


PROTOCOLS = (
    Protocol(
        name="geneve",
        shown="Geneve",
        tables=(GENEVE, OPTION),
        info=info,
        headline={"vni": "network"},
        has_options_field=True,
        length=HeaderLength(("option.length",), lambda length: GENEVE.size + length),
        readers=(Reader(Numbering.UDP_PORT, (GENEVE_PORT,), parse),),
        is_listed=True,
    ),
)
