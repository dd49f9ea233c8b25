"""Being told to stop: SIGINT, SIGTERM and SIGHUP end a command cleanly.

A signal handler of Python's runs between two instructions of the main thread, so raising from
it could tear a line that is being written. The handler only takes note; whoever loops looks at
`Interrupts.stopped`. Only a thread that waits for input (``with waiting:``) is thrown out of it,
because a read that is interrupted would otherwise be taken up again (PEP 475). An event loop
is told through `on_stop`.

A second signal ends the program at once, as everywhere; `on_second` may say a last word.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StoppedError(Exception):
    """Thrown into a wait when a signal arrives."""


class Interrupts:
    """A context in which signals ask to stop. For the main thread."""

    def __init__(
        self,
        on_stop: Callable[[], None] = lambda: None,
        on_second: Callable[[], None] = lambda: None,
    ) -> None:
        self.stopped = False
        self.number: int | None = None  # of the signal that asked to stop
        self._on_stop = on_stop
        self._on_second = on_second
        self._waiting = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupts:
        for number in _SIGNALS:
            if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue  # nohup(1) has said that the end of the terminal is not ours
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around a call that may block: a signal raises `StoppedError` out of it."""
        self._waiting = True
        try:
            if self.stopped:
                raise StoppedError
            yield
        finally:
            self._waiting = False

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
