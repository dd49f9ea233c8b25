"""Compare constants with the kernel's own headers, and check newly made sockets."""

from __future__ import annotations

import re
import select
import socket
import sys

import pytest

from core.net import sockets
from tests.support import require_capture, require_header
from tests.waiting import PATIENCE_S

DEFINITION = re.compile(r"^#define\s+(\w+)\s+(\(?[\w<() ]+\)?|0x\w+)\s*(?:/\*.*)?$", re.MULTILINE)
SHIFT = re.compile(r"\(?1U? << (\d+)\)?")


def definitions(*names):
    """Return the integer macros of some headers."""
    found = {}
    for name in names:
        for macro, value in DEFINITION.findall(require_header(name)):
            value = value.strip()
            if shift := SHIFT.fullmatch(value):
                found[macro] = 1 << int(shift[1])
            elif value in found:  # another name for an earlier one
                found.setdefault(macro, found[value])
            elif value[0].isdigit():
                found[macro] = int(value.rstrip("UL"), 0)
    return found


@pytest.mark.parametrize(
    ("header", "prefix"),
    [
        ("linux/if_packet.h", "PACKET_"),
        ("linux/if_packet.h", "TP_STATUS_"),
        ("linux/if_ether.h", "ETH_P_"),
        ("asm-generic/socket.h", "SO_"),
        ("linux/in.h", "IP_"),
        ("linux/in6.h", "IPV6_"),
    ],
)
def test_constants_are_those_of_the_header(header, prefix):
    defined = definitions(header)
    ours = {name: value for name, value in vars(sockets).items() if name.startswith(prefix)}
    compared = ours.keys() & defined.keys()
    newer_than_some_headers = {"TP_STATUS_GSO_TCP"}
    assert ours.keys() - compared <= newer_than_some_headers
    assert {name: ours[name] for name in compared} == {name: defined[name] for name in compared}


def test_a_refusal_is_one_line_with_the_command_to_run():
    text = str(sockets.NotPermittedError("capturing"))
    assert text.startswith("capturing needs the capability CAP_NET_RAW; run: sudo ")
    assert "\n" not in text


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ([], ["-i", "eth0"]),
        (["-p", "-i", "lo"], ["-p", "-i", "eth0"]),
        (["-ieth0", "-s", "96"], ["-ieth0", "-s", "96"]),
        (["-r", "a.pcap"], ["-i", "eth0"]),
        (["dump", "-c", "3", "-i", "eth0"], ["dump", "-c", "3", "-i", "eth0"]),
    ],
)
def test_the_suggested_command_captures_on_the_same_interfaces(given, wanted, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/usr/bin/rawscope", *given])
    home, program, *arguments = sockets.grant_command(["eth0"]).split(" -- env ")[1].split()
    assert (home, program) == ('HOME="$HOME"', "/usr/bin/rawscope")
    assert arguments == wanted


def test_a_packet_socket_receives_nothing_until_it_is_bound():
    require_capture()
    with sockets.packet_socket() as made, socket.socket(type=socket.SOCK_DGRAM) as sender:
        assert not made.get_inheritable()
        assert not made.getblocking()
        sender.sendto(b"unheard", ("127.0.0.1", 9))
        assert select.select([made], [], [], 0)[0] == []
        made.bind(("lo", sockets.ETH_P_ALL))
        sender.sendto(b"heard", ("127.0.0.1", 9))
        assert select.select([made], [], [], PATIENCE_S)[0] == [made]


def test_a_raw_socket_receives_the_ip_header():
    require_capture()
    with (
        sockets.raw_ipv4_socket(socket.IPPROTO_UDP) as made,
        socket.socket(type=socket.SOCK_DGRAM) as sender,
    ):
        assert not made.get_inheritable()
        assert not made.getblocking()
        sender.sendto(b"with a header", ("127.0.0.1", 9))
        select.select([made], [], [], PATIENCE_S)
        packets = iter(lambda: made.recv(2000), b"")
        packet = next(packet for packet in packets if packet.endswith(b"with a header"))
        assert packet[0] == 0x45
        assert packet[9] == socket.IPPROTO_UDP
