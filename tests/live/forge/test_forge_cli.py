"""``rawscope send`` and ``rawscope replay`` between two namespaces, as processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.files.reader import open_capture
from core.wire.link.ethernet import ETHERNET
from core.wire.link.link_types import LinkType
from core.wire.link.linux_cooked import SLL
from tests.app.made import TIME_NS, capture_of, udp_frame
from tests.helpers.process.forked_commands import command_server
from tests.helpers.support import ROOT, remarks_of, require_peer
from tests.helpers.waiting import PATIENCE_S
from tests.live.network import FAR_ADDRESS, NEAR_ADDRESS, Network, run
from tests.live.numbered import frame, numbered
from tests.live.watching import watching

pytestmark = pytest.mark.live

UDP = ("--ip.dst", FAR_ADDRESS, "--udp.srcport", "4000", "--udp.dstport", "9")


@dataclass
class Near:
    """Runs rawscope in the near namespace with a state folder of its own."""

    network: Network
    state: Path

    def __call__(self, *arguments: str, answer: str | None = None) -> tuple[int, str, str]:
        """Return status, output, and messages; `answer` is typed on a terminal."""
        environment = {
            "XDG_STATE_HOME": str(self.state), "XDG_CONFIG_HOME": str(self.state / "config"),
        }  # fmt: skip
        if answer is None:
            near = self.network.near
            ended = command_server().run(arguments, ROOT, environment, namespace=near)
            return ended.status, ended.out.decode(), ended.error.decode()
        command = [
            *self.network.inside(self.network.near), "env",
            *(f"{name}={value}" for name, value in environment.items()),
            sys.executable, "-m", "app", *arguments,
        ]  # fmt: skip
        quoted = " ".join(f"'{word}'" for word in command)
        done = subprocess.run(
            [require_peer("script"), "-qec", quoted, "/dev/null"], cwd=ROOT, input=answer,
            capture_output=True, text=True, check=False, timeout=PATIENCE_S,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    def events(self, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
        """Status and the JSON lines."""
        status, out, _ = self("send", *arguments, "--json", "--yes")
        return status, [json.loads(line) for line in out.splitlines()]

    def audited(self, file: str = "sent.pcapng") -> tuple[list[bytes], list[str]]:
        """Packets and comments of the audit; remarks on no packet behind them."""
        packets: list[bytes] = []
        comments: list[str] = []
        with open_capture(self.state / "rawscope" / file) as reader:
            for batch in reader.batches():
                ends = zip(batch.offset.tolist(), batch.captured.tolist(), strict=True)
                cooked = SLL.size if reader.interfaces[0].link_type == LinkType.LINUX_SLL else 0
                packets += [batch.data[at + cooked : at + size].tobytes() for at, size in ends]
                comments += [text for texts in batch.comments.values() for text in texts]
            assert not reader.damaged
        return packets, comments + remarks_of(self.state / "rawscope" / file)


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with Network() as made:
        yield made


@pytest.fixture
def near(network: Network, tmp_path: Path) -> Near:
    return Near(network, tmp_path)


def test_the_sent_packet_and_its_replies(near: Near) -> None:
    status, events = near.events(*UDP, "--ip.ttl", "7", "--wait", "5")
    assert status == 0
    sent, copy, reply, end = events
    assert (sent["sent"], sent["interface"], sent["method"]) == (1, "near0", "IP_HDRINCL")
    assert {change["name"] for change in copy["changes"]} == {"ip.id", "ip.checksum"}
    assert (reply["icmp.type"], reply["icmp.code"], reply["ip.src"]) == (3, 3, FAR_ADDRESS)
    assert 0 < reply["delay"] < 5
    assert (end["copy"], end["replies"]) == (True, 1)


def test_nobody_answers(near: Near) -> None:
    """An echo reply that nobody asked for."""
    arguments = ("--ip.dst", FAR_ADDRESS, "--icmp.type", "0", "--wait", "0.3", "--yes")
    status, out, said = near("send", *arguments)
    assert status == 1
    assert "sent 1 of 1" in out
    assert "rawscope: no reply" in said


@pytest.mark.parametrize("link", [(), ("--link", "near0")], ids=["ip", "verbatim"])
def test_without_time_for_replies_the_sent_packet_is_shown(near: Near, link) -> None:
    """No reply is missed by it: the status is that of sending."""
    arguments = ("--ip.dst", FAR_ADDRESS, "--icmp.type", "0", "--wait", "0", "--yes", *link)
    status, out, said = near("send", *arguments)
    assert status == 0
    assert "sent 1 of 1" in out
    assert "sent as requested" in out or "changed ip.id" in out
    assert "not captured" not in said
    assert "no reply" not in said
    status, (*_, end) = near.events(*arguments)
    assert (status, end["copy"]) == (0, True)


def test_a_new_destination_is_a_question_once(near: Near) -> None:
    status, out, said = near("send", *UDP)
    assert (status, out) == (1, "")
    assert f"{FAR_ADDRESS} on near0 was not approved before." in said
    assert "--yes sends without asking" in said
    assert not (near.state / "rawscope" / "sent.pcapng").exists()
    status, out, _ = near("send", *UDP, answer="n\n")
    assert status == 1
    assert "not sent" in out
    status, out, _ = near("send", *UDP, answer="y\n")
    assert status == 0
    assert "sent 1 of 1" in out
    assert near("send", *UDP)[0] == 0, "and remembered"
    status, _, said = near("send", *UDP, "--ip.src", "192.0.2.9")
    assert status == 1
    assert "192.0.2.9 does not belong to this host" in said


@pytest.mark.parametrize("version", ["0", "6"])
def test_a_wrong_version_does_not_avoid_the_questions(near: Near, version: str) -> None:
    """The payload makes it an IPv6 header to ourselves, if it is read as one."""
    arguments = ("send", "--layers", "ip", "--ip.version", version, "--ip.dst")
    payload = ("--payload", f"hex:{bytes(19).hex()}01")
    status, out, said = near(*arguments, FAR_ADDRESS, *payload)
    assert (status, out) == (1, "")
    assert f"{FAR_ADDRESS} on near0 was not approved before." in said
    assert near(*arguments, FAR_ADDRESS, *payload, "--yes")[0] == 0
    assert near(*arguments, "10.77.0.3", *payload)[0] == 1, "a yes is to one destination"


def test_a_spoofed_source_to_this_host_is_a_question(near: Near) -> None:
    own = ("send", "--ip.dst", NEAR_ADDRESS, "--udp.dstport", "9")
    assert near(*own)[0] == 0
    status, out, said = near(*own, "--ip.src", FAR_ADDRESS)
    assert (status, out) == (1, "")
    assert f"The source {FAR_ADDRESS} does not belong to this host" in said


def test_a_frame_on_loopback_is_reviewed_by_its_ip_destination(near: Near) -> None:
    arguments = ("send", "--link", "lo", "--udp.dstport", "9", "--ip.src", "127.0.0.1", "--ip.dst")
    assert near(*arguments, "127.0.0.1")[0] == 0
    status, out, said = near(*arguments, FAR_ADDRESS)
    assert (status, out) == (1, "")
    assert f"{FAR_ADDRESS} on lo was not approved before." in said


def test_many_packets_are_a_question_every_time(near: Near) -> None:
    arguments = ("send", "--ip.dst", NEAR_ADDRESS, "--udp.dstport", "9", "--count", "1001")
    assert near(*arguments)[0] == 1
    assert near(*arguments, "--yes")[0] == 0
    assert near(*arguments)[0] == 1


def test_a_refusal_by_the_kernel_is_status_1_with_the_count(near: Near) -> None:
    status, out, said = near("send", *UDP, "--payload", "x" * 1500, "--count", "3", "--yes")
    assert status == 1
    assert "sent 0 of 3" in out
    assert "0 of 3 sent: EMSGSIZE" in said
    packets, comments = near.audited()
    assert len(packets) == 1
    assert comments[0].startswith("sending 3 ")
    assert comments[1].startswith("sent 0 of 3; EMSGSIZE")


def test_the_audit_has_the_packet_and_the_command(near: Near) -> None:
    assert near("send", *UDP, "--payload", "hello", "--count", "5", "--yes")[0] == 0
    (packet,), (comment, count) = near.audited()
    assert packet.endswith(b"hello")
    assert comment.startswith("sending 5 (IP_HDRINCL) by: rawscope send --count 5 --ip.dst")
    assert count == "sent 5 of 5"
    assert near("send", *UDP, "--yes", "--no-audit")[0] == 0
    assert len(near.audited()[0]) == 1
    assert "recorded in" in near("send", *UDP, "--yes", "--system-header")[2]
    assert "--system-header" in near.audited()[1][1]


def test_the_configuration_switches_the_audit_off(near: Near) -> None:
    folder = near.state / "config" / "rawscope"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text("[forge]\naudit = false\n")
    status, _, said = near("send", *UDP, "--yes")
    assert status == 0
    assert "recorded in" not in said
    assert not (near.state / "rawscope" / "sent.pcapng").exists()


def test_yes_on_the_command_line_is_for_this_once(near: Near) -> None:
    assert near("send", *UDP, "--yes")[0] == 0
    status, _, said = near("send", *UDP)
    assert status == 1
    assert f"{FAR_ADDRESS} on near0 was not approved" in said


def test_packets_dropped_by_the_queue_are_a_failure(near: Near) -> None:
    tc = ("tc", "-n", near.network.near, "qdisc")
    run(*tc, "add", "dev", "near0", "root", "tbf",
        "rate", "8kbit", "burst", "1600", "limit", "3000")  # fmt: skip
    try:
        status, out, _ = near("send", *UDP, "--count", "1000", "--yes")
    finally:
        run(*tc, "del", "dev", "near0", "root")
    assert status == 1
    assert "were dropped" in out
    assert "dropped by the device's queue (ENOBUFS)" in near.audited()[1][1]


def test_verbatim_frames_arrive(near: Near) -> None:
    arguments = ("send", *UDP, "--link", "near0", "--ip.checksum", "0xdead", "--count", "300",
                 "--rate", "1000", "--yes")  # fmt: skip
    near.network.ip_near("neigh", "flush", "dev", "near0")
    with watching(near.network, ring_bytes=64 << 20) as watch:
        status, out, _ = near(*arguments)
        assert status == 0
        frames = [
            packet.data for packet in watch.wait_for(300) if packet.data[24:26] == b"\xde\xad"
        ]
    assert "sent 300 of 300 through near0 (verbatim)" in out
    assert len(frames) == 300
    assert len(set(frames)) == 1


def test_an_approval_of_one_replay_does_not_count_for_another_file(
    near: Near, tmp_path: Path
) -> None:
    """Nor to a pipe, of which nothing is known, nor to more a second than it was."""
    paced = [TIME_NS + 1_000_000 * number for number in range(1100)]
    first = capture_of(tmp_path / "a.pcap", [udp_frame(b"x", 1)] * 1100, [TIME_NS] * 1100)
    assert near("replay", first, "--link", "near0", "--rate", "900", answer="y\n")[0] == 0
    assert near("replay", first, "--link", "near0", "--rate", "900")[0] == 0, "and remembered"
    capture_of(tmp_path / "a.pcap", [udp_frame(b"x", 1)] * 1100, paced)
    assert (
        "as fast as this host can"
        in near("replay", first, "--link", "near0", "--speed", "1e300")[2]
    )
    asked = near("replay", first, "--link", "near0", "--speed", "9")[2]
    assert "1,100 packets at up to 9,000 a second take less than a second" in asked
    broadcast = b"\xff" * 6 + udp_frame(b"x", 1)[6:]
    second = capture_of(tmp_path / "b.pcap", [udp_frame(b"x", 1), broadcast])
    status, out, said = near("replay", second, "--link", "near0")
    assert (status, out) == (1, "")
    assert "is a broadcast: every host on near0 gets it" in said
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    status, out, said = near("replay", str(pipe), "--link", "near0")
    assert (status, out) == (1, "")
    assert f"rawscope cannot check {pipe} before it sends: the number" in said


def test_replay_sends_a_file(near: Near, tmp_path: Path) -> None:
    frames = [frame(number, 60 + number) for number in range(200)]
    path = capture_of(tmp_path / "a.pcap", frames)
    with watching(near.network, ring_bytes=32 << 20) as watch:
        status, out, said = near("replay", path, "--link", "near0", "--topspeed", "--loop", "2")
        assert status == 1
        assert "leaves near0 verbatim" in said
        arguments = ("replay", path, "--link", "near0", "--topspeed", "--loop", "2", "--yes")
        status, out, _ = near(*arguments)
        assert status == 0
        assert out.startswith("sent 400 of 400 frames")
        assert numbered(watch.wait_for(400)) == frames * 2
    assert near.audited("sent-frames.pcapng")[0] == frames * 2


def test_the_audit_can_be_sent_again(near: Near) -> None:
    """Its packets have no link header: they get one, after the answer."""
    assert near("send", *UDP, "--ip.id", "7", "--count", "3", "--yes")[0] == 0
    (packet,), _ = near.audited()
    path = str(near.state / "rawscope" / "sent.pcapng")
    status, out, said = near("replay", path, "--link", "near0")
    assert (status, out) == (1, "")
    assert f"{FAR_ADDRESS} on near0 was not approved before." in said
    near.network.ip_near("neigh", "flush", "dev", "near0")
    status, out, _ = near("replay", path, "--link", "near0", answer="y\n")
    assert (status, out.count("[y/N]")) == (0, 1)
    (frame,), _ = near.audited("sent-frames.pcapng")
    assert frame[ETHERNET.size :] == packet
    near.network.ip_near("neigh", "flush", "dev", "near0")
    status, out, _ = near("replay", path, "--link", "near0", "--json")
    assert (status, json.loads(out)["sent"]) == (0, 1), "and remembered"
