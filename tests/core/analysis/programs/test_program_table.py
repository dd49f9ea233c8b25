"""The owners of packets, by the number of their stream."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.programs.program_table import Ownership, key_of


def ownership(*entries: tuple[int, int, int], most: int = 99) -> Ownership:
    found = Ownership()
    for stream, packet, owner in entries:
        found = found.with_entries({key_of(stream, packet): owner}, most)
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
    assert ownership((1, 5, 10), (1, 5, 11)).at(key_of(1, 5)) == 11
    assert found.at(key_of(1, 5)) is None


def test_nothing_is_known_of_an_empty_table() -> None:
    assert Ownership().of(np.array([1, 2]), np.array([1, 2])).tolist() == [-1, -1]
