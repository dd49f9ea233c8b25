"""What is kept of an order: the audit, the answers, the history. See `core.forge.journal.saved`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import Evaluation
from core.forge.export.recipes import rawscope_command
from core.forge.journal.audit import Audit, path_of
from core.forge.journal.saved import DraftStore
from core.forge.orders import Order
from core.forge.transmit.transmission import PreparedTransmission
from core.forge.values import SendMethod


class OrderError(Exception):
    """Why an order cannot be carried out; one sentence."""


class SendJournal:
    """Keeps it in `folder`; `audits` says whether what is sent is written down.

    `shelf` is for the screen: its changes never wait for another process. The methods are for the
    sender's thread, and may wait.
    """

    def __init__(self, folder: Path, audits: bool) -> None:
        self.shelf = DraftStore(folder, waits=False)
        self._patient = DraftStore(folder)
        self._patient.complaints = self.shelf.complaints  # the screen tells them
        self.folder = folder
        self.audits = audits

    def audit_path(self, way: SendMethod) -> str:
        """Where it is written down; empty if it is not."""
        return str(path_of(self.folder, way)) if self.audits else ""

    def open_audit(self, way: SendMethod, stack: ExitStack) -> Audit | None:
        """The audit file, which `stack` closes. `OrderError` where it cannot be written: then
        nothing is sent."""
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
        """What is about to leave: also a program that is killed leaves its trace. `OrderError`."""
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
        """Keep the answer and what was sent; what goes wrong with that is only said."""
        try:
            self._patient.agree(marks)
            if sent:
                self._patient.remember(sent)
        except OSError as error:
            return (f"{self.folder}: {error.strerror}; it is not remembered",)
        return ()

    def _unaudited(self, way: SendMethod, error: OSError) -> OrderError:
        off = "[forge] audit = false in the configuration sends without it"
        return OrderError(f"the audit {path_of(self.folder, way)}: {error.strerror}; {off}")
