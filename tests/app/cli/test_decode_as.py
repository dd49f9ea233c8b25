"""The option ``-d``: what it accepts, and that lines, JSON, fields, and both paths follow it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.cli.decode_as import DecodeAsError, decode_rules
from app.cli.main import run
from core.wire.application.payload_info import READERS, describe_bytes
from core.wire.model.decode_rules import NO_RULES, DecodeRules
from tests.app.made import capture_of, udp_frame
from tests.core.decode.frames import tcp_frame
from tests.core.wire.application.test_payload_info import QUESTION, message

Capture = pytest.CaptureFixture[str]
DNS = message(1, 0, QUESTION, 0x0100)
OVER_TCP = len(DNS).to_bytes(2, "big") + DNS


def name_of(
    rules: DecodeRules, transport: str, source: int, destination: int, data: bytes
) -> str | None:
    found = describe_bytes(rules, transport, source, destination, data)
    return found.name if found else None


def test_a_port_gets_a_reader() -> None:
    assert name_of(NO_RULES, "udp", 9, 40000, DNS) is None
    rules = decode_rules(["udp.port==9,dns", "tcp.port == 8000-8010 , dns", "udp.port==53,data"])
    for ports in ((9, 40000), (40000, 9)):
        assert name_of(rules, "udp", *ports, DNS) == "DNS"
    assert name_of(rules, "tcp", 8010, 1, OVER_TCP) == "DNS"
    assert name_of(rules, "tcp", 8011, 1, OVER_TCP) is None
    assert name_of(rules, "tcp", 9, 1, OVER_TCP) is None  # the transport counts
    assert name_of(rules, "udp", 53, 1, DNS) is None
    assert name_of(rules, "tcp", 53, 1, OVER_TCP) == "DNS"


def test_a_reader_alone_reads_its_port() -> None:
    request = b"GET / HTTP/1.1\r\n\r\n"
    assert name_of(NO_RULES, "tcp", 8443, 1, request) == "HTTP"
    rules = decode_rules(["tcp.port==8443:2,tls"])
    assert name_of(rules, "tcp", 8443, 1, request) is None
    assert name_of(rules, "tcp", 1, 8444, request) is None
    assert name_of(rules, "tcp", 8445, 1, request) == "HTTP"


def test_the_last_assignment_of_a_port_counts() -> None:
    rules = decode_rules(["udp.port==1-100,data", "udp.port==9,mdns"])
    assert name_of(rules, "udp", 9, 40000, DNS) == "mDNS"


def test_rules_end_with_their_command(tmp_path: Path, capsys: Capture) -> None:
    """A later command of the same process has the usual ports."""
    path = capture_of(tmp_path / "one.pcap", [udp_frame(DNS)])
    for options, name in ((["-d", "udp.port==9,dns"], "DNS"), ([], "UDP")):
        assert run(["dump", "-r", path, "--fields", "_ws.col.protocol", *options]) == 0
        assert capsys.readouterr().out == f"{name}\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("tcp.port==8080", r"is not LAYER==PORT,PROTOCOL, such as tcp\.port==8080,http"),
        ("tcp.port=8080,http", "is not LAYER==PORT,PROTOCOL"),
        ("sctp.port==80,http", r"the layer is tcp\.port or udp\.port"),
        ("tcp.port==80,ftp", "one of data, dns, http, llmnr, mdns, ssdp, tls"),
        ("tcp.port==80,HTTP", "one of data, dns, http"),
        ("udp.port==443,tls", "does not read tls over UDP"),
        ("tcp.port==x,http", "give a port, a range"),
        ("tcp.port==,http", "give a port, a range"),
        ("tcp.port==70000,http", "ports are 0 to 65535"),
        ("tcp.port==9-3,http", "the lower one first"),
        ("tcp.port==80:0,http", "the count must be at least 1"),
        (f"tcp.port=={'9' * 5000},http", "give a port, a range"),
    ],
)
def test_errors_say_what_is_possible(text: str, reason: str, capsys: Capture) -> None:
    with pytest.raises(DecodeAsError, match=reason):
        decode_rules([text])
    assert run(["dump", "-r", "absent", "-d", text]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_every_reader_has_a_transport() -> None:
    assert all(reader.names for reader in READERS.values())


def test_lines_json_and_fields_follow(tmp_path: Path, capsys: Capture) -> None:
    """Both packets are shown the same way by columns, and beside a packet that has no shape."""
    frames = [udp_frame(DNS), tcp_frame(OVER_TCP)]
    path = capture_of(tmp_path / "two.pcap", frames)
    options = ["dump", "-r", path, "-d", "udp.port==9,dns", "-d", "tcp.port==80,dns"]
    assert run(options) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(" DNS " in line and "A example.org" in line for line in lines)
    assert run([*options, "--json"]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["_ws.col.protocol"] for each in records] == ["DNS", "DNS"]
    assert run([*options, "--fields", "_ws.col.protocol,_ws.col.info"]) == 0
    texts = capsys.readouterr().out.splitlines()
    assert texts == [f"DNS\t{each['_ws.col.info']}" for each in records]
    assert run([*options, "--hex"]) == 0
    assert capsys.readouterr().out.count("A example.org") == 2
