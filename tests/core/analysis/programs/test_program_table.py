"""The owners of packets, by the number of their stream."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.programs.program_table import Beginning, Ownership


def ownership(*entries: tuple[int, int, int], most: int = 99) -> Ownership:
    found = Ownership()
    for stream, packet, owner in entries:
        found = found.with_entries({Beginning(stream, packet): owner}, most)
    return found


@pytest.mark.parametrize(
    ("stream", "packet", "owner"),
    [
        (0, 1, -1),
        (1, 5, 10), (1, 99, 10),
        (1, 2, 10),  # before its first known packet
        (2, 1, 20), (2, 19, 20), (2, 20, 21), (2, 99, 21),
        (3, 1, -1), (4, 1, 40), (5, 1, -1),
    ],
)  # fmt: skip
def test_a_stream_has_its_owner_from_a_packet_on(stream, packet, owner) -> None:
    found = ownership((4, 3, 40), (1, 5, 10), (2, 7, 20), (2, 20, 21))
    assert found.of(np.array([stream]), np.array([packet])).tolist() == [owner]


def test_an_entry_is_replaced_and_the_first_ones_are_dropped() -> None:
    found = ownership((1, 5, 10), (1, 5, 11), (2, 1, 20), (3, 1, 30), most=2)
    assert found.owners.tolist() == [20, 30]
    assert ownership((1, 5, 10), (1, 5, 11)).at(Beginning(1, 5)) == 11
    assert found.at(Beginning(1, 5)) is None


LAST_STREAM, LAST_PACKET = (1 << 32) - 1, (1 << 44) - 1


@pytest.mark.parametrize("stream", [0, 1, (1 << 23) - 1, 1 << 23, 1 << 31, LAST_STREAM])
@pytest.mark.parametrize("packet", [1, (1 << 32) - 1, 1 << 40, LAST_PACKET])
def test_streams_and_packets_may_have_any_number(stream, packet) -> None:
    last = LAST_STREAM - 1
    found = ownership((stream, packet, 7), (2, 2, 5), (last, 2, 6), (stream, packet, 8))
    assert found.at(Beginning(stream, packet)) == 8
    asked = [(stream, packet), (stream, LAST_PACKET), (2, 2), (last, 2), (1 << 22, 1)]
    streams, packets = np.array(asked, np.int64).T
    assert found.of(streams, packets).tolist() == [8, 8, 5, 6, -1]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 1, 2, 1 << 23, LAST_STREAM]),
            st.sampled_from([1, 2, 3, 1 << 40, LAST_PACKET]),
            st.integers(0, 9),
        ),
        max_size=30,
    ),
    st.integers(1, 4),
)
def test_tables_are_what_a_dictionary_would_be(entries, step) -> None:
    """Whatever order the answers come in, and whatever number of them at once."""
    found, known = Ownership(), {}
    for start in range(0, len(entries), step):
        some = {Beginning(*each[:2]): each[2] for each in entries[start : start + step]}
        found, known = found.with_entries(some, 99), known | some
    for stream, packet in {(*each[:2],) for each in entries} | {(3, 1), (0, 2), (LAST_STREAM, 3)}:
        starts = sorted(each for each in known if each.stream == stream)
        before = [each for each in starts if each.packet <= packet] or starts[:1]
        expected = known[before[-1]] if before else -1
        assert found.of(np.array([stream]), np.array([packet])).tolist() == [expected]
        assert found.at(Beginning(stream, packet)) == known.get(Beginning(stream, packet))


def test_nothing_is_known_of_an_empty_table() -> None:
    assert Ownership().of(np.array([1, 2]), np.array([1, 2])).tolist() == [-1, -1]
