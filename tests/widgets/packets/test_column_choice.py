"""The columns that the user chose: order, widths, and what can be shown besides."""

from __future__ import annotations

import pytest

from widgets.packets.column_choice import (
    BUILT_IN,
    DEFAULT_CHOICE,
    WIDTH_MOST,
    ColumnChoice,
    ColumnName,
    column_of,
    heading_of,
    short_heading,
)

TTL = ColumnChoice((ColumnName.NUMBER, "ip.ttl", ColumnName.INFO), ("tcp.port",))


def test_every_column_is_found_by_its_heading() -> None:
    for column in (*BUILT_IN, "ip.ttl", "tcp.port"):
        assert column_of(heading_of(column)) == column
    with pytest.raises(KeyError):
        column_of("ip.tttl")


def test_columns_are_moved_between_others() -> None:
    assert TTL.moved("ip.ttl", 0).shown == ("ip.ttl", ColumnName.NUMBER, ColumnName.INFO)
    assert TTL.moved(ColumnName.NUMBER, 2).shown[-1] is ColumnName.NUMBER
    assert TTL.moved(ColumnName.NUMBER, 0) == TTL


def test_a_width_stays_within_bounds_and_can_be_removed() -> None:
    assert TTL.resized("ip.ttl", 0).widths == {"ip.ttl": 1}
    assert TTL.resized("ip.ttl", 999).widths == {"ip.ttl": WIDTH_MOST}
    assert TTL.resized("ip.ttl", 5).resized("ip.ttl", None) == TTL


def test_hidden_columns_can_be_shown() -> None:
    assert TTL.fields == ("ip.ttl",)
    assert TTL.hidden[-1] == "tcp.port"
    assert set(TTL.hidden[:-1]) | set(TTL.shown) - {"ip.ttl"} == set(BUILT_IN)
    assert DEFAULT_CHOICE.hidden == DEFAULT_CHOICE.fields == ()


def test_a_list_of_columns_with_and_without_a_check() -> None:
    widened = TTL.resized("ip.ttl", 5).resized(ColumnName.NUMBER, 5)
    entries = [(ColumnName.INFO, True), (ColumnName.TIME, False), ("ip.ttl", False)]
    assert widened.with_entries(entries) == ColumnChoice(
        (ColumnName.INFO,), ("ip.ttl",), {"ip.ttl": 5}
    )


def test_a_heading_that_is_too_long_loses_its_first_parts() -> None:
    name = "tcp.options.mss_val"
    shorter = [short_heading(name, width) for width in (19, 18, 14, 7, 3)]
    assert shorter == [name, "options.mss_val", "mss_val", "mss_val", "mss_val"]
    assert short_heading(ColumnName.DESTINATION, 3) == "Destination"
