"""Every option that takes an interface accepts its alternative names and its number."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import rich_click as click

from app.cli.arguments import rawscope as program
from core.capture.options import CaptureOptions
from core.engine.engine import Engine
from core.engine.snapshot import EngineState
from core.net.sockets import LOCAL_SOCKETS
from core.store.packet_store import PacketStore
from tests.app.made import capture_of, udp_frame
from tests.helpers.process.forked_commands import command_server
from tests.helpers.support import ROOT
from tests.helpers.waiting import until
from tests.live.network import FAR_ADDRESS, Network, in_namespace
from tests.live.watching import ETH_P_EXPERIMENTAL, ethernet, send_frames, watching

pytestmark = pytest.mark.live

SHORT = "uplink"
LONG = "an-alternative-name-is-as-long-as-127-bytes"
NUMBER = "7"  # the index of near0
FORMS = [SHORT, LONG, NUMBER, "near0"]
METHODS = ["ring", "datagram", "inet"]


class NamedNetwork(Network):
    """A network whose near0 has the index NUMBER and two more names."""

    def add_pair(self) -> None:
        super().add_pair()
        self.ip_near("link", "del", "near0")
        self.ip_near("link", "add", "near0", "index", NUMBER, "type", "veth",
                     "peer", "name", "far0", "netns", self.far)  # fmt: skip
        for name in (SHORT, LONG):
            self.ip_near("link", "property", "add", "dev", "near0", "altname", name)
        self.ip_near("addr", "add", "10.77.0.1/24", "dev", "near0")
        self.ip_far("addr", "add", f"{FAR_ADDRESS}/24", "dev", "far0")
        self.ip_near("link", "set", "near0", "up")
        self.ip_far("link", "set", "far0", "up")


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with NamedNetwork() as made:
        yield made


def rawscope(network: Network, tmp_path: Path, *arguments: str) -> tuple[int, str, str]:
    environment = {"XDG_STATE_HOME": str(tmp_path)}
    ended = command_server().run(arguments, ROOT, environment, namespace=network.near)
    return ended.status, ended.out.decode(), ended.error.decode()


def options_with_an_interface() -> set[tuple[str, str]]:
    """Return each command with its option that takes an interface."""
    context = click.Context(program)
    names = program.list_commands(context)
    commands = {"": program, **{name: program.get_command(context, name) for name in names}}
    return {
        (name, option.opts[0])
        for name, command in commands.items()
        for option in command.params
        if isinstance(option, click.Option) and option.metavar == "IFACE"
    }


def test_every_command_with_an_interface_has_a_test():
    """Each of these has a test below; a new one needs one, too."""
    assert options_with_an_interface() == {
        ("", "-i"), ("dump", "-i"), ("send", "--link"), ("replay", "--link")
    }  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("method", METHODS)
def test_dump_with_each_source(network, method, form):
    with watching(network, form, method) as watch:
        assert watch.source.name == "near0"
        if method == "inet":
            return  # inet receives no experimental frames
        send_frames(network, ethernet(network, ETH_P_EXPERIMENTAL, b"hello"))
        (packet,) = watch.wait_for(1)
    assert packet.interface.name == "near0"


@pytest.mark.parametrize("form", FORMS)
def test_dump_as_a_process(network, tmp_path, form):
    status, _, said = rawscope(network, tmp_path, "dump", "-i", form, "-a", "0.1")
    assert status == 0
    assert "listening on near0" in said


def test_monitor(network):
    """The engine gets the value of `-i`; the screen shows the interface's own name, once."""

    def capture() -> None:
        engine = Engine(PacketStore(), LOCAL_SOCKETS)
        engine.start()
        try:
            engine.capture(CaptureOptions(tuple(FORMS)))
            until(lambda: engine.snapshot().state is EngineState.LIVE, "the capture")
            assert engine.snapshot().interfaces == ("near0",)
            engine.stop_capture()
            until(lambda: engine.snapshot().state is EngineState.STOPPED, "its end")
            engine.capture(CaptureOptions(("nope",)))
            until(lambda: engine.snapshot().state is EngineState.FAILED, "the refusal")
            assert engine.snapshot().message.startswith("there is no interface 'nope'")
        finally:
            engine.close()

    in_namespace(network.near, capture)


@pytest.mark.parametrize("form", FORMS)
def test_send(network, tmp_path, form):
    arguments = ("--link", form, "--ip.dst", FAR_ADDRESS, "--udp.dstport", "9")
    status, out, said = rawscope(network, tmp_path, "send", *arguments, "--wait", "0.5", "--yes")
    assert status == 0, said
    assert "sent 1 of 1 through near0 (verbatim)" in out
    assert f"{FAR_ADDRESS} on near0 was not approved" in said
    status, out, _ = rawscope(network, tmp_path, "send", *arguments, "--dry-run", "--json")
    assert json.loads(out)["frame.interface_name"] == "near0"


@pytest.mark.parametrize("form", FORMS)
def test_replay(network, tmp_path, form):
    file = capture_of(tmp_path / "one.pcap", [udp_frame(b"again")])
    arguments = ("replay", file, "--link", form, "--yes", "--json")
    status, out, said = rawscope(network, tmp_path, *arguments)
    assert status == 0, said
    assert json.loads(out.splitlines()[-1])["interface"] == "near0"


def test_an_interface_named_like_a_number_is_found_by_its_name(network):
    network.ip_near("link", "add", NUMBER, "type", "veth", "peer", "name", "other7")
    network.ip_near("link", "set", NUMBER, "up")
    try:
        with watching(network, NUMBER) as watch:
            assert watch.source.name == NUMBER
            assert watch.source.interface_index != int(NUMBER)
    finally:
        network.ip_near("link", "del", NUMBER)


def test_alternative_names_are_listed(network, tmp_path):
    status, out, _ = rawscope(network, tmp_path, "interfaces")
    assert status == 0
    head, *lines = out.splitlines()
    assert head.split() == [
        "NAME", "INDEX", "STATE", "KIND", "MTU", "MAC", "ALSO", "ADDRESSES"
    ]  # fmt: skip
    (line,) = (line for line in lines if line.startswith("near0 "))
    assert line.split()[:2] == ["near0", NUMBER]
    assert f"{SHORT} {LONG}" in line
    _, out, _ = rawscope(network, tmp_path, "interfaces", "--json")
    found = {one["name"]: one for one in map(json.loads, out.splitlines())}
    assert found["near0"]["alternative_names"] == [SHORT, LONG]
    assert found["near0"]["index"] == int(NUMBER)
    assert found["lo"]["alternative_names"] == []
