"""An interface that is renamed while it is captured: everything follows the new name."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from core.capture.options import CaptureOptions, Method
from core.capture.session import CaptureSession
from core.engine.engine import Engine
from core.engine.snapshot import EngineState
from core.net.sockets import LOCAL_SOCKETS
from core.store.packet_store import PacketStore
from tests.helpers.frame_recorder import FrameRecorder
from tests.helpers.support import ROOT, require_command
from tests.helpers.waiting import PATIENCE_S, until
from tests.live.network import NEAR_ADDRESS, Network, in_namespace
from tests.live.watching import ETH_P_EXPERIMENTAL, ethernet, send_frames

pytestmark = pytest.mark.live


@pytest.fixture
def network() -> Iterator[Network]:
    with Network() as made:
        yield made


def rename(network: Network, old: str, new: str) -> None:
    """Rename an interface of the near namespace as ip-link(8) describes it."""
    network.ip_near("link", "set", old, "down")
    network.ip_near("link", "set", old, "name", new)
    network.ip_near("link", "set", new, "up")


def has_carrier(network: Network, name: str) -> bool:
    (link,) = json.loads(network.ip_near("-j", "link", "show", name))
    return bool(link["operstate"] == "UP")


def send_one(network: Network, payload: bytes) -> None:
    """Send an experimental frame to near, and a datagram, which a classic raw socket gets, too."""
    send_frames(network, ethernet(network, ETH_P_EXPERIMENTAL, payload))


@dataclass
class Run:
    """A capture session on near0, read into a store."""

    session: CaptureSession
    store: PacketStore

    def read(self) -> int:
        """Process changes of links and take all frames; return their number."""
        for feed in self.session.feeds:
            while (batch := self.session.read(feed)) is not None:
                self.store.append(batch)
        self.session.update_links()
        return self.store.snapshot().count

    def names(self) -> list[str]:
        snapshot = self.store.snapshot()
        packets = range(1, snapshot.count + 1)
        return [snapshot.packet(number).interface.name for number in packets]


@pytest.mark.parametrize("method", ["ring", "datagram", "inet"])
def test_later_packets_and_messages_have_the_new_name(network, method: Method):
    store = PacketStore()
    options = CaptureOptions(("near0",), method=method, ring_bytes=4 << 20)
    run = Run(
        network.in_near(lambda: CaptureSession(options, store.add_interface, LOCAL_SOCKETS)), store
    )

    def ping(count: int) -> None:
        network.run_far("ping", "-c1", "-w", str(int(PATIENCE_S)), NEAR_ADDRESS)
        until(lambda: network.in_near(run.read) >= count, "the packets")

    try:
        ping(1)
        before = run.store.snapshot().count
        network.ip_near("link", "set", "near0", "down")
        until(lambda: network.in_near(run.read) and run.session.trouble, "the link to go down")
        network.ip_near("link", "set", "near0", "name", "wire0")
        until(lambda: network.in_near(run.read) and run.session.renamed, "the new name")
        assert run.session.trouble.startswith("wire0 is down")
        assert run.session.notes[-1] == "near0 is now named wire0"
        network.ip_near("link", "set", "wire0", "up")
        until(lambda: network.in_near(run.read) and not run.session.trouble, "the link to come up")
        ping(before + 1)
        assert set(run.names()[:before]) == {"near0"}
        assert run.names()[-1] == "wire0"
        assert run.session.interfaces == ("wire0",)
        rename(network, "wire0", "near0")
        until(lambda: network.in_near(run.read) and len(run.session.renamed) == 2, "the old name")
        network.ip_near("link", "del", "near0")
        until(lambda: network.in_near(run.read) and "deleted" in run.session.trouble, "its end")
        assert run.session.trouble == "near0 was deleted"
        counted = run.session.statistics()
        assert run.session.delivered + counted.dropped == counted.received
    finally:
        network.in_near(run.session.close)


def test_the_engine_publishes_the_new_name_and_captures_under_it_again(network):
    """Also if the name changes while the capture is stopped, and if it was an alternative name."""
    network.ip_near("link", "property", "add", "dev", "near0", "altname", "uplink")

    def capture() -> None:
        engine = Engine(PacketStore(), LOCAL_SOCKETS)
        engine.start()
        try:
            engine.capture(CaptureOptions(("uplink",)))
            until(lambda: engine.snapshot().interfaces == ("near0",), "the capture")
            rename(network, "near0", "wire0")
            until(lambda: engine.snapshot().interfaces == ("wire0",), "the new name")
            assert engine.snapshot().renamed == (("near0", "wire0"),)
            until(lambda: "now named wire0" in engine.snapshot().message, "the message")
            restart(engine, ("wire0",))
            engine.stop_capture()
            until(lambda: engine.snapshot().state is EngineState.STOPPED, "its end")
            rename(network, "wire0", "link0")
            restart(engine, ("link0",))
            assert engine.snapshot().renamed == (("near0", "wire0"), ("wire0", "link0"))
            engine.stop_capture()
            until(lambda: engine.snapshot().state is EngineState.STOPPED, "its end")
            network.ip_near("link", "del", "link0")
            engine.capture(CaptureOptions(engine.snapshot().interfaces))
            until(lambda: engine.snapshot().state is EngineState.FAILED, "the refusal")
            assert engine.snapshot().message.startswith("there is no interface 'link0'")
        finally:
            engine.close()

    def restart(engine: Engine, expected: tuple[str, ...]) -> None:
        engine.capture(CaptureOptions(engine.snapshot().interfaces))
        until(
            lambda: (
                engine.snapshot().state is EngineState.LIVE
                and engine.snapshot().interfaces == expected
            ),
            f"a capture on {expected}",
            engine.snapshot,
        )

    in_namespace(network.near, capture)


def test_another_interface_is_not_taken_for_the_renamed_one(network):
    """One with the same index and another link address, while the capture is stopped."""
    (link,) = json.loads(network.ip_near("-j", "link", "show", "near0"))

    def capture() -> None:
        engine = Engine(PacketStore(), LOCAL_SOCKETS)
        engine.start()
        try:
            engine.capture(CaptureOptions(("near0",)))
            until(lambda: engine.snapshot().state is EngineState.LIVE, "the capture")
            engine.stop_capture()
            until(lambda: engine.snapshot().state is EngineState.STOPPED, "its end")
            network.ip_near("link", "del", "near0")
            index = str(link["ifindex"])
            network.ip_near("link", "add", "other0", "index", index, "type", "veth")
            engine.capture(CaptureOptions(("near0",)))
            until(lambda: engine.snapshot().state is EngineState.FAILED, "the refusal")
        finally:
            engine.close()

    in_namespace(network.near, capture)


def test_dump_prints_the_new_name(network):
    command = [
        *network.inside(network.near), sys.executable, "-m", "app",
        "dump", "-i", "near0", "--json",
    ]  # fmt: skip
    with subprocess.Popen(
        require_command(*command), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    ) as dump:  # fmt: skip
        assert dump.stdout is not None
        assert dump.stderr is not None
        while "listening on near0" not in dump.stderr.readline():
            pass
        send_one(network, b"old")
        names = [json.loads(dump.stdout.readline())["frame.interface_name"]]
        rename(network, "near0", "wire0")
        while "near0 is now named wire0" not in (line := dump.stderr.readline()):
            assert line
        until(lambda: has_carrier(network, "wire0"), "the carrier")
        while names[-1] != "wire0":
            network.run_far("ping", "-c1", "-W1", NEAR_ADDRESS)
            names.append(json.loads(dump.stdout.readline())["frame.interface_name"])
        assert set(names[:-1]) == {"near0"}
        dump.send_signal(signal.SIGINT)
        dump.communicate(timeout=PATIENCE_S)


def test_the_screen_follows_the_new_name(network, tmp_path, monkeypatch):
    """The status bar, the banner, the table, the interface of the form, and ctrl+e twice."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    recorder = FrameRecorder(
        [*network.inside(network.near), sys.executable, "-m", "app", "-i", "near0"], 160, 45
    )

    def type_until(key: bytes, text: str) -> None:
        os.write(recorder.terminal.fd, key)
        recorder.wait_for(text)

    try:
        recorder.wait_for("? help")
        send_one(network, b"x" * 40)
        recorder.wait_for("0x88b5")
        type_until(b"f", "Ethernet")  # a frame that no route sends: the form names the interface
        recorder.wait_for("leaves on near0")
        rename(network, "near0", "wire0")
        recorder.wait_for("near0 is now named wire0")
        recorder.wait_for("wire0 ● live")
        recorder.wait_for("leaves on wire0")
        type_until(b"\x05", "■ stopped")
        type_until(b"\x05", "wire0 ● live")
    finally:
        recorder.close()
