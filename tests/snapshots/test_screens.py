"""Pictures of the screens with a scripted capture. Accept a change with --snapshot-update."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.pilot import Pilot

from app.config.paths import Paths
from app.screens.dialogs.dialog import Hint
from core.capture.ssh_sessions import SshSession
from core.decode.batch import CaptureInterface
from core.engine.snapshot import EngineSnapshot, EngineState, NoticeSeverity
from core.recording.state import RecordingState, RecordingStatus
from core.store.packet_store import PacketStore
from core.wire.link.link_types import LinkType
from tests.core.analysis.names.messages import A, record, response
from tests.helpers.idle import eventually
from tests.helpers.scripted import (
    BAD_CHECKSUM,
    DNS_ANSWER,
    MALFORMED,
    Frame,
    batch,
    conversations,
    ethernet,
    ipv6,
    scripted_store,
    udp,
)
from tests.helpers.scripted_monitor import LIVE, ScriptedEngine, filled, main, scripted_monitor

WIDE, MEDIUM, SMALL, LEAST = (160, 45), (120, 36), (80, 24), (40, 10)


def going_to(number: int, *keys: str):
    """Wait until the table is filled, select a packet, press keys."""

    async def act(pilot: Pilot) -> None:
        screen = await filled(pilot)
        if number:
            screen.table.select(number)
        for key in keys:
            await pilot.press(key)
        await pilot.pause()

    return act


@pytest.mark.parametrize("size", [WIDE, MEDIUM, SMALL, LEAST], ids=lambda size: f"{size[0]}")
def test_main(snap_compare, size):
    monitor = scripted_monitor(scripted_store())
    assert snap_compare(monitor, terminal_size=size, run_before=going_to(DNS_ANSWER))


@pytest.mark.parametrize("theme", ["high-contrast", "textual-light"])
def test_theme(snap_compare, theme, tmp_path):
    paths = Paths(tmp_path / "config.toml", tmp_path / "state.json")

    async def act(pilot: Pilot) -> None:
        pilot.app.theme = theme
        await going_to(BAD_CHECKSUM, "enter")(pilot)

    monitor = scripted_monitor(scripted_store(), paths=paths)
    assert snap_compare(monitor, terminal_size=WIDE, run_before=act)


def test_bad_checksum(snap_compare):
    act = going_to(BAD_CHECKSUM, "enter", "G", "k", "k")
    assert snap_compare(scripted_monitor(scripted_store()), terminal_size=WIDE, run_before=act)


def test_malformed(snap_compare):
    act = going_to(MALFORMED, "enter", "G")
    assert snap_compare(scripted_monitor(scripted_store()), terminal_size=WIDE, run_before=act)


def test_paused(snap_compare):
    async def act(pilot: Pilot) -> None:
        await going_to(20, "space")(pilot)
        store.append(batch(list(conversations())))
        main(pilot).poll()
        await pilot.pause()

    store = scripted_store()
    assert snap_compare(scripted_monitor(store), terminal_size=MEDIUM, run_before=act)


def test_recording(snap_compare):
    state = RecordingState(RecordingStatus.RECORDING, "trace.pcapng", 12_345_678, 1, 28)
    monitor = scripted_monitor(scripted_store(), ScriptedEngine(replace(LIVE, recording=state)))
    assert snap_compare(monitor, terminal_size=MEDIUM, run_before=going_to(DNS_ANSWER))


def test_empty(snap_compare):
    engine = ScriptedEngine(replace(LIVE, captured=0, received=0))
    monitor = scripted_monitor(PacketStore(), engine)
    assert snap_compare(monitor, terminal_size=MEDIUM)


def test_error(snap_compare):
    said = replace(
        LIVE,
        state=EngineState.FAILED,
        message="eth0: the interface was deleted; what was captured is kept",
        severity=NoticeSeverity.ERROR,
    )
    monitor = scripted_monitor(scripted_store(), ScriptedEngine(said))
    assert snap_compare(monitor, terminal_size=MEDIUM, run_before=going_to(0))


def test_file_cut_short(snap_compare):
    said = EngineSnapshot(
        EngineState.DONE,
        message="cut short at byte 8,192: the last packet is not whole",
        severity=NoticeSeverity.WARNING,
        file="/var/tmp/night.pcapng",
        progress=1.0,
        damaged=True,
    )
    monitor = scripted_monitor(scripted_store(), ScriptedEngine(said))
    assert snap_compare(monitor, terminal_size=SMALL, run_before=going_to(0))


def test_hex_tab(snap_compare):
    act = going_to(DNS_ANSWER, "tab", "tab", "right", "down")
    assert snap_compare(scripted_monitor(scripted_store()), terminal_size=SMALL, run_before=act)


def test_zoomed_detail(snap_compare):
    act = going_to(5, "tab", "z")
    assert snap_compare(scripted_monitor(scripted_store()), terminal_size=MEDIUM, run_before=act)


@pytest.mark.parametrize("size", [MEDIUM, LEAST], ids=lambda size: f"{size[0]}")
def test_interfaces(snap_compare, size):
    monitor = scripted_monitor(PacketStore(), ScriptedEngine(EngineSnapshot()), choose=True)
    press = ["space", "down"]
    assert snap_compare(monitor, terminal_size=size, press=press)


def test_capture_filter_with_an_error(snap_compare):
    session = SshSession("192.0.2.17", 22, "198.51.100.7", 51522)  # on eth0
    engine = ScriptedEngine(EngineSnapshot())
    monitor = scripted_monitor(PacketStore(), engine, choose=True, ssh_sessions=[session])

    async def act(pilot: Pilot) -> None:
        await eventually(lambda: pilot.app.screen.query_one("#not-ssh").display, "the switch")
        await pilot.press("s", "f", *"tcp prot 443")
        hint = pilot.app.screen.query_one(Hint)
        await eventually(lambda: "syntax error" in str(hint.content), "the error")
        await pilot.pause()

    assert snap_compare(monitor, terminal_size=MEDIUM, run_before=act)


@pytest.mark.parametrize("size", [WIDE, MEDIUM, SMALL], ids=lambda size: f"{size[0]}")
def test_help(snap_compare, size):
    act = going_to(DNS_ANSWER, "question_mark")
    assert snap_compare(scripted_monitor(scripted_store()), terminal_size=size, run_before=act)


def columns(tmp_path) -> Paths:
    """Return the files of a user who chose other columns."""
    paths = Paths(tmp_path / "config.toml", tmp_path / "state.json")
    paths.config.write_text(
        '[table]\ncolumns = ["No.", "Source", "Destination", "ip.ttl", "tcp.window_size_value",'
        ' "tcp.options.mss_val", "Info"]\nspare = ["udp.length"]\nwidths = {"ip.ttl" = 8}\n'
    )
    return paths


def test_other_columns(snap_compare, tmp_path):
    monitor = scripted_monitor(scripted_store(), paths=columns(tmp_path))
    assert snap_compare(monitor, terminal_size=MEDIUM, run_before=going_to(DNS_ANSWER))


def test_columns(snap_compare, tmp_path):
    monitor = scripted_monitor(scripted_store(), paths=columns(tmp_path))
    assert snap_compare(monitor, terminal_size=SMALL, run_before=going_to(0, "f3", "j", "j"))


def test_columns_without_room(snap_compare, tmp_path):
    """A field that is empty in all packets gives way to others; the headings count both."""
    paths = columns(tmp_path)
    paths.config.write_text(
        '[table]\ncolumns = ["No.", "Time", "Source", "Destination", "Proto", "Len",'
        ' "process.name", "tcp.window_size_value", "Info"]\n'
    )
    monitor = scripted_monitor(scripted_store(), paths=paths)
    assert snap_compare(monitor, terminal_size=SMALL, run_before=going_to(DNS_ANSWER))


@pytest.fixture
def long_addresses() -> PacketStore:
    """Return packets between hosts with long addresses, and between one and another router."""
    hosts = "2001:db8:1111:2222:3333:4444:5555:6666", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff"
    frames = [Frame(ethernet(ipv6(*hosts, 59, b""), kind=0x86DD))] * 9
    frames.append(Frame(udp("192.168.100.1", "192.168.100.254", (9, 9), b"")))
    store = PacketStore()
    store.add_interface(CaptureInterface("eth0", LinkType.ETHERNET))
    store.append(batch(frames))
    return store


def test_long_addresses(snap_compare, long_addresses):
    monitor = scripted_monitor(long_addresses)
    assert snap_compare(monitor, terminal_size=SMALL, run_before=going_to(10))


def test_long_names(snap_compare, long_addresses):
    """The selected row cuts them, too."""
    name = "a-router-with-a-long-name.example-organization.example"
    answer = response(name, record(name, A, bytes([192, 168, 100, 254])))
    frame = Frame(udp("192.168.100.254", "192.168.100.1", (53, 4_000), answer))
    long_addresses.append(batch([frame]))

    async def act(pilot: Pilot) -> None:
        await going_to(10)(pilot)
        screen = main(pilot)
        rows = screen.table.rows
        await eventually(lambda: rows.names.hosts, "the name", screen.poll)
        await pilot.press("f9")
        screen.app.clear_notifications()
        await pilot.pause()

    monitor = scripted_monitor(long_addresses)
    assert snap_compare(monitor, terminal_size=SMALL, run_before=act)


def test_copy(snap_compare):
    act = going_to(DNS_ANSWER, "enter", "j", "j", "y")
    assert snap_compare(scripted_monitor(scripted_store()), terminal_size=MEDIUM, run_before=act)


def test_filter_menu(snap_compare):
    async def act(pilot: Pilot) -> None:
        await going_to(BAD_CHECKSUM)(pilot)
        main(pilot).filter.apply("tcp")
        table = main(pilot).table
        await pilot.pause()
        line = table.cursor_line - table.window.top + table.HEADER_LINES
        await pilot.click(table, offset=(20, line), button=3)
        await pilot.pause()

    monitor = scripted_monitor(scripted_store())
    assert snap_compare(monitor, terminal_size=SMALL, run_before=act)


def test_menu(snap_compare):
    act = going_to(DNS_ANSWER, "f10")
    assert snap_compare(scripted_monitor(scripted_store()), terminal_size=SMALL, run_before=act)


def test_go_to(snap_compare):
    act = going_to(DNS_ANSWER, "colon", "9", "9", "enter")
    assert snap_compare(scripted_monitor(scripted_store()), terminal_size=SMALL, run_before=act)


def test_leave(snap_compare):
    act = going_to(DNS_ANSWER, "q")
    assert snap_compare(scripted_monitor(scripted_store()), terminal_size=SMALL, run_before=act)


def test_too_small(snap_compare):
    assert snap_compare(scripted_monitor(scripted_store()), terminal_size=(39, 9))


def test_colors(snap_compare):
    act = going_to(DNS_ANSWER, "f6", "down")
    assert snap_compare(scripted_monitor(scripted_store()), terminal_size=MEDIUM, run_before=act)


def test_search(snap_compare):
    """The dialog with an error, over the line with the result of the search before."""
    act = going_to(1, "right_curly_bracket", "g", "n", "ctrl+f", "down", *"47g")
    assert snap_compare(scripted_monitor(scripted_store()), terminal_size=MEDIUM, run_before=act)


def test_time_reference(snap_compare):
    act = going_to(DNS_ANSWER, "T", "right_parenthesis", "g", "n")
    assert snap_compare(scripted_monitor(scripted_store()), terminal_size=MEDIUM, run_before=act)


@pytest.mark.parametrize("size", [MEDIUM, SMALL], ids=lambda size: f"{size[0]}")
def test_save(snap_compare, size):
    of_file = EngineSnapshot(EngineState.DONE, file="/tmp/day.pcap", progress=1.0)
    monitor = scripted_monitor(scripted_store(), ScriptedEngine(of_file))
    act = going_to(DNS_ANSWER, "m", "w")
    assert snap_compare(monitor, terminal_size=size, run_before=act)
