"""Wait until a Textual app has nothing left to do, by facts where Textual's pilot guesses.

`Pilot.press` and `Pilot.pause` wait until the process has used almost no processor time for 20 ms.
On an idle host that costs 40 ms a key. On a busy one the process appears idle because it gets no
processor, so a test continues before its key was handled. `use_exact_idle` replaces the guess by
facts:

- the event loop has nothing that is ready to run, a few rounds in a row (a round also polls
  descriptors and due timers),
- every widget waits for its next message, and none is handling one,
- no key waits in the application's `KeyQueue`, as keys do until the side panels are mounted, and
- no change of the terminal's size is pending, and the screen has nothing left to lay out or to
  paint. `idle` does such work at once; Textual itself would wait for its next frame.

The event loop does not know the work of other threads or the future work of timers. A test that
expects such work waits for it with `eventually`. A test that compares a picture cannot name all
that may still change it: it calls `settled`.
"""

from __future__ import annotations

import asyncio
import linecache
import sys
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from types import FrameType
from typing import Any

import textual.app
import textual.pilot
from textual._context import active_app
from textual.app import App, ScreenStackError
from textual.message_pump import MessagePump

from tests.helpers.waiting import PATIENCE_S, TICK_S

QUIET_ROUNDS = 3
WORKERS = ("rawscope", "asyncio_", "ThreadPoolExecutor")  # begin the names of threads that work
FINISHED_AT_MOST = 20  # times; a screen whose scrollbars come and go lays itself out forever


def _is_handling(pump: MessagePump) -> bool:
    """Return True if a widget is handling a message or awaits something else."""
    if not pump._running or pump._closing or pump._task is None or pump._task.done():
        return False
    return not pump._message_queue.ready_event._waiters  # type: ignore[attr-defined]


def _has_keys(app: App[Any]) -> bool:
    """Return True if keys wait to be handled, or for the effect of the key before them."""
    queue = getattr(app, "key_queue", None)
    return queue is not None and bool(queue._waiting)


def _finish(app: App[Any]) -> bool:
    """Do pending resizing, layout and painting. Return True if there was any."""
    if app._resize_timer is not None:
        app._check_resize()
        return True
    try:
        screen = app.screen
    except ScreenStackError:
        return False
    if not screen._update_timer._active.is_set():
        return False
    screen._on_timer_update()
    return True


async def idle(min_sleep: float = 0.0, max_sleep: float = PATIENCE_S) -> None:
    """Wait until the app of this context has nothing to do; fail after `max_sleep` seconds.

    It has the signature of Textual's ``wait_for_idle``, which it replaces.
    """
    loop: Any = asyncio.get_running_loop()
    app = active_app.get()
    ends_s = loop.time() + max_sleep
    quiet = finished = 0
    while quiet < QUIET_ROUNDS:
        await asyncio.sleep(0)
        # the rest of this round, and callbacks for the next one: asyncio.base_events
        quiet = 0 if loop._ready else quiet + 1
        if quiet == QUIET_ROUNDS:
            if _has_keys(app) or any(map(_is_handling, (app, *app._registry))):
                quiet = 0
                await asyncio.sleep(TICK_S)
            elif finished < FINISHED_AT_MOST and _finish(app):
                quiet, finished = 0, finished + 1
        assert loop.time() < ends_s, f"the app is busy for {max_sleep:.0f} s without end"


def use_exact_idle() -> None:
    """Let every pilot of this process wait with `idle`."""
    textual.app.wait_for_idle = idle  # type: ignore[attr-defined]
    textual.pilot.wait_for_idle = idle  # type: ignore[attr-defined]


def screen_text(app: App[Any]) -> str:
    """Return all text on the terminal, line by line."""
    strips = app.screen._compositor.render_strips(app.size)
    return "\n".join(strip.text.rstrip() for strip in strips)


async def eventually(
    condition: Callable[[], object],
    what: str = "the condition",
    ask: Callable[[], object] = lambda: None,
) -> None:
    """Wait until another thread or a timer makes `condition` true in the app of this context.

    Call `ask` before each check of `condition`, as a timer of the app might. Fail after
    `PATIENCE_S` seconds with the text on the screen.
    """
    ends_s = time.monotonic() + PATIENCE_S
    while True:
        ask()
        await idle()
        if condition():
            return
        if time.monotonic() > ends_s:
            there = screen_text(active_app.get())
            raise AssertionError(f"{what} did not come true in {PATIENCE_S:.0f} s:\n{there}")
        await asyncio.sleep(TICK_S)


def _is_waiting(frame: FrameType) -> bool:
    """Return True if the innermost frame of a thread waits, and nothing has ended the wait yet."""
    seen = frame.f_locals
    if frame.f_code.co_name == "wait":
        return "waiter" in seen and seen["waiter"].locked()
    if frame.f_code.co_name == "_worker":
        return seen["work_queue"].empty()
    owned = getattr(seen.get("self"), "__dict__", {}).values()
    queues = [one for one in owned if isinstance(one, SimpleQueue)]
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
    return ".get(" in line and bool(queues) and all(one.empty() for one in queues)


def threads_wait() -> bool:
    """Return True if every thread that works for the app waits for something to do."""
    frames = sys._current_frames()
    return all(
        _is_waiting(frames[thread.ident])
        for thread in threading.enumerate()
        if thread.name.startswith(WORKERS) and thread.ident in frames
    )


async def settled(ask: Callable[[], object] = lambda: None) -> None:
    """Wait until nothing changes the picture anymore: not even after `ask`, as a timer might call.

    All threads wait, and two pictures in a row are equal.
    """
    before = None

    async def is_settled() -> bool:
        nonlocal before
        there = threads_wait()  # before the app handles what they found
        await idle()
        picture = active_app.get().screen._compositor.render_strips()
        is_same = there and threads_wait() and picture == before
        before = picture
        return is_same

    ends_s = time.monotonic() + PATIENCE_S
    while ask() or not await is_settled():
        assert time.monotonic() < ends_s, f"the picture changes for {PATIENCE_S:.0f} s"
        await asyncio.sleep(TICK_S)
