"""dump -r A -w B: a copy with all that the packets had, or no file."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.cli.dump import dump_file
from app.cli.dump.conversion import Conversion
from app.cli.dump.packet_writer import PacketWriter
from app.cli.dump.printer import Printer
from app.cli.main import run
from core.files.byte_order import CUSTOM, NAME_RESOLUTION, SECRETS, STATISTICS
from core.files.formats import FileError
from core.files.kept_blocks import SECTION_HEADER
from tests.core.files.writing.test_round_trip import assert_same, content_of, sections
from tests.helpers.support import ROOT, require_peer
from tests.helpers.waiting import PATIENCE_S, until


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "a.pcapng"
    path.write_bytes(sections("<") + sections(">"))
    return path


def test_a_whole_copy_is_the_same(source: Path, tmp_path: Path) -> None:
    copy = tmp_path / "b.pcapng.gz"
    assert run(["dump", "-r", str(source), "--secrets", "-w", str(copy)]) == 0
    assert_same(content_of(copy), content_of(source))


def test_secrets_are_left_out_and_reported(source: Path, tmp_path: Path, capsys) -> None:
    copy = tmp_path / "b.pcapng"
    assert run(["dump", "-r", str(source), "-w", str(copy)]) == 0
    assert 10 not in [each.kind for each in content_of(copy).blocks]
    assert "--secrets keeps them" in capsys.readouterr().err


def test_packets_that_pass_keep_comments_and_times(source: Path, tmp_path: Path) -> None:
    copy, whole = tmp_path / "b.pcapng", content_of(source)
    words = ["dump", "-r", str(source), "-Y", "frame.comment", "-c", "1", "-w", str(copy)]
    assert run(words) == 0
    found = content_of(copy)
    assert found.comments == {1: whole.comments[2]}
    assert found.options == {1: whole.options[2]}
    assert found.columns["timestamp_ns"] == [whole.columns["timestamp_ns"][1]]


def test_files_of_a_rotation_keep_what_belongs_to_packets(
    source: Path, tmp_path: Path, capsys
) -> None:
    """They are written by another encoder, which says what it leaves out. Names are in each."""
    whole = content_of(source)
    words = ["dump", "-r", str(source), "-w", str(tmp_path / "b.pcapng"), "-b", "packets:3"]
    assert run(words) == 0
    parts = [content_of(path) for path in sorted(tmp_path.glob("b_*"))]
    times = [time for part in parts for time in part.columns["timestamp_ns"]]
    assert times == whole.columns["timestamp_ns"]
    assert parts[0].options == {2: whole.options[2]}
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("rawscope: left out: decryption secrets; ")
    kinds = [
        [block.kind for block in part.blocks if block.kind != SECTION_HEADER] for part in parts
    ]
    assert kinds == [
        [NAME_RESOLUTION],
        [NAME_RESOLUTION, CUSTOM, STATISTICS, 0x7777, NAME_RESOLUTION],
        [NAME_RESOLUTION, CUSTOM],
        [NAME_RESOLUTION, STATISTICS, 0x7777],
    ]
    assert run([*words[:4], str(tmp_path / "c.pcap"), *words[5:]]) != 0  # of two link types
    assert "left out" not in capsys.readouterr().err  # classic pcap has no blocks


def test_a_copy_that_is_written_as_it_comes_keeps_blocks_in_their_places(
    source: Path, tmp_path: Path, capsys
) -> None:
    """Numbers of interfaces count through all sections, which become one."""
    whole = content_of(source)
    for name, words in {"b": ["packets:99"], "c": ["packets:99", "-Y", "frame.number > 3"]}.items():
        command = ["dump", "-r", str(source), "-w", str(tmp_path / name), "-b", *words]
        assert run(command) == 0
        (path,) = tmp_path.glob(f"{name}_*")
        found = content_of(path)
        assert found.interfaces == whole.interfaces
        passed = 0 if name == "b" else 3
        kept = [each for each in whole.blocks if each.kind not in (SECTION_HEADER, SECRETS)]
        places = [(each.kind, max(0, each.packets - passed)) for each in kept]
        assert [(each.kind, each.packets) for each in found.blocks[1:]] == places
        numbers = [each.body[0] for each in found.blocks if each.kind == STATISTICS]
        assert numbers == [0, 3]
    (path,) = tmp_path.glob("b_*")
    shown = subprocess.run(
        [require_peer("tshark"), "-nr", path], capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert shown.returncode == 0, shown.stderr


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user interrupts the command after its first chunk."""
    for output in (Conversion, PacketWriter, Printer):
        monkeypatch.setattr(output, "take", stopping(output.take, signal.SIGINT))


def stopping(call: Callable[..., Any], number: signal.Signals) -> Callable[..., Any]:
    """Return a function that raises a signal after each call."""

    def call_and_stop(*arguments: Any, **named: Any) -> Any:
        found = call(*arguments, **named)
        signal.raise_signal(number)
        return found

    return call_and_stop


@pytest.mark.usefixtures("interrupted")
def test_an_interrupted_conversion_replaces_nothing(source: Path, tmp_path: Path, capsys) -> None:
    copy = tmp_path / "b.pcapng"
    copy.write_text("old")
    assert run(["dump", "-r", str(source), "--force", "-w", str(copy)]) == 128 + signal.SIGINT
    assert f"{copy} was not written: you interrupted it" in capsys.readouterr().err
    assert copy.read_text() == "old"
    assert sorted(tmp_path.iterdir()) == [source, copy]


@pytest.mark.usefixtures("interrupted")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["-w", "b.pcapng", "-b", "packets:3"], "ends early: you interrupted it"),
        (["-w", "-"], "standard output has a part of the packets: you interrupted it"),
        (["--fields", "frame.number"], "packets printed: you interrupted it"),
    ],
)
def test_an_interrupted_output_says_what_it_has(
    source: Path, tmp_path: Path, monkeypatch, capfd, words: list[str], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["dump", "-r", str(source), *words]) == 128 + signal.SIGINT
    assert reason in capfd.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_while_the_input_opens_leaves_nothing(
    source: Path, tmp_path: Path, monkeypatch, capsys, number: signal.Signals
) -> None:
    opening = stopping(dump_file.open_captures, number)
    monkeypatch.setattr(dump_file, "open_captures", opening)
    copy = tmp_path / "b.pcapng"
    assert run(["dump", "-r", str(source), "-w", str(copy)]) == 128 + number
    assert "nothing was read: you interrupted it" in capsys.readouterr().err
    assert [*tmp_path.iterdir()] == [source]


@pytest.mark.parametrize("name", ["b.pcapng", "b.pcapng.gz"])
def test_packets_of_a_pipe_are_written_as_they_come(
    source: Path, tmp_path: Path, name: str
) -> None:
    """Until the end of the pipe, which may be hours away, the file has its name and packets."""
    copy, wanted = tmp_path / name, content_of(source).comments
    command = [sys.executable, "-m", "app", "dump", "-r", "-", "-w", str(copy)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(source.read_bytes())
        process.stdin.flush()
        until(lambda: comments_in(copy) == wanted, "the packets in the file")
        process.kill()
    assert comments_in(copy) == wanted


def comments_in(path: Path) -> object:
    """Return the comments in a file; None without a header."""
    try:
        return content_of(path).comments
    except (FileNotFoundError, FileError):
        return None


def test_secrets_of_a_pipe_cannot_be_kept(tmp_path: Path, capsys) -> None:
    assert run(["dump", "-r", "-", "--secrets", "-w", str(tmp_path / "b.pcapng")]) == 2
    assert "--secrets needs a copy of one whole file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["-w", "{}/b.pcap"], "choose pcapng"),
        (["-w", "{}/none/b.pcapng"], "there is no such folder: create it"),
        (["-w", "{}/a.pcapng"], "exists: --force replaces it"),
        (["--secrets"], "add -r FILE -w FILE"),
    ],
)
def test_refusals_leave_everything_as_it_was(
    source: Path, tmp_path: Path, capsys, words: list[str], reason: str
) -> None:
    before = source.read_bytes()
    assert run(["dump", "-r", str(source), *(word.format(tmp_path) for word in words)]) != 0
    assert reason in capsys.readouterr().err
    assert [*tmp_path.iterdir()] == [source]
    assert source.read_bytes() == before
