"""What a payload may be read from."""

from __future__ import annotations

import os

import pytest

from core.forge.compose.payload_text import LONGEST, parse_payload
from core.wire.encode.value_text import TextError


def test_a_file(tmp_path):
    path = tmp_path / "payload"
    path.write_bytes(b"\0\1hello")
    assert parse_payload(f"@{path}") == b"\0\1hello"


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(TextError, match="not a regular file"):
        parse_payload(f"@{path}")


@pytest.mark.parametrize("name", ["/dev/zero", "/", "/nowhere/at/all", "a\0b"])
def test_what_is_no_file_is_one_sentence(name):
    with pytest.raises(TextError, match=f"@{name}"):
        parse_payload(f"@{name}")


def test_a_file_that_is_too_long(tmp_path):
    path = tmp_path / "long"
    path.write_bytes(bytes(LONGEST + 1))
    with pytest.raises(TextError, match="longer than the 65535 bytes"):
        parse_payload(f"@{path}")


@pytest.mark.parametrize("text", ["a\ud800b", "\udbff", "@\ud800"])
def test_half_a_character_is_one_sentence(text):
    with pytest.raises(TextError, match=r"\\ud"):
        parse_payload(text)


def test_what_the_command_line_could_not_decode_is_its_byte():
    assert parse_payload("a\udcff") == b"a\xff"
