"""A replay that rewrites: arriving frames, questions, audit, and counts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli.output import CommandError
from app.cli.send.replay import ReplayRequest
from core.files.reader import open_capture
from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.forge.replay_job import ReplayPlan
from core.forge.transmit import replay_file
from core.forge.transmit.rewrite_rules import AddedTag, RewriteRules, parse_address_map
from core.forge.transmit.schedule import ReplayPace
from core.wire.link.ethernet import ETHERNET
from core.wire.link.link_types import LinkType
from tests.app.made import capture_of
from tests.core.forge.transmit.rewriting import rewritten
from tests.helpers.waiting import until
from tests.live.forge.replaying import quietly
from tests.live.forge.test_forge_ring import of_link
from tests.live.network import FAR_ADDRESS, NEAR_ADDRESS, Network
from tests.live.watching import mac, watching

pytestmark = pytest.mark.live

MAPS = RewriteRules(
    sources=parse_address_map(f"198.51.100.0/24:{FAR_ADDRESS}"),
    destinations=parse_address_map(f"203.0.113.0/24:{NEAR_ADDRESS}"),
)


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with Network() as made:
        yield made


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "rawscope"


def packet(destination: str, payload: str) -> bytes:
    fields = {"ip.src": "198.51.100.9", "ip.dst": destination, "payload": payload}
    return evaluate(Draft(("eth", "ip", "udp"), fields)).data


FRAMES = [packet("203.0.113.5", "changed"), packet("192.0.2.1", "source only")]


def arrived(network: Network, request: ReplayRequest, wanted: list[bytes]) -> None:
    """Send; wait until exactly these frames have arrived, in this order."""
    with watching(network) as watch:
        assert network.in_far(lambda: quietly(request)) == 0

        def found() -> list[bytes]:
            watch.read()
            return [one.data for one in watch.packets if one.data in wanted]

        until(lambda: len(found()) == len(wanted))
        assert found() == wanted


def test_frames_arrive_rewritten_in_each_round_and_the_audit_has_them_so(
    network: Network, tmp_path: Path, state: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = capture_of(tmp_path / "a.pcap", [*FRAMES, packet("192.0.2.1", "x")[:60]])
    rules = RewriteRules(
        sources=MAPS.sources, destinations=MAPS.destinations,
        destination_mac=mac(network, "near0"), tag=AddedTag(7),
    )  # fmt: skip
    wanted, _ = rewritten(rules, *FRAMES)
    request = ReplayRequest(
        ReplayPlan(path, ReplayPace(None), limit=2, loops=2, rules=rules),
        "far0",
        yes=True,
        as_json=True,
    )
    arrived(network, request, wanted * 2)
    end = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert (end["frames"], end["sent"], end["rewritten"]) == (4, 4, 4)
    with open_capture(state / "sent-frames.pcapng") as reader:
        recorded = [
            batch.data[at : at + size].tobytes()
            for batch in reader.batches()
            for at, size in zip(batch.offset, batch.captured, strict=True)
        ]
    assert recorded == wanted * 2


def test_the_question_is_about_the_new_destination(
    network: Network, tmp_path: Path, state: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = capture_of(tmp_path / "a.pcap", FRAMES[:1])
    rules = RewriteRules(destinations=parse_address_map("203.0.113.0/24:10.77.0.0/24"))
    request = ReplayRequest(ReplayPlan(path, ReplayPace(None), rules=rules), "far0")
    with pytest.raises(CommandError, match="nobody can answer"):
        network.in_far(lambda: quietly(request))
    asked = capfd.readouterr().err
    assert "10.77.0.5 on far0 was not approved before." in asked
    assert "203.0.113.5" not in asked


def test_ip_packets_get_the_link_header_of_the_new_next_hop(
    network: Network, tmp_path: Path, state: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    packets = [FRAMES[0][ETHERNET.size :]]
    path = of_link(capture_of(tmp_path / "raw.pcap", packets), LinkType.RAW)
    (new,), _ = rewritten(MAPS, *packets, kind=LinkType.RAW)
    near, far = mac(network, "near0"), mac(network, "far0")
    network.ip_far("neigh", "flush", "dev", "far0")
    arrived(
        network,
        ReplayRequest(ReplayPlan(path, ReplayPace(None), rules=MAPS), "far0", yes=True),
        [near + far + b"\x08\x00" + new],
    )
    sender, receiver = bytes.fromhex("020000000009"), bytes.fromhex("020000000008")
    given = RewriteRules(source_mac=sender, destination_mac=receiver)
    arrived(
        network,
        ReplayRequest(ReplayPlan(path, ReplayPace(None), rules=given), "far0", yes=True),
        [receiver + sender + b"\x08\x00" + packets[0]],
    )
    assert capfd.readouterr().out.splitlines()[-1].endswith(" s, 1 of them rewritten")


def test_a_dry_run_counts_what_would_be_rewritten(
    network: Network, tmp_path: Path, state: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rules = RewriteRules(destinations=MAPS.destinations)
    path = capture_of(tmp_path / "a.pcap", FRAMES)
    for as_json in (False, True):
        request = ReplayRequest(
            ReplayPlan(path, ReplayPace(), rules=rules), "far0", dry_run=True, as_json=as_json
        )
        assert network.in_far(lambda request=request: quietly(request)) == 0
    text, record = capfd.readouterr().out.splitlines()
    assert (
        text == "would send 2 of 2 frames through far0 in less than a second, 1 of them rewritten"
    )
    assert json.loads(record)["rewritten"] == 1


def test_a_large_file_is_rewritten_again_for_each_round(
    network: Network, tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_file, "MOST_KEPT_BYTES", 10)
    path = capture_of(tmp_path / "a.pcap", FRAMES)
    request = ReplayRequest(
        ReplayPlan(path, ReplayPace(None), loops=3, rules=MAPS), "far0", yes=True
    )
    arrived(network, request, rewritten(MAPS, *FRAMES)[0] * 3)
