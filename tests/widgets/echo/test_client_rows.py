"""The lines of the client list: which client is where, and words made once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.helpers.scripted_echo import NOW_S, STALLED, client_table, echo_snapshot, many_clients
from widgets.echo.client_rows import ClientRows
from widgets.echo.columns import CLIENT, COLUMNS, IN
from widgets.echo.order import OLDEST_FIRST
from widgets.sorted.column import Sort


def rows_of(**changed):
    rows = ClientRows()
    rows.update(echo_snapshot(**changed), OLDEST_FIRST)
    return rows


def test_before_the_first_snapshot_there_are_no_lines():
    rows = ClientRows()
    assert len(rows) == 0
    assert rows.line_of(1) is None
    rows.sort(Sort(IN, True))
    for read in (rows.id_of, rows.words):
        with pytest.raises(IndexError):
            read(0)


def test_lines_and_clients_are_inverse():
    rows = rows_of()
    rows.sort(Sort(IN, True))
    assert [rows.line_of(rows.id_of(line)) for line in range(len(rows))] == list(range(7))
    assert rows.line_of(99) is None
    assert rows.line_of(None) is None


def test_the_built_in_client_is_known_by_its_address():
    rows = rows_of()
    assert [rows.id_of(line) for line in range(len(rows)) if rows.is_builtin(line)] == [STALLED]


def test_words_are_made_once_for_each_snapshot():
    rows = rows_of()
    words = rows.words(2)
    assert words[COLUMNS.index(CLIENT)] == "127.0.0.1:40003"
    assert rows.words(2) is words
    table = client_table(NOW_S + 0.1)
    table.bytes_in[2] += 1_000_000
    rows.update(replace(echo_snapshot(), clients=table), OLDEST_FIRST)
    assert rows.words(2) != words


def test_all_clients_may_go():
    rows = rows_of()
    rows.update(echo_snapshot(clients=many_clients(0)), OLDEST_FIRST)
    assert len(rows) == 0
    assert rows.line_of(1) is None
