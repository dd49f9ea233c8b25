"""The order of the clients: every column both ways, and rows that do not jump."""

from __future__ import annotations

import numpy as np
import pytest

from core.echo.client_columns import ClientColumns
from core.echo.options import Trigger
from tests.helpers.scripted_echo import NOW_S, client_table
from widgets.echo.columns import CLIENT, COLUMNS, IN
from widgets.echo.order import ClientOrder
from widgets.sorted.column import Sort


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.heading)
def test_every_column_sorts_both_ways_as_its_values_say(column):
    table, order = client_table(), ClientOrder()
    values = column.values(table)
    assert values.shape == (len(table),)
    for descending in (False, True):
        order.arrange(table, Sort(column, descending))
        assert sorted(order.rows.tolist()) == list(range(len(table)))
        steps = np.diff(values[order.rows].astype(float))
        assert (steps <= 0).all() if descending else (steps >= 0).all()
        equal = [row for row in order.rows.tolist() if values[row] == values[order.rows[0]]]
        assert equal == sorted(equal)  # as they came


def test_addresses_sort_as_numbers_not_as_text():
    columns = ClientColumns()
    for port, address in ((9, "10.0.0.9"), (10, "10.0.0.10"), (80, "10.0.0.9"), (1, "::1")):
        columns.open(5, 1, Trigger.LEVEL, (address, port), NOW_S)
    table, order = columns.table(NOW_S), ClientOrder()
    order.arrange(table, Sort(CLIENT, False))
    peers = [table.peer(row) for row in order.rows]
    assert peers == [("::1", 1), ("10.0.0.9", 9), ("10.0.0.9", 80), ("10.0.0.10", 10)]


def test_rows_settle_for_a_second():
    """Until then, closed clients disappear, and new clients are appended."""
    columns, order, sort = ClientColumns(), ClientOrder(), Sort(IN, True)
    slots = [columns.open(5, 1, Trigger.LEVEL, ("::1", port), NOW_S) for port in (1, 2, 3)]
    for slot, count in zip(slots, (10, 30, 20), strict=True):
        columns.bytes_in[slot] = count

    def ports(now_s):
        table = columns.table(now_s)
        order.arrange(table, sort)
        return [table.peer(row)[1] for row in order.rows]

    assert ports(NOW_S) == [2, 3, 1]
    columns.bytes_in[slots[0]] = 99
    columns.close(slots[2])
    fourth = columns.open(5, 1, Trigger.LEVEL, ("::1", 4), NOW_S)
    columns.bytes_in[fourth] = 1000
    assert ports(NOW_S + 0.5) == [2, 1, 4]
    assert ports(NOW_S + 1.0) == [4, 1, 2]
    assert ports(NOW_S) == [4, 1, 2]  # do not wait for another server's clock
    for slot in (slots[0], slots[1], fourth):
        columns.close(slot)
    assert ports(NOW_S + 0.1) == []
