"""The look of one row of the forge form, and which cell of it means what.

::

    ▾ IPv4
      • Time to live        300▏                  ✗ 300: time to live is 0–255
        Header checksum     0x7cca                              (grayed: computed)
      • Don't fragment      [x]

A dot marks what the user typed; a cross and a sentence mark an error. So no row needs its color to
be understood.
"""

from __future__ import annotations

from dataclasses import dataclass

from rich.segment import Segment

from core.wire.model.text import safe
from widgets.forge.rows import LAYERS, FormRow, RowKind
from widgets.lines.cells import cut, left, width_of
from widgets.lines.component_styles import StyleOf
from widgets.lines.line_editor import LineEditor

OPEN, CLOSED, TYPED, WRONG = "▾ ", "▸ ", "• ", "✗ "
LESS, MORE = " ‹", "› "
INDENT = 2  # cells per level
MARGIN = 2  # cells before the dot or cross
LABEL_LEAST, LABEL_MOST = 10, 32
VALUE_LEAST = 18  # cells that a value keeps beside its meaning
GAP = 2
FLAG_WIDTH = 3  # cells of ``[x]``
COMPONENTS = frozenset(
    f"forge-form--{name}"
    for name in (
        "heading", "label", "button", "typed", "open", "error", "meaning", "chosen", "choice",
        "edit", "cursor", "selected",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FormLayout:
    """The columns of the form.

    `value` is the cell where values begin, `width` that of the whole line.
    """

    value: int
    width: int

    @property
    def room(self) -> int:
        """Cells from the value to the end."""
        return max(1, self.width - self.value)


def form_layout(rows: tuple[FormRow, ...], width: int) -> FormLayout:
    """Return a layout with room for the longest label, but most of the line for the values."""
    labeled = (row for row in rows if row.kind not in (RowKind.HEADING, RowKind.BUTTON))
    longest = max(map(_label_width, labeled), default=0)
    most = max(LABEL_LEAST, min(LABEL_MOST, int(width * 0.4)))
    return FormLayout(min(longest, most) + 1, width)


def _label_width(row: FormRow) -> int:
    return MARGIN + len(TYPED) + row.level * INDENT + width_of(row.label)


@dataclass(frozen=True, slots=True)
class ShownChoice:
    """A choice on the screen: cells `start` to before `stop`, counted from the value.

    An arrow stands for the nearest choice that has no room.
    """

    index: int
    text: str
    start: int
    stop: int


def choices_shown(row: FormRow, room: int) -> list[ShownChoice]:
    """Return all choices side by side.

    If they do not fit, return as many around the chosen one as fit, and arrows to the others.
    """
    texts = [f" {choice} " for choice in row.choices]
    first, last = 0, len(texts)
    while last - first > 1 and _room_taken(texts, first, last) > room:
        if row.chosen - first > last - 1 - row.chosen:
            first += 1
        else:
            last -= 1
    shown = [(index, texts[index]) for index in range(first, last)]
    if first:
        shown.insert(0, (first - 1, LESS))
    if last < len(texts):
        shown.append((last, MORE))
    found, cell = [], 0
    for index, words in shown:
        text = cut(words, room)
        found.append(ShownChoice(index, text, cell, cell + width_of(text)))
        cell += width_of(text)
    return found


def _room_taken(texts: list[str], first: int, last: int) -> int:
    """Return the cells of the choices `first` to before `last`, with the arrows beside them."""
    arrows = (first > 0) + (last < len(texts))
    return sum(map(width_of, texts[first:last])) + arrows * width_of(MORE)


def text_window(text: str, cursor: int, room: int) -> int:
    """Return the first visible character of a text, such that its cursor is visible."""
    return max(0, cursor - room + 1) if len(text) >= room else 0


def paint_form_row(
    row: FormRow, layout: FormLayout, style_of: StyleOf, editor: LineEditor | None, *, focused: bool
) -> list[Segment]:
    """Return the pieces of one line.

    `editor` is given for the selected row; `focused` says that keys go to the form.
    """
    if row.kind is RowKind.HEADING:
        return _heading(row, style_of, editor is not None)
    if row.kind is RowKind.BUTTON:
        look = "selected" if editor is not None else "button"
        before = Segment(" " * MARGIN, style_of("forge-form--label"))
        return [before, Segment(_button_text(row, layout), style_of(f"forge-form--{look}"))]
    sign = WRONG if row.error else TYPED if row.text and row.key != LAYERS else "  "
    label = " " * (MARGIN + row.level * INDENT) + sign + row.label
    look = "error" if row.error else "selected" if editor is not None else "label"
    start = left(label, layout.value - 1) + " "
    segments = [Segment(start, style_of(f"forge-form--{look}"))]
    if row.kind is RowKind.CHOICE:
        return segments + _choices(row, layout, style_of, focused and editor is not None)
    if editor is not None and focused:
        return segments + _edited(row, layout, style_of, editor)
    return segments + _value(row, layout, style_of)


def _button_text(row: FormRow, layout: FormLayout) -> str:
    return cut(f"[ {row.label} ]", max(1, layout.width - MARGIN))


def is_on_button_text(row: FormRow, layout: FormLayout, cell: int) -> bool:
    """Return True if this cell of a button's row is on the button."""
    return 0 <= cell - MARGIN < width_of(_button_text(row, layout))


def _heading(row: FormRow, style_of: StyleOf, selected: bool) -> list[Segment]:
    look = "selected" if selected else "heading"
    style = style_of(f"forge-form--{look}")
    segments = [Segment((OPEN if row.is_open else CLOSED) + row.label, style)]
    if row.errors:
        noun = "error" if row.errors == 1 else "errors"
        segments.append(Segment(f"  {WRONG}{row.errors} {noun}", style_of("forge-form--error")))
    return segments


def _choices(row: FormRow, layout: FormLayout, style_of: StyleOf, focused: bool) -> list[Segment]:
    found = []
    for choice in choices_shown(row, layout.room):
        chosen = choice.index == row.chosen
        look = ("edit" if focused else "chosen") if chosen else "choice"
        text = f"[{choice.text[1:-1]}]" if chosen else choice.text
        found.append(Segment(text, style_of(f"forge-form--{look}")))
    return found


def _flag_box(row: FormRow) -> str:
    return "[x]" if row.is_set else "[ ]"


def _value(row: FormRow, layout: FormLayout, style_of: StyleOf) -> list[Segment]:
    """Return the pieces of a value that is not being edited, and of its meaning."""
    text = safe(row.text) if row.text else safe(row.shown)
    if row.kind is RowKind.FLAG and not row.error:
        text = _flag_box(row)
    look = "error" if row.error else "typed" if row.text else "open"
    beside = f"{WRONG}{safe(row.error)}" if row.error else safe(row.meaning)
    if row.meaning == row.shown and not row.text:
        beside = ""
    if beside:
        room = max(VALUE_LEAST, min(layout.room - GAP, width_of(text)))
        text = left(text, min(room, layout.room))
    segments = [Segment(cut(text, layout.room), style_of(f"forge-form--{look}"))]
    room = layout.room - width_of(text) - GAP
    if beside and room > 3:
        look = "error" if row.error else "meaning"
        segments.append(Segment(" " * GAP + cut(beside, room), style_of(f"forge-form--{look}")))
    return segments


def _edited(
    row: FormRow, layout: FormLayout, style_of: StyleOf, editor: LineEditor
) -> list[Segment]:
    """Return the pieces of the edited value: the text with its cursor.

    While there is no text, the value that counts is shown.
    """
    edit, cursor = style_of("forge-form--edit"), style_of("forge-form--cursor")
    room = layout.room
    first = text_window(editor.text, editor.cursor, room)
    text = safe(editor.text)
    if len(text) != len(editor.text):  # an escaped character takes several cells
        text = "".join(safe(character)[:1] for character in editor.text)
    if row.kind is RowKind.FLAG and not row.error:
        box = _flag_box(row)
        segments = [Segment(box[0], edit), Segment(box[1], cursor), Segment(box[2], edit)]
        return [*segments, Segment(" " * max(0, room - len(box)), edit)]
    if not editor.text:
        shown = safe(row.shown)
        return [
            Segment(shown[:1] or " ", cursor),
            Segment(left(shown[1:], room - 1), style_of("forge-form--open") + edit),
        ]
    at = editor.cursor - first
    shown = text[first : first + room]
    segments = [
        Segment(shown[:at], cursor if editor.selected else edit),
        Segment(shown[at : at + 1] or " ", edit if editor.selected else cursor),
        Segment(shown[at + 1 :], edit),
    ]
    used = sum(width_of(segment.text) for segment in segments)
    beside = "" if row.error else safe(row.meaning)
    if beside and room - used > GAP + 3:
        meaning = cut(" " * GAP + beside, room - used)
        segments.append(Segment(meaning, style_of("forge-form--meaning") + edit))
        used += width_of(meaning)
    return [*segments, Segment(" " * max(0, room - used), edit)]
