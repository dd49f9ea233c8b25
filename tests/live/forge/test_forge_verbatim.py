"""Verbatim frames on an interface that has no address and no route: a mirror port's.

Only the frame and the interface decide the destination, so no other question is needed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from app.screens.dialogs.dialog import Confirm
from core.forge.compose.draft import Draft
from core.wire.link.link_types import LinkType
from tests.app.made import capture_of
from tests.helpers.waiting import until
from tests.live.forge.test_forge_cli import Near
from tests.live.forge.test_forge_screen import Play, play
from tests.live.network import Network
from tests.live.watching import Watch, mac, send_frames, watching
from widgets.forge.changes import FormState

pytestmark = pytest.mark.live

STRANGER = "02:00:00:00:00:99"
DHCP = {
    "eth.dst": "ff:ff:ff:ff:ff:ff",
    "ip.src": "0.0.0.0",
    "ip.dst": "255.255.255.255",
    "udp.srcport": "68",
    "udp.dstport": "67",
    "payload": "hex:0101060000003903f326",
}
MDNS = {
    "eth.dst": "01:00:5e:00:00:fb",
    "ip.src": "10.77.0.1",
    "ip.dst": "224.0.0.251",
    "ip.ttl": "255",
    "udp.srcport": "5353",
    "udp.dstport": "5353",
    "payload": "x",
}
UNICAST = {
    "eth.dst": STRANGER,
    "ip.src": "203.0.113.5",
    "ip.dst": "198.51.100.7",
    "udp.dstport": "9",
}
IPV6 = {
    "eth.dst": STRANGER,
    "ipv6.src": "2001:db8::1",
    "ipv6.dst": "2001:db8::2",
    "udp.dstport": "9",
}
ARP = {"eth.dst": "ff:ff:ff:ff:ff:ff", "arp.dst.proto_ipv4": "10.9.9.9"}
ARP_LAYERS, IPV4_LAYERS, IPV6_LAYERS = ("eth", "arp"), ("eth", "ip", "udp"), ("eth", "ipv6", "udp")
TAGGED = ("eth", "vlan", "ip", "udp")


def without(texts: dict[str, str], *keys: str) -> dict[str, str]:
    return {key: text for key, text in texts.items() if key not in keys}


def options(texts: dict[str, str]) -> list[str]:
    """The texts of fields as options of ``send``."""
    return [word for key, text in texts.items() for word in (f"--{key}", text)]


FRAMES: dict[str, tuple[Sequence[str], dict[str, str], str, str]] = {
    # name: layers, texts, link destination, source address as it is in the frame
    "dhcp discover": (IPV4_LAYERS, DHCP, "ffffffffffff", "00000000"),
    "dhcp discover, computed": (
        IPV4_LAYERS, without(DHCP, "eth.dst", "ip.src"), "ffffffffffff", "00000000"
    ),
    "mdns": (IPV4_LAYERS, MDNS, "01005e0000fb", "0a4d0001"),
    "mdns, computed": (
        IPV4_LAYERS, without(MDNS, "eth.dst", "ip.src"), "01005e0000fb", "00000000"
    ),
    "unicast": (IPV4_LAYERS, UNICAST, "020000000099", "cb007105"),
    "unicast, source open": (
        IPV4_LAYERS, without(UNICAST, "ip.src"), "020000000099", "00000000"
    ),
    "tagged": (TAGGED, {**UNICAST, "vlan.id": "7"}, "020000000099", "cb007105"),
    "tagged group": (
        TAGGED, {**without(MDNS, "eth.dst"), "vlan.id": "7"}, "01005e0000fb", "0a4d0001"
    ),
    "arp": (ARP_LAYERS, ARP, "ffffffffffff", "00000000"),
    "arp, computed": (ARP_LAYERS, without(ARP, "eth.dst"), "ffffffffffff", "00000000"),
    "ipv6": (IPV6_LAYERS, IPV6, "020000000099", "20010db8000000000000000000000001"),
    "ipv6, source open": (IPV6_LAYERS, without(IPV6, "ipv6.src"), "020000000099", "00" * 16),
    "ipv6 group": (
        IPV6_LAYERS, {"ipv6.dst": "ff02::fb", "udp.dstport": "5353"}, "3333000000fb", "00" * 16
    ),
}  # fmt: skip
SOURCE_AT = {"arp": 28, "ip": 26, "ipv6": 22, "vlan": 30}  # in the frame
EACH = pytest.mark.parametrize("name", FRAMES)


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    """near0 and far0 are up, without any address; only lo has some."""
    with Network(addresses=False) as made:
        assert not made.ip_near("route", "show", "table", "main")
        yield made


@pytest.fixture
def near(network: Network, tmp_path: Path) -> Near:
    return Near(network, tmp_path)


def check(network: Network, name: str, frame: bytes) -> None:
    """The frame has the requested bytes, also in fields without a request."""
    layers, texts, destination, source = FRAMES[name]
    assert frame[:6].hex() == destination
    assert frame[6:12] == mac(network, "near0")
    at = SOURCE_AT[layers[1]]
    assert frame[at : at + len(source) // 2].hex() == source
    payload = texts.get("payload", "")
    assert frame.endswith(bytes.fromhex(payload[4:]) if ":" in payload else payload.encode())


@EACH
def test_by_command(network: Network, near: Near, name: str) -> None:
    layers, texts, _, _ = FRAMES[name]
    fields = options(texts)
    with watching_far(network) as watch:
        status, out, said = near(
            "send", "--link", "near0", "--layers", ",".join(layers), *fields, "--yes"
        )
        assert status == 0, said
        assert "sent 1 of 1 through near0 (verbatim)" in out
        (packet,) = watch.wait_for(1)
    check(network, name, packet.data)


@EACH
def test_by_form(network: Network, tmp_path: Path, name: str) -> None:
    layers, texts, _, _ = FRAMES[name]

    async def scene(stage: Play) -> None:
        await stage.pilot.press("f2")
        stage.form.state = FormState.of((Draft(tuple(layers), texts),), "near0")
        await stage.send(ask=True)
        await stage.told("sent as requested, byte for byte")

    with watching_far(network) as watch:
        play(network, tmp_path, scene)
        (packet,) = watch.wait_for(1)
    check(network, name, packet.data)


def watching_far(network: Network):
    """Return the frames that arrive at far0."""
    return watching(_Turned(network), "far0")


class _Turned:
    """The network seen from its far end."""

    def __init__(self, network: Network) -> None:
        self.in_near = network.in_far


@pytest.mark.parametrize("name", ["dhcp discover", "mdns", "unicast", "arp", "ipv6", "tagged"])
def test_a_captured_one_again(network: Network, near: Near, tmp_path: Path, name: str) -> None:
    """It came from the far end; `r` sends it back as it was, and so does `replay`."""
    layers, texts, _, _ = FRAMES[name]
    fields = options(texts)
    status, out, _ = near(
        "send", "--link", "near0", "--layers", ",".join(layers), *fields, "--dry-run",
        "--eth.src", STRANGER, "--json",
    )  # fmt: skip
    assert status == 0
    frame = bytes.fromhex(json.loads(out)["frame.raw"])

    async def scene(stage: Play) -> None:
        send_frames(network, frame)
        table = stage.screen.table
        await stage.until(lambda: stage.screen.scene.packets.count and table.select(1))
        await stage.send("r", ask=True)
        await stage.told("sent as requested, byte for byte")

    with watching_far(network) as watch:
        play(network, tmp_path, scene)
        packets = watch.wait_for(2)
        assert [packet.data for packet in packets] == [frame, frame]
        file = capture_of(tmp_path / "one.pcap", [frame])
        status, _, said = near("replay", file, "--link", "near0", "--yes")
        assert status == 0, said
        assert watch.wait_for(3)[2].data == frame


def test_only_a_missing_address_is_requested(near: Near) -> None:
    """Nobody answers for the next hop, so its link address is unknown."""
    fields = [
        word for key, text in without(UNICAST, "eth.dst").items() for word in (f"--{key}", text)
    ]
    status, _, said = near("send", "--link", "near0", *fields, "--yes")
    assert status == 1
    assert "eth.dst: EHOSTUNREACH: nobody on near0 answers for 198.51.100.7" in said
    assert said.splitlines()[-1].endswith("give it by --eth.dst")
    assert "route" not in said
    fields = options(without(IPV6, "eth.dst"))
    status, _, said = near("send", "--link", "near0", *fields, "--yes")
    assert status == 1
    assert "eth.dst: EHOSTUNREACH: nobody on near0 answers for 2001:db8::2" in said


def test_without_an_interface_the_form_asks_for_it(network: Network, tmp_path: Path) -> None:
    """No route says which; with the interface chosen it is sent."""

    async def scene(stage: Play) -> None:
        await stage.pilot.press("f2")
        stage.form.state = FormState.of((Draft(IPV4_LAYERS, MDNS),))
        await stage.until(lambda: "choose its interface" in stage.form.model.trouble)
        await stage.pilot.press("ctrl+s")
        await stage.told("choose the interface that the frame is to leave on")
        assert not isinstance(stage.pilot.app.screen, Confirm)
        stage.form.state = FormState.of((Draft(IPV4_LAYERS, MDNS),), "near0")
        await stage.until(lambda: not stage.form.model.trouble)
        await stage.send(ask=True)

    play(network, tmp_path, scene)


def test_the_network_way_still_needs_a_route(near: Near) -> None:
    status, _, said = near("send", "--ip.dst", "224.0.0.251", "--udp.dstport", "5353", "--yes")
    assert status == 1
    assert "ENETUNREACH: there is no route to 224.0.0.251" in said


def test_new_destinations_are_questions_as_usual(near: Near) -> None:
    fields = options(UNICAST)
    status, out, said = near("send", "--link", "near0", *fields)
    assert (status, out) == (1, "")
    assert "198.51.100.7 on near0 was not approved before." in said
    assert "The source 203.0.113.5 does not belong to this host" in said
    assert f"cannot confirm that MAC {STRANGER} is the next hop to 198.51.100.7" in said


ADDRESSED = [
    # on near0, on other0 (which has the default route), destination, source
    (("10.5.0.1/24",), "198.51.100.7", "10.5.0.1"),
    (("10.5.0.1/24", "10.6.0.1/24"), "10.6.0.9", "10.6.0.1"),
    (("10.5.0.1/24", "10.6.0.1/24"), "224.0.0.251", "10.5.0.1"),
    (("10.5.0.1/24",), "255.255.255.255", "10.5.0.1"),
    ((), "198.51.100.7", "0.0.0.0"),
]


@pytest.mark.parametrize(("addresses", "destination", "source"), ADDRESSED)
def test_the_source_is_the_interfaces_own(tmp_path: Path, addresses, destination, source) -> None:
    """However the routes lead elsewhere."""
    with Network(addresses=False) as network:
        network.ip_near("link", "add", "other0", "type", "veth", "peer", "name", "other1")
        for name in ("other0", "other1"):
            network.ip_near("link", "set", name, "up")
        network.ip_near("addr", "add", "192.0.2.1/24", "dev", "other0")
        network.ip_near("route", "add", "default", "via", "192.0.2.2", "dev", "other0")
        for address in addresses:
            network.ip_near("addr", "add", address, "dev", "near0")
        status, out, _ = Near(network, tmp_path)(
            "send", "--link", "near0", "--ip.dst", destination, "--udp.dstport", "9",
            "--dry-run", "--json",
        )  # fmt: skip
    assert status == 0
    assert json.loads(out)["ip.src"] == source


def ip_frames(watch: Watch) -> list[bytes]:
    """Return the frames that are not ARP requests of the kernel."""
    return [one.data for one in watch.packets if one.data[12:14] != b"\x08\x06"]


def test_replay_frames_packets_for_groups_without_a_route(
    network: Network, near: Near, tmp_path: Path
) -> None:
    """Bare IP packets to a group, to everybody, and to a host that is not there (nor IPv6)."""
    packets = []
    for texts in (MDNS, DHCP, UNICAST, IPV6):
        layers = ("ipv6" if "ipv6.dst" in texts else "ip", "udp")
        fields = options(without(texts, "eth.dst"))
        _, out, _ = near("send", "--layers", ",".join(layers), *fields, "--dry-run", "--json")
        packets.append(bytes.fromhex(json.loads(out)["frame.raw"]))
    file = Path(capture_of(tmp_path / "bare.pcap", packets))
    data = bytearray(file.read_bytes())
    data[20:24] = int(LinkType.RAW).to_bytes(4, "little")  # of the pcap header
    file.write_bytes(data)
    with watching_far(network) as watch:
        status, out, said = near(
            "replay", str(file), "--link", "near0", "--topspeed", "--yes", "--json"
        )
        assert status == 1, said
        until(lambda: watch.read() and len(ip_frames(watch)) == 2, "both frames")
        found = ip_frames(watch)
    counts = json.loads(out.splitlines()[-1])
    assert (counts["sent"], counts["unresolved"]) == (2, 2)
    assert [frame[:6].hex() for frame in found] == ["01005e0000fb", "ffffffffffff"]
    assert [frame[14:] for frame in found] == packets[:2]
