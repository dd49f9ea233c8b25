"""The layout of the table: which columns fit, in which order, and how wide."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from widgets.packets.column_choice import BUILT_IN, ColumnChoice, ColumnName
from widgets.packets.columns import (
    ADDRESS_MOST,
    ADDRESS_SHORT,
    FIELD_MOST,
    INFO_WISHED,
    SIGN_WIDTH,
    TableLayout,
    WidestSeen,
    choose_layout,
)
from widgets.packets.headings import links_in
from widgets.packets.row import PacketRow, Sign
from widgets.packets.shapes import ADDRESSES, HEADING_MOST, INFO_LEAST, INFO_READABLE
from widgets.packets.time_format import TimeFormat

TTL, WINDOW, OPTIONS = "ip.ttl", "tcp.window_size_value", "tcp.options"
SEEN = WidestSeen(fields={TTL: 3, WINDOW: 5, OPTIONS: 99})
N = ColumnName
ROW = PacketRow(1, 0, True, "eth0", "::1", "::1", "TCP", 60, "", Sign.NONE, False, {})


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
    assert found.left_out == len(missing(found, shown))


@pytest.mark.parametrize("width", range(40, 201))
def test_the_only_field_is_seen_at_any_width(width) -> None:
    found = choose_layout(MANY, width, TimeFormat.RELATIVE, ColumnChoice((*BUILT_IN, LONG)))
    assert width_of(found, LONG) >= 6
    assert width_of(found, N.INFO) > 0
    assert found.columns[-1].stop == width
    assert found.left_out == len(missing(found, (*BUILT_IN, LONG)))


def missing(found: TableLayout, shown) -> set[object]:
    """Return the columns that the user chose and cannot see; one interface needs no column."""
    gone = set(shown) - set(names(found)) - {N.INTERFACE}
    return gone - ADDRESSES if found.addresses_in_info else gone


@pytest.mark.parametrize("width", range(40, 201))
def test_a_field_without_texts_gives_way_before_any_other_column(width) -> None:
    """In a file without programs, `process.name` is empty in all packets."""
    empty, other = "process.name", "process.pid"
    for newest in (empty, TTL, ""):
        with_empty = ColumnChoice((*BUILT_IN[:-1], empty, TTL, other, N.INFO), (), {}, newest)
        without = ColumnChoice((*BUILT_IN[:-1], TTL, N.INFO), (), {}, newest)
        found = choose_layout(SEEN, width, TimeFormat.RELATIVE, with_empty)
        assert found.left_out == len(missing(found, with_empty.shown))
        if empty in names(found) or other in names(found):
            assert missing(found, without.shown) == set()
            assert found.time_decimals == 6
        else:
            same = choose_layout(SEEN, width, TimeFormat.RELATIVE, without)
            assert found.columns == same.columns
            assert found.left_out == same.left_out + 2


IPV6 = WidestSeen(
    number=4, source=ADDRESS_MOST, destination=ADDRESS_MOST, protocol=7, length=4, whole_seconds=2
)


@pytest.mark.parametrize("width", range(80, 201))
def test_info_can_be_read_beside_long_addresses(width) -> None:
    found = choose_layout(IPV6, width, TimeFormat.RELATIVE)
    assert width_of(found, N.INFO) >= INFO_READABLE
    assert width_of(found, N.SOURCE) == width_of(found, N.DESTINATION) >= ADDRESS_SHORT


@pytest.mark.parametrize("text", ["192.168.100.200", "02:00:5e:00:53:01"])
@pytest.mark.parametrize("width", range(80, 121))
def test_other_addresses_are_whole_beside_long_ones(text, width) -> None:
    seen = replace(IPV6)
    seen.take([replace(ROW, source=text, destination=text)])
    found = choose_layout(seen, width, TimeFormat.RELATIVE)
    assert width_of(found, N.SOURCE) >= len(text)
    assert width_of(found, N.DESTINATION) >= len(text)
    assert width_of(found, N.INFO) >= INFO_LEAST


def test_columns_that_are_left_out_are_counted_in_the_headings() -> None:
    assert links_in(80, 40) == [(67, "filter"), (75, "menu")]
    assert links_in(80, 40, 2) == [(63, "+2"), (67, "filter"), (75, "menu")]
    assert links_in(80, 66, 2) == [(71, "+2"), (75, "menu")]
    assert links_in(80, 71, 2) == [(77, "+2")]


@given(st.integers(0, 200), st.integers(0, 200), st.integers(1, 99))
def test_the_count_of_columns_left_out_always_has_room(width, used, left_out) -> None:
    links = links_in(width, used, left_out)
    if width > len(f"+{left_out}"):
        assert links[0][1] == f"+{left_out}"
    assert all(start >= 0 and start + len(word) < width for start, word in links)
    assert all(one[0] + len(one[1]) < two[0] for one, two in pairwise(links))


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
