"""``dump --fields``: the values of a packet's record, and those that only filters had before."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.cli.dump import field_lines
from app.cli.dump.field_cells import PartValues, cell_reader
from app.cli.dump.field_lines import FieldLines
from app.cli.dump.json_lines import frame_record
from app.cli.dump.line_format import ChunkPart, UnknownFieldError
from app.cli.field_names import known_names
from app.cli.main import run
from core.analysis.field_texts import field_text
from core.analysis.filter.packet_filter import context_of
from core.analysis.filter.values.chunk_values import ChunkValues
from core.analysis.filter.values.frame_values import CaptureContext
from core.analysis.packet_facts import PacketFacts
from core.store.captured_packet import packets_of
from core.wire.model.assigned_numbers import IpProtocol
from core.wire.model.text import safe
from core.wire.protocol import SequenceBases
from tests.app.made import SYN, capture_of, udp_frame
from tests.core.analysis.filter.capture_values import Capture
from tests.core.analysis.filter.values.test_occurrences import COVER
from tests.core.decode.frames import arp_frame, ethernet, ipv4, tcp, tcp_frame
from tests.core.wire.application.test_payload_info import QUESTION, message
from tests.helpers.scripted import scripted_store
from tests.helpers.support import captures_dir, require_peer
from tests.helpers.waiting import PATIENCE_S

Output = pytest.CaptureFixture[str]
MANY_PROTOCOLS = "seladb+PcapPlusPlus/Tests/ExamplesTest/pcap_examples/many-protocols.pcap"
SAMPLE = 100  # packets of each capture
TIMES = [1_700_000_000_000_000_000 + second * 1_500_000_000 for second in range(9)]
TUNNELED = ethernet(ipv4(ipv4(tcp(b"inside"), IpProtocol.TCP), IpProtocol.IPV4))


def parts_of(path: Path, rows: int = SAMPLE) -> Iterator[ChunkPart]:
    """Yield the first packets of each chunk of a capture."""
    capture = Capture(path)
    context = CaptureContext(capture.interfaces)
    for chunk in capture.chunks:
        bases = SequenceBases.unknown(len(chunk))
        chosen = np.arange(min(rows, len(chunk)))
        yield ChunkPart(chunk, context, ChunkValues(chunk, context), chosen, bases)
        context = context.after(chunk)


def records_of(part: ChunkPart) -> list[dict[str, Any]]:
    """Return the record of each packet, read by dissecting it."""
    packets = packets_of(part.chunk, part.interfaces, part.chunk.first, part.rows)
    return [frame_record(packet, packet.dissect(), raw=True) for packet in packets]


def text_of(value: Any) -> str:
    """Return a value of a record as ``--fields`` prints it."""
    match value:
        case None:
            return ""
        case str():
            return safe(value)
        case list():
            return ",".join(map(text_of, value))
    return json.dumps(value, separators=(",", ":"))


@pytest.mark.corpus
def test_columns_equal_the_record_of_every_packet() -> None:
    """Every name, in captures that have every field; as text and as JSON."""
    parts = [part for path in COVER for part in parts_of(captures_dir() / "files" / path)]
    records = [records_of(part) for part in parts]
    names = sorted({name for packets in records for record in packets for name in record})
    assert len(names) > 200
    lines = FieldLines(names)
    for part, packets in zip(parts, records, strict=True):
        texts = [text for block in lines.lines(part) for text in block]
        assert texts == ["\t".join(text_of(each.get(name)) for name in names) for each in packets]
    for part, packets in islice(zip(parts, records, strict=True), 0, None, 4):
        objects = FieldLines(sorted({name for record in packets for name in record}), as_json=True)
        found = [json.loads(text or "") for block in objects.lines(part) for text in block]
        assert found == packets


@pytest.mark.corpus
def test_fields_equal_those_of_tshark(capsys: Output) -> None:
    """Combined fields, options, payloads, and times, in packets without others inside."""
    path = captures_dir() / "files" / MANY_PROTOCOLS
    names = (
        "frame.number", "ip.addr", "tcp.port", "tcp.options.mss_val", "tcp.options.mss",
        "tcp.flags.str", "frame.time_relative", "udp.length", "tcp.payload", "eth.addr",
    )  # fmt: skip
    assert run(["dump", "-r", str(path), "-c", "1500", "--fields", ",".join(names)]) == 0
    tshark = [require_peer("tshark"), "-n", "-r", str(path), "-c", "1500", "-T", "fields"]
    options = [word for name in names for word in ("-e", name)]
    options += ["-o", "ip.defragment:FALSE", "-o", "tcp.desegment_tcp_streams:FALSE"]
    done = subprocess.run(
        [*tshark, *options], capture_output=True, text=True, check=True, timeout=PATIENCE_S
    )
    assert capsys.readouterr().out == done.stdout


SHARED = (
    "frame", "frame.number", "frame.len", "frame.protocols", "frame.time", "frame.time_utc",
    "frame.time_epoch", "frame.time_delta", "frame.time_relative", "eth", "ip", "tcp", "udp", "arp",
    "icmp", "ipv6", "ip.src", "eth.addr", "tcp.port", "tcp.len", "tcp.checksum.status",
)  # fmt: skip


@pytest.mark.parametrize("name", SHARED)
def test_columns_of_the_table_have_the_same_texts(name: str) -> None:
    """`core.analysis.field_texts` says which texts differ, and why."""
    snapshot = scripted_store().snapshot()
    (chunk,) = snapshot.chunks
    context = context_of(snapshot, chunk)
    bases, rows = SequenceBases.unknown(len(chunk)), np.arange(len(chunk))
    part = ChunkPart(chunk, context, ChunkValues(chunk, context), rows, bases)
    cells = cell_reader(name)(PartValues(part))
    printed = [""] * len(chunk)
    for row, text in zip(cells.rows.tolist(), cells.texts, strict=True):
        printed[row] += f",{text}" if printed[row] else text
    shown = field_text(name)
    packets = [snapshot.packet(number) for number in range(1, len(chunk) + 1)]
    found = [shown(PacketFacts(each, each.dissect(), snapshot)) for each in packets]
    assert found == printed
    assert any(printed)


@pytest.fixture
def file(tmp_path: Path) -> str:
    frames = [SYN, udp_frame(b"payload"), arp_frame(), TUNNELED, tcp_frame(b"data", sequence=9)]
    return capture_of(tmp_path / "five.pcap", frames, TIMES[: len(frames)])


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("ip.addr", ["127.0.0.1,127.0.0.1"] * 2 + [""] + ["10.0.0.1,10.0.0.2"] * 2),
        ("tcp.port", ["40000,7007", "", "", "", "40000,80"]),
        ("udp.payload", ["", b"payload".hex(), "", "", ""]),
        ("tcp.payload", ["", "", "", "", b"data".hex()]),
        ("data", ["", b"payload".hex(), "", b"inside".hex(), b"data".hex()]),
        ("data.len", ["", "7", "", "6", "4"]),
        ("frame.time_relative", [f"{1.5 * row:.9f}" for row in range(5)]),
        ("frame.time_delta", ["", *["1.500000000"] * 4]),
        ("frame.time_utc", ["2023-11-14T22:13:20.000000000Z", "2023-11-14T22:13:21.500000000Z"]),
        ("tcp.flags.str", ["··········S·", "", "", "", "·······A····"]),
        ("tcp.options.mss", ["0204ffd7", "", "", "", ""]),
        ("ip.version", ["4", "4", "", "4", "4"]),
        ("udp", ["", "User Datagram Protocol, 40000 → 9", "", "", ""]),
        ("frame", ["Frame 1: 74 bytes", "Frame 2: 49 bytes"]),
        ("_ws.col.protocol", ["TCP", "UDP", "ARP", "TCP", "TCP"]),
        ("frame.direction", [""] * 5),
        ("frame.ignored", ["false"] * 5),
    ],
)
def test_names_that_a_record_lacks(file: str, name: str, values: list[str], capsys: Output) -> None:
    """The values are those of the outermost packet; data is what no header has."""
    assert run(["dump", "-r", file, "--fields", name]) == 0
    assert capsys.readouterr().out.splitlines()[: len(values)] == values


def test_local_times_end_with_their_zone(
    file: str, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        assert run(["dump", "-r", file, "-c", "1", "--fields", "frame.time"]) == 0
    finally:
        monkeypatch.undo()
        time.tzset()
    assert capsys.readouterr().out == "2023-11-15T03:43:20.000000000+0530\n"


def test_json_has_only_the_fields_that_a_packet_has(file: str, capsys: Output) -> None:
    names = [
        "frame.number",
        "ip.addr",
        "udp.payload",
        "arp.opcode",
        "tcp.flags.syn",
        "_ws.col.info",
    ]
    assert run(["dump", "-r", file, "--json", "--fields", ",".join(names)]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert found[1] == {
        "frame.number": 2,
        "ip.addr": ["127.0.0.1", "127.0.0.1"],
        "udp.payload": b"payload".hex(),
        "_ws.col.info": "40000 → 9 Len=7",
    }
    assert found[2]["arp.opcode"] == 1
    assert [each.get("tcp.flags.syn") for each in found] == [True, None, None, None, False]


def test_info_shows_relative_numbers(tmp_path: Path, capsys: Output) -> None:
    frames = [tcp_frame(flags="syn", sequence=1_000), tcp_frame(b"data", sequence=1_001)]
    path = capture_of(tmp_path / "two.pcap", frames)
    assert run(["dump", "-r", path, "--fields", "_ws.col.info"]) == 0
    assert "Seq=1 " in capsys.readouterr().out.splitlines()[1]


@pytest.mark.parametrize("fields", [[], ["--json"]])
def test_slices_change_nothing(
    file: str, fields: list[str], capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chunk is read in slices; times and numbers continue over their borders."""
    names = "frame.number,frame.time_delta,frame.time_relative,ip.src,tcp.port,_ws.col.info"
    arguments = ["dump", "-r", file, *fields, "--fields", names]
    assert run(arguments) == 0
    whole = capsys.readouterr().out
    monkeypatch.setattr(field_lines, "_MOST_ROWS", 2)
    for extra in ([], ["-Y", "not arp"], ["-c", "3"]):
        assert run([*arguments, *extra]) == 0
        lines = whole.splitlines(keepends=True)
        expected = {"-Y": [*lines[:2], *lines[3:]], "-c": lines[:3]}.get((extra or ["-"])[0], lines)
        assert capsys.readouterr().out == "".join(expected)


def test_a_column_that_fails_costs_only_the_packet_at_fault(
    file: str, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = cell_reader("ip.ttl")

    def broken(values):
        if 2 in (values.part.rows + values.part.chunk.first).tolist():
            raise TypeError("broken")
        return right(values)

    monkeypatch.setattr(field_lines, "cell_reader", lambda name: broken)
    assert run(["dump", "-r", file, "--fields", "ip.ttl"]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines() == ["64", "", "", "64", "64"]
    assert "1 packet not described; packet 2" in err


def test_an_unknown_name_offers_the_nearest() -> None:
    with pytest.raises(UnknownFieldError, match=r"nearest: ip\.ttl"):
        FieldLines(["ip.tll"])


def test_the_name_of_an_application_prints_its_message(tmp_path: Path, capsys: Output) -> None:
    path = capture_of(tmp_path / "dns.pcap", [udp_frame(message(1, 0, QUESTION, 0x0100), port=53)])
    assert run(["dump", "-r", path, "--fields", "dns,mdns"]) == 0
    assert capsys.readouterr().out == "Standard query 0x0001 A example.org\t\n"


def test_every_known_name_can_be_printed(file: str, capsys: Output) -> None:
    names = sorted(known_names())
    assert run(["dump", "-r", file, "--json", "--fields", ",".join(names)]) == 0
    assert [json.loads(line)["frame.number"] for line in capsys.readouterr().out.splitlines()] == [
        1, 2, 3, 4, 5,
    ]  # fmt: skip
