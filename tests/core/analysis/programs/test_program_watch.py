"""Captured packets get their programs, while a capture runs and at its end."""

from __future__ import annotations

import pytest

from core.analysis.programs.chunk_programs import ChunkPrograms
from core.analysis.programs.program_table import ProgramTable, programs_of
from core.analysis.programs.program_watch import (
    EAGER_S,
    EAGER_TICK_S,
    MOST_EAGER,
    TICK_S,
    ProgramSearch,
    ProgramWatch,
)
from core.analysis.tcp.flow_index import FlowIndex, index_of
from core.store.budget import Budget
from core.store.packet_store import PacketStore
from core.store.snapshot import Snapshot
from tests.core.analysis.programs.made_host import TCP, UDP, MadeHost, MadeSocket
from tests.core.analysis.tcp.conversations import Sent, chunk_of
from tests.core.decode.frames import udp_frame
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of
from tests.helpers.waiting import until

HERE, THERE = "10.0.0.1", "10.0.0.2"


@pytest.fixture
def host(tmp_path) -> MadeHost:
    made = MadeHost(tmp_path)
    made.sockets = [MadeSocket(TCP, (HERE, 40_000), (THERE, 80), 7)]
    made.process(20, "curl", 7)
    return made


@pytest.fixture
def store() -> PacketStore:
    made = PacketStore()
    made.add_interface(ETHERNET_INTERFACE)
    return made


def names_of(table: ProgramTable, flows, number: int) -> list[str]:
    owners = table.of_packet(flows, number)
    return [process.name for owner in owners for process in owner.processes]


def known(snapshot: Snapshot, number: int) -> list[str]:
    return names_of(programs_of(snapshot).published, index_of(snapshot).published, number)


def test_an_answer_is_published_when_its_stream_is_known(host, store) -> None:
    store.append_chunk(chunk_of([Sent(), Sent(True)]))
    snapshot = store.snapshot()
    search = ProgramSearch(host.finder(), snapshot)
    search.step(snapshot, 0.0)
    assert (known(snapshot, 1), programs_of(snapshot).published.settled) == ([], 0)
    index_of(snapshot).extend(snapshot, Budget())
    search.step(snapshot, 0.0)
    assert [known(snapshot, number) for number in (1, 2)] == [["curl"]] * 2
    assert programs_of(snapshot).published.settled == 2


@pytest.mark.parametrize(
    ("flows", "eager_s"), [(0, 0.0), (1, EAGER_S), (MOST_EAGER, EAGER_S), (MOST_EAGER + 1, 0.0)]
)
def test_a_new_flow_is_followed_by_more_frequent_steps(host, store, flows, eager_s) -> None:
    """But not a flood of them, which costs enough, nor standing flows."""
    snapshot, now_s = store.snapshot(), 10.0
    search = ProgramSearch(host.finder(), snapshot)
    search.step(snapshot, now_s)
    assert search.tick_s(now_s) == TICK_S
    if flows:
        sent = [Sent(flags="syn", ports=(port + 1, 80)) for port in range(flows)]
        store.append_chunk(chunk_of(sent))
    host.sockets = []
    search.step(store.snapshot(), now_s)
    for passed_s in (0.0, 0.5, EAGER_S + 0.01):
        expected = EAGER_TICK_S if passed_s < eager_s else TICK_S
        search._finder._waiting.clear()
        assert search.tick_s(now_s + passed_s) == expected
    store.append_chunk(chunk_of([Sent(ports=(1, 80))] * 2, flows + 1))
    search.step(store.snapshot(), now_s + 2 * EAGER_S)
    search._finder._waiting.clear()
    assert (search.tick_s(now_s + 2 * EAGER_S) == TICK_S) is bool(flows)


def test_packets_after_an_open_question_are_not_settled(host, store) -> None:
    """A filter would see them before their program is known."""
    store.append_chunk(chunk_of([Sent(ports=(1, 2)), Sent()]))
    snapshot = store.snapshot()
    index_of(snapshot).extend(snapshot, Budget())
    host.sockets[0].inode = 99  # of a process that a round has to find
    finder = host.finder()
    finder._holders.advance = lambda until_s, is_urgent: None
    search = ProgramSearch(finder, snapshot)
    search.step(snapshot, 0.0)
    assert programs_of(snapshot).published.settled == 1
    assert snapshot.until(1).count == 1
    search.give_up()
    assert programs_of(snapshot).published.settled is None


def test_a_port_of_udp_that_another_program_takes_over_is_split(host, store) -> None:
    """Nobody knows whose the packets between the two answers are."""
    host.sockets = [MadeSocket(UDP, (HERE, 40_000), (THERE, 53), 7)]
    finder = host.finder()
    search: ProgramSearch | None = None
    for number, now_s in enumerate((0.0, 3.0, 6.0), 1):
        store.append(batch_of([udp_frame()]))
        snapshot = store.snapshot()
        index_of(snapshot).extend(snapshot, Budget())
        search = search or ProgramSearch(finder, snapshot)
        if number == 2:
            host.sockets[0].inode = 8
            host.process(21, "dig", 8)
        search.step(snapshot, now_s)
    host.now_s += 2
    search.step(snapshot, 8.0)
    assert [known(snapshot, number) for number in (1, 2, 3)] == [["curl"], [], ["dig"]]


def test_chunks_without_a_store_have_programs_at_once(host) -> None:
    programs = ChunkPrograms(host.finder(), host.clock)
    flows = FlowIndex()
    for first in (1, 3):
        chunk = chunk_of([Sent(), Sent(True)], first)
        found = flows.append(chunk)
        table = programs.take(chunk, found)
        assert [names_of(table, found, first + row) for row in (0, 1)] == [["curl"]] * 2


def test_the_thread_follows_a_capture_and_its_end(host, store) -> None:
    live = [True]
    watch = ProgramWatch(lambda: (store.snapshot(), live[0]), host.finder)
    try:
        watch.wake()
        store.append_chunk(chunk_of([Sent()]))
        snapshot = store.snapshot()
        index_of(snapshot).extend(snapshot, Budget())
        until(lambda: known(snapshot, 1) == ["curl"], "the program")
        live[0] = False
        watch.wake()
        until(lambda: programs_of(snapshot).published.settled is None, "the end")
        assert known(snapshot, 1) == ["curl"]
        assert watch.trouble == ""
    finally:
        watch.close()


def test_a_capture_that_starts_again_keeps_the_programs_of_earlier_packets(host, store) -> None:
    live = [True]
    watch = ProgramWatch(lambda: (store.snapshot(), live[0]), host.finder)
    try:
        watch.wake()
        store.append_chunk(chunk_of([Sent()]))
        first = store.snapshot()
        index_of(first).extend(first, Budget())
        until(lambda: known(first, 1) == ["curl"], "the program")
        live[0] = False
        until(lambda: programs_of(first).published.settled is None, "the end")
        host.sockets = []
        live[0] = True
        store.append_chunk(chunk_of([Sent(ports=(1, 2))], 2))
        second = store.snapshot()
        index_of(second).extend(second, Budget())
        watch.wake()
        until(lambda: programs_of(second).published.settled is not None, "the second capture")
        assert known(second, 1) == ["curl"]
    finally:
        watch.close()


def test_a_failure_has_words_and_ends_only_the_thread(store) -> None:
    def fail():
        raise RuntimeError("made for a test")

    watch = ProgramWatch(lambda: (store.snapshot(), True), fail)
    watch.wake()
    until(lambda: "RuntimeError" in watch.trouble, "the failure")
    watch.close()
