"""``rawscope replay``: a capture sent again through an interface, through the TX ring.

Frames leave verbatim; IP packets without a link header get one that leads to their next hop. Exit
status: 0 all was sent, 1 something was not.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import dataclass, replace

from app.cli.interrupts import Interrupts, StoppedError
from app.cli.output import CommandError, print_message
from app.cli.send.audit_option import WITHOUT_AUDIT, is_audited
from app.cli.send.prompt import approve
from app.cli.send.replay_file import ReplayFile
from app.cli.send.replay_output import ReplayReport
from app.config.paths import Paths
from core.forge.journal.send_journal import SendJournal
from core.forge.orders import OrderError
from core.forge.review.capture_review import CaptureReview
from core.forge.review.confirmation import Examination, SendVolume
from core.forge.review.packet_review import Target
from core.forge.send_errors import SendError
from core.forge.transmit.encapsulation import Encapsulation
from core.forge.transmit.replay import Replay, ReplayCounts, ReplayPace
from core.forge.transmit.tx_ring import TxRing
from core.forge.values import SendMethod
from core.net.interface_lookup import UnknownInterfaceError, require_interface
from core.net.routes import ARPHRD_ETHER, ARPHRD_LOOPBACK, IFF_LOOPBACK
from core.net.sockets import NotPermittedError
from core.wire.model.text import safe


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """What ``rawscope replay`` was asked for; `loops` is how often the whole file is sent."""

    file: str
    link: str
    pace: ReplayPace
    loops: int = 1
    yes: bool = False
    bypass: bool = False
    audit: bool = True
    as_json: bool = False


def run_replay(request: ReplayRequest) -> int:
    """Send the file; returns the exit status. Raises `CommandError`."""
    try:
        link = require_interface(request.link)
    except UnknownInterfaceError as error:
        raise CommandError(str(error)) from error
    request = replace(request, link=link.name)
    if link.hardware_type not in (ARPHRD_ETHER, ARPHRD_LOOPBACK):
        raise CommandError(f"{safe(request.link)} carries no Ethernet frames")
    audited = is_audited(request.audit)
    journal = SendJournal(Paths.of_user().state_folder, audited, WITHOUT_AUDIT)
    is_loopback = bool(link.flags & IFF_LOOPBACK)
    encapsulation = Encapsulation(link)
    file = ReplayFile(request.file, CaptureReview(request.link, is_loopback), encapsulation)
    if request.loops > 1 and not file.is_repeatable:
        raise CommandError(f"{safe(request.file)} can be read only once: --loop needs a file")
    examined = _review(request, file, journal.approved_marks())
    if not approve(examined, request.yes):
        raise CommandError("not sent")
    marks = examined.marks
    file.find_next_hops(
        CaptureReview(request.link, is_loopback)
    )  # agreed: now they may be asked for
    if file.is_framed:  # they are other bytes now
        again = _review(request, file, journal.approved_marks()).without(examined.questions)
        if not approve(again, request.yes):
            raise CommandError("not sent")
        marks |= again.marks
    try:
        with ExitStack() as stack:
            interrupts = stack.enter_context(Interrupts())
            ring = stack.enter_context(
                TxRing(
                    request.link,
                    link.mtu,
                    file.longest,
                    bypass=request.bypass,
                    stopped=lambda: interrupts.stopped,
                )
            )
            try:
                return _replay(request, file, encapsulation, ring, interrupts, journal, stack)
            finally:  # also if it fails: so much has left
                if ring.sent and not request.yes:
                    for note in journal.remember((), marks):
                        print_message(f"rawscope: {safe(note)}")
    except StoppedError as stop:
        raise CommandError("stopped before anything was sent") from stop
    except (OrderError, SendError, NotPermittedError) as error:
        raise CommandError(str(error)) from error


def _replay(
    request: ReplayRequest,
    file: ReplayFile,
    encapsulation: Encapsulation,
    ring: TxRing,
    interrupts: Interrupts,
    journal: SendJournal,
    stack: ExitStack,
) -> int:
    with interrupts.waiting():
        audit = journal.open_audit(SendMethod.LINK, stack)
    total = ReplayCounts()
    of = file.capture_review.frames * request.loops if file.is_repeatable else None
    told = ReplayReport(request.link, of, ring, audit, request.as_json)
    try:
        for _ in range(request.loops):
            replay = Replay(ring, request.pace, lambda: interrupts.stopped, told)
            try:
                _feed(replay, file, interrupts)
            finally:
                total += replay.counts
            if interrupts.stopped:
                break
    finally:  # also where it fails: so much has left
        total += ReplayCounts(frames=encapsulation.unframed, unframed=encapsulation.unframed)
        told.end(total, interrupts.stopped)
    left_out = total.too_long + total.too_short + total.unframed
    return 1 if left_out or file.damaged or interrupts.stopped else 0


def _feed(replay: Replay, file: ReplayFile, interrupts: Interrupts) -> None:
    batches = file.batches()
    while not interrupts.stopped:
        try:
            with interrupts.waiting():  # a pipe may be silent
                batch = next(batches, None)
        except StoppedError:
            return
        if batch is None:
            return
        replay.feed(batch)


def _review(request: ReplayRequest, file: ReplayFile, known: Collection[str]) -> Examination:
    """What is to be asked: where the frames go, whose they are, and how many there are."""
    if not file.is_repeatable:
        words = (
            f"What {request.file} holds is not known before it leaves {request.link} verbatim: "
            "neither how many frames, nor from whom, nor to whom."
        )
        return Examination(request.link, Target.HOST, (words,), frozenset())
    rate, speed = request.pace.rate, request.pace.speed
    if rate is None and speed is not None:
        rate = file.capture_review.densest(speed, request.loops)
    return file.capture_review.examination(
        SendVolume(file.capture_review.frames * request.loops, rate), known
    )
