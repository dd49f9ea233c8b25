"""Reassembly: any order and any cut gives the datagram; overlaps are marked; bounds hold."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.reassembly.datagrams import (
    DATAGRAM_COST,
    FRAGMENT_COST,
    LONGEST_WAIT_NS,
    MOST_BYTES,
    MOST_DATAGRAMS,
    MOST_FRAGMENTS,
    MOST_WAITING_BYTES,
    Arrival,
    Coverage,
    Datagram,
    Reassembler,
)

KEY = ("ip", bytes(8), 1)
WHOLE = bytes(range(40))
ALONE = DATAGRAM_COST + FRAGMENT_COST  # of a datagram with one fragment, beside its bytes


def arrivals(*parts: tuple[int, bytes, bool]) -> list[Arrival]:
    return [Arrival(number, *part) for number, part in enumerate(parts, 1)]


def added(parts: list[Arrival]) -> tuple[Datagram, list[bool]]:
    datagram = Datagram(0)
    return datagram, [datagram.add(part) for part in parts]


@pytest.mark.parametrize("count", [3, 4])
def test_every_order_gives_the_datagram(count: int) -> None:
    size = len(WHOLE) // count
    cuts = [*range(0, size * count, size), len(WHOLE)]
    parts = [(low, WHOLE[low:high], high < len(WHOLE)) for low, high in itertools.pairwise(cuts)]
    parts = [part for part in parts if part[1]]
    for order in itertools.permutations(parts):
        datagram, complete = added(arrivals(*order))
        assert complete == [False] * (len(parts) - 1) + [True]
        assert datagram.payload == WHOLE
        assert datagram.completed_in == len(parts)
        assert [part.start for part in datagram.parts] == sorted(part[0] for part in parts)


@given(st.binary(min_size=1, max_size=300), st.data())
def test_any_partition_in_any_order_gives_the_datagram(whole: bytes, data: st.DataObject) -> None:
    cuts = data.draw(st.sets(st.integers(1, max(1, len(whole) - 1)), max_size=12))
    edges = [0, *sorted(cut for cut in cuts if cut < len(whole)), len(whole)]
    parts = [(low, whole[low:high], high < len(whole)) for low, high in itertools.pairwise(edges)]
    repeated = data.draw(st.lists(st.sampled_from(parts), max_size=3))
    order = data.draw(st.permutations([*parts, *repeated]))
    datagram = Datagram(0)
    for arrival in arrivals(*order):
        if datagram.add(arrival):
            break
    assert datagram.payload == whole
    assert not any(part.conflicts for part in datagram.parts)


MARKS = {
    "none": ([(0, b"aaaa", True), (4, b"bbbb", False)], b"aaaabbbb", ["", ""]),
    "duplicate": (
        [(0, b"aaaa", True), (0, b"aaaa", True), (4, b"bbbb", False)], b"aaaabbbb", ["", "o", ""],
    ),
    "other bytes, the first copy wins": (
        [(0, b"aaaa", True), (0, b"xxxx", True), (4, b"bbbb", False)], b"aaaabbbb", ["", "oc", ""],
    ),
    "overlap": ([(0, b"abcd", True), (2, b"cdef", False)], b"abcdef", ["", "o"]),
    "the first copy wins, whichever is first in the datagram": (
        [(2, b"xxxx", False), (0, b"abcd", True)], b"abxxxx", ["", "oc"],
    ),
    "inside": ([(0, b"abcdefgh", True), (2, b"cd", True), (8, b"ij", False)], b"abcdefghij",
               ["", "o", ""]),
    "teardrop": ([(0, b"a" * 36, True), (24, b"bbbb", False)], b"a" * 28, ["l", "oc"]),
    "other tail": (
        [(0, b"aaaa", True), (8, b"cccc", False), (10, b"cccc", False), (4, b"bbbb", True)],
        b"aaaabbbbcccc", ["", "", "", "otl"],
    ),
    "beyond the end": (
        [(0, b"aaaa", True), (8, b"cccc", False), (20, b"zzzz", True), (4, b"bbbb", True)],
        b"aaaabbbbcccc", ["", "", "", "l"],
    ),
}  # fmt: skip
"""Arrivals; the datagram; and overlap, conflict, tail, long of its fragments in order."""


@pytest.mark.parametrize("name", MARKS)
def test_marks(name: str) -> None:
    parts, payload, marks = MARKS[name]
    datagram, complete = added(arrivals(*parts))
    assert complete[-1]
    assert datagram.payload == payload
    found = [
        "o" * part.overlaps + "c" * part.conflicts + "t" * part.is_other_tail
        + "l" * part.is_too_long
        for part in datagram.parts
    ]  # fmt: skip
    assert found == marks


@pytest.mark.parametrize(
    "parts",
    [
        [(0, b"aaaa", True), (4, b"bbbb", True)],  # no tail
        [(4, b"bbbb", False)],  # no start
        [(0, b"aaaa", True), (8, b"cccc", False)],  # a hole
    ],
)
def test_missing_bytes_keep_a_datagram_incomplete(parts: list[tuple[int, bytes, bool]]) -> None:
    datagram, complete = added(arrivals(*parts))
    assert complete[-1] is False
    assert (datagram.payload, datagram.completed_in, datagram.parts) == (None, 0, ())


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=20))
def test_coverage(ranges: list[tuple[int, int]]) -> None:
    coverage, covered = Coverage(), set()
    for start, size in ranges:
        coverage.add(start, start + size)
        covered |= set(range(start, start + size))
        for end in range(1, 90):
            assert coverage.reaches(end) == (set(range(end)) <= covered)


def test_a_datagram_that_never_ends_leaves_a_bounded_memory() -> None:
    reassembler = Reassembler()
    for number in range(10_000):
        key = ("ip", bytes(8), number)
        reassembler.add(key, Arrival(number, 0, bytes(1480), True), 0)
    assert len(reassembler.waiting) == MOST_DATAGRAMS
    assert reassembler.held_bytes == MOST_DATAGRAMS * (ALONE + 1480)
    assert next(iter(reassembler.waiting))[2] == 10_000 - MOST_DATAGRAMS  # the oldest gave way


def test_bytes_that_wait_are_bounded() -> None:
    reassembler = Reassembler()
    size = 60_000
    for number in range(MOST_WAITING_BYTES // size + 10):
        reassembler.add(("ip", bytes(8), number), Arrival(number, 0, bytes(size), True), 0)
        assert reassembler.held_bytes <= MOST_WAITING_BYTES
    assert reassembler.held_bytes == (ALONE + size) * len(reassembler.waiting)


def test_fragments_past_the_bounds_of_a_datagram_are_refused() -> None:
    reassembler = Reassembler()
    long = Arrival(1, MOST_BYTES - 3, b"four", False)
    assert reassembler.add(KEY, long, 0)[1] is False
    assert not reassembler.waiting
    for number in range(MOST_FRAGMENTS):
        assert reassembler.add(KEY, Arrival(number, 0, b"x", True), 0)[1]
    assert reassembler.add(KEY, Arrival(0, 0, b"x", True), 0)[1] is False
    assert reassembler.held_bytes == DATAGRAM_COST + MOST_FRAGMENTS * (FRAGMENT_COST + 1)


def test_the_longest_datagram_is_complete() -> None:
    whole = bytes(MOST_BYTES)
    parts = [(low, whole[low : low + 8], low + 8 < MOST_BYTES) for low in range(0, MOST_BYTES, 8)]
    datagram, complete = added(arrivals(*parts))
    assert len(parts) == MOST_FRAGMENTS
    assert complete[-1]
    assert datagram.payload == whole


def test_an_old_datagram_does_not_take_a_new_fragment() -> None:
    reassembler = Reassembler()
    first, _ = reassembler.add(KEY, Arrival(1, 0, b"aaaa", True), 0)
    late, _ = reassembler.add(KEY, Arrival(2, 4, b"bbbb", False), LONGEST_WAIT_NS + 1)
    assert late is not first
    assert (late.completed_in, len(reassembler.waiting)) == (0, 1)
    assert reassembler.held_bytes == ALONE + 4


def test_an_identification_that_is_used_again_makes_another_datagram() -> None:
    reassembler = Reassembler()
    found = []
    for number, (start, data) in enumerate([(0, b"aaaa"), (4, b"bb"), (0, b"cccc"), (4, b"dd")]):
        arrival = Arrival(number + 1, start, data, start == 0)
        found.append(reassembler.add(KEY, arrival, 0)[0])
    assert [each.payload for each in found] == [b"aaaabb", b"aaaabb", b"ccccdd", b"ccccdd"]
    assert not reassembler.waiting
    assert reassembler.held_bytes == 0
