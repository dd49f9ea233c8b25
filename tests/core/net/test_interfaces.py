"""Properties of an interface; tests/live compares them with ip(8)."""

from __future__ import annotations

import socket

import pytest

from core.net.interfaces import LinkHeader, link_type_of, list_interfaces
from core.wire.link.link_types import LinkType


def test_loopback_is_described():
    loopback = next(one for one in list_interfaces() if one.loopback)
    assert loopback.name == "lo"
    assert loopback.index == socket.if_nametoindex("lo")
    assert loopback.link_type == LinkType.ETHERNET
    assert loopback.mac == "00:00:00:00:00:00"


def test_same_names_as_the_socket_module():
    assert [(one.index, one.name) for one in list_interfaces()] == sorted(socket.if_nameindex())


@pytest.mark.parametrize(
    ("hardware_type", "expected"),
    [
        (1, (LinkType.ETHERNET, LinkHeader.LINK)),
        (772, (LinkType.ETHERNET, LinkHeader.LINK)),
        (0xFFFE, (LinkType.RAW, LinkHeader.NETWORK)),  # tun, WireGuard
        (768, (LinkType.RAW, LinkHeader.NETWORK)),  # ipip
        (512, (LinkType.LINUX_SLL, LinkHeader.COOKED)),  # PPP: its header is not always present
        (32, (LinkType.LINUX_SLL, LinkHeader.COOKED)),  # InfiniBand
        (12345, (LinkType.LINUX_SLL, LinkHeader.COOKED)),
    ],
)
def test_link_type_follows_from_the_hardware_type(hardware_type, expected):
    assert link_type_of(hardware_type) == expected
