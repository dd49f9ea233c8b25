"""Recipes: their texts, and the packets that the tools make from them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import Evaluation, evaluate
from core.forge.compose.layer_kinds import KINDS, PROTOCOL_OF, destination_keys
from core.forge.export.rawscope import inferred_layers
from core.forge.export.recipes import Recipe, recipes
from core.wire.protocol import LayerPosition
from tests.app.made import capture_of
from tests.helpers.support import require_peer, require_scapy
from tests.helpers.waiting import PATIENCE_S

ENDS = {"ip.src": "10.77.0.1", "ip.dst": "10.77.0.2", "ip.id": "0x1234"}
SYN = Draft(
    ("ip", "tcp"),
    {
        **ENDS, "ip.ttl": "9", "ip.flags.df": "1", "tcp.srcport": "4000", "tcp.dstport": "80",
        "tcp.seq_raw": "77", "tcp.flags.syn": "1", "tcp.options": "mss=1460",
    },
)  # fmt: skip
UDP = Draft(("ip", "udp"), {**ENDS, "udp.srcport": "1", "udp.dstport": "2", "payload": "hi 'you'"})
ARP = Draft(("eth", "arp"), {"eth.dst": "ff:ff:ff:ff:ff:ff", "arp.dst.proto_ipv4": "10.77.0.2"})
SIX = Draft(("ipv6", "icmpv6"), {"ipv6.src": "2001:db8::1", "ipv6.dst": "2001:db8::2"})
VRRP = Draft(
    ("ip", "vrrp"), {**ENDS, "ip.ttl": "255", "vrrp.prio": "7", "vrrp.ip_addr": "10.77.0.9"}
)
VRRP_SIX = Draft(
    ("ipv6", "vrrp6"),
    {"ipv6.src": "fe80::1", "ipv6.dst": "ff02::12", "vrrp.ipv6_addr": "2001:db8::9"},
)
VRRP_TAIL = VRRP.with_text("payload", "tail")
VRRP_MORE = VRRP.with_text("vrrp.options", "0a4d000a")
VRRP_FOUR = VRRP.with_text("vrrp.version", "4")
VRRP_TWO = Draft(("ip", "vrrp2"), {**ENDS, "vrrp.ip_addr": "10.77.0.9"})
TAGS = Draft(("eth", "vlan", "vlan", "ip", "udp"), {"vlan.id": "5", "vlan.id#2": "7"})


def by_name(draft: Draft, interface: str = "") -> dict[str, Recipe]:
    return {recipe.name: recipe for recipe in recipes(evaluate(draft), interface)}


def test_bytes_as_python_c_and_hex() -> None:
    data = evaluate(UDP).data
    found = by_name(UDP)
    assert eval(found["Python bytes"].text) == data
    c = [int(word, 16) for word in re.findall(r"0x([0-9a-f]{2})", found["C array"].text)]
    assert bytes(c) == data
    assert f"packet[{len(data)}]" in found["C array"].text
    rows = [line[6:54] for line in found["hex dump"].text.splitlines()]
    assert bytes.fromhex("".join(rows)) == data


@pytest.mark.parametrize("draft", [SYN, UDP, ARP, SIX, TAGS], ids=lambda d: ":".join(d.layers))
def test_the_filter_is_one_for_tcpdump(draft: Draft) -> None:
    text = by_name(draft)["tcpdump filter"].text
    assert text
    subprocess.run(
        [require_peer("tcpdump"), "-d", "-y", "EN10MB", text],
        check=True, capture_output=True, timeout=PATIENCE_S,
    )  # fmt: skip


TAGS_OF_FRAMES = {name for name, kind in KINDS.items() if kind.place is LayerPosition.TAG}


@pytest.mark.parametrize("name", sorted(KINDS.keys() - TAGS_OF_FRAMES))
def test_the_filter_selects_the_packet_of_every_layer(name: str, tmp_path: Path) -> None:
    """Not behind tags: pcap-filter(7) needs the word ``vlan`` there."""
    keys = [slot.name for table in KINDS[name].tables for slot in table.slots]
    layers = inferred_layers(keys, link=True)
    assert name in layers
    draft = Draft(layers, {"eth.dst": "02:00:00:00:00:09"})
    network = next((one for one in layers if KINDS[one].place is LayerPosition.NETWORK), "")
    for key in destination_keys([network] if network else []):
        draft = draft.with_text(key, "2001:db8::9" if network == "ipv6" else "10.77.0.9")
    frames = [evaluate(draft).data, bytes.fromhex("02" * 12 + "88cc") + bytes(46)]
    text = by_name(draft)["tcpdump filter"].text
    path = capture_of(tmp_path / "two.pcap", frames)
    done = subprocess.run(
        [require_peer("tcpdump"), "-n", "-t", "-x", "-r", path, text],
        check=True, capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    packets = [line for line in done.stdout.splitlines() if not line.startswith("\t")]
    assert len(packets) == 1, done.stdout


def test_the_filter_of_a_tunnel_is_that_of_the_outer_packet() -> None:
    ends = {"ip.dst": "10.77.0.2", "ipv6.dst": "2001:db8::2"}
    inside = by_name(Draft(("ipv6", "ip"), ends))["tcpdump filter"].text
    assert inside == "ip6 and host 2001:db8::2"
    assert by_name(Draft(("ip", "ipv6"), ends))["tcpdump filter"].text == "ip and host 10.77.0.2"


def test_scapy_expressions() -> None:
    assert by_name(SYN)["scapy expression"].text == (
        'IP(version=4, tos=0, id=4660, flags=2, frag=0, ttl=9, src="10.77.0.1", dst="10.77.0.2")'
        "/TCP(sport=4000, dport=80, seq=77, ack=0, flags=2, window=65535, urgptr=0, "
        "options=[(2, b'\\x05\\xb4')])"
    )
    assert by_name(VRRP)["scapy expression"].text.endswith(
        "/VRRPv3(version=3, type=1, vrid=1, priority=7, ipcount=1, res=0, adv=100, "
        'addrlist=["10.77.0.9"])'
    )
    assert by_name(ARP)["scapy expression"].text.startswith('Ether(dst="ff:ff:ff:ff:ff:ff"')


def test_scapy_expressions_make_the_same_bytes() -> None:
    python = require_scapy()
    drafts = (SYN, UDP, ARP, SIX, TAGS, VRRP, VRRP_SIX, VRRP_TAIL, VRRP_MORE, VRRP_TWO, VRRP_FOUR)
    lines = [f"print(bytes({by_name(draft)['scapy expression'].text}).hex())" for draft in drafts]
    code = "\n".join(["from scapy.all import *", *lines])
    done = subprocess.run(
        [python, "-W", "ignore", "-c", code],
        capture_output=True, text=True, check=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.stdout.split() == [evaluate(draft).data.hex() for draft in drafts]


def test_recipes_name_what_a_tool_cannot_make() -> None:
    assert by_name(SYN)["hping3 command"].missing == "TCP options"
    six = by_name(SIX)["hping3 command"]
    assert (six.text, six.missing) == ("", "hping3 sends IPv4 only")
    tagged = by_name(TAGS)["nping command"]
    assert "802.1Q" in tagged.missing


@pytest.mark.parametrize(
    ("draft", "hping", "nping"),
    [
        (TAGS, "Ethernet II, 802.1Q VLAN", "802.1Q VLAN"),
        (Draft(("ip", "ip", "udp"), {"ip.ttl#2": "9"}), "IPv4", "IPv4"),
        (Draft(("ip", "icmp"), {"icmp.seq": "3"}), "icmp.seq, icmp.ident", ""),
        (Draft(("ip", "udp"), {"ip.frag_offset": "3"}), "", "ip.frag_offset"),
        (Draft(("ip", "udp"), {"ip.len": "900", "ip.checksum": "1"}), *["ip.len, ip.checksum"] * 2),
        (Draft(("ip", "udp"), {"ip.len": "28"}), "", ""),
        (Draft(("ip", "tcp"), {"tcp.flags": "0x1c2"}), *["tcp.flags.ae"] * 2),
        (Draft(("ip", "tcp"), {"ip.flags.rb": "1", "tcp.urgent_pointer": "1"}),
         "ip.flags.rb, tcp.urgent_pointer", "tcp.urgent_pointer"),
        (Draft(("ip", "tcp"), {"tcp.hdr_len": "24"}), *["tcp.hdr_len"] * 2),
        (Draft(("eth", "ip", "udp"), {"trailer": "x"}), "Ethernet II, the trailer", "the trailer"),
        (Draft(("ip", "icmp"), {"icmp.type": "3", "icmp.code": "4", "icmp.mtu": "1400"}),
         "icmp.mtu, the packet that the error quotes", "icmp.mtu"),
    ],
)  # fmt: skip
def test_omissions_of_a_tool_are_named(draft: Draft, hping: str, nping: str) -> None:
    found = by_name(draft)
    assert found["hping3 command"].missing == hping
    assert found["nping command"].missing == nping


@pytest.mark.parametrize("name", ["hping3", "nping"])
@pytest.mark.parametrize("position", [LayerPosition.NETWORK, LayerPosition.TRANSPORT])
def test_a_tool_names_the_protocols_that_it_sends(name: str, position: LayerPosition) -> None:
    """Of a packet that it cannot send: those whose record has options of the tool."""
    there = [one for one, kind in KINDS.items() if kind.place is position]
    sent = {one for one in there if getattr(PROTOCOL_OF[one].tools, name) is not None}
    words = "only" if position is LayerPosition.NETWORK else "here"
    around = ("ip",) if position is LayerPosition.TRANSPORT else ()
    for layers in [("eth", *around), *((*around, one) for one in set(there) - sent)]:
        recipe = by_name(Draft(layers, ENDS))[f"{name} command"]
        assert recipe.text == ""
        listed = recipe.missing.removeprefix(f"{name} sends ").removesuffix(f" {words}")
        assert set(listed.replace(" and ", ", ").split(", ")) == {
            PROTOCOL_OF[one].shown for one in sent
        }


def test_an_arp_operation_that_nping_has_no_word_for_is_named() -> None:
    text = by_name(ARP)["nping command"].text
    assert "--arp --arp-type ARP " in text
    other = by_name(ARP.with_text("arp.opcode", "9"))["nping command"]
    assert (other.missing, "--arp-type" in other.text) == ("arp.opcode", False)


def test_a_draft_that_does_not_fit_has_no_recipes_of_bytes() -> None:
    found: Evaluation = evaluate(SYN.with_text("payload", "x" * 65530))
    assert found.built is None
    for recipe in recipes(found):
        assert recipe.name


@pytest.mark.parametrize(
    "draft",
    [
        Draft(("802.3", "ip", "udp"), {"ip.dst": "10.77.0.2"}),
        Draft(("ip", "icmp"), {"icmp.options": "010203"}),
        VRRP_TAIL,
        VRRP_MORE,
        VRRP_TWO,
        VRRP_FOUR,
    ],
    ids=lambda draft: ":".join([*draft.layers, *draft.texts]),
)
def test_scapy_gets_bytes_for_a_layer_that_it_writes_differently(draft: Draft) -> None:
    text = by_name(draft)["scapy expression"].text
    data = evaluate(draft).data
    rest = text.rpartition("Raw(")[2].removesuffix(")")
    assert data.endswith(eval(rest))
