"""``rawscope dump -i``: packets printed as the kernel hands them over.

There is no thread and no queue: the main thread waits in one epoll loop for the sources and
prints each batch where it lies. When printing is slower than the traffic the kernel's ring fills up
and the kernel counts what it has to drop, so captured + dropped is all there was.

At the end the sources let nothing more in, and what is in already is printed first.
"""

from __future__ import annotations

import errno
import os
import select
import time
from contextlib import ExitStack
from functools import partial

from app.commands.formats import LineFormat
from app.commands.interrupts import Interrupts
from app.commands.output import CommandError, say
from app.commands.printer import Printer
from core.capture.interfaces import list_interfaces
from core.capture.opening import open_source
from core.capture.options import CaptureOptions
from core.capture.source import CaptureError, CaptureStatistics, Source
from core.loop import EpollLoop
from core.store.batch import CaptureInterface
from core.wire.text import safe

_DRAIN_MS = 100  # a block in work is handed over within the ring's retire time
_FINISH_S = 1.0


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
        live = _Live(loop, line_format, count)
        stack.callback(live.close)
        live.open(options)
        if seconds is not None:
            loop.call_every(seconds, loop.stop)
        loop.run()
        live.finish()
    return 0


class _Live:
    """The sources in the loop, and what is printed of them."""

    def __init__(self, loop: EpollLoop, line_format: LineFormat, count: int | None) -> None:
        self._loop = loop
        self._end_s: float | None = None  # on the monotonic clock
        self._printer = Printer(line_format, count, self._is_over)
        self._sources: list[Source] = []
        self._interfaces: list[CaptureInterface] = []
        self._failure = ""

    def _is_over(self) -> bool:
        return self._end_s is not None and time.monotonic() >= self._end_s

    def open(self, options: CaptureOptions) -> None:
        """Open every interface. Raises `CommandError`."""
        for name in dict.fromkeys(options.interfaces):
            try:
                source = open_source(name, options, self._add)
            except CaptureError as error:
                raise CommandError(str(error)) from error
            self._sources.append(source)
            self._loop.add(source, partial(self._on_ready, source))
            if source.note:
                say(f"rawscope: {source.note}")
        say(f"rawscope: listening on {safe(', '.join(options.interfaces))}")

    def _add(self, interface: CaptureInterface) -> int:
        self._interfaces.append(interface)
        return len(self._interfaces) - 1

    def _on_ready(self, source: Source, events: int) -> None:
        if events & select.EPOLLERR:
            self._on_error(source)
        batch = source.read()
        if batch is not None:
            self._printer.print(batch, self._interfaces)
        if self._printer.done:
            self._loop.stop()

    def _on_error(self, source: Source) -> None:
        """The link went down (the kernel resumes by itself), or the interface is gone."""
        number = source.clear_error()
        name = safe(source.name)
        if number == errno.ENETDOWN and self._is_there(source):
            say(f"rawscope: {name} is down; waiting for it to come up")
        elif number:
            gone = number == errno.ENETDOWN
            self._failure = f"{name}: {'the interface is gone' if gone else os.strerror(number)}"
            self._loop.stop()

    @staticmethod
    def _is_there(source: Source) -> bool:
        there = {found.index for found in list_interfaces()}
        return source.interface_index == 0 or source.interface_index in there

    def finish(self) -> None:
        """Let nothing more in, print what is in, and say how many there were.

        Printing takes `_FINISH_S` at most: whoever stops a flood does not want to see its end.
        Raises `CommandError` if it was not the user who ended it.
        """
        for source in self._sources:
            source.detach()
        self._end_s = time.monotonic() + _FINISH_S
        while not self._printer.done and self._loop.run_once(_DRAIN_MS):
            pass
        total = sum((source.statistics() for source in self._sources), CaptureStatistics())
        printed = self._printer.printed
        unread = total.received - total.dropped - printed
        say(
            f"{printed} packet{'s' * (printed != 1)} captured, {total.dropped} dropped by kernel"
            + (f", {unread} more not printed" if unread > 0 else "")
        )
        if self._failure:
            raise CommandError(self._failure)

    def close(self) -> None:
        """Give everything back."""
        for source in self._sources:
            self._loop.remove(source)
            source.close()
