"""Real connections of known processes: whose they are, and whose not."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from core.analysis.programs.ends import ends_of, has_ends
from core.analysis.programs.owners import Grade, Owner
from core.analysis.programs.program_table import programs_of
from core.analysis.tcp.flow_index import index_of
from core.store.snapshot import Snapshot
from core.wire.model.assigned_numbers import IpProtocol
from tests.helpers.support import ROOT, require_capture, require_peer, require_root
from tests.helpers.waiting import PATIENCE_S, until
from tests.live.known_programs import (
    Connection,
    ProgramCapture,
    connections_of,
    first_in_line,
    other_tools,
    server,
    start_client,
)

pytestmark = pytest.mark.live
LIVES = (0.2, 0.0, 0.4, 0.05, 0.2, 1.0, 0.2)
CLIENTS, EACH = 8, 24
LASTING_S = 0.2
NAMED = (Grade.EXACT, Grade.MOMENT)


class Found(NamedTuple):
    """The connections of the clients, the packets, and the port and the process of the server.

    `tools` are the processes of other programs that connect.
    """

    connections: list[Connection]
    snapshot: Snapshot
    port: int
    pid: int
    tools: list[int]

    def holders(self) -> dict[int, Connection]:
        """Return the connection of each stream; a port may be used again, in the same order."""
        streams: dict[int, list[int]] = {}
        for packet in packets_of(self):
            port = next(each for each in packet.ports if each != self.port)
            if packet.stream not in streams.setdefault(port, []):
                streams[port].append(packet.stream)
        by_port: dict[int, list[Connection]] = {}
        for each in sorted(self.connections, key=lambda each: each.began_s):
            by_port.setdefault(each.port, []).append(each)
        assert by_port.keys() <= streams.keys()
        return {
            stream: connection
            for port, connections in by_port.items()
            for stream, connection in zip(streams[port], connections, strict=True)
        }


@pytest.fixture(scope="module")
def found() -> Iterator[Found]:
    """About 200 connections, some of them short."""
    require_capture()
    with first_in_line(), server() as (port, server_pid), ProgramCapture() as capture:
        clients = [start_client(port, EACH, *LIVES[n % 3 :], *LIVES) for n in range(CLIENTS)]
        tools = [subprocess.Popen(words) for words in other_tools(port)]
        while any(each.poll() is None for each in clients):
            capture.analyze()
            with_output = [each for each in clients if each.poll() is None]
            with_output[0].wait() if with_output else None
        connections = [each for client in clients for each in connections_of(client)]
        for each in tools:
            each.wait()
        pids = [each.pid for each in tools]
        yield Found(connections, capture.settle(), port, server_pid, pids)


class Seen(NamedTuple):
    """One packet: its stream, its ports, and the owners of its flow by port."""

    stream: int
    ports: tuple[int, int]
    owners: dict[int, Owner]


def packets_of(found: Found) -> Iterator[Seen]:
    """Yield each TCP packet of the server's connections."""
    snapshot = found.snapshot
    flows, programs = index_of(snapshot).published, programs_of(snapshot).published
    for chunk in snapshot.chunks:
        numbers = np.arange(chunk.first, chunk.last + 1)
        tcp = flows.tcp(numbers)
        streams = dict(zip(tcp["row"].tolist(), tcp["stream"].tolist(), strict=True))
        for row in np.flatnonzero(chunk.transport == IpProtocol.TCP).tolist():
            if not has_ends(chunk, row):
                continue
            ports = tuple(end.port for end in ends_of(chunk, row))
            if found.port in ports:
                owners = programs.of_packet(flows, chunk.first + row)
                by_port = {int(each.end.rpartition(":")[2]): each for each in owners}
                yield Seen(streams[row], (ports[0], ports[1]), by_port)


def test_no_packet_is_attributed_wrongly(found) -> None:
    """Both ends of every packet, by its stream, against the process that held the socket."""
    assert len(found.connections) == CLIENTS * EACH
    holders = found.holders()
    wrong, named = [], 0
    for packet in packets_of(found):
        for port, owner in packet.owners.items():
            pids = [found.pid] if port == found.port else found.tools
            if port != found.port and packet.stream in holders:
                pids = [holders[packet.stream].pid]
            found_pids = {process.pid for process in owner.processes}
            named += bool(found_pids)
            if not found_pids <= set(pids) or len(found_pids) > 1:
                wrong.append((packet, pids))
    assert wrong == []
    assert named


def test_the_server_owns_its_end(found) -> None:
    """Of each connection that is named at all; none is another process's."""
    owners = [packet.owners[found.port] for packet in packets_of(found) if packet.owners]
    processes = {process.pid for owner in owners for process in owner.processes}
    assert processes == {found.pid}


def test_connections_that_live_200_ms_have_names(found) -> None:
    """All packets of a named connection have its name."""
    grades: dict[int, set[Grade | None]] = {}
    for packet in packets_of(found):
        port = next(each for each in packet.ports if each != found.port)
        owner = packet.owners.get(port)
        grades.setdefault(packet.stream, set()).add(None if owner is None else owner.grade)
    lasting = [stream for stream, each in found.holders().items() if each.life_s >= LASTING_S]
    assert len(lasting) >= CLIENTS * EACH / 2
    named = sum(grades[stream] <= set(NAMED) for stream in lasting)
    assert named >= 0.95 * len(lasting), f"{named} of {len(lasting)}"


def test_a_datagram_socket_and_its_peer() -> None:
    """`dump` names both ends of a flow of UDP, this process here."""
    require_capture()
    dump = [sys.executable, "-m", "app", "dump", "-i", "lo", "--json", "-Y", "process.pid"]
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
        subprocess.Popen(
            dump, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as printing,
    ):
        assert printing.stderr is not None
        assert printing.stdout is not None
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
        other.bind(("127.0.0.1", 0))
        until(lambda: "listening" in printing.stderr.readline(), "the capture")
        one.sendto(b"question", other.getsockname())
        line = printing.stdout.readline()
        printing.terminate()
        printing.communicate(timeout=PATIENCE_S)
    packet = json.loads(line)
    assert packet["udp.srcport"] == port
    assert packet["process.pid"] == [os.getpid()] * 2
    assert packet["process.grade"] == ["exact", "exact"]


PING_GROUPS = Path("/proc/sys/net/ipv4/ping_group_range")  # of this network namespace


@pytest.mark.parametrize(
    ("groups", "grade"), [("0 0", "exact"), ("1 0", "the only raw socket")], ids=["ping", "raw"]
)
def test_ping_is_named_by_its_kind_of_socket(groups, grade) -> None:
    """Without a group that may use ping sockets, ping takes a raw one."""
    require_capture()
    ping = require_peer("ping")
    before = PING_GROUPS.read_text()
    dump = [sys.executable, "-m", "app", "dump", "-i", "lo", "--json", "-Y", "icmp && process.pid"]
    PING_GROUPS.write_text(groups)
    try:
        with (
            subprocess.Popen(
                dump, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            ) as printing,
            contextlib.ExitStack() as stack,
        ):
            assert printing.stderr is not None
            assert printing.stdout is not None
            until(lambda: "listening" in printing.stderr.readline(), "the capture")
            words = [ping, "-i", "0.3", "-w", "30", "127.0.0.1"]
            asking = stack.enter_context(subprocess.Popen(words, stdout=subprocess.DEVNULL))
            stack.callback(asking.kill)
            packet = json.loads(printing.stdout.readline())
            printing.terminate()
            printing.communicate(timeout=PATIENCE_S)
    finally:
        PING_GROUPS.write_text(before)
    found = [packet[f"process.{name}"] for name in ("name", "pid", "grade")]
    assert found == ["ping", asking.pid, grade]


ORDINARY = """
import os, sys
from core.analysis.programs.program_finder import ProgramFinder
from core.analysis.programs.ends import End
from core.analysis.programs.flow_scan import Flow
from core.wire.model.address_texts import MAPPED
from core.wire.model.assigned_numbers import IpProtocol

os.setgroups([])
os.setgid(65534)
os.setuid(65534)
local, remote = (End(MAPPED + bytes((127, 0, 0, 1)), int(word)) for word in sys.argv[1:])
finder = ProgramFinder()
finder.ask([Flow(int(IpProtocol.TCP), 1, local, remote, 1)])
answers = []
while not answers:
    answers = finder.step(1.0)
for owner in answers[0].owners:
    print(owner.grade.value, owner.uid, len(owner.processes))
"""


def test_an_ordinary_user_reads_the_user_of_a_foreign_connection() -> None:
    require_root()
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as client,
    ):
        served, _peer = listener.accept()
        with served:
            ports = [str(each.getsockname()[1]) for each in (client, listener)]
            done = subprocess.run(
                [sys.executable, "-c", ORDINARY, *ports],
                cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
            )  # fmt: skip
    assert done.stdout.splitlines() == ["another user's 0 0"] * 2, done.stderr
