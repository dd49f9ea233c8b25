"""A writer returns at once, whatever the line discipline does with the bytes."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from app.terminal import writer
from app.terminal.writer import TerminalWriter
from tests.helpers.waiting import PATIENCE_S, until

TEXTS = {
    "no line end": b"x" * 4096,
    "lines": b"line\n" * 800,
    "empty lines": b"\n" * 4096,
    "long lines": (b"x" * 300 + b"\n") * 14,
    "lines of a buffer": (b"x" * 255 + b"\n") * 16,
    "columns": b"a\tbc\t\n" * 700,
    "backspaces": b"a\b" * 2000,
    "returns": b"abc\r\n" * 800,
}


@pytest.fixture(params=["opened again", "shared"])
def made(request, ends, monkeypatch) -> Iterator[TerminalWriter]:
    """Yield a writer with its own descriptor, and one with the shell's."""
    if request.param == "shared":
        monkeypatch.setattr(writer, "_open_again", lambda descriptor: None)
    made = TerminalWriter(ends[1])
    yield made
    made.close()


@pytest.mark.parametrize("first_bytes", [0, 1, 255])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_writer_fills_an_unread_terminal_and_returns(made, ends, text, first_bytes):
    def is_full() -> bool:
        nonlocal rest
        while taken := made.write(rest or text):
            rest = (rest or text)[taken:]
        return not made.has_room(0)  # the kernel may have moved bytes to the reading end

    made.write(b"x" * first_bytes)
    rest = b""
    filling = threading.Thread(target=until, args=(is_full, "a full terminal"), daemon=True)
    filling.start()
    filling.join(PATIENCE_S)
    assert not filling.is_alive()
    assert os.get_blocking(ends[1])


def test_the_accepted_bytes_arrive(made, ends):
    text = b"".join(b"%d\tword\n" % number for number in range(2000))
    received, rest = b"", text
    while rest:
        rest = rest[made.write(rest) :]
        try:
            while True:
                received += os.read(ends[0], 1 << 16)
        except BlockingIOError:
            pass
    received = received.replace(b"\r\n", b"\n")
    assert text.startswith(received)
    assert len(text) - len(received) < 1 << 13  # the kernel may deliver the last bytes later


def test_a_closed_writer_keeps_no_descriptor_number(ends):
    made = TerminalWriter(ends[1])
    made.close()
    assert made.descriptor == -1
    with pytest.raises(OSError, match="Bad file descriptor"):
        made.write(b"late")
