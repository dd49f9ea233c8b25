"""The index of a store: in steps, with eviction, and within its bounds."""

from __future__ import annotations

import pytest

from core.analysis.reassembly import fragment_index
from core.analysis.reassembly.fragment_index import (
    KEPT_COST,
    FragmentIndex,
    SnapshotFragments,
    fragment_index_of,
)
from core.store.budget import UNLIMITED, Budget
from tests.core.analysis.reassembly.fragmented import WHOLE, chunk_of, piece, pieces, store_of
from tests.core.decode.frames import tcp_frame


def _payloads(index: FragmentIndex, count: int) -> list[bytes | None]:
    found = (index.published.piece(number) for number in range(1, count + 1))
    return [None if each is None else each.datagram for each in found]


def test_the_last_fragment_has_the_datagram_and_the_others_its_number() -> None:
    index = FragmentIndex()
    table = index.append(chunk_of([tcp_frame(), *pieces()]))
    assert table.piece(1) is None
    assert [table.piece(number).completed_in for number in (2, 3, 4)] == [4, 4, 4]
    assert _payloads(index, 4) == [None, None, None, WHOLE]
    assert [part.packet for part in table.piece(4).parts] == [2, 3, 4]
    assert (table.through, table.completed) == (4, 1)


def test_batches_and_steps_give_the_same_as_one() -> None:
    frames = [*pieces(ident=1), *pieces(ident=2)[::-1], tcp_frame(), *pieces(ident=1)]
    whole = fragment_index_of(store_of([frames]).snapshot())
    store = store_of([])
    stepwise = fragment_index_of(store.snapshot())
    for frame in frames:
        for each in store_of([[frame]]).snapshot().chunks:
            store.append_chunk(each)
        while stepwise.extend(store.snapshot(), Budget(0)):
            pass
    snapshot = store_of([frames]).snapshot()
    whole.extend(snapshot, UNLIMITED)
    for number in range(1, len(frames) + 1):
        assert stepwise.published.piece(number) == whole.published.piece(number)


def test_a_reader_gets_what_the_thread_has_not_reached() -> None:
    snapshot = store_of([pieces()]).snapshot()
    assert SnapshotFragments(snapshot).reaching(3).piece(3).datagram == WHOLE


def test_evicted_packets_are_forgotten_and_incomplete_datagrams_stay() -> None:
    index = FragmentIndex()
    first, second, third = pieces()
    index.append(chunk_of([*pieces(ident=5), first, second]))
    index.forget(5)
    found = [index.published.piece(number) is None for number in range(1, 6)]
    assert found == [True, True, True, True, False]
    assert index.kept_bytes == 0
    table = index.append(chunk_of([third], 6))
    assert table.piece(6).datagram == WHOLE
    assert len(table) == 1


def test_old_datagrams_give_up_their_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragment_index, "MOST_KEPT_BYTES", 2 * (KEPT_COST + len(WHOLE)))
    index = FragmentIndex()
    frames = [frame for ident in range(5) for frame in pieces(ident=ident)]
    index.append(chunk_of(frames))
    held = [index.published.piece(number).datagram for number in range(3, 16, 3)]
    assert held == [None, None, None, WHOLE, WHOLE]
    assert index.kept_bytes == 2 * (KEPT_COST + len(WHOLE))
    assert index.published.piece(3).parts


def test_a_fragment_past_the_longest_datagram_is_refused() -> None:
    index = FragmentIndex()
    table = index.append(chunk_of([piece(bytes(1480), 65528)]))
    assert table.piece(1).is_refused


def test_the_number_of_fragments_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragment_index, "MOST_ENTRIES", 4)
    index = FragmentIndex()
    table = index.append(chunk_of([*pieces(ident=1), *pieces(ident=2)]))
    assert len(table) == 4
    assert [table.piece(number) is None for number in range(1, 7)] == [True] * 2 + [False] * 4
    assert table.piece(6).datagram == WHOLE
