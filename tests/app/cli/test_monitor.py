"""``rawscope`` on a pseudo-terminal: its start, its keyboard, its end."""

from __future__ import annotations

import os
import select
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.cli.main import run
from tests.app.made import SYN, capture_of
from tests.bench.terminal import Terminal
from tests.helpers.emulator import Emulator
from tests.helpers.support import ROOT
from tests.helpers.waiting import PATIENCE_S, until

RAWSCOPE = [sys.executable, "-m", "app"]

Open = Callable[..., Terminal]


@pytest.fixture
def terminal() -> Iterator[Open]:
    """Open programs on their own ptys, and end them after the test."""
    opened: list[Terminal] = []

    def start(*arguments: str, screen: Emulator | None = None) -> Terminal:
        opened.append(Terminal(list(arguments), 120, 36, ROOT, screen=screen))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def status_after(terminal: Terminal, key: bytes) -> int:
    """Press a key that ends the program; return its exit status."""
    os.write(terminal.fd, key)
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        terminal.read(0.05)
        pid, status = os.waitpid(terminal.pid, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
    raise TimeoutError("it did not end")


def test_a_file_is_shown_and_q_leaves(terminal: Open, tmp_path: Path) -> None:
    path = capture_of(tmp_path / "one.pcap", [SYN])
    screen = terminal(*RAWSCOPE, "-r", path)
    screen.wait_for(b"[SYN]", PATIENCE_S)
    assert status_after(screen, b"q") == 0


def test_a_capture_on_stdin_leaves_the_keyboard_usable(terminal: Open, tmp_path: Path) -> None:
    """Packets arrive through the pipe, keys from the terminal."""
    path = capture_of(tmp_path / "one.pcap", [SYN])
    screen = terminal("sh", "-c", f"cat {shlex.quote(path)} | {shlex.join(RAWSCOPE)} -r -")
    screen.wait_for(b"[SYN]", PATIENCE_S)
    screen.key(b"q", b"Leave", PATIENCE_S)  # packets from a pipe exist nowhere else, so it asks
    assert status_after(screen, b"y") == 0


def test_stdin_as_a_capture_must_be_piped_in(terminal: Open) -> None:
    screen = terminal(*RAWSCOPE, "-r", "-")
    screen.wait_for(b"pipe one in", PATIENCE_S)


def test_stdin_without_a_keyboard_is_reported(terminal: Open) -> None:
    screen = terminal("sh", "-c", f"{shlex.join(RAWSCOPE)} < /dev/null")
    screen.wait_for(b"the monitor cannot read the keyboard", PATIENCE_S)


@pytest.mark.parametrize("kind", ["dumb", ""])
def test_a_terminal_that_cannot_draw_is_reported(terminal: Open, kind: str) -> None:
    screen = terminal("env", f"TERM={kind}", *RAWSCOPE)
    screen.wait_for(b"'rawscope dump' prints packets as text", PATIENCE_S)


def test_the_monitor_ends_with_its_terminal(tmp_path: Path) -> None:
    """A closed terminal window leaves no process running."""
    path = capture_of(tmp_path / "one.pcap", [SYN])
    screen = Terminal([*RAWSCOPE, "-r", path], 120, 36, ROOT)
    try:
        screen.wait_for(b"[SYN]", PATIENCE_S)
        os.close(screen.fd)
        process = os.pidfd_open(screen.pid)
        ended, _, _ = select.select([process], [], [], PATIENCE_S)
        os.close(process)
        assert ended
    finally:
        os.kill(screen.pid, signal.SIGKILL)
        os.waitpid(screen.pid, 0)


def test_another_kind_of_file_is_reported_on_the_screen(terminal: Open, tmp_path: Path) -> None:
    """The screen stays open and shows the reason, which is repeated on stderr at the end."""
    path = tmp_path / "notes.txt"
    path.write_text("not a capture file\n" * 9)
    screen = terminal(*RAWSCOPE, "-r", str(path))
    screen.wait_for(b"notes.txt", PATIENCE_S)
    screen.key(b"q", b"rawscope: ", PATIENCE_S)
    assert status_after(screen, b"") == 1


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "no such file"), (b"hello, world\n" * 9, "not a pcap/pcapng")]
)
def test_a_wrong_file_is_reported_before_a_missing_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, reason: str
) -> None:
    path = tmp_path / "trace.pcap"
    if content is not None:
        path.write_bytes(content)
    assert run(["-r", str(path)]) == 1
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize("opens", [os.mkfifo, os.mkdir])
def test_without_a_terminal_a_pipe_is_not_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], opens: Callable[[str], None]
) -> None:
    path = str(tmp_path / "trace.pcap")
    opens(path)
    assert run(["-r", path]) == 1
    words = "directory" if opens is os.mkdir else "the monitor needs a terminal"
    assert words in capsys.readouterr().err


@pytest.mark.live
def test_the_demo_shows_real_packets(terminal: Open) -> None:
    shown = Emulator(120, 36)
    running = terminal(*RAWSCOPE, "--demo", screen=shown)
    signs = (
        "[SYN, ACK]",
        "[PSH, ACK]",
        "HTTP/1.1 200 OK",
    )  # the table follows: any row may have scrolled away

    def shows_conversations() -> bool:
        running.read(0.05)
        return any(sign in shown for sign in signs)

    until(shows_conversations, "conversations on loopback", lambda: shown.text)


def test_the_demo_without_the_capability_shows_how_to_get_it(terminal: Open) -> None:
    """The monitor still opens, and shows the reason."""
    screen = terminal(sys.executable, "-m", "tests.helpers.unprivileged", "app", "--demo")
    screen.wait_for(b"CAP_NET_RAW", PATIENCE_S)
    screen.key(b"q", b"run: sudo setpriv ", PATIENCE_S)  # the whole command, to be copied
    assert status_after(screen, b"") == 1
