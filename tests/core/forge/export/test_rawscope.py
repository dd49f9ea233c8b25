"""The ``rawscope send`` command of a draft, and the layers that its options imply."""

from __future__ import annotations

import pytest

from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.forge.compose.layer_kinds import KINDS, PROTOCOL_OF
from core.forge.export.rawscope import inferred_layers, rawscope_command
from core.forge.values import SendPlan
from core.wire.dissect import dissect
from core.wire.model.walk import Numbering
from core.wire.registry import readers
from tests.core.forge.export.test_recipes import SYN, TAGS, UDP


def test_the_rawscope_command() -> None:
    assert rawscope_command(SYN) == (
        "rawscope send --ip.src 10.77.0.1 --ip.dst 10.77.0.2 --ip.id 0x1234 --ip.ttl 9 "
        "--ip.flags.df --tcp.srcport 4000 --tcp.dstport 80 --tcp.seq_raw 77 --tcp.flags.syn "
        "--tcp.options mss=1460"
    )
    assert rawscope_command(UDP).endswith("""--payload 'hi '"'"'you'"'"''""")
    tags = rawscope_command(TAGS, "eth0")
    assert "--layers eth,vlan,vlan,ip,udp --link eth0" in tags
    assert "--set 'vlan.id#2=7'" in tags


@pytest.mark.parametrize(
    ("keys", "layers"),
    [
        (["ip.dst"], ("ip",)),
        (["tcp.dstport"], ("ip", "tcp")),
        (["ipv6.dst", "udp.dstport"], ("ipv6", "udp")),
        (["icmpv6.type"], ("ipv6", "icmpv6")),
        (["ipv6.fraghdr.more", "udp.dstport"], ("ipv6", "ipv6.fraghdr", "udp")),
        (["vrrp.ipv6_addr"], ("ipv6", "vrrp6")),
        (["arp.dst.proto_ipv4"], ("eth", "arp")),
        (["vlan.id", "ip.dst"], ("eth", "vlan", "ip")),
        (["eth.dst", "payload"], ("eth",)),
        (["icmp.mtu"], ("ip", "icmp")),
        (["eth.dst", "eth.len", "ip.dst"], ("802.3", "ip")),
        ([], ("ip",)),
    ],
)
def test_layers_follow_from_the_fields(keys: list[str], layers: tuple[str, ...]) -> None:
    assert inferred_layers(keys) == layers


@pytest.mark.parametrize("name", KINDS)
def test_the_inferred_layers_of_every_form_are_read_back(name: str) -> None:
    kind = KINDS[name]
    layers = inferred_layers([slot.name for table in kind.tables for slot in table.slots])
    assert name in layers
    assert kind.over in ("", *layers)
    frame = evaluate(Draft(layers)).data
    link_type = next(
        number
        for numbering, number, reader in readers()
        if numbering is Numbering.LINK and reader in PROTOCOL_OF[layers[0]].readers
    )
    found = [layer.name for layer in dissect(frame, link_type, len(frame)).layers]
    assert found[: len(layers)] == [KINDS[one].prefix for one in layers]


def test_our_own_command_says_how_often_and_how_fast() -> None:
    draft = Draft(("ip", "udp"), {"ip.dst": "192.0.2.1"})
    assert rawscope_command(draft, plan=SendPlan(20, 2.0)).endswith(
        "send --layers ip,udp --count 20 --rate 2 --ip.dst 192.0.2.1"
    )
    assert "--count" not in rawscope_command(draft)
