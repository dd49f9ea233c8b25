"""Which columns fit: whole ones, the first two always, at least one at any width."""

from __future__ import annotations

import pytest

from widgets.echo.columns import CLIENT, COLUMNS, FIXED, IN, TRIGGER, URGENT
from widgets.sorted.column_layout import GAP, SIGN_WIDTH, ColumnLayout


def test_columns_get_wider_and_never_narrower():
    layout = ColumnLayout(COLUMNS, FIXED)
    texts = ["x"] * len(COLUMNS)
    assert not layout.widen([texts])
    texts[COLUMNS.index(IN)] = "1,234,567"
    assert layout.widen([texts])
    assert not layout.widen([["x"] * len(COLUMNS)])
    assert layout.widths[COLUMNS.index(IN)] == 9


@pytest.mark.parametrize("room", range(1, 200, 7))
def test_shown_columns_fit_at_every_shift(room):
    layout = ColumnLayout(COLUMNS, FIXED)
    for shift in range(layout.widest_shift(room) + 1):
        shown = layout.shown(shift, room)
        assert shown[0][0] is CLIENT
        width = SIGN_WIDTH + sum(width + GAP for _, width in shown)
        assert width <= room or len(shown) == 1


@pytest.mark.parametrize("room", [40, 70, 120])
def test_the_widest_shift_ends_with_the_last_column(room):
    layout = ColumnLayout(COLUMNS, FIXED)
    most = layout.widest_shift(room)
    assert layout.shown(most, room)[-1][0] is URGENT
    assert layout.shown(most - 1, room)[-1][0] is not URGENT
    assert layout.shown(0, 500)[-1][0] is URGENT


def test_any_column_can_be_brought_onto_the_screen():
    layout, room = ColumnLayout(COLUMNS, FIXED), 70
    for start in (0, layout.widest_shift(room)):
        for column in COLUMNS:
            shift = layout.shift_showing(column, start, room)
            assert column in dict(layout.shown(shift, room))
    assert layout.shift_showing(CLIENT, 3, room) == 0  # as when its heading was pressed


def test_a_cell_belongs_to_the_column_above_it():
    layout, room = ColumnLayout(COLUMNS, FIXED), 120
    assert layout.column_at(SIGN_WIDTH - 1, 0, room) is None
    cell = SIGN_WIDTH
    for column, width in layout.shown(2, room):
        assert layout.column_at(cell, 2, room) is column
        assert layout.column_at(cell + width, 2, room) is column
        cell += width + GAP
    assert layout.column_at(cell, 2, room) is None
    assert TRIGGER not in dict(layout.shown(2, room))
    assert FIXED == 2
