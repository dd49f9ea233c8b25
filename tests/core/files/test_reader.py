"""Sources of captures and their faults: other files, pipes, growth, truncation."""

from __future__ import annotations

import errno
import gzip
import os
import shutil
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from core.files.cancellation import Cancellation
from core.files.formats import FileError
from core.files.reader import open_capture
from core.files.sources.mapping import Region, _regions
from tests.core.files.make import (
    FRAME,
    Read,
    block,
    enhanced,
    interface,
    pcap_header,
    pcap_record,
    read,
    section,
)
from tests.helpers.support import ROOT
from tests.helpers.waiting import PATIENCE_S

PLAIN = pcap_header() + pcap_record() * 3


@pytest.fixture
def path(tmp_path):
    return tmp_path / "capture"


REFUSED = {
    "empty": (b"", "the file is empty"),
    "three bytes": (b"\xd4\xc3\xb2", "only 3 bytes long"),
    "half a pcap header": (PLAIN[:23], "the pcap file header is cut short: it has 23 of 24 bytes"),
    "half a pcapng header": (section()[:27], "the pcapng section header is cut short: it has 27"),
    "text": (b"GET / HTTP/1.1\r\nHost: example\r\n" * 9, "not a pcap/pcapng file but text"),
    "cut UTF-8 text": ("ж".encode() * 32 + b"\xd0", "not a pcap/pcapng file but text"),
    "gzip of text": (gzip.compress(b"hello\n"), "not a pcap/pcapng file inside gzip but text"),
    "gzip of nothing": (gzip.compress(b""), "the file is empty inside gzip"),
    "gzip, only its magic number": (b"\x1f\x8b\x08", "only 3 bytes long"),
    "gzip, garbage": (b"\x1f\x8b" + bytes(99), "the gzip data is damaged"),
    "zstd, garbage": (b"\x28\xb5\x2f\xfd" + b"\xff" * 99, "the zstd data is damaged"),
    "ELF": (b"\x7fELF" + bytes(99), "but an ELF program"),
    "xz": (b"\xfd7zXZ\0" + bytes(99), "unpack it with xz -dk first"),
    "noise": (bytes(range(128, 228)), "it starts with 80 81 82 83"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("piped", [False, True])
def test_other_files_are_rejected_in_one_line(path, name, piped) -> None:
    content, reason = REFUSED[name]
    path.write_bytes(content)
    if piped:
        reading, writing = os.pipe()
        os.write(writing, content)
        os.close(writing)
    with pytest.raises(FileError) as error:
        open_capture(reading if piped else path)
    if piped:
        os.close(reading)
    else:
        assert str(path) in str(error.value)
    assert str(error.value).startswith("cannot read ")
    assert reason in str(error.value)
    assert str(error.value).isprintable()


def test_elf_and_directory_and_absence(tmp_path) -> None:
    for place, reason in (
        (sys.executable, "an ELF program"),
        (tmp_path, "it is a directory"),
        (tmp_path / "absent", "no such file"),
    ):
        with pytest.raises(FileError, match=reason):
            open_capture(str(place))


def test_no_permission(path) -> None:
    path.write_bytes(PLAIN)
    path.chmod(0)
    code = (
        "import sys\n"
        "from core.files.reader import open_capture, FileError\n"
        "from tests.helpers.unprivileged import drop_capabilities\n"
        "drop_capabilities(kept=frozenset())\n"
        "try: open_capture(sys.argv[1])\n"
        "except FileError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, cwd=ROOT
    )
    assert "permission denied; ask its owner" in done.stdout, done.stderr


def test_a_file_of_only_a_header_is_valid(path) -> None:
    for content in (pcap_header(), section(), section() + interface()):
        found = read(path, content)
        assert (found.frames, found.notes, found.damaged) == ([], [], False)


def test_names_never_carry_control_characters(tmp_path) -> None:
    path = tmp_path / "evil\x1b[2J\n\x9b\u202e.pcap"
    with pytest.raises(FileError) as error:
        open_capture(path)
    assert str(error.value).isprintable()
    found = read(path, PLAIN[:-1])
    assert found.damaged
    assert all(note.isprintable() for note in found.notes)


@pytest.mark.parametrize("content", [PLAIN, section() + interface() + enhanced() * 3])
def test_a_pipe_delivers_each_packet_when_it_arrives(content) -> None:
    reading, writing = os.pipe()
    size = len(pcap_record()) if content is PLAIN else len(enhanced())
    start = len(content) - 3 * size
    os.write(writing, content[: start + size])
    with open_capture(reading) as reader:
        batches = reader.batches()
        assert len(next(batches)) == 1
        os.write(writing, content[start + size : start + 2 * size + 9])
        assert len(next(batches)) == 1
        os.write(writing, content[start + 2 * size + 9 :])
        batch = next(batches)
        assert batch.data[batch.offset[0] :][:60].tobytes() == FRAME
        os.close(writing)
        assert next(batches, None) is None
        assert not reader.damaged
        assert reader.size is None
        assert reader.position == len(content)
    os.close(reading)


@pytest.mark.parametrize("step", [1, 7, 4096])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_pipe_in_pieces_of_any_size(step, pack) -> None:
    other = block(5, bytes(200))
    packets = [enhanced(FRAME[:n]) + other for n in range(40)]
    content = pack(section() + interface() + b"".join(packets))
    reading, writing = os.pipe()

    def write() -> None:
        with open(writing, "wb", buffering=0) as pipe:
            for start in range(0, len(content), step):
                pipe.write(content[start : start + step])

    writer = threading.Thread(target=write)
    writer.start()
    found = Read(open_capture(reading))
    writer.join()
    os.close(reading)
    assert found.frames == [FRAME[:n] for n in range(40)]
    assert not found.damaged


def test_a_cut_pipe() -> None:
    reading, writing = os.pipe()
    os.write(writing, PLAIN[:-1])
    os.close(writing)
    found = Read(open_capture(reading))
    os.close(reading)
    assert found.frames == [FRAME] * 2
    assert f"cut short at byte {24 + 2 * 76}" in found.notes[0]


def test_a_fifo_may_be_opened_before_its_writer(path) -> None:
    os.mkfifo(path)
    found = []
    thread = threading.Thread(target=lambda: found.append(Read(open_capture(path))))
    thread.start()
    path.write_bytes(PLAIN)
    thread.join()
    assert found[0].frames == [FRAME] * 3


@pytest.fixture
def cancellation():
    made = Cancellation()
    yield made
    made.close()


def test_a_waiting_reader_can_be_canceled(cancellation) -> None:
    reading, writing = os.pipe()
    os.write(writing, PLAIN)
    with open_capture(reading, cancellation) as reader:
        batches = reader.batches()
        assert len(next(batches)) == 3
        thread = threading.Thread(target=cancellation.cancel)
        thread.start()
        assert next(batches, None) is None
        thread.join()
        assert not reader.damaged
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize("sent", [b"", PLAIN[:3], PLAIN[:23], gzip.compress(PLAIN, mtime=0)[:12]])
def test_the_wait_for_the_first_bytes_can_be_canceled(cancellation, sent) -> None:
    reading, writing = os.pipe()
    os.write(writing, sent)
    refused = []

    def wait() -> None:
        with pytest.raises(FileError) as error:
            open_capture(reading, cancellation)
        refused.append(error)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    cancellation.cancel()
    thread.join(PATIENCE_S)
    assert refused
    os.close(reading)
    os.close(writing)


def test_a_late_cancellation_writes_into_no_descriptor(cancellation) -> None:
    number = cancellation.fileno()
    other = os.eventfd(0, os.EFD_NONBLOCK)
    cancellation.close()
    os.dup2(other, number)  # the number now refers to another file
    try:
        cancellation.cancel()
        with pytest.raises(BlockingIOError):
            os.eventfd_read(other)
    finally:
        os.close(number)
        os.close(other)


@pytest.mark.parametrize("piped", [False, True])
def test_standard_input(path, piped) -> None:
    path.write_bytes(PLAIN)
    code = (
        "from core.files.reader import open_capture\n"
        "with open_capture('-') as reader: print(sum(len(b) for b in reader.batches()))"
    )
    source = {"input": PLAIN} if piped else {"stdin": path.open("rb")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, **source)
    if not piped:
        source["stdin"].close()
    assert done.stdout == b"3\n", done.stderr


def test_a_file_is_read_from_its_descriptor_s_position(path) -> None:
    path.write_bytes(b"line\n" + PLAIN)
    with path.open("rb", buffering=0) as file:
        file.readline()
        assert Read(open_capture(file.fileno())).frames == [FRAME] * 3


def test_descriptors_are_closed(path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for content in (PLAIN, gzip.compress(PLAIN), PLAIN[:-1]):
        read(path, content)
    for content in (b"", b"nothing", gzip.compress(b"nothing"), b"\x1f\x8b" + bytes(99)):
        with pytest.raises(FileError):
            read(path, content)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_growing_file_is_read_to_its_present_end(path) -> None:
    path.write_bytes(PLAIN + pcap_record()[:50])
    with open_capture(path) as reader:
        batches = reader.batches()
        first = next(batches)
        with path.open("ab") as file:
            file.write(pcap_record()[50:] + pcap_record() * 9)
        assert len(first) + sum(len(batch) for batch in batches) == 13
        assert not reader.damaged


def test_a_deleted_file_stays_readable(path) -> None:
    path.write_bytes(pcap_header() + pcap_record() * 5000)
    with open_capture(path) as reader:
        batches = reader.batches()
        kept = [next(batches)]
        path.unlink()
        kept += batches
    assert sum(len(batch) for batch in kept) == 5000
    assert all(batch.data[batch.offset[-1] :][:60].tobytes() == FRAME for batch in kept)


def test_a_file_cut_while_it_is_read_ends_there(path) -> None:
    path.write_bytes(pcap_header() + pcap_record() * 50_000)
    with open_capture(path) as reader:
        batches = reader.batches()
        next(batches)
        os.truncate(path, 100)
        assert next(batches, None) is None
        assert reader.damaged
        assert "the file shrank from 3800024 to 100 bytes" in reader.notes[0]


def test_truncated_bytes_read_as_zeros_and_are_reported(path) -> None:
    path.write_bytes(pcap_header() + pcap_record() * 50_000)
    with open_capture(path) as reader:
        kept = list(reader.batches())
        assert not reader.notes
        os.truncate(path, 5000)
        last = kept[-1]
        seen = []

        def look() -> None:
            seen.append(int(np.add.reduce(last.data[last.offset[-1] :])))

        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        assert seen == [0]
        assert last.data[1_000_000:1_000_060].tobytes() == bytes(60)
        first = kept[0]
        assert first.data[first.offset[0] :][:60].tobytes() == FRAME
        assert "another program cut the file" in reader.notes[0]


@pytest.fixture
def answers(monkeypatch) -> list[int]:
    """Record the addresses for which SIGBUS was handled."""
    asked: list[int] = []
    cover = Region.cover
    monkeypatch.setattr(
        Region, "cover", lambda region, address: asked.append(address) or cover(region, address)
    )
    return asked


def test_a_truncation_costs_one_signal(path, answers) -> None:
    path.write_bytes(pcap_header() + pcap_record() * 50_000)
    with open_capture(path) as reader:
        last = list(reader.batches())[-1]
        os.truncate(path, 5000)
        assert int(np.add.reduce(last.data[1_000_000:])) == 0
    assert len(answers) == 1


def test_a_file_of_unknown_size_is_lost_from_the_access_on(path, answers, monkeypatch) -> None:
    """fstat(2) fails in the handler, as for a stale NFS handle."""

    class Stale:
        def size(self) -> int:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    path.write_bytes(pcap_header() + pcap_record() * 50_000)
    with open_capture(path) as reader:
        last = list(reader.batches())[-1]
        (region,) = [each for each in _regions.values() if each.start == last.data.ctypes.data]
        monkeypatch.setattr(region, "_file", Stale)
        os.truncate(path, 5000)
        assert int(np.add.reduce(last.data[1_000_000:])) == 0
        assert "another program cut the file" in reader.notes[0]
    assert len(answers) == 1


def test_an_interrupt_inside_the_handler_does_not_break_it(path, monkeypatch) -> None:
    raised: list[BaseException] = []
    cover = Region.cover

    def interrupted(region: Region, address: int) -> bool:
        if not raised:
            raised.append(KeyboardInterrupt())
            raise raised[0]
        return cover(region, address)

    monkeypatch.setattr(Region, "cover", interrupted)
    path.write_bytes(pcap_header() + pcap_record() * 50_000)
    with open_capture(path) as reader:
        last = list(reader.batches())[-1]
        os.truncate(path, 5000)
        assert int(np.add.reduce(last.data[1_000_000:])) == 0
    assert raised


def test_a_handler_that_fails_kills_instead_of_hanging(path) -> None:
    path.write_bytes(pcap_header() + pcap_record() * 50_000)
    code = (
        "import os, sys\n"
        "from core.files.sources import mapping\n"
        "from core.files.reader import open_capture\n"
        "def fail(region, address): raise MemoryError\n"
        "mapping.Region.cover = fail\n"
        "last = list(open_capture(sys.argv[1]).batches())[-1]\n"
        "os.truncate(sys.argv[1], 5000)\n"
        "print(last.data[1_000_000])\n"
    )
    command = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(command, capture_output=True, cwd=ROOT, timeout=PATIENCE_S)
    assert done.returncode == -signal.SIGBUS
    assert done.stderr == b""


def test_a_bus_error_elsewhere_still_kills(path) -> None:
    path.write_bytes(PLAIN)
    code = (
        "import sys, mmap, os\n"
        "from core.files.reader import open_capture\n"
        "reader = open_capture(sys.argv[1])\n"
        "with open(sys.argv[1] + '.other', 'w+b') as file:\n"
        "    file.truncate(8192); other = mmap.mmap(file.fileno(), 8192); file.truncate(0)\n"
        "other[5000]"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], cwd=ROOT, timeout=PATIENCE_S)
    assert done.returncode == -7  # SIGBUS


def test_progress(path) -> None:
    path.write_bytes(pcap_header() + pcap_record() * 50_000)
    with open_capture(path) as reader:
        seen = [reader.position for _ in reader.batches()]
        assert seen == sorted(seen)
        assert seen[0] < reader.size == seen[-1] == path.stat().st_size


def test_batches_outlive_the_reader(path) -> None:
    path.write_bytes(gzip.compress(PLAIN))
    for place in (path, shutil.copy(path, path.with_suffix(".2"))):
        with open_capture(place) as reader:
            kept = list(reader.batches())
        assert all(batch.stable for batch in kept)
        assert [batch.data[at : at + 60].tobytes() for batch in kept for at in batch.offset] == [
            FRAME
        ] * 3
