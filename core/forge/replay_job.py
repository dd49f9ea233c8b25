"""A replay on its way through the steps of `core.forge.pipeline`.

The driver asks the user, waits for a silent pipe, and reports; the job has no terminal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from core.files.formats import FileError
from core.forge.compose.draft import Draft
from core.forge.host import ForgeHost
from core.forge.journal.audit import Audit
from core.forge.pipeline import Driver
from core.forge.review.capture_review import CaptureReview
from core.forge.review.confirmation import Examination, SendVolume
from core.forge.review.packet_review import Target
from core.forge.transmit.decapsulation import Decapsulation
from core.forge.transmit.encapsulation import Encapsulation, LinkAdapter
from core.forge.transmit.link_header import header_bytes, method_on, shortest
from core.forge.transmit.replay import Replay, ReplayCounts, ReplayObserver
from core.forge.transmit.replay_file import LONGEST, ReplayFile, ReplayFrames
from core.forge.transmit.rewrite_rules import RewriteRules
from core.forge.transmit.schedule import ReplayPace
from core.forge.transmit.tx_ring import TxRing
from core.forge.transmit.tx_slots import fits
from core.net.netlink import LinkMessage
from core.net.routes import IFF_LOOPBACK
from core.wire.model.text import safe

_ENDLESS = 1 << 30  # rounds, for the densest frames of a replay without an end
_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """The frames to send, and when.

    `loops` is how often to send the file, 0 until the user stops it, with `loop_delay_s` between
    two rounds; `limit` sends only the first frames of the file; `bypass` is PACKET_QDISC_BYPASS
    (packet(7)); `rules` change the frames.
    """

    file: str
    pace: ReplayPace
    loops: int = 1
    loop_delay_s: float = 0.0
    limit: int | None = None
    bypass: bool = False
    rules: RewriteRules = RewriteRules()  # noqa: RUF009 - a frozen value


class ReplayForecast(NamedTuple):
    """The frames that a replay would send.

    `total` counts all rounds, or one if the replay has no end; `duration_s` is the time that they
    take, or None if it is unknown. `pending` frames go to `unknown_hops` next hops whose link
    addresses are unknown; the replay asks the link, and omits the frames of a silent next hop.
    """

    total: ReplayCounts
    duration_s: float | None
    pending: int
    unknown_hops: int


class ReplayReporter(ReplayObserver, Protocol):
    """The observer of a replay that also reports its end."""

    def end(self, total: ReplayCounts, interrupted: bool) -> None:
        """Report the result; an interrupted replay did not reach all frames."""
        ...


class ReplayDriver(Driver, Protocol):
    """The command, as a replay uses it."""

    def wait_for(self, function: Callable[[], _Found]) -> _Found | None:
        """Call a function that may wait; return None if a signal ended the wait."""
        ...

    def begin(self, ring: TxRing, of: int | None, audit: Audit | None) -> ReplayReporter:
        """Return the reporter of a replay of `of` frames (None: unknown) into a ring."""
        ...


class ReplayJob:
    """The frames of a capture file, to be sent through an interface.

    `status` is the exit status once `send` returned: 0 if all frames left. Raises `FileError` if
    the file cannot be read, or not as often as planned, or the interface is of the wrong kind.
    """

    drafts: tuple[Draft, ...] = ()

    def __init__(
        self, plan: ReplayPlan, link: LinkMessage, driver: ReplayDriver, host: ForgeHost
    ) -> None:
        method = method_on(link)
        if method is None:
            words = "carries neither Ethernet frames nor bare IP packets"
            raise FileError(f"{safe(link.name)} {words}")
        self.method = method
        self._header = header_bytes(method)
        if plan.rules.changes_links and not self._header:
            raise FileError(f"{safe(link.name)} has no link header: omit --enet-smac, -dmac, -vlan")
        self.status = 0
        self._plan = plan
        self._link = link
        self._driver = driver
        self._host = host
        self._encapsulation = (
            Encapsulation(link, plan.rules.destination_mac) if self._header else None
        )
        self._adapter: LinkAdapter = self._encapsulation or Decapsulation()
        self._file = ReplayFile(
            plan.file,
            self._new_review(),
            self._adapter,
            plan.pace,
            plan.limit,
            plan.rules,
        )
        driver.warn(self._file.notes)
        if plan.loops != 1 and not self._file.is_repeatable:
            raise FileError(f"{safe(plan.file)} can be read only once: --loop needs a file")
        self._ring: TxRing | None = None

    def forecast(self) -> ReplayForecast:
        """Return what would be sent. Ask nothing of the link; set `status`."""
        self._adapter.omitted.clear()
        pending = self._encapsulation.pending if self._encapsulation else Counter[bytes]()
        pending.clear()
        mtu, total = self._link.mtu, ReplayCounts(shortest=shortest(self._header))
        for batch, changed in self._file.frames():
            captured = batch.captured.astype(np.int64)
            found = fits(batch.data, batch.offset, captured, mtu, LONGEST, self._header)
            total.add(captured, batch.original, found, changed)
        total.take_omitted(self._adapter.omitted)
        loops = self._plan.loops or 1
        total.repeat(loops)
        self._warn_of_pipe()
        self.status = 1 if total.left_out or self._file.damaged else 0
        duration_s = self._duration_s(loops)
        return ReplayForecast(total, duration_s, pending.total() * loops, len(pending))

    def _duration_s(self, loops: int) -> float | None:
        """Return how long so many rounds take at least; None if that is unknown."""
        delay_s, density = (loops - 1) * self._plan.loop_delay_s, self._file.density
        if self._file.is_repeatable and density.densest(1) is not None:
            return density.duration_s(loops) + delay_s
        return delay_s or None

    @property
    def sent(self) -> int:
        """The number of frames that left."""
        return self._ring.sent if self._ring is not None else 0

    def review(self, known: frozenset[str]) -> Examination:
        """Review destinations and sources of the frames, and how many there are."""
        plan, file, interface = self._plan, self._file, self._link.name
        if not file.is_repeatable:
            name = "standard input" if plan.file == "-" else safe(plan.file)
            words = (
                f"rawscope cannot check {name} before it sends: the number, sources, and "
                "destinations of the frames are unknown."
            )
            return Examination(interface, Target.HOST, (words,), frozenset())
        loops = plan.loops or 1
        rate = plan.pace.rate or file.density.densest(plan.loops or _ENDLESS)
        duration_s = None
        if plan.pace.rate is None and rate is not None:
            duration_s = self._duration_s(loops)
        volume = SendVolume(file.capture_review.frames * loops, rate, duration_s)
        found = file.capture_review.examination(volume, known)
        if plan.loops:
            return found
        words = f"{plan.file} is sent again and again until you stop it."
        return replace(found, questions=(*found.questions, words))

    def resolve(self) -> None:
        """Ask the link for unknown next hops, and review frames that got a link header again."""
        if self._encapsulation is not None:
            self._encapsulation.resolve = True
            if self._encapsulation.adds_headers:
                self._file.review_again(self._new_review())
        self._adapter.omitted.clear()

    def open(self, stack: ExitStack) -> None:
        """Open the ring."""
        link = self._link
        self._ring = stack.enter_context(
            TxRing(
                link.name,
                link.mtu,
                self._file.longest,
                bypass=self._plan.bypass,
                stopped=self._driver.stopped,
                sockets=self._host.sockets,
                header=self._header,
                cycle=self._file.kept if self._plan.loops != 1 else 0,
            )
        )

    def send(self, audit: Audit | None, stack: ExitStack) -> None:
        """Send the frames as often as planned, and report what left, also if sending fails."""
        assert self._ring is not None
        plan, file, stopped = self._plan, self._file, self._driver.stopped
        of = file.records * plan.loops if file.is_repeatable and plan.loops else None
        reporter = self._driver.begin(self._ring, of, audit)
        replay = Replay(self._ring, plan.pace, stopped, reporter)
        total = replay.counts
        try:
            done = 0
            while not done or done < plan.loops or not plan.loops:
                if done:
                    replay.delay_next_round(plan.loop_delay_s)
                replay.begin_round()
                rounds = self._rounds_at_once(plan.loops - done if plan.loops else _ENDLESS)
                self._feed(replay, rounds)
                done += rounds
                if stopped() or not file.records:
                    break
        finally:
            total.take_omitted(self._adapter.omitted)
            reporter.end(total, stopped())
        self._warn_of_pipe()
        self.status = 1 if total.left_out or file.damaged or stopped() else 0

    def report(self) -> None:
        """Do nothing: `send` reported the result."""

    def _rounds_at_once(self, left: int) -> int:
        """Return how many of the rounds that are left to send together: 1 if each has a time."""
        if self._plan.pace.is_captured or self._plan.loop_delay_s:
            return 1
        return min(left, self._file.rounds_at_once)

    def _feed(self, replay: Replay, rounds: int) -> None:
        """Send the frames of the file so many times, or until a signal."""
        frames: Iterator[ReplayFrames] = self._file.frames(rounds)
        while not self._driver.stopped():
            found = self._driver.wait_for(lambda: next(frames, None))  # a pipe may be silent
            if found is None:
                return
            replay.feed(found.batch, found.changed)

    def _warn_of_pipe(self) -> None:
        """Warn of damage in a pipe, which was not reviewed."""
        if not self._file.is_repeatable:
            self._driver.warn(self._file.notes)

    def _new_review(self) -> CaptureReview:
        is_loopback = bool(self._link.flags & IFF_LOOPBACK)
        return CaptureReview(self._link.name, is_loopback, is_bare=not self._header)
