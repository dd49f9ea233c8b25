"""``rawscope flows``: the conversations and endpoints of a file, as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.cli.analysis.flows import text_lines
from app.cli.main import run
from core.analysis.flows.conversations import FlowCounter
from core.analysis.flows.level import Level
from core.analysis.flows.listing import FlowListing, FlowQuestion, listing_of
from core.analysis.tcp.flow_index import FlowIndex
from tests.core.analysis.flows.test_listing import SENT
from tests.core.analysis.tcp.conversations import chunk_of
from tests.core.files.make import pcap_header, pcap_record

Run = Callable[..., list[str]]


@pytest.fixture
def flows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command over a small capture; return its lines."""
    path = tmp_path / "small.pcap"
    chunk = chunk_of(SENT)
    records = [pcap_record(chunk.frame(row)) for row in range(len(chunk))]
    path.write_bytes(pcap_header() + b"".join(records))

    def command(*options: str) -> list[str]:
        assert run(["flows", "-r", str(path), *options]) == 0
        return capsys.readouterr().out.splitlines()

    return command


def test_a_table_for_each_level(flows: Run) -> None:
    lines = flows()
    assert [line for line in lines if ": " in line] == [
        "Ethernet: 1 conversation",
        "IPv4: 1 conversation",
        "IPv6: 0 conversations",
        "TCP: 3 conversations",
        "UDP: 0 conversations",
    ]


def test_columns_are_aligned_and_the_largest_is_first(flows: Run) -> None:
    title, heading, first, *_, blank = flows("--by", "tcp")
    assert title == "TCP: 3 conversations"
    assert heading.split()[:6] == ["END", "A", "END", "B", "PACKETS", "BYTES"]
    assert first.split()[:4] == ["10.0.0.1:40001", "10.0.0.2:443", "2", "708"]
    assert heading.index("BYTES") + len("BYTES") == first.index("708") + len("708")
    assert heading.endswith("STATE")
    assert first.endswith("open")
    assert not blank


def test_counts_of_tcp_say_which_side_sent(flows: Run) -> None:
    *_, last, _ = flows("--by", "tcp")
    assert last.split()[-5:] == ["0", "0", "1/0", "2", "reset"]


def test_json(flows: Run) -> None:
    found: list[dict[str, Any]] = [json.loads(line) for line in flows("--json", "--by", "tcp")]
    assert [each["port_a"] for each in found] == [40_001, 40_000, 40_002]
    assert found[1] == {
        "level": "tcp",
        "address_a": "10.0.0.1",
        "port_a": 40_000,
        "address_b": "10.0.0.2",
        "port_b": 80,
        "packets": 2,
        "packets_a_to_b": 1,
        "packets_b_to_a": 1,
        "bytes": 108,
        "bytes_a_to_b": 54,
        "bytes_b_to_a": 54,
        "start": "0.000000000",
        "duration": found[1]["duration"],
        "bits_per_second": found[1]["bits_per_second"],
        "stream": 0,
        "state": "half open",
        "retransmissions_a_to_b": 0,
        "retransmissions_b_to_a": 0,
        "zero_windows_a_to_b": 0,
        "zero_windows_b_to_a": 0,
        "resets_a_to_b": 0,
        "resets_b_to_a": 0,
    }


def test_endpoints(flows: Run) -> None:
    lines = flows("--json", "--by", "ip", "--endpoints")
    found: list[dict[str, Any]] = [json.loads(line) for line in lines]
    assert {each["address"]: each["packets_sent"] for each in found} == {
        "10.0.0.1": 3,
        "10.0.0.2": 2,
    }
    assert all(each["conversations"] == 1 and "state" not in each for each in found)


def test_only_packets_that_pass_a_filter(flows: Run) -> None:
    (line,) = flows("--json", "--by", "tcp", "-Y", "tcp.flags.reset == 1")
    assert json.loads(line)["port_a"] == 40_002


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--by", "sctp"], "'sctp' is not one of"),
        (["-Y", "tcp.prt"], "-Y, column 1"),
        (["-r", "-", "-r", "-"], "give it once"),
    ],
)
def test_wrong_usage(options: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["flows", "-r", "a.pcap", *options]) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_a_terminal_gets_the_columns_that_fit_and_a_pipe_all(flows: Run) -> None:
    (listing,) = [each for each in listed() if each.question.level is Level.TCP]
    whole = list(text_lines(listing))
    assert whole[1].split() == flows("--by", "tcp")[1].split()
    for width in (200, 160, 120, 100, 80, 60):
        title, heading, *rows, _ = text_lines(listing, width)
        assert all(len(line) <= width for line in (heading, *rows))
        assert len(rows) == len(listing)
        left_out = title.partition("; too narrow for ")[2].split(", ") if ";" in title else []
        for name in COLUMNS:
            assert (name in left_out) != (f"  {name}  " in f"  {heading}  "), (width, name)
    assert "BYTES" in heading
    assert list(text_lines(listing, 10_000)) == whole


COLUMNS = ("PACKETS", "BYTES", "DURATION", "RETRANSMITTED", "ZERO WINDOWS", "STATE", "BITS/S")


def listed() -> list[FlowListing]:
    """Return the conversations of the capture, by level."""
    chunk, counter = chunk_of(SENT), FlowCounter()
    counter.add(chunk, FlowIndex().append(chunk))
    return [
        listing_of(FlowQuestion(level), counter.tables[level], counter.scale, counter.packets)
        for level in Level
    ]


@pytest.mark.parametrize("command", ["flows", "stats", "follow"])
def test_files_are_named_with_or_without_an_option(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, chunk = tmp_path / "small.pcap", chunk_of(SENT)
    records = [pcap_record(chunk.frame(row)) for row in range(len(chunk))]
    path.write_bytes(pcap_header() + b"".join(records))
    last = ["0"] if command == "follow" else []
    assert run([command, "-r", str(path), *last]) == 0
    expected = capsys.readouterr().out
    assert run([command, str(path), *last]) == 0
    assert capsys.readouterr().out == expected != ""
    assert run([command, *last]) == 2
    assert "no capture file: name one, or give -r FILE" in capsys.readouterr().err
    assert run([command, "-r", "-", "-", *last]) == 2
    assert "reads standard input: give it once" in capsys.readouterr().err
