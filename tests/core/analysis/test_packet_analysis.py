"""Results of the analysis thread for the table: filters that replace one another, other stores."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from core.analysis.analysis_thread import AnalysisThread
from core.analysis.filter.packet_filter import PacketFilter
from core.analysis.packet_analysis import KEPT_UPDATES, PacketAnalysis
from core.analysis.programs.program_table import ProgramTable, programs_of
from core.decode.chunk import Chunk
from core.store.filtered_view import LEAST
from core.store.packet_store import PacketStore
from tests.core.analysis.reassembly.fragmented import pieces
from tests.core.decode.frames import tcp_frame, udp_frame
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of
from tests.helpers.waiting import PATIENCE_S, until

SYN = tcp_frame(flags="syn", sequence=1_000)
PORTIONS = 5
PORTION = 20_000  # packets; several chunks


@pytest.fixture
def analysis() -> Iterator[PacketAnalysis]:
    thread = AnalysisThread()
    yield PacketAnalysis(thread, PATIENCE_S)
    thread.close()


def _store(*batches: list[bytes]) -> PacketStore:
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    for batch in batches:
        store.append(batch_of(batch))
    return store


def _every(step: int):
    def predicate(chunk: Chunk, *_: object) -> np.ndarray:
        return np.arange(chunk.first, chunk.last + 1) % step == 0

    return predicate


class Gate:
    """A predicate that lets every packet pass, one piece of a chunk after each `open`.

    `asked` has the last packet of each piece.
    """

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.threads: set[int] = set()
        self._permits = threading.Semaphore(0)

    def open(self, pieces: int = 1) -> None:
        self._permits.release(pieces)

    def __call__(self, chunk: Chunk, *_: object) -> np.ndarray:
        self.threads.add(threading.get_ident())
        assert self._permits.acquire(timeout=PATIENCE_S)
        self.asked.append(chunk.last)
        return np.ones(len(chunk), np.bool_)


def _large_store() -> PacketStore:
    return _store(*[[udp_frame()] * PORTION] * PORTIONS)


def test_numbers_and_packets_of_a_small_store_are_known_at_once(analysis):
    snapshot = _store([SYN, udp_frame(), udp_frame()]).snapshot()
    analyzed = analysis.update(snapshot)
    assert analyzed.filtered is None
    assert analyzed.flows.through == 3
    assert list(analyzed.flows.tcp(np.arange(1, 5))["packet"]) == [1]
    analysis.keep_only(_every(2))
    analyzed = analysis.update(snapshot)
    assert list(analyzed.filtered) == [2]
    assert analyzed.progress is None
    analysis.keep_only(None)
    assert analysis.update(snapshot).filtered is None
    assert analysis.latest.filtered is None
    assert analysis.trouble == ""


def test_the_rows_of_a_new_filter_grow_until_it_has_seen_all(analysis):
    """The earlier rows stay for two updates, so that a fast filter shows no part of its rows."""
    snapshot, gate = _large_store().snapshot(), Gate()
    analysis.keep_only(_every(3))
    before = len(analysis.update(snapshot).filtered)
    analysis.patience_s = analysis._thread._slice_s = 0  # one piece in each step
    analysis.keep_only(gate)
    lengths, progress = [], []
    for piece in range(KEPT_UPDATES + 2):
        analyzed = analysis.update(snapshot)
        lengths.append(len(analyzed.filtered))
        progress.append(analyzed.progress)
        gate.open()
        until(lambda piece=piece: len(gate.asked) > piece, "the piece")
        until(lambda: analysis._view.packets.through == gate.asked[-1], "its result")
    assert lengths[:KEPT_UPDATES] == [before] * KEPT_UPDATES
    assert lengths[KEPT_UPDATES:] == gate.asked[KEPT_UPDATES - 1 : -1]
    assert progress == sorted(set(progress))
    gate.open(snapshot.count)
    until(lambda: analysis.update(snapshot).progress is None, "the filter")
    assert len(analysis.latest.filtered) == snapshot.count
    assert gate.threads.isdisjoint({threading.get_ident()})


def test_leaving_the_filter_cancels_it(analysis):
    snapshot, gate = _large_store().snapshot(), Gate()
    analysis.patience_s = 0
    analysis.keep_only(gate)
    assert analysis.update(snapshot).progress is not None
    until(lambda: gate.threads, "the first chunk")
    analysis.keep_only(None)
    gate.open(99)
    analyzed = analysis.update(snapshot)
    assert (analyzed.filtered, analyzed.progress) == (None, None)
    assert analysis._thread.wait(PATIENCE_S)
    assert gate.asked == [LEAST]


def test_packets_that_arrive_are_added_and_evicted_ones_go(analysis):
    store = PacketStore(1 << 20)
    store.add_interface(ETHERNET_INTERFACE)
    analysis.keep_only(_every(2))
    for _ in range(100):
        store.append(batch_of([bytes(500)] * 50))
        snapshot = store.snapshot()
        first = snapshot.first + snapshot.first % 2
        expected = list(range(first, snapshot.count + 1, 2))
        assert list(analysis.update(snapshot).filtered) == expected
    assert store.snapshot().evicted > 0


def test_another_store_is_analyzed_from_its_start_with_the_same_filter(analysis):
    analysis.keep_only(_every(2))
    analysis.update(_store([SYN, udp_frame(), udp_frame(), udp_frame()]).snapshot(), 0)
    snapshot = _store([udp_frame(), SYN]).snapshot()
    analyzed = analysis.update(snapshot, 1)
    assert list(analyzed.filtered) == [2]
    assert analyzed.flows.through == 2
    assert list(analyzed.flows.tcp(np.arange(1, 5))["packet"]) == [2]


def test_a_failed_filter_shows_all_packets_and_says_why(analysis):
    def broken(chunk: Chunk, *_: object) -> np.ndarray:
        raise ZeroDivisionError("x")

    snapshot = _store([SYN]).snapshot()
    analysis.keep_only(broken)
    assert analysis.is_filtering
    assert analysis.update(snapshot).filtered is None
    assert not analysis.is_filtering
    assert analysis.trouble == "the filter failed (ZeroDivisionError: x): all packets are shown"
    analysis.keep_only(_every(1))
    assert list(analysis.update(snapshot).filtered) == [1]
    assert analysis.trouble == ""


def test_failed_numbers_are_reported(analysis, monkeypatch):
    def broken(*_: object) -> None:
        raise ZeroDivisionError("x")

    monkeypatch.setattr("core.analysis.tcp.segments.mixed", broken)
    assert analysis.update(_store([SYN]).snapshot()).flows.through == 0
    assert analysis.trouble.startswith("TCP analysis failed (ZeroDivisionError: x)")


def test_the_analysis_of_flows_is_behind_by_the_packets_that_it_has_not_seen(analysis):
    store = _store([SYN, udp_frame(), udp_frame()])
    assert analysis.behind(store.snapshot()) == 3
    analysis.update(store.snapshot())
    assert analysis.behind(store.snapshot()) == 0
    store.append(batch_of([SYN] * 4))
    assert analysis.behind(store.snapshot()) == 4
    assert analysis.behind(_store().snapshot()) == 0


def test_a_failed_reassembly_is_reported_and_leaves_fragments_as_captured(analysis, monkeypatch):
    def broken(*_: object) -> None:
        raise ZeroDivisionError("x")

    monkeypatch.setattr("core.analysis.reassembly.datagrams._joined", broken)
    analysis.keep_only(PacketFilter.compile("ip.flags.mf == 1"))
    analyzed = analysis.update(_store([*pieces(), SYN]).snapshot())
    assert list(analyzed.filtered) == [1, 2]
    assert analyzed.flows.through == 4
    assert analysis.trouble.startswith("reassembly failed (ZeroDivisionError: x)")


def test_a_filter_of_programs_sees_packets_when_their_programs_are_known(analysis):
    """It asks about a packet once, so an earlier answer would stay."""
    snapshot = _store([SYN, udp_frame(), udp_frame()]).snapshot()
    index = programs_of(snapshot)
    index.published = ProgramTable(settled=1)
    analysis.keep_only(PacketFilter.compile('not process.name == "curl"'))
    early = analysis.update(snapshot).filtered
    assert early is not None
    assert (early.through, list(early)) == (1, [1])
    analysis.keep_only(PacketFilter.compile("udp"))  # this one waits for nothing
    assert list(analysis.update(snapshot).filtered or ()) == [2, 3]
    analysis.keep_only(PacketFilter.compile('not process.name == "curl"'))
    analysis.update(snapshot)
    index.published = ProgramTable(settled=None)
    late = analysis.update(snapshot).filtered
    assert late is not None
    assert (late.through, list(late)) == (3, [1, 2, 3])
