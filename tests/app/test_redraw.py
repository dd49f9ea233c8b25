"""The key that redraws the screen, and questions on terminals with few columns."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.made import capture_of, udp_frame
from tests.bench.terminal import QUESTION, Terminal
from tests.helpers.emulator import Emulator
from tests.helpers.support import ROOT
from tests.helpers.waiting import PATIENCE_S, until

REDRAW = b"\x0c"
LAST_PAINTED = ("discard", "[Time since its previous packet]")  # by threads that analyze
CLOCK = re.compile(r"\d\d:\d\d:\d\d")
THUMB = re.compile("[▁-█]")


@pytest.fixture
def argv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the command of a monitor that shows a file, without a configuration."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return [sys.executable, "-m", "app", "-r", capture_of(tmp_path / "a.pcap", [udp_frame(b"x")])]


@pytest.fixture
def screen() -> Emulator:
    return Emulator(100, 30)


@pytest.fixture
def terminal(argv: list[str], screen: Emulator) -> Iterator[Terminal]:
    terminal = Terminal(argv, 100, 30, ROOT, screen=screen)
    terminal.wait_for(b"? help", PATIENCE_S)

    def is_complete() -> bool:
        terminal.read(0.05)
        return all(any(text in line for line in screen.text) for text in LAST_PAINTED)

    until(is_complete, "the screen", lambda: screen.text)
    yield terminal
    terminal.close()


def steady_lines(screen: Emulator) -> list[str]:
    """Return the lines of the screen without the clock and the thumbs of scroll bars.

    Both may change after the first picture of a screen, while a test compares.
    """
    return [THUMB.sub(" ", CLOCK.sub("", line)) for line in screen.text]


@pytest.mark.parametrize(
    ("key", "shows"), [(b"", b""), (b"?", b"esc closes"), (b":", b"Go to")],
    ids=["main screen", "help", "dialog with an input"],
)  # fmt: skip
def test_redraw_repairs_what_another_program_wrote_over(terminal, screen, key, shows):
    if key:
        terminal.key(key, shows, PATIENCE_S)
    while terminal.read(0.2):
        pass
    before = steady_lines(screen)
    other = os.open(f"/proc/{terminal.pid}/fd/2", os.O_WRONLY | os.O_NOCTTY)
    os.write(other, b"\x1b[2J\x1b[5;5Hmade by another program")
    os.close(other)
    terminal.wait_for(b"made by another program", PATIENCE_S)
    assert steady_lines(screen) != before
    os.write(terminal.fd, REDRAW)

    def is_as_before() -> bool:
        terminal.read(0.05)
        return steady_lines(screen) == before

    until(is_as_before, "the screen", lambda: screen.text)


def test_questions_to_a_narrow_terminal_use_columns_that_it_has(argv):
    terminal = Terminal(argv, 7, 10, ROOT)
    columns: list[int] = []

    def asked_often() -> bool:
        os.write(terminal.fd, REDRAW)
        columns.extend(int(found[2]) for found in QUESTION.finditer(terminal.read(0.1)))
        return len(columns) > 16

    try:
        until(asked_often, "questions", lambda: columns)
    finally:
        terminal.close()
    assert set(columns) == set(range(1, 8))
