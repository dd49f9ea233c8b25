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
_FLAWS = {
    "overlaps": "overlaps another one",
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
    owner, title = piece.owner, _TITLES[piece.owner]
    if piece.is_refused:
        yield Row(
            f"{owner}.fragment.error",
            "[Not reassembled]",
            "",
            "it passes the longest datagram, or its datagram has too many fragments",
            severity=Severity.WARNING,
        )
    elif piece.parts:
        parts = tuple(_part_row(owner, part) for part in piece.parts)
        severity = max(row.severity for row in parts)
        is_kept = piece.datagram is not None
        length = len(piece.datagram) if piece.datagram is not None else piece.parts[-1].end
        yield Row(
            f"{owner}.fragments",
            f"[{len(parts)} {title} fragments]",
            f"{length} bytes",
            "" if is_kept else "the reassembled bytes were given up to bound the memory",
            severity=severity,
            children=(
                *parts,
                Row(f"{owner}.fragment.count", "[Fragments]", str(len(parts)),
                    field=f"{owner}.fragment.count", raw=len(parts)),
                Row(f"{owner}.reassembled.length", "[Length of the datagram]", f"{length} bytes",
                    field=f"{owner}.reassembled.length", raw=length),
            ),
        )  # fmt: skip
    elif piece.completed_in:
        name = "ip.reassembled_in" if owner == "ip" else "ipv6.reassembled.in"
        yield Row(name, "[Reassembled in]", f"#{piece.completed_in}", field=name,
                  raw=piece.completed_in, packet=piece.completed_in)  # fmt: skip
    else:
        yield Row(f"{owner}.reassembling", "[Not reassembled yet]", "", "fragments are missing",
                  severity=Severity.NOTE)  # fmt: skip


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
