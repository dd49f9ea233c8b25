"""``rawscope send``: build a packet from options, send it, and report the result.

Every field of the header tables is an option; fields that are not given are computed, suggested by
the route, or have their default, exactly as in the form. ``--dry-run`` prints the bytes and sends
nothing. Exit status: 0 if all packets were sent (and with ``--wait`` above 0 a reply arrived); 1 if
the kernel refused or dropped some, the user answered no, no reply arrived, or the count could not
be recorded; 2 if a field cannot have the typed value.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from app.cli.interrupts import StoppedError
from app.cli.output import CommandError, print_message
from app.cli.send.audit_option import WITHOUT_AUDIT, is_audited
from app.cli.send.reply_listener import ReplyListener
from app.cli.send.send_output import SendReport, write_dry_run
from app.cli.send.terminal_prompter import TerminalPrompter
from app.config.paths import Paths
from core.forge import order_job
from core.forge.compose.draft import Draft
from core.forge.host import ForgeHost
from core.forge.journal.database import StateDatabase
from core.forge.journal.drafts import DraftStore
from core.forge.journal.send_journal import SendJournal
from core.forge.observe.outcome import Outcome
from core.forge.observe.tracker import Track
from core.forge.orders import Order, OrderError
from core.forge.send_errors import SendError
from core.forge.transmit.link_header import method_on
from core.forge.values import SendMethod, SendPlan, SendProgress
from core.net.interface_lookup import find_interface
from core.net.sockets import NotPermittedError, SocketProvider
from core.wire.model.text import safe


class FieldTextError(Exception):
    """A field cannot have the typed value, which is wrong usage. The text names the option."""


@dataclass(frozen=True, slots=True)
class SendRequest:
    """The options of ``rawscope send``.

    `link` is an interface for verbatim frames, else empty; `system` leaves the IP header to the
    kernel; `bypass` is PACKET_QDISC_BYPASS.
    """

    drafts: tuple[Draft, ...]
    link: str = ""
    system: bool = False
    count: int = 1
    rate: float | None = None
    wait_s: float | None = None
    dry_run: bool = False
    as_json: bool = False
    yes: bool = False
    bypass: bool = False
    save_as: str | None = None
    audit: bool = True

    @property
    def plan(self) -> SendPlan:
        """The count and the rate."""
        return SendPlan(self.count, self.rate)

    @property
    def method(self) -> SendMethod:
        """The send method."""
        if self.link:
            return SendMethod.LINK
        return SendMethod.SYSTEM if self.system else SendMethod.IP

    @property
    def order(self) -> Order:
        """The order for the send order_job."""
        return Order(self.drafts, (), self.method, self.link, self.plan, self.bypass)


def is_bare(link: str) -> bool:
    """Return True if `link` names an interface without link headers (tun, WireGuard)."""
    found = find_interface(link)
    return found is not None and method_on(found) is SendMethod.PACKET


def run_send(request: SendRequest, host: ForgeHost) -> int:
    """Build, ask, send, wait for replies; return the exit status.

    Raises `FieldTextError` for wrong input and `CommandError` for failures.
    """
    if request.link and (link := find_interface(request.link)) is not None:
        request = replace(request, link=link.name)
    evaluated = _evaluated(request, host)
    if request.save_as is not None:
        _save(request.save_as, request.drafts)
    if request.dry_run:
        packets = [one.data for one in evaluated.evaluations]
        linked = [draft.has_link for draft in request.drafts]
        write_dry_run(packets, linked, request.link, request.as_json)
        return 0
    folder = Paths.of_user().state_folder
    journal = SendJournal(folder, is_audited(request.audit), WITHOUT_AUDIT)
    with ExitStack() as stack:
        driver = _OrderDriver(request, host.sockets, stack)
        try:
            progress = order_job.run(evaluated, host, journal, driver)
        except order_job.UnresolvedError as error:
            raise CommandError(f"{error}; give it by --eth.dst") from error
        except StoppedError as stop:
            raise CommandError("stopped before anything was sent") from stop
        except (OrderError, SendError, NotPermittedError) as error:
            raise CommandError(str(error)) from error
        if progress is None:
            raise CommandError("not sent")
        if progress.error is not None:
            raise CommandError(f"{progress.left} of {progress.asked} sent: {progress.error}")
        return driver.status


def _evaluated(request: SendRequest, host: ForgeHost) -> order_job.EvaluatedOrder:
    try:
        return order_job.evaluate_order(request.order, host, complete=not request.dry_run)
    except order_job.FieldError as error:
        words = f"--{error.key}{':' if error.missing else ''} {error.reason}"
        if error.key == "link":
            words += ", e.g. --link eth0"
        raise FieldTextError(words) from error
    except OrderError as error:
        raise CommandError(str(error)) from error


class _OrderDriver(TerminalPrompter):
    """Reports an order at a terminal, and listens for replies if asked to."""

    def __init__(self, request: SendRequest, sockets: SocketProvider, stack: ExitStack) -> None:
        super().__init__(request.yes, stack)
        self.status = 0
        self._request = request
        self._sockets = sockets  # of the listener
        self._report: SendReport | None = None
        self._listener: ReplyListener | None = None
        self._tracks: list[Track] = []

    def opened(self, built: order_job.BuiltOrder, stack: ExitStack) -> None:
        """Listen for replies from before the first packet leaves."""
        request, transmission = self._request, built.transmission
        self._report = SendReport(transmission, request.as_json, request.bypass)
        self._tracks = [
            Track(Outcome(packet, transmission.method, transmission.network), request.count)
            for packet in transmission.packets
        ]
        if request.wait_s is not None:
            self._listener = stack.enter_context(
                ReplyListener(
                    transmission.interface,
                    self._sockets,
                    self._tracks,
                    self._report.heard,
                    one_answer=request.count * len(self._tracks) == 1
                    and transmission.is_to_one_host,
                )
            )

    def progress(self, progress: SendProgress) -> None:
        """Report the progress. Between packets, read frames, so that the ring is never full.

        What follows the last packet is read after `sent` is reported, as replies are.
        """
        assert self._report is not None
        self._report.progress(progress)
        if self._listener is not None and progress.sent < progress.asked:
            self._listener.read()

    def sent(self, built: order_job.BuiltOrder, progress: SendProgress, trouble: str) -> None:
        """Report the result; wait for replies if asked to."""
        report, listener, wait_s = self._report, self._listener, self._request.wait_s
        assert report is not None
        report.sent(progress)
        if built.audit_path:
            print_message(f"rawscope: {safe(trouble or f'recorded in {built.audit_path}')}")
        if listener is not None and wait_s is not None and progress.sent:
            listener.listen(wait_s, self.interrupts)
            report.end(self._tracks, waited=wait_s > 0)
        report.notes(built.transmission.notes)
        silent = bool(wait_s) and not any(track.reply_count for track in self._tracks)
        lost = progress.sent < progress.asked or progress.dropped
        self.status = 1 if lost or silent or trouble else 0


def _save(name: str, drafts: Sequence[Draft]) -> None:
    folder = Paths.of_user().state_folder
    database = StateDatabase(folder)
    try:
        former = DraftStore(database).keep(name, drafts)
    except OSError as error:
        words = f"{safe(str(folder))}: {error.strerror}; the draft is not saved"
        raise CommandError(words) from error
    for complaint in database.complaints.take():
        print_message(f"rawscope: {safe(complaint)}")
    if former:
        shown, now = safe(name), safe(former)
        print_message(f"rawscope: the draft saved before as {shown} is now named {now}")
