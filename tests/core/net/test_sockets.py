"""Compare constants with the kernel's own headers, and check newly made sockets."""

from __future__ import annotations

import ast
import re
import select
import socket
import sys
from dataclasses import replace

import pytest

from app.cli.dump.capture_thread import CaptureThread
from app.cli.output import CommandError
from app.cli.send.reply_listener import ReplyListener
from core.capture.options import CaptureOptions
from core.capture.source import CaptureError
from core.capture.source_factory import open_source
from core.engine.engine import Engine
from core.engine.snapshot import EngineState
from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.forge.host import ForgeHost
from core.forge.transmit.injector import open_ip, open_link, open_system
from core.forge.transmit.repeat_ring import EqualFrames
from core.forge.transmit.transmission import prepare
from core.forge.transmit.tx_ring import TxRing
from core.forge.values import Egress, SendMethod
from core.net import sockets
from core.store.packet_store import PacketStore
from tests.helpers.support import ROOT, require_capture, require_header
from tests.helpers.waiting import PATIENCE_S, until

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
    with (
        sockets.LOCAL_SOCKETS.packet_socket() as made,
        socket.socket(type=socket.SOCK_DGRAM) as sender,
    ):
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
        sockets.LOCAL_SOCKETS.raw_ipv4_socket(socket.IPPROTO_UDP) as made,
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


class Refusing(sockets.LocalSockets):
    """Records each request, and makes no socket."""

    def __init__(self):
        self.asked = []

    def packet_socket(self, purpose="capturing", interfaces=()):
        self.asked.append(purpose)
        raise sockets.NotPermittedError(purpose, interfaces)

    def raw_ipv4_socket(self, protocol, interfaces=()):
        self.asked.append(protocol)
        raise sockets.NotPermittedError("a raw IPv4 socket", interfaces)

    def raw_ipv6_socket(self, protocol):
        self.asked.append(protocol)
        raise sockets.NotPermittedError("a raw IPv6 socket")


def capture_by_engine(provider):
    engine = Engine(PacketStore(), provider)
    engine.start()
    try:
        engine.capture(CAPTURED)
        until(lambda: engine.snapshot().state is EngineState.FAILED, "the refusal")
        raise CaptureError(engine.snapshot().message)
    finally:
        engine.close()


PACKET_V4 = evaluate(Draft(("ip", "udp"), {"ip.src": "127.0.0.1", "ip.dst": "127.0.0.1"})).data
PACKET_V6 = evaluate(Draft(("ipv6", "udp"), {"ipv6.src": "::1", "ipv6.dst": "::1"})).data
CAPTURED = CaptureOptions(("lo",))
USERS = {
    "ring": (lambda given: open_source("lo", CAPTURED, lambda _: 0, given), "capturing"),
    "datagram": (
        lambda given: open_source("lo", replace(CAPTURED, method="datagram"), lambda _: 0, given),
        "capturing",
    ),
    "inet": (
        lambda given: open_source("lo", replace(CAPTURED, method="inet"), lambda _: 0, given),
        socket.IPPROTO_TCP,
    ),
    "IP_HDRINCL": (lambda given: open_ip(PACKET_V4, Egress("lo"), given), socket.IPPROTO_RAW),
    "IPV6_HDRINCL": (lambda given: open_ip(PACKET_V6, Egress("lo"), given), socket.IPPROTO_RAW),
    "system": (lambda given: open_system(PACKET_V4, Egress("lo"), given), socket.IPPROTO_UDP),
    "verbatim": (lambda given: open_link("lo", 65536, given), "sending"),
    "repeat ring": (lambda given: EqualFrames("lo", 65536, bytes(60), False, given), "sending"),
    "TX ring": (lambda given: TxRing("lo", 65536, 60, given), "sending"),
    "engine": (capture_by_engine, "capturing"),
    "dump -i": (lambda given: CaptureThread(CAPTURED, given, None, None), "capturing"),
    "send --wait": (lambda given: ReplyListener("lo", given, [], lambda *_: None), "capturing"),
    "host": (
        lambda given: ForgeHost(given).open(prepare([bytes(60)], SendMethod.LINK, "lo")),
        "sending",
    ),
}


@pytest.mark.parametrize("user", USERS)
def test_every_user_of_raw_sockets_calls_its_provider(user):
    provider = Refusing()
    opened, wanted = USERS[user]
    with pytest.raises(
        (sockets.NotPermittedError, CaptureError, CommandError), match="CAP_NET_RAW"
    ):
        opened(provider)
    assert provider.asked == [wanted]


def test_only_the_default_provider_creates_raw_sockets():
    creating = []
    for path in sorted(ROOT.glob("*/**/*.py")):
        if path.relative_to(ROOT).parts[0] not in ("app", "core", "widgets"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("socket.socket", "socket"):
                arguments = ast.unparse(node)
                if "SOCK_RAW" in arguments and "AF_NETLINK" not in arguments:
                    creating.append(f"{path.relative_to(ROOT)}:{node.lineno}")
            if isinstance(node, ast.Attribute) and node.attr == "AF_PACKET":
                creating.append(f"{path.relative_to(ROOT)}: AF_PACKET")
    wanted = ["core/capture/packet_socket.py: AF_PACKET",  # the family in sockaddr_ll
              "core/net/sockets.py: AF_PACKET"]  # fmt: skip
    assert [one for one in creating if "AF_PACKET" in one] == wanted
    (only,) = [one for one in creating if "AF_PACKET" not in one]
    assert only.startswith("core/net/sockets.py:")
