"""Signals that stop a command: SIGINT, SIGTERM and SIGHUP end it cleanly.

Python runs a signal handler between two instructions of the main thread, so an exception raised
there could cut a line in half while it is written. The handler therefore only sets
`Interrupts.stopped`, which loops check. It raises only while the main thread waits for input
(``with waiting:``), because Python would otherwise retry the interrupted read (PEP 475). An event
loop passes `on_stop` to learn of the signal.

Waiting for input may take hours, so `work_while_waiting` does periodic work meanwhile.

A second signal ends the program at once, after calling `on_second`.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

_WORK_S = 0.25
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StoppedError(Exception):
    """Raised out of a wait when a signal arrives."""


class Interrupts:
    """A context in which signals request a stop. For the main thread only."""

    def __init__(
        self,
        on_stop: Callable[[], None] = lambda: None,
        on_second: Callable[[], None] = lambda: None,
    ) -> None:
        self.stopped = False
        self.number: int | None = None  # of the signal that requested a stop
        self._on_stop = on_stop
        self._on_second = on_second
        self._waiting = False
        self._alarm_before: Any = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupts:
        for number in _SIGNALS:
            if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue  # under nohup(1), closing the terminal must not end the command
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._alarm_before is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._alarm_before)
        for number, before in self._before.items():
            signal.signal(number, before)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Surround a call that may block: a signal raises `StoppedError` out of it."""
        self._waiting = True
        try:
            if self.stopped:
                raise StoppedError
            yield
        finally:
            self._waiting = False

    def work_while_waiting(self, work: Callable[[], None]) -> None:
        """Call `work` a few times a second while the main thread waits, until the context ends.

        What it raises is raised out of the wait.
        """

        def handle(_number: int, _frame: FrameType | None) -> None:
            if self._waiting:
                self._waiting = False  # a signal must not cut the work
                try:
                    work()
                finally:
                    self._waiting = True
                if self.stopped:
                    raise StoppedError

        self._alarm_before = signal.signal(signal.SIGALRM, handle)
        signal.setitimer(signal.ITIMER_REAL, _WORK_S, _WORK_S)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self.stopped:
            for each in self._before:
                signal.signal(each, signal.SIG_DFL)
            self._on_second()
            signal.raise_signal(number)
        self.stopped = True
        self.number = number
        self._on_stop()
        if self._waiting:
            raise StoppedError
