"""The lines above a followed stream, as pieces of text. No drawing.

The *action* of a piece is the method of the controller, with its argument, that a click calls.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from core.analysis.follow.follower import FollowedStream
from core.analysis.follow.pieces import SIDES, SIGNS
from core.analysis.follow.rows import LineForm
from core.analysis.names.name_table import NO_NAMES, NameTable
from core.wire.model.address_texts import end_text
from widgets.follow.paint import TurnTime
from widgets.lines.cells import cut, width_of
from widgets.lines.pieces import Line, Piece, PieceStyle

EMPTY = "No stream yet. Select a TCP or UDP packet and press F to read what both ends sent."
SEARCHING = "reading …"
NO_DATA = "no data was sent"

_GAP = Piece("  ", PieceStyle.QUIET)
_SIDE_STYLES = (PieceStyle.CLIENT, PieceStyle.SERVER)


def head_lines(
    stream: FollowedStream | None,
    form: LineForm,
    side: int | None,
    time: TurnTime,
    width: int,
    names: NameTable = NO_NAMES,
) -> tuple[Line, ...]:
    """Return the lines above a stream, or above an empty panel.

    They have the form of the stream, its `side` (None for both), and the time before turns.
    `names` replace the addresses of the ends.
    """
    if stream is None:
        return tuple(_sentence(EMPTY, PieceStyle.QUIET, width))
    title = ([piece] for piece in _title(stream, side, names))
    groups = [list(each) for each in (_forms(form), _sides(side), _times(time), _steps(), _deeds())]
    return (
        *_packed(title, width, gap=()),
        *_notes(stream, side, width),
        *_packed(groups, width),
    )


def _title(stream: FollowedStream, side: int | None, names: NameTable) -> Line:
    if stream.number is None:
        return (Piece(SEARCHING, PieceStyle.QUIET),)
    pieces = [Piece(f"{stream.protocol.upper()} {stream.number}  ", PieceStyle.STRONG)]
    if side is not None:
        pieces.append(Piece(f"{SIDES[1 - side]} hidden  ", PieceStyle.HELD))
    if stream.packets:
        for number, (address, port) in enumerate(stream.ends):
            end = end_text(names.shown(address), port)
            size = size_text(stream.contents.totals[number])
            pieces.append(Piece(f"{SIGNS[number]} {end} {size}  ", _SIDE_STYLES[number]))
        noun = "packet" if stream.packets == 1 else "packets"
        pieces.append(Piece(f"{stream.packets:,} {noun}", PieceStyle.QUIET))
    else:
        pieces.append(Piece("no packet of this stream is in memory", PieceStyle.QUIET))
    return tuple(pieces)


def _notes(stream: FollowedStream, side: int | None, width: int) -> Iterator[Line]:
    contents = stream.contents
    if stream.packets and not any(stream.waiting) and not len(contents):
        yield from _sentence(NO_DATA, PieceStyle.QUIET, width)
    elif side is not None and not contents.totals[side] and not stream.waiting[side]:
        words = f"no data of the {SIDES[side]} is in the capture"
        yield from _sentence(words, PieceStyle.QUIET, width)
    for name, count in zip(SIDES, stream.waiting, strict=True):
        if count:
            words = f"{count:,} bytes of the {name} after a gap wait for an acknowledgment"
            yield from _sentence(words, PieceStyle.HELD, width)


def _sentence(words: str, style: PieceStyle, width: int) -> Iterator[Line]:
    for line in textwrap.wrap(words, max(1, width)):
        yield (Piece(line, style),)


def _forms(form: LineForm) -> Iterator[Piece]:
    for each in LineForm:
        yield _button(each.value, f"display.show_as('{each.value}')", is_chosen=each is form)


def _sides(side: int | None) -> Iterator[Piece]:
    yield _button("both", "display.show_side(-1)", is_chosen=side is None)
    for number, (sign, name) in enumerate(zip(SIGNS, SIDES, strict=True)):
        yield _button(f"{sign} {name}", f"display.show_side({number})", is_chosen=side == number)


def _times(time: TurnTime) -> Iterator[Piece]:
    yield Piece(" t", PieceStyle.QUIET, "display.change_time()")  # the key bar may have no room
    for each in (TurnTime.DELTA, TurnTime.ELAPSED):
        is_chosen = time is each
        action = f"display.show_time('{TurnTime.NONE.name if is_chosen else each.name}')"
        yield _button(each.value, action, is_chosen=is_chosen)


def _steps() -> Iterator[Piece]:
    yield _button("previous", "step(-1)")
    yield _button("next", "step(1)")


def _deeds() -> Iterator[Piece]:
    yield _button("only", "filter_for('REPLACE')")
    yield _button("hide", "filter_for('AND_NOT')")
    yield _button("search", "finder.open()")
    yield _button("save", "save()")


def _button(text: str, action: str, *, is_chosen: bool = False) -> Piece:
    return (
        Piece(f"[{text}]", PieceStyle.BUTTON, action)
        if is_chosen
        else Piece(f" {text} ", PieceStyle.QUIET, action)
    )


def _packed(groups: Iterable[list[Piece]], width: int, gap: Line = (_GAP,)) -> Iterator[Line]:
    """Yield lines with as many groups of pieces as fit into each, without their last spaces.

    A line of one group that does not fit ends with ``…``.
    """
    line: list[Piece] = []
    for group in groups:
        longer = [*line, *gap, *group] if line else group
        if line and _cells(longer) > width:
            yield _cut(line, width)
            longer = group
        line = longer
    yield _cut(line, width)


def _cells(line: Sequence[Piece]) -> int:
    """Return the width of pieces, without the spaces at their end."""
    return width_of("".join(piece.text for piece in line).rstrip())


def _cut(line: Sequence[Piece], width: int) -> Line:
    """Return pieces as one line; one that does not fit ends with ``…``."""
    if _cells(line) <= width:
        return tuple(line)
    fitting: list[Piece] = []
    for piece in line:
        room = width - sum(width_of(each.text) for each in fitting)
        fitting.append(replace(piece, text=cut(piece.text, room)))
        if width_of(piece.text) > room:
            break
    return tuple(fitting)


def size_text(count: int) -> str:
    """Return a number of bytes in at most six characters: ``931 B``, ``12.3 kB``."""
    if count < 1000:
        return f"{count} B"
    steps = 1 if count < 999_500 else 2 if count < 999_500_000 else 3
    value, unit = count / 1000**steps, ("kB", "MB", "GB")[steps - 1]
    return f"{value:.3g} {unit}" if value < 99.95 else f"{value:.0f} {unit}"
