"""The records of an order: the audit, the answers, and the history."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import Evaluation
from core.forge.export.recipes import rawscope_command
from core.forge.journal.audit import Audit, path_of
from core.forge.journal.saved import DraftStore
from core.forge.orders import Order, OrderError
from core.forge.transmit.transmission import PreparedTransmission
from core.forge.values import SendMethod


class SendJournal:
    """Keeps records in `folder`; `audits` is False if the user wants no audit.

    `shelf` is for the screen: its changes never wait for another process. The methods are for the
    sender, and may wait. `without_audit` tells how to send without one.
    """

    def __init__(
        self,
        folder: Path,
        audits: bool,
        without_audit: str = "[forge] audit = false in the configuration sends without it",
    ) -> None:
        self.shelf = DraftStore(folder, waits=False)
        self._patient = DraftStore(folder)
        self._patient.complaints = self.shelf.complaints  # the screen shows them
        self.folder = folder
        self.audits = audits
        self._without_audit = without_audit

    def known(self) -> frozenset[str]:
        """Return the marks that the user agreed to before."""
        return self.shelf.known()

    def audit_path(self, way: SendMethod) -> str:
        """Return the path of the audit file; empty without an audit."""
        return str(path_of(self.folder, way)) if self.audits else ""

    def open_audit(self, way: SendMethod, stack: ExitStack) -> Audit | None:
        """Open the audit file, which `stack` closes; None without an audit.

        Raises `OrderError` if it cannot be written: then nothing may be sent.
        """
        if not self.audits:
            return None
        try:
            audit = Audit(self.folder, way)
        except OSError as error:
            raise self._unaudited(way, error) from error
        stack.callback(audit.close)
        return audit

    def write_down(
        self,
        order: Order,
        departure: PreparedTransmission,
        evaluations: Sequence[Evaluation],
        audit: Audit,
    ) -> None:
        """Write down what is about to leave, so that a killed program leaves a trace, too.

        Raises `OrderError`.
        """
        system = order.way is SendMethod.SYSTEM
        commands = [order.said] * len(order.packets) + [
            rawscope_command(one.draft, departure.interface, system=system, plan=order.plan)
            for one in evaluations
        ]
        try:
            audit.note_sending(departure, order.plan.count, commands)
        except OSError as error:
            raise self._unaudited(order.way, error) from error

    def remember(self, sent: Sequence[Draft], marks: frozenset[str]) -> tuple[str, ...]:
        """Remember the answers and the drafts that were sent; return what went wrong with that."""
        try:
            self._patient.agree(marks)
            if sent:
                self._patient.remember(sent)
        except OSError as error:
            return (f"{self.folder}: {error.strerror}; it is not remembered",)
        return ()

    def _unaudited(self, way: SendMethod, error: OSError) -> OrderError:
        path = path_of(self.folder, way)
        return OrderError(f"the audit {path}: {error.strerror}; {self._without_audit}")
