"""The lookup's search for sent packets in a store that grows and evicts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from core.forge import lookup
from core.forge.commands import Command, FollowedStore, Tracked, WatchedOrder
from core.forge.lookup import Lookup
from core.forge.values import SendMethod
from core.store.packet_store import PacketStore
from tests.helpers.scripted import (
    HOST,
    SERVER,
    SYN,
    Frame,
    batch,
    conversations,
    scripted_store,
    tcp,
)
from tests.helpers.scripted_forge import ScriptedHost
from tests.helpers.waiting import until

COPY = Frame(tcp(HOST, SERVER, (51999, 81), SYN, (1000, 0)), 10)
NOISE = list(conversations())
GENERATION = 3


class Searching:
    """A lookup that searches `store` for one sent frame, and what it has put."""

    def __init__(self) -> None:
        self.store = PacketStore(1 << 18)
        self.store.add_interface(scripted_store().snapshot().interfaces[0])
        self.watched: WatchedOrder | None = WatchedOrder(
            (COPY.data,), SendMethod.LINK, "", 1, GENERATION, frozenset({77})
        )
        self.followed = FollowedStore()
        self.put: list[Command] = []
        self.asked = 0  # how often the lookup asked for the order
        self.lookup = Lookup(
            ScriptedHost(),
            lambda: None,
            lambda: self.followed,
            self._asked_for_order,
            self.put.append,
        )
        self.lookup.task.start()

    def follow(self) -> None:
        """Hand over the newest snapshot, as the screen does."""
        self.followed = FollowedStore(self.store.snapshot(), GENERATION)
        self.lookup.task.wake()

    def result(self) -> Tracked:
        """Return the result for the newest snapshot when no more packets are to be compared."""
        count = len(self.put)
        self.follow()
        until(lambda: len(self.put) > count and not self._newest().counting, "the result")
        return self._newest()

    def evict(self) -> None:
        """Add other packets until every present packet is evicted."""
        last = self.store.snapshot().count
        while self.store.snapshot().first <= last:
            self.store.append(batch(NOISE * 10))

    def _asked_for_order(self) -> WatchedOrder | None:
        watched = self.watched
        self.asked += 1
        return watched

    def _newest(self) -> Tracked:
        newest = self.put[-1]
        assert isinstance(newest, Tracked), newest
        return newest


@pytest.fixture
def searching() -> Iterator[Searching]:
    made = Searching()
    yield made
    made.lookup.task.close()


def test_packets_that_are_evicted_before_the_search_are_skipped(searching: Searching) -> None:
    searching.store.append(batch([COPY]))
    searching.evict()
    searching.store.append(batch([*NOISE, COPY, *NOISE]))
    number = searching.store.snapshot().count - len(NOISE)
    found = searching.result()
    assert found.watched is searching.watched
    assert (found.outcomes[0].number, found.outcomes[0].copies) == (number, 1)
    assert found.sent_numbers == {77, number}


def test_what_was_found_stays_known_when_its_packets_are_evicted(searching: Searching) -> None:
    searching.store.append(batch([COPY]))
    assert searching.result().outcomes[0].copies == 1
    searching.evict()
    searching.store.append(batch([COPY]))
    last = searching.store.snapshot().count
    found = searching.result()
    assert (found.outcomes[0].number, found.outcomes[0].copies) == (1, 2)
    assert found.sent_numbers == {77, 1, last}


def test_packets_that_are_evicted_during_the_search_are_skipped(
    searching: Searching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step compares one packet, and the store evicts the rest after the first."""
    monkeypatch.setattr(lookup, "SLICE_S", 0)
    put = searching.put.append

    def put_and_evict(command: Command) -> None:
        if not searching.put:
            searching.evict()
            searching.store.append(batch([COPY]))
            searching.followed = FollowedStore(searching.store.snapshot(), GENERATION)
        put(command)

    monkeypatch.setattr(searching.lookup, "_put", put_and_evict)
    searching.store.append(batch([COPY] * 9))
    found = searching.result()
    assert found.sent_numbers == {77, 1, searching.store.snapshot().count}
    assert found.outcomes[0].copies == 2


def test_an_order_that_was_sent_into_another_store_is_not_searched_for(
    searching: Searching,
) -> None:
    assert searching.watched is not None
    watched, searching.watched = searching.watched, replace(searching.watched, generation=2)
    searching.store.append(batch([COPY]))
    searching.follow()
    until(lambda: searching.asked, "the search")
    searching.watched = watched
    assert searching.result().watched is watched
    assert len(searching.put) == 1
