"""The forge on the screen with a real network: sent packets and replies.

The whole program runs in the near namespace: the test's thread goes there, and the threads that
the program makes are born there.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Iterator

import pytest
from textual.pilot import Pilot

from app.config.paths import Paths
from app.monitor import Monitor
from app.screens.dialogs.dialog import Confirm
from app.screens.main import MainScreen
from core.capture.options import CaptureOptions
from core.engine.engine import Engine
from core.engine.snapshot import EngineState
from core.forge.compose.templates import TEMPLATES
from core.forge.host import ForgeHost
from core.net.sockets import LOCAL_SOCKETS
from core.store.packet_store import PacketStore
from tests.helpers.idle import eventually
from tests.helpers.isolation import CLONE_NEWNET
from tests.helpers.support import require_peer
from tests.live.network import FAR_ADDRESS, NEAR_ADDRESS, Network, _libc
from widgets.forge.changes import FormState
from widgets.forge.form import ForgeForm
from widgets.forge.outcome import ForgeOutcome

pytestmark = pytest.mark.live

OPEN, CLOSED, FILTERED = 7001, 7002, 7003


@pytest.fixture
def network():
    with Network() as made:
        yield made


@contextlib.contextmanager
def inside(name: str) -> Iterator[None]:
    """This thread in a network namespace (setns(2)), and back."""
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    there = os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        assert _libc.setns(there, CLONE_NEWNET) == 0
        yield
    finally:
        assert _libc.setns(here, CLONE_NEWNET) == 0
        os.close(here)
        os.close(there)


class Play:
    """A monitor with a capture or a file, and what a test does with it."""

    def __init__(self, pilot: Pilot[None]) -> None:
        self.pilot = pilot
        screen = pilot.app.screen
        assert isinstance(screen, MainScreen)
        self.screen = screen

    @property
    def form(self) -> ForgeForm:
        return self.screen.sides["forge"].panel.form

    @property
    def report(self) -> str:
        return "\n".join(line.text for line in self.screen.query_one(ForgeOutcome)._lines)

    async def until(self, condition: Callable[[], object]) -> None:
        await eventually(condition, ask=self.screen.poll)

    async def told(self, *words: str) -> None:
        """Wait until the report has all of these."""
        await self.until(lambda: all(word in self.report for word in words))

    async def asked(self) -> None:
        """Wait for a question that keys answer."""
        app = self.pilot.app
        await self.until(lambda: isinstance(app.screen, Confirm) and app.screen.accepts_keys)

    async def send(self, key: str = "ctrl+s", *, ask: bool) -> None:
        """Send, agree if asked, and wait until all has left."""
        await self.pilot.press(key)
        if ask:
            await self.asked()
            await self.pilot.press("y")
        await self.until(lambda: "sent 1 of 1" in self.report)


def play(network: Network, tmp_path, scene, interface: str = "near0", file: str = "") -> None:
    """Run a scene in the near namespace: capture on `interface`, or open a file."""

    async def run() -> None:
        engine = Engine(PacketStore(), LOCAL_SOCKETS)
        engine.start()
        if file:
            engine.open_file(file)
        else:
            engine.capture(CaptureOptions((interface,)))
        paths = Paths(tmp_path / "config.toml", tmp_path / "state.json")
        monitor = Monitor(engine, lambda: ForgeHost(LOCAL_SOCKETS), paths=paths)
        try:
            async with monitor.run_test(size=(160, 45)) as pilot:
                play = Play(pilot)
                await play.until(lambda: play.screen.sides.are_mounted)
                await play.until(
                    lambda: (
                        play.screen.scene.engine.state is EngineState.DONE
                        if file
                        else play.screen.scene.engine.interfaces == (interface,)
                    )
                )
                await scene(play)
        finally:
            engine.close()

    with inside(network.near):
        asyncio.run(run())


def test_three_ports(network, tmp_path):
    """Open, closed and filtered, each reported with its delay; so are the kernel's changes."""
    nft = require_peer("nft")
    rule = f"tcp dport {FILTERED} drop"
    network.run_far(nft, "add", "table", "inet", "t")
    network.run_far(nft, "add", "chain", "inet", "t", "c", "{ type filter hook input priority 0; }")
    network.run_far(nft, "add", "rule", "inet", "t", "c", rule)
    listener = network.in_far(lambda: socket.create_server((FAR_ADDRESS, OPEN)))

    async def scene(play: Play) -> None:
        await play.pilot.press("f2")
        play.form.state = FormState.of(TEMPLATES["tcp-syn"].drafts)
        await type_into(play, "ip.dst", FAR_ADDRESS)
        await play.until(lambda: play.form.model.evaluation.field("ip.src").shown == NEAR_ADDRESS)
        for port, ask, words in (
            (OPEN, True, "[SYN, ACK]"),
            (CLOSED, False, "[RST, ACK]"),
            (FILTERED, False, "no reply yet"),
        ):
            await type_into(play, "tcp.dstport", str(port))
            await play.send(ask=ask)
            await play.told("sent with 2 fields changed", words)
            assert "Linux picks an identification" in " ".join(play.report.split())
            resets = "will answer a SYN-ACK with a reset" in " ".join(play.report.split())
            assert resets is (port != CLOSED)
        assert len(play.screen.table.sent_numbers) == 3
        await answered_since(play, network)
        assert "no reply yet" in play.report

    with listener:
        play(network, tmp_path, scene)


async def answered_since(play: Play, network: Network) -> None:
    """Wait until the answer to a later connection was compared, and so all earlier ones."""
    tracker = play.screen.sides["forge"].service._search._tracker
    looked_at = tracker._next
    network.in_near(lambda: socket.create_connection((FAR_ADDRESS, OPEN))).close()
    await play.until(lambda: tracker._next >= looked_at + 2)  # a SYN and its SYN-ACK


async def type_into(play: Play, key: str, text: str) -> None:
    play.form.select_field(key)
    keys = ("full_stop" if character == "." else character for character in text)
    await play.pilot.press("ctrl+u", *keys)


def test_a_captured_packet_leaves_again_byte_for_byte(network, tmp_path):
    async def scene(play: Play) -> None:
        await play.pilot.press("f2")
        play.form.state = FormState.of(TEMPLATES["icmp-echo"].drafts)
        await type_into(play, "ip.dst", FAR_ADDRESS)
        await play.send(ask=True)
        await play.until(lambda: "Echo reply" in play.report)
        (number,) = play.screen.table.sent_numbers
        await play.pilot.press("escape")
        assert play.screen.table.select(number)
        data = play.screen.panels.selected.packet.data
        await play.send("r", ask=True)
        await play.until(lambda: "sent as requested, byte for byte" in play.report)
        again = max(play.screen.table.sent_numbers)
        assert again > number
        assert play.screen.shown.packet(again).data == data
        await play.until(lambda: "Echo reply" in play.report)

    play(network, tmp_path, scene)


def test_more_than_the_mtu_is_reported_by_name(network, tmp_path):
    async def scene(play: Play) -> None:
        await play.pilot.press("f2")
        play.form.state = FormState.of(TEMPLATES["udp"].drafts)
        await type_into(play, "ip.dst", FAR_ADDRESS)
        drafts = (play.form.state.draft.with_text("payload", "x" * 2000),)
        play.form.state = FormState(drafts)
        await play.pilot.press("ctrl+s")
        await play.asked()
        await play.pilot.press("y")
        await play.until(lambda: "EMSGSIZE" in play.report)
        assert "the MTU on near0 is 1500 bytes" in " ".join(play.report.split())

    play(network, tmp_path, scene)
