"""The packet table on a screen: rows, cursor, following, eviction, marks, times, and widths."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from rich.cells import cell_len
from textual import events

from core.analysis.color_rules.rule import Color
from core.analysis.names.name_table import NameTable
from core.analysis.packet_analysis import NOT_ANALYZED, AnalyzedPackets
from core.analysis.programs.owners import Grade, Owner, Process
from core.analysis.programs.program_table import Beginning, Ownership, ProgramTable, programs_of
from core.analysis.tcp.flow_index import FlowIndex, index_of
from core.decode.batch import CaptureInterface
from core.store.budget import Budget
from core.store.captured_packet import CapturedPacket
from core.store.filtered_view import View
from core.store.packet_store import PacketStore
from core.wire.link.link_types import LinkType
from core.wire.model.dissection import Cause, PacketFlag, Verdict
from core.wire.present.summary import Summary
from tests.helpers.scripted import (
    BAD_CHECKSUM,
    HOST,
    SERVER,
    START_NS,
    Frame,
    batch,
    ethernet,
    ipv6,
    scripted_store,
    udp,
)
from tests.widgets.stage import play, screen_text, styles_at
from widgets.packets.column_choice import ColumnChoice, ColumnName
from widgets.packets.headings import LINKS, Headings
from widgets.packets.packet_table import PacketTable
from widgets.packets.paint import FAULT, color_class, rule_style
from widgets.packets.row import Sign, sign_of
from widgets.packets.time_format import TimeFormat

DATAGRAM = udp(HOST, SERVER, (40_000, 9), b"x")
ETH0 = CaptureInterface("eth0", LinkType.ETHERNET)


@dataclass
class ManyPackets:
    """A stand-in for a snapshot of any number of packets, made only when they are read."""

    count: int
    version: int = 1
    first: int = 1
    interfaces: tuple[CaptureInterface, ...] = (ETH0,)
    first_timestamp_ns: int = START_NS
    comments: dict[int, tuple[str, ...]] = field(default_factory=dict)
    made: list[int] = field(default_factory=list)

    def timestamp_ns(self, number):
        if not self.first <= number <= self.count:
            raise KeyError(number)
        return START_NS + number * 1000

    def time_ns(self, number):
        return self.timestamp_ns(number)

    def packet(self, number):
        self.made.append(number)
        time_ns = self.timestamp_ns(number)
        verdicts = (Verdict.GOOD, Verdict.GOOD)
        return CapturedPacket(number, DATAGRAM, len(DATAGRAM), time_ns, ETH0, 0, *verdicts)


def filled(rounds=1, limit_bytes=1 << 30):
    store = PacketStore(limit_bytes)
    store.add_interface(ETH0)
    add(store, rounds)
    return store


def add(store, packets):
    number = store.snapshot().count
    store.append(batch([Frame(DATAGRAM)] * packets, START_NS + number * 1_000_000))


def numbers(table):
    """Return the packet numbers that the screen shows."""
    return [int(text[2:].split()[0]) for text in screen_text(table)[1:] if text]


def cursor_rows(table):
    """Return the lines of the screen that have the cursor's background."""
    color = table.component("packet-table--cursor").bgcolor
    lines = table.render_lines(table.size.region)
    return [y for y, strip in enumerate(lines) if all(s.style.bgcolor == color for s in strip)]


# -- the text of a row -------------------------------------------------------------------


def test_rows_have_every_column():
    async def scene(pilot):
        table = pilot.app.widget
        snapshot = scripted_store().snapshot()
        index = FlowIndex()
        index.extend(snapshot, Budget())
        table.show(snapshot, AnalyzedPackets(flows=index.published))
        lines = screen_text(table)
        assert lines[0].split() == [
            *["No.", "Time", "Source", "Destination", "Proto", "Len", "Info"],
            *LINKS,
        ]
        handshake = lines[5]
        assert handshake.split()[:6] == ["5", "0.010180", HOST, SERVER, "TCP", "74"]
        assert "[SYN] Seq=0" in handshake

    play(PacketTable(), scene, size=(140, 40))


def test_numbers_end_and_texts_begin_in_the_same_cell():
    async def scene(pilot):
        table = pilot.app.widget
        table.show(scripted_store().snapshot())
        header, *lines = [line for line in screen_text(table) if line]
        for title in ("No.", "Len"):
            end = header.index(title) + len(title)
            assert all(line[end - 1].isdigit() and line[end] == " " for line in lines)
        for title in ("Source", "Destination", "Proto", "Info"):
            start = header.index(title)
            assert all(line[start - 1] == " " and line[start] != " " for line in lines)

    play(PacketTable(), scene, size=(140, 40))


@pytest.mark.parametrize(
    ("verdicts", "flags", "cause", "sign"),
    [
        ((Verdict.GOOD, Verdict.BAD), 0, Cause.MALFORMED, Sign.BAD),
        ((Verdict.GOOD, Verdict.ILLEGAL), 0, Cause.NONE, Sign.BAD),
        ((Verdict.GOOD, Verdict.GOOD), PacketFlag.OURS, Cause.MALFORMED, Sign.MALFORMED),
        ((Verdict.GOOD, Verdict.OFFLOADED), PacketFlag.OURS, Cause.NONE, Sign.SENT),
        ((Verdict.NONE, Verdict.NONE), 0, Cause.TRUNCATED, Sign.CUT),
        ((Verdict.GOOD, Verdict.OFFLOADED), 0, Cause.NONE, Sign.OFFLOADED),
        ((Verdict.GOOD, Verdict.UNVERIFIED), 0, Cause.NONE, Sign.NONE),
    ],
)
def test_the_worst_thing_gives_the_sign(verdicts, flags, cause, sign):
    packet = CapturedPacket(1, b"", 0, 0, ETH0, flags, *verdicts)
    assert sign_of(packet, Summary("", "", "", "", cause)) is sign


def test_every_sign_takes_one_cell():
    assert all(cell_len(sign.value) == 1 for sign in Sign)


def test_every_color_has_a_style_of_its_own_name():
    assert all(color_class(color) in PacketTable.COMPONENT_CLASSES for color in Color)


def test_an_interface_column_comes_with_the_second_interface():
    async def scene(pilot):
        table = pilot.app.widget
        store = filled(3)
        table.show(store.snapshot())
        store.add_interface(ETH0)  # stopped and started again
        table.show(store.snapshot())
        await pilot.pause()
        assert "Interface" not in screen_text(table)[0]
        store.add_interface(CaptureInterface("veth-long-name0", LinkType.ETHERNET))
        table.show(store.snapshot())
        assert "Interface" in screen_text(table)[0]
        assert "eth0" in screen_text(table)[1]

    play(PacketTable(), scene, size=(140, 20))


def test_hostile_names_never_reach_the_screen_raw():
    async def scene(pilot):
        table = pilot.app.widget
        store = PacketStore()
        store.add_interface(CaptureInterface("e\x1b[2Jth\x07", LinkType.ETHERNET))
        store.add_interface(CaptureInterface("\u202e\x9bx", LinkType.ETHERNET))
        frames = [Frame(bytes(range(256)) * 2), Frame(b"\x1b" * 60), Frame(DATAGRAM)]
        store.append(batch(frames))
        table.show(store.snapshot())
        for line in screen_text(table):
            assert line.isprintable()
        assert "\\x1b" in "".join(screen_text(table))

    play(PacketTable(), scene, size=(160, 20))


# -- following -------------------------------------------------------------------------


def test_the_cursor_follows_the_newest_packet():
    async def scene(pilot):
        table = pilot.app.widget
        store = filled(5)
        for _ in range(30):
            table.show(store.snapshot())
            assert table.selected == store.snapshot().count == numbers(table)[-1]
            add(store, 7)

    play(PacketTable(), scene)


@pytest.mark.parametrize("action", ["up", "page_up", "first"])
def test_moving_up_stops_following_and_the_tail_resumes(action):
    async def scene(pilot):
        table = pilot.app.widget
        store = filled(200)
        table.show(store.snapshot())
        table.action_move(action)
        here, seen = table.selected, numbers(table)
        assert not table.follow
        add(store, 50)
        table.show(store.snapshot())
        assert (table.selected, numbers(table)) == (here, seen)
        table.action_move("last")
        assert table.follow
        assert table.selected == numbers(table)[-1] == 250

    play(PacketTable(), scene)


def test_moving_down_at_the_tail_keeps_following():
    async def scene(pilot):
        table = pilot.app.widget
        table.show(filled(200).snapshot())
        table.action_move("down")
        table.action_move("page_down")
        assert table.follow
        assert table.selected == 200

    play(PacketTable(), scene)


def test_a_click_selects_a_row_and_stops_following():
    async def scene(pilot):
        table = pilot.app.widget
        store = filled(200)
        table.show(store.snapshot())
        before = numbers(table)
        await pilot.click(table, offset=(30, 5))
        assert table.selected == before[4]
        assert not table.follow
        add(store, 50)
        table.show(store.snapshot())
        assert numbers(table) == before
        assert cursor_rows(table) == [5]

    play(PacketTable(), scene)


def test_the_wheel_scrolls_without_stealing_the_selection():
    async def scene(pilot):
        table = pilot.app.widget
        store = filled(200)
        table.show(store.snapshot())
        await pilot._post_mouse_events([events.MouseScrollUp], table, (5, 5))
        await pilot.pause()
        assert not table.follow
        assert table.selected == 200
        top = numbers(table)[0]
        add(store, 10)
        table.show(store.snapshot())
        assert numbers(table)[0] == top
        for _ in range(20):
            await pilot._post_mouse_events([events.MouseScrollDown], table, (5, 5))
        await pilot.pause()
        assert numbers(table)[-1] == 210
        assert table.selected == 200

    play(PacketTable(), scene)


def test_a_file_is_shown_from_its_first_packet_when_not_following():
    async def scene(pilot):
        table = pilot.app.widget
        table.follow = False
        table.show(filled(200).snapshot())
        assert table.selected == 1
        assert numbers(table)[0] == 1

    play(PacketTable(), scene)


# -- moving ----------------------------------------------------------------------------


def test_moves():
    async def scene(pilot):
        table = pilot.app.widget
        table.follow = False
        table.show(filled(200).snapshot())
        page = table.window.page
        expected = 1
        for action, step in (("down", 1), ("page_down", page), ("up", -1), ("page_up", -page)):
            table.action_move(action)
            expected = max(1, expected + step)
            assert table.selected == expected
            assert expected in numbers(table)

    play(PacketTable(), scene)


def test_select_goes_to_a_packet_or_returns_false():
    async def scene(pilot):
        table = pilot.app.widget
        table.show(filled(200).snapshot())
        assert table.select(77)
        assert table.selected == 77
        assert 77 in numbers(table)
        assert not table.select(0)
        assert not table.select(201)
        assert table.selected == 77

    play(PacketTable(), scene)


def test_a_cursor_move_draws_two_lines_only():
    async def scene(pilot):
        table = pilot.app.widget
        table.follow = False
        table.show(filled(200).snapshot())
        await pilot.pause()
        drawn = []
        original = table.build_line
        table.build_line = lambda line: drawn.append(line) or original(line)
        table.action_move("down")
        await pilot.pause()
        assert drawn == [0, 1]

    play(PacketTable(), scene)


def test_resize_keeps_the_selection_on_the_screen():
    async def scene(pilot):
        table = pilot.app.widget
        table.show(filled(200).snapshot())
        table.select(150)
        for size in ((100, 6), (40, 10), (200, 50), (20, 3)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert table.selected == 150
            assert table.cursor_line in table.window.lines

    play(PacketTable(), scene)


def test_resize_keeps_following():
    async def scene(pilot):
        table = pilot.app.widget
        store = filled(200)
        table.show(store.snapshot())
        for size in ((100, 6), (40, 10), (200, 50)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert table.follow
            assert numbers(table)[-1] == 200

    play(PacketTable(), scene)


# -- five million rows -----------------------------------------------------------------


def test_five_million_rows_read_only_what_is_on_the_screen():
    many = ManyPackets(5_000_000)

    async def scene(pilot):
        table = pilot.app.widget
        table.show(many)
        assert numbers(table)[-1] == 5_000_000
        table.action_move("first")
        assert numbers(table)[0] == 1
        assert table.select(2_500_000)
        assert 2_500_000 in numbers(table)
        table.action_move("page_down")
        assert table.selected in numbers(table)
        await pilot.pause()

    play(PacketTable(), scene)
    assert len(many.made) < 200


def test_rows_are_read_once():
    many = ManyPackets(1000)

    async def scene(pilot):
        table = pilot.app.widget
        table.show(many)
        await pilot.pause()
        screen_text(table)
        before = len(many.made)
        table.action_move("up")
        table.change_time_format()
        table.toggle_mark()
        await pilot.pause()
        screen_text(table)
        assert len(many.made) == before

    play(PacketTable(), scene)


# -- eviction --------------------------------------------------------------------------


def test_a_cursor_on_an_evicted_packet_goes_to_the_oldest_and_reports_it():
    async def scene(pilot):
        table = pilot.app.widget
        table.show(ManyPackets(1000))
        table.select(10)
        table.toggle_mark()
        table.show(ManyPackets(1500, version=2, first=400))
        assert table.selected == 400
        assert table.marks == frozenset()
        assert numbers(table)[0] == 400
        await pilot.pause()

    app = play(PacketTable(), scene)
    assert [(message.number, message.now) for message in app.heard] == [(10, 400)]


def test_eviction_moves_nothing_that_is_still_held():
    async def scene(pilot):
        table = pilot.app.widget
        table.show(ManyPackets(1000))
        table.select(695)
        table.select(700)
        before = numbers(table)
        table.show(ManyPackets(1500, version=2, first=400))
        assert numbers(table) == before
        assert table.selected == 700
        table.show(ManyPackets(1500, version=3, first=before[3]))
        assert numbers(table)[0] == before[3]
        assert table.selected == 700
        await pilot.pause()

    app = play(PacketTable(), scene)
    assert app.heard == []


def test_following_survives_eviction():
    async def scene(pilot):
        table = pilot.app.widget
        for version in range(1, 20):
            table.show(ManyPackets(version * 100, version, first=max(1, version * 100 - 150)))
            assert table.follow
            assert table.selected == version * 100
            assert numbers(table)[-1] == version * 100
        await pilot.pause()

    assert play(PacketTable(), scene).heard == []


def test_a_real_store_evicts_under_the_table():
    async def scene(pilot):
        table = pilot.app.widget
        store = filled(2000, limit_bytes=1 << 17)
        table.show(store.snapshot())
        first = store.snapshot().first
        table.select(first)
        while store.snapshot().first == first:
            add(store, 1000)
        table.show(store.snapshot())
        assert table.selected == store.snapshot().first
        assert len(numbers(table)) > 5
        await pilot.pause()

    assert len(play(PacketTable(), scene).heard) == 1


def test_another_capture_starts_again():
    async def scene(pilot):
        table = pilot.app.widget
        table.show(ManyPackets(1000, version=9))
        table.select(500)
        table.toggle_mark()
        table.show(ManyPackets(3, version=10))
        assert table.marks == frozenset()
        assert numbers(table) == [1, 2, 3]
        assert table.selected in (1, 3)
        table.clear()
        assert table.selected is None
        assert numbers(table) == []

    play(PacketTable(), scene)


# -- marks and times -------------------------------------------------------------------


def test_marks_are_set_and_shown():
    async def scene(pilot):
        table = pilot.app.widget
        table.show(filled(200).snapshot())
        for number in (20, 100, 150):
            table.select(number)
            table.toggle_mark()
        assert table.marks == {20, 100, 150}
        assert screen_text(table)[cursor_rows(table)[0]].startswith("◆")
        table.toggle_mark()
        assert table.marks == {20, 100}
        assert not screen_text(table)[cursor_rows(table)[0]].startswith("◆")

    play(PacketTable(), scene)


@pytest.mark.parametrize("width", [120, 60])
def test_a_commented_packet_has_a_sign_beside_its_mark(width):
    async def scene(pilot):
        table, store = pilot.app.widget, filled(9)
        table.show(store.snapshot())
        table.select(4)
        table.toggle_mark()
        for comments, sign in (("odd",), "◆ ¶"), ((), "◆  "):
            store.set_comments(4, comments)
            table.show(store.snapshot())
            table.refresh()
            await pilot.pause()
            row = screen_text(table)[cursor_rows(table)[0]]
            assert row.startswith(sign)
            assert " 4 " in row

    play(PacketTable(), scene, size=(width, 20))


@pytest.mark.parametrize("width", [120, 60])
def test_a_packet_can_be_time_zero(width):
    """Its row and the heading say so; times of earlier packets are negative."""
    decimals = 6 if width == 120 else 3

    async def scene(pilot):
        table = pilot.app.widget
        table.show(scripted_store().snapshot())
        table.time_format = TimeFormat.ABSOLUTE
        table.select(2)
        table.toggle_time_reference()
        lines = screen_text(table)
        assert f" {'-0.000380'[: decimals + 3]} " in lines[1]
        assert " *REF* " in lines[2]
        assert f" {'0.000700'[: decimals + 2]} " in lines[3]
        assert lines[0].split()[1] == "Ref"
        table.time_format = TimeFormat.DELTA
        table.forget_lines()
        assert "REF" not in "".join(screen_text(table))
        table.select(3)
        table.toggle_time_reference()
        assert " *REF* " in screen_text(table)[3]
        table.toggle_time_reference()
        assert "REF" not in "".join(screen_text(table))
        assert screen_text(table)[1].split()[1] == "0.000000"[: decimals + 2]
        assert screen_text(table)[0].split()[1] == "Time"

    play(PacketTable(), scene, size=(width, 40))


def test_time_formats():
    async def scene(pilot):
        table = pilot.app.widget
        table.show(scripted_store().snapshot())
        assert screen_text(table)[2].split()[1] == "0.000380"
        table.change_time_format()
        assert screen_text(table)[2].split()[1].endswith(":20.123836")
        assert screen_text(table)[0].split()[1].startswith("2023-11-1")
        table.change_time_format()
        assert screen_text(table)[4].split()[1] == "0.008200"
        assert screen_text(table)[0].split()[1] == "Delta"
        table.change_time_format()
        assert table.time_format is TimeFormat.RELATIVE

    play(PacketTable(), scene, size=(120, 40))


def test_every_row_has_the_date_when_the_packets_span_days():
    async def scene(pilot):
        table = pilot.app.widget
        store = filled(2)
        store.append(batch([Frame(DATAGRAM)], START_NS + 86_400 * 10**9))
        table.time_format = TimeFormat.ABSOLUTE
        table.show(store.snapshot())
        lines = screen_text(table)
        assert "2023-11-" in lines[1]
        assert lines[1].split()[1] != lines[3].split()[1]

    play(PacketTable(), scene, size=(140, 40))


def test_the_time_since_an_evicted_packet_is_a_dash():
    async def scene(pilot):
        table = pilot.app.widget
        table.follow = False
        table.time_format = TimeFormat.DELTA
        table.show(ManyPackets(1000, first=400))
        assert screen_text(table)[1].split()[1] == "–"
        assert screen_text(table)[2].split()[1] == "0.000001"

    play(PacketTable(), scene)


@pytest.mark.parametrize("time_format", TimeFormat)
def test_a_time_that_the_capture_lacks_is_a_dash(time_format):
    async def scene(pilot):
        table = pilot.app.widget
        store = filled()
        untimed = batch([Frame(DATAGRAM, gap_us=0, flags=PacketFlag.TIME_INVALID)], 0)
        store.append(untimed)
        table.time_format = time_format
        table.show(store.snapshot())
        assert screen_text(table)[2].split()[1] == "–"

    play(PacketTable(), scene, size=(120, 40))


def test_a_click_on_the_time_heading_changes_the_format():
    async def scene(pilot):
        table = pilot.app.widget
        table.show(filled(20).snapshot())
        await pilot.pause()
        await pilot.click(table, offset=(screen_text(table)[0].index("Time"), 0))
        assert table.time_format is TimeFormat.ABSOLUTE
        await pilot.click(table, offset=(screen_text(table)[0].index("Info"), 0))
        assert table.time_format is TimeFormat.ABSOLUTE

    play(PacketTable(), scene)


# -- the columns of the user -----------------------------------------------------------

WITH_FIELDS = ColumnChoice((ColumnName.NUMBER, "ip.ttl", "tcp.options.mss_val", ColumnName.INFO))


def test_fields_are_columns_and_only_visible_rows_are_read():
    async def scene(pilot):
        table = pilot.app.widget
        table.headings.choose(WITH_FIELDS)
        store = scripted_store()
        table.show(store.snapshot())
        lines = screen_text(table)
        assert lines[0].split() == ["No.", "ip.ttl", "tcp.options.mss_val", "Info", *LINKS]
        assert lines[1].split()[:2] == ["1", "Who"]  # ARP has neither field
        assert lines[5].split()[:3] == ["5", "64", "1460"]
        end = lines[0].index("ip.ttl") + len("ip.ttl")
        assert lines[5][end - 2 : end] == "64"
        table.headings.choose(WITH_FIELDS.moved("ip.ttl", 0))
        assert screen_text(table)[5].split()[:2] == ["64", "5"]
        table.clear()
        table.show(store.snapshot())
        assert screen_text(table)[5].split()[:2] == ["64", "5"]

    play(PacketTable(), scene, size=(100, 40))


def test_a_row_on_the_screen_gets_its_program_when_it_is_known():
    async def scene(pilot):
        table = pilot.app.widget
        table.headings.choose(ColumnChoice((ColumnName.NUMBER, "process.name", ColumnName.INFO)))
        store = PacketStore()
        store.add_interface(ETH0)
        add(store, 1)
        snapshot = store.snapshot()
        index_of(snapshot).extend(snapshot, Budget())
        analyzed = AnalyzedPackets(flows=index_of(snapshot).published)
        table.show(snapshot, analyzed)
        assert "curl" not in screen_text(table)[1]
        owners = (Owner("10.0.0.1:40000", Grade.EXACT, (Process(20, "curl", 0),)),)
        udp_flows = Ownership().with_entries({Beginning(0, 1): 0}, 9)
        programs = ProgramTable([owners], {"udp": udp_flows}, 1, 1)
        programs_of(snapshot).published = programs
        table.show(snapshot, replace(analyzed, programs=programs))
        assert "curl" in screen_text(table)[1]

    play(PacketTable(), scene)


def test_rows_are_read_again_only_for_a_field_that_they_lack():
    async def scene(pilot):
        table = pilot.app.widget
        snapshot = ManyPackets(10)
        table.show(snapshot)
        screen_text(table)
        table.headings.choose(WITH_FIELDS)
        screen_text(table)
        read = len(snapshot.made)
        table.headings.choose(ColumnChoice(("ip.ttl",)))
        assert screen_text(table)[1].split() == ["64"]
        assert len(snapshot.made) == read == 20

    play(PacketTable(), scene)


def test_hostile_bytes_in_a_field_never_reach_the_screen_raw():
    async def scene(pilot):
        table = pilot.app.widget
        table.headings.choose(ColumnChoice(("frame.interface_name", "data", ColumnName.INFO)))
        store = PacketStore()
        store.add_interface(CaptureInterface("e\x1b[2Jth\x07\u202e", LinkType.ETHERNET))
        store.append(batch([Frame(b"\x1b" * 60), Frame(DATAGRAM)]))
        table.show(store.snapshot())
        assert all(line.isprintable() for line in screen_text(table))

    play(PacketTable(), scene)


async def drag(pilot, table, start, stop):
    await pilot.mouse_down(table, offset=(start, 0))
    await pilot.hover(table, offset=(stop, 0))
    assert "reverse" in str(styles_at(table, 0)) or table.headings.choice.widths
    await pilot.mouse_up(table, offset=(stop, 0))


def test_a_border_and_a_heading_are_dragged():
    async def scene(pilot):
        table = pilot.app.widget
        table.show(filled(20).snapshot())
        await pilot.pause()
        header = screen_text(table)[0]
        number = screen_text(table)[1]
        await drag(pilot, table, header.index("Len"), header.index("Time"))
        shown = [ColumnName.NUMBER, ColumnName.LENGTH, ColumnName.TIME]
        assert list(table.headings.choice.shown[:3]) == shown
        assert screen_text(table)[0].split()[:3] == ["No.", "Len", "Time"]
        assert table.time_format is TimeFormat.RELATIVE
        border = screen_text(table)[0].index("Source") + 15
        await drag(pilot, table, border, border - 5)
        assert table.headings.choice.widths == {ColumnName.SOURCE: 10}
        assert screen_text(table)[1] != number
        assert not pilot.app.screen.get_selected_text()
        table.follow_tail()
        await pilot.click(table, offset=(5, 3))
        assert table.selected == 4  # the first row is scrolled away

    play(PacketTable(), scene)


def test_the_right_button_on_the_headings_asks_for_the_list():
    async def scene(pilot):
        table = pilot.app.widget
        table.show(filled(20).snapshot())
        await pilot.pause()
        await pilot.click(table, offset=(5, 0), button=3)
        assert table.time_format is TimeFormat.RELATIVE

    app = play(PacketTable(), scene)
    assert [type(message) for message in app.heard] == [Headings.ListRequested]


# -- widths ----------------------------------------------------------------------------


def test_info_can_be_shifted_while_the_other_columns_stay():
    async def scene(pilot):
        table = pilot.app.widget
        table.show(scripted_store().snapshot())
        before = screen_text(table)[5]
        assert before.endswith("…")
        table.action_shift(1)
        after = screen_text(table)[5]
        start = screen_text(table)[0].index("Info")
        assert after[:start] == before[:start]
        assert after[start : start + 5] == before[start + 8 : start + 13]
        for _ in range(50):
            table.action_shift(-1)
        assert screen_text(table)[5] == before

    play(PacketTable(), scene, size=(100, 40))


@pytest.mark.parametrize(
    ("event", "way"),
    [
        (events.MouseScrollRight, {}),
        (events.MouseScrollDown, {"shift": True}),
        (events.MouseScrollDown, {"control": True}),
    ],
)
def test_a_sideways_wheel_shifts_info_and_scrolls_nothing(event, way):
    async def scene(pilot):
        table = pilot.app.widget
        table.follow = False
        table.show(scripted_store(10).snapshot())
        await pilot.pause()
        await pilot._post_mouse_events([event], table, (5, 5), **way)
        await pilot.pause()
        assert table.shift.value == 8
        assert table.window.top == 0

    play(PacketTable(), scene, size=(100, 40))


@pytest.mark.parametrize("width", [200, 140, 100, 80, 60, 40, 30])
def test_info_is_readable_at_every_width(width):
    async def scene(pilot):
        table = pilot.app.widget
        table.show(scripted_store().snapshot())
        lines = screen_text(table)
        assert len(lines[0]) - lines[0].index("Info") >= 4
        assert width - lines[0].index("Info") >= 16
        assert "✗  25" in lines[25]

    play(PacketTable(), scene, size=(width, 40))


def test_a_long_address_is_whole_on_the_selected_row_only():
    source = "2001:db8:1111:2222:3333:4444:5555:6666"

    frame = Frame(ethernet(ipv6(source, "2001:db8::1", 59, b""), kind=0x86DD))

    async def scene(pilot):
        table = pilot.app.widget
        store = PacketStore()
        store.add_interface(ETH0)
        store.append(batch([frame] * 3))
        table.show(store.snapshot())
        lines = screen_text(table)
        assert source in lines[3]
        assert source not in lines[1]
        shown = lines[1].split()[2]
        head, tail = shown.split("…")
        assert source.startswith(head)
        assert source.endswith(tail)

    play(PacketTable(), scene, size=(100, 10))


def test_a_name_of_an_address_is_cut_on_the_selected_row_too():
    """A name may be as long as the row; the detail tree has it whole."""
    name = "a-host-with-a-long-name.in-a-long-domain.example-organization.example"
    names = NameTable(1, {"192.0.2.1": name})

    async def scene(pilot):
        widget = pilot.app.widget
        store = PacketStore()
        store.add_interface(ETH0)
        store.append(batch([Frame(udp("192.0.2.1", "192.0.2.1", (9, 9), b""))] * 3))
        widget.rows.has_names = True
        widget.show(store.snapshot(), replace(NOT_ANALYZED, names=names))
        lines = screen_text(widget)
        heading, other, selected = lines[0], lines[1], lines[3]
        assert selected.count("a-host-with-…") == 2
        behind_time = heading.index("Source")
        assert selected[behind_time:] == other[behind_time:]
        assert selected.index("UDP") == heading.index("Proto")

    play(PacketTable(), scene, size=(80, 10))


def test_columns_never_get_narrower():
    async def scene(pilot):
        table = pilot.app.widget
        store = scripted_store()
        table.follow = False
        table.show(store.snapshot())
        table.action_move("first")
        start = screen_text(table)[0].index("Info")
        add(store, 300)
        table.show(store.snapshot())
        table.action_move("last")
        assert screen_text(table)[0].index("Info") >= start

    play(PacketTable(), scene, size=(120, 8))


# -- colors ---------------------------------------------------------------------------


def test_a_theme_change_repaints_in_the_new_colors():
    async def scene(pilot):
        table = pilot.app.widget
        table.show(scripted_store().snapshot())
        await pilot.pause()
        before = styles_at(table, 25)
        pilot.app.theme = "textual-light"
        await pilot.pause()
        assert [text for text, _ in styles_at(table, 25)] == [text for text, _ in before]
        assert styles_at(table, 25) != before

    play(PacketTable(), scene, size=(120, 40))


def test_an_alarm_keeps_its_color_under_the_cursor():
    async def scene(pilot):
        table = pilot.app.widget
        table.show(scripted_store().snapshot())
        table.select(BAD_CHECKSUM)
        await pilot.pause()
        line = table.build_line(table.rows.row_of(BAD_CHECKSUM))
        (style,) = [segment.style for segment in line if segment.text == "✗"]
        assert style == rule_style(FAULT, table.component)
        assert style != table.component("packet-table--cursor")

    play(PacketTable(), scene, size=(120, 40))


def test_the_cursor_can_be_seen_in_every_theme():
    async def scene(pilot):
        table = pilot.app.widget
        table.show(filled(5).snapshot())
        for theme in pilot.app.available_themes:
            pilot.app.theme = theme
            await pilot.pause()
            cursor = table.component("packet-table--cursor")
            assert cursor != table.component("packet-table--plain")
            assert cursor.color != cursor.bgcolor or cursor.reverse

    play(PacketTable(), scene, size=(120, 10))


# -- copying ---------------------------------------------------------------------------


def test_selected_text_is_copied_from_the_rows():
    async def scene(pilot):
        table = pilot.app.widget
        table.show(ManyPackets(5_000_000))
        table.select(4_000_000)
        await pilot.pause()
        await pilot.mouse_down(table, offset=(0, 3))
        await pilot.hover(table, offset=(40, 5))
        await pilot.mouse_up(table, offset=(40, 5))
        await pilot.pause()
        color = pilot.app.screen.get_component_rich_style("screen--selection").bgcolor
        marked = [
            any(piece.style.bgcolor == color for piece in strip)
            for strip in table.render_lines(table.size.region)
        ]
        assert [y for y, is_marked in enumerate(marked) if is_marked] == [3, 4, 5]
        text = pilot.app.screen.get_selected_text()
        assert text is not None
        lines = text.split("\n")
        assert len(lines) == 3
        assert [int(line.split()[0]) for line in lines] == numbers(table)[2:5]

    play(PacketTable(), scene)


# -- filtered packets --------------------------------------------------------------


def odd_numbers(chunk, *_):
    return np.arange(chunk.first, chunk.last + 1) % 2 == 1


def filtered(snapshot, view):
    """Return the result that the analysis publishes after it extended `view`."""
    view.forget(snapshot.first)
    view.extend(snapshot, Budget())
    return AnalyzedPackets(view.packets)


def _none(chunk, *_):
    return np.zeros(len(chunk), dtype=np.bool_)


def test_only_packets_that_pass_are_shown_and_new_ones_are_filtered():
    async def scene(pilot):
        table = pilot.app.widget
        store = filled(9)
        table.show(store.snapshot())
        view = View(odd_numbers)
        table.show(store.snapshot(), filtered(store.snapshot(), view))
        assert numbers(table) == [1, 3, 5, 7, 9]
        add(store, 4)
        table.show(store.snapshot(), filtered(store.snapshot(), view))
        assert numbers(table) == [1, 3, 5, 7, 9, 11, 13]
        assert table.selected == 13  # it follows
        table.show(store.snapshot())
        assert numbers(table) == list(range(1, 14))

    play(PacketTable(), scene)


def test_the_cursor_stays_on_its_packet_and_its_line():
    async def scene(pilot):
        table = pilot.app.widget
        snapshot = filled(400).snapshot()
        table.show(snapshot)
        table.select(201)
        at = table.cursor_line - table.window.top
        table.show(snapshot, filtered(snapshot, View(odd_numbers)))
        assert (table.selected, table.cursor_line - table.window.top) == (201, at)
        table.show(snapshot)
        assert (table.selected, table.cursor_line - table.window.top) == (201, at)

    play(PacketTable(), scene)


def test_a_packet_that_does_not_pass_gives_the_cursor_to_the_nearest():
    async def scene(pilot):
        table = pilot.app.widget
        snapshot = filled(9).snapshot()
        table.show(snapshot)
        table.select(4)
        table.show(snapshot, filtered(snapshot, View(odd_numbers)))
        assert table.selected == 5
        table.show(snapshot, filtered(snapshot, View(_none)))
        assert (table.selected, table.line_count) == (None, 0)
        table.show(snapshot)
        assert table.selected == 4

    play(PacketTable(), scene)


def test_a_cursor_that_the_user_moved_stays_while_the_filter_runs():
    async def scene(pilot):
        table = pilot.app.widget
        snapshot, view = filled(700).snapshot(), View(odd_numbers)
        table.show(snapshot)
        table.select(4)
        view.extend(snapshot, Budget(0))
        table.show(snapshot, AnalyzedPackets(view.packets, progress=0.4))
        assert table.line_count < 350
        table.action_move("down")
        assert table.selected == 7
        table.show(snapshot, filtered(snapshot, view))
        assert (table.line_count, table.selected) == (350, 7)

    play(PacketTable(), scene)


def test_the_filter_holds_for_another_capture_too():
    async def scene(pilot):
        table = pilot.app.widget
        for packets in (9, 3):
            snapshot = filled(packets).snapshot()
            table.show(snapshot, filtered(snapshot, View(odd_numbers)))
        assert numbers(table) == [1, 3]

    play(PacketTable(), scene)


def test_a_row_that_the_analysis_had_not_reached_is_drawn_again():
    async def scene(pilot):
        table = pilot.app.widget
        snapshot = scripted_store().snapshot()
        table.show(snapshot)
        before = screen_text(table)
        index = FlowIndex()
        index.extend(snapshot, Budget())
        table.show(snapshot, AnalyzedPackets(flows=index.published))
        after = screen_text(table)
        assert "[SYN] Seq=0" not in before[5]
        assert "[SYN] Seq=0" in after[5]

    play(PacketTable(), scene, size=(140, 40))
