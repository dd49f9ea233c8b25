"""The steps of sending, which the form, ``rawscope send``, and ``rawscope replay`` share.

1. Review the bytes, and ask the user about what is unusual (`Driver.approve`).
2. Resolve link addresses that are unknown, now that the user approved. If the review finds more in
   the bytes after that, ask again.
3. Open the socket and the audit.
4. Write down what is about to leave, send, and write down the result.
5. If packets left, remember the answers and the drafts.

`carry_out` takes the steps of any `SendJob`: `core.forge.order_job` has that of an order,
`core.forge.replay_job` that of a capture file. The driver is the form's sender thread or the
command: it asks, shows progress, and stops.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from typing import Protocol

from core.forge.compose.draft import Draft
from core.forge.journal.audit import Audit
from core.forge.journal.send_journal import SendJournal
from core.forge.review.confirmation import Examination
from core.forge.values import SendMethod


class Driver(Protocol):
    """The form or the command, as the steps use it."""

    remembers: bool
    """True if an approval holds for later orders, too."""

    def approve(self, found: Examination) -> bool:
        """Ask the user the questions of a review; return True to send."""
        ...

    def waiting(self) -> AbstractContextManager[object]:
        """Return a context for waits that a signal may end: for a neighbor, or a file lock."""
        ...

    def stopped(self) -> bool:
        """Return True to send no more."""
        ...

    def warn(self, notes: tuple[str, ...]) -> None:
        """Report errors in remembering approvals and drafts."""
        ...


class SendJob(Protocol):
    """Packets to send by the steps of `carry_out`: an order, or the frames of a capture file."""

    method: SendMethod
    drafts: tuple[Draft, ...]
    """The entry for the history if packets left."""

    @property
    def sent(self) -> int:
        """The number of packets that left."""
        ...

    def review(self, known: frozenset[str]) -> Examination:
        """Review the bytes as they are now; `known` are marks that the user approved before."""
        ...

    def resolve(self) -> None:
        """Ask the link for the addresses that are missing, now that the user approved."""
        ...

    def open(self, stack: ExitStack) -> None:
        """Open the socket, which `stack` closes."""
        ...

    def send(self, audit: Audit | None, stack: ExitStack) -> None:
        """Send, and record it in the audit if there is one. `sent` counts even if this raises."""
        ...

    def report(self) -> None:
        """Report the result, while the socket is still open."""
        ...


def carry_out(job: SendJob, journal: SendJournal, driver: Driver) -> bool:
    """Review, ask, resolve, open, send, remember. Return False if the user did not approve."""
    first = job.review(journal.approved_marks())
    if first.questions and not driver.approve(first):
        return False
    job.resolve()
    second = job.review(journal.approved_marks()).without(first.questions)
    if second.questions and not driver.approve(second):
        return False
    marks = first.marks | second.marks if driver.remembers else frozenset()
    with ExitStack() as stack:
        with driver.waiting():
            job.open(stack)
            audit = journal.open_audit(job.method, stack)
        try:
            job.send(audit, stack)
        finally:  # also if it fails: packets may have left before
            notes = journal.remember(job.drafts, marks) if job.sent else ()
            if notes := (*notes, *journal.complaints.take()):
                driver.warn(notes)
        job.report()
    return True
