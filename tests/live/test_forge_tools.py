"""hping3 and nping given our recipes send what the draft says, as tshark reads it far away.

Both tools write checksums themselves; what they cannot make is in the recipe's `missing`.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.forge.draft import Draft
from core.forge.evaluation import evaluate
from core.forge.recipes import recipes
from tests.live.far_capture import FarCapture
from tests.live.network import FAR_ADDRESS, NEAR_ADDRESS, Network, run
from tests.support import require_peer

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
}  # fmt: skip
CHOSEN_BY_HPING = frozenset({"icmp.ident", "icmp.seq"})
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


@pytest.mark.parametrize("tool", ["hping3", "nping"])
@pytest.mark.parametrize("name", DRAFTS)
def test_the_command_sends_the_packet(
    network: Network, tmp_path: Path, tool: str, name: str
) -> None:
    require_peer(tool)
    evaluation = evaluate(DRAFTS[name])
    (recipe,) = (one for one in recipes(evaluation) if one.name == f"{tool} command")
    assert recipe.missing == ""
    names = [*NETWORK, *COMPARED[name]]
    with FarCapture(network, tmp_path / "far", 1) as capture:
        words = ["ip", "netns", "exec", network.near, *shlex.split(recipe.text)]
        run("sh", "-c", f"{shlex.join(words)} || true")  # nobody answers: status 1
    (row,) = capture.fields(names)
    for key in names:
        if tool == "hping3" and key in CHOSEN_BY_HPING:
            continue
        field = evaluation.field(key)
        told = row[key]
        assert told in (field.shown, str(field.value)) or int(told, 0) == field.value, key
