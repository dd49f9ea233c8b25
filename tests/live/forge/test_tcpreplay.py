"""Replay and tcpreplay with the same captures over the same veth pair."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import accumulate, pairwise
from pathlib import Path
from statistics import median

import pytest

from app.cli.send.replay import ReplayRequest
from core.files.reader import open_capture
from core.forge.replay_job import ReplayPlan
from core.forge.transmit.schedule import ReplayPace
from core.wire.model.dissection import PacketFlag
from tests.app.made import TIME_NS, capture_of
from tests.core.forge.transmit.rewriting import frames_of
from tests.helpers.support import captures_dir, require_peer
from tests.helpers.waiting import PATIENCE_S, until
from tests.live.forge.replaying import quietly
from tests.live.network import Network
from tests.live.numbered import frame
from tests.live.watching import Watch, watching

pytestmark = [pytest.mark.live, pytest.mark.corpus]

SLACK_NS = 2_000_000  # of a busy host, for the median of gaps between 2 and 20 ms
MTU = 65_535  # of a veth pair, at most: frames of captures with large segments fit, too
CAPTURES = (
    "OISF+suricata-verify/tests/ethernet-eve/test.pcap",
    "OISF+suricata-verify/tests/output-eve-ftp-data/input.pcap",
    "arkime+arkime/tests/pcap/arkime_synthetic.pcap",
    "gopacket+gopacket/pcapgo/tests/le/test301.pcapng",
    "kbandla+dpkt/examples/data/http.pcap",
    "seladb+PcapPlusPlus/Tests/ExamplesTest/pcap_examples/many-protocols.pcap",
    "zeek+zeek/testing/btest/Traces/tunnels/gtp/gtp9_unknown_or_too_short_payload.pcap",
)


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with Network(addresses=False) as made:
        made.ip_near("link", "set", "near0", "mtu", str(MTU))
        made.ip_far("link", "set", "far0", "mtu", str(MTU))
        yield made


def received(watch: Watch) -> list[bytes]:
    """Return the frames that arrived; those that the near end sends do not count."""
    watch.read()
    return [one.data for one in watch.packets if not one.flags & PacketFlag.OUTBOUND]


def arrivals(network: Network, count: int, send: Callable[[], object]) -> list[bytes]:
    """Send, and return all frames that have arrived when `count` have."""
    with watching(network, ring_bytes=64 << 20) as watch:
        send()
        until(lambda: len(received(watch)) >= count, f"{count} frames")
        return received(watch)


def run_tcpreplay(network: Network, path: str, pace: str = "--topspeed") -> None:
    command = [*network.inside(network.far), require_peer("tcpreplay"), "-q", "-i", "far0"]
    subprocess.run([*command, pace, path], capture_output=True, check=True, timeout=PATIENCE_S)


def frames_in(path: Path) -> list[bytes]:
    with open_capture(path) as reader:
        return [data for batch in reader.batches() for data in frames_of(batch)]


@pytest.mark.parametrize("name", CAPTURES)
def test_the_same_frames_arrive_in_the_same_order(
    network: Network, name: str, tmp_path: Path
) -> None:
    path = captures_dir() / "files" / name
    request = ReplayRequest(ReplayPlan(str(path), ReplayPace(None)), "far0", yes=True, audit=False)
    expected = frames_in(path)
    rawscope = arrivals(network, len(expected), lambda: network.in_far(lambda: quietly(request)))
    peer = arrivals(network, len(expected), lambda: run_tcpreplay(network, str(path)))
    assert rawscope == peer == expected


def test_no_frame_arrives_before_it_is_due(network: Network, tmp_path: Path) -> None:
    """Gaps of no time up to 20 ms; the frames count from the start of the replay."""
    gaps_ns = [0, 1_000_000, 0, 20_000_000, 3_000_000, 500_000, 7_000_000] * 5
    times = list(accumulate(gaps_ns, initial=TIME_NS))
    frames = [frame(number) for number in range(len(times))]
    path = capture_of(tmp_path / "a.pcap", frames, times)
    request = ReplayRequest(ReplayPlan(path, ReplayPace()), "far0", yes=True, audit=False)
    with watching(network, method="datagram") as watch:
        start_ns = time.time_ns()
        assert network.in_far(lambda: quietly(request)) == 0
        until(lambda: len(received(watch)) >= len(frames), "all frames")
        arrived = [one for one in watch.packets if not one.flags & PacketFlag.OUTBOUND]
    assert [one.data for one in arrived] == frames
    for one, due_ns in zip(arrived, times, strict=True):
        assert one.timestamp_ns - start_ns >= due_ns - times[0]


@pytest.mark.timed
def test_gaps_are_as_exact_as_those_of_tcpreplay(network: Network, tmp_path: Path) -> None:
    """By the kernel's times of arrival, in the best of three runs: a busy host delays both."""
    gaps_ns = [2_000_000, 20_000_000, 5_000_000, 11_000_000] * 10
    times = list(accumulate(gaps_ns, initial=TIME_NS))
    frames = [frame(number) for number in range(len(times))]
    path = capture_of(tmp_path / "a.pcap", frames, times)
    request = ReplayRequest(ReplayPlan(path, ReplayPace()), "far0", yes=True, audit=False)

    def median_error_ns(send: Callable[[], object]) -> float:
        with watching(network, method="datagram") as watch:
            send()
            until(lambda: len(received(watch)) >= len(frames), "all frames")
            arrived = [one for one in watch.packets if not one.flags & PacketFlag.OUTBOUND]
        assert [one.data for one in arrived] == frames
        found = [later.timestamp_ns - one.timestamp_ns for one, later in pairwise(arrived)]
        return median(abs(gap - wanted) for gap, wanted in zip(found, gaps_ns, strict=True))

    def by_rawscope() -> int:
        return network.in_far(lambda: quietly(request))

    def by_tcpreplay() -> None:
        run_tcpreplay(network, path, "--multiplier=1")

    runs = [(median_error_ns(by_rawscope), median_error_ns(by_tcpreplay)) for _ in range(3)]
    rawscope, peer = (min(errors) for errors in zip(*runs, strict=True))
    assert rawscope <= 2 * peer + SLACK_NS
