"""No input makes reading raise anything but `FileError`, hang, or use unbounded memory."""

from __future__ import annotations

import gzip
import json
import random
import struct
import time
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.engine.file_import import FileReading
from core.files.formats import FileError
from core.files.reader import open_capture
from core.store.packet_store import PacketStore
from tests.core.files.make import (
    Read,
    block,
    enhanced,
    interface,
    obsolete,
    option,
    pcap_header,
    pcap_record,
    section,
    simple,
)
from tests.helpers.support import captures_dir

_FLAGS = option(2, bytes(4)) + option(1, b"comment") + option(0, b"")
SEEDS = [
    pcap_header() + pcap_record() * 4,
    pcap_header(">", 0xA1B23C4D) + pcap_record(order=">") * 4,
    pcap_header(magic=0xA1B2CD34) + pcap_record(extra=bytes(8)) * 4,
    pcap_header(version=(2, 3)) + pcap_record(original=80) * 4,
    section()
    + interface(snap_length=50, options=option(9, b"\x06") + option(14, bytes(8)))
    + enhanced(options=_FLAGS)
    + simple()
    + block(5, bytes(12))
    + obsolete(options=_FLAGS)
    + block(0xBAD, bytes(40))
    + section(">")
    + interface(">")
    + enhanced(order=">", options=option(1, b"big", ">")) * 2,
]
SEEDS += [gzip.compress(SEEDS[0]), zstandard.ZstdCompressor().compress(SEEDS[-1])]
_NUMBERS = [0, 1, 3, 4, 6, 8, 12, 20, 28, 32, 0xFFFF, 262_145, 0x7FFF_FFFF, 0xFFFF_FFFF]


def survive(path, content: bytes) -> Read | None:
    """Read `content`; only `FileError` may be raised, and all packets lie inside the file."""
    path.unlink(missing_ok=True)  # a new file: another test truncates an old one
    path.write_bytes(content)
    try:
        found = Read(open_capture(path))
    except FileError:
        return None
    assert all(note.isprintable() for note in found.notes)
    assert found.damaged <= bool(found.notes)
    assert all(number < len(found.interfaces) for number in found.interface)
    if not found.compression:
        assert sum(map(len, found.frames)) <= len(content)
    return found


@pytest.mark.parametrize("seed", range(len(SEEDS)))
def test_every_prefix(tmp_path, seed) -> None:
    whole = SEEDS[seed]
    counts = []
    for length in range(len(whole) + 1):
        found = survive(tmp_path / "x", whole[:length])
        counts.append(len(found.frames) if found else 0)
    assert counts == sorted(counts)
    assert counts[-1] >= 4


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seed=st.sampled_from(SEEDS),
    changes=st.lists(
        st.tuples(
            st.integers(0, 1 << 12),
            st.one_of(
                st.binary(min_size=1, max_size=4),
                st.tuples(st.sampled_from(_NUMBERS), st.sampled_from("<>")).map(
                    lambda number: struct.pack(number[1] + "I", number[0])
                ),
            ),
        ),
        max_size=6,
    ),
    removed=st.integers(0, 9),
)
def test_changed_bytes(tmp_path, seed, changes, removed) -> None:
    content = bytearray(seed)
    for position, value in changes:
        at = position % len(content)
        content[at : at + len(value)] = value
    if removed and changes:
        del content[changes[0][0] % len(content) :][:removed]
    survive(tmp_path / "x", bytes(content))


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    start=st.sampled_from(
        [b"", SEEDS[0][:24], section(), section(">") + interface(">"), b"\x1f\x8b\x08"]
    ),
    rest=st.binary(max_size=400),
)
def test_any_bytes(tmp_path, start, rest) -> None:
    survive(tmp_path / "x", start + rest)


@pytest.mark.corpus
def test_changed_real_captures(tmp_path) -> None:
    folder = captures_dir()
    names = list(json.loads((folder / "exit.json").read_text()))
    chance = random.Random(2024)
    for _ in range(2000):
        content = bytearray((folder / "files" / chance.choice(names)).read_bytes()[:20_000])
        for _ in range(chance.randrange(1, 20)):
            content[chance.randrange(len(content))] = chance.choice((0, 1, 6, 127, 255))
        survive(tmp_path / "x", bytes(content[: chance.randrange(1, len(content) + 1)]))


GROWING = {
    "packets of no bytes": (lambda n: pcap_header() + pcap_record(b"") * n, 1_000_000),
    "interfaces and packets by turns": (
        lambda n: (
            section() + b"".join(interface() + enhanced(number=k, data=b"") for k in range(n))
        ),
        10_000,
    ),
    "many interfaces": (lambda n: section() + interface() * n + enhanced(number=n - 1), 60_000),
    "sections by turns": (lambda n: (section() + interface() + enhanced(data=b"")) * n, 10_000),
    "a block of empty options": (
        lambda n: section() + interface() + enhanced(options=option(77, b"") * n),
        1_000_000,
    ),
    "stepped over by turns": (
        lambda n: section() + interface() + (block(5, b"") + enhanced(data=b"")) * n,
        100_000,
    ),
}


def _processor_time(path: Path, content: bytes) -> float:
    """Return the processor time (s) from opening into a store with room for everything."""
    path.write_bytes(content)
    store = PacketStore()
    reading = FileReading(store, [str(path)], lambda _: None)
    before = time.thread_time()
    reading.run()
    spent = time.thread_time() - before
    assert not reading.damaged
    assert not reading.error
    assert store.snapshot().count >= 1
    assert store.snapshot().evicted == 0
    return spent


@pytest.mark.timed
@pytest.mark.parametrize("name", GROWING)
def test_work_grows_as_the_file_does(tmp_path, name) -> None:
    """A file four times as large takes four times the work, not sixteen times."""
    make, size = GROWING[name]
    quarter = _processor_time(tmp_path / "quarter", make(size // 4))
    whole = _processor_time(tmp_path / "whole", make(size))
    assert whole < 0.5 + 8 * quarter, f"{quarter:.2f} s, {whole:.2f} s"
