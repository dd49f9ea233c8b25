"""Replay and send to a tun device, which has no link header; WireGuard devices are of its type."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli.main import run
from app.cli.output import CommandError
from app.cli.send.replay import ReplayRequest
from core.files.reader import open_capture
from core.files.writing.pcapng_writer import PcapngWriter
from core.forge.replay_job import ReplayPlan
from core.forge.transmit.rewrite_rules import AddedTag, RewriteRules, parse_address_map
from core.forge.transmit.schedule import ReplayPace
from core.wire.link.link_types import LinkType
from core.wire.link.linux_cooked import SLL
from core.wire.model.assigned_numbers import EtherType, IpProtocol
from tests.app.made import capture_of
from tests.core.forge.transmit.rewriting import frames_of, rewritten
from tests.core.wire.frames import ethernet, ipv4, ipv6, udp, vlan
from tests.helpers.support import require_device
from tests.live.forge.replaying import quietly, without_signals
from tests.live.network import Network
from tests.live.tunnel import Tun

pytestmark = pytest.mark.live

FOUR = ipv4(udp(b"four"), IpProtocol.UDP)
SIX = ipv6(udp(b"six", six=True), IpProtocol.UDP)
LONG = ipv4(udp(bytes(1500)), IpProtocol.UDP)
FRAMES = [
    ethernet(FOUR).ljust(60, b"\0"),
    ethernet(bytes(28), EtherType.ARP),
    ethernet(vlan(SIX, 7, EtherType.IPV6), EtherType.VLAN),
    ethernet(LONG),
    b"",
    ethernet(FOUR),
]


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with Network() as made:
        yield made


@pytest.fixture
def tun(network: Network) -> Iterator[Tun]:
    with Tun(network) as made:
        yield made


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "rawscope"


def read(tun: Tun, count: int) -> list[bytes]:
    """Return the next packets in the tunnel; no more have arrived."""
    found = [tun.read() for _ in range(count)]
    assert tun.read_all() == []
    return found


def test_an_ethernet_capture_arrives_as_ip_packets(
    network: Network, tun: Tun, tmp_path: Path, state: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = capture_of(tmp_path / "a.pcap", FRAMES)
    request = ReplayRequest(
        ReplayPlan(path, ReplayPace(None), loops=2), tun.name, yes=True, as_json=True
    )
    assert network.in_near(lambda: quietly(request)) == 1
    assert read(tun, 6) == [FOUR, SIX, FOUR] * 2
    out, said = capfd.readouterr()
    end = json.loads(out.splitlines()[-1])
    counts = [end[key] for key in ("frames", "sent", "without_ip", "too_long", "too_short")]
    assert counts == [12, 6, 2, 2, 2]
    assert f"2 frames are without an IP packet, which {tun.name} needs: skipped" in said
    assert "2 frames are shorter than an IP header: skipped" in said
    assert not (state / "sent-frames.pcapng").exists()
    with open_capture(state / "sent.pcapng") as reader:
        recorded = [data for batch in reader.batches() for data in frames_of(batch)]
        assert {one.link_type for one in reader.interfaces} == {LinkType.LINUX_SLL}
    assert [data[SLL.size :] for data in recorded] == [FOUR, SIX, FOUR] * 2
    kinds = [SLL["etype"].number(data) for data in recorded]
    assert kinds == [EtherType.IPV4, EtherType.IPV6, EtherType.IPV4] * 2


def test_captures_without_a_link_header_arrive_as_they_are(
    network: Network, tun: Tun, tmp_path: Path, state: Path
) -> None:
    path = tmp_path / "raw.pcapng"
    writer = PcapngWriter(path)
    packets = [(LinkType.RAW, FOUR), (LinkType.IPV6, SIX), (LinkType.RAW, FOUR + b"trailer")]
    for kind, data in packets:
        number = writer.add_interface("x", kind)
        writer.write(data, timestamp_ns=1, interface=number, flags=0, comments=())
    writer.close()
    request = ReplayRequest(ReplayPlan(str(path), ReplayPace(None)), tun.name, yes=True)
    assert network.in_near(lambda: quietly(request)) == 0
    assert read(tun, 3) == [data for _, data in packets]


def test_the_questions_are_about_the_packets(
    network: Network, tun: Tun, tmp_path: Path, state: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = capture_of(tmp_path / "a.pcap", FRAMES)
    with pytest.raises(CommandError, match="nobody can answer"):
        network.in_near(
            lambda: quietly(ReplayRequest(ReplayPlan(path, ReplayPace(None)), tun.name))
        )
    asked = capfd.readouterr().err
    assert f"10.0.0.9 on {tun.name} was not approved before." in asked
    assert f"2001:db8::9 on {tun.name} was not approved before." in asked
    assert "The source 10.0.0.5 does not belong to this host" in asked
    assert "past the IP stack and its firewall" in asked
    assert "link address" not in asked
    assert "link source" not in asked
    assert tun.read_all() == []


def test_addresses_are_rewritten_and_link_headers_cannot_be(
    network: Network, tun: Tun, tmp_path: Path, state: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = capture_of(tmp_path / "a.pcap", FRAMES)
    rules = RewriteRules(destinations=parse_address_map("10.0.0.0/8:192.168.0.0/16"))
    request = ReplayRequest(
        ReplayPlan(path, ReplayPace(None), rules=rules, limit=3), tun.name, yes=True
    )
    assert network.in_near(lambda: quietly(request)) == 1
    new, _ = rewritten(rules, FOUR, kind=LinkType.RAW)
    assert read(tun, 2) == [*new, SIX]
    assert capfd.readouterr().out.endswith(", 1 of them rewritten\n")
    for impossible in (RewriteRules(source_mac=bytes(6)), RewriteRules(tag=AddedTag(3))):
        request = ReplayRequest(
            ReplayPlan(path, ReplayPace(None), rules=impossible), tun.name, yes=True
        )
        with pytest.raises(CommandError, match="has no link header: omit --enet-smac"):
            network.in_near(lambda request=request: quietly(request))


def test_the_type_of_the_interface_counts_and_not_its_name(
    network: Network, tun: Tun, tmp_path: Path, state: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    network.ip_near("link", "set", tun.name, "down")
    network.ip_near("link", "set", tun.name, "name", "eth9")
    network.ip_near("link", "set", "eth9", "up")
    path = capture_of(tmp_path / "a.pcap", FRAMES[:1])
    request = ReplayRequest(ReplayPlan(path, ReplayPace(None)), "eth9", dry_run=True)
    assert network.in_near(lambda: quietly(request)) == 0
    assert "would send 1 of 1 frame through eth9" in capfd.readouterr().out
    request = ReplayRequest(ReplayPlan(path, ReplayPace(None)), "eth9", yes=True)
    assert network.in_near(lambda: quietly(request)) == 0
    assert read(tun, 1) == [FOUR]


UDP = ("--ip.dst", "10.78.0.2", "--ip.src", Tun.address, "--udp.dstport", "9", "--payload", "hi")


def send(network: Network, *arguments: str) -> int:
    with without_signals():
        return network.in_near(lambda: run(["send", *arguments]))


def test_send_leaves_without_a_link_header(
    network: Network, tun: Tun, state: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert send(network, *UDP, "--link", tun.name, "--dry-run", "--json") == 0
    packet = bytes.fromhex(json.loads(capfd.readouterr().out)["frame.raw"])
    assert packet[0] == 0x45
    assert send(network, *UDP, "--link", tun.name, "--wait", "0", "--yes") == 0
    assert read(tun, 1) == [packet]
    out = capfd.readouterr().out
    assert "sent as requested" in out
    with open_capture(state / "sent.pcapng") as reader:
        (batch,) = reader.batches()
        assert f"--link {tun.name}" in batch.comments[0][0]
        assert frames_of(batch)[0][SLL.size :] == packet


def test_many_equal_packets_leave_by_a_ring(network: Network, tun: Tun, state: Path) -> None:
    network.ip_near("link", "set", tun.name, "txqueuelen", "5000")
    options = ("--count", "3000", "--link", tun.name, "--yes", "--no-audit")
    assert send(network, *UDP, *options) == 0
    found = read(tun, 3000)
    assert len(set(found)) == 1


def test_a_frame_for_a_tunnel_is_refused_with_advice(
    network: Network, tun: Tun, state: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = (*UDP, "--layers", "eth,ip,udp", "--link", tun.name, "--yes")
    assert send(network, *words) == 1
    assert f"{tun.name} has no link header: send IP packets there" in capfd.readouterr().err
    assert tun.read_all() == []


@pytest.mark.parametrize("kind", ["tun", "veth"])
def test_nothing_is_sent_without_a_carrier(
    kind: str, network: Network, tmp_path: Path, state: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The kernel would drop the packets, and report them as sent."""
    if kind == "tun":
        require_device("/dev/net/tun")
        network.ip_near("tuntap", "add", "dead0", "mode", "tun")
    else:
        network.ip_near("link", "add", "dead0", "type", "veth", "peer", "name", "dead1")
    network.ip_near("link", "set", "dead0", "up")
    try:
        request = ReplayRequest(
            ReplayPlan(capture_of(tmp_path / "a.pcap", FRAMES), ReplayPace(None)), "dead0", yes=True
        )
        with pytest.raises(CommandError, match="dead0 has no carrier"):
            network.in_near(lambda: quietly(request))
        words = ["send", "--link", "dead0", "--ip.dst", "10.0.0.9", "--ip.src", "10.0.0.5", "--yes"]
        assert network.in_near(lambda: run(words)) == 1
        out, said = capfd.readouterr()
        assert "dead0 has no carrier" in said
        assert "sent" not in out
    finally:
        network.ip_near("link", "del", "dead0")
