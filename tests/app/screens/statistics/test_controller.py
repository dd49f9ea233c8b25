"""The statistics panel in the monitor: counted off the UI thread, and filters by its keys."""

from __future__ import annotations

import threading

from core.analysis.statistics.statistics import StatisticsCounter
from core.store.packet_store import PacketStore
from tests.helpers.idle import eventually
from tests.helpers.scripted import conversations, scripted_store
from tests.helpers.scripted_monitor import ScriptedEngine, filled, scripted_monitor
from widgets.statistics.rows import StatisticsTab


def _count(store: PacketStore) -> int:
    return store.snapshot().count


async def test_a_new_user_counts_and_filters(monkeypatch) -> None:
    threads: set[str] = set()
    add = StatisticsCounter.add

    def noted(counter, chunk) -> None:
        threads.add(threading.current_thread().name)
        add(counter, chunk)

    monkeypatch.setattr(StatisticsCounter, "add", noted)
    store, engine = scripted_store(), ScriptedEngine()
    async with scripted_monitor(store, engine).run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        assert not threads  # the panel is closed
        await pilot.press("f8")
        controller = screen.sides["statistics"]
        panel = controller.panel

        def counted(packets: int) -> bool:
            screen.poll()
            return panel.head.state.packets == packets and not panel.head.state.note

        await eventually(lambda: counted(_count(store)), "the count of all packets")
        assert panel.table.has_focus
        await pilot.press("down", "down", "enter")
        row = panel.table.selected
        assert screen.filter.text == row.expression
        shown = int(row.cells[1].replace(",", ""))
        await eventually(lambda: screen.table.line_count == shown, "the packets of the row")
        assert counted(_count(store))  # all, still
        await pilot.press("a")
        await eventually(lambda: counted(shown), "the count of the packets that pass")
        assert panel.head.state.is_filtered
        engine.store = scripted_store(rounds=2)
        await pilot.press("a")
        await eventually(lambda: counted(_count(engine.store)), "the count of another store")
    assert threads == {"rawscope analysis"}


async def test_a_range_of_time_becomes_a_filter() -> None:
    store = scripted_store()
    async with scripted_monitor(store).run_test(size=(80, 24)) as pilot:
        screen = await filled(pilot)
        await pilot.press("f8", "4")
        controller = screen.sides["statistics"]
        panel = controller.panel

        def has_bins() -> bool:
            screen.poll()
            return len(panel.plot.layout_now.bins) > 0

        await eventually(has_bins, "the plot")
        assert panel.tab is StatisticsTab.RATE
        assert panel.plot.has_focus
        await pilot.press("enter")
        assert not screen.filter.text  # no range, and a notice
        await pilot.press("right", "shift+right", "exclamation_mark")
        selected = panel.plot.selection
        assert screen.filter.text.startswith("not (frame.time_epoch >= ")
        times = store.snapshot().chunks[0].timestamp_ns
        left = (times < selected.start_ns) | (times >= selected.stop_ns)
        await eventually(lambda: screen.table.line_count == int(left.sum()), "the other packets")
        await pilot.press("escape")
        assert panel.plot.selection is None
        assert len(list(conversations())) == _count(store)
        await pilot.press("1", "left")
        assert panel.tab is StatisticsTab.RATE  # around the end
        await pilot.press("b")
        assert panel.plot.in_bits
