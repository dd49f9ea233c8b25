"""``dump -Y``: the packets that pass, by chunks and by batches."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from app.cli.dump.printer import Printer
from app.cli.dump.selection import Selection
from app.cli.dump.text_lines import TextLines
from app.cli.main import run
from core.analysis.filter.display_filter import compile_filter
from core.analysis.filter.evaluation import pattern_search
from core.analysis.filter.fields.catalog import CATALOG
from core.analysis.filter.values.chunk_values import ChunkValues
from core.analysis.filter.values.frame_values import CaptureContext
from core.decode.batch_decoder import decode_batch
from core.wire.link.link_types import LinkType
from tests.app.made import capture_of
from tests.core.decode.frames import tcp_frame, udp_frame
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of

Capture = pytest.CaptureFixture[str]

FRAMES = [
    tcp_frame(flags="syn", sequence=1_000),
    tcp_frame(flags="syn ack", sequence=5_000, back=True),
    udp_frame(),
    tcp_frame(b"data", sequence=1_001),
    udp_frame(),
    tcp_frame(b"more", sequence=1_005),
]
LINK_TYPES = np.array([LinkType.ETHERNET], np.int32)


def selection(text: str) -> Selection:
    """Return the packets that pass a filter."""
    return Selection(compile_filter(text, CATALOG))


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Write `FRAMES` to a capture, one second apart."""
    times = [second * 1_000_000_000 for second in range(1, len(FRAMES) + 1)]
    return capture_of(tmp_path / "six.pcap", FRAMES, times)


@pytest.mark.parametrize("decoded", [True, False])
@pytest.mark.parametrize("step", [1, 2, len(FRAMES)])
def test_lines_of_the_packets_that_pass(capfd: Capture, decoded: bool, step: int) -> None:
    """They keep their numbers, and sequence numbers relative to packets that did not pass."""
    printer = Printer(TextLines(), None, selection=selection("tcp.len > 0"))
    for start in range(0, len(FRAMES), step):
        batch = batch_of(FRAMES[start : start + step])
        frames = decode_batch(batch, LINK_TYPES, 1 + start) if decoded else batch
        printer.take(frames, [ETHERNET_INTERFACE])
    lines = capfd.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["4", "6"]
    assert ["Seq=1 " in lines[0], "Seq=5 " in lines[1]] == [True, True]
    assert (printer.printed, printer.passed_over) == (2, 4)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("udp", ["3", "5"]),
        ("", ["1", "2", "3", "4", "5", "6"]),
        ("frame.number in {2, 4 .. 5}", ["2", "4", "5"]),
        ("frame.time_relative >= 3", ["4", "5", "6"]),
        ("frame.time_delta < 9", ["2", "3", "4", "5", "6"]),
        ('tcp contains "x" or arp', []),
    ],
)
def test_a_file(file: str, text: str, numbers: list[str], capsys: Capture) -> None:
    assert run(["dump", "-r", file, "-Y", text, "--fields", "frame.number"]) == 0
    assert capsys.readouterr() == ("".join(f"{number}\n" for number in numbers), "")


def test_the_limit_counts_the_packets_that_pass(file: str, capsys: Capture) -> None:
    assert run(["dump", "-r", file, "-Y", "tcp", "-c", "3", "--json"]) == 0
    records = map(json.loads, capsys.readouterr().out.splitlines())
    assert [record["frame.number"] for record in records] == [1, 2, 4]


def test_times_of_lines_count_from_the_first_packet_of_the_capture(
    file: str, capsys: Capture
) -> None:
    assert run(["dump", "-r", file]) == 0
    whole = capsys.readouterr().out.splitlines()
    assert run(["dump", "-r", file, "-Y", "udp"]) == 0
    assert capsys.readouterr().out.splitlines() == [whole[2], whole[4]]


def test_a_wrong_filter_is_wrong_usage(file: str, capsys: Capture) -> None:
    assert run(["dump", "-r", file, "-Y", "tcp and udp.prt == 5"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    message, text, mark = err.splitlines()
    assert re.match(r"rawscope dump: -Y, column 9: .*udp\.port", message)
    assert text == "  tcp and udp.prt == 5"
    assert mark == "          ^~~~~~~"


SLOW = [b"a" * 60 + b"b", b"aaa", b"a" * 70 + b"b"]


def test_slow_packets_are_counted_and_do_not_pass(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pattern_search, "PACKET_S", 0.005)
    path = capture_of(tmp_path / "slow.pcap", SLOW, [1, 2, 3])
    fields = ["--fields", "frame.number"]
    assert run(["dump", "-r", path, "-Y", 'frame matches "(a|aa)+$"', *fields]) == 0
    note = "2 packets took too long for the regular expression and count as without a match"
    assert capsys.readouterr() == ("2\n", f"rawscope: -Y: {note}\n")


def test_a_signal_ends_a_slow_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The packets before it are selected, at least the first one."""
    monkeypatch.setattr(pattern_search, "PACKET_S", 0.005)
    chosen = selection('not frame matches "(a|aa)+$"')
    chunk = decode_batch(batch_of(SLOW), LINK_TYPES)
    assert chosen.rows(ChunkValues(chunk, CaptureContext()), lambda: True).tolist() == [0]
    assert chosen.slow_packets == 1
