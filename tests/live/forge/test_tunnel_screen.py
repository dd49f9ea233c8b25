"""The form and `r` on a tun device, which has no link header; WireGuard devices are of its type."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.widgets import OptionList

from app.screens.forge.interface_dialog import SendInterface
from core.files.writing.pcapng_writer import PcapngWriter
from core.forge.compose.draft import Draft
from core.forge.values import SendMethod
from core.wire.link.link_types import LinkType
from core.wire.model.assigned_numbers import EtherType, IpProtocol
from tests.app.made import capture_of
from tests.core.wire.frames import ethernet, ipv4, udp
from tests.live.forge.test_forge_screen import Play, play
from tests.live.network import Network
from tests.live.tunnel import Tun
from widgets.forge.changes import FormState

pytestmark = pytest.mark.live

PACKET = ipv4(udp(b"again"), IpProtocol.UDP)
ZEROS = ipv4(udp(b"zeros"), IpProtocol.UDP, id=0, checksum=0)  # the IP stack would write both
ARP = ethernet(bytes(28), EtherType.ARP)
AIM = {"ip.dst": "10.78.0.2", "ip.src": Tun.address, "udp.dstport": "9", "payload": "hi"}


@pytest.fixture
def network() -> Iterator[Network]:
    with Network() as made:
        yield made


@pytest.fixture
def tun(network: Network) -> Iterator[Tun]:
    with Tun(network) as made:
        yield made


async def choose(stage: Play, key: str, choice: str) -> None:
    """Choose by the arrow keys."""
    form = stage.form
    form.focus()
    await stage.until(lambda: any(choice in c for row in form.model.rows if row.key == key
                                  for c in row.choices))  # fmt: skip
    form.select_field(key)
    for _ in form.model.row.choices:
        if choice in form.model.row.choices[form.model.row.chosen]:
            return
        await stage.pilot.press("right")
    raise AssertionError(f"{choice} is not offered")


@pytest.mark.parametrize("interface", ["tun7", ""])
def test_the_form_sends_verbatim_without_a_link_header(
    network: Network, tun: Tun, tmp_path: Path, interface: str
) -> None:
    """On the interface that the user chooses, and on that of the route."""
    packets = []

    async def scene(stage: Play) -> None:
        await stage.pilot.press("f2")
        stage.form.state = FormState.of((Draft(("ip", "udp"), {**AIM, "ip.id": "0"}),))
        await stage.until(lambda: stage.screen.sides["forge"].panel.snapshot.suggestions)
        await choose(stage, ":method", "verbatim")
        if interface:
            await choose(stage, ":interface", interface)
        await stage.until(lambda: stage.form.state.settings.method is SendMethod.PACKET)
        assert stage.form.state.draft.layers == ("ip", "udp")
        packets.append(stage.form.model.evaluation.data)
        await stage.send(ask=True)
        await stage.told("sent as requested")

    play(network, tmp_path, scene, interface=tun.name)
    assert tun.read() == packets[0]
    assert packets[0][4:6] == bytes(2)  # not rewritten by the kernel


def test_the_form_sends_frames_on_an_ethernet_interface_again(
    network: Network, tun: Tun, tmp_path: Path
) -> None:
    async def scene(stage: Play) -> None:
        await stage.pilot.press("f2")
        stage.form.state = FormState.of((Draft(("ip", "udp"), AIM),))
        await choose(stage, ":method", "verbatim")
        await choose(stage, ":interface", tun.name)
        assert stage.form.state.draft.layers == ("ip", "udp")
        await choose(stage, ":interface", "near0")
        assert stage.form.state.draft.layers == ("eth", "ip", "udp")
        assert stage.form.state.settings.method is SendMethod.LINK

    play(network, tmp_path, scene)


def test_a_captured_packet_leaves_again_byte_for_byte(
    network: Network, tun: Tun, tmp_path: Path
) -> None:
    """Although the IP stack would fill in the zero identification and the checksum."""

    async def scene(stage: Play) -> None:
        tun.write(ZEROS)
        table = stage.screen.table
        await stage.until(lambda: stage.screen.scene.packets.count and table.select(1))
        await stage.send("r", ask=True)
        await stage.told("sent as requested, byte for byte")

    play(network, tmp_path, scene, interface=tun.name)
    assert tun.read() == ZEROS


def raw_capture_of(path: Path, packet: bytes) -> str:
    """Write a pcapng file with a packet without a link header, and return its name."""
    writer = PcapngWriter(path)
    number = writer.add_interface("x", LinkType.RAW)
    writer.write(packet, timestamp_ns=1, interface=number, flags=0, comments=())
    writer.close()
    return str(path)


async def resend_on(stage: Play, number: int, name: str) -> list[str]:
    """Press `r` on a packet of a file, and choose an interface; return those offered."""
    assert stage.screen.table.select(number)
    await stage.pilot.press("r")
    dialog = stage.pilot.app.screen
    assert isinstance(dialog, SendInterface)
    options = dialog.query_one(OptionList)
    await stage.until(lambda: options.option_count)
    offered = [str(option.prompt) for option in options.options]
    options.highlighted = offered.index(name)
    await stage.pilot.press("enter")
    return offered


def test_the_packet_in_a_frame_of_a_file_leaves_without_its_link_header(
    network: Network, tun: Tun, tmp_path: Path
) -> None:
    async def scene(stage: Play) -> None:
        offered = await resend_on(stage, 1, tun.name)
        assert {"near0", tun.name} <= set(offered)
        await stage.asked()
        await stage.pilot.press("y")
        await stage.told("sent 1 of 1")
        await resend_on(stage, 2, tun.name)
        await stage.until(lambda: any(
            "packet 2 is not sent: the frame has no IP packet" in one.message
            for one in stage.pilot.app._notifications
        ))  # fmt: skip

    file = capture_of(tmp_path / "a.pcap", [ethernet(PACKET).ljust(60, b"\0"), ARP])
    play(network, tmp_path, scene, file=file)
    assert tun.read() == PACKET
    assert tun.read_all() == []


def test_a_packet_of_a_file_without_link_headers_leaves_verbatim_there(
    network: Network, tun: Tun, tmp_path: Path
) -> None:
    async def scene(stage: Play) -> None:
        offered = await resend_on(stage, 1, tun.name)
        assert offered == ["by route", tun.name]
        await stage.asked()
        await stage.pilot.press("y")
        await stage.told("sent 1 of 1")

    file = raw_capture_of(tmp_path / "a.pcapng", ZEROS)
    play(network, tmp_path, scene, file=file)
    assert tun.read() == ZEROS
