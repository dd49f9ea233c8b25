"""The monitor as a process on a real terminal: signals, suspension, a failing worker."""

from __future__ import annotations

import os
import signal
import struct
import sys
import termios
import time
from pathlib import Path

import pytest

from app.screens.banner import Banner
from core.engine.engine import Engine
from core.engine.snapshot import EngineState
from core.net.sockets import LOCAL_SOCKETS
from tests.bench.terminal import Terminal
from tests.helpers.emulator import Emulator
from tests.helpers.idle import eventually
from tests.helpers.scripted import conversations, scripted_store
from tests.helpers.scripted_monitor import filled, scripted_monitor
from tests.helpers.support import ROOT
from tests.helpers.waiting import PATIENCE_S, until

ALTERNATE_SCREEN_OFF, MOUSE_OFF, CURSOR_ON = b"\x1b[?1049l", b"\x1b[?1000l", b"\x1b[?25h"


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """Write the scripted conversations to a pcap file; return its path."""
    path = tmp_path / "conversations.pcap"
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for frame in conversations():
            size = len(frame.data)
            file.write(struct.pack("<IIII", 1, 0, size, frame.original or size) + frame.data)
    return path


@pytest.fixture
def terminal(capture, tmp_path, monkeypatch):
    """Start a monitor that shows that file."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    terminal = Terminal([sys.executable, "-m", "app", "-r", str(capture)], 100, 30, ROOT)
    terminal.wait_for(b"? help", PATIENCE_S)
    yield terminal
    terminal.close()


def leave(terminal: Terminal) -> tuple[int, bytes]:
    """Read to the end; return the wait status and the last output."""
    painted = b""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        painted += terminal.read(0.1)
        pid, status = os.waitpid(terminal.pid, os.WNOHANG)
        if pid:
            return status, painted + terminal.read(0.1)
    raise TimeoutError("the monitor did not leave")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_restores_the_terminal(terminal, number):
    os.kill(terminal.pid, number)
    status, painted = leave(terminal)
    assert os.waitstatus_to_exitcode(status) == 128 + number
    for sequence in (ALTERNATE_SCREEN_OFF, MOUSE_OFF, CURSOR_ON):
        assert sequence in painted
    assert termios.tcgetattr(terminal.fd)[3] & (termios.ECHO | termios.ICANON)


def test_quitting_restores_the_terminal(terminal):
    os.write(terminal.fd, b"q")
    status, painted = leave(terminal)
    assert os.waitstatus_to_exitcode(status) == 0
    assert ALTERNATE_SCREEN_OFF in painted


@pytest.fixture
def shell():
    """Start a shell with job control."""
    terminal = Terminal(["env", "PS1=prompt: ", "sh", "-i"], 100, 30, ROOT)
    terminal.wait_for(b"prompt: ", PATIENCE_S)
    yield terminal
    terminal.close()


def test_the_whole_job_goes_to_the_shell_and_all_of_it_is_painted_after(shell, capture):
    command = f"{sys.executable} -m app -r {capture}"  # in a program that waits for it, as make
    shell.key(f"{sys.executable} -c 'import os; os.system(\"{command}\")'\n".encode(), b"? help")
    shell.key(b"\x1a", b"prompt: ")
    os.write(shell.fd, b"fg\n")
    shell.wait_for(b"? help", PATIENCE_S)
    shell.key(b"q", b"prompt: ")


def test_without_a_shell_it_continues(terminal):
    terminal.key(b"\x1a", b"? help")
    terminal.key(b"?", b"esc closes")


async def test_a_crash_of_the_worker_is_shown_and_the_packets_stay_usable():
    def crash() -> None:
        raise ZeroDivisionError("made by a test")

    store = scripted_store()
    engine = Engine(store, LOCAL_SOCKETS)
    engine.start()
    try:
        async with scripted_monitor(store, engine).run_test(size=(120, 36)) as pilot:
            screen = await filled(pilot)
            engine._loop.call(crash)
            await eventually(lambda: engine.snapshot().state is EngineState.FAILED, "the failure")
            screen.poll()
            banner = screen.query_one(Banner)
            assert banner.display
            assert "ZeroDivisionError: made by a test" in str(banner.render())
            await pilot.press("g")
            assert screen.panels.selected.packet.number == 1
    finally:
        engine.close()


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_a_terminal_that_is_not_utf8_is_painted_in_ascii(encoding, capture, tmp_path, monkeypatch):
    """Every screen can be used: the signs have words beside them."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    screen, painted = Emulator(100, 30), bytearray()
    program = [sys.executable, "-m", "app", str(capture)]
    terminal = Terminal(program, 100, 30, ROOT, screen=screen)

    def shows(words: str) -> bool:
        painted.extend(terminal.read(0.05))
        return words in screen

    try:
        for key, words in ((b"", "? help"), (b"f", "Hardware type"), (b"\x1bOP", "esc closes")):
            os.write(terminal.fd, key)
            until(lambda words=words: shows(words), words, lambda: screen.text)
        os.write(terminal.fd, b"\x11")
        status, rest = leave(terminal)
    finally:
        terminal.close()
    assert os.waitstatus_to_exitcode(status) == 0
    assert (painted + rest).isascii()


def test_bytes_in_no_encoding_do_not_end_the_monitor(terminal):
    """Typed with a terminal that is set to another encoding, or pasted."""
    os.write(terminal.fd, b"\xe9\xffm\xc3")
    terminal.key(b":", b"Go to packet")
    os.write(terminal.fd, b"\x80\xe9")
    terminal.key(b"9", b"is not a packet number")
