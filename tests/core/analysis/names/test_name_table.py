"""Names of addresses as the packet table shows them."""

from __future__ import annotations

import pytest

from core.analysis.names.name_table import NO_NAMES, NameTable
from core.analysis.names.vendors import Vendors, pack

NAMES = NameTable(
    1,
    {"192.0.2.1": "a.example", "2001:db8::1": "six.example"},
    {("tcp", 80): "http"},
    Vendors(pack({(24, 0x001B21): "Intel Corporate", (24, 0x00000A): "3-Com"})),
)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("192.0.2.1", "a.example"),
        ("192.0.2.9", "192.0.2.9"),
        ("2001:db8::1", "six.example"),
        ("00:1b:21:01:02:03", "Intel_01:02:03"),
        ("00:00:0a:01:02:03", "3Com_01:02:03"),
        ("02:00:00:01:02:03", "02:00:00:01:02:03"),
        ("fe80::1234:56:789", "fe80::1234:56:789"),
        ("", ""),
    ],
)
def test_shown_addresses(address, shown) -> None:
    assert NAMES.shown(address) == shown
    assert NO_NAMES.shown(address) == address


def test_services() -> None:
    assert (NAMES.service("tcp", 80), NAMES.service("udp", 80)) == ("http", "")
