"""The sender's thread: carry out orders, and publish the state of the service.

The thread takes commands from one queue (`core.forge.commands`). It is the only one that writes the
attributes of `Sender`; other threads put commands and read `published`, an immutable value. While
it sends, `core.forge.transmit.pacing` calls `stopped` before every burst, and `stopped` handles the
commands that arrived.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace
from queue import SimpleQueue

from core.forge import order_job
from core.forge.commands import (
    Answer,
    Close,
    Command,
    FilesRead,
    Send,
    StopSending,
    Suggested,
)
from core.forge.host import ForgeHost
from core.forge.journal.send_journal import SendJournal
from core.forge.orders import ForgeSnapshot, OrderError, Question, ShownDrafts, WatchedOrder
from core.forge.packet_search import FollowedStore
from core.forge.report import Report
from core.forge.review.confirmation import Examination
from core.forge.send_errors import SendError
from core.forge.transmit.transmission import PreparedTransmission
from core.forge.values import SendProgress
from core.net.sockets import NotPermittedError
from core.wire.model.text import safe

LISTEN_S = 10.0  # how long after the last packet to look for replies
_JOIN_S = 2.0


class Sender:
    """Carries out orders in a thread of its own. It is the driver of `core.forge.pipeline`.

    `followed` returns the store that the screen shows.
    """

    remembers = True

    def __init__(
        self,
        host: ForgeHost,
        journal: SendJournal,
        clock: Callable[[], float],
        followed: Callable[[], FollowedStore],
    ) -> None:
        self.published = ForgeSnapshot()
        self._host = host
        self._journal = journal
        self._clock = clock
        self._followed = followed
        self._commands: SimpleQueue[Command] = SimpleQueue()
        self._order = 0  # serial number of the current order
        self._is_stopped = False
        self._is_closing = False
        self._notes: tuple[str, ...] = ()  # of the current order
        self._thread = threading.Thread(target=self._run, name="rawscope sender", daemon=True)

    # -- for other threads -----------------------------------------------------------------

    def start(self) -> None:
        """Start the thread, once."""
        if self._thread.ident is None:
            self._thread.start()

    def put(self, command: Command) -> None:
        """Put a command into the queue."""
        self._commands.put(command)

    def join(self) -> None:
        """Wait a moment for the thread's end, after `Close`."""
        if self._thread.ident is not None:
            self._thread.join(_JOIN_S)

    # -- the thread --------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._is_closing:
            command = self._commands.get()
            if isinstance(command, Send):
                self._carry_out(command)
            else:
                self._handle(command)

    def _carry_out(self, command: Send) -> None:
        self._order = command.serial
        self._is_stopped = False
        self._notes = ()
        order = command.order
        report = Report(method=order.method.value, subject=order.description, sending=True)
        self._publish(question=None, report=report, watched=None, handled=command.serial)
        try:
            evaluated = order_job.evaluate_order(command.order, self._host)
            order_job.run(evaluated, self._host, self._journal, self)
        except order_job.RouteChangedError as change:
            if self.published.looked_up == ShownDrafts(
                command.order.drafts, command.order.interface
            ):
                self._publish(suggestions=change.suggestions)  # the form shows the new bytes
            self._fail(str(change))
        except order_job.UnresolvedError as error:
            self._fail(f"{error}; type an address, or choose another send method")
        except (OrderError, SendError, NotPermittedError, OSError) as refusal:
            self._fail(str(refusal))
        except Exception as fault:  # internal: the screen shows it, and the program continues
            self._fail(f"sending failed ({type(fault).__name__}: {safe(str(fault))})")

    def _handle(self, command: Command) -> None:
        """Execute a command; an internal error is published, and the thread continues."""
        try:
            self._execute(command)
        except Exception as fault:
            words = f"internal error ({type(fault).__name__}: {safe(str(fault))})"
            if self.published.sending:  # the report of the order gets a note
                self._notes = (*self._notes, words)
            else:
                self._report(error=words)

    def _execute(self, command: Command) -> None:
        match command:
            case Close():
                self._is_closing = True
            case StopSending(order):
                self._is_stopped = self._is_stopped or order == self._order
            case Send(serial) | Answer(serial):  # an answer to an older question is void
                self._publish(handled=serial)
            case Suggested(shown, suggestions, interfaces):
                known = self.published.interfaces if interfaces is None else interfaces
                self._publish(looked_up=shown, suggestions=suggestions, interfaces=known)
            case FilesRead(files):
                self._publish(files=files)

    # -- the pipeline's driver -----------------------------------------------------------------

    def approve(self, found: Examination) -> bool:
        """Publish the questions, and wait for the user's answer."""
        question = Question(found.questions, found.marks)
        asking = replace(self.published.report, asking=True)
        self._publish(question=question, report=asking)
        while not self._is_closing:
            command = self._commands.get()
            if isinstance(command, Answer) and command.question is question:
                report = answered(self.published.report, command.yes)
                self._publish(question=None, report=report, handled=command.serial)
                return command.yes
            self._handle(command)
        return False

    def waiting(self) -> AbstractContextManager[object]:
        """Return an empty context: no signal reaches this thread."""
        return nullcontext()

    def opened(self, built: order_job.BuiltOrder, stack: ExitStack) -> None:
        """Publish the order: the search for its packets begins."""
        transmission = built.transmission
        report = replace(
            self.published.report,
            interface=transmission.interface,
            listening=True,
            progress=SendProgress(0),
            audit=self._journal.audit_path(transmission.method),
        )
        watched = self._watched(transmission, built.order.plan.count)
        self._publish(report=report, watched=watched, listen_until_s=float("inf"))

    def stopped(self) -> bool:
        """Handle the commands that arrived; return True once the order is to stop."""
        while not self._commands.empty():
            self._handle(self._commands.get())
        return self._is_stopped or self._is_closing

    def progress(self, progress: SendProgress) -> None:
        """Publish the progress."""
        self._report(progress=progress)

    def warn(self, notes: tuple[str, ...]) -> None:
        """Keep the notes for the report."""
        self._notes = (*self._notes, *notes)

    def sent(self, built: order_job.BuiltOrder, progress: SendProgress, trouble: str) -> None:
        """Publish the result, and look for replies for `LISTEN_S` more."""
        all_notes = (*built.order.notes, *built.transmission.notes, trouble, *self._notes)
        self._publish(listen_until_s=self._clock() + LISTEN_S)
        self._report(
            progress=progress,
            sending=False,
            error=str(progress.error) if progress.error is not None else "",
            notes=tuple(note for note in all_notes if note),
        )

    def _watched(self, transmission: PreparedTransmission, count: int) -> WatchedOrder:
        store = self._followed()
        return WatchedOrder(
            transmission.packets,
            count,
            transmission.method,
            transmission.network,
            store.snapshot.count + 1 if store.snapshot is not None else 1,
            store.generation,
        )

    # -- the published state -------------------------------------------------------------------

    def _fail(self, sentence: str) -> None:
        self._report(sending=False, error=sentence)

    def _report(self, **changes: object) -> None:
        report = replace(self.published.report, **changes)  # type: ignore[arg-type]
        self._publish(report=report)

    def _publish(self, **changes: object) -> None:
        self.published = replace(self.published, **changes)  # type: ignore[arg-type]


def answered(report: Report, yes: bool) -> Report:
    """Return the report of an order after the user's answer."""
    if yes:
        return replace(report, asking=False)
    return Report(method=report.method, subject=report.subject, declined=True)
