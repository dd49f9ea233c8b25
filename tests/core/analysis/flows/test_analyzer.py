"""The flows of a growing store: live, evicted, filtered, and listed once a second."""

from __future__ import annotations

from core.analysis.filter.packet_filter import PacketFilter
from core.analysis.flows.analyzer import SETTLED_S, FlowAnalyzer
from core.analysis.flows.level import Level
from core.analysis.flows.listing import FlowQuestion
from core.store.budget import UNLIMITED, Budget
from core.store.filtered_view import View
from core.store.packet_store import PacketStore
from tests.core.analysis.tcp.conversations import Sent, times_of
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of

SENT = [
    Sent(sequence=1 + 10 * number, acknowledgment=1, length=10, ports=(40_000 + number % 4, 80))
    for number in range(40)
]


class _Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def _store(sent: list[Sent]) -> PacketStore:
    store = PacketStore(1 << 20)
    store.add_interface(ETHERNET_INTERFACE)
    store.append(batch_of([each.frame for each in sent], times_ns=times_of(sent)))
    return store


def test_a_listing_a_second_and_at_once_for_another_question() -> None:
    clock = _Clock()
    analyzer = FlowAnalyzer(FlowQuestion(), clock=clock)
    store = _store(SENT[:10])
    assert not analyzer.extend(store.snapshot(), UNLIMITED)
    assert analyzer.published.packets == 10
    assert not analyzer.is_due(store.snapshot())
    store.append(batch_of([each.frame for each in SENT[10:]]))
    assert analyzer.is_due(store.snapshot())
    assert not analyzer.extend(store.snapshot(), UNLIMITED)
    assert analyzer.through == 40
    assert analyzer.published.packets == 10  # not yet
    assert analyzer.listed_through == 10
    clock.now += SETTLED_S
    assert analyzer.is_due(store.snapshot())
    analyzer.extend(store.snapshot(), UNLIMITED)
    assert analyzer.published.packets == analyzer.listed_through == 40
    analyzer.question = FlowQuestion(Level.IPV4)
    assert analyzer.is_due(store.snapshot())
    analyzer.extend(store.snapshot(), UNLIMITED)
    assert analyzer.published.question.level is Level.IPV4
    assert len(analyzer.published) == 1


def test_a_spent_budget_is_continued() -> None:
    store = _store(SENT)
    analyzer = FlowAnalyzer(FlowQuestion())
    while analyzer.extend(store.snapshot(), Budget(0)):
        pass
    assert analyzer.through == 40


def test_a_listing_is_made_in_steps_and_begun_again_for_another_question() -> None:
    store = _store(SENT)
    analyzer = FlowAnalyzer(FlowQuestion(sort="a"))
    while analyzer.through < 40:
        assert analyzer.extend(store.snapshot(), Budget(0))
    steps = 0
    while not analyzer.has_answer:
        assert analyzer.is_due(store.snapshot())
        analyzer.extend(store.snapshot(), Budget(0))
        steps += 1
        if steps == 4:
            analyzer.question = FlowQuestion(Level.IPV4, text="192.")
            store.append(batch_of([each.frame for each in SENT[:1]]))
    assert steps > 10
    assert analyzer.published.question == FlowQuestion(Level.IPV4, text="192.")
    assert analyzer.published.packets == 40  # counting waits for the listing
    analyzer.extend(store.snapshot(), UNLIMITED)
    assert analyzer.through == 41


def test_packets_of_a_filter() -> None:
    store = _store(SENT)
    view = View(PacketFilter.compile("tcp.srcport in {40001, 40002}"))
    analyzer = FlowAnalyzer(FlowQuestion(sort="a"), view)
    assert not analyzer.extend(store.snapshot(), UNLIMITED)
    assert analyzer.through == 0
    view.extend(store.snapshot(), UNLIMITED)
    analyzer.question = FlowQuestion(sort="a", descending=False)
    analyzer.extend(store.snapshot(), UNLIMITED)
    listing = analyzer.published
    assert [listing.end(row)[1] for row in range(len(listing))] == [40_001, 40_002]
    assert listing.columns["packets"].tolist() == [[10, 0], [10, 0]]


def test_evicted_packets_stay_counted() -> None:
    store = PacketStore(40_000)
    store.add_interface(ETHERNET_INTERFACE)
    analyzer = FlowAnalyzer(FlowQuestion())
    for _ in range(60):
        store.append(batch_of([each.frame for each in SENT]))
        analyzer.forget(store.snapshot().first)
        analyzer.extend(store.snapshot(), UNLIMITED)
    assert store.snapshot().evicted
    assert analyzer.first == 1
    assert analyzer.through == store.snapshot().count == 60 * 40
