"""The values of a packet that can be filtered for, and the menus of what they give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from app.screens.dialogs.filter_menu import FilterChoice
from core.analysis.filter.combination import Combination, combined
from core.analysis.filter.language.errors import FilterError
from core.analysis.filter.language.macros import NO_MACROS, Macros
from core.analysis.filter.types import FieldValues
from core.analysis.filter.value_expression import (
    address_expressions,
    first_value_expression,
    packet_conversation,
    protocol_expression,
    row_expression,
)
from core.store.selected_packet import SelectedPacket
from core.wire.present.detail_row import Row
from widgets.packets.column_choice import Column, ColumnName, heading_of
from widgets.packets.row import PacketRow

WAYS: Mapping[Combination, tuple[str, str]] = {
    Combination.REPLACE: ("=", "Show only"),
    Combination.AND_NOT: ("!", "Hide"),
    Combination.AND: ("&", "And"),
    Combination.OR: ("|", "Or"),
}
"""The key and the name of each change of the filter."""

_FIELDS: Mapping[Column, str] = {
    ColumnName.NUMBER: "frame.number",
    ColumnName.TIME: "frame.time_epoch",
    ColumnName.INTERFACE: "frame.interface_name",
    ColumnName.LENGTH: "frame.len",
    ColumnName.INFO: "_ws.col.info",
}
_SHOWN_TEXT = 56  # of a filter; a longer one shows only what is new


class ScreenValue(NamedTuple):
    """A value on the screen: its name, its text, and the expression that finds it, or None."""

    name: str
    text: str
    expression: str | None


def row_value(row: Row) -> ScreenValue:
    """Return the value of a row of the detail tree."""
    return ScreenValue(row.label, row.value or row.label, row_expression(row))


def cell_values(
    selected: SelectedPacket,
    fields: FieldValues,
    row: PacketRow,
    time: str,
    *,
    are_flows_known: bool,
) -> Mapping[Column, ScreenValue]:
    """Return the values of all cells of a packet; `time` is the text of its Time column.

    `fields` has the values of the packet. Unless `are_flows_known` up to it, Info has no filter:
    its numbers are not yet relative, as those that a filter compares are.
    """
    dissection = selected.shown_layers()
    source, destination = address_expressions(dissection)
    expressions: dict[Column, str | None] = {
        name: first_value_expression(fields, name) for name in row.values
    }
    for column, name in _FIELDS.items():
        expressions[column] = first_value_expression(fields, name)
    if not are_flows_known:
        expressions[ColumnName.INFO] = None
    expressions[ColumnName.SOURCE] = source
    expressions[ColumnName.DESTINATION] = destination
    expressions[ColumnName.PROTOCOL] = protocol_expression(dissection)
    texts: dict[Column, str] = {  # the likeliest first
        **dict(row.values.items()),
        ColumnName.SOURCE: row.source,
        ColumnName.DESTINATION: row.destination,
        ColumnName.PROTOCOL: row.protocol,
        ColumnName.LENGTH: str(row.length),
        ColumnName.INTERFACE: row.interface,
        ColumnName.TIME: time,
        ColumnName.NUMBER: str(row.number),
        ColumnName.INFO: row.info,
    }
    return {
        column: ScreenValue(heading_of(column), text, expressions.get(column))
        for column, text in texts.items()
    }


def conversation_value(selected: SelectedPacket) -> ScreenValue:
    """Return the conversation of a packet."""
    return ScreenValue("Conversation", "", packet_conversation(selected.shown_layers()))


def value_menu(
    value: ScreenValue,
    conversation: ScreenValue | None,
    current: str,
    macros: Macros = NO_MACROS,
) -> list[FilterChoice]:
    """Return everything that a value gives; `current` is the filter that is set.

    It may use `macros`.
    """
    choices = []
    if value.expression is not None:
        for how, (key, name) in WAYS.items():
            if current or how in (Combination.REPLACE, Combination.AND_NOT):
                text = _result(current, value.expression, how, macros)
                choices.append(FilterChoice(key, name, text, value.expression, how.name))
    if conversation is not None and conversation.expression is not None:
        expression = conversation.expression
        only = Combination.REPLACE.name
        choices.append(FilterChoice("C", conversation.name, expression, expression, only))
    if value.text:
        choices.append(FilterChoice("y", "Copy value", value.text))
    if value.expression is not None:
        choices.append(FilterChoice("Y", "Copy filter", value.expression))
    return choices


def values_menu(
    values: Sequence[ScreenValue], how: str, current: str, macros: Macros = NO_MACROS
) -> tuple[str, list[FilterChoice]]:
    """Return a title, and the values that have an expression, with the filter that each gives.

    `how` names a `Combination`.
    """
    combination = Combination[how]
    found = [(value.name, value.expression) for value in values if value.expression is not None]
    choices = [
        FilterChoice(
            str(number), name, _result(current, expression, combination, macros), expression, how
        )
        for number, (name, expression) in enumerate(found, 1)
    ]
    return WAYS[combination][1], choices


def _result(current: str, expression: str, how: Combination, macros: Macros) -> str:
    """Return the filter that an expression gives; of a long one, what is new."""
    try:
        text = combined(current, expression, how, macros)
        added = combined("_", expression, how)
    except FilterError:  # the current filter is not one
        return expression
    is_short = len(text) <= _SHOWN_TEXT or how is Combination.REPLACE or not current
    return text if is_short else f"… {added.removeprefix('_ ')}"
