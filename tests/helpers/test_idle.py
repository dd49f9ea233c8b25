"""A pilot's pause ends when the app has finished all work, however long that takes."""

from __future__ import annotations

import asyncio
import threading

import pytest
from textual.app import App, ComposeResult
from textual.widget import Widget
from textual.widgets import Static

from tests.helpers.idle import eventually, screen_text, settled, threads_wait

SLOW_S = 0.3  # far longer than Textual's own pilot waits for a sleeping process


class Slow(Widget, can_focus=True):
    """A widget that handles each key in a thread and awaits it."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[str] = []

    async def on_key(self, event) -> None:
        await asyncio.to_thread(threading.Event().wait, SLOW_S)
        self.keys.append(event.key)


class Stage(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.later = ""

    def compose(self) -> ComposeResult:
        yield Static("as it was", id="text")
        yield Slow()

    def on_mount(self) -> None:
        self.query_one(Slow).focus()

    def come_later(self) -> None:
        self.later = "here"


async def test_a_press_returns_when_its_key_was_handled():
    async with Stage().run_test() as pilot:
        await pilot.press("a", "b")
        assert pilot.app.query_one(Slow).keys == ["a", "b"]


async def test_a_pause_returns_when_everything_is_painted():
    async with Stage().run_test() as pilot:
        pilot.app.query_one("#text", Static).update("as it is")
        await pilot.pause()
        assert "as it is" in screen_text(pilot.app)


async def test_a_resize_is_over_when_it_returns():
    async with Stage().run_test(size=(80, 24)) as pilot:
        for size in ((40, 10), (120, 36)):
            await pilot.resize_terminal(*size)
            assert tuple(pilot.app.screen.size) == size


async def test_a_screen_that_is_never_done_is_left_alone():
    """Here each scrollbar leaves no room for the other."""
    async with Stage().run_test(size=(80, 24)) as pilot:
        await pilot.resize_terminal(1, 1)
        await pilot.resize_terminal(40, 10)
        assert tuple(pilot.app.screen.size) == (40, 10)


async def test_a_press_that_ends_the_app_returns():
    class Ends(Stage):
        BINDINGS = [("q", "quit", "")]

    async with Ends().run_test() as pilot:
        await pilot.press("q")
        assert not pilot.app.is_running


async def test_the_work_of_a_timer_is_awaited():
    async with Stage().run_test() as pilot:
        pilot.app.set_timer(SLOW_S, pilot.app.come_later)
        await eventually(lambda: pilot.app.later)
        assert pilot.app.later == "here"


async def test_a_missing_event_is_reported_with_the_screen(monkeypatch):
    async with Stage().run_test() as pilot:
        await pilot.pause()
        monkeypatch.setattr("tests.helpers.idle.PATIENCE_S", 0.0)
        with pytest.raises(AssertionError, match=r"rain did not come true in 0 s:\nas it was"):
            await eventually(lambda: False, "rain")


class Working(Stage):
    """An app in which a thread changes the text when it is woken."""

    def __init__(self) -> None:
        super().__init__()
        self.awake = threading.Event()

    def work(self) -> None:
        self.awake.wait()
        sum(range(2_000_000))
        self.call_from_thread(self.query_one("#text", Static).update, "changed by a thread")


async def test_a_picture_settles_after_the_work_of_a_thread():
    async with Working().run_test() as pilot:
        await settled()
        thread = threading.Thread(target=pilot.app.work, name="rawscope test", daemon=True)
        thread.start()
        await eventually(threads_wait, "the wait of the thread")
        pilot.app.awake.set()
        await settled()
        assert pilot.app.query_one("#text", Static).content == "changed by a thread"
        thread.join()
