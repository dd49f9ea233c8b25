"""``rawscope dump -i``: packets printed as the kernel hands them over.

There is no thread and no queue: the main thread waits in one epoll loop for the sources and
prints each batch where it lies. When printing is slower than the traffic the kernel's ring fills up
and the kernel counts what it has to drop, so captured + dropped is all there was.

At the end the sources let nothing more in, and what is in already is printed first, for
`FINISH_S` at most: whoever stops a flood does not want to wait for its end. What is left then is
counted too.
"""

from __future__ import annotations

import select
import time
from contextlib import ExitStack
from functools import partial

from app.commands.formats import LineFormat
from app.commands.interrupts import Interrupts
from app.commands.output import CommandError, say
from app.commands.printer import Printer
from core.capture.options import CaptureOptions
from core.capture.session import CaptureSession, Feed
from core.capture.source import CaptureError
from core.loop import EpollLoop
from core.store.batch import Batch, CaptureInterface
from core.wire.text import safe

FINISH_S = 1.0


def print_live(
    options: CaptureOptions, line_format: LineFormat, count: int | None, seconds: float | None
) -> int:
    """Capture and print until `count` packets, `seconds`, or a signal; returns the exit status.

    Raises `CommandError` if capturing is impossible, or is no longer.
    """
    loop = EpollLoop()
    with ExitStack() as stack:
        stack.callback(loop.close)
        stack.enter_context(Interrupts(on_stop=loop.stop))
        live = _Live(loop, options, line_format, count)
        stack.callback(live.close)
        live.start()
        if seconds is not None:
            loop.call_every(seconds, loop.stop)
        say(f"rawscope: listening on {safe(', '.join(options.interfaces))}")
        loop.run()
        live.finish()
    return 0


class _Live:
    """A capture session in the loop, and what is printed of it."""

    def __init__(
        self, loop: EpollLoop, options: CaptureOptions, line_format: LineFormat, count: int | None
    ) -> None:
        self._loop = loop
        self._end_s: float | None = None  # on the monotonic clock
        self._printer = Printer(line_format, count, self._is_over)
        self._interfaces: list[CaptureInterface] = []
        self._trouble = ""
        self._lost = ""  # what became of the first interface that is gone
        try:
            self._session = CaptureSession(options, self._add)
        except CaptureError as error:
            raise CommandError(str(error)) from error

    def start(self) -> None:
        """Put everything into the loop."""
        for note in self._session.notes:
            say(f"rawscope: {note}")
        self._tell_trouble()
        self._loop.add(self._session.watcher, self._on_links)
        for feed in self._session.feeds:
            self._loop.add(feed.source, partial(self._on_frames, feed))

    def _add(self, interface: CaptureInterface) -> int:
        self._interfaces.append(interface)
        return len(self._interfaces) - 1

    def _is_over(self) -> bool:
        return self._end_s is not None and time.monotonic() >= self._end_s

    def _print(self, batch: Batch) -> None:
        self._printer.print(batch, self._interfaces)

    def _on_frames(self, feed: Feed, events: int) -> None:
        if events & select.EPOLLERR:
            feed.source.clear_error()  # the link watcher tells what it was
        batch = self._session.read(feed)
        if batch is not None:
            self._print(batch)
        if self._printer.done:
            self._loop.stop()

    def _on_links(self, _events: int) -> None:
        gone = self._session.follow_links()
        self._tell_trouble()
        for feed in gone:
            self._lost = self._lost or f"{safe(feed.source.name)} {feed.link.value}"
            self._loop.remove(feed.source)
            self._session.end(feed, self._print)
        if not self._session.feeds:
            self._loop.stop()

    def _tell_trouble(self) -> None:
        trouble = self._session.trouble
        if trouble and trouble != self._trouble:
            say(f"rawscope: {trouble}")
        self._trouble = trouble

    def finish(self) -> None:
        """Print what is in still, and say how many there were.

        Raises `CommandError` if an interface is gone: not all that was asked for was seen.
        """
        self._end_s = time.monotonic() + FINISH_S
        for feed in tuple(self._session.feeds):
            self._loop.remove(feed.source)
            self._session.end(feed, self._print)
        total = self._session.statistics()
        printed = self._printer.printed
        unread = total.received - total.dropped - printed
        say(
            f"{printed} packet{'s' * (printed != 1)} captured, {total.dropped} dropped by kernel"
            + (f", {unread} more not printed" if unread > 0 else "")
        )
        if self._lost:
            raise CommandError(self._lost)

    def close(self) -> None:
        """Give everything back."""
        self._session.close()
