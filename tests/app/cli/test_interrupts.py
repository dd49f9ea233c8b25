"""ctrl+c in each headless command while it works: it ends in order, and says what it did."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.app.made import SYN, TIME_NS, capture_of, udp_frame
from tests.bench.terminal import Terminal
from tests.helpers.support import ROOT, require_capture
from tests.helpers.waiting import PATIENCE_S

HOUR_NS = 3600 * 10**9
SEND = ["send", "--ip.dst", "127.0.0.1", "--count", "100000", "--rate", "20", "--yes"]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the files of the program in a folder of the test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def interrupted(words: Sequence[str], shown: str) -> tuple[int, str]:
    """Run a command, interrupt it when it has printed `shown`; return its status and output."""
    with subprocess.Popen(
        [sys.executable, "-m", "app", *words], cwd=ROOT, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        lines: list[str] = []
        while shown not in "".join(lines):
            lines.append(process.stdout.readline())
            assert lines[-1], lines
        process.send_signal(signal.SIGINT)
        lines += process.stdout
        return process.wait(PATIENCE_S), "".join(lines)


@pytest.mark.parametrize(
    ("words", "shown", "status", "last"),
    [
        (["dump", "-i", "lo"], "listening on lo", 0, "0 packets dropped by kernel"),
        (SEND, " of 100,000 sent", 1, "stopped: sent"),
        (["replay", "FILE", "--link", "lo", "--yes"], "the next is due", 1, "interrupted"),
        (["echo", "--port", "0"], "listening on", 0, "ended: 0 of 0 clients open"),
        (["iolab", "--clients", "2"], "2 clients", 1, "stopped before the last measurement"),
    ],
    ids=lambda one: one[0] if isinstance(one, list) else "",
)
def test_a_command_that_works_ends_in_order(
    words: list[str], shown: str, status: int, last: str, tmp_path: Path
) -> None:
    if words[0] in ("dump", "send", "replay"):
        require_capture()
    times = [TIME_NS, TIME_NS + HOUR_NS]
    path = capture_of(tmp_path / "gap.pcap", [udp_frame(b"1"), udp_frame(b"2")], times)
    found = interrupted([path if word == "FILE" else word for word in words], shown)
    assert found[0] == status, found[1]
    assert last in found[1]
    assert "Traceback" not in found[1]


@pytest.mark.parametrize("words", [["send", "--ip.dst", "192.0.2.1"], ["replay", "FILE"]])
def test_at_a_question_nothing_is_sent(words: list[str], tmp_path: Path) -> None:
    """The keyboard sends the signal, as for a user."""
    require_capture()
    path = capture_of(tmp_path / "syn.pcap", [SYN[:30] + bytes([192, 0, 2, 1]) + SYN[34:]])
    command = [path if word == "FILE" else word for word in words]
    program = [sys.executable, "-m", "app", *command, "--link", "lo"]
    terminal = Terminal(program, 100, 30, ROOT)
    try:
        terminal.key(b"", b"Send? [y/N]")
        os.write(terminal.fd, b"\x03")
        painted = b""
        while part := terminal.read(PATIENCE_S):
            painted += part
        _, status = os.waitpid(terminal.pid, 0)
    finally:
        os.close(terminal.fd)
    assert os.waitstatus_to_exitcode(status) == 128 + signal.SIGINT
    assert b"Traceback" not in painted
    assert b"sent" not in painted.replace(b"not sent", b"")
    assert not list(tmp_path.rglob("sent*.pcapng"))
