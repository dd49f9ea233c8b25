"""The records of an order: the audit, the approvals, and the history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import Evaluation
from core.forge.export.rawscope import rawscope_command
from core.forge.journal.approvals import Approvals
from core.forge.journal.audit import Audit, path_of
from core.forge.journal.database import StateDatabase
from core.forge.journal.drafts import DraftStore
from core.forge.journal.history import SendHistory
from core.forge.orders import Order, OrderError
from core.forge.transmit.transmission import PreparedTransmission
from core.forge.values import SendMethod

Changed = TypeVar("Changed")


class SendJournal:
    """The records in `folder`; `audits` is False if the user wants no audit.

    `drafts` and `history` are for the screen: no call waits for another process. The screen hands
    each change of them to `change`, since a change waits for the disk. The other methods are for
    the sender, and may wait. `without_audit` advises how to send without an audit. `complaints` is
    about the database of all of these.
    """

    def __init__(
        self,
        folder: Path,
        audits: bool,
        without_audit: str = "[forge] audit = false in the configuration sends without it",
    ) -> None:
        database = StateDatabase(folder, waits=False)
        self.drafts = DraftStore(database)
        self.history = SendHistory(database)
        self.complaints = database.complaints
        waiting = StateDatabase(folder, complaints=self.complaints)
        self._approvals = Approvals(waiting)
        self._sent = SendHistory(waiting)
        self.folder = folder
        self.audits = audits
        self._without_audit = without_audit
        self._thread = ThreadPoolExecutor(1, "rawscope journal")  # starts with the first change

    def change(self, work: Callable[[], Changed]) -> Future[Changed]:
        """Call `work` in a thread of the journal, after all calls handed over before.

        Raises `RuntimeError` after `close`.
        """
        return self._thread.submit(work)

    def close(self) -> None:
        """Wait for all changes that were handed over."""
        self._thread.shutdown()

    def approved_marks(self) -> frozenset[str]:
        """Return the marks that the user approved before."""
        return self._approvals.marks()

    def audit_path(self, method: SendMethod) -> str:
        """Return the path of the audit file; empty without an audit."""
        return str(path_of(self.folder, method)) if self.audits else ""

    def open_audit(self, method: SendMethod, stack: ExitStack) -> Audit | None:
        """Open the audit file, which `stack` closes; return None without an audit.

        Raises `OrderError` if the file cannot be written to: then nothing may be sent.
        """
        if not self.audits:
            return None
        try:
            audit = Audit(self.folder, method)
        except OSError as error:
            raise self._unaudited(method, error) from error
        stack.callback(audit.close)
        return audit

    def record_order(
        self,
        order: Order,
        transmission: PreparedTransmission,
        evaluations: Sequence[Evaluation],
        audit: Audit,
    ) -> None:
        """Record what is about to leave, so that a killed program leaves a trace, too.

        Raises `OrderError`.
        """
        system = order.method is SendMethod.SYSTEM
        commands = [order.description] * len(order.packets) + [
            rawscope_command(
                one.draft,
                transmission.interface,
                system=system,
                verbatim=transmission.method is SendMethod.PACKET,
                plan=order.plan,
            )
            for one in evaluations
        ]
        try:
            audit.note_sending(transmission, order.plan.count, commands)
        except OSError as error:
            raise self._unaudited(transmission.method, error) from error

    def remember(self, sent: Sequence[Draft], marks: frozenset[str]) -> tuple[str, ...]:
        """Save the approved marks and the drafts that were sent; return what went wrong."""
        try:
            self._approvals.add(marks)
            if sent:
                self._sent.add(sent)
        except OSError as error:
            return (f"{self.folder}: {error.strerror}; it is not remembered",)
        return ()

    def _unaudited(self, method: SendMethod, error: OSError) -> OrderError:
        path = path_of(self.folder, method)
        return OrderError(f"the audit {path}: {error.strerror}; {self._without_audit}")
