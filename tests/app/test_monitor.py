"""The monitor with its user: keys, mouse, dialogs, layouts, exit."""

from __future__ import annotations

import errno
import os
import tempfile
import threading
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from textual import events
from textual.widgets import DataTable, Input, Static

from app.action_commands import action_commands
from app.config.paths import Paths
from app.config.theme import read_theme
from app.screens.banner import Banner
from app.screens.dialogs.copy import Copy
from app.screens.dialogs.dialog import Confirm, Hint
from app.screens.dialogs.go_to import GoTo
from app.screens.dialogs.help import Help
from app.screens.dialogs.interfaces import Interfaces
from app.screens.key_bar import KeyBar
from core.decode.batch import CaptureInterface
from core.engine.snapshot import EngineSnapshot, EngineState, NoticeSeverity
from core.net.loop_counters import LoopCounters
from core.store.packet_store import PacketStore
from core.wire.link.link_types import LinkType
from core.wire.model.field import Span
from core.wire.model.text import safe
from tests.helpers.idle import eventually
from tests.helpers.scripted import BAD_CHECKSUM, Frame, batch, conversations, scripted_store
from tests.helpers.scripted_monitor import (
    INTERFACES,
    LIVE,
    ScriptedEngine,
    filled,
    interface,
    main,
    scripted_monitor,
)
from tests.helpers.waiting import PATIENCE_S
from widgets.packets.time_format import TimeFormat
from widgets.status.bar import StatusBar

SIZES = {"wide": (160, 45), "medium": (120, 36), "small": (80, 24), "least": (40, 10)}
LAST = len(list(conversations()))


@asynccontextmanager
async def running(size="wide", engine=None, store=None, **kwargs):
    """Run a monitor of this size; yield when it shows all packets of the store."""
    monitor = scripted_monitor(store or scripted_store(), engine or ScriptedEngine(), **kwargs)
    async with monitor.run_test(size=SIZES[size]) as pilot:
        await filled(pilot)
        yield pilot


async def test_a_capture_is_followed():
    async with running() as pilot:
        screen = main(pilot)
        assert screen.table.selected == LAST
        screen.bridge._engine.store.append(batch(list(conversations())))
        screen.poll()
        assert screen.table.selected == 2 * LAST
        assert screen.panels.selected.packet.number == 2 * LAST


async def test_a_file_starts_at_its_beginning():
    said = EngineSnapshot(EngineState.DONE, file="/tmp/day.pcap", progress=1.0)
    async with running(engine=ScriptedEngine(said)) as pilot:
        assert main(pilot).table.selected == 1
        assert "day.pcap" in bar_text(pilot)


async def test_a_pipe_is_followed_and_named():
    said = EngineSnapshot(EngineState.READING, file="standard input", piped=True)
    async with running(engine=ScriptedEngine(said)) as pilot:
        assert main(pilot).table.selected == LAST
        assert "standard input" in bar_text(pilot)


async def test_selecting_a_row_shows_its_fields_and_bytes_at_once():
    async with running() as pilot:
        screen = main(pilot)
        screen.table.select(BAD_CHECKSUM)
        packet = screen.panels.selected.packet  # no pause: a direct call
        assert packet.number == BAD_CHECKSUM
        assert screen.panels.hex.dump.data == packet.data


async def test_the_eviction_of_the_selected_packet_is_reported_once():
    store = PacketStore(limit_bytes=1 << 20)
    store.add_interface(CaptureInterface("eth0", LinkType.ETHERNET))
    frames = list(conversations()) * 20
    store.append(batch(frames))
    async with running(store=store) as pilot:
        screen = main(pilot)
        screen.table.select(3)
        for _ in range(40):
            store.append(batch(frames))
            screen.poll()
            await pilot.pause()
        assert store.snapshot().first > 3
        assert screen.table.selected == store.snapshot().first
        (notice,) = pilot.app._notifications
        assert "packet 3 was removed from memory" in notice.message


@pytest.mark.parametrize("size", ["wide", "small"])
async def test_moving_with_keys(size):
    async with running(size) as pilot:
        table = main(pilot).table
        await pilot.press("k", "up")
        assert (table.selected, table.follow) == (LAST - 2, False)
        await pilot.press("j")
        assert table.selected == LAST - 1
        await pilot.press("g")
        assert table.selected == 1
        await pilot.press("G")
        assert (table.selected, table.follow) == (LAST, True)


async def test_the_next_packet_from_the_detail_tree():
    async with running() as pilot:
        screen = main(pilot)
        await pilot.press("g", "enter", "J", "J")
        assert screen.focused is screen.panels.detail
        assert screen.panels.selected.packet.number == 3
        await pilot.press("K")
        assert screen.panels.selected.packet.number == 2


async def test_tab_goes_round_and_shows_the_panel_it_goes_to():
    async with running("small") as pilot:
        screen = main(pilot)
        assert [name for name in ("detail", "hex") if screen.query_one(f"#{name}").display] == [
            "detail"
        ]
        seen = []
        for _ in range(9):
            await pilot.press("tab")
            assert screen.focused.display
            seen.append(screen.focused.id)
        assert seen == [
            "detail", "hex", "form", "bytes", "clients", "flow-list", "stream-rows",
            "statistics-table", "packets",
        ]  # fmt: skip
        assert screen.sides["statistics"].panel.display  # the tab that was shown last stays
        await pilot.press("shift+tab")
        assert screen.focused.id == "statistics-table"
        await pilot.press("shift+tab")
        assert screen.focused.id == "stream-rows"


async def test_a_click_on_a_tab_shows_its_panel():
    async with running("small") as pilot:
        screen = main(pilot)
        await pilot.click("#tabs", offset=(12, 0))
        assert screen.focused is screen.panels.hex
        await pilot.click("#tabs", offset=(3, 0))
        assert screen.focused is screen.panels.detail


async def test_a_click_on_a_row_selects_it():
    async with running() as pilot:
        await pilot.press("g")
        await pilot.click("#packets", offset=(20, 4))
        assert main(pilot).table.selected == 4


async def test_detail_and_hex_are_linked_both_ways():
    async with running() as pilot:
        screen = main(pilot)
        screen.table.select(4)
        screen.panels.detail.select_byte(22)
        assert screen.panels.hex.highlighted == Span(22, 23)  # the time to live
        await pilot.press("tab", "tab", "g")  # the first line, in the same column
        assert screen.panels.detail.selected_row.key == "eth.src"
        assert screen.panels.hex.highlighted == Span(6, 12)


async def test_pause_keeps_the_view_and_counts_new_packets():
    async with running() as pilot:
        screen = main(pilot)
        await pilot.press("space")
        screen.bridge._engine.store.append(batch(list(conversations())))
        screen.poll()
        assert screen.shown.count == LAST
        assert screen.table.line_count == LAST
        assert f"paused (+{LAST})" in bar_text(pilot)
        assert "resume" in key_text(pilot)
        await pilot.press("space")
        assert screen.table.line_count == 2 * LAST


async def test_zoom_gives_a_panel_everything_and_escape_takes_it_back():
    async with running() as pilot:
        screen = main(pilot)
        before = screen.table.size
        await pilot.press("z")
        assert screen.table.size.height > before.height
        assert not screen.panels.display
        await pilot.press("tab")
        assert screen.panels.detail.display
        assert not screen.table.display
        assert screen.focused is screen.panels.detail
        await pilot.press("escape")
        assert screen.table.size == before


async def test_resizing_never_loses_the_selection_nor_the_focus():
    async with running() as pilot:
        screen = main(pilot)
        await pilot.press("k", "k", "enter")
        selected = screen.table.selected
        for size in [(80, 24), (40, 10), (20, 5), (1, 1), (120, 36), (40, 9), (160, 45)]:
            await pilot.resize_terminal(*size)
            assert screen.table.selected == selected
        assert screen.focused is screen.panels.detail
        await pilot.press("escape", "j")
        assert screen.table.selected == selected + 1


async def test_a_terminal_that_is_too_small_shows_the_required_size():
    async with running() as pilot:
        message = pilot.app.screen.query_one("#too-small")
        assert not message.display
        await pilot.resize_terminal(39, 24)
        assert message.display
        assert "40×10" in str(message.content)
        await pilot.resize_terminal(40, 10)
        assert not message.display


async def test_marks():
    async with running() as pilot:
        table = main(pilot).table
        await pilot.press("g", "m", "j", "j", "m", "G")
        assert table.marks == {1, 3}
        await pilot.press("right_square_bracket")
        assert table.selected == 1
        await pilot.press("right_square_bracket")
        assert table.selected == 3
        await pilot.press("left_square_bracket", "m")
        assert table.marks == {3}


async def test_time_formats_go_round():
    async with running() as pilot:
        table = main(pilot).table
        seen = []
        for _ in TimeFormat:
            seen.append(table.time_format)
            await pilot.press("t")
        assert seen == list(TimeFormat)
        assert table.time_format is TimeFormat.RELATIVE


async def test_going_to_a_packet():
    async with running() as pilot:
        await pilot.press("colon", "9", "9", "enter")
        assert isinstance(pilot.app.screen, GoTo)
        assert "no packet" in str(pilot.app.screen.query_one(Hint).content)
        pilot.app.screen.query_one(Input).value = "7"
        await pilot.press("enter")
        assert main(pilot).table.selected == 7


async def test_keys_that_need_a_packet_do_nothing_without_one():
    async with running(store=PacketStore()) as pilot:
        await pilot.press("colon", "y", "m", "enter", "j", "z", "z")
        assert pilot.app.screen.focused is not None


@pytest.mark.parametrize(
    ("keys", "copied"),
    [
        (["g"], "1  02:00:00:00:00:17 → ff:ff:ff:ff:ff:ff  ARP  42  Who has"),
        (["g", "enter", "j", "j", "j"], "Hardware type: 1 Ethernet"),
        (["g", "tab", "tab", "right"], "ffffffffffff"),
    ],
)
async def test_the_focused_panel_decides_what_is_copied_first(keys, copied):
    async with running() as pilot:
        await pilot.press(*keys, "y")
        assert isinstance(pilot.app.screen, Copy)
        await pilot.press("enter")
        assert pilot.app.clipboard.startswith(copied)


async def test_stop_and_start():
    engine = ScriptedEngine()
    async with running(engine=engine) as pilot:
        await pilot.press("ctrl+e")
        assert engine.told == ["stop"]
        main(pilot).poll()
        assert "■ stopped" in bar_text(pilot)
        assert "start" in key_text(pilot)
        await pilot.press("ctrl+e")
        assert engine.told[1].interfaces == ("eth0",)


async def test_started_with_nothing_to_watch_it_asks_for_interfaces():
    engine = ScriptedEngine(EngineSnapshot())
    async with running(engine=engine, store=PacketStore(), choose=True) as pilot:
        assert isinstance(pilot.app.screen, Interfaces)
        await pilot.press("enter")  # the first that is up and no loopback
        assert engine.told[0].interfaces == ("eth0",)


async def test_the_chooser_starts_where_the_capture_is():
    engine = ScriptedEngine(replace(LIVE, interfaces=("wg0",)))
    async with running(engine=engine) as pilot:
        await pilot.press("i", "up", "enter")
        assert engine.told[0].interfaces == ("eth0",)


async def test_several_interfaces_at_once():
    engine = ScriptedEngine(EngineSnapshot())
    async with running(engine=engine) as pilot:
        await pilot.press("i", "k", "k", "space", "j", "space", "j", "j", "space", "enter")
        assert engine.told[0].interfaces == ("lo", "wg0")  # `any` goes when another is chosen


async def test_any_excludes_other_interfaces():
    engine = ScriptedEngine(EngineSnapshot())
    async with running(engine=engine) as pilot:
        await pilot.press("i", "space", "up", "up", "space", "enter")
        assert engine.told[0].interfaces == ("any",)


async def test_an_interface_that_goes_away_is_no_longer_selected():
    engine = ScriptedEngine(EngineSnapshot())
    async with running(engine=engine) as pilot:
        await pilot.press("i", "down", "space")
        chooser = pilot.app.screen
        assert isinstance(chooser, Interfaces)
        chooser._interfaces = lambda: ()
        await chooser.fill()
        assert chooser.query_one(DataTable).row_count == 1
        await pilot.press("enter")
        assert engine.told[0].interfaces == ("any",)


async def test_the_chooser_outlives_a_kernel_that_gives_no_answer():
    """It asks the kernel in another thread than the UI thread."""
    threads = []

    def refuse():
        threads.append(threading.current_thread())
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    async with running(engine=ScriptedEngine(EngineSnapshot())) as pilot:
        await pilot.press("i", "space")
        chooser = pilot.app.screen
        answer, chooser._interfaces = chooser._interfaces, refuse
        await chooser.fill()
        trouble = chooser.query_one("#trouble", Static)
        assert str(trouble.render()) == "no list of interfaces: Too many open files; trying again"
        assert chooser.query_one(DataTable).row_count == len(INTERFACES) + 1  # as before
        assert threading.main_thread() not in threads
        chooser._interfaces = answer
        await chooser.fill()
        assert not trouble.display


async def test_the_chooser_shows_names_as_they_are():
    odd = interface("a[red]b", 7, ())
    async with running(engine=ScriptedEngine(EngineSnapshot())) as pilot:
        await pilot.press("i")
        chooser = pilot.app.screen
        chooser._interfaces = lambda: (odd,)
        await chooser.fill()
        await pilot.press("down", "space")
        assert str(chooser.query_one("#chosen").render()) == "on a[red]b"


HOSTILE = "x\x1b[2J"


@pytest.mark.parametrize(
    ("others", "shown"),
    [
        (("uplink",), "eth7 (uplink)"),
        (("enp0s7", HOSTILE), f"eth7 (enp0s7, {safe(HOSTILE)})"),
        (("a" * 127, "b", "c"), f"eth7 ({'a' * 127} +2)"),
        (tuple(f"name{number}" for number in range(9)), "eth7 (name0, name1, name2 +6)"),
    ],
)
async def test_the_chooser_shows_alternative_names(others, shown):
    info = replace(interface("eth7", 7, ()), alternative_names=others)
    engine = ScriptedEngine(EngineSnapshot())
    async with running(engine=engine) as pilot:
        await pilot.press("i")
        chooser = pilot.app.screen
        chooser._interfaces = lambda: (info,)
        await chooser.fill()
        assert str(chooser.query_one(DataTable).get_row("eth7")[1]) == shown
        assert HOSTILE not in shown
        await pilot.press("down", "enter")
        assert engine.told[0].interfaces == ("eth7",)


async def test_the_chooser_by_mouse_alone():
    engine = ScriptedEngine(EngineSnapshot())
    async with running(engine=engine) as pilot:
        await pilot.press("i")
        for line in (2, 4):  # the first is the heading
            await pilot.click(DataTable, offset=(8, line))
        await pilot.click("#capture")
        assert engine.told[0].interfaces == ("lo", "wg0")


async def test_the_captured_interface_is_selected_so_that_the_user_can_add_another():
    engine = ScriptedEngine(replace(LIVE, interfaces=("wg0",)))
    async with running(engine=engine) as pilot:
        await pilot.press("i")
        assert "● live" in str(pilot.app.screen.query_one(DataTable).get_row("wg0")[2])
        await pilot.press("up", "space", "enter")
        assert engine.told[0].interfaces == ("eth0", "wg0")


async def test_starting_over_a_file_asks_where():
    engine = ScriptedEngine(
        EngineSnapshot(EngineState.DONE, interfaces=("lo",), file="/tmp/a.pcap")
    )
    async with running(engine=engine) as pilot:
        assert "pause" not in key_text(pilot)
        assert "capture" in key_text(pilot)
        await pilot.press("space")
        assert not main(pilot).paused
        await pilot.press("ctrl+e")
        assert isinstance(pilot.app.screen, Interfaces)
        assert engine.told == []


async def test_a_path_can_be_typed_at_once():
    engine = ScriptedEngine()
    with tempfile.NamedTemporaryFile(suffix=".pcap") as made:  # a short name: each key takes time
        async with running(engine=engine, store=PacketStore()) as pilot:
            await pilot.press("o", *made.name, "enter")
            assert engine.told == [made.name]


async def test_a_dialog_shows_its_whole_text_on_the_smallest_screen():
    async with running("small") as pilot:
        await pilot.press("q")
        await pilot.resize_terminal(40, 10)
        await pilot.pause()
        words = " ".join(shown_text(pilot).replace("│", " ").split())
        assert "28 captured packets are not saved and will be lost." in words
        await pilot.resize_terminal(39, 9)
        await pilot.pause()
        assert "rawscope needs 40×10" in shown_text(pilot)


async def test_a_zoomed_hex_view_has_the_whole_width():
    async with running("wide") as pilot:
        await pilot.press("tab", "tab", "z")
        await pilot.pause()
        assert main(pilot).panels.hex.size.width > 150


async def test_the_banner_names_link_types_that_cannot_be_read():
    store = PacketStore()
    store.add_interface(CaptureInterface("wlan0", 127, 262144))
    async with running(store=store) as pilot:
        main(pilot).poll()
        banner = str(main(pilot).query_one(Banner).render())
        assert "rawscope does not read frames of IEEE802_11_RADIOTAP" in banner


async def test_complaints_about_the_configuration_are_shown_as_they_are(tmp_path):
    paths = Paths(tmp_path / "config.toml", tmp_path / "state.json")
    paths.config.write_text('[keys]\n"view[red]pause" = "p"\n')
    async with running(paths=paths) as pilot:
        (notification,) = pilot.app._notifications
        assert "view[red]pause" in notification.message
        assert not notification.markup


async def test_escape_leaves_the_chooser_alone():
    engine = ScriptedEngine()
    async with running(engine=engine) as pilot:
        await pilot.press("i", "space", "escape")
        assert pilot.app.screen is main(pilot)
        assert engine.told == []


async def test_help_shows_and_goes():
    async with running() as pilot:
        for leave in ("escape", "question_mark", "q"):
            await pilot.press("question_mark")
            assert isinstance(pilot.app.screen, Help)
            await pilot.press(leave)
            assert pilot.app.screen is main(pilot)


async def test_a_key_pressed_before_the_question_does_not_answer_it():
    async with running() as pilot:
        keys = (("y", "y"), ("right", None), ("enter", "\r"))
        typed_ahead = [events.Key(key, character) for key, character in keys]
        await pilot.press("q")
        question = pilot.app.screen
        assert isinstance(question, Confirm)
        for key in typed_ahead:
            pilot.app.post_message(key)
        await pilot.pause()
        assert pilot.app.screen is question
        await pilot.press("n")
        assert pilot.app.screen is not question


async def test_quitting_asks_once_when_captured_packets_would_be_lost():
    async with running() as pilot:
        await pilot.press("q")
        assert isinstance(pilot.app.screen, Confirm)
        await pilot.press("n")
        assert pilot.app.is_running
        await pilot.press("q", "enter")  # the focus is on staying
        assert pilot.app.is_running
        await pilot.press("q", "y")
        assert not pilot.app.is_running


async def test_quitting_twice_needs_no_answer():
    async with running() as pilot:
        await pilot.press("ctrl+q", "ctrl+q")
        assert not pilot.app.is_running


async def test_quitting_does_not_ask_over_a_file():
    said = EngineSnapshot(EngineState.DONE, file="a.pcap", progress=1.0)
    async with running(engine=ScriptedEngine(said)) as pilot:
        await pilot.press("q")
        assert not pilot.app.is_running


async def test_a_failure_is_shown_and_the_packets_stay_usable():
    engine = ScriptedEngine()
    async with running(engine=engine) as pilot:
        screen, banner = main(pilot), main(pilot).query_one(Banner)
        assert not banner.display
        engine.said = replace(
            LIVE,
            state=EngineState.FAILED,
            message="the capture thread failed",
            severity=NoticeSeverity.ERROR,
        )
        screen.poll()
        await pilot.pause()
        assert banner.display
        assert "the capture thread failed" in str(banner.render())
        assert "■ error" in bar_text(pilot)
        await pilot.press("k")
        assert screen.panels.selected.packet.number == LAST - 1
        await pilot.press("escape")
        screen.poll()
        assert not banner.display  # a message that the user closed does not come back


async def test_control_characters_of_a_message_stay_out_of_the_terminal():
    said = replace(LIVE, message="eth\x1b[2J0 went away", severity=NoticeSeverity.WARNING)
    async with running(engine=ScriptedEngine(said)) as pilot:
        assert "\x1b" not in str(pilot.app.screen.query_one(Banner).render())


async def test_the_key_bar_follows_the_focus_and_never_loses_help():
    for size in SIZES:
        async with running(size) as pilot:
            assert "detail" in key_text(pilot)
            assert key_text(pilot).rstrip().endswith("? help")
            await pilot.press("tab")
            await pilot.pause()
            assert "open/close" in key_text(pilot)
            assert len(key_text(pilot)) <= SIZES[size][0]


async def test_a_click_on_the_key_bar_presses_the_key():
    async with running() as pilot:
        x = key_text(pilot).index("pause")
        await pilot.click("#keys", offset=(x, 0))
        await pilot.pause()
        assert main(pilot).paused


async def test_keys_are_remapped(tmp_path):
    paths = Paths(tmp_path / "config.toml", tmp_path / "state.json")
    paths.config.write_text('[keys]\n"view.pause" = "f12"\n')
    async with running(paths=paths) as pilot:
        await pilot.press("space")
        assert not main(pilot).paused
        await pilot.press("f12")
        assert main(pilot).paused
        assert "f12 resume" in key_text(pilot)


async def test_a_bad_configuration_is_reported_and_the_program_runs(tmp_path):
    paths = Paths(tmp_path / "config.toml", tmp_path / "state.json")
    paths.config.write_text("[keys")
    async with running(paths=paths) as pilot:
        (notice,) = pilot.app._notifications
        assert "the defaults are used" in notice.message
        await pilot.press("space")
        assert main(pilot).paused


async def test_the_chosen_theme_is_remembered(tmp_path, monkeypatch):
    monkeypatch.delenv("TEXTUAL_THEME", raising=False)
    paths = Paths(tmp_path / "config.toml", tmp_path / "state.json")
    async with running(paths=paths) as pilot:
        assert not paths.state.exists()
        pilot.app.theme = "high-contrast"
        await pilot.pause()
        assert read_theme(paths.state) == "high-contrast"
    async with running(paths=paths) as pilot:
        assert pilot.app.theme == "high-contrast"


async def test_an_unknown_remembered_theme_is_ignored(tmp_path, monkeypatch):
    monkeypatch.delenv("TEXTUAL_THEME", raising=False)
    paths = Paths(tmp_path / "config.toml", tmp_path / "state.json")
    paths.state.write_text('{"theme": "no such theme"}')
    async with running(paths=paths) as pilot:
        assert pilot.app.theme == "textual-dark"


async def test_the_palette_runs_actions_where_they_belong():
    async with running() as pilot:
        commands = {
            command.action.name: command for command in action_commands(pilot.app, main(pilot), {})
        }
        await commands["list.first"].run()
        assert main(pilot).table.selected == 1
        await commands["view.pause"].run()
        assert main(pilot).paused
        await commands["program.help"].run()
        assert isinstance(pilot.app.screen, Help)


def bar_text(pilot) -> str:
    return pilot.app.screen_stack[0].query_one(StatusBar).render_line(0).text


def shown_text(pilot):
    """Return the text of the whole screen."""
    strips = pilot.app.screen._compositor.render_strips(pilot.app.size)
    return "\n".join(strip.text for strip in strips)


def key_text(pilot) -> str:
    return pilot.app.screen_stack[0].query_one(KeyBar).render().plain


async def test_a_screen_whose_store_has_evicted_is_filled():
    """`filled` waits for the rows of all packets that the store holds."""
    store = PacketStore(1 << 18)
    store.add_interface(CaptureInterface("eth0", LinkType.ETHERNET))
    while not store.snapshot().evicted:
        store.append(batch([Frame(bytes(60), 10)] * 500))
    held = store.snapshot().count - store.snapshot().evicted
    async with scripted_monitor(store).run_test(size=(120, 36)) as pilot:
        screen = await filled(pilot)
        assert screen.table.line_count == held


async def test_a_poll_that_finds_nothing_new_shows_nothing(monkeypatch):
    """A change of any part of the scene is shown."""
    engine = ScriptedEngine(EngineSnapshot(EngineState.DONE, file="some.pcap", progress=1.0))
    times = ["12:00:00"]
    async with running(engine=engine) as pilot:
        screen = main(pilot)
        screen.bridge._time_of_day = lambda: times[-1]
        shown = []
        show = screen.show
        monkeypatch.setattr(screen, "show", lambda scene: (shown.append(scene), show(scene)))

        def polls() -> int:
            """Return how many of three polls show something; one repeats what `show` changed."""
            shown.clear()
            for _ in range(3):
                screen.poll()
                assert screen.bridge.analysis_thread.wait(PATIENCE_S)
            return len(shown)

        await eventually(lambda: not polls(), "nothing new")
        changes = {
            "the time": lambda: times.append("12:00:01"),
            "a message": lambda: setattr(
                engine, "said", replace(engine.said, message="x", severity=NoticeSeverity.WARNING)
            ),
            "a packet": lambda: engine.store.append(batch([Frame(bytes(60), 10)])),
            "the echo server": lambda: setattr(
                engine.echo, "said", replace(engine.echo.said, message="y")
            ),
            "the forge": lambda: screen.sides["forge"].service._sender._report(error="no"),
            "a panel": lambda: setattr(screen.workspace, "zoomed", True),
            "a store": lambda: setattr(engine, "store", scripted_store()),
        }
        for what, change in changes.items():
            change()
            assert 0 < polls() < 3, what
            await eventually(lambda: not polls(), f"nothing new after {what}")
        engine.said = replace(engine.said, loop=LoopCounters())
        assert not polls(), "the counters of the worker's loop always change"
