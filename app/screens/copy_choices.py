"""The texts that the copy key offers: row, field, bytes, and recipes for other tools."""

from __future__ import annotations

from core.forge.compose.evaluation import Evaluation, evaluate
from core.forge.compose.from_packet import draft_of
from core.forge.export.rawscope import ONCE
from core.forge.export.recipes import recipes
from core.forge.values import SendPlan
from core.store.selected_packet import SelectedPacket
from core.wire.model.field import Span
from core.wire.present.detail_row import Row
from widgets.packets.row import PacketRow


def packet_choices(
    panel: str, row: PacketRow, data: bytes, field: Row | None, span: Span | None
) -> list[tuple[str, str]]:
    """Return ``(name, text)`` of what a packet offers; what belongs to the focused `panel` first.

    `field` is the selected row of the detail tree, and `span` the bytes that it or the user
    selected.
    """
    of_row = [("Row", row_text(row))]
    of_field = []
    if field is not None:
        of_field.append(("Field", f"{field.label}: {field.value} {field.meaning}".strip()))
        of_field.append(("Value", field.value))
    of_span = []
    if span is not None:
        of_span.append(("Selected bytes", data[span.start : span.stop].hex()))
    all_bytes = [("All bytes", data.hex())]
    if panel == "detail":
        choices = of_field + of_span + of_row + all_bytes
    elif panel == "hex":
        choices = of_span + all_bytes + of_field + of_row
    else:
        choices = of_row + of_field + of_span + all_bytes
    return [(name, text) for name, text in choices if text]


def packet_recipes(selected: SelectedPacket) -> list[tuple[str, str]]:
    """Return a captured packet in the words of other tools."""
    draft = draft_of(selected.layers()).draft
    return recipe_choices(evaluate(draft), selected.packet.interface.name)


def recipe_choices(
    evaluation: Evaluation, interface: str, plan: SendPlan = ONCE, *, verbatim: bool = False
) -> list[tuple[str, str]]:
    """Return a packet in the words of other tools; a comment names what a tool cannot express."""
    return [
        (one.name, f"{one.text}  # without {one.missing}" if one.missing else one.text)
        for one in recipes(evaluation, interface, plan, verbatim=verbatim)
        if one.text
    ]


def row_text(row: PacketRow) -> str:
    """Return a row as one line, its columns separated as in ``rawscope dump``."""
    ends = f"{row.source} → {row.destination}"
    return f"{row.number}  {ends}  {row.protocol}  {row.length}  {row.info}"
