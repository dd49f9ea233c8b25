"""A signal ends ``rawscope dump`` although its output is not read."""

from __future__ import annotations

import os
import pty
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.helpers.scripted import conversations
from tests.helpers.support import ROOT, combinations, require_root
from tests.helpers.unprivileged import ON_A_REFUSED_TERMINAL
from tests.helpers.waiting import PATIENCE_S, until

# A terminal of another user cannot be opened by name, but a process can open its controlling one.
PROGRAMS = {
    "refused terminal": ["-c", ON_A_REFUSED_TERMINAL],
    "refused controlling terminal": [
        "-c",
        "import fcntl, termios\nfcntl.ioctl(1, termios.TIOCSCTTY, 0)\n" + ON_A_REFUSED_TERMINAL,
    ],
}
TERMINALS = ["terminal", *PROGRAMS]
TO_LEAVE = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> Path:
    """Write a capture whose lines exceed the buffer of any pipe or terminal."""
    path = tmp_path_factory.mktemp("stuck") / "large.pcap"
    frames = [frame.data for frame in conversations()]
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for data in frames * 200:
            file.write(struct.pack("<IIII", 1, 0, len(data), len(data)) + data)
    return path


@contextmanager
def unread(
    kind: str, *arguments: str
) -> Iterator[tuple[subprocess.Popen[bytes], int, select.poll]]:
    """Start a dump into a pipe or a terminal; yield it, the reading end, and a check for room.

    On a terminal, its messages for the user go there, too.
    """
    reading, writing = os.pipe() if kind == "pipe" else pty.openpty()
    program = PROGRAMS.get(kind, ["-m", "app"])
    process = subprocess.Popen(
        [sys.executable, *program, "dump", *arguments],
        cwd=ROOT, stdin=subprocess.DEVNULL, stdout=writing,
        stderr=subprocess.DEVNULL if kind == "pipe" else writing,
        start_new_session=True,
    )  # fmt: skip
    room = select.poll()
    room.register(writing, select.POLLOUT)
    try:
        yield process, reading, room
    finally:
        process.kill()
        process.wait()
        os.close(reading)
        os.close(writing)


def await_full(
    room: select.poll, process: subprocess.Popen[bytes], feed: Callable[[], object] = lambda: None
) -> None:
    """Wait until no room is left; call `feed` before each check."""

    def is_full() -> bool:
        feed()
        assert process.poll() is None
        return not room.poll(0)

    until(is_full, "a full pipe or terminal")


@pytest.mark.parametrize(("number", "kind"), combinations(TO_LEAVE, ["pipe", *TERMINALS]))
def test_a_signal_ends_the_printing_of_a_file(large, kind, number):
    with unread(kind, "-r", str(large)) as (process, _, room):
        await_full(room, process)
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == 128 + number


@pytest.mark.timed
@pytest.mark.parametrize(("number", "kind"), combinations(TO_LEAVE, ["pipe", *TERMINALS]))
def test_a_signal_ends_it_within_two_seconds(large, kind, number):
    with unread(kind, "-r", str(large)) as (process, _, room):
        await_full(room, process)
        began_s = time.monotonic()
        process.send_signal(number)
        process.wait(PATIENCE_S)
        assert time.monotonic() - began_s < 2


@contextmanager
def unread_capture(kind: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a dump of a capture that has filled the pipe or the terminal."""
    require_root()
    with (
        unread(kind, "-i", "lo", "--hex") as (process, _, room),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        await_full(room, process, lambda: sender.sendto(bytes(1000), ("127.0.0.1", 9)))
        for _ in range(200):  # more than finds room in the meantime
            sender.sendto(bytes(1000), ("127.0.0.1", 9))
        yield process


@pytest.mark.live
@pytest.mark.parametrize("kind", ["pipe", *TERMINALS])
def test_a_signal_ends_the_printing_of_a_capture(kind):
    with unread_capture(kind) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 128 + signal.SIGTERM


@pytest.mark.live
@pytest.mark.timed
@pytest.mark.parametrize(("number", "kind"), combinations(TO_LEAVE, ["pipe", *TERMINALS]))
def test_a_signal_ends_a_capture_within_two_seconds(kind, number):
    with unread_capture(kind) as process:
        began_s = time.monotonic()
        process.send_signal(number)
        process.wait(PATIENCE_S)
        assert time.monotonic() - began_s < 2


def test_a_reader_gets_whole_lines_after_a_signal(large):
    with unread("pipe", "-r", str(large)) as (process, reading, room):
        await_full(room, process)
        process.send_signal(signal.SIGTERM)
        text, ready = b"", select.poll()
        ready.register(reading, select.POLLIN)
        while (something := ready.poll(50)) or process.poll() is None:
            if something:
                text += os.read(reading, 1 << 16)
        assert process.returncode == 128 + signal.SIGTERM
        assert text.endswith(b"\n")
