"""The monitor on a scripted capture: no worker, no clock, no interfaces of this host."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from textual.pilot import Pilot

from app.config.paths import Paths
from app.monitor import Monitor
from app.screens.main import MainScreen
from core.capture.capture_filter import CaptureFilter
from core.capture.options import CaptureOptions
from core.capture.ssh_sessions import SshSession
from core.echo.snapshot import EchoSnapshot
from core.engine.capture_end import NO_END, CaptureEnd
from core.engine.echo_service import NO_SERVER, EchoService
from core.engine.engine import Engine
from core.engine.snapshot import EngineSnapshot, EngineState
from core.forge.host import ForgeHost
from core.net.interfaces import InterfaceInfo
from core.recording.recorder import Recorder
from core.store.packet_store import PacketStore
from core.store.right_of_way import RightOfWay
from core.wire.link.link_types import LinkType
from tests.helpers.idle import eventually
from tests.helpers.scripted_forge import ScriptedHost
from tests.helpers.waiting import PATIENCE_S

NOWHERE = Paths(Path("/dev/null/config.toml"), Path("/dev/null/state.json"))  # also for root
LIVE = EngineSnapshot(EngineState.LIVE, interfaces=("eth0",), captured=28, received=28)


def interface(
    name: str, index: int, addresses: tuple[str, ...], kind: str = "", up: bool = True
) -> InterfaceInfo:
    """Return a made-up interface."""
    return InterfaceInfo(
        name=name,
        index=index,
        kind=kind,
        up=up,
        running=up,
        loopback=name == "lo",
        mtu=65536 if name == "lo" else 1500,
        mac="02:00:00:00:00:17",
        addresses=addresses,
        link_type=LinkType.ETHERNET,
        promiscuous=False,
        hardware_type=1,
    )


INTERFACES = (
    interface("lo", 1, ("127.0.0.1/8", "::1/128")),
    interface("eth0", 2, ("192.0.2.17/24", "2001:db8:17::5/64", "fe80::17/64")),
    interface("wg0", 3, ("10.8.0.2/24",), kind="wireguard"),
    interface("veth1", 4, (), kind="veth", up=False),
)


class ScriptedEcho:
    """An echo server that returns the test's snapshot and records its commands."""

    def __init__(self, said: EchoSnapshot = NO_SERVER) -> None:
        self.said = said
        self.told: list[tuple[object, ...]] = []

    def snapshot(self) -> EchoSnapshot:
        return self.said

    def __getattr__(self, command: str) -> Callable[..., None]:
        if not callable(getattr(EchoService, command)):
            raise AttributeError(command)
        return lambda *arguments: self.told.append((command, *arguments))


class ScriptedEngine:
    """An engine that returns the test's snapshot and records its commands."""

    def __init__(self, said: EngineSnapshot = LIVE, echo: EchoSnapshot = NO_SERVER) -> None:
        self.said = said
        self.told: list[object] = []
        self.echo = ScriptedEcho(echo)
        self.right_of_way = RightOfWay()
        self.store_generation = -1
        self.store = PacketStore()

    @property
    def store(self) -> PacketStore:
        return self._store

    @store.setter
    def store(self, store: PacketStore) -> None:
        self._store = store
        self.store_generation += 1

    def snapshot(self) -> EngineSnapshot:
        packets = self.store.snapshot()
        return replace(self.said, packets=packets, store_generation=self.store_generation)

    def capture(self, options: CaptureOptions, end: CaptureEnd = NO_END) -> None:
        self.told.append(options)
        self.said = replace(
            self.said,
            state=EngineState.LIVE,
            interfaces=options.interfaces,
            capture_filter=options.capture_filter,
        )

    def change_filter(self, capture_filter: CaptureFilter | None) -> None:
        self.told.append(capture_filter)
        self.said = replace(self.said, capture_filter=capture_filter)

    def stop_capture(self) -> None:
        self.told.append("stop")
        self.said = replace(self.said, state=EngineState.STOPPED)

    def set_comments(self, number: int, comments: Sequence[str]) -> None:
        self.store.set_comments(number, comments)

    def record(self, recorder: Recorder) -> None:
        self.told.append(recorder)

    def stop_recording(self) -> None:
        self.told.append("stop recording")

    def open_file(self, source: str | int) -> None:
        self.told.append(source)
        self.said = EngineSnapshot(EngineState.DONE, file=str(source), progress=1.0)


def scripted_monitor(
    store: PacketStore,
    engine: ScriptedEngine | None = None,
    paths: Paths = NOWHERE,
    choose: bool = False,
    clock: Callable[[], float] = lambda: 0.0,
    forge_host: ForgeHost | None = None,
    environment: Mapping[str, str] | None = None,
    display_filter: str = "",
    ssh_sessions: Sequence[SshSession] = (),
) -> Monitor:
    """Return a monitor that shows the same on every run; `store` is for a scripted engine."""
    engine = engine or ScriptedEngine()
    if isinstance(engine, ScriptedEngine):
        engine.store = store
    monitor = Monitor(
        cast(Engine, engine),
        lambda: forge_host or ScriptedHost(),
        choose=choose,
        paths=paths,
        interfaces=lambda: INTERFACES,
        clock=clock,
        time_of_day=lambda: "12:03:44",
        environment=environment or {},
        display_filter=display_filter,
        ssh_sessions=lambda: ssh_sessions,
    )
    monitor.NOTIFICATION_TIMEOUT = PATIENCE_S  # type: ignore[misc] # for busy hosts
    monitor.bridge.analysis.patience_s = PATIENCE_S
    monitor.bridge.colors.patience_s = PATIENCE_S
    return monitor


def main(pilot: Pilot[Any]) -> MainScreen:
    """Return the main screen, also below a dialog."""
    screen = pilot.app.screen_stack[0]
    assert isinstance(screen, MainScreen)
    return screen


async def filled(pilot: Pilot[Any]) -> MainScreen:
    """Wait until the main screen has drawn all packets of the store; return it.

    Drawn rows set the widths of columns. Without this, a picture would depend on whether the first
    rows were painted before a key moved the cursor.
    """
    screen = main(pilot)
    await eventually(lambda: screen.sides.are_mounted, "the side panels")

    def has_all_rows() -> bool:
        packets = screen.bridge.poll().packets
        shown = packets.count - packets.evicted
        return screen.table.line_count >= shown or bool(screen.filter.text)

    await eventually(has_all_rows, "all rows")
    screen.table.render_lines(screen.table.size.region)
    return screen
