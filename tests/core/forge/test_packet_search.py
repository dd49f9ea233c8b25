"""The search for sent packets in a store that grows and evicts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.analysis.analysis_thread import AnalysisThread
from core.decode.batch import CaptureInterface
from core.forge.orders import ForgeSnapshot, WatchedOrder
from core.forge.packet_search import MOST_FORMER, FollowedStore, PacketSearch
from core.forge.report import Report
from core.forge.values import SendMethod, SendProgress
from core.store.packet_store import PacketStore
from core.wire.link.link_types import LinkType
from tests.helpers.scripted import HOST, SERVER, SYN, Frame, batch, conversations, tcp
from tests.helpers.waiting import PATIENCE_S, until

COPY = Frame(tcp(HOST, SERVER, (51999, 81), SYN, (1000, 0)), 10)
NOISE = list(conversations())
GENERATION = 3
END_S = 10.0  # of the wait for replies


class Searching:
    """A search for one sent frame in `store`. It has the sender publish `state`."""

    def __init__(self) -> None:
        self.store = PacketStore(1 << 18)
        self.store.add_interface(CaptureInterface("eth0", LinkType.ETHERNET))
        self.now_s = 0.0
        self.unseen_reason = ""
        self.thread = AnalysisThread()
        self.search = PacketSearch(self.thread, lambda: self.now_s)
        self.state = ForgeSnapshot()
        self.watch(1)

    def watch(self, first: int, generation: int = GENERATION) -> None:
        """Have the sender send the frame, from packet number `first` on."""
        report = Report("verbatim", "eth0", SendProgress(1, 1), listening=True)
        watched = WatchedOrder((COPY.data,), 2000, SendMethod.LINK, "", first, generation)
        self.state = ForgeSnapshot(report=report, watched=watched, listen_until_s=END_S)

    def follow(self, generation: int = GENERATION) -> ForgeSnapshot:
        """Hand over the newest snapshot, as the screen does; return what is known at once."""
        store = FollowedStore(self.store.snapshot(), generation, self.unseen_reason)
        self.search.follow(store, self.state)
        return self.search.add_to(self.state)

    def result(self) -> ForgeSnapshot:
        """Return the result for the newest snapshot when no more packets are to be compared."""
        self.follow()
        assert self.thread.wait(PATIENCE_S)
        return self.search.add_to(self.state)

    def evict(self) -> None:
        """Add other packets until every present packet is evicted."""
        last = self.store.snapshot().count
        while self.store.snapshot().first <= last:
            self.store.append(batch(NOISE * 10))


@pytest.fixture
def searching() -> Iterator[Searching]:
    made = Searching()
    yield made
    made.search.close()
    made.thread.close()


def test_packets_that_are_evicted_before_the_search_are_skipped(searching: Searching) -> None:
    searching.store.append(batch([COPY]))
    searching.evict()
    searching.store.append(batch([*NOISE, COPY, *NOISE]))
    number = searching.store.snapshot().count - len(NOISE)
    found = searching.result()
    (outcome,) = found.report.outcomes
    assert (outcome.number, outcome.copies) == (number, 1)
    assert found.sent_numbers == {number}


def test_results_stay_known_when_their_packets_are_evicted(searching: Searching) -> None:
    searching.store.append(batch([COPY]))
    assert searching.result().report.outcomes[0].copies == 1
    searching.evict()
    searching.store.append(batch([COPY]))
    last = searching.store.snapshot().count
    found = searching.result()
    assert (found.report.outcomes[0].number, found.report.outcomes[0].copies) == (1, 2)
    assert found.sent_numbers == {1, last}


def test_packets_that_are_evicted_during_the_search_are_skipped(searching: Searching) -> None:
    """Each step compares one packet, and the store evicts the rest after the first."""
    searching.thread.close()
    searching.thread = AnalysisThread(slice_s=0)
    searching.search = PacketSearch(searching.thread, lambda: 0.0)
    searching.store.append(batch([COPY] * 9))
    searching.follow()
    tracker = searching.search._tracker
    until(lambda: tracker.published.sent_numbers, "the first copy")
    searching.evict()
    searching.store.append(batch([COPY]))
    found = searching.result()
    numbers = sorted(found.sent_numbers)
    assert numbers[0] == 1
    assert numbers[-1] == searching.store.snapshot().count
    assert found.report.outcomes[0].copies == len(numbers)
    assert not found.report.counting


def test_packets_of_earlier_orders_stay_known_until_the_store_is_replaced(
    searching: Searching,
) -> None:
    searching.store.append(batch([COPY]))
    assert searching.result().sent_numbers == {1}
    searching.watch(2)
    assert searching.follow().sent_numbers == {1}
    searching.store.append(batch([*NOISE, COPY]))
    last = searching.store.snapshot().count
    found = searching.result()
    assert found.sent_numbers == {1, last}
    assert found.report.outcomes[0].number == last
    assert searching.follow(GENERATION + 1).sent_numbers == frozenset()


def test_copies_that_are_captured_after_the_next_order_are_known(searching: Searching) -> None:
    """Orders that follow each other faster than their packets are captured and compared."""
    searching.follow()
    for _ in range(MOST_FORMER):
        searching.watch(searching.store.snapshot().count + 1)
        searching.follow()
        searching.store.append(batch([COPY]))
    searching.watch(searching.store.snapshot().count + 1)
    searching.follow()
    searching.store.append(batch([COPY]))
    last = searching.store.snapshot().count
    found = searching.result()
    assert found.sent_numbers == set(range(1, last + 1))
    assert found.report.outcomes[0].number == last


def test_the_number_of_former_orders_is_bounded(searching: Searching) -> None:
    for _ in range(3 * MOST_FORMER):
        searching.watch(1)
        searching.follow()
    assert len(searching.search._former) == MOST_FORMER
    searching.follow(GENERATION + 1)
    assert searching.search._former == []


def test_an_order_that_was_sent_into_another_store_is_not_searched_for(
    searching: Searching,
) -> None:
    searching.watch(1, GENERATION - 1)
    searching.store.append(batch([COPY]))
    found = searching.result()
    assert (found.sent_numbers, found.report.outcomes) == (frozenset(), ())
    assert not found.report.listening
    searching.watch(1)
    assert searching.result().report.outcomes[0].number == 1


def test_the_wait_for_replies_ends_with_the_packets_before_its_end(searching: Searching) -> None:
    searching.now_s = END_S
    assert searching.follow().report.listening
    searching.store.append(batch([COPY]))
    searching.now_s = END_S + 1
    found = searching.result()
    assert (found.report.listening, found.report.outcomes[0].copies) == (False, 1)
    searching.store.append(batch([COPY]))
    assert searching.result().report.outcomes[0].copies == 1


def test_the_reason_for_a_blind_capture_is_known_while_replies_may_arrive(
    searching: Searching,
) -> None:
    searching.unseen_reason = "capture is stopped"
    assert searching.follow().report.unseen_reason == "capture is stopped"
    searching.unseen_reason = ""
    assert searching.follow().report.unseen_reason == ""
    searching.now_s, searching.unseen_reason = END_S + 1, "capture is stopped"
    assert searching.follow().report.unseen_reason == ""


def test_nothing_is_offered_for_a_snapshot_that_was_compared(searching: Searching) -> None:
    searching.store.append(batch([COPY]))
    searching.result()
    slices = searching.thread.slices
    searching.result()
    assert searching.thread.slices == slices
