"""One packet that rawscope fails to describe: it says so, is counted, and takes nothing along."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.cli import run
from app.commands import frame, printer
from core.engine import EngineSnapshot, State
from core.store.packet_store import PacketStore
from core.wire import faults, tcp
from core.wire.faults import Faults
from core.wire.summary import Tone
from tests.app.made import SYN, capture_of, udp_frame
from tests.core.store.support import ETHERNET_INTERFACE, batch_of
from tests.scripted_monitor import ScriptedEngine, filled, scripted_monitor
from widgets.packet_row import Sign
from widgets.status_bar import StatusBar

Capture = pytest.CaptureFixture[str]
FRAMES = [udp_frame(b"before"), SYN, udp_frame(b"after")]
WORDS = "rawscope failed to describe this packet: TypeError in its own code"


def _broken(*_: object) -> int:
    raise TypeError(b"\x1b from the wire")


@pytest.fixture
def broken_tcp(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault in what the Info line, the detail tree and the JSON of TCP all ask for."""
    monkeypatch.setattr(tcp, "segment_length", _broken)


@pytest.fixture
def broken_dissect(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault in the reading itself, for the packet that is TCP."""
    right = frame.dissect

    def dissect(data: bytes, *rest: int):
        return _broken() if data == SYN else right(data, *rest)

    monkeypatch.setattr(frame, "dissect", dissect)


@pytest.fixture
def capture(tmp_path: Path) -> str:
    return capture_of(tmp_path / "three.pcap", FRAMES)


def _says(err: str) -> None:
    """The last line on stderr tells how many, which, and what to do."""
    assert err.splitlines()[-1] == (
        f"rawscope: 1 packet not described; packet 2: {WORDS}; --debug shows where"
    )


@pytest.mark.parametrize("fault", ["broken_tcp", "broken_dissect"])
@pytest.mark.parametrize(
    ("option", "failed"),
    [
        ([], WORDS),
        (["--hex"], WORDS),
        (["--json"], WORDS),
        (["--fields", "frame.number,udp.srcport,frame.fault"], f"2\t\t{WORDS}"),
    ],
    ids=["lines", "hex", "json", "fields"],
)
def test_dump_prints_the_packets_around_it(
    option: list[str], failed: str, fault: str, capture: str, capsys: Capture, request
) -> None:
    request.getfixturevalue(fault)
    assert run(["dump", "-r", capture, *option]) == 1
    out, err = capsys.readouterr()
    _says(err)
    assert out.count(failed) == 1
    assert out.count("40000") == 2  # the ports of both others
    if option == ["--hex"]:
        assert "0000  00 00 00" in out.split(WORDS)[1]  # its bytes are not lost


def test_the_line_keeps_the_addresses(broken_tcp: None, capture: str, capsys: Capture) -> None:
    run(["dump", "-r", capture])
    line = capsys.readouterr().out.splitlines()[1]
    assert line.endswith(f" 127.0.0.1 → 127.0.0.1 – {len(SYN)} {WORDS}")


def test_the_json_has_what_is_known_of_the_frame(
    broken_tcp: None, capture: str, capsys: Capture
) -> None:
    run(["dump", "-r", capture, "--json", "--raw"])
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [record.get("frame.fault") for record in records] == [None, WORDS, None]
    assert records[1] == {
        "frame.number": 2,
        "frame.time_epoch": "1700000000.123456789",
        "frame.len": len(SYN),
        "frame.cap_len": len(SYN),
        "frame.protocols": "data",
        "frame.fault": WORDS,
        "frame.raw": SYN.hex(),
    }


def test_debug_shows_the_traceback(broken_tcp: None, capture: str, capsys: Capture) -> None:
    with pytest.raises(printer.CommandError) as caught:
        run(["dump", "-r", capture, "--debug"])
    assert isinstance(caught.value.__cause__, TypeError)
    assert capsys.readouterr().out.count("\n") == 3  # all packets first


def _store() -> PacketStore:
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    store.append(batch_of(FRAMES))
    return store


async def test_the_monitor_shows_everything_else(broken_tcp: None) -> None:
    """The row, the tree above the layer that failed, the bytes, the count, the sentence."""
    engine = ScriptedEngine(EngineSnapshot(State.DONE, file="/tmp/three.pcap", progress=1.0))
    monitor = scripted_monitor(_store(), engine)
    async with monitor.run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        rows = [screen.table._row(screen.shown, line) for line in range(3)]
        assert [row.info == WORDS for row in rows] == [False, True, False]
        assert (rows[1].tone, rows[1].sign) == (Tone.FAULT, Sign.FAULT)
        assert rows[1].source == "127.0.0.1"
        screen.table.select(2)
        titles = [row.label for row in screen.panels.detail._rows]
        assert titles == ["Frame 2", "Ethernet II", "Internet Protocol version 4", WORDS]
        assert screen.panels.hex._data == SYN
        screen.poll()
        assert "failed 1" in screen.query_one(StatusBar).render_line(0).text
        assert screen.query_one("#banner").message == f"packet 2: {WORDS}"
        screen.table.select(3)
        assert [row.label for row in screen.panels.detail._rows][-1].startswith("Payload")
        assert monitor.bridge.faults.count == 1  # by row and detail, but one packet


async def test_another_store_counts_anew(broken_tcp: None) -> None:
    engine = ScriptedEngine()
    monitor = scripted_monitor(_store(), engine)
    async with monitor.run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        screen.poll()
        assert screen.scene.faults == 1
        engine.store = PacketStore()
        screen.poll()
        assert (screen.scene.faults, screen.scene.fault) == (0, "")
        assert "failed" not in screen.query_one(StatusBar).render_line(0).text


def test_a_packet_counts_once_and_the_numbers_are_bounded(monkeypatch) -> None:
    monkeypatch.setattr(faults, "LIMIT", 10)
    counted = Faults()
    for number in [7, 7, 7, *range(100)]:
        assert counted.note(number, ValueError()) == (
            "rawscope failed to describe this packet: ValueError in its own code"
        )
    assert counted.count == 10
    assert counted.message.startswith("packet 7: ")
