"""Forged IPv6 between two namespaces: sent as requested, answered, or refused by name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.forge.compose.draft import Draft
from core.forge.values import SendMethod
from tests.live.forge.test_forge_kernel import outcome_of, refusal, replies_to
from tests.live.network import Network, run

pytestmark = pytest.mark.live

NEAR, FAR, ABSENT = "fd00::1", "fd00::2", "fd00::99"


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with Network() as made:
        for side, name, address in ((made.near, "near0", NEAR), (made.far, "far0", FAR)):
            settings = (f"{name}.accept_dad=0", "lo.disable_ipv6=0", f"{name}.disable_ipv6=0")
            switches = (f"net.ipv6.conf.{setting}" for setting in settings)
            made.run_in(side, "sysctl", "-qw", *switches)
            run("ip", "-n", side, "addr", "add", f"{address}/64", "dev", name, "nodad")
        yield made


def udp(**texts: str) -> Draft:
    return Draft(("ipv6", "udp"), {"ipv6.dst": FAR, "udp.dstport": "9", "payload": "x", **texts})


def test_the_header_leaves_as_it_is_also_when_it_is_wrong(network: Network) -> None:
    wrong = {"ipv6.plen": "99", "ipv6.flow": "0x12345", "udp.checksum": "0xbeef"}
    outcome = outcome_of(network, udp(**wrong))
    assert outcome.copy is not None
    assert outcome.changes == ()


def test_without_hdrincl_the_system_writes_the_header(network: Network) -> None:
    outcome = outcome_of(network, udp(**{"ipv6.hlim": "3"}), SendMethod.SYSTEM)
    assert "ipv6.hlim" in {change.name for change in outcome.changes}


def test_echo_and_errors_are_replies(network: Network) -> None:
    echo = Draft(("ipv6", "icmpv6"), {"ipv6.dst": FAR, "icmpv6.echo.identifier": "5"})
    (reply, *_) = replies_to(network, echo)
    assert "Echo reply" in reply.info
    (reply, *_) = replies_to(network, udp())
    assert "port unreachable" in reply.info


def test_a_group_is_answered_by_its_members(network: Network) -> None:
    echo = Draft(("ipv6", "icmpv6"), {"ipv6.dst": "ff02::1", "icmpv6.echo.identifier": "6"})
    replies = replies_to(network, echo)
    assert any("Echo reply" in reply.info for reply in replies)


def test_a_frame_finds_its_next_hop(network: Network) -> None:
    draft = udp().with_layers(("eth", "ipv6", "udp"))
    (reply, *_) = replies_to(network, draft, "near0")
    assert "port unreachable" in reply.info


def test_refusals(network: Network) -> None:
    assert refusal(network, udp(**{"ipv6.dst": ABSENT})).name == "EHOSTUNREACH"
    assert refusal(network, udp(payload="x" * 1500)).name == "EMSGSIZE"
    assert refusal(network, udp(**{"ipv6.dst": "2001:db8::1"})).name == "ENETUNREACH"
