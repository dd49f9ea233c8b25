"""Parts and texts of addresses."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.filter.fields.address_parts import ADDRESS_PARTS
from core.analysis.filter.fields.catalog import CATALOG

MACS = [
    bytes(each)
    for each in ([0x01, 0, 0x5E, 0, 0, 1], [0x02, 0xAB, 0xCD, 0, 0, 1], [0x00, 0x1B, 0x21, 0, 0, 1])
]
ROWS = np.frombuffer(b"".join(MACS), np.uint8).reshape(-1, 6)


@pytest.mark.parametrize(
    ("name", "values", "texts"),
    [
        ("eth.dst.ig", [True, False, False], ["Group", "Individual", "Individual"]),
        ("eth.lg", [False, True, False], ["Global", "Local", "Global"]),
        ("eth.src.oui", [0x01005E, 0x02ABCD, 0x001B21], ["0x01005e", "0x02abcd", "0x001b21"]),
    ],
)
def test_parts_of_link_addresses(name: str, values: list[int], texts: list[str]) -> None:
    part = ADDRESS_PARTS[name]
    assert part.read(ROWS).tolist() == values
    assert [part.text(each) for each in MACS] == texts
    assert part.read(ROWS[:0]).tolist() == []


def test_hosts_are_addresses() -> None:
    part = ADDRESS_PARTS["ip.src_host"]
    assert part.read(np.array([0x0A000001, 0], np.uint32)).tolist() == ["10.0.0.1", "0.0.0.0"]
    assert part.text(0x0A000001) == "10.0.0.1"
    six = bytes(15) + b"\1"
    part = ADDRESS_PARTS["ipv6.host"]
    assert part.read(np.frombuffer(six, np.uint8).reshape(1, -1)).tolist() == ["::1"]
    assert part.text(six) == "::1"


def test_each_part_is_a_field_of_addresses() -> None:
    for name, part in ADDRESS_PARTS.items():
        source = CATALOG.find(part.source)
        assert CATALOG.find(name) is part.field
        assert source is not None
        assert source.type.is_address
