"""``rawscope replay``: send a capture again through an interface, by the TX ring.

Frames leave verbatim; IP packets without a link header get one that leads to their next hop. Exit
status: 0 if all frames were sent, 1 if not.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from app.cli.interrupts import StoppedError
from app.cli.output import CommandError
from app.cli.send.audit_option import WITHOUT_AUDIT, is_audited
from app.cli.send.replay_file import LONGEST, ReplayFile
from app.cli.send.replay_output import ReplayReport, write_dry_run
from app.cli.send.terminal_prompter import TerminalPrompter
from app.config.paths import Paths
from core.forge import pipeline
from core.forge.compose.draft import Draft
from core.forge.host import ForgeHost
from core.forge.journal.audit import Audit
from core.forge.journal.send_journal import SendJournal
from core.forge.orders import OrderError
from core.forge.review.capture_review import CaptureReview
from core.forge.review.confirmation import Examination, SendVolume
from core.forge.review.packet_review import Target
from core.forge.send_errors import SendError
from core.forge.transmit.encapsulation import Encapsulation
from core.forge.transmit.replay import Replay, ReplayCounts
from core.forge.transmit.schedule import ReplayPace
from core.forge.transmit.tx_ring import TxRing
from core.forge.transmit.tx_slots import fits
from core.forge.values import SendMethod
from core.net.interface_lookup import UnknownInterfaceError, require_interface
from core.net.netlink import LinkMessage
from core.net.routes import ARPHRD_ETHER, ARPHRD_LOOPBACK, IFF_LOOPBACK
from core.net.sockets import NotPermittedError
from core.wire.model.text import safe

_ENDLESS = 1 << 30  # rounds, for the densest frames of a replay without an end


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """The options of ``rawscope replay``.

    `loops` is how often to send the file, 0 until the user stops it, with `loop_delay_s` between
    two rounds; `limit` sends only the first frames of the file.
    """

    file: str
    link: str
    pace: ReplayPace
    loops: int = 1
    loop_delay_s: float = 0.0
    limit: int | None = None
    dry_run: bool = False
    yes: bool = False
    bypass: bool = False
    audit: bool = True
    as_json: bool = False


def run_replay(request: ReplayRequest, host: ForgeHost) -> int:
    """Send the file; return the exit status. Raises `CommandError`."""
    try:
        link = require_interface(request.link)
    except UnknownInterfaceError as error:
        raise CommandError(str(error)) from error
    request = replace(request, link=link.name)
    if link.hardware_type not in (ARPHRD_ETHER, ARPHRD_LOOPBACK):
        raise CommandError(f"{safe(request.link)} carries no Ethernet frames")
    if request.dry_run:
        with ExitStack() as stack:
            driver = TerminalPrompter(request.yes, stack)
            return ReplayJob(request, link, driver, host).count_frames()
    journal = SendJournal(Paths.of_user().state_folder, is_audited(request.audit), WITHOUT_AUDIT)
    with ExitStack() as stack:
        driver = TerminalPrompter(request.yes, stack)
        job = ReplayJob(request, link, driver, host)
        try:
            if not pipeline.carry_out(job, journal, driver):
                raise CommandError("not sent")
        except StoppedError as stop:
            raise CommandError("stopped before anything was sent") from stop
        except (OrderError, SendError, NotPermittedError) as error:
            raise CommandError(str(error)) from error
    return job.status


class ReplayJob:
    """The frames of a capture file on their way through the steps of `core.forge.pipeline`.

    `status` is the exit status once `send` returned. Raises `CommandError` if the file cannot be
    read, or not as often as asked.
    """

    method = SendMethod.LINK
    drafts: tuple[Draft, ...] = ()

    def __init__(
        self, request: ReplayRequest, link: LinkMessage, driver: TerminalPrompter, host: ForgeHost
    ) -> None:
        self.status = 0
        self._request = request
        self._link = link
        self._driver = driver
        self._host = host
        self._encapsulation = Encapsulation(link)
        self._file = ReplayFile(
            request.file, self._new_review(), self._encapsulation, request.pace, request.limit
        )
        if request.loops != 1 and not self._file.is_repeatable:
            raise CommandError(f"{safe(request.file)} can be read only once: --loop needs a file")
        self._ring: TxRing | None = None

    def count_frames(self) -> int:
        """Report what one round would send, without asking the link; return the exit status."""
        self._encapsulation.reset_counts()
        mtu, total = self._link.mtu, ReplayCounts()
        for batch in self._file.batches():
            captured = batch.captured.astype(np.int64)
            found = fits(batch.data, batch.offset, captured, mtu, LONGEST)
            total.add(captured, batch.original, found)
        total.take_omitted(self._encapsulation)
        timed = self._file.density.densest(1) is not None and self._file.is_repeatable
        duration_s = self._file.density.duration_s(1) if timed else None
        write_dry_run(self._request.link, total, duration_s, self._request.as_json)
        return 1 if total.left_out or self._file.damaged else 0

    @property
    def sent(self) -> int:
        """The number of frames that left."""
        return self._ring.sent if self._ring is not None else 0

    def review(self, known: frozenset[str]) -> Examination:
        """Review destinations and sources of the frames, and how many there are."""
        request, file = self._request, self._file
        if not file.is_repeatable:
            words = (
                f"What {request.file} holds is not known before it leaves {request.link} verbatim: "
                "neither how many frames, nor from whom, nor to whom."
            )
            return Examination(request.link, Target.HOST, (words,), frozenset())
        loops = request.loops or 1
        rate = request.pace.rate or file.density.densest(request.loops or _ENDLESS)
        duration_s = None
        if request.pace.rate is None and rate is not None:
            duration_s = file.density.duration_s(loops) + (loops - 1) * request.loop_delay_s
        volume = SendVolume(file.capture_review.frames * loops, rate, duration_s)
        found = file.capture_review.examination(volume, known)
        if request.loops:
            return found
        words = f"{request.file} is sent again and again until you stop it."
        return replace(found, questions=(*found.questions, words))

    def resolve(self) -> None:
        """Ask the link for unknown next hops, and review frames that got a link header again."""
        self._file.find_next_hops(self._new_review())

    def open(self, stack: ExitStack) -> None:
        """Open the ring."""
        request, link = self._request, self._link
        self._ring = stack.enter_context(
            TxRing(
                link.name,
                link.mtu,
                self._file.longest,
                bypass=request.bypass,
                stopped=self._driver.stopped,
                sockets=self._host.sockets,
            )
        )

    def send(self, audit: Audit | None, stack: ExitStack) -> None:
        """Send the frames as often as asked, and report what left, also if sending fails."""
        assert self._ring is not None
        request, file, stopped = self._request, self._file, self._driver.stopped
        of = file.records * request.loops if file.is_repeatable and request.loops else None
        has_gaps = request.pace.is_captured and not request.loop_delay_s
        hint = "--max-gap SECONDS limits such a gap" if has_gaps else ""
        report = ReplayReport(request.link, of, self._ring, audit, request.as_json, hint)
        replay = Replay(self._ring, request.pace, stopped, report)
        total = replay.counts
        try:
            for number in range(request.loops) if request.loops else count():
                if number:
                    replay.delay_next_round(request.loop_delay_s)
                replay.begin_round()
                self._feed(replay)
                if stopped() or not file.records:
                    break
        finally:
            total.take_omitted(self._encapsulation)
            report.end(total, stopped())
        self.status = 1 if total.left_out or file.damaged or stopped() else 0

    def report(self) -> None:
        """Do nothing: `send` reported the result."""

    def _feed(self, replay: Replay) -> None:
        """Send the frames of the file once, or until a signal."""
        batches = self._file.batches()
        while not self._driver.stopped():
            try:
                with self._driver.waiting():  # a pipe may be silent
                    batch = next(batches, None)
            except StoppedError:
                return
            if batch is None:
                return
            replay.feed(batch)

    def _new_review(self) -> CaptureReview:
        return CaptureReview(self._link.name, bool(self._link.flags & IFF_LOOPBACK))
