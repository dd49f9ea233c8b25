"""Frames that Linux drops on lo, by the switches of a namespace of its own."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.forge.review.loopback_rules import dropped_on_lo
from core.forge.transmit.injector import open_link
from core.net.host_addresses import HostAddresses
from core.net.sockets import LOCAL_SOCKETS
from tests.live.network import Network

pytestmark = pytest.mark.live
PORT = 7777


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with Network() as made:
        yield made


@pytest.mark.parametrize(
    ("accept", "route", "source", "arrives"),
    [
        (0, 0, "127.0.0.1", False),
        (1, 0, "127.0.0.1", False),
        (0, 1, "127.0.0.1", False),
        (1, 1, "127.0.0.1", True),
    ],
)
def test_the_prediction_is_what_the_kernel_does(
    network: Network, accept: int, route: int, source: str, arrives: bool
) -> None:
    for name, value in (("accept_local", accept), ("route_localnet", route)):
        network.run_in(network.near, "sysctl", "-qw", f"net.ipv4.conf.lo.{name}={value}")
    ports = {"udp.srcport": "5", "udp.dstport": str(PORT), "payload": "x"}
    texts = {"ip.src": source, "ip.dst": "127.0.0.1", **ports}
    frame = evaluate(Draft(("eth", "ip", "udp"), texts)).data

    def send() -> tuple[bool, str]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
            listening.bind(("127.0.0.1", PORT))
            with open_link("lo", 65536, LOCAL_SOCKETS) as injector:
                injector.send(frame)
            listening.setblocking(False)  # lo hands over before send(2) returns
            try:
                listening.recv(10)
            except BlockingIOError:
                return False, dropped_on_lo(frame, HostAddresses())
            return True, dropped_on_lo(frame, HostAddresses())

    came, said = network.in_near(send)
    assert came is arrives
    assert bool(said) is not arrives
    for name, value in (("accept_local", accept), ("route_localnet", route)):
        assert (f"{name}=1" in said) is (not value)
