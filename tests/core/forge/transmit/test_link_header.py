"""The link headers of interfaces, by their hardware type and not by their name."""

from __future__ import annotations

import pytest

from core.forge.send_errors import SendError
from core.forge.transmit.link_header import check_carrier, header_bytes, method_on, shortest
from core.forge.values import SendMethod
from core.net.interfaces import IFF_RUNNING, IFF_UP
from core.net.netlink import LinkMessage
from core.wire.link.ethernet import ETHERNET
from core.wire.network.ipv4 import IPV4
from tests.helpers.support import require_header


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("ETHER", SendMethod.LINK),
        ("LOOPBACK", SendMethod.LINK),
        ("NONE", SendMethod.PACKET),
        ("RAWIP", SendMethod.PACKET),
        ("IEEE80211", None),
        ("PPP", None),
        ("TUNNEL", None),
    ],
)
def test_the_method_follows_from_the_hardware_type(name: str, method: SendMethod | None) -> None:
    lines = require_header("linux/if_arp.h").splitlines()
    (number,) = (int(words[2], 0) for words in map(str.split, lines)
                 if words[:2] == ["#define", f"ARPHRD_{name}"])  # fmt: skip
    link = LinkMessage(False, 7, number, 0, "eth0", 1500, b"", 0, "tun")
    assert method_on(link) is method


@pytest.mark.parametrize("kind", ["tun", "veth", ""])
def test_a_link_that_is_up_without_carrier_is_refused(kind: str) -> None:
    for flags in (0, IFF_UP | IFF_RUNNING):  # when it is down, the kernel answers ENETDOWN
        check_carrier(LinkMessage(False, 7, 1, flags, "eth7", 1500, b"", 0, kind))
    with pytest.raises(SendError, match="eth7 has no carrier"):
        check_carrier(LinkMessage(False, 7, 1, IFF_UP, "eth7", 1500, b"", 0, kind))


def test_sizes() -> None:
    assert header_bytes(SendMethod.LINK) == shortest(ETHERNET.size) == ETHERNET.size
    assert header_bytes(SendMethod.PACKET) == 0
    assert shortest(0) == IPV4.size
