"""A paused view and the store's bound: the memory of one store, and every loss counted."""

from __future__ import annotations

import weakref
from contextlib import asynccontextmanager

import pytest

from app.keymap import ACTIONS, KeyContext
from app.screens.dialogs.copy import Copy
from app.screens.dialogs.help import Help
from core.decode.batch import CaptureInterface
from core.store.packet_store import PacketStore
from core.wire.link.link_types import LinkType
from tests.helpers.idle import eventually
from tests.helpers.scripted import batch, conversations
from tests.helpers.scripted_monitor import main, scripted_monitor
from widgets.status.bar import StatusBar

FRAMES = list(conversations()) * 20
LIMIT = 1 << 20
OVER_IT = (
    KeyContext.LIST,
    KeyContext.TABLE,
    KeyContext.DETAIL,
    KeyContext.HEX,
    KeyContext.PANELS,
    KeyContext.MAIN,
)
LEAVING = {"capture.open", "capture.toggle", "capture.interface"}  # they replace the packets


class Load:
    """A small store, and weak references to every chunk that it ever held."""

    def __init__(self) -> None:
        self.store = PacketStore(LIMIT)
        self.store.add_interface(CaptureInterface("eth0", LinkType.ETHERNET))
        self.seen: list[weakref.ref] = []
        self.add()

    def add(self) -> None:
        self.store.append(batch(FRAMES))
        self.seen += [weakref.ref(chunk.data) for chunk in self.store.snapshot().chunks]

    def alive_bytes(self) -> int:
        """Return the bytes of frames that are still in memory, in the store or elsewhere."""
        alive = {id(data): len(data) for ref in self.seen if (data := ref()) is not None}
        return sum(alive.values())

    def replace_store(self) -> None:
        """Add packets until all former ones are evicted."""
        last = self.store.snapshot().count
        while self.store.snapshot().first <= last:
            self.add()


@asynccontextmanager
async def paused(size=(160, 45)):
    """Run a monitor that is paused on a full store."""
    load = Load()
    while not load.store.snapshot().evicted:
        load.add()
    async with scripted_monitor(load.store).run_test(size=size) as pilot:
        screen = main(pilot)
        screen.poll()
        screen.table.select(load.store.snapshot().count)
        await pilot.press("space")
        assert screen.paused
        yield pilot, load


def bar_text(pilot) -> str:
    return pilot.app.screen_stack[0].query_one(StatusBar).render_line(0).text


def held_bytes(snapshot) -> int:
    return sum(len(chunk.data) for chunk in snapshot.chunks)


async def test_a_paused_view_keeps_no_evicted_chunk():
    async with paused() as (pilot, load):
        screen = main(pilot)
        count, rows = screen.shown.count, screen.table.line_count
        while screen.shown.chunks:
            load.add()
            screen.poll()
            newest = load.store.snapshot()
            assert screen.shown.first == min(newest.first, count + 1)
            assert held_bytes(screen.shown) <= held_bytes(newest)
            assert load.alive_bytes() <= LIMIT + 3 * len(newest.chunks[-1].data)
        assert (screen.shown.count, screen.table.line_count) == (count, rows)


async def test_evicted_packets_of_a_paused_view_say_so_and_are_counted():
    async with paused() as (pilot, load):
        screen = main(pilot)
        first, count = screen.shown.first, screen.shown.count
        assert "‖ paused (+0)" in bar_text(pilot)
        while screen.shown.first == first:
            load.add()
            screen.poll()
        arrived, lost = load.store.snapshot().count - count, screen.shown.first - first
        assert f"‖ paused (+{arrived:,}; {lost:,} evicted)" in bar_text(pilot)
        load.replace_store()
        screen.poll()
        assert f"; {count + 1 - first:,} evicted)" in bar_text(pilot)
        strips = screen.table.render_lines(screen.table.size.region)
        assert all("evicted" in strip.text for strip in strips[1:])
        await pilot.press("space")
        assert "paused" not in bar_text(pilot)
        assert screen.table.rows.held_count == screen.table.line_count > 0
        assert screen.table.selected == load.store.snapshot().first
        await pilot.press("space")
        assert "‖ paused (+0)" in bar_text(pilot)


async def test_the_selected_packet_stays_to_be_read_and_copied():
    async with paused() as (pilot, load):
        screen = main(pilot)
        number = screen.table.selected
        data, tree = screen.panels.selected.packet.data, screen.panels.detail.line_count
        load.replace_store()
        screen.poll()
        assert screen.table.selected == number
        assert (screen.panels.selected.packet.data, screen.panels.detail.line_count) == (data, tree)
        await pilot.press("y")
        assert isinstance(pilot.app.screen, Copy)
        assert f"{number}  " in pilot.app.screen.choices[0][1]
        await pilot.press("escape", "k")  # to a row whose packet is evicted
        assert screen.table.selected == number - 1
        assert screen.panels.selected is None
        assert not pilot.app._notifications


@pytest.mark.parametrize("gone", ["some", "all"])
async def test_every_key_works_over_evicted_rows(gone):
    async with paused() as (pilot, load):
        screen = main(pilot)
        first = screen.shown.first
        while screen.shown.first == first:
            load.add()
            screen.poll()
        if gone == "all":
            load.replace_store()
        for action in ACTIONS:
            if action.place not in OVER_IT or not action.keys or action.name in LEAVING:
                continue
            screen.workspace.focus_panel("packets")
            screen.table.move_to_line(0)
            screen.poll()
            asks = action.name == "packets.resend" and screen.panels.selected is not None
            await pilot.press(action.keys.split(",")[0])
            if asks:  # from another thread
                await eventually(lambda: len(pilot.app.screen_stack) == 2, "the question")
            for _ in pilot.app.screen_stack[1:]:
                await pilot.press("escape")
            await eventually(lambda: len(pilot.app.screen_stack) == 1, action.name)
            screen.paused = True
        assert pilot.app._exception is None
        assert screen.bridge._engine.told == []


async def test_a_window_over_the_screen_holds_no_old_store():
    async with paused() as (pilot, load):
        screen = main(pilot)
        await pilot.press("space", "question_mark")
        assert isinstance(pilot.app.screen, Help)
        load.replace_store()
        await eventually(lambda: screen.shown is load.store.snapshot(), "the new store")
        assert screen.table.rows.snapshot is screen.shown is load.store.snapshot()
