"""Which source address is suggested for a frame on a chosen interface."""

from __future__ import annotations

import ipaddress
import socket

import pytest

from core import netlink
from core.forge.route import source_on
from core.netlink import AddressMessage

HERE, THERE = 7, 8
ADDRESSES = [
    (THERE, "192.0.2.1/24"),
    (HERE, "10.5.0.1/24"),
    (HERE, "10.6.0.1/16"),
    (HERE, "fe80::1/64"),
    (HERE, "2001:db8:1::1/64"),
    (HERE, "2001:db8:2::1/64"),
    (THERE, "2001:db8:3::1/64"),
]


@pytest.fixture
def addresses(monkeypatch):
    there = [_message(index, text) for index, text in ADDRESSES]
    monkeypatch.setattr(netlink, "dump_addresses", lambda: there)
    return there


def _message(index: int, text: str) -> AddressMessage:
    found = ipaddress.ip_interface(text)
    family = socket.AF_INET if found.version == 4 else socket.AF_INET6
    return AddressMessage(index, family, found.network.prefixlen, found.ip.packed)


@pytest.mark.parametrize(
    ("destination", "source"),
    [
        ("10.5.0.9", "10.5.0.1"),
        ("10.6.9.9", "10.6.0.1"),
        ("192.0.2.9", "10.5.0.1"),  # the first, however near another interface is
        ("224.0.0.251", "10.5.0.1"),
        ("255.255.255.255", "10.5.0.1"),
        ("fe80::9", "fe80::1"),
        ("ff02::fb", "fe80::1"),
        ("ff0e::1", "2001:db8:1::1"),
        ("2001:db8:2::9", "2001:db8:2::1"),
        ("2001:db8:3::9", "2001:db8:1::1"),
    ],
)
def test_the_address_that_suits_best(addresses, destination, source):
    found = source_on(HERE, ipaddress.ip_address(destination).packed)
    assert str(ipaddress.ip_address(found)) == source


@pytest.mark.parametrize("destination", ["10.5.0.9", "2001:db8::9"])
def test_no_address_no_source(addresses, destination):
    addresses[:] = [one for one in addresses if one.index != HERE]
    assert source_on(HERE, ipaddress.ip_address(destination).packed) == b""
