"""Draw one row of a followed stream: the sign of its side, and its bytes in a form."""

from __future__ import annotations

from enum import Enum

from rich.segment import Segment

from core.analysis.follow.contents import NO_WAIT, StreamContents
from core.analysis.follow.pieces import SIDES, SIGNS, PieceKind, mark_text
from core.analysis.follow.rows import LineForm, StreamLayout
from core.analysis.follow.texts import line_text, shown_text
from core.store.frame_detail import seconds_text
from core.wire.model.text import ascii_text
from widgets.lines.component_styles import StyleOf

SIGN_CELLS = 2
TIME_CELLS = 13
COMPONENTS = frozenset(
    f"stream-view--{name}" for name in ("client", "server", "offset", "mark", "match", "cursor")
)


class TurnTime(Enum):
    """The time before the first row of each turn. The value names it on the screen.

    `DELTA` is how long the turn was waited for (`TurnClock`), and `ELAPSED` the time since the
    first packet of the stream.
    """

    NONE = ""
    DELTA = "delta"
    ELAPSED = "elapsed"


Row = tuple[int, int, int]  # piece, start, and stop
Match = tuple[int, int]


def turn_text(contents: StreamContents, row: Row, time: TurnTime) -> str:
    """Return the time of the turn that begins with a row, or blanks of the same width."""
    piece, start, _ = row
    wait_ns = int(contents.wait_ns[piece])
    if time is TurnTime.NONE:
        return ""
    if wait_ns == NO_WAIT or start != int(contents.start[piece]):
        return " " * TIME_CELLS
    if time is TurnTime.ELAPSED:
        text = seconds_text(int(contents.elapsed_ns[piece]), 6)
    else:
        text = ("" if wait_ns < 0 else "+") + seconds_text(wait_ns, 6)
    return f"{text[: TIME_CELLS - 1]:>{TIME_CELLS - 1}} "


def paint_row(
    contents: StreamContents,
    layout: StreamLayout,
    row: Row,
    match: Match | None,
    style_of: StyleOf,
) -> list[Segment]:
    """Return the segments of a row. The bytes of a `match` are highlighted."""
    piece, start, stop = row
    side = int(contents.side[piece])
    own = style_of(f"stream-view--{SIDES[side]}")
    sign = Segment(f"{SIGNS[side]} ", own)
    if start == stop:
        kind = PieceKind(contents.kind[piece])
        words = "[no payload]"
        if kind is not PieceKind.DATA:
            words = mark_text(kind, int(contents.amount[piece]))
        return [sign, Segment(words, style_of("stream-view--mark"))]
    data = contents.data[start:stop].tobytes()
    low, high = (0, 0) if match is None else (max(0, each - start) for each in match)
    marked = style_of("stream-view--match")
    if layout.form is LineForm.TEXT:
        return [sign, *_parts(line_text(data), _characters(data, low), _characters(data, high),
                              own, marked)]  # fmt: skip
    digits = data.hex()
    if layout.form is LineForm.RAW:
        return [sign, *_parts(digits, 2 * low, 2 * high, own, marked)]
    position = int(contents.position[piece] + start - contents.start[piece])
    cells = [_hex_cell(at) for at in range(layout.row_bytes)]
    spaced = [" "] * (_hex_cell(layout.row_bytes - 1) + 2)
    for at, cell in enumerate(cells[: len(data)]):
        spaced[cell : cell + 2] = digits[2 * at : 2 * at + 2]
    low, high = min(low, len(data)), min(high, len(data))
    hex_low = cells[low] if low < high else 0
    hex_high = cells[high - 1] + 2 if low < high else 0
    return [
        sign,
        Segment(f"{position:08x}  ", style_of("stream-view--offset")),
        *_parts("".join(spaced), hex_low, hex_high, own, marked),
        Segment("  ", own),
        *_parts(ascii_text(data), low, high, own, marked),
    ]


def _hex_cell(at: int) -> int:
    """Return the cell of a byte in a row, with a wider gap after eight bytes."""
    return 3 * at + (at >= 8)


def _characters(data: bytes, count: int) -> int:
    return len(shown_text(data[:count]))


def _parts(text: str, low: int, high: int, own: object, marked: object) -> list[Segment]:
    parts = ((text[:low], own), (text[low:high], marked), (text[max(low, high) :], own))
    return [Segment(part, style) for part, style in parts if part]  # type: ignore[arg-type]
