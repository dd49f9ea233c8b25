"""rawscope stats: tables for readers, one object for scripts."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from app.cli.analysis.stats import StatisticsOutput
from app.cli.main import run
from app.cli.output import InterruptedCommandError
from tests.core.decode.frames import arp_frame, tcp_frame, udp_frame
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """Three packets in two seconds, with a nanosecond pcap header."""
    path = tmp_path / "a.pcap"
    data = bytes.fromhex("4d3cb2a1 0200 0400 00000000 00000000 00000400 01000000".replace(" ", ""))
    for second, frame in enumerate((tcp_frame(b"GET / HTTP/1.1\r\n"), udp_frame(), arp_frame())):
        for number in (1_700_000_000 + second, 5, len(frame), len(frame)):
            data += number.to_bytes(4, "little")
        data += frame
    path.write_bytes(data)
    return path


def _object(capsys) -> dict:
    (line,) = capsys.readouterr().out.splitlines()
    return json.loads(line)


def test_one_object_has_all_statistics(capture, capsys) -> None:
    assert run(["stats", "-r", str(capture), "--json", "--interval", "1"]) == 0
    found = _object(capsys)
    size = capture.stat().st_size - 24 - 3 * 16
    assert (found["packets"], found["bytes"]) == (3, size)
    assert found["first_time"] == "1700000000.000000005"
    (link,) = found["hierarchy"]
    assert (link["protocol"], link["packets"], link["end_packets"]) == ("eth", 3, 0)
    assert {each["protocol"] for each in link["inside"]} == {"ip", "arp"}
    assert sum(each["packets"] for each in found["lengths"]) == 3
    assert [each["packets"] for each in found["rate"]["intervals"]] == [1, 1, 1]
    assert found["rate"]["interval_s"] == 1
    assert len(found["talkers"]) == found["addresses"]


def test_only_packets_that_pass_count(capture, capsys) -> None:
    assert run(["stats", "-r", str(capture), "-Y", "udp", "--json"]) == 0
    found = _object(capsys)
    assert found["packets"] == 1
    assert found["first_time"] == found["last_time"] == "1700000001.000000005"


def test_tables_are_aligned(capture, capsys) -> None:
    assert run(["stats", "-r", str(capture)]) == 0
    headline, *lines = capsys.readouterr().out.splitlines()
    assert headline.startswith("3 packets, ")
    tables = "\n".join(lines).strip().split("\n\n")
    assert [table.split()[0] for table in tables] == ["PROTOCOL", "LENGTH", "ADDRESS", "TIME"]
    for table in tables:
        heading, *rows = table.splitlines()
        assert rows
        assert {len(row) for row in rows} == {len(heading)}
    assert "2023-11-14T22:13:20.000000000Z" in tables[3]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--interval", "0.000001"], "the capture has more than"),
        (["-Y", "udp ==="], "-Y, column"),
        (["--interval", "0"], "--interval"),
    ],
)
def test_refusals(words, said, capture, capsys) -> None:
    assert run(["stats", "-r", str(capture), *words]) in (1, 2)
    assert said in capsys.readouterr().err


def test_an_interrupted_count_says_so(capsys) -> None:
    """The statistics are those of the packets until then."""
    output = StatisticsOutput(None, None, False, lambda: True, lambda: signal.SIGTERM)
    output.take(batch_of([tcp_frame(), udp_frame()]), [ETHERNET_INTERFACE])
    assert output.done
    with pytest.raises(InterruptedCommandError, match="only 2 packets counted") as raised:
        output.end(is_cut=True)
    assert raised.value.status == 128 + signal.SIGTERM
    assert capsys.readouterr().out.startswith("2 packets, ")


def test_no_packets(tmp_path, capture, capsys) -> None:
    empty = tmp_path / "empty.pcap"
    empty.write_bytes(capture.read_bytes()[:24])
    assert run(["stats", "-r", str(empty)]) == 0
    assert capsys.readouterr().out.startswith("0 packets, 0 bytes\n")
    assert run(["stats", "-r", str(empty), "--json"]) == 0
    assert _object(capsys)["rate"]["intervals"] == []
