"""``rawscope send``: a packet from options, sent, and what became of it.

Every field of the header tables is an option; those that are not given are computed, taken from the
route, or have their default, exactly as in the form. ``--dry-run`` prints the bytes and sends
nothing. Exit status: 0 all was sent (and with ``--wait`` something answered), 1 the kernel refused
or dropped some, a person said no, nobody answered, or the count could not be written down; 2 a
field cannot be what was typed.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from app.cli.interrupts import Interrupts, StoppedError
from app.cli.output import CommandError, say
from app.cli.send.audit_option import open_audit, unaudited
from app.cli.send.prompt import agree, state_folder
from app.cli.send.reply_listener import ReplyListener
from app.cli.send.send_output import SendReport, write_dry_run
from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import Evaluation, aim_wanted, evaluate
from core.forge.compose.route_suggestions import suggest_from_routes
from core.forge.export.recipes import rawscope_command
from core.forge.journal.audit import Audit
from core.forge.journal.saved import DraftStore
from core.forge.observe.outcome import Outcome
from core.forge.observe.tracker import Track
from core.forge.review.confirmation import SendVolume
from core.forge.send_errors import SendError
from core.forge.transmit.injector import Injector
from core.forge.transmit.pacing import send_packets
from core.forge.transmit.transmission import PreparedTransmission, prepare
from core.forge.values import SendMethod, SendPlan, SendProgress
from core.net.interface_lookup import find_interface
from core.net.sockets import NotPermittedError
from core.wire.model.text import safe


class FieldTextError(Exception):
    """A field cannot be what was typed: wrong usage. The text names the option."""


@dataclass(frozen=True, slots=True)
class SendRequest:
    """What ``rawscope send`` was asked for. `link` is an interface for verbatim frames, else empty;
    `system` leaves the IP header to the system; `bypass` is PACKET_QDISC_BYPASS."""

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
        """How often and how fast."""
        return SendPlan(self.count, self.rate)

    @property
    def way(self) -> SendMethod:
        """How the packets leave."""
        if self.link:
            return SendMethod.LINK
        return SendMethod.SYSTEM if self.system else SendMethod.IP


def run_send(request: SendRequest) -> int:
    """Build, ask, send, listen; returns the exit status.

    Raises `FieldTextError` for what was typed and `CommandError` for what failed.
    """
    if request.link and (link := find_interface(request.link)) is not None:
        request = replace(request, link=link.name)
    evaluations = _evaluate(request, resolve=False)
    packets = [one.data for one in evaluations]
    if request.save_as is not None:
        _save(request.save_as, request.drafts)
    if request.dry_run:
        linked = [draft.has_link for draft in request.drafts]
        write_dry_run(packets, linked, request.link, request.as_json)
        return 0
    try:
        departure = prepare(packets, request.way, request.link, request.drafts[0].network)
        shelf = DraftStore(state_folder())
        load = SendVolume(request.count * len(packets), request.rate)
        examined = departure.examine(load, shelf.known())
        agree(examined, shelf, request.yes)
        if request.link:  # agreed: now the next hop may be asked for its address
            evaluations = _evaluate(request, resolve=True)
            packets = [one.data for one in evaluations]
            departure = prepare(packets, request.way, request.link)
            again = departure.examine(load, shelf.known())  # they are other bytes now
            agree(again.without(examined.questions), shelf, request.yes)
        return _send(request, departure, evaluations, shelf)
    except StoppedError as stop:
        raise CommandError("stopped before anything was sent") from stop
    except (SendError, NotPermittedError) as error:
        raise CommandError(str(error)) from error


def _evaluate(request: SendRequest, *, resolve: bool) -> list[Evaluation]:
    """The drafts with what the machine suggests; raises `FieldTextError` for the first error."""
    if not request.dry_run and not request.link and request.drafts[0].has_link:
        raise FieldTextError("--link: these are frames with a link header; name their interface")
    found = []
    for draft in request.drafts:
        around = suggest_from_routes(draft, request.link, resolve=resolve)
        if request.link and around.link is None and not request.dry_run:
            raise CommandError(around.trouble)
        evaluation = evaluate(draft, around.values)
        for field in evaluation.errors:
            raise FieldTextError(f"--{field.key} {field.error}")
        if evaluation.built is None:
            raise FieldTextError("the packet does not fit its length fields")
        if not request.dry_run and (aim := evaluation.unaimed) is not None:
            raise FieldTextError(f"--{aim.key}: {aim_wanted(aim)}")
        if resolve and around.trouble:
            raise CommandError(f"{around.trouble}; give it by --eth.dst")
        found.append(evaluation)
    return found


def _send(
    request: SendRequest,
    departure: PreparedTransmission,
    evaluations: Sequence[Evaluation],
    shelf: DraftStore,
) -> int:
    way, network = departure.way, departure.network
    tracks = [Track(Outcome(packet, way, network)) for packet in departure.packets]
    told = SendReport(departure, request.as_json, request.bypass)
    with ExitStack() as stack:
        interrupts = stack.enter_context(Interrupts())
        with interrupts.waiting():  # for the next hop to answer, or another process's lock
            injector = stack.enter_context(departure.open(bypass=request.bypass))
            audit = open_audit(request.audit, request.way, stack)
        listener = None
        if request.wait_s is not None:
            listener = stack.enter_context(
                ReplyListener(
                    departure.interface,
                    tracks,
                    told.heard,
                    one_answer=request.count * len(tracks) == 1 and departure.is_to_one_host,
                )
            )
        if audit is not None:
            with interrupts.waiting():
                _note(audit, request, departure, evaluations)
        progress = _inject(request, departure, injector, interrupts, told, listener)
        told.sent(progress)
        trouble = ""
        if audit is not None:
            trouble = audit.note_result(departure, progress)
            say(f"rawscope: {safe(trouble or f'written down in {audit.path}')}")
        if listener is not None and request.wait_s is not None and progress.sent:
            listener.listen(request.wait_s, interrupts)
            told.end(tracks)
        told.notes(departure.notes)
    if progress.sent:
        _remember(shelf, request.drafts)
    if progress.error is not None:
        raise CommandError(f"{progress.left} of {progress.asked} sent: {progress.error}")
    silent = listener is not None and not any(track.reply_count for track in tracks)
    return 1 if progress.sent < progress.asked or progress.dropped or silent or trouble else 0


def _inject(
    request: SendRequest,
    departure: PreparedTransmission,
    injector: Injector,
    interrupts: Interrupts,
    told: SendReport,
    listener: ReplyListener | None,
) -> SendProgress:
    def report(progress: SendProgress) -> None:
        told.progress(progress)
        if listener is not None:
            listener.read()

    return send_packets(
        injector, departure.given_to_kernel, request.plan, lambda: interrupts.stopped, report
    )


def _note(
    audit: Audit,
    request: SendRequest,
    departure: PreparedTransmission,
    evaluations: Sequence[Evaluation],
) -> None:
    """Write down what is about to leave: also a run that is killed leaves its trace."""
    commands = [
        rawscope_command(one.draft, request.link, system=request.system, plan=request.plan)
        for one in evaluations
    ]
    try:
        audit.note_sending(departure, request.count, commands)
    except OSError as error:
        raise unaudited(error) from error


def _save(name: str, drafts: Sequence[Draft]) -> None:
    try:
        former = DraftStore(state_folder()).keep(name, drafts)
    except OSError as error:
        raise CommandError(
            f"{safe(str(state_folder()))}: {error.strerror}; the draft is not saved"
        ) from error
    if former:
        say(f"rawscope: what was saved as {safe(name)} is now {safe(former)}")


def _remember(shelf: DraftStore, drafts: Sequence[Draft]) -> None:
    try:
        shelf.remember(drafts)
    except OSError as error:
        say(f"rawscope: {safe(str(state_folder()))}: {error.strerror}; not put into the history")
