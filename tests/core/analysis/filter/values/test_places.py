"""Addresses that adjoin in their headers, read at once, equal those that are read one by one."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.filter.types import ADDRESS_BYTES, FilterType
from core.analysis.filter.values.header_words import HeaderWords
from core.analysis.filter.values.places import FieldPlaces, merged, read_values
from core.wire.link.ethernet import ETHERNET
from core.wire.model.table import HeaderTable
from core.wire.network.ipv6 import IPV6

RANDOM = np.random.default_rng(7)


@pytest.mark.parametrize("numbers", [None, np.array((1, 1, 2))])
@pytest.mark.parametrize(("table", "kind"), [(ETHERNET, FilterType.ETHER), (IPV6, FilterType.IPV6)])
def test_both_addresses_of_headers(
    table: HeaderTable, kind: FilterType, numbers: np.ndarray | None
) -> None:
    data = RANDOM.integers(0, 256, 200, np.uint8)
    last = max(table["src"].span.stop, table["dst"].span.stop)  # cut after the addresses
    rows, starts = np.array((0, 4, 4)), np.array((3, 60, len(data) - last))
    places = [FieldPlaces(table[key], rows, starts, numbers) for key in ("src", "dst")]
    places.sort(key=lambda each: each.slot.span.start)
    found = read_values([places], HeaderWords(data), kind)

    size = ADDRESS_BYTES[kind]
    at = [start + each.slot.span.start for start in starts.tolist() for each in places]
    assert found.rows.tolist() == [0, 0, 4, 4, 4, 4]
    assert [row.tobytes() for row in found.values] == [data[a : a + size].tobytes() for a in at]
    layers = None if found.layers is None else found.layers.tolist()
    assert layers == (None if numbers is None else [1, 1, 1, 1, 2, 2])


def test_addresses_at_other_starts_are_not_read_at_once() -> None:
    data = RANDOM.integers(0, 256, 100, np.uint8)
    rows, starts = np.array((0, 1)), np.array((0, 40))
    first = FieldPlaces(ETHERNET["dst"], rows, starts)
    second = FieldPlaces(ETHERNET["src"], rows, starts + 2)
    words = HeaderWords(data)
    found = read_values([[first, second]], words, FilterType.ETHER)
    expected = merged(*(read_values([[each]], words, FilterType.ETHER) for each in (first, second)))
    assert found.rows.tolist() == expected.rows.tolist()
    assert np.array_equal(found.values, expected.values)
