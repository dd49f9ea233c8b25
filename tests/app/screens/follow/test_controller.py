"""The stream panel on the screen: opened, changed, searched, saved, and left, by keys and mouse."""

from __future__ import annotations

from textual.widgets import Input

from app.screens.dialogs.save_text import SaveText
from app.screens.dialogs.search import SearchDialog
from app.screens.follow.controller import NO_CONVERSATION, NO_OTHER, StreamController
from app.screens.main import MainScreen
from core.decode.batch import CaptureInterface
from core.store.packet_store import PacketStore
from core.wire.link.link_types import LinkType
from core.wire.model.assigned_numbers import IpProtocol
from tests.core.decode.frames import arp_frame, ethernet, ipv4, tcp, tcp_frame, udp_frame
from tests.core.decode.support import batch_of
from tests.helpers.idle import eventually
from tests.helpers.scripted_monitor import main, scripted_monitor
from widgets.follow.paint import TIME_CELLS

FRAMES = [
    tcp_frame(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    tcp_frame(b"HTTP/1.1 200 OK\r\n\r\nHello", back=True),
    arp_frame(),
    ethernet(ipv4(tcp(b"other"), IpProtocol.TCP, src=0x0A000105)),
    udp_frame(b"ping"),
    tcp_frame(b"again\n", sequence=28),
]


def talk() -> PacketStore:
    store = PacketStore()
    store.add_interface(CaptureInterface("lo", LinkType.ETHERNET))
    store.append(batch_of(FRAMES))
    return store


def controller(screen: MainScreen) -> StreamController:
    found = screen.sides["stream"]
    assert isinstance(found, StreamController)
    return found


def lines(screen: MainScreen) -> list[str]:
    """Return the rows of the stream, with the sign of their side."""
    view = controller(screen).view
    return [view.build_line(line).text.rstrip() for line in range(view.line_count)]


BOTH = ["→ GET / HTTP/1.1", "→ Host: a", "→", "← HTTP/1.1 200 OK", "←", "← Hello", "→ again"]


async def opened(pilot, number: int, rows: list[str]) -> MainScreen:
    """Select a packet, press F, and wait for the rows of its stream."""
    screen = main(pilot)
    await eventually(lambda: screen.sides.are_mounted and screen.table.line_count)
    screen.table.select(number)
    await pilot.press("F")
    await eventually(lambda: lines(screen) == rows)
    return screen


async def test_times_before_turns() -> None:
    async with scripted_monitor(talk()).run_test(size=(160, 45)) as pilot:
        screen = await opened(pilot, 2, BOTH)
        times = screen.shown.chunks[0].timestamp_ns
        answer_s, again_s = ((times[[1, 5]] - times[[0, 1]]) / 1e9).tolist()
        waits = [0, None, None, answer_s, None, None, again_s]
        blank = " " * TIME_CELLS
        await pilot.press("t")
        assert lines(screen) == [
            (blank if wait is None else f"{f'+{wait:.6f}':>{TIME_CELLS - 1}} ") + row
            for wait, row in zip(waits, BOTH, strict=True)
        ]
        assert controller(screen).view.text == "GET / HTTP/1.1"
        await pilot.press("right")
        await eventually(lambda: lines(screen) == ["   +0.000000 → other"])  # another stream
        await pilot.press("left", "t")
        await eventually(lambda: len(lines(screen)) == len(BOTH))
        assert lines(screen)[-1].startswith(f"{answer_s + again_s:>{TIME_CELLS - 1}.6f} → again")
        await pilot.press("v")
        await eventually(lambda: "00000000  " in lines(screen)[0])
        has_time = [not line.startswith(blank) for line in lines(screen)]  # first rows of pieces
        assert has_time == ["00000000" in line or "0000001b" in line for line in lines(screen)]
        await pilot.press("v", "v", "t")
        await eventually(lambda: lines(screen) == BOTH)


async def test_keys(tmp_path) -> None:
    store = talk()
    async with scripted_monitor(store).run_test(size=(160, 45)) as pilot:
        screen = await opened(pilot, 2, BOTH)
        stream = controller(screen)
        assert screen.workspace.panel == "stream"
        await pilot.press("d")
        assert lines(screen) == [line for line in BOTH if line.startswith("→")]
        await pilot.press("d", "v")
        assert lines(screen)[0].startswith("← 00000000  48 54 54 50")
        await pilot.press("d", "v")
        assert lines(screen)[0] == "→ " + FRAMES[0][54:].hex()
        await pilot.press("v", "right")
        await eventually(lambda: lines(screen) == ["→ other"])
        await pilot.press("right")
        await eventually(lambda: NO_OTHER[1] in {each.message for each in pilot.app._notifications})
        assert lines(screen) == ["→ other"]
        await pilot.press("left")
        await eventually(lambda: lines(screen) == BOTH)

        await pilot.press("ctrl+f", *"hello")
        assert pilot.app.screen.title_text == "Search in TCP stream 0"
        await pilot.press("enter")
        await eventually(lambda: stream.view.cursor_line == 5)
        assert stream.view.text == "Hello"
        foot = str(stream.panel.query_one("#stream-foot").render())
        assert foot.startswith("'hello': packet 2, byte 19 of the server")
        await pilot.press("d", "ctrl+f", *["backspace"] * 5)
        await eventually(lambda: isinstance(pilot.app.screen, SearchDialog))
        assert pilot.app.screen.query_one(Input).placeholder == "in the bytes of the client"
        await pilot.press("escape", "d", "d", "ctrl+f")
        await eventually(lambda: isinstance(pilot.app.screen, SearchDialog))
        assert pilot.app.screen.query_one(Input).placeholder == "in the bytes of both sides"
        await pilot.press(*"zzz", "enter")
        foot = stream.panel.query_one("#stream-foot")
        await eventually(lambda: "is not in the stream" in str(foot.render()))
        await pilot.press("escape")
        assert not foot.display
        assert screen.workspace.panel == "stream"

        await pilot.press("exclamation_mark")
        assert "tcp.stream" in screen.filter.text
        await eventually(lambda: screen.table.rows.held_count == 3)
        await pilot.press("equals_sign")
        await eventually(lambda: screen.table.rows.held_count == 3)
        assert screen.filter.text == "tcp.stream == 0"

        await pilot.press("w", "s")
        await eventually(lambda: isinstance(pilot.app.screen, SaveText))
        field = pilot.app.screen.query_one("Input")
        assert field.value == "tcp-stream-0-server.bin"
        field.value = str(tmp_path / "server.bin")
        await pilot.press("enter")
        await eventually(lambda: pilot.app.screen is screen)
        assert (tmp_path / "server.bin").read_bytes() == b"HTTP/1.1 200 OK\r\n\r\nHello"

        store.append(batch_of([tcp_frame(b"more\n", sequence=34)]))
        await eventually(lambda: lines(screen) == [*BOTH, "→ more"])
        await pilot.press("G", "enter")
        assert screen.workspace.panel == "packets"
        assert screen.table.selected == 7


async def test_other_packets_and_the_mouse() -> None:
    async with scripted_monitor(talk()).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, 5, ["→ ping"])
        assert screen.workspace.zoomed
        await pilot.press("escape", "escape")
        assert not screen.workspace.side
        screen.table.select(3)
        await pilot.press("F")
        assert "packet 3 has no TCP or UDP stream" in {
            each.message for each in pilot.app._notifications
        }
        assert not screen.workspace.side
        await opened(pilot, 4, ["→ other"])
        stream = controller(screen)
        head = stream.panel.head
        texts = ["".join(piece.text for piece in line) for line in head._lines]
        for word, expected in (
            ("previous", BOTH),
            ("← server", ["← HTTP/1.1 200 OK", "←", "← Hello"]),
            ("raw", ["← " + FRAMES[1][54:].hex()]),
        ):
            y = next(y for y, text in enumerate(texts) if word in text)
            await pilot.click(head, offset=(texts[y].index(word) + 1, y))
            await eventually(lambda expected=expected: lines(screen) == expected)
        await pilot.click(stream.view, offset=(3, 0))
        assert screen.table.selected == 2
        assert screen.workspace.panel == "stream"


async def test_a_conversation_of_the_flows_panel_is_followed() -> None:
    async with scripted_monitor(talk()).run_test(size=(160, 45)) as pilot:
        screen = main(pilot)
        await eventually(lambda: screen.sides.are_mounted and screen.table.line_count)
        await pilot.press("f7")
        flows = screen.sides["flows"]
        await eventually(lambda: flows.offered_stream() is not None)
        await pilot.press("F")
        await eventually(lambda: lines(screen) == BOTH)
        await pilot.press("f7", "V")
        await eventually(lambda: flows.offered_stream() is None)
        await pilot.press("F")
        assert NO_CONVERSATION in {each.message for each in pilot.app._notifications}
        assert screen.workspace.panel == "flows"
