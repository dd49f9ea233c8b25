"""Signals that end or suspend the monitor in the middle of a capture."""

from __future__ import annotations

import os
import signal
import sys
import termios
import time

import pytest

from tests.bench.terminal import Terminal
from tests.helpers.support import ROOT
from tests.helpers.waiting import PATIENCE_S
from tests.live.network import Network
from tests.live.watching import ETH_P_EXPERIMENTAL, ethernet, promiscuity, send_frames

pytestmark = pytest.mark.live

ALTERNATE_SCREEN, MOUSE, CURSOR = b"\x1b[?1049", b"\x1b[?1000", b"\x1b[?25"
ORDERLY = ((ALTERNATE_SCREEN, b"l", b"h"), (MOUSE, b"l", b"h"), (CURSOR, b"h", b"l"))
TO_LEAVE = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture(scope="module")
def network():
    with Network() as made:
        yield made


@pytest.fixture
def terminal(network, tmp_path, monkeypatch):
    """Yield a monitor that captures on near0 and has shown a packet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    program = [sys.executable, "-m", "app", "-i", "near0"]
    opened = Terminal([*network.inside(network.near), *program], 120, 30, ROOT)
    opened.wait_for(b"waiting for the first packet on near0", PATIENCE_S)
    send(network)
    opened.wait_for(b"1 pkt", PATIENCE_S)
    assert promiscuity(network) == 1
    yield opened
    opened.close()


def send(network: Network) -> None:
    """Send a frame that no host answers, so that the number of packets is known."""
    send_frames(network, ethernet(network, ETH_P_EXPERIMENTAL, b"hello"))


def change(terminal: Terminal) -> tuple[int, bytes]:
    """Read until the process ends or stops; return its wait status and the last painted bytes."""
    painted = b""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        painted += terminal.read(0.05)
        pid, status = os.waitpid(terminal.pid, os.WNOHANG | os.WUNTRACED)
        if pid:
            return status, painted + terminal.read(0.05)
    raise TimeoutError("the monitor did not end")


def is_orderly(terminal: Terminal, painted: bytes) -> bool:
    """Return True if `painted` leaves the terminal as a shell expects it."""
    usual = termios.ECHO | termios.ICANON | termios.ISIG
    modes = termios.tcgetattr(terminal.fd)[3]
    restored = all(
        painted.rfind(mode + usually) > painted.rfind(mode + inside)
        for mode, usually, inside in ORDERLY
    )
    return modes & usual == usual and restored


@pytest.mark.parametrize("number", TO_LEAVE)
def test_a_signal_leaves_promiscuous_mode_and_restores_the_terminal(terminal, network, number):
    os.kill(terminal.pid, number)
    status, painted = change(terminal)
    assert os.waitstatus_to_exitcode(status) == 128 + number
    assert is_orderly(terminal, painted)
    assert b"Traceback" not in painted
    assert promiscuity(network) == 0


@pytest.mark.parametrize("number", TO_LEAVE)
def test_a_signal_while_it_is_stopped(terminal, network, number):
    """It may end before it takes the terminal again, and then paints nothing more."""
    os.kill(terminal.pid, signal.SIGTSTP)
    status, before = change(terminal)
    assert os.WIFSTOPPED(status)
    os.kill(terminal.pid, number)
    os.kill(terminal.pid, signal.SIGCONT)
    status, after = change(terminal)
    assert os.waitstatus_to_exitcode(status) == 128 + number
    assert is_orderly(terminal, before + after)
    assert promiscuity(network) == 0


def test_frames_received_while_it_is_stopped_are_shown_afterward(terminal, network):
    os.kill(terminal.pid, signal.SIGTSTP)
    status, painted = change(terminal)
    assert os.WIFSTOPPED(status)
    assert is_orderly(terminal, painted)
    send(network)  # into the kernel's ring
    os.kill(terminal.pid, signal.SIGCONT)
    terminal.wait_for(b"2 pkts", PATIENCE_S)
    assert not termios.tcgetattr(terminal.fd)[3] & termios.ECHO
    send(network)
    terminal.wait_for(b"3 pkts", PATIENCE_S)
