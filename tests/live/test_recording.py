"""Recordings whose disk is full, and those that are killed, leave files that can be read."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.files.reader import open_capture
from tests.bench.terminal import Terminal
from tests.helpers.support import ROOT, require_command, require_tmpfs
from tests.helpers.waiting import PATIENCE_S, until
from tests.live.network import Network
from tests.live.numbered import frame

pytestmark = [pytest.mark.live, pytest.mark.timed]

RATE = 50_000  # packets/s
MISSING_S = 1.0  # that may be missing after a kill
NUMBER_AT = slice(14, 18)  # in a frame
HEAD, TAIL = frame(0)[:14], frame(0)[18:]


class Sender(threading.Thread):
    """Sends numbered frames at `RATE` until `end`; `sent` has the count at each moment."""

    def __init__(self, network: Network) -> None:
        super().__init__(daemon=True)
        self._network = network
        self._over = threading.Event()
        self.sent: list[tuple[float, int]] = []

    def run(self) -> None:
        self._network.in_far(self._send)

    def _send(self) -> None:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as far:
            far.bind((self._network.far_name, 0))
            count, began = 0, time.monotonic()
            while not self._over.is_set():
                due = min(int((time.monotonic() - began) * RATE), count + 500)
                for number in range(count, due):
                    far.send(HEAD + number.to_bytes(4, "big") + TAIL)
                count = due
                self.sent.append((time.monotonic(), count))
                os.sched_yield()  # busy until more are due: a sleep would be too long

    def end(self) -> None:
        self._over.set()
        self.join(PATIENCE_S)

    def sent_by(self, moment: float) -> int:
        """Return the number of frames that were sent before a moment."""
        return max((number for when, number in self.sent if when <= moment), default=0)


@pytest.fixture
def network() -> Iterator[Network]:
    with Network(addresses=False) as made:
        yield made


def killed(network: Network, *options: str, after_s: float = 1.6) -> tuple[Sender, float]:
    """Record with ``dump -w`` for some seconds; return the sender, and when it was killed."""
    command = require_command(
        *network.inside(network.near), sys.executable, "-m", "app",
        "dump", "-i", network.near_name, *options,
    )  # fmt: skip
    sender = Sender(network)
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "listening on" in process.stderr.readline()
        sender.start()
        until(lambda: sender.sent_by(time.monotonic()) > after_s * RATE, "the frames")
        process.send_signal(signal.SIGKILL)
        moment = time.monotonic()
        process.wait(PATIENCE_S)
    sender.end()
    return sender, moment


def numbers_in(path: Path) -> list[int]:
    with open_capture(str(path)) as reader:
        frames = [
            batch.data[offset : offset + 18].tobytes()
            for batch in reader.batches()
            for offset in batch.offset.tolist()
        ]
    return [int.from_bytes(data[NUMBER_AT], "big") for data in frames if data[12:14] == b"\x88\xb5"]


@pytest.mark.parametrize("name", ["t.pcapng", "t.pcapng.gz", "t.pcap.zst"])
def test_at_most_the_last_second_is_missing(network, tmp_path, name):
    sender, moment = killed(network, "-w", str(tmp_path / name))
    numbers = numbers_in(tmp_path / name)
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= sender.sent_by(moment - MISSING_S)
    shown = subprocess.run(
        require_command("tshark", "-r", str(tmp_path / name), "-T", "fields", "-e", "frame.number"),
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert len(shown.stdout.splitlines()) >= len(numbers)


def test_a_ring_is_whole_after_a_kill_between_rotations(network, tmp_path):
    options = ("-b", "packets:900", "-b", "files:5", "-w", str(tmp_path / "t.pcapng"))
    sender, moment = killed(network, *options, after_s=3.2)  # a busy disk ends some 70 files/s
    # It may be killed between the creation of a file and its first write.
    files = [numbers_in(path) for path in sorted(tmp_path.iterdir()) if path.stat().st_size]
    assert len(files) in (4, 5)  # it was killed before it created the next one
    assert [len(numbers) for numbers in files[:-1]] == [900] * (len(files) - 1)
    kept = [number for numbers in files for number in numbers]
    assert kept == list(range(kept[0], kept[0] + len(kept)))
    assert kept[-1] >= sender.sent_by(moment - MISSING_S)
    assert int(max(tmp_path.iterdir()).name.split("_")[1]) > 100


# -- a disk of 64 KiB --------------------------------------------------------------------------

SMALL_DISK = 'mount -t tmpfs -o size=64k none $0 && "$@"; echo $? >$0.status; cp $0/t.* $0.copy'


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder


def on_small_disk(network: Network, disk: Path, *words: str) -> list[str]:
    """Return a command that finds a small disk in `disk`, and copies its file at the end."""
    require_tmpfs()
    return require_command(
        *network.inside(network.near), "unshare", "--mount", "sh", "-c", SMALL_DISK, str(disk),
        sys.executable, "-m", "app", *words,
    )  # fmt: skip


def send(network: Network, count: int) -> None:
    def flood() -> None:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as far:
            far.bind((network.far_name, 0))
            for number in range(count):
                far.send(HEAD + number.to_bytes(4, "big") + TAIL)

    network.in_far(flood)


@pytest.mark.parametrize(("options", "most"), [((), ""), (("-Y", "eth"), "up to ")])
def test_a_full_disk_ends_dump_with_the_counts(network, disk, options, most):
    """With a filter, some of the lost packets may be ones that it excludes."""
    words = ("dump", "-i", network.near_name, "-w", str(disk / "t.pcapng"), *options)
    command = on_small_disk(network, disk, *words)
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "listening on" in process.stderr.readline()
        send(network, 2_000)
        said = process.stderr.read()
    counts = re.search(
        r"t.pcapng: the disk is full.*; (\d+) packets saved, " + most + r"(\d+) lost", said
    )
    assert counts, said
    numbers = numbers_in(disk.with_suffix(".copy"))
    assert numbers == list(range(int(counts[1])))
    assert int(counts[2]) > 0
    assert disk.with_suffix(".status").read_text() == "1\n"


def test_a_full_standard_output_is_named(network):
    words = ("dump", "-i", network.near_name, "-w", "-")
    command = require_command(*network.inside(network.near), sys.executable, "-m", "app", *words)
    with (
        open("/dev/full", "wb") as full,
        subprocess.Popen(
            command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True
        ) as process,
    ):
        assert process.stderr is not None
        assert (
            process.stderr.read()
            .splitlines()[-1]
            .startswith("rawscope: standard output: the disk is full")
        )


def test_a_full_disk_is_reported_when_the_monitor_ends(network, disk):
    words = ("-i", network.near_name, "-w", str(disk / "t.pcapng"))
    terminal = Terminal(on_small_disk(network, disk, *words), 120, 30, ROOT)
    try:
        terminal.wait_for(b"waiting for the first packet", PATIENCE_S)
        send(network, 2_000)
        terminal.wait_for(b"the disk is full", PATIENCE_S)
        terminal.key(b"q", b"Leave", PATIENCE_S)
        terminal.key(b"y", b"2,000 received by filter, 0 dropped by kernel", PATIENCE_S)
        until(lambda: disk.with_suffix(".copy").exists(), "the end")
    finally:
        terminal.close()
    assert numbers_in(disk.with_suffix(".copy"))
    assert disk.with_suffix(".status").read_text() == "1\n"


@pytest.mark.parametrize("name", ["t.pcapng", "t.pcap"])
def test_a_recording_without_packets_opens_in_tcpdump(network, tmp_path, name):
    command = [*network.inside(network.near), sys.executable, "-m", "app", "dump", "-a", "0.2"]
    subprocess.run(
        require_command(*command, "-i", network.near_name, "-w", str(tmp_path / name)),
        cwd=ROOT, check=True, timeout=PATIENCE_S,
    )  # fmt: skip
    tcpdump = require_command("tcpdump", "-r", str(tmp_path / name))
    subprocess.run(tcpdump, check=True, timeout=PATIENCE_S)


def test_a_monitor_that_cannot_capture_leaves_no_file(network, tmp_path):
    words = ("-i", "nosuch", "-w", str(tmp_path / "t.pcapng"))
    command = [*network.inside(network.near), sys.executable, "-m", "app", *words]
    terminal = Terminal(require_command(*command), 120, 30, ROOT)
    terminal.wait_for(b"nosuch", PATIENCE_S)
    terminal.close()
    assert [*tmp_path.iterdir()] == []
