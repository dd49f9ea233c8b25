"""The menus of a value: which lines they have, and the filter on each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.screens.value_filter.choices import (
    ScreenValue,
    cell_values,
    conversation_value,
    row_value,
    value_menu,
    values_menu,
)
from core.analysis.filter.display_filter import compile_filter
from core.analysis.filter.fields.catalog import CATALOG
from core.analysis.filter.packet_filter import PacketFilter, values_of_packet
from core.analysis.tcp.flow_index import index_of
from core.store.budget import Budget
from core.store.selected_packet import select_packet
from core.store.snapshot import Snapshot
from core.wire.present.faults import Faults
from tests.helpers.scripted import scripted_store
from widgets.packets.column_choice import ColumnName
from widgets.packets.row import RowReader

STORE = scripted_store().snapshot()
SOURCE = ScreenValue("Source", "10.0.0.5", "ip.src == 10.0.0.5")
TALK = ScreenValue("Conversation", "", "tcp.port == 1 and tcp.port == 2")


index_of(STORE).extend(STORE, Budget())


def cells(number: int, store: Snapshot = STORE):
    selected = select_packet(store, number, Faults())
    row = replace(RowReader(Faults()).row(store, number), values={"ip.ttl": "64"})
    fields = values_of_packet(store, number)
    known = index_of(store).published.through >= number
    return cell_values(selected, fields, row, "0.5", are_flows_known=known)


def lines(choices) -> list[tuple[str, str, str]]:
    return [(choice.key, choice.name, choice.text) for choice in choices]


def test_everything_that_a_value_gives_without_a_filter():
    assert lines(value_menu(SOURCE, TALK, "")) == [
        ("=", "Show only", "ip.src == 10.0.0.5"),
        ("!", "Hide", "not ip.src == 10.0.0.5"),
        ("C", "Conversation", "tcp.port == 1 and tcp.port == 2"),
        ("y", "Copy value", "10.0.0.5"),
        ("Y", "Copy filter", "ip.src == 10.0.0.5"),
    ]


def test_everything_that_a_value_gives_with_a_filter():
    assert lines(value_menu(SOURCE, None, "tcp or udp"))[:4] == [
        ("=", "Show only", "ip.src == 10.0.0.5"),
        ("!", "Hide", "(tcp or udp) and not ip.src == 10.0.0.5"),
        ("&", "And", "(tcp or udp) and ip.src == 10.0.0.5"),
        ("|", "Or", "tcp or udp or ip.src == 10.0.0.5"),
    ]


def test_of_a_long_filter_the_lines_show_what_is_new():
    current = " or ".join(f"tcp.port == {port}" for port in range(1000, 1010))
    assert lines(value_menu(SOURCE, None, current))[:4] == [
        ("=", "Show only", "ip.src == 10.0.0.5"),
        ("!", "Hide", "… and not ip.src == 10.0.0.5"),
        ("&", "And", "… and ip.src == 10.0.0.5"),
        ("|", "Or", "… or ip.src == 10.0.0.5"),
    ]


def test_a_value_without_an_expression_can_be_copied():
    info = ScreenValue("Info", "words", None)
    assert lines(value_menu(info, None, "tcp")) == [("y", "Copy value", "words")]


def test_the_values_of_a_row_are_numbered():
    title, choices = values_menu([SOURCE, ScreenValue("Info", "words", None), TALK], "AND_NOT", "")
    assert title == "Hide"
    assert lines(choices) == [
        ("1", "Source", "not ip.src == 10.0.0.5"),
        ("2", "Conversation", "not (tcp.port == 1 and tcp.port == 2)"),
    ]


@pytest.mark.parametrize("number", range(1, STORE.count + 1))
def test_the_cells_of_every_packet(number):
    """Every cell has text and a filter; both are of the packet."""
    values = cells(number)
    assert list(values) != []
    for column, value in values.items():
        if column == "ip.ttl":
            assert value.name == "ip.ttl"
        elif value.text:
            compile_filter(value.expression, CATALOG)
        else:
            assert value.expression is None


@pytest.mark.parametrize("number", range(1, STORE.count + 1))
def test_the_filter_of_info_passes_the_packet(number):
    """The whole text is compared, also if it has quotes, arrows, and relative numbers."""
    info = cells(number)[ColumnName.INFO]
    chunk = next(each for each in STORE.chunks if each.first <= number <= each.last)
    assert info.expression.startswith('_ws.col.info == "')
    passes = PacketFilter.compile(info.expression)(chunk, STORE)
    assert passes[number - chunk.first]
    texts = [cells(chunk.first + row)[ColumnName.INFO].text for row in np.flatnonzero(passes)]
    assert set(texts) == {info.text}


@pytest.mark.parametrize("number", range(1, STORE.count + 1))
def test_info_has_no_filter_that_would_miss_its_packet(number):
    """Before the flows are known up to a packet, its text has absolute numbers; no filter's has."""
    store = scripted_store().snapshot()
    assert cells(number, store)[ColumnName.INFO].expression is None
    index_of(store).extend(store, Budget())
    info = cells(number, store)[ColumnName.INFO]
    chunk = next(each for each in store.chunks if each.first <= number <= each.last)
    assert PacketFilter.compile(info.expression)(chunk, store)[number - chunk.first]


def test_cells_and_rows_name_the_value():
    values = cells(1)
    assert cells(5)["ip.ttl"].expression == "ip.ttl == 64"
    assert values[ColumnName.NUMBER] == ("No.", "1", "frame.number == 1")
    selected = select_packet(STORE, 1, Faults())
    assert row_value(selected.rows[0]) == ("Frame 1", selected.rows[0].value, "frame.number == 1")
    assert conversation_value(selected).name == "Conversation"
