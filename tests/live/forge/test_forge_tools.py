"""hping3 and nping given our recipes send what the draft says, as tshark reads it far away.

Both tools write checksums themselves; what they cannot make is in the recipe's `missing`.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.forge.export.recipes import recipes
from core.wire.link.ethernet import ETHERNET
from tests.helpers.support import require_peer
from tests.live.far_capture import FarCapture
from tests.live.network import FAR_ADDRESS, NEAR_ADDRESS, Network, run

pytestmark = pytest.mark.live

ENDS = {
    "ip.src": NEAR_ADDRESS, "ip.dst": FAR_ADDRESS, "ip.id": "0x1234", "ip.ttl": "9",
    "ip.flags.df": "1", "ip.dsfield": "0x10",
}  # fmt: skip
DRAFTS = {
    "tcp": Draft(
        ("ip", "tcp"),
        {
            **ENDS, "tcp.srcport": "4000", "tcp.dstport": "80", "tcp.seq_raw": "77",
            "tcp.ack_raw": "78", "tcp.window_size_value": "512", "tcp.flags.syn": "1",
            "tcp.flags.urg": "1", "payload": "hello",
        },
    ),
    "udp": Draft(
        ("ip", "udp"), {**ENDS, "udp.srcport": "4000", "udp.dstport": "9", "payload": "hi you"}
    ),
    "icmp": Draft(
        ("ip", "icmp"), {**ENDS, "icmp.type": "8", "icmp.ident": "7", "icmp.seq": "8"}
    ),
    "flags": Draft(
        ("ip", "tcp"), {**ENDS, "tcp.flags": "ece,cwr,ack", "tcp.dstport": "80", "payload": "x"}
    ),
    "fragment": Draft(
        ("ip", "udp"), {**ENDS, "ip.flags.df": "0", "ip.flags.mf": "1", "ip.frag_offset": "3"}
    ),
    "odd": Draft(
        ("ip", "tcp"),
        {
            **ENDS, "ip.flags.rb": "1", "tcp.dstport": "80", "tcp.urgent_pointer": "7",
            "tcp.checksum": "0x1234", "tcp.hdr_len": "24", "payload": "hello", "tcp.flags.ae": "1",
        },
    ),
    "length": Draft(("ip", "udp"), {**ENDS, "udp.length": "80", "udp.dstport": "9"}),
    "echo": Draft(("ip", "icmp"), {**ENDS, "icmp.ident": "7", "payload": "abc"}),
    "mask": Draft(("ip", "icmp"), {**ENDS, "icmp.type": "17", "icmp.address_mask": "1.2.3.4"}),
}  # fmt: skip
ETHERNET_ENDS = {"eth.dst": "02:00:5e:10:00:77", "eth.src": "02:00:5e:10:00:78"}
FRAMES = {
    "udp": Draft(("eth", "ip", "udp"), {**ENDS, **ETHERNET_ENDS, "udp.dstport": "9"}),
    "arp": Draft(
        ("eth", "arp"),
        {
            **ETHERNET_ENDS, "arp.opcode": "2", "arp.src.hw_mac": "02:00:5e:10:00:79",
            "arp.src.proto_ipv4": "10.77.0.7", "arp.dst.proto_ipv4": FAR_ADDRESS,
        },
    ),
}  # fmt: skip
COMPARED = {
    "tcp": ("tcp.srcport", "tcp.dstport", "tcp.seq_raw", "tcp.ack_raw", "tcp.flags",
            "tcp.window_size_value"),
    "udp": ("udp.srcport", "udp.dstport", "udp.length"),
    "icmp": ("icmp.type", "icmp.code", "icmp.ident", "icmp.seq"),
}  # fmt: skip
NETWORK = ("ip.src", "ip.dst", "ip.ttl", "ip.id", "ip.flags.df", "ip.dsfield")


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with Network() as made:
        made.ip_near("neigh", "add", FAR_ADDRESS, "lladdr", "02:00:5e:10:00:99", "dev", "near0")
        yield made


def sent(network: Network, path: Path, tool: str, draft: Draft) -> tuple[FarCapture, set[str]]:
    """Return what arrived of a recipe's command, and what the recipe says is missing."""
    (recipe,) = (one for one in recipes(evaluate(draft), "near0") if one.name == f"{tool} command")
    with FarCapture(network, path, 1) as capture:
        name, *options = shlex.split(recipe.text)
        assert name == tool
        words = [*network.inside(network.near), require_peer(tool), *options]
        run("sh", "-c", f"{shlex.join(words)} || true")  # nobody answers: status 1
    return capture, set(recipe.missing.split(", ")) - {""}


def differing(draft: Draft, packet: bytes) -> set[str]:
    """Return the narrowest fields that arrived changed, except for computed ones (checksums)."""
    evaluation = evaluate(draft)
    found = set()
    for field in evaluation.fields:
        if field.slot is None or field.slot.field.parts or field.span is None:
            continue
        is_counted = field.slot.field.automatic and not field.text
        piece = packet[field.span.start : field.span.stop]
        number = field.slot.decode(int.from_bytes(piece, "big"))
        if not is_counted and number != field.value:
            found.add(field.key)
    return found


@pytest.mark.parametrize("tool", ["hping3", "nping"])
@pytest.mark.parametrize("name", DRAFTS)
def test_packets_that_the_command_does_not_send_are_named(
    network: Network, tmp_path: Path, tool: str, name: str
) -> None:
    draft = DRAFTS[name]
    capture, missing = sent(network, tmp_path / "far", tool, draft)
    (frame,) = capture.frames()
    assert differing(draft, frame[ETHERNET.size :]) == missing
    if not missing:
        assert frame[ETHERNET.size :].startswith(evaluate(draft).data)


@pytest.mark.parametrize("name", FRAMES)
def test_nping_makes_frames(network: Network, tmp_path: Path, name: str) -> None:
    draft = FRAMES[name]
    capture, missing = sent(network, tmp_path / "far", "nping", draft)
    (frame,) = capture.frames()
    assert missing == set()
    assert frame.startswith(evaluate(draft).data)


@pytest.mark.parametrize("tool", ["hping3", "nping"])
@pytest.mark.parametrize("name", COMPARED)
def test_the_command_sends_the_packet(
    network: Network, tmp_path: Path, tool: str, name: str
) -> None:
    evaluation = evaluate(DRAFTS[name])
    capture, missing = sent(network, tmp_path / "far", tool, DRAFTS[name])
    names = [key for key in (*NETWORK, *COMPARED[name]) if key not in missing]
    (row,) = capture.fields(names)
    for key in names:
        field = evaluation.field(key)
        told = row[key]
        assert told in (field.shown, str(field.value)) or int(told, 0) == field.value, key
