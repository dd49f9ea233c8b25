"""Echo requests and replies, their flows, and the programs that ask."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from core.analysis.programs import echo_packets
from core.analysis.programs.chunk_programs import ChunkPrograms
from core.analysis.programs.echo_scan import ECHO_RECHECK_S, EchoScan
from core.analysis.programs.owners import Grade
from core.analysis.programs.socket_table import RAW
from core.analysis.tcp.flow_index import FlowIndex
from core.decode.batch_decoder import decode_batch
from core.decode.chunk import Chunk
from core.wire.link.link_types import LinkType
from tests.core.analysis.programs.made_host import HERE, UNCONNECTED, MadeHost, MadeSocket
from tests.core.decode.frames import ethernet, ipv4, udp_frame
from tests.core.decode.support import batch_of

ICMP, REQUEST, REPLY = 1, 8, 0
US, THEM = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))


def echo(kind: int, ident: int = 77, ends: tuple[bytes, bytes] = (US, THEM)) -> bytes:
    message = struct.pack("!BBHHH", kind, 0, 0, ident, 1) + b"data"
    packet = bytearray(ipv4(message, ICMP))
    packet[12:20] = b"".join(ends)
    return ethernet(bytes(packet))


PING = [echo(REQUEST), echo(REPLY, ends=(THEM, US))]


def decoded(frames: list[bytes], first: int = 1) -> Chunk:
    return decode_batch(batch_of(frames), np.array([LinkType.ETHERNET], np.int32), first)


def test_a_request_and_its_reply_are_one_flow_of_the_end_that_asks() -> None:
    scan = EchoScan()
    flows = scan.of_chunk(decoded([*PING, *PING[::-1], udp_frame()]), 0.0)
    assert [(each.packet, each.source.text, each.since) for each in flows] == [
        (1, "10.0.0.1 id 77", 0)
    ]
    assert scan.packets.numbers.tolist() == [1, 2, 3, 4]
    assert set(scan.packets.flows.tolist()) == {0}
    (other,) = EchoScan().of_chunk(decoded(PING[1:]), 0.0)
    assert other.source.text == "10.0.0.1 id 77"


@pytest.mark.parametrize(
    "frame",
    [
        echo(REQUEST, 78),
        echo(REQUEST, ends=(THEM, US)),
        echo(REQUEST, ends=(US, US)),
    ],
)
def test_other_ends_and_identifiers_are_other_flows(frame) -> None:
    scan = EchoScan()
    assert [each.packet for each in scan.of_chunk(decoded([*PING, frame]), 0.0)] == [1, 3]
    assert scan.packets.flows.tolist() == [0, 0, 1]


def test_other_messages_and_cut_ones_have_no_flow() -> None:
    cut = PING[0][: 14 + 20 + 7]
    assert EchoScan().of_chunk(decoded([echo(3), echo(13), cut, udp_frame()]), 0.0) == []


def test_a_flow_that_continues_is_returned_again() -> None:
    scan = EchoScan()
    for first, now_s, expected in ((1, 0.0, [0]), (3, 0.9, []), (5, ECHO_RECHECK_S, [2])):
        assert [each.since for each in scan.of_chunk(decoded(PING, first), now_s)] == expected
    assert scan.packets.flows.tolist() == [0] * 6


def test_the_memory_of_packets_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr(echo_packets, "MOST_ECHOES", 5)
    scan = EchoScan()
    for first in range(1, 20, 2):
        scan.of_chunk(decoded(PING, first), 0.0)
    assert scan.packets.numbers.tolist() == [16, 17, 18, 19, 20]
    rows, flows = scan.packets.among(np.array([3, 17, 20, 99]))
    assert (rows.tolist(), flows.tolist()) == ([1, 2], [0, 0])


@pytest.fixture
def host(tmp_path) -> MadeHost:
    made = MadeHost(tmp_path)
    made.process(20, "ping", 7)
    made.process(21, "monitor", 8)
    return made


def ping_socket(ident: int, inode: int) -> MadeSocket:
    return MadeSocket(ICMP, ("0.0.0.0", ident), None, inode, UNCONNECTED)


def raw_socket(inode: int, address: str = "0.0.0.0") -> MadeSocket:
    return MadeSocket(RAW | ICMP, (address, 1), None, inode, UNCONNECTED)


def owners_in(host: MadeHost, rounds: int = 3, frames=None) -> list[tuple[Grade, list[str]]]:
    """Return what is known of the last packet, after pings a second apart."""
    programs, flows = ChunkPrograms(host.finder(), host.clock), FlowIndex()
    frames = frames or PING
    for number in range(rounds):
        chunk = decoded(frames, 1 + number * len(frames))
        found = flows.append(chunk)
        table = programs.take(chunk, found)
        host.now_s += ECHO_RECHECK_S
    owners = table.of_packet(found, chunk.last)
    return [(each.grade, [process.name for process in each.processes]) for each in owners]


def test_a_ping_socket_is_exact_at_once(host) -> None:
    host.sockets = [ping_socket(77, 7), ping_socket(78, 8), raw_socket(8)]
    assert owners_in(host, 1) == [(Grade.EXACT, ["ping"])]
    assert owners_in(host, 1, [echo(REQUEST, 99)]) == []


def test_the_only_raw_socket_has_its_grade_at_the_second_look(host) -> None:
    host.sockets = [raw_socket(7)]
    assert owners_in(host, 1) == []
    assert owners_in(host, 3) == [(Grade.RAW, ["ping"])]


@pytest.mark.parametrize(
    "sockets",
    [
        [],
        [raw_socket(7), raw_socket(8)],
        [raw_socket(7), raw_socket(8, HERE)],
    ],
)
def test_several_raw_sockets_are_nobodys(host, sockets) -> None:
    """Nor is a request without any: a packet socket may have sent it."""
    host.sockets = sockets
    assert owners_in(host) == []


def test_a_raw_socket_of_another_address_does_not_count(host) -> None:
    host.sockets = [raw_socket(7), raw_socket(8, "10.0.0.9")]
    assert owners_in(host) == [(Grade.RAW, ["ping"])]


def test_a_socket_that_stays_when_the_sender_is_gone_is_not_taken_for_it(host) -> None:
    programs, flows = ChunkPrograms(host.finder(), host.clock), FlowIndex()
    for number, sockets in enumerate(([raw_socket(7), raw_socket(8)], [raw_socket(8)])):
        host.sockets = sockets
        chunk = decoded(PING, 1 + 2 * number)
        found = flows.append(chunk)
        table = programs.take(chunk, found)
        assert table.of_packet(found, chunk.last) == ()
        host.now_s += ECHO_RECHECK_S


def test_requests_of_other_hosts_have_no_program(host) -> None:
    """The kernel answers them."""
    host.sockets = [ping_socket(77, 7), raw_socket(8)]
    frames = [echo(REQUEST, ends=(THEM, US)), echo(REPLY, ends=(US, THEM))]
    assert owners_in(host, 3, frames) == []
