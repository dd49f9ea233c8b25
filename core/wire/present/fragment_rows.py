"""The datagram of a fragment: rows of the detail tree, and keys of the record.

The completing packet lists all fragments, each with its bytes of the datagram. The rows of other
headers that the datagram has follow as those of any packet; their spans count in the datagram.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from core.wire.model.dissection import Dissection
from core.wire.model.field import JsonValue, Span
from core.wire.model.reassembly import FRAGMENT_FIELDS, REASSEMBLED_DATA, FragmentPart, Piece
from core.wire.present.detail_row import Row, Severity

_TITLES = {"ip": "IPv4", "ipv6": "IPv6"}
_COMPLETED = {"ip": "ip.reassembled_in", "ipv6": "ipv6.reassembled.in"}
_FLAWS = {
    "overlaps": "overlaps",
    "conflicts": "with other bytes",
    "is_other_tail": "another last fragment",
    "is_too_long": "passes the end of the datagram",
}


def reassembled_text(dissection: Dissection) -> str:
    """Return `` [Reassembled in #7]`` for a fragment that another packet completes, else ""."""
    piece = dissection.piece
    if piece is None or piece.datagram is not None or not piece.completed_in:
        return ""
    return f" [Reassembled in #{piece.completed_in}]"


def fragment_keys(piece: Piece, number: int) -> Iterator[tuple[str, JsonValue | list[JsonValue]]]:
    """Yield the keys and values of a fragment's record."""
    for field in FRAGMENT_FIELDS.values():
        if field.owner != piece.owner:
            continue
        values: list[JsonValue] = list(field.numbers(piece, number))
        if field.kind == "mark":
            values = [True for _ in values]
        if values:
            yield field.name, values[0] if len(values) == 1 else values
    for name, owner in REASSEMBLED_DATA.items():
        if owner == piece.owner and piece.datagram is not None:
            yield name, piece.datagram.hex()


def fragment_rows(piece: Piece) -> Iterator[Row]:
    """Yield the rows that a network header has because it carries a fragment."""
    owner = piece.owner
    if piece.is_refused:
        words = "it passes the longest datagram, or its datagram has too many fragments"
        key = f"{owner}.fragment.error"
        yield Row(key, "[Not reassembled]", "", words, severity=Severity.WARNING)
    elif piece.parts:
        yield _list_row(piece)
    elif piece.completed_in:
        number = piece.completed_in
        name = _COMPLETED[owner]
        words = "⏎ goes to that packet"
        label, text = "[Reassembled in]", f"#{number}"
        yield Row(name, label, text, words, field=name, raw=number, packet=number)
    else:
        key, words = f"{owner}.reassembling", "fragments are missing"
        yield Row(key, "[Not reassembled yet]", "", words, severity=Severity.NOTE)


def _list_row(piece: Piece) -> Row:
    """Return the row above all fragments of a datagram."""
    owner, length = piece.owner, f"{piece.length} bytes"
    parts = tuple(_part_row(owner, part) for part in piece.parts)
    numbers = (
        (f"{owner}.fragment.count", "[Fragments]", str(len(parts)), len(parts)),
        (f"{owner}.reassembled.length", "[Length of the datagram]", length, piece.length),
    )
    return Row(
        f"{owner}.fragments",
        f"[{len(parts)} {_TITLES[owner]} fragments]",
        length,
        "" if piece.datagram is not None else "their bytes were given up to bound the memory",
        severity=max(row.severity for row in parts),
        children=(
            *parts,
            *(Row(name, label, text, field=name, raw=raw) for name, label, text, raw in numbers),
        ),
    )


def _part_row(owner: str, part: FragmentPart) -> Row:
    flaws = [words for key, words in _FLAWS.items() if getattr(part, key)]
    return Row(
        f"{owner}.fragment#{part.packet}.{part.start}",
        f"[Fragment in #{part.packet}]",
        f"{part.start}–{part.end - 1}",
        ", ".join((f"{part.end - part.start} bytes", *flaws)),
        severity=Severity.WARNING if flaws else Severity.NONE,
        field=f"{owner}.fragment.error" if part.is_wrong else f"{owner}.fragment",
        raw=part.packet,
        packet=part.packet,
    )


def with_datagram_spans(row: Row, piece: Piece) -> Row:
    """Return a row of a packet with a whole datagram, with spans that count where its bytes are.

    Bytes of the datagram count from its start (`Row.in_datagram`), all others in the frame.
    """
    children = tuple(with_datagram_spans(child, piece) for child in row.children)
    span, datagram = row.span, piece.span
    if span is None or span.stop <= datagram.start:
        return replace(row, children=children)
    if span.start >= datagram.stop:
        return replace(row, children=children, span=span.shifted(-piece.growth))
    inside = Span(max(0, span.start - datagram.start), min(span.stop, datagram.stop) - piece.at)
    return replace(row, children=children, span=inside, in_datagram=True)
