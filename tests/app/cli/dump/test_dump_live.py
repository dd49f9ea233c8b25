"""``rawscope dump -i`` on real interfaces: loopback, and veth pairs in a namespace of its own."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.core.recording.made import numbers_in
from tests.helpers.support import ROOT, require_command, require_namespaces, require_peer
from tests.helpers.waiting import PATIENCE_S, until

pytestmark = pytest.mark.live

RAWSCOPE = [sys.executable, "-m", "app"]
TOTAL = re.compile(
    r"(\d+) packets? captured\n\d+ packets? received by filter\n"
    r"(\d+) packets? dropped by kernel\n"
    r"(?:(\d+) packets? not (?:printed|written)\n)?"
)


class Dump:
    """A running ``rawscope dump``."""

    def __init__(self, arguments: Sequence[str], wrapper: Sequence[str] = ()) -> None:
        self.process = subprocess.Popen(
            require_command(*wrapper, *RAWSCOPE, "dump", *arguments),
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.said = ""

    def wait_until(self, text: str) -> None:
        """Read stderr until it contains `text`."""
        assert self.process.stderr is not None
        while text not in self.said:
            line = self.process.stderr.readline()
            assert line, self.said
            self.said += line

    def line(self) -> str:
        """The next line of output."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def end(self, number: signal.Signals | None = None) -> tuple[int, str, str]:
        """Return status, stdout and stderr, after the signal or the end of the program."""
        if number is not None:
            self.process.send_signal(number)
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        out = self.process.stdout.read()
        said = self.said + self.process.stderr.read()
        return self.process.wait(PATIENCE_S), out, said


Start = Callable[..., Dump]


@pytest.fixture
def start() -> Iterator[Start]:
    """Makes listening dumps, and sees that none is left behind."""
    with ExitStack() as stack:

        def begin(*arguments: str, wrapper: Sequence[str] = ()) -> Dump:
            dump = Dump(arguments, wrapper)
            stack.enter_context(dump.process)
            stack.callback(dump.process.kill)
            dump.wait_until("listening on")
            return dump

        yield begin


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A UDP socket on loopback that nobody reads."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as quiet:
        quiet.bind(("127.0.0.1", 0))
        yield quiet


@pytest.fixture
def namespace() -> Iterator[list[str]]:
    """``ip netns exec …`` for a namespace that has a veth pair va–vb, both up."""
    ip = require_namespaces()
    name = f"rawscope-{uuid.uuid4().hex[:8]}"
    inside = [ip, "netns", "exec", name]
    subprocess.run([ip, "netns", "add", name], check=True)
    try:
        for command in (
            "link add name va type veth peer name vb",
            "link set va up",
            "link set vb up",
        ):
            subprocess.run([*inside, ip, *command.split()], check=True)
        yield inside
    finally:
        subprocess.run([ip, "netns", "del", name], check=True)


def send(to: socket.socket, count: int) -> bytes:
    """Send datagrams with a payload of their own; returns it."""
    mark = uuid.uuid4().bytes
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(count):
            sender.sendto(mark, to.getsockname())
    return mark


@pytest.mark.parametrize("method", ["ring", "datagram", "inet"])
def test_a_sent_packet_is_printed_once(start: Start, listener: socket.socket, method: str) -> None:
    dump = start("-i", "lo", "--source", method, "--json", "--raw")
    mark = send(listener, 5)
    port = listener.getsockname()[1]
    mine = []
    while len(mine) < 5:
        packet = json.loads(dump.line())
        if packet.get("udp.dstport") == port and packet["frame.raw"].endswith(mark.hex()):
            mine.append(packet)
    status, out, said = dump.end(signal.SIGINT)
    mine += [
        packet for packet in map(json.loads, out.splitlines()) if mark.hex() in packet["frame.raw"]
    ]
    assert status == 0
    assert len(mine) == 5
    assert {packet["frame.interface_name"] for packet in mine} == {"lo"}
    assert {packet["udp.checksum.status"] for packet in mine} == {"offloaded"}
    assert TOTAL.search(said)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_a_total(
    start: Start, listener: socket.socket, number: signal.Signals
) -> None:
    """It prints all captured packets, and the status is 0."""
    dump = start("-i", "lo", "--fields", "frame.number")
    send(listener, 3)
    first = dump.line()
    status, out, said = dump.end(number)
    printed = (first + out).split()
    assert status == 0
    total = TOTAL.search(said)
    assert total
    assert int(total[1]) == len(printed) == int(printed[-1]) >= 3
    assert "Traceback" not in said


def test_captured_packets_are_printed_after_the_end(start: Start, listener: socket.socket) -> None:
    """The output is not read until the capture has to end; no packet is lost."""
    count = 20_000  # far more than a pipe holds
    dump = start("-i", "lo", "--fields", "udp.dstport")
    send(listener, count)
    port = str(listener.getsockname()[1])
    status, out, said = dump.end(signal.SIGINT)
    total = TOTAL.search(said)
    assert status == 0
    assert total
    assert int(total[1]) == out.count("\n")
    assert out.split().count(port) + int(total[2]) >= count
    assert out.split().count(port) == count or int(total[2])


def test_a_second_signal_leaves_at_once_and_says_so(start: Start, listener: socket.socket) -> None:
    """Also while nobody reads its output."""
    dump = start("-i", "lo", "--json")
    send(listener, 30_000)
    dump.process.send_signal(signal.SIGINT)
    dump.wait_until("are still in memory")
    dump.process.send_signal(signal.SIGINT)
    assert dump.process.wait(PATIENCE_S) == -signal.SIGINT
    _, out, said = dump.end()
    total = TOTAL.search(said)
    assert total
    assert int(total[1]) - int(total[3]) <= out.count("\n") < int(total[1])


def test_count_and_time_end_it(start: Start, listener: socket.socket) -> None:
    dump = start("-i", "lo", "-c", "2")
    send(listener, 9)
    status, out, said = dump.end()
    assert status == 0
    assert out.count("\n") == 2
    assert "2 packets captured" in said
    status, _, said = start("-i", "lo", "-a", "0.05").end()
    assert status == 0
    assert TOTAL.search(said)


BOUNDS = (
    "-c 60 -Y udp",
    "-a filesize:5",
    "-b packets:20 -a files:3",
    "-b duration:0.2 -a files:2",
    "-a duration:0.5",
)


def test_the_totals_agree_with_the_files(
    start: Start, listener: socket.socket, tmp_path: Path
) -> None:
    """The packet that reaches a bound is the last one, in the file and in the count."""
    dumps = {}
    for number, bound in enumerate(BOUNDS):
        folder = tmp_path / str(number)
        folder.mkdir()
        dumps[bound] = folder, start("-i", "lo", "-w", f"{folder}/t.pcapng", *bound.split())
    until(lambda: send(listener, 20) and all(d.process.poll() == 0 for _, d in dumps.values()))
    for bound, (folder, dump) in dumps.items():
        status, _, said = dump.end()
        total = TOTAL.search(said)
        assert total, bound
        assert (status, total[3]) == (0, None), bound
        counts = [len(numbers_in(path)) for path in folder.iterdir()]
        assert int(total[1]) == sum(counts), bound
        if "-c" in bound or "packets" in bound:
            assert sum(counts) == 60


def test_a_filter_selects_live_packets(start: Start, listener: socket.socket) -> None:
    """The count is that of the packets that pass; the others are captured, but not printed."""
    port = listener.getsockname()[1]
    wanted = f"udp.dstport == {port} and frame.len > 100"
    dump = start("-i", "lo", "-c", "2", "-Y", wanted, "--fields", "udp.dstport,frame.len")
    for size in (20, 300, 20, 400):
        listener.sendto(bytes(size), ("127.0.0.1", port))
    status, out, said = dump.end()
    assert status == 0
    assert out == f"{port}\t342\n{port}\t442\n"
    assert TOTAL.search(said)
    assert "not printed" not in said


def test_a_short_snap_length_keeps_the_true_one(start: Start, listener: socket.socket) -> None:
    dump = start("-i", "lo", "-s", "50", "--json")
    send(listener, 40)
    port = listener.getsockname()[1]
    packet = json.loads(dump.line())
    while packet.get("udp.dstport") != port:
        packet = json.loads(dump.line())
    dump.end(signal.SIGINT)
    assert packet["frame.len"] == packet["udp.length"] + 34 > 50
    assert packet["frame.cap_len"] == 50


def test_a_deleted_interface_fails(start: Start, namespace: list[str]) -> None:
    """It prints the captured packets and the reason, and the status is 1."""
    dump = start("-i", "va", "-i", "vb", wrapper=namespace)
    subprocess.run([*namespace, require_peer("ip"), "link", "del", "va"], check=True)
    status, _, said = dump.end()
    assert status == 1
    assert "va was deleted" in said
    assert TOTAL.search(said)


def test_a_deleted_interface_is_not_forgotten(start: Start, namespace: list[str]) -> None:
    """The others continue, but the status shows that packets may be missing."""
    dump = start("-i", "lo", "-i", "va", wrapper=namespace)
    subprocess.run([*namespace, require_peer("ip"), "link", "del", "va"], check=True)
    dump.wait_until("was deleted")
    status, _, said = dump.end(signal.SIGINT)
    assert status == 1
    assert said.endswith("rawscope: va was deleted\n")


def test_a_link_that_goes_down_is_waited_for(start: Start, namespace: list[str]) -> None:
    """The capture continues when the link comes up again.

    A packet may arrive before the message that the link is up, so the dump may not end with it.
    """
    dump = start("-i", "va", "--fields", "eth.type", wrapper=namespace)
    subprocess.run([*namespace, require_peer("ip"), "link", "set", "va", "down"], check=True)
    dump.wait_until("is down")
    subprocess.run([*namespace, require_peer("ip"), "link", "set", "va", "up"], check=True)
    dump.wait_until("va is up; capturing\n")
    assert dump.line() == f"{0x86DD}\n"  # the link's own neighbor discovery
    status, _, said = dump.end(signal.SIGINT)
    assert status == 0
    assert said.index("va is down; waiting") < said.index("va is up; capturing\n")
