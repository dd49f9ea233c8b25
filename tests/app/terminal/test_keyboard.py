"""Read the terminal: keys in any encoding, and bytes that are in none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from threading import Event

import pytest
from textual import events

from app.terminal.keyboard import read_messages


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Yield both ends of a pipe that stands for the terminal."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def typed(pipe: tuple[int, int], data: bytes, encoding: str = "utf-8") -> list[str | None]:
    """Return the characters of the keys that the terminal sends as `data`."""
    ended = Event()
    ended.set()
    os.write(pipe[1], data)
    messages = read_messages(pipe[0], ended, encoding)
    return [one.character for one in messages if isinstance(one, events.Key)]


@pytest.mark.parametrize(
    ("data", "encoding", "expected"),
    [
        ("aé→".encode(), "utf-8", "aé→"),
        (b"a\xe9b", "latin-1", "aéb"),
        (b"a\xe9b", "utf-8", "a\ufffdb"),
        (b"\xff\xfe:", "utf-8", "\ufffd\ufffd:"),
        (b"x\xc3", "utf-8", "x\ufffd"),
        (b"\xe9q", "ascii", "\ufffdq"),
    ],
)
def test_no_byte_ends_the_program(
    data: bytes, encoding: str, expected: str, pipe: tuple[int, int]
) -> None:
    assert typed(pipe, data, encoding) == list(expected)


def test_a_character_that_arrives_in_two_parts_is_one(pipe: tuple[int, int]) -> None:
    ended = Event()
    messages = read_messages(pipe[0], ended, "utf-8")
    os.write(pipe[1], b"a\xe2\x86")
    assert next(messages).character == "a"
    os.write(pipe[1], b"\x92")
    assert next(messages).character == "→"


def test_keys_with_escapes_and_a_lone_escape(pipe: tuple[int, int]) -> None:
    ended = Event()
    messages = read_messages(pipe[0], ended, "utf-8")
    os.write(pipe[1], b"\x1b[A")
    assert next(messages).key == "up"
    os.write(pipe[1], b"\x1b")
    assert next(messages).key == "escape"


def test_a_terminal_that_is_gone_raises(pipe: tuple[int, int]) -> None:
    with pytest.raises(OSError, match="Bad file descriptor"):
        next(read_messages(1 << 20, Event(), "utf-8"))
