"""The search for sent packets and their replies in the store that the screen follows.

The analysis thread compares the packets (`core.forge.observe.tracker`). `PacketSearch` is the
screen's side of it: it hands over each snapshot of the store while replies may arrive, and adds
what was found to the state that the sender publishes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from core.analysis.analysis_thread import AnalysisThread
from core.forge.observe.tracker import TrackedPackets, Tracker
from core.forge.orders import ForgeSnapshot, WatchedOrder
from core.forge.values import SendMethod
from core.store.snapshot import Snapshot
from core.wire.model.text import safe

MOST_FORMER = 8  # orders before the newest one whose copies are still searched for


@dataclass(frozen=True, slots=True)
class FollowedStore:
    """The newest snapshot of the store that the screen handed over.

    `generation` counts the stores. `unseen_reason` is why the capture cannot show a packet that is
    sent now, or empty.
    """

    snapshot: Snapshot | None = None
    generation: int = 0
    unseen_reason: str = ""


class PacketSearch:
    """Finds the packets of the newest orders. One thread, the screen's, calls its methods.

    Only the newest order has an outcome. The capture may show copies of the orders before it after
    it was sent: they count as sent, too. Any thread may read `followed`.
    """

    def __init__(self, thread: AnalysisThread, clock: Callable[[], float]) -> None:
        self.followed = FollowedStore()
        self._thread = thread
        self._clock = clock
        self._order: WatchedOrder | None = None
        self._tracker = Tracker((), SendMethod.IP, 1)  # of the order
        self._former: list[Tracker] = []  # of orders before it in this store, oldest first
        self._earlier: frozenset[int] = frozenset()  # numbers of packets that older orders sent
        self._sent: tuple[list[TrackedPackets], frozenset[int]] = [], self._earlier
        self._unseen_reason = ""
        self._offered: tuple[int, int] | None = None  # version and first packet
        self._was_listening = False

    def follow(self, store: FollowedStore, published: ForgeSnapshot) -> None:
        """Compare a newer snapshot of the store while replies may arrive, and one after that.

        `published` is the state of the sender.
        """
        if store.generation != self.followed.generation:
            self._thread.cancel(*self._former)
            self._former = []
            self._earlier, self._sent = frozenset(), ([], frozenset())
        self.followed = store
        if published.watched is not None and published.watched is not self._order:
            self._watch(published.watched)
        is_listening = self._is_listening(published)
        if is_listening:
            self._unseen_reason = store.unseen_reason
        if is_listening or self._was_listening:
            self._offer(store)
        self._was_listening = is_listening

    def add_to(self, published: ForgeSnapshot) -> ForgeSnapshot:
        """Return the state of the sender with what was found."""
        report = replace(published.report, listening=self._is_listening(published))
        if published.watched is not None and published.watched is self._order:
            found = self._tracker.published
            report = replace(
                report,
                outcomes=found.outcomes,
                counting=found.has_more and report.listening,
                unseen_reason=self._failure or self._unseen_reason,
            )
        return replace(published, report=report, sent_numbers=self.sent_numbers())

    def sent_numbers(self) -> frozenset[int]:
        """Return the numbers of the packets in the followed store that the service sent."""
        found = [one.published for one in self._trackers]
        if self._sent[0] != found:  # by identity
            numbers = (one.sent_numbers for one in found)
            self._sent = found, self._earlier.union(*numbers)
        return self._sent[1]

    def close(self) -> None:
        """Cancel the search."""
        self._thread.cancel(self._tracker, *self._former)

    @property
    def _is_in_store(self) -> bool:
        """True if the order was sent into the store that the screen follows."""
        return self._order is not None and self._order.generation == self.followed.generation

    @property
    def _trackers(self) -> list[Tracker]:
        """The trackers of all orders that were sent into the followed store."""
        return [*self._former, self._tracker] if self._is_in_store else self._former

    @property
    def _failure(self) -> str:
        """The internal error that ended the search; empty without an error."""
        error = self._thread.failure_of(self._tracker)
        if error is None:
            return ""
        words = f"{type(error).__name__}: {safe(str(error))}"
        return (
            f"comparing captured packets failed ({words}), so the sent packet and its replies "
            "cannot be shown"
        )

    def _is_listening(self, published: ForgeSnapshot) -> bool:
        """Return True while copies and replies of the order may arrive."""
        watched = published.watched
        return (
            published.report.listening
            and self._clock() <= published.listen_until_s
            and (watched is None or watched.generation == self.followed.generation)
            and not (watched is self._order and self._failure)
        )

    def _watch(self, order: WatchedOrder) -> None:
        """Look for the packets of another order."""
        self._former = list(self._trackers)
        while len(self._former) > MOST_FORMER:
            oldest = self._former.pop(0)
            self._earlier |= oldest.published.sent_numbers
            self._thread.cancel(oldest)
        if not self._is_in_store:
            self._thread.cancel(self._tracker)
        self._order = order
        self._tracker = Tracker(
            order.packets, order.method, order.first, order.network, order.count
        )
        self._offered = None
        self._unseen_reason = ""

    def _offer(self, store: FollowedStore) -> None:
        if store.snapshot is None or not self._is_in_store:
            return
        offered = store.snapshot.version, store.snapshot.first
        if offered != self._offered:
            self._offered = offered
            self._thread.offer(store.snapshot, *self._trackers)
