"""``rawscope replay``: send a capture again through an interface, by the TX ring.

Frames leave verbatim; IP packets without a link header get one that leads to their next hop. Exit
status: 0 if all frames were sent, 1 if not.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TypeVar

from app.cli.interrupts import StoppedError
from app.cli.output import CommandError
from app.cli.send.audit_option import WITHOUT_AUDIT, is_audited
from app.cli.send.replay_output import ReplayReport, write_dry_run
from app.cli.send.terminal_prompter import TerminalPrompter
from app.config.paths import Paths
from core.files.formats import FileError
from core.forge import pipeline
from core.forge.host import ForgeHost
from core.forge.journal.audit import Audit
from core.forge.journal.send_journal import SendJournal
from core.forge.orders import OrderError
from core.forge.replay_job import ReplayJob, ReplayPlan
from core.forge.send_errors import SendError
from core.forge.transmit.link_header import check_carrier
from core.forge.transmit.tx_ring import TxRing
from core.net.interface_lookup import UnknownInterfaceError, require_interface
from core.net.netlink import LinkMessage
from core.net.sockets import NotPermittedError

_MAX_GAP_HINT = "--max-gap SECONDS limits such a gap"
_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """The options of ``rawscope replay``: what to send by `link`, and how to ask and report."""

    plan: ReplayPlan
    link: str
    dry_run: bool = False
    yes: bool = False
    audit: bool = True
    as_json: bool = False


def run_replay(request: ReplayRequest, host: ForgeHost) -> int:
    """Send the file; return the exit status. Raises `CommandError`."""
    try:
        link = require_interface(request.link)
        return _replay(request, link, host)
    except StoppedError as stop:
        raise CommandError("stopped before anything was sent") from stop
    except (UnknownInterfaceError, FileError, OrderError, SendError, NotPermittedError) as error:
        raise CommandError(str(error)) from error


def _replay(request: ReplayRequest, link: LinkMessage, host: ForgeHost) -> int:
    with ExitStack() as stack:
        driver = _ReplayDriver(request, link.name, stack)
        job = ReplayJob(request.plan, link, driver, host)
        if request.dry_run:
            write_dry_run(link.name, job.forecast(), request.plan, request.as_json)
            return job.status
        check_carrier(link)
        folder = Paths.of_user().state_folder
        journal = SendJournal(folder, is_audited(request.audit), WITHOUT_AUDIT)
        if not pipeline.carry_out(job, journal, driver):
            raise CommandError("not sent")
    return job.status


class _ReplayDriver(TerminalPrompter):
    """Reports a replay at a terminal."""

    def __init__(self, request: ReplayRequest, interface: str, stack: ExitStack) -> None:
        super().__init__(request.yes, stack)
        self._request = request
        self._interface = interface

    def wait_for(self, function: Callable[[], _Found]) -> _Found | None:
        """Call a function that may wait; return None if a signal ended the wait."""
        try:
            with self.waiting():
                return function()
        except StoppedError:
            return None

    def begin(self, ring: TxRing, of: int | None, audit: Audit | None) -> ReplayReport:
        """Return the report of a replay."""
        request, plan = self._request, self._request.plan
        has_gaps = plan.pace.is_captured and not plan.loop_delay_s
        hint = _MAX_GAP_HINT if has_gaps else ""
        return ReplayReport(
            self._interface,
            of,
            ring,
            audit,
            request.as_json,
            hint,
            plan.rules,
            shows_bits=plan.pace.mbit is not None,
        )
