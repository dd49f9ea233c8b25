"""Follow a file that another program writes."""

from __future__ import annotations

import gzip
import os
import threading
import zlib
from pathlib import Path

import pytest

from core.files.cancellation import Cancellation
from core.files.reader import open_capture
from core.files.sources import growing_file
from tests.core.files.make import enhanced, interface, pcap_header, pcap_record, section
from tests.helpers.waiting import PATIENCE_S

PCAPNG = section() + interface() + enhanced() * 3
PCAP = pcap_header() + pcap_record() * 3


class Following:
    """A thread that reads a file to an end that only a test brings about."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(growing_file, "_NAP_MS", 1)
        self.frames = 0
        self.notes: list[str] = []
        self.damaged = False
        self.cancellation = Cancellation()
        self._changed = threading.Condition()
        self._path = path
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with open_capture(self._path, self.cancellation, follows=True) as reader:
            for batch in reader.batches():
                with self._changed:
                    self.frames += len(batch)
                    self._changed.notify_all()
            self.notes, self.damaged = list(reader.notes), reader.damaged

    def wait_for(self, frames: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.frames == frames, PATIENCE_S)

    def wait_for_end(self) -> None:
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        self.cancellation.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a"


@pytest.mark.parametrize("content", [PCAPNG, PCAP], ids=["pcapng", "pcap"])
def test_appended_packets_are_read_as_they_come(path, monkeypatch, content) -> None:
    """Also a file that is empty at first, and a last block of which only a part is written."""
    one = enhanced() if content is PCAPNG else pcap_record()
    path.write_bytes(b"")
    following = Following(path, monkeypatch)
    with path.open("ab", buffering=0) as file:
        file.write(content[:10])
        file.write(content[10:])
        following.wait_for(3)
        file.write(one + one[:20])
        following.wait_for(4)
        file.write(one[20:])
        following.wait_for(5)
        os.unlink(path)  # it still grows
        file.write(one)
        following.wait_for(6)
    following.cancellation.cancel()
    following.wait_for_end()
    assert not following.damaged


def test_a_compressed_file_is_followed(path, monkeypatch) -> None:
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    path.write_bytes(packer.compress(PCAPNG) + packer.flush(zlib.Z_SYNC_FLUSH))
    following = Following(path, monkeypatch)
    following.wait_for(3)
    with path.open("ab") as file:
        file.write(packer.compress(enhanced()) + packer.flush() + gzip.compress(enhanced()))
    following.wait_for(5)
    following.cancellation.cancel()
    following.wait_for_end()
    assert not following.damaged


def test_a_file_that_shrinks_is_reported(path, monkeypatch) -> None:
    path.write_bytes(PCAPNG + enhanced()[:20])
    following = Following(path, monkeypatch)
    following.wait_for(3)
    path.write_bytes(PCAPNG[:100])
    following.wait_for_end()
    assert following.damaged
    assert "the file shrank from" in following.notes[-1]


def test_a_file_that_is_replaced_is_read_to_its_end(path, monkeypatch) -> None:
    path.write_bytes(PCAPNG)
    following = Following(path, monkeypatch)
    following.wait_for(3)
    with path.open("ab", buffering=0) as file:
        other = path.with_name("b")
        other.write_bytes(PCAPNG + enhanced() * 9)
        file.write(enhanced())
        other.rename(path)
    following.wait_for_end()
    assert following.frames == 4
    assert following.notes == [
        f"{path}: another file has this name now: open it again to follow that one"
    ]
    assert not following.damaged


def test_a_half_block_is_reported_when_following_ends(path, monkeypatch) -> None:
    path.write_bytes(PCAPNG + enhanced()[:20])
    following = Following(path, monkeypatch)
    following.wait_for(3)
    other = path.with_name("b")
    other.write_bytes(b"")
    other.rename(path)
    following.wait_for_end()
    assert following.damaged
    assert any("cut short" in note for note in following.notes)


def test_without_following_the_file_ends(path) -> None:
    path.write_bytes(PCAPNG)
    with open_capture(path) as reader:
        assert sum(map(len, reader.batches())) == 3
