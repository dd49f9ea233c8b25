"""The detail tree on a screen: keys, mouse, and what stays from packet to packet."""

from core.wire.dissect import dissect
from core.wire.link.link_types import LinkType
from core.wire.model.field import Span
from core.wire.present.detail import each_row
from core.wire.present.detail_row import Row, Severity
from tests.helpers.scripted import ACK, HOST, PSH, SERVER, SYN, arp, tcp, udp
from tests.widgets.stage import play, screen_text
from widgets.detail.packet_detail import PacketDetail

SEGMENT = tcp(HOST, SERVER, (1000, 80), PSH | ACK, (7, 9), b"hello")
TALL = (100, 60)


def show(view, data):
    dissection = dissect(data, 1, len(data))
    view.show(tuple(each_row(dissection)))


def selected_key(view):
    return view.selected_row.key


def select(view, key):
    for line in range(view.line_count):
        view.move_to_line(line)
        if selected_key(view) == key:
            return
    raise AssertionError(f"no visible row {key}")


def line_with(view, words):
    found = [y for y, text in enumerate(screen_text(view)) if words in text]
    assert found, f"{words!r} is not on the screen"
    return found[0]


def test_network_and_transport_are_open_at_first_and_parts_closed():
    async def scene(pilot):
        view = pilot.app.widget
        show(view, SEGMENT)
        text = "\n".join(screen_text(view))
        assert "▸ Ethernet" in text
        assert "▾ Internet Protocol version 4" in text
        assert "▾ Transmission Control Protocol" in text
        assert "▸ Flags" in text
        assert "Synchronize" not in text

    play(PacketDetail(), scene, size=TALL)


def test_opened_rows_stay_open_in_the_next_packet():
    async def scene(pilot):
        view = pilot.app.widget
        show(view, SEGMENT)
        select(view, "tcp.flags")
        view.action_expand()
        select(view, "ip")
        view.action_collapse()
        lines = view.line_count
        show(view, tcp(HOST, SERVER, (2000, 80), SYN, (1, 0)))
        keys = [line.row.key for line in view.model.lines]
        assert "tcp.flags.syn" in keys
        assert "ip.ttl" not in keys
        show(view, SEGMENT)
        assert view.line_count == lines

    play(PacketDetail(), scene, size=TALL)


def test_the_same_field_stays_selected_and_comes_back():
    spans = []

    async def scene(pilot):
        view = pilot.app.widget
        show(view, SEGMENT)
        select(view, "tcp.dstport")
        view.watch(view, "selected_span", lambda span: spans.append(span), init=False)
        show(view, tcp(HOST, SERVER, (2000, 80), SYN, (1, 0)))
        assert selected_key(view) == "tcp.dstport"
        show(view, arp(1))
        assert selected_key(view) != "tcp.dstport"
        show(view, SEGMENT)
        assert selected_key(view) == "tcp.dstport"

    play(PacketDetail(), scene, size=TALL)
    assert spans[0] == spans[2] == Span(36, 38)  # set again although the bytes are the same
    assert len(spans) == 3


def test_every_byte_selects_a_row_that_holds_it():
    async def scene(pilot):
        view = pilot.app.widget
        show(view, SEGMENT)
        for offset in range(len(SEGMENT)):
            view.select_byte(offset)
            assert offset in view.selected_span
            assert view.cursor_line in view.window.lines
        keys = {}
        for offset in (0, 14, 22, 24, 25, 36, 47, 50, 56):
            view.select_byte(offset)
            keys[offset] = selected_key(view)
        assert keys == {
            0: "eth.dst",
            14: "ip.version",
            22: "ip.ttl",
            24: "ip.checksum",  # not the caveat below it
            25: "ip.checksum",
            36: "tcp.dstport",
            47: "tcp.flags",  # eight flags share the byte
            50: "tcp.checksum",
            56: "data",
        }

    play(PacketDetail(), scene)


def test_a_byte_outside_of_everything_changes_nothing():
    async def scene(pilot):
        view = pilot.app.widget
        show(view, SEGMENT)
        select(view, "ip.ttl")
        view.select_byte(len(SEGMENT) + 5)
        assert selected_key(view) == "ip.ttl"

    play(PacketDetail(), scene, size=TALL)


def test_mouse_selects_and_arrows_open():
    async def scene(pilot):
        view = pilot.app.widget
        show(view, SEGMENT)
        y = line_with(view, "Ethernet")
        await pilot.click(view, offset=(20, y))
        assert selected_key(view) == "eth"
        assert "Destination" not in screen_text(view)[y + 1]
        await pilot.click(view, offset=(0, y))
        assert "Destination" in screen_text(view)[y + 1]
        await pilot.click(view, offset=(1, y))
        assert "Destination" not in screen_text(view)[y + 1]
        await pilot.click(view, offset=(30, y), times=2)
        assert "Destination" in screen_text(view)[y + 1]

    play(PacketDetail(), scene, size=TALL)


def test_left_and_right_walk_the_tree():
    async def scene(pilot):
        view = pilot.app.widget
        show(view, SEGMENT)
        select(view, "tcp.flags")
        view.action_expand()
        view.action_expand()
        inside = selected_key(view)
        assert inside.startswith("tcp.flags.")
        view.action_collapse()
        assert selected_key(view) == "tcp.flags"
        view.action_collapse()
        view.action_collapse()
        assert selected_key(view) == "tcp"
        view.action_toggle_row()
        view.action_toggle_row()
        assert selected_key(view) == "tcp"

    play(PacketDetail(), scene, size=TALL)


def test_the_selected_field_stays_on_its_line_of_the_screen():
    async def scene(pilot):
        view = pilot.app.widget
        show(view, SEGMENT)
        select(view, "tcp.window_size_value")
        where = view.cursor_line - view.window.top
        assert view.window.top > 0
        for data in (udp(HOST, SERVER, (1, 2), b"x"), SEGMENT, SEGMENT):
            show(view, data)
        assert selected_key(view) == "tcp.window_size_value"
        assert view.cursor_line - view.window.top == where

    play(PacketDetail(), scene, size=(100, 10))


def test_values_do_not_jump_from_packet_to_packet():
    async def scene(pilot):
        view = pilot.app.widget
        show(view, SEGMENT)
        column = screen_text(view)[line_with(view, "Time to live")].index("64")
        for data in (arp(1), udp(HOST, SERVER, (1, 2), b"x"), SEGMENT):
            show(view, data)
        assert screen_text(view)[line_with(view, "Time to live")].index("64") == column

    play(PacketDetail(), scene, size=TALL)


def test_a_flaw_shows_through_a_closed_row():
    wrong = tcp(HOST, SERVER, (1000, 80), ACK, (7, 9), b"hello", wrong=1)

    async def scene(pilot):
        view = pilot.app.widget
        show(view, wrong)
        assert "✗ bad" in "\n".join(screen_text(view))
        select(view, "tcp")
        view.action_collapse()
        assert screen_text(view)[line_with(view, "Transmission")].endswith("✗")
        show(view, SEGMENT)
        assert not screen_text(view)[line_with(view, "Transmission")].endswith("✗")

    play(PacketDetail(), scene, size=TALL)


def test_hostile_text_never_reaches_the_screen_raw():
    evil = "\x1b[2J\x07\x9b\u202e\r\n"
    rows = (Row("x", evil, evil, evil, Span(0, 1), Severity.ERROR, (Row("x.y", evil, evil),)),)

    async def scene(pilot):
        view = pilot.app.widget
        view.show(rows)
        view.action_expand()
        for strip in view.render_lines(view.size.region):
            assert strip.cell_length == view.size.width
            assert not set(strip.text) & set(evil) - set("[2J")

    play(PacketDetail(), scene)


def test_no_packet_shows_nothing_and_has_no_bytes():
    async def scene(pilot):
        view = pilot.app.widget
        show(view, SEGMENT)
        view.show(())
        assert view.selected_span is None
        assert view.selected_row is None
        assert not any(screen_text(view))
        for motion in ("up", "down", "page_up", "page_down", "first", "last"):
            view.action_move(motion)
        view.action_expand()
        view.action_collapse()
        view.action_toggle_row()
        view.select_byte(3)

    play(PacketDetail(), scene)


def test_long_lines_can_be_shifted_and_no_further_than_their_end():
    row = Row("x", "label", "v" * 200 + "END", span=Span(0, 1))

    async def scene(pilot):
        view = pilot.app.widget
        view.show((row,))
        assert "END" not in screen_text(view)[0]
        for _ in range(100):
            view.action_shift(1)
        assert screen_text(view)[0].endswith("END")
        for _ in range(100):
            view.action_shift(-1)
        assert "label" in screen_text(view)[0]

    play(PacketDetail(), scene, size=(60, 10))


def test_a_cut_line_is_marked_but_copied_whole():
    row = Row("x", "label", "0x66c3", "a meaning that is so long that it cannot be there")

    async def scene(pilot):
        view = pilot.app.widget
        view.show((row, row))
        for line in screen_text(view)[:2]:  # the first one is under the cursor
            assert line.endswith("…")
        assert "0x66c3  a meaning" in screen_text(view)[1]  # no padding before it
        assert view.build_line(1).text.endswith("cannot be there")

    play(PacketDetail(), scene, size=(60, 10))


def test_the_reason_why_decoding_stopped_is_shown_in_full():
    async def scene(pilot):
        view = pilot.app.widget
        dissection = dissect(SEGMENT[:40], LinkType.ETHERNET, len(SEGMENT))
        view.show(tuple(each_row(dissection)))
        lines = screen_text(view)
        first = next(n for n, line in enumerate(lines) if "Cut short by the snap length" in line)
        assert dissection.stop.reason in lines[first + 1]
        assert not any(line.endswith("…") for line in lines[first : first + 3])

    play(PacketDetail(), scene, size=(64, 40))


def test_resize_keeps_the_selection_on_the_screen():
    async def scene(pilot):
        view = pilot.app.widget
        show(view, SEGMENT)
        select(view, "tcp.window_size_value")
        for size in ((100, 5), (40, 8), (140, 40)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert selected_key(view) == "tcp.window_size_value"
            assert view.cursor_line in view.window.lines

    play(PacketDetail(), scene, size=TALL)


def test_labels_get_their_width_back_after_a_narrow_window():
    """Also if the packet shown then has short labels only."""
    long = (Row("a", "a label of about thirty cells", "value"),)
    short = (Row("b", "b", "value"),)

    async def scene(pilot):
        view = pilot.app.widget
        view.show(long)
        before = screen_text(view)[0].index("value")
        await pilot.resize_terminal(30, 10)
        view.show(short)
        assert screen_text(view)[0].index("value") < before
        await pilot.resize_terminal(100, 10)
        assert screen_text(view)[0].index("value") == before

    play(PacketDetail(), scene, size=(100, 10))
