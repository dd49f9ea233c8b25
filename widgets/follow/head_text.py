"""The lines above a followed stream, as pieces of text. No drawing.

The *action* of a piece is the method of the controller, with its argument, that a click calls.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.analysis.follow.follower import FollowedStream
from core.analysis.follow.pieces import SIDES, SIGNS
from core.analysis.follow.rows import LineForm
from core.analysis.names.name_table import NO_NAMES, NameTable
from core.wire.model.address_texts import end_text
from widgets.follow.paint import TurnTime
from widgets.lines.cells import width_of
from widgets.lines.pieces import Line, Piece, PieceStyle

EMPTY = "No stream yet. Select a TCP or UDP packet and press F to read what both ends sent."
SEARCHING = "reading …"

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
        return ((Piece(EMPTY, PieceStyle.QUIET),),)
    groups = [list(each) for each in (_forms(form), _sides(side), _times(time), _steps(), _deeds())]
    return (_title(stream, side, names), *_notes(stream), *_packed(groups, width))


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


def _notes(stream: FollowedStream) -> Iterator[Line]:
    for name, count in zip(SIDES, stream.waiting, strict=True):
        if count:
            words = f"{count:,} bytes of the {name} after a gap wait for an acknowledgment"
            yield (Piece(words, PieceStyle.HELD),)


def _forms(form: LineForm) -> Iterator[Piece]:
    for each in LineForm:
        yield _button(each.value, f"display.show_as('{each.value}')", is_chosen=each is form)


def _sides(side: int | None) -> Iterator[Piece]:
    yield _button("both", "display.show_side(-1)", is_chosen=side is None)
    for number, (sign, name) in enumerate(zip(SIGNS, SIDES, strict=True)):
        yield _button(f"{sign} {name}", f"display.show_side({number})", is_chosen=side == number)


def _times(time: TurnTime) -> Iterator[Piece]:
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


def _packed(groups: list[list[Piece]], width: int) -> Iterator[Line]:
    """Yield lines with as many groups of buttons as fit into each."""
    line: list[Piece] = []
    for group in groups:
        longer = [*line, _GAP, *group] if line else group
        if line and sum(width_of(piece.text) for piece in longer) > width:
            yield tuple(line)
            longer = group
        line = longer
    yield tuple(line)


def size_text(count: int) -> str:
    """Return a number of bytes in at most six characters: ``931 B``, ``12.3 kB``."""
    if count < 1000:
        return f"{count} B"
    steps = 1 if count < 999_500 else 2 if count < 999_500_000 else 3
    value, unit = count / 1000**steps, ("kB", "MB", "GB")[steps - 1]
    return f"{value:.3g} {unit}" if value < 99.95 else f"{value:.0f} {unit}"
