"""Replay captures that once made it wait, fail, or lose count; and replay at a rate in Mbit/s."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.cli.send.replay import ReplayRequest
from core.forge.replay_job import ReplayPlan
from core.forge.transmit.rewrite_rules import RewriteRules
from core.forge.transmit.schedule import ReplayPace
from core.wire.link.ethernet import ETHERNET
from core.wire.model.assigned_numbers import EtherType
from core.wire.model.dissection import PacketFlag
from tests.app.made import capture_of
from tests.helpers.support import forge_defects_dir
from tests.helpers.waiting import until
from tests.live.forge.replaying import quietly
from tests.live.network import Network
from tests.live.numbered import frame
from tests.live.watching import watching

pytestmark = pytest.mark.live

LEFT_OUT = ("too_long", "too_short", "unresolved", "without_ip", "unsendable")
RECEIVER = RewriteRules(destination_mac=b"\2\0\0\0\0\x99")  # no host has to be found
DEFECTS = [  # the frames of each file, and how many of them leave
    ("fargap.pcap", RewriteRules(), 4, 4),
    ("spb.pcapng", RewriteRules(), 2, 2),
    ("runts.pcap", RewriteRules(), 6, 3),
    ("multi-if.pcapng", RewriteRules(), 5, 2),
    ("multi-if.pcapng", RECEIVER, 5, 4),
    ("null.pcap", RewriteRules(), 1, 0),
    ("null.pcap", RECEIVER, 1, 1),
]


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with Network() as made:
        yield made


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def result_of(out: str) -> dict[str, Any]:
    """Return the last object that a replay printed."""
    record = json.loads(out.splitlines()[-1])
    assert isinstance(record, dict)
    return record


@pytest.mark.parametrize(("name", "rules", "frames", "sent"), DEFECTS)
def test_every_frame_is_sent_or_counted(
    network: Network, name: str, rules: RewriteRules, frames: int, sent: int,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """A replay without gaps, after a dry run that announces the same counts."""
    path = str(forge_defects_dir() / name)
    plan = ReplayPlan(path, ReplayPace(max_gap_s=0.0), rules=rules)

    def arrived() -> int:
        watch.read()
        found = [one.data for one in watch.packets if not one.flags & PacketFlag.OUTBOUND]
        return sum(ETHERNET["type"].number(data) != EtherType.ARP for data in found)

    def replay(*, dry_run: bool = False) -> dict[str, Any]:
        request = ReplayRequest(plan, "far0", dry_run=dry_run, yes=True, as_json=True)
        status = network.in_far(lambda: quietly(request))
        record = result_of(capfd.readouterr().out)
        left_out = sum(record[key] for key in LEFT_OUT)
        assert record["frames"] == record["sent"] + left_out == frames
        assert status == (1 if left_out else 0)
        return record

    forecast = replay(dry_run=True)
    with watching(network) as watch:
        assert replay()["sent"] == sent
        until(lambda: arrived() >= sent, f"{sent} frames")
    assert forecast["sent"] - forecast["pending"] == sent


def test_a_rate_in_bits_is_the_highest(network: Network, tmp_path: Path) -> None:
    """The frames before the last one have 8,000 bits, which take 0.1 s at 0.08 Mbit/s."""
    frames = [frame(number, 100) for number in range(11)]
    path = capture_of(tmp_path / "a.pcap", frames)
    request = ReplayRequest(ReplayPlan(path, ReplayPace(mbit=0.08)), "far0", yes=True, audit=False)
    with watching(network) as watch:
        start_s = time.monotonic()
        assert network.in_far(lambda: quietly(request)) == 0
        assert time.monotonic() - start_s >= 0.1
        until(lambda: watch.read() >= len(frames), "all frames")
