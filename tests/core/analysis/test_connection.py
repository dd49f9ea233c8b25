"""The ends of a packet's TCP connection."""

from __future__ import annotations

import pytest

from core.analysis.connection import tcp_ends
from core.wire.dissect import dissect
from core.wire.link.link_types import LinkType
from tests.core.decode.frames import tcp_frame, udp_frame


def ends_of(data):
    return tcp_ends(dissect(data, LinkType.ETHERNET, len(data)))


def test_ends_of_a_packet():
    assert ends_of(tcp_frame()) == (("10.0.0.1", 40_000), ("10.0.0.2", 80))


@pytest.mark.parametrize("data", [udp_frame(), tcp_frame()[:36], bytes(60), b""])
def test_a_packet_without_a_whole_tcp_header_has_none(data):
    assert ends_of(data) is None
