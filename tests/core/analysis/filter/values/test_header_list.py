"""A list of all headers that a walk reports, by packet and place."""

from __future__ import annotations

import numpy as np

from core.analysis.filter.values.header_list import HeaderList
from core.wire.link.vlan import VLAN, VLAN_LENGTH
from core.wire.network.ipv4 import IPV4


def array(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


def test_keeps_all_headers_in_order() -> None:
    """Rows and starts are those of the chunk; numbers count a protocol's headers."""
    found = HeaderList([VLAN, VLAN_LENGTH], array(10, 20, 30), array(1000, 2000, 3000))
    found.found(VLAN, array(0, 2), array(14, 14))
    found.found(VLAN, array(2, 2), array(18, 18))
    found.found(IPV4, array(0), array(18))  # not watched
    tags = found.headers(VLAN)
    assert tags.rows.tolist() == [10, 30, 30]
    assert tags.at.tolist() == [14, 14, 18]
    assert tags.starts.tolist() == [1014, 3014, 3018]
    assert tags.numbers is not None
    assert tags.numbers.tolist() == [1, 1, 2]
    assert len(found.headers(VLAN_LENGTH)) == 0


def test_a_reclassified_header_is_of_the_other_table() -> None:
    found = HeaderList([VLAN, VLAN_LENGTH], array(0, 1), array(0, 100))
    found.found(VLAN, array(0, 1), array(14, 14))
    found.found(VLAN, array(1), array(18))
    found.reclassify(VLAN, VLAN_LENGTH, array(1), array(18))
    assert found.headers(VLAN).rows.tolist() == [0, 1]
    inner = found.headers(VLAN_LENGTH)
    assert (inner.rows.tolist(), inner.at.tolist()) == ([1], [18])
    assert inner.numbers is not None
    assert inner.numbers.tolist() == [2]


def test_a_contradiction_ends_the_meaning_of_fields() -> None:
    found = HeaderList([IPV4], array(0, 1), array(0, 100))
    found.found(IPV4, array(0, 1), array(14, 14))
    found.contradiction(IPV4["len"], array(1), array(14))
    headers = found.headers(IPV4)
    assert headers.last_bit is not None
    assert headers.last_bit[1] == IPV4["len"].first_bit < headers.last_bit[0]
    assert headers.numbers is None
