"""The command line as a script uses it: output on stdout and stderr, and the exit status.

Commands run in this process through `app.cli.main.run`; test_process.py tests whole processes
(imports, signals, pipes).
"""

from __future__ import annotations

import json
import re
import socket
import struct
from pathlib import Path

import pytest

from app.cli.main import run
from tests.app.made import SYN, capture_of, pcap_record, udp_frame

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def one_syn(tmp_path: Path) -> str:
    """Write a capture of the example packet of the contract."""
    return capture_of(tmp_path / "syn.pcap", [SYN])


@pytest.mark.parametrize(
    "arguments", [[], ["dump", "-r", "x"], ["stats", "-r", "x"], ["flows", "-r", "x"]]
)
def test_a_wrong_filter_is_printed_with_the_place_marked(
    arguments: list[str], capsys: Capture
) -> None:
    assert run([*arguments, "-Y", "ip\x1b ="]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"rawscope( \w+)?: -Y, column 3: [^\n]+\n  ip\\x1b =\n    \^~~~\n", err), (
        err
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["dump"], "-i IFACE or -r FILE"),
        (["dump", "-i", "lo", "-r", "x"], "-i captures, and a file is read"),
        (["dump", "-r", "x", "-a", "1"], "-a applies to capturing"),
        (["dump", "-r", "x", "-p"], "-p applies to capturing"),
        (["dump", "-r", "x", "-c", "0"], "-c"),
        (["dump", "-r", "x", "--json", "--hex"], "--hex excludes --json and --fields"),
        (["dump", "-r", "x", "--raw"], "--raw requires --json"),
        (["dump", "-r", "x", "--raw", "--json", "--fields", "ip.src"], "add frame.raw to these"),
        (["dump", "-r", "x", "--fields", "ip.tll"], "nearest: ip.ttl"),
        (["dump", "-i", "lo", "-s", "262145"], "-s"),
        (["dump", "-i", "lo", "--source", "pcap"], "--source"),
        (["-i", "lo", "dump", "-i", "lo"], "put them after it"),
        (["--demo", "-i", "lo"], "--demo watches loopback"),
        (["-i", "lo", "-r", "x"], "-i captures, and a file is read"),
        (["fields", "a", "b"], "unexpected extra argument"),
        (["dump", "-i", "lo", "-c", "1", "-c", "2"], "-c is given twice: give it once"),
        (["send", "--ip.ttl", "3", "--ip.ttl", "4"], "--ip.ttl is given twice: give it once"),
        (["replay", "a", "--link", "lo", "--link", "lo"], "--link is given twice: give it once"),
        (["dump", "a.pcap"], "unexpected extra argument (a.pcap); -r FILE reads a file"),
    ],
)
def test_wrong_usage_is_status_2_and_one_line(
    arguments: list[str], says: str, capsys: Capture
) -> None:
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert says in err
    assert err.startswith("rawscope")
    assert "--help" in err


def test_help_and_version_go_to_stdout(capsys: Capture) -> None:
    for arguments in (["--help"], ["-h"], ["dump", "--help"], ["--version"]):
        assert run(arguments) == 0
        out, err = capsys.readouterr()
        assert out
        assert err == ""


def test_a_line_a_packet(one_syn: str, capsys: Capture) -> None:
    assert run(["dump", "-r", one_syn]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("    1    0.000000 127.0.0.1 → 127.0.0.1 TCP 74 40000 → 7007 [SYN] Seq=0")
    assert out.count("\n") == 1


def test_a_line_names_the_wrong_checksum(tmp_path: Path, capsys: Capture) -> None:
    bad = bytearray(SYN)
    bad[22] ^= 1  # the time to live: the IPv4 checksum is wrong, TCP's is not
    path = capture_of(tmp_path / "bad.pcap", [SYN, bytes(bad)])
    assert run(["dump", "-r", path]) == 0
    good, wrong = capsys.readouterr().out.splitlines()
    assert "checksum" not in good
    assert wrong.endswith(" [bad ip checksum]")


def test_json_is_the_contract(one_syn: str, capsys: Capture) -> None:
    """Compare every key of PRODUCT.md's example, in order, with its value."""
    assert run(["dump", "-r", one_syn, "--json"]) == 0
    out = capsys.readouterr().out
    packet = json.loads(out)
    expected = {
        "frame.number": 1, "frame.time_epoch": "1700000000.123456789", "frame.len": 74,
        "frame.cap_len": 74, "frame.protocols": "eth:ip:tcp",
        "eth.dst": "00:00:00:00:00:00", "eth.src": "00:00:00:00:00:00", "eth.type": 2048,
        "ip.version": 4, "ip.hdr_len": 20, "ip.dsfield": 0, "ip.len": 60, "ip.id": 4711,
        "ip.flags.rb": False, "ip.flags.df": True, "ip.flags.mf": False, "ip.frag_offset": 0,
        "ip.ttl": 64, "ip.proto": 6, "ip.checksum": 10835, "ip.checksum.status": "good",
        "ip.src": "127.0.0.1", "ip.dst": "127.0.0.1",
        "tcp.srcport": 40000, "tcp.dstport": 7007, "tcp.seq_raw": 1, "tcp.ack_raw": 0,
        "tcp.hdr_len": 40, "tcp.flags": 2, "tcp.flags.syn": True,
        "tcp.window_size_value": 65495, "tcp.checksum": 65072,
        "tcp.checksum.status": "offloaded", "tcp.urgent_pointer": 0,
        "tcp.options": "0204ffd70402080a00000001000000000103030a", "tcp.len": 0,
    }  # fmt: skip
    assert {key: packet.get(key) for key in expected} == expected
    kept = [key for key in packet if key in expected]
    in_contract = [key for key in expected if key not in ("tcp.options", "tcp.len")]
    assert [key for key in kept if key in in_contract] == in_contract
    assert "frame.stop" not in packet
    assert "frame.interface_name" not in packet  # a pcap file does not name it
    assert "frame.raw" not in packet


def test_raw_adds_the_bytes(one_syn: str, capsys: Capture) -> None:
    assert run(["dump", "-r", one_syn, "--json", "--raw"]) == 0
    assert json.loads(capsys.readouterr().out)["frame.raw"] == SYN.hex()


def test_fields_are_separated_by_tabs(one_syn: str, capsys: Capture) -> None:
    """Present fields have the same text as in JSON; absent ones are empty."""
    names = "frame.number,ip.src,udp.length,ip.flags.df,tcp.flags.fin,tcp.checksum.status"
    assert run(["dump", "-r", one_syn, "--fields", names]) == 0
    assert capsys.readouterr().out == "1\t127.0.0.1\t\ttrue\tfalse\toffloaded\n"


def test_hex_shows_every_byte(one_syn: str, capsys: Capture) -> None:
    assert run(["dump", "-r", one_syn, "--hex"]) == 0
    lines = capsys.readouterr().out.splitlines()
    pairs = "".join(line[7:54] for line in lines[1:] if line)
    assert bytes.fromhex(pairs) == SYN
    assert lines[1].endswith("..............E.")


def test_count_ends_early(tmp_path: Path, capsys: Capture) -> None:
    path = capture_of(tmp_path / "many.pcap", [udp_frame(bytes([n])) for n in range(9)])
    assert run(["dump", "-r", path, "-c", "4", "--fields", "frame.number"]) == 0
    assert capsys.readouterr().out == "1\n2\n3\n4\n"


def test_relative_numbers_follow_the_handshake(tmp_path: Path, capsys: Capture) -> None:
    """A later packet counts from the SYN of its connection, else its first byte is 1."""
    later = bytearray(SYN)
    struct.pack_into(">I", later, 38, 101)  # sequence number: 100 after the SYN's
    later[47] = 0x18  # flags: PSH, ACK
    other = bytearray(later)
    struct.pack_into(">H", other, 34, 40001)  # another source port
    path = capture_of(tmp_path / "seq.pcap", [SYN, bytes(later), bytes(other)])
    assert run(["dump", "-r", path]) == 0
    _, second, third = capsys.readouterr().out.splitlines()
    assert "Seq=100 " in second
    assert "Seq=1 " in third


def test_unusual_times_are_exact(tmp_path: Path, capsys: Capture) -> None:
    """Nine decimals, up to the last second of 32 bits; a negative difference has its sign."""
    path = capture_of(
        tmp_path / "times.pcap", [SYN, SYN], times_ns=[4294967295_999999999, 4294967295_000000001]
    )
    assert run(["dump", "-r", path, "--fields", "frame.time_epoch"]) == 0
    assert capsys.readouterr().out == "4294967295.999999999\n4294967295.000000001\n"
    assert run(["dump", "-r", path]) == 0
    assert " -0.999999 " in capsys.readouterr().out


def test_frames_of_unsupported_link_types_are_reported(tmp_path: Path, capsys: Capture) -> None:
    """One line names the link type, and the packets are printed in hex."""
    header = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 127)
    path = tmp_path / "radio.pcap"
    path.write_bytes(header + pcap_record(SYN) * 2)
    assert run(["dump", "-r", str(path), "--hex"]) == 0
    out, err = capsys.readouterr()
    assert "IEEE802_11_RADIOTAP" in err
    assert "hex only" in err
    assert err.count("\n") == 1
    assert out.count(" Data ") == 2


def test_an_empty_capture_succeeds(tmp_path: Path, capsys: Capture) -> None:
    assert run(["dump", "-r", capture_of(tmp_path / "none.pcap", [])]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_cut_file_shows_its_good_part_and_fails(tmp_path: Path, capsys: Capture) -> None:
    path = Path(capture_of(tmp_path / "cut.pcap", [SYN, SYN]))
    path.write_bytes(path.read_bytes()[:-1])
    assert run(["dump", "-r", str(path), "--fields", "frame.number"]) == 1
    out, err = capsys.readouterr()
    assert out == "1\n"
    assert err.count("\n") == 1
    assert "cut short" in err


@pytest.mark.parametrize("content", [b"", b"hello, world\n" * 9, b"\x7fELF" + bytes(99)])
def test_another_kind_of_file_fails_in_one_line(
    content: bytes, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "odd\x1b[31m.pcap"
    path.write_bytes(content)
    assert run(["dump", "-r", str(path)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "\x1b" not in err
    assert "Traceback" not in err


def test_a_missing_file_fails_in_one_line(tmp_path: Path, capsys: Capture) -> None:
    assert run(["dump", "-r", str(tmp_path / "nothing.pcap")]) == 1
    err = capsys.readouterr().err
    assert "nothing.pcap" in err
    assert err.count("\n") == 1


def test_no_packet_controls_the_terminal(tmp_path: Path, capsys: Capture) -> None:
    """The Info line quotes escape sequences, C1 and bidi characters."""
    evil = "GET /\x1b]0;owned\x07\x9b31m\u202e HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    path = capture_of(tmp_path / "evil.pcap", [udp_frame(evil), udp_frame(evil, port=53)])
    for style in ([], ["--hex"], ["--json"], ["--fields", "ip.src,frame.raw"]):
        assert run(["dump", "-r", path, *style]) == 0
        for line in capsys.readouterr().out.splitlines():
            assert line.replace("\t", "").isprintable()


def test_fields_lists_names_widths_and_units(capsys: Capture) -> None:
    assert run(["fields", "ip."]) == 0
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert all(name.startswith("ip.") for name in rows)
    assert "8 bits" in rows["ip.ttl"]
    assert "true or false" in rows["ip.flags.df"]
    assert "ip.checksum.status" in rows


def test_each_field_is_listed_once(capsys: Capture) -> None:
    assert run(["fields"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert len(names) == len(set(names))
    assert {"frame.number", "eth.src", "tcp.flags.syn", "tcp.options.mss_val"} <= set(names)


def test_fields_ignores_case_and_marks_names_that_filters_lack(capsys: Capture) -> None:
    assert run(["fields", "IP."]) == 0
    marked = {
        line.split()[0]: line.endswith(" (not in filters)")
        for line in capsys.readouterr().out.splitlines()
    }
    assert marked["ip.checksum_calculated"]
    assert not marked["ip.addr"]
    for name, is_marked in marked.items():
        assert run(["dump", "-r", "absent", "-Y", name]) == (2 if is_marked else 1), name


def test_an_unknown_prefix_fails_with_a_hint(capsys: Capture) -> None:
    assert run(["fields", "ip.tll"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "ip.ttl" in err


def test_interfaces_lists_loopback(capsys: Capture) -> None:
    assert run(["interfaces"]) == 0
    lines = capsys.readouterr().out.splitlines()
    columns = ["NAME", "INDEX", "STATE", "KIND", "MTU", "MAC", "ADDRESSES"]
    assert [word for word in lines[0].split() if word != "ALSO"] == columns
    assert any(line.startswith("lo ") for line in lines)
    assert run(["interfaces", "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    loopback = next(one for one in found if one["name"] == "lo")
    assert loopback["loopback"] is True
    assert loopback["index"] == socket.if_nametoindex("lo")
    assert len(found) == len(lines) - 1
