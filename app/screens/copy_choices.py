"""What `y` offers to copy: the row, the field, the bytes; what has the focus comes first."""

from __future__ import annotations

from core.forge.compose.evaluation import Evaluation
from core.forge.export.rawscope import ONCE
from core.forge.export.recipes import recipes
from core.forge.values import SendPlan
from core.wire.model.field import Span
from core.wire.present.detail import Row
from widgets.packets.row import PacketRow


def choices(
    panel: str, row: PacketRow, data: bytes, field: Row | None, span: Span | None
) -> list[tuple[str, str]]:
    """``(what it is, text)``, the likeliest for the focused `panel` first.

    `field` is the selected row of the detail tree, `span` the bytes that it or the person
    selected.
    """
    of_table = [("Row", row_text(row))]
    of_detail = []
    if field is not None:
        of_detail.append(("Field", f"{field.label}: {field.value} {field.meaning}".strip()))
        of_detail.append(("Value", field.value))
    of_hex = []
    if span is not None:
        of_hex.append(("Selected bytes", data[span.start : span.stop].hex()))
    whole = [("All bytes", data.hex())]
    order = {
        "echo": of_table + of_detail + of_hex + whole,
        "packets": of_table + of_detail + of_hex + whole,
        "detail": of_detail + of_hex + of_table + whole,
        "hex": of_hex + whole + of_detail + of_table,
    }[panel]
    return [(name, text) for name, text in order if text]


def recipe_choices(
    evaluation: Evaluation, interface: str, plan: SendPlan = ONCE
) -> list[tuple[str, str]]:
    """A packet as what can be pasted elsewhere; what a tool leaves out is said behind it."""
    return [
        (one.name, f"{one.text}  # without {one.missing}" if one.missing else one.text)
        for one in recipes(evaluation, interface, plan)
        if one.text
    ]


def row_text(row: PacketRow) -> str:
    """A row on one line, as ``rawscope dump`` parts its columns."""
    ends = f"{row.source} → {row.destination}"
    return f"{row.number}  {ends}  {row.protocol}  {row.length}  {row.info}"
