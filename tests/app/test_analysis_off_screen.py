"""No predicate, color rule, or search for handshakes runs on the UI thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from app.screens.dialogs.copy import Copy
from core.analysis.color_rules.rule_matcher import RuleMatcher
from core.analysis.filter.packet_filter import PacketFilter
from core.analysis.tcp.flow_index import FlowIndex
from core.store.filtered_view import View
from tests.core.decode.frames import udp_frame
from tests.core.decode.support import batch_of
from tests.helpers.idle import eventually
from tests.helpers.scripted_echo import PACKETS_EACH, echo_snapshot, echo_store
from tests.helpers.scripted_echo_monitor import LO
from tests.helpers.scripted_monitor import ScriptedEngine, filled, scripted_monitor

PORTIONS = 6
PORTION = 40_000  # packets
SCANS = (
    (PacketFilter, "__call__"),
    (View, "_add"),
    (FlowIndex, "_add"),
    (RuleMatcher, "match"),
)


def _record(monkeypatch, scans: dict[str, set[int]]) -> None:
    """Note the thread of every call of `SCANS`."""
    for owner, name in SCANS:
        original: Callable[..., Any] = getattr(owner, name)
        threads = scans.setdefault(f"{owner.__name__}.{name}", set())

        def recorded(
            *given: Any,
            original: Callable[..., Any] = original,
            threads: set[int] = threads,
        ) -> Any:
            threads.add(threading.get_ident())
            return original(*given)

        monkeypatch.setattr(owner, name, recorded)


async def test_filtering_copying_and_scrolling_scan_on_the_analysis_thread(monkeypatch):
    """The store has many chunks, and grows meanwhile."""
    scans: dict[str, set[int]] = {}
    _record(monkeypatch, scans)
    store = echo_store()
    for _ in range(PORTIONS):
        store.append(batch_of([udp_frame()] * PORTION))
    assert len(store.snapshot().chunks) > PORTIONS / 2
    monitor = scripted_monitor(store, ScriptedEngine(LO, echo_snapshot()))
    async with monitor.run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        await pilot.press("home", "pagedown", "pagedown", "end", "pageup", "home")
        await pilot.press("y")
        assert isinstance(pilot.app.screen, Copy)
        await pilot.press("escape")
        await pilot.press("e", "j")
        await eventually(lambda: screen.table.line_count == PACKETS_EACH, "the filter")
        store.append(batch_of([udp_frame()] * PORTION))
        screen.poll()
        assert screen.table.line_count == PACKETS_EACH
        await pilot.press("escape", "escape")  # the panel, the filter
        held = store.snapshot().count
        await eventually(lambda: screen.table.line_count == held, "all packets", screen.poll)
    assert all(scans.values()), scans
    for threads in scans.values():
        assert threading.get_ident() not in threads


async def test_a_long_filter_shows_its_progress_and_escape_cancels_it(monkeypatch):
    """The table keeps its rows until the first packets were seen."""
    gate, asked = threading.Event(), []

    def slow(_: PacketFilter, chunk: Any, *_context: Any) -> Any:
        asked.append(chunk.first)
        assert gate.wait(60)
        return chunk.captured == 0

    monkeypatch.setattr(PacketFilter, "__call__", slow)
    store = echo_store()
    for _ in range(PORTIONS):
        store.append(batch_of([udp_frame()] * PORTION))
    monitor = scripted_monitor(store, ScriptedEngine(LO, echo_snapshot()))
    async with monitor.run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        held = screen.table.line_count
        monitor.bridge.analysis.patience_s = 0
        await pilot.press("e", "j")
        count = screen.filter.bar.count
        await eventually(lambda: "0%" in str(count.render()), "the progress")
        assert screen.table.line_count == held
        await eventually(lambda: asked, "the first piece")
        await pilot.press("escape", "escape")  # the panel, the filter
        gate.set()
        await eventually(monitor.bridge.analysis_thread.is_idle, "the end of the scan")
        assert str(count.render()) == ""
        assert (screen.table.line_count, len(asked)) == (held, 1)
