"""Read, write, read: the copy of a capture has all that rawscope keeps of the original.

Other programs read the copies without a complaint.
"""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from core.decode.batch import FileBlock
from core.files.chunks import iter_chunks
from core.files.formats import FileError
from core.files.reader import CaptureReader, open_capture
from core.files.writing.encoder import CannotWriteError, ChunkRows, Encoder
from core.files.writing.pcap_encoder import PcapEncoder
from core.files.writing.pcapng_encoder import PcapngEncoder
from core.wire.model.dissection import PacketFlag
from tests.core.files.make import block, enhanced, interface, option, section
from tests.helpers.support import capture_index, captures_dir, is_thorough, require_peer
from tests.helpers.waiting import PATIENCE_S

# tcpdump prints the last about every file of this link type (SLL2)
_USUAL = ("reading from", "dropped privs", "Warning: interface names might be incorrect")


class Content(NamedTuple):
    """All that is kept of a file."""

    frames: list[bytes]
    columns: dict[str, list[int]]
    interfaces: list[Any]
    comments: dict[int, list[str]]
    options: dict[int, bytes]
    blocks: list[FileBlock]


def content_of(source: Path) -> Content:
    found = Content(
        [], {"timestamp_ns": [], "original": [], "interface": [], "flags": []}, [], {}, {}, []
    )
    with open_capture(source) as reader:
        for chunk in iter_chunks(reader):
            found.frames.extend(chunk.frame(row) for row in range(len(chunk)))
            for name, values in found.columns.items():
                values.extend(getattr(chunk, name).tolist())
            found.comments.update(
                (chunk.first + row, list(chunk.comments[row])) for row in chunk.comments
            )
            found.options.update((chunk.first + row, chunk.options[row]) for row in chunk.options)
        found.interfaces.extend(reader.interfaces)
        found.blocks.extend(reader.blocks)
    return found


def write(path: Path, reader: CaptureReader, encoder: Encoder) -> Path:
    with path.open("wb") as file:
        for chunk in iter_chunks(reader):
            rows = np.arange(len(chunk))
            for piece in encoder.encode(ChunkRows(chunk, rows, chunk.comments, chunk.options)):
                file.write(piece)
        for piece in encoder.finish():
            file.write(piece)
    return path


def copy(source: Path, path: Path) -> Path:
    with open_capture(source) as reader:
        encoder = PcapngEncoder(reader.interfaces, reader.blocks, keeps_secrets=True, is_whole=True)
        return write(path, reader, encoder)


def assert_same(found: Content, expected: Content) -> None:
    """Compare; a classic pcap file has no section header, and no flag for a time that overflows."""
    for name in ("frames", "interfaces", "comments", "options"):
        assert getattr(found, name) == getattr(expected, name), name
    if expected.blocks:
        assert found.blocks == expected.blocks
    for name, values in expected.columns.items():
        mask = ~PacketFlag.TIME_INVALID if name == "flags" else ~0
        assert [n & mask for n in found.columns[name]] == [n & mask for n in values], name


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the copies of all shared captures, by name."""
    folder = tmp_path_factory.mktemp("copies")
    made = {}
    for number, (name, _) in enumerate(capture_index()):
        source = captures_dir() / "files" / name
        try:
            made[name] = copy(source, folder / f"{number}.pcapng")
        except FileError:
            continue
    return made


@pytest.mark.corpus
def test_every_shared_capture_is_copied(copies: dict[str, Path]) -> None:
    assert len(copies) > 60
    for name, path in copies.items():
        assert_same(content_of(path), content_of(captures_dir() / "files" / name))


@pytest.mark.corpus
def test_every_capture_of_one_link_type_has_a_classic_copy(
    tmp_path: Path, copies: dict[str, Path]
) -> None:
    refused = []
    for name in copies:
        with open_capture(captures_dir() / "files" / name) as reader:
            try:
                path = write(tmp_path / "copy.pcap", reader, PcapEncoder(reader.interfaces))
            except CannotWriteError as error:
                refused.append(str(error))
                continue
        found, expected = content_of(path), content_of(captures_dir() / "files" / name)
        assert found.frames == expected.frames, name
        assert found.columns["timestamp_ns"] == expected.columns["timestamp_ns"], name
        assert found.columns["original"] == expected.columns["original"], name
        said = subprocess.run(
            [require_peer("tcpdump"), "-nr", path, "-c", "1"],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        ).stderr.splitlines()
        assert all(line.startswith(_USUAL) for line in said), (
            name,
            said,
        )
    assert 0 < len(refused) < 10, refused
    assert all("choose pcapng" in each for each in refused)


@pytest.mark.corpus
def test_other_programs_read_the_copies(copies: dict[str, Path]) -> None:
    """capinfos counts the packets of all; tshark and tcpdump read some, in a thorough run all."""
    paths = list(copies.values())
    answer = subprocess.run(
        [require_peer("capinfos"), "-TBrmQc", *paths],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert not answer.stderr
    counts = [int(line.rsplit(",", 1)[1].strip('"')) for line in answer.stdout.splitlines()]
    assert counts == [len(content_of(path).frames) for path in paths]
    some = paths if is_thorough() else paths[::16]
    for path in some:
        answer = subprocess.run(
            [require_peer("tshark"), "-nr", path],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        assert "appears" not in answer.stderr
        assert answer.returncode == 0, answer.stderr


def sections(order: str) -> bytes:
    """Return two sections with every kind of block that is kept."""
    number = struct.Struct(order + "I").pack
    names = (
        struct.pack(order + "HH", 1, 6) + b"\x0a\0\0\1a\0\0\0" + bytes(4) + option(2, b"dns", order)
    )
    secrets = struct.pack(order + "II", 0x544C534B, 5) + b"CLIEN" + bytes(3)
    statistics = struct.pack(order + "III", 0, 9, 9) + option(4, struct.pack(order + "Q", 7), order)
    described = interface(
        order, 1, 96, option(2, b"eth0", order) + option(9, b"\x07", order)
        + option(8, struct.pack(order + "Q", 10**9), order) + option(2988, number(7) + b"x", order),
    )  # fmt: skip
    packet = enhanced(
        order=order,
        options=option(1, b"one", order) + option(1, "zwei ü".encode(), order)
        + option(2, number(2), order) + option(4, struct.pack(order + "Q", 3), order)
        + option(8, struct.pack(order + "II", 20, 21), order) + option(99, b"odd", order),
    )  # fmt: skip
    plain = enhanced(order=order)
    simple = block(3, number(60) + bytes(60), order)
    first = (
        section(order, option(2, b"a host", order) + option(1, b"a remark", order)) + described
        + block(4, names, order) + plain + block(10, secrets, order) + packet + simple
        + block(0xBAD, number(7) + b"data", order) + interface(order, 113) + plain
        + block(5, statistics, order)
    )  # fmt: skip
    return first + section(order) + interface(order, 113) + plain + block(0x7777, b"unknown", order)


@pytest.mark.parametrize("orders", ["<", ">", "<>", "><"])
def test_everything_that_is_kept_is_written(tmp_path: Path, orders: str) -> None:
    source = tmp_path / "source.pcapng"
    source.write_bytes(b"".join(map(sections, orders)))
    expected = content_of(source)
    path = copy(source, tmp_path / "copy.pcapng")
    assert_same(content_of(path), expected)
    again = copy(path, tmp_path / "again.pcapng")
    assert again.read_bytes() == path.read_bytes()
    kinds = [each.kind for each in expected.blocks]
    assert kinds == [0x0A0D0D0A, 4, 10, 0xBAD, 5, 0x0A0D0D0A, 0x7777] * len(orders)
    numbers = option(4, struct.pack("=Q", 3), "=") + option(8, struct.pack("=II", 20, 21), "=")
    assert expected.options[2] == numbers + option(99, b"odd", "=")
    assert expected.columns["flags"][2] == PacketFlag.TIME_INVALID
    assert content_of(path).columns["flags"] == expected.columns["flags"]


def test_secrets_are_left_out_unless_asked_for(tmp_path: Path) -> None:
    source = tmp_path / "source.pcapng"
    source.write_bytes(sections("<") + block(0x4000_0BAD, bytes(8)))
    with open_capture(source) as reader:
        path = write(tmp_path / "a", reader, PcapngEncoder(reader.interfaces, reader.blocks))
    kinds = [each.kind for each in content_of(path).blocks]
    assert kinds == [0x0A0D0D0A, 4, 0xBAD, 5, 0x0A0D0D0A, 0x7777]


def chosen(source: Path, path: Path, numbers: Iterable[int]) -> Content:
    """Return what a copy with only some packets has."""
    with open_capture(source) as reader, path.open("wb") as file:
        encoder = PcapngEncoder(reader.interfaces, reader.blocks)
        for chunk in iter_chunks(reader):
            rows = np.array([n - chunk.first for n in numbers if chunk.first <= n <= chunk.last])
            part = ChunkRows(chunk, rows.astype(np.int64), chunk.comments, chunk.options)
            for piece in (*encoder.encode(part),):
                file.write(piece)
        for piece in encoder.finish():
            file.write(piece)
    return content_of(path)


def test_a_few_packets_keep_what_belongs_to_them(tmp_path: Path) -> None:
    source = tmp_path / "source.pcapng"
    source.write_bytes(sections("<") * 2)
    whole = content_of(source)
    found = chosen(source, tmp_path / "some.pcapng", [2, 7, 10])
    assert found.frames == [whole.frames[n - 1] for n in (2, 7, 10)]
    assert found.comments == {1: whole.comments[2], 2: whole.comments[7]}
    assert found.options == {1: whole.options[2], 2: whole.options[7]}
    assert found.columns["interface"] == [whole.columns["interface"][n - 1] for n in (2, 7, 10)]


def test_a_file_without_packets_is_copied(tmp_path: Path) -> None:
    source = tmp_path / "source.pcapng"
    source.write_bytes(section("<") + interface("<") + block(4, bytes(4)))
    assert_same(content_of(copy(source, tmp_path / "copy")), content_of(source))
