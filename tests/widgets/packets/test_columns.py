"""The layout of the table: which columns fit, in which order, and how wide."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from widgets.packets.column_choice import BUILT_IN, ColumnChoice, ColumnName
from widgets.packets.columns import (
    ADDRESS_MOST,
    FIELD_MOST,
    HEADING_MOST,
    INFO_LEAST,
    INFO_WISHED,
    SIGN_WIDTH,
    TableLayout,
    WidestSeen,
    choose_layout,
)
from widgets.packets.headings import links_in
from widgets.packets.time_format import TimeFormat

TTL, WINDOW, OPTIONS = "ip.ttl", "tcp.window_size_value", "tcp.options"
SEEN = WidestSeen(fields={TTL: 3, WINDOW: 5, OPTIONS: 99})
N = ColumnName


def layout(shown, width=120, widths=None) -> TableLayout:
    choice = ColumnChoice(tuple(shown), (), widths or {})
    return choose_layout(SEEN, width, TimeFormat.RELATIVE, choice)


def names(found: TableLayout):
    return [column.name for column in found.columns]


def width_of(found: TableLayout, name) -> int:
    return next(column.width for column in found.columns if column.name == name)


def test_columns_have_the_order_of_the_user() -> None:
    found = layout([N.INFO, TTL, N.NUMBER])
    assert names(found) == [N.INFO, TTL, N.NUMBER]
    assert found.columns[-1].stop == 120
    assert width_of(found, N.INFO) == 120 - SIGN_WIDTH - 6 - 3 - 2


def test_a_field_is_as_wide_as_its_texts_and_a_short_name() -> None:
    found = layout([TTL, WINDOW, OPTIONS, N.INFO])
    assert width_of(found, TTL) == len(TTL)
    assert width_of(found, WINDOW) == len(WINDOW)
    assert width_of(found, OPTIONS) == FIELD_MOST
    assert [column.at_right for column in found.columns] == [True, True, False, False]


def test_a_whole_name_is_shown_while_info_has_room() -> None:
    shown = [*BUILT_IN[:2], TTL, WINDOW, N.INFO]
    for width in range(60, 120):
        found = layout(shown, width)
        if width_of(found, WINDOW) == len(WINDOW):
            assert width_of(found, N.INFO) >= INFO_WISHED
        else:
            assert width_of(found, WINDOW) == HEADING_MOST
            assert width_of(found, N.INFO) < INFO_WISHED + len(WINDOW) - HEADING_MOST + 3
    assert width_of(layout(shown, 119), WINDOW) == len(WINDOW)
    assert width_of(layout(shown, 60), WINDOW) == HEADING_MOST


def test_a_width_of_the_user_holds() -> None:
    found = layout([N.SOURCE, OPTIONS, N.INFO], widths={N.SOURCE: 4, OPTIONS: 50, N.INFO: 3})
    assert [column.width for column in found.columns[:2]] == [4, 50]
    assert found.columns[-1].stop == 120  # Info takes the rest


def test_addresses_share_what_info_leaves() -> None:
    wide = WidestSeen(source=ADDRESS_MOST, destination=ADDRESS_MOST)
    both, one = (
        choose_layout(wide, 100, TimeFormat.RELATIVE, ColumnChoice(shown))
        for shown in ((N.SOURCE, N.DESTINATION, N.INFO), (N.SOURCE, N.INFO))
    )
    assert width_of(both, N.SOURCE) == width_of(both, N.DESTINATION) < ADDRESS_MOST
    assert width_of(one, N.SOURCE) == ADDRESS_MOST


def test_fields_are_dropped_by_width_before_the_time_is() -> None:
    shown = (*BUILT_IN[:-1], OPTIONS, TTL, WINDOW, N.INFO)
    dropped: list[object] = []
    for width in range(200, 39, -1):
        now = set(names(layout(shown, width)))
        dropped += sorted(
            (name for name in shown if name not in now and name not in dropped), key=str
        )
    order = [name for name in dropped if name in (N.LENGTH, OPTIONS, WINDOW, TTL, N.TIME)]
    assert order == [N.LENGTH, OPTIONS, WINDOW, TTL, N.TIME]


LONG = "process.command_line"
MANY = WidestSeen(
    source=ADDRESS_MOST, destination=ADDRESS_MOST, fields={TTL: 3, WINDOW: 5, OPTIONS: 99, LONG: 99}
)


@pytest.mark.parametrize("width", [40, 80, 100, 160, 200])
@pytest.mark.parametrize("newest", [TTL, WINDOW, OPTIONS, LONG])
@pytest.mark.parametrize("set_width", [None, 60])
def test_the_field_that_was_added_last_is_seen(width, newest, set_width) -> None:
    """Beside Info, and whatever its texts are. Other fields are left out, and counted."""
    shown = (*BUILT_IN[:-1], OPTIONS, TTL, WINDOW, LONG, N.INFO)
    widths = {newest: set_width} if set_width else {}
    choice = ColumnChoice(shown, (), widths, newest)
    found = choose_layout(MANY, width, TimeFormat.RELATIVE, choice)
    assert width_of(found, newest) >= 6
    assert width_of(found, N.INFO) > 0
    assert found.columns[-1].stop == width
    fields = [name for name in names(found) if isinstance(name, str)]
    assert found.left_out == 4 - len(fields)


@pytest.mark.parametrize("width", range(40, 201))
def test_the_only_field_is_seen_at_any_width(width) -> None:
    found = choose_layout(MANY, width, TimeFormat.RELATIVE, ColumnChoice((*BUILT_IN, LONG)))
    assert width_of(found, LONG) >= 6
    assert width_of(found, N.INFO) > 0
    assert found.columns[-1].stop == width
    assert not found.left_out


def test_columns_that_are_left_out_are_counted_in_the_headings() -> None:
    assert links_in(80, 40) == [(67, "filter"), (75, "menu")]
    assert links_in(80, 40, 2) == [(63, "+2"), (67, "filter"), (75, "menu")]
    assert links_in(80, 66, 2) == [(67, "filter"), (75, "menu")]


def test_hidden_addresses_do_not_appear_in_info() -> None:
    assert layout(BUILT_IN, 45).addresses_in_info
    assert not layout((N.NUMBER, N.TIME, N.PROTOCOL, N.INFO), 45).addresses_in_info


def test_without_info_the_columns_have_to_fit() -> None:
    found = layout((N.NUMBER, OPTIONS, TTL), 30)
    assert names(found) == [N.NUMBER, TTL]
    assert found.info is None
    assert names(layout((OPTIONS,), 20)) == [N.NUMBER]  # a table shows something


def test_a_border_belongs_to_the_column_before_it() -> None:
    found = layout([N.NUMBER, TTL, N.INFO])
    number, ttl, info = found.columns
    assert found.border_at(number.stop) is number
    assert found.border_at(ttl.stop) is ttl
    assert found.border_at(info.stop) is None
    assert found.border_at(ttl.start) is None
    assert found.column_at(ttl.start) == TTL
    assert found.column_at(0) is None


@given(
    st.lists(st.sampled_from([*BUILT_IN, TTL, WINDOW, OPTIONS]), min_size=1, unique=True),
    st.integers(1, 200),
    st.dictionaries(st.sampled_from([*BUILT_IN, TTL, OPTIONS]), st.integers(1, 200)),
)
def test_columns_never_overlap(shown, width, widths) -> None:
    found = layout(shown, width, widths)
    assert set(names(found)) <= {*shown, N.NUMBER}
    start = SIGN_WIDTH
    for column in found.columns:
        assert column.start == start
        start = column.stop + 1
    if found.info is not None and found.info.width >= INFO_LEAST:
        assert found.columns[-1].stop == width
