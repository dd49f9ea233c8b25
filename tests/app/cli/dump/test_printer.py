"""Printing chunks and batches: both get the relative numbers that the screen shows."""

from __future__ import annotations

import re

import numpy as np
import pytest

from app.cli.dump.hex_lines import HexLines
from app.cli.dump.line_format import LineFormat
from app.cli.dump.printer import Printer
from app.cli.dump.text_lines import TextLines
from core.analysis.tcp.flow_index import FlowIndex
from core.decode.batch_decoder import decode_batch
from core.store.budget import Budget
from core.store.packet_store import PacketStore
from core.wire.link.link_types import LinkType
from core.wire.model.assigned_numbers import IpProtocol
from core.wire.present.summary import summarize
from tests.core.decode.frames import ethernet, ipv4, tcp, tcp_frame, udp_frame
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of


def _tunneled(**segment: object) -> bytes:
    inner = ipv4(tcp(**segment), IpProtocol.TCP)
    return ethernet(ipv4(inner, IpProtocol.IPV4))


FRAMES = [
    tcp_frame(flags="syn", sequence=1_000),
    tcp_frame(flags="syn ack", sequence=5_000, back=True),
    udp_frame(),
    _tunneled(flags="syn", sequence=70_000),
    _tunneled(sequence=70_009),
    tcp_frame(b"data", sequence=70_001),
]
TIMES_NS = [1_000_000_000 + index for index in range(len(FRAMES))]
LINK_TYPES = np.array([LinkType.ETHERNET], np.int32)


def _screen() -> list[str]:
    """Return the Info of each packet in the table."""
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    store.append(batch_of(FRAMES, times_ns=TIMES_NS))
    index, snapshot = FlowIndex(), store.snapshot()
    index.extend(snapshot, Budget())
    return [
        summarize(snapshot.packet(number).dissect(), index.published.base(number)).info
        for number in range(1, snapshot.count + 1)
    ]


@pytest.mark.parametrize("line_format", [TextLines, HexLines])
@pytest.mark.parametrize("decoded", [True, False])
@pytest.mark.parametrize("step", [1, 2, len(FRAMES)])
def test_lines_show_the_numbers_of_the_screen(
    capfd: pytest.CaptureFixture[str], line_format: type[LineFormat], decoded: bool, step: int
) -> None:
    printer = Printer(line_format(), None)
    for start in range(0, len(FRAMES), step):
        batch = batch_of(FRAMES[start : start + step], times_ns=TIMES_NS[start : start + step])
        frames = decode_batch(batch, LINK_TYPES, 1 + start) if decoded else batch
        printer.take(frames, [ETHERNET_INTERFACE])
    lines = [line for line in capfd.readouterr().out.splitlines() if re.match(r" +\d+ ", line)]
    screen = _screen()
    assert len(lines) == len(FRAMES)
    for line, info in zip(lines, screen, strict=True):
        assert info in line
    assert ["Seq=0" in info for info in screen] == [True, True, False, True, False, False]
    assert "Seq=9" in screen[4]
