"""The texts and bytes that the stream panel offers to save and to copy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual.widget import Widget

from app.clipboard import NOTICE_S
from core.analysis.follow.follower import FollowedStream
from core.analysis.follow.forms import FORMS
from core.analysis.follow.pieces import SIDES, SIGNS
from core.wire.model.text import safe

if TYPE_CHECKING:
    from app.screens.dialogs.filter_menu import FilterChoice

MOST_COPIED = 1 << 20  # bytes of a stream; more can be saved
_NAMES = (*(f"{sign} {name}" for sign, name in zip(SIGNS, SIDES, strict=True)), "both")


def raw_bytes(stream: FollowedStream, side: int | None) -> bytes:
    """Return the bytes of one side, or of both."""
    return stream.contents.bytes_of(side)


def formed_text(stream: FollowedStream, side: int | None, form: str) -> str:
    """Return the lines of one side, or of both, in a form of ``rawscope follow``."""
    made = FORMS[form](stream, stream.number or 0)

    def lines() -> Iterator[str]:
        yield from made.begin()
        for piece in stream.contents.pieces(side):
            yield from made.piece(piece)
        yield from made.end()

    return "\n".join(lines())


def copy_choices(stream: FollowedStream, line: str) -> list[tuple[str, str]]:
    """Return ``(name, text)`` of what can be copied: a line, and sides that are not too long."""
    found = [("Line", line)] if line else []
    totals = stream.contents.totals
    for side, count in ((None, sum(totals)), (0, totals[0]), (1, totals[1])):
        if 0 < count <= MOST_COPIED:
            name = _NAMES[-1 if side is None else side]
            found.append((f"Text, {name}", formed_text(stream, side, "text")))
            if side is not None:
                found.append((f"Bytes in hex, {name}", raw_bytes(stream, side).hex()))
    return found


def save_choices(widget: Widget, stream: FollowedStream) -> list[FilterChoice | None]:
    """Return what can be saved, each with the dialog that asks for a name."""
    from app.screens.dialogs.filter_menu import FilterChoice

    def choice(key: str, words: str, name: str, make: Callable[[], bytes]) -> FilterChoice:
        return FilterChoice(key, words, "", run=partial(_ask, widget, name, make))

    base = f"{stream.protocol}-stream-{stream.number}"
    found: list[FilterChoice | None] = []
    for key, side, name in (("b", None, "both sides"), ("c", 0, _NAMES[0]), ("s", 1, _NAMES[1])):
        short = re.sub("[^a-z]+", "", name.split()[-1] if side is not None else "both")
        make = partial(raw_bytes, stream, side)
        found.append(choice(key, f"Raw bytes, {name}", f"{base}-{short}.bin", make))
    found.append(None)
    for key, form in (("t", "text"), ("h", "hex")):
        make_text = partial(_encoded, stream, form)
        words = "Text" if form == "text" else "Hex dump"
        found.append(choice(key, f"{words}, both sides", f"{base}-{form}.txt", make_text))
    return found


def _encoded(stream: FollowedStream, form: str) -> bytes:
    return (formed_text(stream, None, form) + "\n").encode()


def _ask(widget: Widget, name: str, make: Callable[[], bytes]) -> None:
    """Ask for the name of a file, and save bytes to it."""
    from app.screens.dialogs.save_text import SaveText

    app = widget.app

    def saved(path: Path | None) -> None:
        if path is not None:
            app.notify(f"Saved to {safe(str(path))}", timeout=NOTICE_S, markup=False)

    app.push_screen(SaveText(name, make), saved)
