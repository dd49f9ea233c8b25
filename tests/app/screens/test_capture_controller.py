"""The capture commands, on a scripted engine: when they act, and when they ask first."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from app.config.paths import Paths
from app.screens.dialogs.dialog import Confirm
from app.screens.dialogs.interfaces import Interfaces
from core.capture.capture_filter import CaptureFilter
from core.capture.options import CaptureOptions
from core.capture.ssh_sessions import SshSession
from core.engine.snapshot import EngineSnapshot, EngineState
from core.store.packet_store import PacketStore
from tests.helpers.idle import eventually
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import LIVE, ScriptedEngine, filled, scripted_monitor

PIPE = EngineSnapshot(EngineState.READING, file="standard input", piped=True)
FILE = EngineSnapshot(EngineState.DONE, file="/tmp/day.pcap", progress=1.0)


@asynccontextmanager
async def running(said, store=None):
    engine = ScriptedEngine(said)
    monitor = scripted_monitor(store or scripted_store(), engine)
    async with monitor.run_test(size=(120, 36)) as pilot:
        await filled(pilot)
        yield pilot, monitor.capture, engine


async def test_toggle_stops_and_restarts_on_the_same_interfaces():
    async with running(LIVE) as (_, capture, engine):
        capture.toggle()
        capture.toggle()
        assert engine.told == ["stop", CaptureOptions(("eth0",))]


async def test_one_key_leaves_out_the_session_and_captures_it_again(tmp_path):
    session = SshSession("192.0.2.17", 22, "198.51.100.7", 51522)  # on eth0
    engine = ScriptedEngine(LIVE)
    monitor = scripted_monitor(scripted_store(), engine, ssh_sessions=[session])
    async with monitor.run_test(size=(120, 36)) as pilot:
        await filled(pilot)
        await pilot.press("I")
        await eventually(lambda: engine.told, "the change")
        assert engine.told[0].expression == f"not ({session.expression})"
        await pilot.press("I")
        await eventually(lambda: len(engine.told) == 2, "the change")
        assert engine.told[1] is None


@pytest.mark.parametrize(
    ("said", "is_offered"),
    [
        (LIVE, True),
        (replace(LIVE, interfaces=("wg0",)), False),
        (replace(LIVE, capture_filter=CaptureFilter("not port 22")), False),
        (FILE, False),
    ],
)
async def test_a_capture_that_begins_with_the_session_names_the_key(said, is_offered):
    session = SshSession("192.0.2.17", 22, "198.51.100.7", 51522)  # on eth0
    monitor = scripted_monitor(scripted_store(), ScriptedEngine(said), ssh_sessions=[session])
    async with monitor.run_test(size=(120, 36)) as pilot:
        await filled(pilot)
        await eventually(lambda: not list(monitor.workers), "the offer")
        words = [one.message for one in monitor._notifications]
        assert words == ["this capture contains your SSH session: 'I' leaves it out"] * is_offered


async def test_without_a_capture_the_note_names_the_remapped_key(tmp_path):
    config = tmp_path / "config.toml"
    paths = Paths(config, tmp_path / "state.json")
    config.write_text('[keys]\n"capture.interface" = "f12"\n')
    engine = ScriptedEngine(EngineSnapshot())
    monitor = scripted_monitor(scripted_store(), engine, paths=paths)
    async with monitor.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        monitor.capture.toggle_session()
        notes = lambda: [one.message for one in monitor._notifications]  # noqa: E731
        await eventually(lambda: any("'f12' starts" in one for one in notes()), "the note")


async def test_without_a_session_in_the_capture_nothing_changes():
    async with running(LIVE) as (pilot, capture, engine):
        capture.toggle_session()
        notes = lambda: [one.message for one in pilot.app._notifications]  # noqa: E731
        await eventually(lambda: any("no SSH session" in one for one in notes()), "the note")
        assert engine.told == []


@pytest.mark.parametrize("said", [FILE, EngineSnapshot()])
async def test_toggle_asks_for_interfaces_where_none_can_be_restarted(said):
    async with running(said) as (pilot, capture, engine):
        capture.toggle()
        await pilot.pause()
        assert isinstance(pilot.app.screen, Interfaces)
        assert engine.told == []


async def test_a_capture_over_a_pipe_asks_before_its_packets_are_lost():
    async with running(PIPE) as (pilot, capture, engine):
        capture.choose_interfaces()
        await pilot.pause()
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, Confirm)
        await pilot.press("n")
        assert engine.told == []


@pytest.mark.parametrize(("said", "asks"), [(LIVE, True), (FILE, False)])
async def test_unless_lost_asks_only_about_packets_that_no_file_holds(said, asks):
    acts = []
    async with running(said) as (pilot, capture, _):
        capture.unless_lost("Open", lambda: acts.append("done"))
        await pilot.pause()
        assert isinstance(pilot.app.screen, Confirm) is asks
        if asks:
            assert acts == []
            await pilot.press("y")
        assert acts == ["done"]


async def test_without_packets_nothing_is_lost():
    acts = []
    async with running(LIVE, PacketStore()) as (_, capture, _):
        capture.unless_lost("Leave", lambda: acts.append("done"))
        assert acts == ["done"]
