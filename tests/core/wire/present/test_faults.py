"""One packet that rawscope fails to describe: rawscope says so, counts it, and shows the others."""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from textual.widgets import OptionList

from app.cli.dump import field_cells, printer, text_lines
from app.cli.main import run
from app.screens import copy_choices, echo_controller
from app.screens.dialogs.copy import Copy
from app.screens.forge import controller as forge_controller
from app.screens.forge.interface_dialog import SendInterface
from core.decode import chunk, verdicts
from core.decode.summaries import Summaries
from core.engine.snapshot import EngineSnapshot, EngineState
from core.forge.compose.evaluation import evaluate
from core.forge.compose.from_packet import draft_of, resent
from core.forge.observe.outcome import Outcome
from core.forge.observe.tracker import Track
from core.forge.values import SendMethod
from core.store import captured_packet, selected_packet
from core.store.packet_store import PacketStore
from core.wire.dissect import dissect as right_dissect
from core.wire.model.dissection import Layer, Verdict
from core.wire.model.walk import Numbering
from core.wire.present import detail, faults, summary
from core.wire.present.detail_row import Row
from core.wire.present.faults import Faults
from core.wire.protocol import SequenceBases
from core.wire.registry import PARSERS
from core.wire.transport import tcp
from tests.app.made import SYN, capture_of, udp_frame
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of
from tests.core.forge.observe.captured import captured
from tests.helpers.idle import eventually
from tests.helpers.scripted_echo import echo_snapshot
from tests.helpers.scripted_monitor import ScriptedEngine, filled, scripted_monitor
from widgets.packets import row
from widgets.packets.row import Sign
from widgets.status.bar import StatusBar

Capture = pytest.CaptureFixture[str]
FRAMES = [udp_frame(b"before"), SYN, udp_frame(b"after")]
WORDS = "rawscope failed to describe this packet: TypeError in its own code"


def _broken(*_: object) -> int:
    raise TypeError(b"\x1b from the wire")


def _none_by_columns(packets: chunk.Chunk, _bases: SequenceBases) -> Summaries:
    """Leave the rows of all packets to the packet path."""
    return Summaries(*np.full((4, len(packets)), None, dtype=object), wrong={})


@pytest.fixture
def broken_tcp(monkeypatch: pytest.MonkeyPatch) -> None:
    """Break functions that the Info lines, the detail tree and the JSON of TCP call."""
    right = detail._layer_row

    def layer_row(layer: Layer, *rest: Any) -> Row:
        return _broken() if layer.name == "tcp" else right(layer, *rest)

    monkeypatch.setattr(detail, "_layer_row", layer_row)
    monkeypatch.setattr(tcp, "_words", _broken)


@pytest.fixture
def broken_dissect(monkeypatch: pytest.MonkeyPatch) -> None:
    """Break the dissection of the TCP packet, and the lines that need none."""
    for module in (text_lines, field_cells):
        monkeypatch.setattr(module, "summaries", _none_by_columns)
    right = captured_packet.dissect

    def dissect(data: bytes, *rest: int):
        return _broken() if data == SYN else right(data, *rest)

    for module in (captured_packet, chunk):
        monkeypatch.setattr(module, "dissect", dissect)


@pytest.fixture
def capture(tmp_path: Path) -> str:
    return capture_of(tmp_path / "three.pcap", FRAMES)


def _says(err: str) -> None:
    """Return True if the last line on stderr has the count, the packet, and advice."""
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
        (["--fields", "frame.number,_ws.col.info,frame.fault"], f"2\t\t{WORDS}"),
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
    times = 2 if option == ["--json"] else 1  # JSON has the port, and the Info line
    assert out.count("40000") == 2 * times  # the ports of both others
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
    engine = ScriptedEngine(EngineSnapshot(EngineState.DONE, file="/tmp/three.pcap", progress=1.0))
    monitor = scripted_monitor(_store(), engine)
    async with monitor.run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        rows = [screen.table.rows.read(line) for line in range(3)]
        assert [row.info == WORDS for row in rows] == [False, True, False]
        assert (rows[1].failed, rows[1].sign) == (True, Sign.FAULT)
        assert rows[1].source == "127.0.0.1"
        screen.table.select(2)
        titles = [row.label for row in screen.panels.selected.rows]
        assert titles == ["Frame 2", "Ethernet II", "Internet Protocol version 4", WORDS]
        assert screen.panels.hex.dump.data == SYN
        screen.poll()
        assert "failed 1" in screen.query_one(StatusBar).render_line(0).text
        assert screen.query_one("#banner").message == f"packet 2: {WORDS}"
        screen.table.select(3)
        assert [row.label for row in screen.panels.selected.rows][-1].startswith("Payload")
        assert monitor.bridge.faults.count == 1  # by row and detail, but one packet


async def test_another_store_counts_from_zero(broken_tcp: None) -> None:
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


# -- every place where the monitor reads a packet ---------------------------------------------


def routed_frame() -> bytes:
    """Return TCP behind a source route, whose verdicts need a dissection of their own."""
    route = bytes((131, 7, 4, 10, 0, 0, 1, 0))
    header = struct.pack(">BBHHHBBHII", 0x47, 0, 48, 1, 0, 64, 6, 0, 0x7F000001, 0x7F000002)
    segment = struct.pack(">HHIIBBHHH", 40000, 80, 1, 2, 0x50, 0x10, 512, 0, 0)
    return bytes(12) + b"\x08\x00" + header + route + segment


ROUTED = routed_frame()


def _failing(function: Callable[..., Any], is_its: Callable[..., bool]) -> Callable[..., Any]:
    """Return `function` with a fault for the arguments for which `is_its` is true."""

    def broken(*arguments: Any, **named: Any) -> Any:
        if is_its(*arguments):
            raise TypeError(b"\x1b from the wire")
        return function(*arguments, **named)

    return broken


def _of_routed(read: Any, *_: object) -> bool:
    """Return True for arguments made of `ROUTED`: its bytes from any header on, or a dissection."""
    data = getattr(read, "data", read)
    return isinstance(data, bytes) and len(data) > 20 and ROUTED.endswith(data)


def _by_first(module: Any, name: str) -> Callable[[pytest.MonkeyPatch], None]:
    """Break a function whose first argument is the packet's bytes or dissection."""
    return lambda patch: patch.setattr(module, name, _failing(getattr(module, name), _of_routed))


def _everywhere(right: Callable[..., Any]) -> Callable[[pytest.MonkeyPatch], None]:
    """Break such a function in every module that imported it."""
    name = right.__name__

    def break_it(patch: pytest.MonkeyPatch) -> None:
        for module in list(sys.modules.values()):
            if getattr(module, name, None) is right:
                patch.setattr(module, name, _failing(right, _of_routed))

    return break_it


def _evaluation(patch: pytest.MonkeyPatch) -> None:
    """Break the evaluation of TCP for the keys that fill the form and copy."""
    broken = _failing(evaluate, lambda draft, *_: "tcp" in draft.layers)
    for module in (copy_choices, forge_controller):
        patch.setattr(module, "evaluate", broken)


def _parsers(patch: pytest.MonkeyPatch) -> None:
    """Break the reading of TCP, below `dissect`, under every name that a module imported it by."""
    space, number = Numbering.IP_PROTOCOL, 6
    broken = _failing(PARSERS[space][number], lambda walk, _: _of_routed(walk.data))
    patch.setitem(PARSERS[space], number, broken)


def _infos(patch: pytest.MonkeyPatch) -> None:
    for name, (shown, write) in summary.INFO.items():
        patch.setitem(summary.INFO, name, (shown, _failing(write, _read_routed)))
    for name, write in summary.RELATIVE_INFO.items():
        patch.setitem(summary.RELATIVE_INFO, name, _failing(write, _read_routed))
    patch.setattr(tcp, "info", _failing(tcp.info, _read_routed))


def _read_routed(layer: Any, read: Any, *_: object) -> bool:
    return _of_routed(read)


FAULTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "dissect": _everywhere(right_dissect),
    "a parser": _parsers,
    "verdicts' dissect": _by_first(verdicts, "dissect"),
    "verdicts' columns": lambda patch: patch.setattr(
        verdicts, "_check", _failing(verdicts._check, lambda chunk, rows: 2 in rows + chunk.first)
    ),
    "info": _by_first(row, "summarize"),
    "every protocol's info": _infos,
    "detail rows": _by_first(selected_packet, "each_row"),
    "draft_of": _everywhere(draft_of),
    "resent": _everywhere(resent),
    "evaluate": _evaluation,
    "tcp_ends": _by_first(echo_controller, "tcp_ends"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_no_fault_in_one_packet_ends_the_monitor(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Table, selection, copying, forging and resending, with the echo panel open."""
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    store.append(batch_of([FRAMES[0], ROUTED, FRAMES[2]]))
    said = EngineSnapshot(EngineState.DONE, file="/tmp/three.pcap", progress=1.0)
    monitor = scripted_monitor(store, ScriptedEngine(said, echo_snapshot()))
    FAULTS[fault](monkeypatch)
    async with monitor.run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        screen.workspace.side = "echo"
        screen.workspace.focus_panel("packets")
        await pilot.pause()
        assert screen.sides["echo"].panel.display
        screen.table.select(2)
        await pilot.pause()
        assert screen.panels.selected is not None
        await pilot.press("y")
        await eventually(lambda: isinstance(monitor.screen, Copy), "the window that copies")
        await pilot.press("escape")
        await eventually(lambda: monitor.screen is screen, "the main screen")
        await pilot.press("r")
        if fault == "resent":  # what is sent depends on the interface that the user chooses
            await eventually(lambda: isinstance(monitor.screen, SendInterface), "the window")
            listed = monitor.screen.query_one(OptionList)
            await eventually(lambda: listed.highlighted is not None, "an interface")
            await pilot.press("enter")
        await pilot.press("f")
        await pilot.pause()
        assert monitor.is_running
        assert monitor.bridge.faults.count == 1
        assert monitor.bridge.faults.message == f"packet 2: {WORDS}"
        screen.table.select(3)
        assert [row.label for row in screen.panels.selected.rows][-1].startswith("Payload")


@pytest.mark.parametrize(
    ("fault", "keys"),
    [
        ("dissect", "yrf"),
        ("a parser", "yrf"),
        ("draft_of", "yf"),
        ("evaluate", "yf"),
        ("resent", "r"),
    ],
)
async def test_the_keys_say_that_they_failed(
    fault: str, keys: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each key shows a notification; the form keeps its contents."""
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    store.append(batch_of([FRAMES[0], ROUTED]))
    monitor = scripted_monitor(store)
    FAULTS[fault](monkeypatch)
    async with monitor.run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        screen.table.select(2)
        held = screen.sides["forge"].panel.form.state
        for count, key in enumerate(keys, 1):
            await pilot.press(key)
            await eventually(
                lambda count=count: (
                    [note.message for note in monitor._notifications] == [WORDS] * count
                ),
                "the notification",
            )
            if key == "y":
                await eventually(lambda: isinstance(monitor.screen, Copy), "the window")
                await pilot.press("escape")
                await eventually(lambda: monitor.screen is screen, "the main screen")
        assert screen.sides["forge"].panel.form.state == held


def test_a_fault_in_one_packet_leaves_the_verdicts_of_its_block(monkeypatch) -> None:
    """A block has about a thousand packets, which are checked at once."""
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    store.append(batch_of([SYN, SYN, SYN]))
    FAULTS["verdicts' columns"](monkeypatch)
    packets = [store.snapshot().packet(number) for number in (1, 2, 3)]
    assert [packet.fault is None for packet in packets] == [True, False, True]
    assert packets[0].network_verdict == packets[2].network_verdict == Verdict.GOOD
    assert packets[1].network_verdict == packets[1].transport_verdict == Verdict.UNVERIFIED


@pytest.mark.parametrize("fault", ["dissect", "a parser", "every protocol's info"])
def test_a_sent_packet_is_followed_past_a_fault(fault: str, monkeypatch) -> None:
    """A captured frame that cannot be read is neither copy nor reply; the next one may be."""
    FAULTS[fault](monkeypatch)
    track = Track(Outcome(FRAMES[0], SendMethod.LINK))
    assert not track.take(captured(ROUTED, 1, number=1))
    assert track.take(captured(FRAMES[0], 2, number=2))
    assert track.result().number == 2
    unread = Track(
        Outcome(ROUTED, SendMethod.LINK)
    )  # of a packet sent by rawscope: it leaves all the same
    assert not unread.take(captured(FRAMES[2], 3, number=3))
