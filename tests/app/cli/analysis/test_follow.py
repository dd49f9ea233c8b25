"""``rawscope follow``: each form, the marks, and the messages."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from app.cli.analysis.follow import FollowOutput
from app.cli.main import run
from app.cli.output import InterruptedCommandError
from core.analysis.follow.forms import FORMS
from core.analysis.follow.pieces import Piece, PieceKind
from core.analysis.follow.stream import StreamReader
from core.wire.link.link_types import LinkType
from tests.core.decode.frames import tcp_frame, udp_frame

Capture = pytest.CaptureFixture[str]

FRAMES = [
    tcp_frame(b"GET / HTTP/1.1\r\n\r\n"),
    udp_frame(b"ping"),
    tcp_frame(b"200 \x1b[31m", back=True),
    tcp_frame(b"GEX", sequence=1),
    tcp_frame(b"OK\n", back=True, sequence=10),
    tcp_frame(b"later", sequence=99),
]
ENDS = "10.0.0.1:40000 → 10.0.0.2:80"
HIDDEN = "rawscope: 5 bytes of the client after a gap are not shown: no packet acknowledges them\n"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a file with a TCP and a UDP stream."""
    path: Path = tmp_path_factory.mktemp("follow") / "talk.pcap"
    content = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, LinkType.ETHERNET)
    for second, frame in enumerate(FRAMES):
        content += struct.pack("<IIII", second, 0, len(frame), len(frame)) + frame
    path.write_bytes(content)
    return str(path)


def test_text(file: str, capsys: Capture) -> None:
    assert run(["follow", "-r", file, "0"]) == 0
    output, messages = capsys.readouterr()
    assert output.splitlines() == [
        f"TCP stream 0: {ENDS}",
        "→ GET / HTTP/1.1",
        "→",
        "← 200 ·[31m",  # continued behind a mark
        "→ [1 byte retransmitted with other content]",
        "← OK",
    ]
    assert messages == HIDDEN


def test_hex(file: str, capsys: Capture) -> None:
    assert run(["follow", "-r", file, "0", "--as", "hex"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == f"→ 00000000  {b'GET / HTTP/1.1'.hex(' ')} 0d 0a  GET / HTTP/1.1.."
    assert lines[2].startswith("→ 00000010  0d 0a  ")
    assert lines[-1] == f"← 00000009  {'4f 4b 0a':<48} OK."


def test_times(file: str, capsys: Capture) -> None:
    assert run(["follow", "-r", file, "0", "--times"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:5] == [
        "→ [0.000000 s after the first packet]",
        "→ GET / HTTP/1.1",
        "→",
        "← [2.000000 s later, 2.000000 s after the first packet]",
    ]
    assert len([line for line in lines if "after the first packet" in line]) == 2
    assert run(["follow", "-r", file, "0", "--times", "--as", "hex"]) == 0
    assert "← [2.000000 s later" in capsys.readouterr().out
    assert run(["follow", "-r", file, "0", "--times", "--json"]) == 0
    objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    names = ("tcp.time_relative", "turn_delta")
    assert [tuple(map(each.get, names)) for each in objects] == [
        ("0.000000000", "0.000000000"),
        ("2.000000000", "2.000000000"),
        ("3.000000000", None),
        ("4.000000000", None),
    ]


def test_times_have_no_place_in_the_output_of_tshark(file: str, capsys: Capture) -> None:
    assert run(["follow", "-r", file, "0", "--times", "--as", "raw"]) == 2
    assert "without --times" in capsys.readouterr().err


def test_raw_is_what_tshark_prints(file: str, capsys: Capture) -> None:
    assert run(["follow", "-r", file, "0", "--udp", "--as", "raw"]) == 0
    rule = "=" * 67
    assert capsys.readouterr().out == (
        f"\n{rule}\nFollow: udp,raw\nFilter: udp.stream eq 0\nNode 0: 10.0.0.1:40000\n"
        f"Node 1: 10.0.0.2:53\n{b'ping'.hex()}\n{rule}\n"
    )
    assert run(["follow", "-r", file, "0", "--as", "raw"]) == 0
    output, messages = capsys.readouterr()
    assert output.splitlines()[6:-1] == [
        FRAMES[0][54:].hex(), "\t" + FRAMES[2][54:].hex(), "\t" + b"OK\n".hex()
    ]  # fmt: skip
    assert messages.startswith("rawscope: packet 4: 1 byte retransmitted with other content\n")


def test_json(file: str, capsys: Capture) -> None:
    assert run(["follow", "-r", file, "0", "--json"]) == 0
    objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert objects[1] == {
        "tcp.stream": 0,
        "frame.number": 3,
        "side": "server",
        "source": "10.0.0.2:80",
        "destination": "10.0.0.1:40000",
        "length": 9,
        "data": b"200 \x1b[31m".hex(),
    }
    assert objects[2]["mark"] == "different"
    assert objects[2]["length"] == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["7"], "rawscope: no TCP stream 7 in the capture: it has only 0\n"),
        (["1", "--udp"], "rawscope: no UDP stream 1 in the capture: it has only 0\n"),
    ],
)
def test_no_such_stream(file: str, words: list[str], message: str, capsys: Capture) -> None:
    assert run(["follow", "-r", file, *words]) == 1
    assert capsys.readouterr() == ("", message)


def test_an_interrupted_command_says_that_the_stream_is_not_whole(capsys: Capture) -> None:
    output = FollowOutput(lambda: True, lambda: 2, "tcp", 0, "text")
    assert output.done
    with pytest.raises(InterruptedCommandError, match="only a part of the stream"):
        output.end(is_cut=True)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_prints_every_mark(form: str) -> None:
    shown = FORMS[form](StreamReader("tcp", lambda piece: None), 0)
    for kind in set(PieceKind) - {PieceKind.DATA}:
        lines = list(shown.piece(Piece(1, 5, kind, amount=1234)))
        text = "\n".join([*lines, *shown.notes])
        number = b"1234".hex() if form == "raw" and kind is PieceKind.MISSING else "1234"
        assert number in text.replace(",", "")
