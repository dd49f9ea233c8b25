"""The monitor is told to leave, or to stop for a while, in the middle of a capture."""

from __future__ import annotations

import os
import signal
import sys
import termios
import time

import pytest

from tests.bench.terminal import Terminal
from tests.live.network import Network
from tests.live.watching import ETH_P_EXPERIMENTAL, ethernet, promiscuity, send_frames
from tests.support import ROOT

pytestmark = pytest.mark.live

LIMIT_S = 20.0
ALTERNATE_SCREEN_OFF, MOUSE_OFF, CURSOR_ON = b"\x1b[?1049l", b"\x1b[?1000l", b"\x1b[?25h"
ORDERLY = (ALTERNATE_SCREEN_OFF, MOUSE_OFF, CURSOR_ON)
TO_LEAVE = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture(scope="module")
def network():
    with Network() as made:
        yield made


@pytest.fixture
def terminal(network, tmp_path, monkeypatch):
    """A monitor that captures on near0 and has shown a packet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    program = [sys.executable, "-m", "app", "-i", "near0"]
    opened = Terminal([*network.inside(network.near), *program], 120, 30, ROOT)
    opened.wait_for(b"waiting for the first packet on near0", LIMIT_S)
    send(network)
    opened.wait_for(b"1 pkt", LIMIT_S)
    assert promiscuity(network) == 1
    yield opened
    opened.close()


def send(network: Network) -> None:
    """A frame that nobody answers, so that the number of packets is known."""
    send_frames(network, ethernet(network, ETH_P_EXPERIMENTAL, b"hello"))


def change(terminal: Terminal) -> tuple[int, bytes]:
    """Read until the process ends or stops; its wait status and what was painted last."""
    painted = b""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        painted += terminal.read(0.05)
        pid, status = os.waitpid(terminal.pid, os.WNOHANG | os.WUNTRACED)
        if pid:
            return status, painted + terminal.read(0.05)
    raise TimeoutError("the monitor went on")


def is_orderly(terminal: Terminal, painted: bytes) -> bool:
    """Whether the terminal is as a shell expects it."""
    usual = termios.ECHO | termios.ICANON | termios.ISIG
    modes = termios.tcgetattr(terminal.fd)[3]
    return modes & usual == usual and all(sequence in painted for sequence in ORDERLY)


@pytest.mark.parametrize("number", TO_LEAVE)
def test_a_signal_to_leave_leaves_promiscuous_mode_and_puts_the_terminal_in_order(
    terminal, network, number
):
    os.kill(terminal.pid, number)
    status, painted = change(terminal)
    assert os.waitstatus_to_exitcode(status) == 128 + number
    assert is_orderly(terminal, painted)
    assert b"Traceback" not in painted
    assert promiscuity(network) == 0


@pytest.mark.parametrize("number", TO_LEAVE)
def test_a_signal_to_leave_while_it_is_stopped(terminal, network, number):
    os.kill(terminal.pid, signal.SIGTSTP)
    change(terminal)
    os.kill(terminal.pid, number)
    os.kill(terminal.pid, signal.SIGCONT)
    status, painted = change(terminal)
    assert os.waitstatus_to_exitcode(status) == 128 + number
    assert is_orderly(terminal, painted)
    assert promiscuity(network) == 0


def test_what_comes_while_it_is_stopped_is_there_afterwards(terminal, network):
    os.kill(terminal.pid, signal.SIGTSTP)
    status, painted = change(terminal)
    assert os.WIFSTOPPED(status)
    assert is_orderly(terminal, painted)
    send(network)  # into the kernel's ring
    os.kill(terminal.pid, signal.SIGCONT)
    terminal.wait_for(b"2 pkts", LIMIT_S)
    assert not termios.tcgetattr(terminal.fd)[3] & termios.ECHO
    send(network)
    terminal.wait_for(b"3 pkts", LIMIT_S)
