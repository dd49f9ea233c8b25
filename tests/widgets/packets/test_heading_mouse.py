"""Drags on the headings, cell by cell."""

from __future__ import annotations

import pytest

from widgets.packets.column_choice import ColumnChoice, ColumnName
from widgets.packets.columns import WidestSeen, choose_layout
from widgets.packets.heading_mouse import HeadingMouse
from widgets.packets.time_format import TimeFormat

NUMBER, TIME, INFO = ColumnName.NUMBER, ColumnName.TIME, ColumnName.INFO
CHOICE = ColumnChoice((NUMBER, "ip.ttl", INFO))
LAYOUT = choose_layout(WidestSeen(), 60, TimeFormat.RELATIVE, CHOICE)
START = {column.name: column.start for column in LAYOUT.columns}
STOP = {column.name: column.stop for column in LAYOUT.columns}


def test_a_border_follows_the_pointer() -> None:
    mouse = HeadingMouse()
    x = STOP["ip.ttl"]
    assert mouse.press(x, LAYOUT)
    assert mouse.drag(x, CHOICE) == CHOICE  # a press sets no width
    for step in (3, -2, -90):
        assert mouse.drag(x + step, CHOICE).widths == {"ip.ttl": max(1, 6 + step)}
        assert mouse.column is None
    assert mouse.release(x, LAYOUT, CHOICE) == (CHOICE, None)
    assert not mouse.is_held


@pytest.mark.parametrize(
    ("column", "x", "order"),
    [
        (NUMBER, START["ip.ttl"], ("ip.ttl", NUMBER, INFO)),
        (NUMBER, START[INFO], ("ip.ttl", INFO, NUMBER)),
        (NUMBER, 999, ("ip.ttl", INFO, NUMBER)),
        (INFO, START["ip.ttl"], (NUMBER, INFO, "ip.ttl")),
        (INFO, -5, (INFO, NUMBER, "ip.ttl")),
        ("ip.ttl", START["ip.ttl"] + 1, CHOICE.shown),
    ],
)
def test_a_column_goes_where_it_is_released(column, x, order) -> None:
    mouse = HeadingMouse()
    assert mouse.press(START[column], LAYOUT)
    assert mouse.column is None
    assert mouse.drag(x, CHOICE) == CHOICE
    assert mouse.column == column
    choice, clicked = mouse.release(x, LAYOUT, CHOICE)
    assert (choice.shown, clicked) == (order, None)


def test_a_press_without_a_drag_is_a_click() -> None:
    mouse = HeadingMouse()
    mouse.press(START[INFO], LAYOUT)
    assert mouse.release(START[INFO], LAYOUT, CHOICE) == (CHOICE, INFO)


def test_left_of_the_columns_is_nothing() -> None:
    mouse = HeadingMouse()
    assert not mouse.press(0, LAYOUT)
    assert mouse.release(0, LAYOUT, CHOICE) == (CHOICE, None)
