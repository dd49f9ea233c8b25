"""A block may hold millions of options: reading it costs little and can be canceled inside it.

The tests count executed lines of Python, which does not depend on the load of the host.
"""

from __future__ import annotations

import gzip
import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from types import FrameType

import numpy as np
import pytest
import zstandard

from core.engine.file_import import FileReading
from core.files import pcapng_options
from core.files.cancellation import Cancellation
from core.files.pcapng_options import (
    MOST_OPTIONS,
    OptionReader,
    PacketComments,
    read_packet_options,
)
from core.files.reader import open_capture
from core.files.sources.source import Stream
from core.files.step import SPAN_BYTES, join_batches
from core.store.packet_store import PacketStore
from tests.core.files.make import FRAME, Read, block, enhanced, interface, option, read, section
from tests.helpers.support import ROOT

MOST = 3_900_000  # empty options: they fill the largest block that is read
MANY = MOST // 10
EMPTY, COMMENT = option(77, b""), option(1, b"")
PACKINGS = {
    "plain": bytes,
    "gzip": lambda content: gzip.compress(content, 1),
    "zstd": zstandard.ZstdCompressor().compress,
}


def blocks(one: bytes) -> dict[str, tuple[bytes, bytes]]:
    """Return the blocks before a packet and the packet; one has a block filled with `one`."""
    many = one * MANY
    head = section() + interface()
    return {
        "section header": (section(options=many) + interface(), enhanced()),
        "interface description": (section() + interface(options=many), enhanced()),
        "enhanced packet": (head, enhanced(options=many)),
        "obsolete packet": (head, block(2, struct.pack("<HHIIII", 0, 0, 0, 0, 0, 0) + many)),
        "name resolution": (head + block(4, many), enhanced()),
        "interface statistics": (head + block(5, bytes(12) + many), enhanced()),
        "decryption secrets": (head + block(10, bytes(8) + many), enhanced()),
        "custom": (head + block(0xBAD, bytes(4) + many), enhanced()),
        "unknown": (head + block(0x7777, many), enhanced()),
    }


KINDS = tuple(blocks(b""))


def lines_run(work: Callable[[], None]) -> int:
    """Count the lines of Python that run in `work`."""
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> object:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def first_batch(path: str) -> None:
    with open_capture(path) as reader:
        assert len(next(reader.batches())) == 1


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_millions_of_options_in_one_block_cost_little(tmp_path, kind, packing) -> None:
    """Reading runs far fewer lines than there are options."""
    path = tmp_path / "x"
    for one in (EMPTY, COMMENT):
        before, packet = blocks(one)[kind]
        path.write_bytes(PACKINGS[packing](before + packet))
        assert lines_run(lambda: first_batch(str(path))) < MANY // 10


def test_the_fullest_block_costs_no_more(tmp_path) -> None:
    path = tmp_path / "x"
    path.write_bytes(section() + interface() + enhanced(options=EMPTY * MOST))
    assert lines_run(lambda: first_batch(str(path))) < MANY // 10


@pytest.mark.parametrize(
    "one", [EMPTY, COMMENT, option(2, bytes(4))], ids=["77", "comment", "flags"]
)
def test_many_blocks_of_many_options_cost_little(tmp_path, one) -> None:
    """A batch holds as many options as possible, spread over its blocks in different ways."""
    path = tmp_path / "x"
    for packets in (2, 16, 17, 500, 1000):
        each = one * (SPAN_BYTES // len(one) // packets)
        path.write_bytes(section() + interface() + enhanced(options=each) * packets)
        with open_capture(path) as reader:
            assert lines_run(lambda: [None for _ in reader.batches()]) < 800_000


def test_many_descriptions_of_many_options_cost_little(tmp_path) -> None:
    """All descriptions share a budget, but the first options of each are always read."""
    path = tmp_path / "x"
    one = interface(options=option(2, b"eth0") + EMPTY * (MOST_OPTIONS - 2))
    path.write_bytes(section() + one * 2000 + enhanced())
    assert lines_run(lambda: first_batch(str(path))) < 2000 * 800
    found = Read(open_capture(str(path)))
    assert {each.name for each in found.interfaces} == {"eth0"}
    assert sum("options" in note for note in found.notes) == 1


def test_the_store_reads_only_the_comments_that_it_keeps(tmp_path) -> None:
    path = tmp_path / "x"
    path.write_bytes(section() + interface() + enhanced(options=COMMENT * MANY))
    store = PacketStore()
    reading = FileReading(store, [str(path)], lambda _: None)
    assert lines_run(reading.run) < 100_000
    assert store.snapshot().count == 1
    assert len(store.snapshot().comments[1]) <= MOST_OPTIONS


@pytest.mark.parametrize("packets", [1, 40])
@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_unread_options_are_reported_once(tmp_path, packets, extra) -> None:
    """`MOST_OPTIONS` options are read; an end of options does not count."""
    options = EMPTY * (MOST_OPTIONS - 1 + extra) + option(1, b"last") + option(0, b"")
    found = read(tmp_path / "x", section() + interface() + enhanced(options=options) * packets)
    assert found.frames == [FRAME] * packets
    assert not found.damaged
    told = [note for note in found.notes if "options" in note]
    if extra < 1:
        assert found.comments == {row: ["last"] for row in range(packets)}
    else:
        assert not found.comments
        assert len(told) == 1
        assert f"more than {MOST_OPTIONS:,} options" in told[0]
    interfaces = interface(options=EMPTY * (MOST_OPTIONS - 1 + extra) + option(2, b"eth0"))
    found = read(tmp_path / "x", section() + interfaces * 2 + enhanced())
    assert [one.name for one in found.interfaces] == (["eth0"] * 2 if extra < 1 else ["", ""])
    assert len(found.notes) == (extra == 1)


def test_comments_are_read_on_demand(tmp_path, monkeypatch) -> None:
    path = tmp_path / "x"
    commented = enhanced(options=option(1, b"zwei") + option(1, b"drei"))
    part = enhanced() + commented
    path.write_bytes((section() + interface() + part) * 3 + part * 40)
    monkeypatch.setattr(pcapng_options, "text", lambda value: looks.append(1) or bytes(value))
    looks: list[int] = []
    with open_capture(path) as reader:
        (batch,) = reader.batches()
    assert len(batch.comments) == 43
    assert list(batch.comments) == list(range(1, 86, 2))
    assert not looks
    assert batch.comments[85] == [b"zwei", b"drei"]
    assert len(looks) == 2
    with pytest.raises(KeyError):
        batch.comments[84]
    with pytest.raises(KeyError):
        batch.comments[-1]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("blocks", [1, 16, 80, 127, 128, 129, 200])
def test_rounds_and_one_by_one_agree(order, blocks) -> None:
    """Any options, some of them bad: flags, comments and first bad block equal those of a loop."""
    chance = np.random.default_rng(blocks)
    for _ in range(20):
        made = []
        for _ in range(blocks):
            codes = chance.choice(
                [0, 1, 2, 4, 77], chance.integers(0, 9), p=[0.05, 0.3, 0.3, 0.05, 0.3]
            )
            size = {0: 0, 2: 4, 4: 8}
            parts = [
                option(c, chance.bytes(size.get(c, int(chance.integers(9)))), order)
                for c in codes.tolist()
            ]
            if chance.random() < 0.02:
                parts.append(struct.pack(order + "HH", 1, 500))
            made.append(b"".join(parts))
        ends = np.cumsum([len(one) for one in made]).astype(np.int64)
        starts = ends - [len(one) for one in made]
        window = np.frombuffer(b"".join(made) + bytes(8), np.uint8)
        found = read_packet_options(window, starts, ends, order)
        flags, commented, bad = [], [], None
        for row, (start, stop) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
            word = 0
            try:
                for code, value in OptionReader(window.data, start, stop, order):
                    word = struct.unpack(order + "I", value)[0] if code == 2 else word
                    if code == 1 and row not in commented:
                        commented.append(row)
            except pcapng_options.BadOptionError:
                bad = row
                break
            flags.append(word)
        assert found.bad == bad
        good = blocks if bad is None else bad
        assert found.flags[:good].tolist() == flags[:good]
        assert [row for row in found.commented if row < good] == [r for r in commented if r < good]


def test_joined_batches_find_their_comments(tmp_path) -> None:
    path = tmp_path / "x"
    path.write_bytes(section() + interface() + enhanced(options=option(1, b"a")) * 1500)
    with open_capture(path) as reader:
        one, two = reader.batches()
    both = join_batches([one, two])
    assert isinstance(one.comments, PacketComments)
    assert list(both.comments) == list(range(1500))
    assert both.comments[0] == both.comments[1499] == ["a"]
    assert join_batches([one]) is one


# -- canceling inside a block ---------------------------------------------------------------


class CanceledInside:
    """A cancellation that takes effect after the stream has checked it `after` times."""

    def __init__(self, after: int) -> None:
        self._left = after
        self._real = Cancellation()

    @property
    def canceled(self) -> bool:
        self._left -= 1
        return self._left < 0

    def fileno(self) -> int:
        return self._real.fileno()

    def close(self) -> None:
        self._real.close()


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
@pytest.mark.parametrize("kind", [4, 5, 10, 0xBAD, 0x7777])
def test_reading_can_be_canceled_in_a_compressed_block(
    tmp_path, monkeypatch, packing, kind
) -> None:
    """A few bytes expand to a block of 128 MiB; the rest is not decompressed."""
    size = 128 << 20
    head = section() + interface() + enhanced() + struct.pack("<II", kind, size + 12)
    path = tmp_path / "x"
    pack = PACKINGS[packing]
    path.write_bytes(pack(head) + pack(bytes(16 << 20)) * 8 + pack(struct.pack("<I", size + 12)))
    unpacked = []
    real = Stream._next_piece

    def counted(self: Stream, wait: bool) -> bytes | None:
        piece = real(self, wait)
        unpacked.append(len(piece or b""))
        return piece

    monkeypatch.setattr(Stream, "_next_piece", counted)
    cancellation = CanceledInside(after=9)
    with open_capture(path, cancellation) as reader:
        assert sum(len(batch) for batch in reader.batches()) <= 1
    cancellation.close()
    assert sum(unpacked) < size // 2


def test_reading_can_be_canceled_inside_a_block_from_a_pipe() -> None:
    """The rest of the block never arrives."""
    reading, writing = os.pipe()
    cancellation = Cancellation()
    content = section() + interface() + enhanced() + block(0x7777, EMPTY * MANY)
    os.write(writing, content[:50_000])
    with open_capture(reading, cancellation) as reader:
        batches = reader.batches()
        assert len(next(batches)) == 1
        canceler = threading.Thread(target=cancellation.cancel)
        canceler.start()
        assert next(batches, None) is None
        canceler.join()
    cancellation.close()
    os.close(reading)
    os.close(writing)


def test_reading_can_be_canceled_among_blocks_without_packets(tmp_path) -> None:
    """The walk returns regularly to check for cancellation."""
    path = tmp_path / "x"
    content = section() + block(0x7777, b"") * (4 * SPAN_BYTES // 12)
    path.write_bytes(content)
    cancellation = CanceledInside(after=2)
    with open_capture(path, cancellation) as reader:
        assert list(reader.batches()) == []
        assert reader.position < 3 * SPAN_BYTES
    cancellation.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_ends_a_dump_inside_a_block(number) -> None:
    """The block is announced, and its bytes keep coming without an end."""
    command = [sys.executable, "-m", "app", "dump", "-r", "-"]
    content = section() + interface() + enhanced() + block(0x7777, EMPTY * MANY)
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as dump:
        assert dump.stdin is not None
        assert dump.stdout is not None
        dump.stdin.write(content[:200_000])
        dump.stdin.flush()
        assert dump.stdout.readline().split()[0] == b"1"
        dump.send_signal(number)
        assert dump.wait(60) == 0


def test_options_that_are_not_read_change_no_packet(tmp_path) -> None:
    """The bytes after the last option that is read may be anything."""
    options = EMPTY * MOST_OPTIONS + b"\1\0\xff\xff"
    found = Read(open_capture(_written(tmp_path, enhanced(options=options) * 2 + enhanced())))
    assert found.frames == [FRAME] * 3
    assert not found.damaged


def _written(folder, packets: bytes):
    path = folder / "x"
    path.write_bytes(section() + interface() + packets)
    return path
