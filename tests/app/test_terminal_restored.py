"""Every exit restores the terminal, after any signals, and even if its output is not read."""

from __future__ import annotations

import os
import pty
import signal
import struct
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.cli import monitor
from tests.bench.terminal import Terminal
from tests.helpers.scripted import conversations
from tests.helpers.support import ROOT, combinations
from tests.helpers.unprivileged import ON_A_REFUSED_TERMINAL
from tests.helpers.waiting import PATIENCE_S, until

RESTORED = [  # first screen, mouse, bracketed paste, focus reports, lines wrap, a cursor
    b"\x1b[?1049l", b"\x1b[?1000l", b"\x1b[?1003l", b"\x1b[?1006l", b"\x1b[?2004l", b"\x1b[?1004l",
    b"\x1b[?7h", b"\x1b[?25h",
]  # fmt: skip
TO_LEAVE = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT]
DIALOGS = [b"?", b":", b"i", b"o"]
CRASHING = (
    "import app.monitor\n"
    "app.monitor.Monitor.action_help = lambda self: 1 / 0\n"
    "from app.cli.main import run_process\n"
    "run_process()"
)
STUCK = (  # it ignores the exit that a signal asks for
    "import app.monitor\n"
    "app.monitor.Monitor.exit = lambda self, **options: None\n"
    "from app.cli.main import run_process\n"
    "run_process()"
)
REFUSED = {
    "controlling": ON_A_REFUSED_TERMINAL,
    "shared": (
        "import app.terminal.writer\n"
        "app.terminal.writer._open_again = lambda descriptor: None\n" + ON_A_REFUSED_TERMINAL
    ),
}


@pytest.fixture
def capture(tmp_path: Path, monkeypatch) -> Path:
    """Write the scripted conversations to a pcap file, and set up an empty configuration."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    path = tmp_path / "conversations.pcap"
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for frame in conversations():
            size = len(frame.data)
            file.write(struct.pack("<IIII", 1, 0, size, frame.original or size) + frame.data)
    return path


Open = Callable[..., Terminal]


@pytest.fixture
def opened(capture) -> Iterator[Open]:
    """Return a function that opens monitors that show the file."""
    terminals = []

    def opening(*program: str) -> Terminal:
        argv = [sys.executable, *(program or ("-m", "app")), "-r", str(capture)]
        terminal = Terminal(argv, 100, 30, ROOT)
        terminals.append(terminal)
        terminal.wait_for(b"? help", PATIENCE_S)
        return terminal

    yield opening
    for terminal in terminals:
        terminal.close()


@pytest.fixture(scope="module")
def untouched() -> list:
    """Return the modes of a new pty."""
    ours, theirs = pty.openpty()
    modes = termios.tcgetattr(theirs)
    os.close(ours)
    os.close(theirs)
    return modes


def end_of(terminal: Terminal, *, reading: bool = True) -> tuple[int, bytes]:
    """Wait for the end; return the exit status and the last output."""
    painted = bytearray()

    def ended() -> tuple[int, int] | None:
        if reading:
            painted.extend(terminal.read(0.05))
        pid, status = os.waitpid(terminal.pid, os.WNOHANG)
        return (pid, status) if pid else None

    _, status = until(ended, "the end of the monitor")
    while more := terminal.read(0.1):
        painted.extend(more)
    return os.waitstatus_to_exitcode(status), bytes(painted)


def is_restored(terminal: Terminal, painted: bytes, untouched: list) -> bool:
    """Return True if modes and screen are as before the start."""
    return termios.tcgetattr(terminal.fd) == untouched and all(
        sequence in painted for sequence in RESTORED
    )


# -- nobody reads ----------------------------------------------------------------------------


def fill(terminal: Terminal) -> None:
    """Write to the terminal until its buffer is full."""
    screen = os.open(f"/proc/{terminal.pid}/fd/2", os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        for size in (4096, 1):
            try:
                while True:
                    os.write(screen, b"\0" * size)
            except BlockingIOError:
                pass
    finally:
        os.close(screen)


@pytest.mark.parametrize(
    ("number", "keys"),
    combinations(TO_LEAVE, [b"jjj", *DIALOGS]),
)
def test_a_signal_ends_it_though_nobody_reads_the_terminal(opened, untouched, number, keys):
    terminal = opened()
    fill(terminal)
    for key in keys:
        os.write(terminal.fd, bytes([key]))
    os.kill(terminal.pid, number)
    status, painted = end_of(terminal, reading=False)
    assert status == 128 + number
    assert is_restored(terminal, painted, untouched)


@pytest.mark.parametrize(("number", "way"), combinations(TO_LEAVE, REFUSED))
def test_a_signal_ends_it_on_an_unread_terminal_of_another_user(opened, untouched, number, way):
    terminal = opened("-c", REFUSED[way])
    os.chmod(f"/proc/{terminal.pid}/fd/2", 0o600)  # for `fill`
    fill(terminal)
    os.write(terminal.fd, b"jjj")
    os.kill(terminal.pid, number)
    status, painted = end_of(terminal, reading=False)
    assert status == 128 + number
    assert is_restored(terminal, painted, untouched)


@pytest.mark.timed
@pytest.mark.parametrize(
    ("number", "program"), combinations(TO_LEAVE, [("-m", "app"), ("-c", STUCK)])
)
def test_a_signal_ends_it_within_two_seconds(opened, untouched, number, program):
    terminal = opened(*program)
    fill(terminal)
    os.write(terminal.fd, b"jjj")
    began_s = time.monotonic()
    os.kill(terminal.pid, number)
    until(lambda: os.waitid(os.P_PID, terminal.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT))
    assert time.monotonic() - began_s < 2
    status, painted = end_of(terminal, reading=False)
    assert status == 128 + number
    assert is_restored(terminal, painted, untouched)


def test_the_process_ends_even_if_it_cannot_restore_the_terminal(monkeypatch):
    class Monitor:
        def abandon_terminal(self) -> None:
            raise ZeroDivisionError

    ended = []
    monkeypatch.setattr(monitor, "_SIGNAL_GRACE_S", 0)
    monkeypatch.setattr(os, "_exit", ended.append)
    with pytest.raises(ZeroDivisionError):
        monitor._end_after_signal(signal.SIGTERM, Monitor(), threading.Event())
    assert ended == [128 + signal.SIGTERM]


def test_changes_while_the_output_is_not_read_are_painted_later(opened):
    terminal = opened()
    fill(terminal)
    for _ in range(4):
        os.write(terminal.fd, b"j")
    terminal.wait_for(b"Frame 5 ", PATIENCE_S)


# -- stopped and continued -----------------------------------------------------------------------


def continue_it(terminal: Terminal) -> None:
    os.kill(terminal.pid, signal.SIGCONT)
    terminal.wait_for(b"? help", PATIENCE_S)


def stop_by(number: signal.Signals) -> Callable[[Terminal], None]:
    """Stop the process by a signal, and continue it."""

    def stop(terminal: Terminal) -> None:
        os.kill(terminal.pid, number)
        deadline = time.monotonic() + PATIENCE_S
        while not os.waitpid(terminal.pid, os.WNOHANG | os.WUNTRACED)[0]:
            terminal.read(0.05)
            assert time.monotonic() < deadline
        continue_it(terminal)

    return stop


def suspend_key(terminal: Terminal) -> None:
    """Press ^z without a shell: the process continues, because no shell could continue it."""
    terminal.key(b"\x1a", b"? help", PATIENCE_S)


def continued_twice(terminal: Terminal) -> None:
    os.kill(terminal.pid, signal.SIGCONT)
    continue_it(terminal)


STEPS = {
    "SIGCONT": continue_it,
    "SIGCONT SIGCONT": continued_twice,
    "SIGSTOP": stop_by(signal.SIGSTOP),
    "SIGTSTP": stop_by(signal.SIGTSTP),
    "^z": suspend_key,
}


def all_pairs() -> list[str]:
    """Return the steps in an order in which each follows each (a de Bruijn sequence)."""
    names, order = list(STEPS), []
    for at, first in enumerate(names):
        order.append(first)
        for second in names[at + 1 :]:
            order += [first, second]
    return [*order, names[0]]


ORDERS = [*([step] for step in STEPS), all_pairs()]


def press(key: bytes) -> Callable[[Terminal], None]:
    return lambda terminal: os.write(terminal.fd, key) and None


LEAVES: dict[str, tuple[Callable[[Terminal], None], int]] = {
    "q": (press(b"q"), 0),
    "^q": (press(b"\x11"), 0),
    "SIGTERM": (lambda terminal: os.kill(terminal.pid, signal.SIGTERM), 128 + signal.SIGTERM),
}


@pytest.mark.parametrize(
    ("order", "leave"),
    [(order, list(LEAVES)[at % len(LEAVES)]) for at, order in enumerate(ORDERS)],
    ids=[order[0] if len(order) == 1 else "each after each" for order in ORDERS],
)
def test_after_any_order_of_stops_the_terminal_is_restored(opened, untouched, order, leave):
    terminal = opened()
    for step in order:
        STEPS[step](terminal)
    act, expected = LEAVES[leave]
    act(terminal)
    status, painted = end_of(terminal)
    assert status == expected
    assert is_restored(terminal, painted, untouched)


def test_after_a_stop_an_internal_error_restores_the_terminal(opened, untouched):
    terminal = opened("-c", CRASHING)
    continue_it(terminal)
    os.write(terminal.fd, b"?")
    status, painted = end_of(terminal)
    assert status == 1
    assert b"ZeroDivisionError" in painted
    assert is_restored(terminal, painted, untouched)


def test_keys_work_after_it_was_continued(opened):
    terminal = opened()
    for step in STEPS.values():
        step(terminal)
    terminal.key(b"?", b"esc closes", PATIENCE_S)


def test_no_answer_is_left_for_the_shell(opened):
    """The shell would take a late reply of the terminal for typed text."""
    terminal = opened()
    shell = os.open(f"/proc/{terminal.pid}/fd/0", os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    os.write(terminal.fd, b"jjq")
    status, painted = end_of(terminal)
    assert status == 0
    assert b"\x1b[6n" in painted
    modes = termios.tcgetattr(shell)
    modes[3] &= ~termios.ICANON  # so that a read need not wait for a line
    termios.tcsetattr(shell, termios.TCSANOW, modes)
    with pytest.raises(BlockingIOError):
        os.read(shell, 1)
    os.close(shell)
