"""The options of ``rawscope replay`` that change frames. Nothing is sent."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from app.cli.main import run
from app.cli.send import replay
from app.cli.send.replay import ReplayRequest
from core.forge.transmit.rewrite_rules import AddedTag, HopLimitEdit, NetworkPair, RewriteRules
from core.wire.model.assigned_numbers import EtherType
from tests.app.made import SYN, capture_of

PAIR = (NetworkPair(ip_network("10.0.0.0/8"), ip_network("192.168.0.0/16")),)
MAP = "10.0.0.0/8:192.168.0.0/16"


@pytest.mark.parametrize(
    ("options", "rules"),
    [
        ([], RewriteRules()),
        (["-C"], RewriteRules(fixes_checksums=True)),
        (["--fixcsum"], RewriteRules(fixes_checksums=True)),
        ([f"--srcipmap={MAP}"], RewriteRules(sources=PAIR)),
        ([f"--dstipmap={MAP}"], RewriteRules(destinations=PAIR)),
        ([f"--pnat={MAP}"], RewriteRules(sources=PAIR, destinations=PAIR, in_arp=True)),
        (["--ttl=-1"], RewriteRules(hop_limit=HopLimitEdit(-1, is_relative=True))),
        (["--enet-smac=02:0:0:0:0:1"], RewriteRules(source_mac=b"\2\0\0\0\0\1")),
        (["--enet-dmac=02:0:0:0:0:1"], RewriteRules(destination_mac=b"\2\0\0\0\0\1")),
        (["--enet-vlan=add", "--enet-vlan-tag=7"], RewriteRules(tag=AddedTag(7))),
        (
            ["--enet-vlan=add", "--enet-vlan-tag=7", "--enet-vlan-pri=5", "--enet-vlan-cfi=1",
             "--enet-vlan-proto=802.1ad"],
            RewriteRules(tag=AddedTag(7, 5, 1, EtherType.PROVIDER_VLAN)),
        ),
        (["--enet-vlan=del"], RewriteRules(removes_tag=True)),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)  # fmt: skip
def test_rules(options: list[str], rules: RewriteRules, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[ReplayRequest] = []
    monkeypatch.setattr(replay, "run_replay", lambda request, host: given.append(request) or 0)
    assert run(["replay", "a.pcap", "--link", "lo", *options]) == 0
    assert given[0].plan.rules == rules


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--srcipmap=10.0.0.0/8"], "'10.0.0.0/8' is not a pair of networks"),
        (["--ttl=0"], "'0' is not 1–255"),
        (["--speed=1e-9"], "--speed 1e-09: 1e-06 is the least"),
        (["--mbit=1e-9"], "--mbit 1e-09: 1e-06 is the least"),
        (["--enet-smac=x"], "'--enet-smac': 'x' is not a MAC address"),
        (["--enet-vlan=add"], "--enet-vlan add needs the id of the tag: --enet-vlan-tag ID"),
        (["--enet-vlan=change"], "--enet-vlan"),
        (["--enet-vlan-tag=3"], "--enet-vlan-tag, -pri, -cfi, and -proto are for --enet-vlan add"),
        (["--enet-vlan=del", "--enet-vlan-pri=3"], "are for --enet-vlan add"),
        ([f"--pnat={MAP}", f"--srcipmap={MAP}"], "--pnat maps both addresses"),
    ],
)
def test_wrong_usage(options: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", "a.pcap", "--link", "lo", *options]) == 2
    out, said = capsys.readouterr()
    assert out == ""
    assert sentence in said
    assert said.count("\n") == 1


def test_a_dry_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = capture_of(tmp_path / "a.pcap", [SYN])
    command = ["replay", path, "--link", "lo", "--dry-run", "--topspeed"]
    assert run(command) == 0
    assert capsys.readouterr().out == "would send 1 of 1 frame through lo\n"
    assert run([*command, "-C"]) == 0
    out = capsys.readouterr().out
    assert out == "would send 1 of 1 frame through lo, 1 of them rewritten\n"


def test_a_delay_between_rounds_needs_rounds(capsys: pytest.CaptureFixture[str]) -> None:
    for words, is_told in (([], True), (["--loop=2"], False), (["--loop=0"], False)):
        run(["replay", "absent.pcap", "--link=lo", "--loop-delay=1", *words])
        assert ("--loop-delay has no effect" in capsys.readouterr().err) is is_told
