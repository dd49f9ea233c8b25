"""Several captures read as one, in the order of their times."""

from __future__ import annotations

import gzip
import subprocess
from pathlib import Path

import numpy as np
import pytest

from core.files import merging
from core.files.chunks import iter_chunks
from core.files.formats import FileError
from core.files.merging import open_captures
from core.files.step import join_batches
from tests.core.files.make import (
    SECOND,
    block,
    enhanced,
    interface,
    option,
    pcap_header,
    pcap_record,
    section,
)
from tests.helpers.support import require_peer
from tests.helpers.waiting import PATIENCE_S


def pcap(path: Path, seconds: list[int], mark: int) -> Path:
    """Write a file whose frames are their place in it after `mark`."""
    records = [
        pcap_record(bytes([mark, *index.to_bytes(4, "big")]), seconds=SECOND + at)
        for index, at in enumerate(seconds)
    ]
    path.write_bytes(pcap_header() + b"".join(records))
    return path


def frames(paths: list[Path]) -> list[tuple[int, int]]:
    """Return mark and place of every packet, in the order of reading."""
    reader = open_captures(paths)
    found = []
    for chunk in iter_chunks(reader):
        for row in range(len(chunk)):
            frame = chunk.frame(row)
            found.append((frame[0], int.from_bytes(frame[1:], "big")))
    reader.close()
    return found


def merged_by_heads(files: list[list[int]]) -> list[tuple[int, int]]:
    """Merge as mergecap does: always take the first packet of the file that is the earliest."""
    places, result = [0] * len(files), []
    latest = [-(10**9)] * len(files)
    while any(place < len(each) for place, each in zip(places, files, strict=True)):
        heads = [
            (max(each[place], before), number)
            for number, (place, each, before) in enumerate(zip(places, files, latest, strict=True))
            if place < len(each)
        ]
        latest[min(heads)[1]], number = min(heads)
        result.append((number, places[number]))
        places[number] += 1
    return result


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("most_bytes", [1 << 20, 64])
def test_packets_are_in_the_order_of_their_times(tmp_path, monkeypatch, seed, most_bytes) -> None:
    """With times that repeat and go back, in batches of any size; the order in a file stays."""
    monkeypatch.setattr(merging, "_MOST_BYTES", most_bytes)
    chance = np.random.default_rng(seed)
    files = [
        np.cumsum(chance.integers(-1, 4, chance.integers(0, 40))).tolist() for _ in range(seed + 1)
    ]
    paths = [pcap(tmp_path / str(n), times, n) for n, times in enumerate(files)]
    assert frames(paths) == merged_by_heads(files)


def test_equal_times_across_batches_keep_the_order_of_the_files(tmp_path) -> None:
    """The first batch of a file has 1,000 packets, so ties reach into the next ones."""
    files = [[0] * 2500, [0] * 1200, [0] * 1]
    paths = [pcap(tmp_path / str(n), times, n) for n, times in enumerate(files)]
    assert frames(paths) == [(n, at) for n, times in enumerate(files) for at in range(len(times))]


def test_interfaces_comments_and_blocks_come_from_all_files(tmp_path) -> None:
    one, two = tmp_path / "a.pcapng", tmp_path / "b.pcapng.gz"
    statistics = block(5, bytes(12) + option(4, bytes(8)))
    one.write_bytes(
        section() + interface(options=option(2, b"eth0")) + enhanced(options=option(1, b"of eth0"))
        + statistics
    )  # fmt: skip
    two.write_bytes(
        gzip.compress(
            section() + interface(link_type=101, options=option(2, b"tun0"))
            + enhanced(options=option(1, b"of tun0") + option(99, b"odd")) + enhanced() + statistics
        )
    )  # fmt: skip
    reader = open_captures([two, one])
    batch = join_batches(list(reader.batches()))
    names = [reader.interfaces[n].name for n in batch.interface.tolist()]
    assert names == ["tun0", "tun0", "eth0"]
    assert {row: list(batch.comments[row]) for row in batch.comments} == {
        0: ["of tun0"], 2: ["of eth0"],
    }  # fmt: skip
    assert list(batch.options) == [0]
    assert sorted(each.body[0] for each in reader.blocks) == [0, 1]
    assert {each.kind for each in reader.blocks} == {5}
    assert not reader.damaged
    assert (reader.size or 0) > reader.position // 2 > 0
    reader.close()


def test_notes_and_damage_of_every_file_are_reported(tmp_path) -> None:
    whole, cut = pcap(tmp_path / "whole", [1, 2], 0), pcap(tmp_path / "cut", [1, 2], 1)
    cut.write_bytes(cut.read_bytes()[:-2])
    assert frames([whole, cut]) == [(0, 0), (1, 0), (0, 1)]
    with open_captures([whole, cut]) as reader:
        for _ in reader.batches():
            pass
        assert reader.damaged
        assert [f"{cut}: " in note for note in reader.notes] == [True]


def test_a_file_that_cannot_be_read_closes_the_others(tmp_path) -> None:
    with pytest.raises(FileError, match="no such file"):
        open_captures([pcap(tmp_path / "a", [1], 0), tmp_path / "none"])


def test_mergecap_gives_the_same_order(tmp_path) -> None:
    chance = np.random.default_rng(9)
    files = [np.sort(chance.integers(0, 1000, 300)).tolist() for _ in range(3)]
    paths = [pcap(tmp_path / str(n), times, n) for n, times in enumerate(files)]
    subprocess.run(
        [require_peer("mergecap"), "-w", tmp_path / "all", *paths], check=True, timeout=PATIENCE_S
    )
    theirs = frames([tmp_path / "all"])
    times = [files[n][at] for n, at in theirs]
    ours = frames(paths)
    assert [files[n][at] for n, at in ours] == times == sorted(times)
    assert sorted(ours) == sorted(theirs)
