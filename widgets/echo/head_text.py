"""The lines above the clients in the echo panel, as pieces of text. No drawing.

Blocks have ranks, like the parts of the status bar: where the panel is low, the least important
ones are dropped first. A piece may carry an *action* of the keymap, which a click on it runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

import numpy as np

from core.echo.options import Switches, Trigger, budget_text
from core.echo.snapshot import EchoSnapshot, ListenerInfo
from core.net.loop_counters import LoopCounters
from core.wire.model.text import safe
from widgets.echo.columns import Condition, conditions, span_text
from widgets.lines.cells import width_of
from widgets.lines.pieces import Line, Piece, PieceStyle
from widgets.status.line import count_text

LISTENERS_MOST = 4  # lines
CURRENT = "▸"

EMPTY = (
    "No listener yet. b starts a level- and an edge-triggered one, and a built-in client sends "
    "64 bytes to each; a starts one with a port, address, and trigger of your choice."
)


_DOT = Piece(" · ", PieceStyle.QUIET)
_INDENT = Piece("  ", PieceStyle.QUIET)
_EXACT_S = 100  # shorter times have tenths


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that are shown or dropped together: the highest rank first, rank 0 never."""

    rank: int
    lines: tuple[Line, ...]


def head_lines(
    snapshot: EchoSnapshot, current: int | None, width: int, room: int, hint: str = ""
) -> tuple[Line, ...]:
    """Return the lines that fit into `room` lines of `width` cells.

    `current` is the listener that keys act on, `hint` a sentence about a restriction.
    """
    blocks = head_blocks(snapshot, current, width)
    if hint:
        blocks.append(Block(6, _wrapped(hint, width, PieceStyle.HELD, indent="  ")))
    while sum(len(block.lines) for block in blocks) > room:
        last = max(blocks, key=lambda block: block.rank)
        if not last.rank:
            break
        blocks.remove(last)
    return tuple(line for block in blocks for line in block.lines)


def head_blocks(snapshot: EchoSnapshot, current: int | None, width: int) -> list[Block]:
    """Return all blocks, from top to bottom."""
    blocks = []
    if snapshot.message:
        blocks.append(Block(0, _wrapped(f"✗ {safe(snapshot.message)}", width, PieceStyle.BAD)))
    if not snapshot.listeners and not len(snapshot.clients):
        blocks.append(Block(0, _wrapped(EMPTY, width)))
        return blocks
    info = next((each for each in snapshot.listeners if each.identifier == current), None)
    shown = _around(snapshot.listeners, info)
    if info is not None:
        blocks.append(Block(1, (_listener_line(snapshot, info, current),)))
        if len(shown) > 1:
            every = tuple(_listener_line(snapshot, each, current) for each in shown)
            if hidden := len(snapshot.listeners) - len(shown):
                more = Piece(f"  {hidden} more: v", PieceStyle.QUIET)
                every = (*every[:-1], (*every[-1], more))
            blocks[-1] = Block(0, every)
    blocks.append(Block(2, (_switch_line(snapshot.switches),)))
    trigger = info.trigger if info is not None else Trigger.LEVEL
    effect = f"{trigger.value}: {snapshot.switches.effect(trigger)}"
    blocks.append(Block(4, _wrapped(effect, width, indent="  ")))
    blocks.append(Block(3, (_clients_line(snapshot, width),)))
    whole = _loop_counts(snapshot.loop) + [(_DOT, *part) for part in _loop_times(snapshot.loop)]
    if sum(_width(part) for part in whole) <= width:
        blocks.append(Block(5, (_fitting(whole, width),)))
    else:
        blocks.append(Block(5, (_fitting(_loop_counts(snapshot.loop), width),)))
        first, *others = _loop_times(snapshot.loop)
        times = [(_INDENT, *first), *((_DOT, *part) for part in others)]
        blocks.append(Block(7, (_fitting(times, width),)))
    return blocks


def _wrapped(
    text: str, width: int, style: PieceStyle = PieceStyle.PLAIN, indent: str = ""
) -> tuple[Line, ...]:
    room = max(1, width - len(indent))
    lines = wrap(text, room, break_on_hyphens=False)
    return tuple((Piece(f"{indent}{line}", style),) for line in lines)


def _around(
    listeners: Sequence[ListenerInfo], current: ListenerInfo | None
) -> Sequence[ListenerInfo]:
    """Return at most `LISTENERS_MOST` listeners, the current one among them."""
    if current is None:
        return listeners[:LISTENERS_MOST]
    last = max(LISTENERS_MOST, listeners.index(current) + 1)
    return listeners[last - LISTENERS_MOST : last]


def _listener_line(snapshot: EchoSnapshot, info: ListenerInfo, current: int | None) -> Line:
    here = info.identifier == current
    pick = f"pick_listener({info.identifier})"
    now_open = int(np.count_nonzero(snapshot.clients.listener == info.identifier))
    return (
        Piece(f"{CURRENT if here else ' '} ", PieceStyle.STRONG, pick),
        Piece(f"{info.name:<15}", PieceStyle.STRONG if here else PieceStyle.PLAIN, pick),
        Piece(f"  {info.trigger.value:<5}", PieceStyle.STRONG if here else PieceStyle.PLAIN, pick),
        Piece(f"  {now_open:,} open of {info.accepted:,}", PieceStyle.QUIET, pick),
        Piece("  "),
        Piece("send", PieceStyle.BUTTON, f"talk({info.identifier})"),
        Piece("  "),
        Piece("stop", PieceStyle.BUTTON, f"stop_listener({info.identifier})"),
    )


def drain_text(switches: Switches) -> str:
    """Return the rule when a wake-up stops reading."""
    return "as needed" if switches.drain is None else switches.drain.value


def _switch_line(switches: Switches) -> Line:
    return (
        Piece("  a read takes ", PieceStyle.QUIET),
        Piece(" − ", PieceStyle.BUTTON, "budget(-1)"),
        Piece(f" {budget_text(switches.read_budget)} ", PieceStyle.STRONG),
        Piece(" + ", PieceStyle.BUTTON, "budget(1)"),
        Piece("  a wake-up reads ", PieceStyle.QUIET),
        Piece(drain_text(switches), PieceStyle.BUTTON, "drain"),
    )


CONDITION_STYLES = {Condition.STALLED: PieceStyle.BAD, Condition.BACKED_UP: PieceStyle.HELD}


def _clients_line(snapshot: EchoSnapshot, width: int) -> Line:
    totals = snapshot.totals
    counts = np.bincount(conditions(snapshot.clients), minlength=len(Condition))
    parts: list[Line] = [(Piece(f"  clients {len(snapshot.clients):,}", PieceStyle.STRONG),)]
    parts.append((Piece(f" of {totals.accepted:,}", PieceStyle.QUIET),))
    for condition in reversed(Condition):
        number = int(counts[condition])
        if number and condition is not Condition.OPEN:
            style = CONDITION_STYLES.get(condition, PieceStyle.PLAIN)
            parts.append((_DOT, Piece(f"{number:,} {condition.word}", style)))
    if totals.turned_away:
        words = f"{totals.turned_away:,} turned away: out of descriptors or epoll watches"
        parts.append((_DOT, Piece(words, PieceStyle.BAD)))
    if totals.aborted:
        parts.append((_DOT, Piece(f"{totals.aborted:,} gone before accept")))
    gone = [f"{count:,} {reason.value}" for reason, count in totals.closed.items() if count]
    parts.append((_DOT, Piece(f"in {count_text(totals.bytes_in)}", PieceStyle.QUIET)))
    parts.append((_DOT, Piece(f"out {count_text(totals.bytes_out)} bytes", PieceStyle.QUIET)))
    if totals.urgent:
        parts.append((_DOT, Piece(f"{count_text(totals.urgent)} urgent", PieceStyle.QUIET)))
    if gone:
        parts.append((_DOT, Piece(f"gone: {', '.join(gone)}", PieceStyle.QUIET)))
    return _fitting(parts, width)


def _fitting(parts: Sequence[Line], width: int) -> Line:
    """Return as many whole parts as fit, from the first on."""
    fitting: list[Piece] = []
    for part in parts:
        width -= _width(part)
        if width < 0:
            break
        fitting += part
    return tuple(fitting)


def _width(part: Line) -> int:
    return sum(width_of(piece.text) for piece in part)


def _loop_counts(loop: LoopCounters) -> list[Line]:
    """Return the loop's counters since the program started; capture and echo share the loop."""
    each = loop.events / loop.wake_ups if loop.wake_ups else 0.0
    return [
        (Piece(f"  loop {count_text(loop.waits)} waits", PieceStyle.QUIET),),
        (_DOT, Piece(f"{count_text(loop.wake_ups)} wake-ups", PieceStyle.QUIET)),
        (_DOT, Piece(f"{each:.2f} events each", PieceStyle.QUIET)),
    ]


def _loop_times(loop: LoopCounters) -> list[Line]:
    """Return how long the loop waited, for events or the interpreter's lock, and ran handlers."""
    whole = loop.kernel_s + loop.handlers_s
    waiting = round(100 * loop.kernel_s / whole) if whole else 100
    return [
        (Piece(f"{waiting}% waiting {_time_text(loop.kernel_s)}", PieceStyle.QUIET),),
        (Piece(f"{100 - waiting}% in handlers {_time_text(loop.handlers_s)}", PieceStyle.QUIET),),
        (Piece(f"{count_text(loop.stale)} stale", PieceStyle.QUIET),),
    ]


def _time_text(seconds: float) -> str:
    """Return ``12.4 s`` or ``35 min``."""
    return f"{seconds:.1f} s" if seconds < _EXACT_S else span_text(seconds)
