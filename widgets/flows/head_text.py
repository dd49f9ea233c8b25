"""The lines above and below the list of flows, as pieces of text. No drawing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from core.analysis.flows.level import Level
from core.analysis.flows.listing import FlowListing, FlowQuestion
from core.wire.model.text import safe
from widgets.flows.columns import duration_text
from widgets.lines.cells import cut, width_of
from widgets.lines.pieces import Line, Piece, PieceStyle
from widgets.status.line import count_text, si

_GAP = Piece("  ", PieceStyle.QUIET)
_TCP_COUNTS = {
    "retransmissions": "retransmitted",
    "zero_windows": "zero windows",
    "resets": "resets",
}


@dataclass(frozen=True, slots=True)
class FlowsState:
    """The answer to the last question, the question of now, and how far the count is.

    `only_shown` is True if packets count that the display filter passes. `progress` is the part of
    the packets that are counted, 0 to 1, None if all are. `first` is the first packet that was
    counted, and `failure` describes an internal error.
    """

    listing: FlowListing
    question: FlowQuestion
    only_shown: bool = False
    progress: float | None = None
    first: int = 1
    failure: str = ""


def head_lines(state: FlowsState, width: int) -> tuple[Line, ...]:
    """Return the choices, each of which a click makes, and a line with the number of flows."""
    question = state.question
    groups = [
        [
            _choice(level.label, f"choose_level('{level.name}')", chosen=level is question.level)
            for level in Level
        ],
        [
            _choice("conversations", "choose_kind(False)", chosen=not question.endpoints),
            _choice("endpoints", "choose_kind(True)", chosen=question.endpoints),
        ],
        [
            _choice("all", "choose_scope(False)", chosen=not state.only_shown),
            _choice("filtered", "choose_scope(True)", chosen=state.only_shown),
        ],
    ]
    return (*_wrapped(groups, width), (Piece(cut(_count(state), width), _count_style(state)),))


def _choice(text: str, action: str, *, chosen: bool) -> Piece:
    """Return a choice; brackets tell which one is chosen, also without colors."""
    if chosen:
        return Piece(f"[{text}]", PieceStyle.BUTTON, action)
    return Piece(f" {text} ", PieceStyle.QUIET, action)


def _wrapped(groups: Iterable[list[Piece]], width: int) -> list[Line]:
    """Return the groups in as few lines as they need."""
    lines: list[list[Piece]] = [[]]
    for group in groups:
        used = sum(width_of(piece.text) for piece in lines[-1])
        needed = sum(width_of(piece.text) for piece in group)
        if lines[-1] and used + width_of(_GAP.text) + needed > width:
            lines.append([])
        elif lines[-1]:
            lines[-1].append(_GAP)
        lines[-1] += group
    return [tuple(line) for line in lines]


def _count_style(state: FlowsState) -> PieceStyle:
    if state.failure:
        return PieceStyle.BAD
    return PieceStyle.HELD if state.listing.other_packets else PieceStyle.QUIET


def _count(state: FlowsState) -> str:
    listing = state.listing
    if state.failure:
        return safe(f" counting failed: {state.failure}")
    kind = "endpoint" if listing.question.endpoints else "conversation"
    shown = f"{len(listing):,}"
    if listing.question.text:
        shown += f" of {listing.total:,}"
    words = f" {shown} {kind}{'s' * (listing.total != 1)} of {count_text(listing.packets)} packets"
    if state.first > 1:
        words += f", from packet {state.first:,} on"
    if state.progress is not None:
        words += f", {int(state.progress * 100)}% counted"
    if listing.other_packets:
        others = count_text(listing.other_packets)
        words += f"; {others} packets of the longest idle ones are not listed anymore"
    return words


def flow_text(listing: FlowListing, row: int | None) -> str:
    """Return one line about a flow: both ends in full, and what to know of it."""
    if row is None:
        return ""
    question = listing.question
    ends = listing.end_text(row)
    if not question.endpoints:
        ends += f" ⇄ {listing.end_text(row, 'b')}"
    sizes = [si(listing.number("bytes", row, way), "B") for way in (0, 1)]
    words = [f"{ends}  {sizes[0]} → · {sizes[1]} ←"]
    if duration := duration_text(listing.duration_ns(row)):
        words.append(f"in {duration}")
    counts = _TCP_COUNTS if question.level is Level.TCP else {}
    for name, label in counts.items():
        sent, received = (listing.number(name, row, way) for way in (0, 1))
        if sent or received:
            words.append(f" {label} {sent:,} → · {received:,} ←")
    return " ".join(words)
