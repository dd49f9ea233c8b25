"""Draw one line of the detail tree: arrow, label, value, meaning."""

from __future__ import annotations

from rich.segment import Segment

from core.wire.model.text import safe
from core.wire.present.detail_row import Severity
from widgets.detail.tree import TreeLine, worst
from widgets.lines.cells import left, width_of
from widgets.lines.component_styles import StyleOf

OPEN, CLOSED, LEAF = "▾ ", "▸ ", "  "
INDENT = 2  # cells per level
LABEL_SHORTEST = 4  # however deep the line is
VALUE_WIDTH = 18  # meanings are aligned behind values up to this width
SIGNS = {Severity.NOTE: "·", Severity.WARNING: "!", Severity.ERROR: "✗"}
COMPONENTS = frozenset(
    f"packet-detail--{name}"
    for name in (
        ["arrow", "cursor", "error", "label", "layer", "meaning", "note", "value", "warning"]
    )
)


def arrow_cells(line: TreeLine) -> range:
    """Return the cells of the arrow, where a press opens or closes the row."""
    start = line.level * INDENT
    return range(start, start + len(OPEN)) if line.row.children else range(0)


def label_width(line: TreeLine) -> int:
    """Return the cells before the value if the label is not cut."""
    return line.level * INDENT + len(LEAF) + width_of(safe(line.row.label)) + 1


def paint_tree_line(
    line: TreeLine, value_start: int, room: int, style_of: StyleOf, *, is_open: bool
) -> list[Segment]:
    """Return the segments of a line. Values begin in cell `value_start`, except for layers.

    Meanings begin behind `VALUE_WIDTH` cells of value if `room` cells can hold them there. An
    outermost layer, and a closed row that hides a worse flaw than its own, end with a sign.
    """
    row = line.row
    arrow = (OPEN if is_open else CLOSED) if row.children else LEAF
    indent = " " * (line.level * INDENT) + arrow
    label, value, meaning = safe(row.label), safe(row.value), safe(row.meaning)
    segments = [Segment(indent, style_of("packet-detail--arrow"))]
    if row.is_layer:
        text = "  ".join(part for part in (label, value, meaning) if part)
        segments.append(Segment(text, style_of(_component(row.severity, "layer"))))
    else:
        label_room = max(LABEL_SHORTEST, value_start - len(indent) - 1)
        segments.append(Segment(left(label, label_room) + " ", style_of("packet-detail--label")))
        if meaning:
            fits = value_start + VALUE_WIDTH + 2 + width_of(meaning) <= room
            value = left(value, max(VALUE_WIDTH if fits else 0, width_of(value))) + "  "
        segments.append(Segment(value, style_of(_component(row.severity, "value"))))
        segments.append(Segment(meaning, style_of(_component(row.severity, "meaning"))))
    flaw = worst(row)
    if flaw in SIGNS and (
        (row.is_layer and not line.level) or (flaw > row.severity and not is_open)
    ):
        segments.append(Segment(f"  {SIGNS[flaw]}", style_of(_component(flaw, "value"))))
    return segments


def _component(severity: Severity, plain: str) -> str:
    return f"packet-detail--{severity.name.lower() if severity in SIGNS else plain}"
