"""Compare every packet of every shared capture with tshark and with an independent reader."""

from __future__ import annotations

import gzip
import hashlib
import json

import pytest

from core.files.formats import FileError
from core.files.reader import open_capture
from tests.core.files.make import Read
from tests.helpers.support import captures_dir

pytestmark = pytest.mark.corpus


def names() -> list[str]:
    folder = captures_dir()
    return list(json.loads((folder / "exit.json").read_text()))


def expected_packets(name: str) -> list[dict]:
    path = captures_dir() / "expected" / f"{name}.jsonl.gz"
    with gzip.open(path, "rt") as lines:
        rows = [json.loads(line) for line in lines]
    return [row for row in rows if row["pkt"] is not None]


def test_every_packet_of_every_capture() -> None:
    exits = json.loads((captures_dir() / "exit.json").read_text())
    refused = []
    packets = 0
    for name in names():
        expected = expected_packets(name)
        try:
            found = Read(open_capture(captures_dir() / "files" / name))
        except FileError:
            refused.append(name)
            assert exits[name]["tshark_exit"] == 2
            assert not expected
            continue
        assert len(found.frames) == len(expected), name
        assert found.damaged == (exits[name]["tshark_exit"] != 0), name
        for index, row in enumerate(expected):
            frame = found.frames[index]
            seen = (len(frame), found.original[index], hashlib.md5(frame).hexdigest())
            assert seen == (row["caplen"], row["len"], row["md5"]), (name, row["n"])
            if row["ts_ok"]:
                seconds, below = divmod(found.times[index], 10**9)
                assert f"{seconds}.{below:09d}" == row["ts"], (name, row["n"])
        packets += len(expected)
    assert refused == ["the-tcpdump-group+libpcap/tests/pcap-invalid-version-1.pcap"]
    assert packets > 16_000


def test_streams_give_what_maps_give(tmp_path) -> None:
    for name in names():
        path = captures_dir() / "files" / name
        if path.suffix == ".gz" or name.endswith("invalid-version-1.pcap"):
            continue
        packed = tmp_path / "packed.gz"
        packed.write_bytes(gzip.compress(path.read_bytes(), 1))
        mapped, streamed = Read(open_capture(path)), Read(open_capture(packed))
        for attribute in ("frames", "times", "original", "interface", "flags", "comments"):
            assert getattr(mapped, attribute) == getattr(streamed, attribute), name
        assert mapped.damaged == streamed.damaged
        assert mapped.interfaces == streamed.interfaces
