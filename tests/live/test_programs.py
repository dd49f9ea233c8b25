"""Real connections of known processes: whose they are, and whose not."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from typing import NamedTuple

import pytest

from core.analysis.programs.owners import Grade, Owner
from core.analysis.programs.program_table import programs_of
from tests.helpers.support import ROOT, require_capture, require_root
from tests.helpers.waiting import PATIENCE_S, until
from tests.live.known_programs import (
    Connection,
    Lateness,
    ProgramCapture,
    connections_of,
    other_tools,
    server,
    start_client,
)

pytestmark = pytest.mark.live
LIVES = (0.2, 0.0, 0.4, 0.05, 0.2, 1.0, 0.2)
CLIENTS, EACH = 8, 24
NAMED = (Grade.EXACT, Grade.MOMENT)


class Found(NamedTuple):
    """Connections, the owners of ends by port, and the port and the process of the server."""

    connections: list[Connection]
    owners: dict[int, Owner]
    port: int
    pid: int
    late_s: float


@pytest.fixture(scope="module")
def found() -> Found:
    """About 200 connections, some of them short."""
    require_capture()
    with server() as (port, server_pid), Lateness() as lateness, ProgramCapture() as capture:
        clients = [start_client(port, EACH, *LIVES[n % 3 :], *LIVES) for n in range(CLIENTS)]
        tools = [subprocess.Popen(words) for words in other_tools(port)]
        while any(each.poll() is None for each in clients):
            capture.analyze()
            with_output = [each for each in clients if each.poll() is None]
            with_output[0].wait() if with_output else None
        connections = [each for client in clients for each in connections_of(client)]
        for each in tools:
            each.wait()
        snapshot = capture.settle()
        owners = [owner for flow in programs_of(snapshot).published.owners for owner in flow]
    by_port: dict[int, Owner] = {}
    for owner in owners:  # the last answer about a port is the best
        by_port[int(owner.end.rpartition(":")[2])] = owner
    return Found(connections, by_port, port, server_pid, lateness.usual_worst_s)


def test_no_connection_is_attributed_wrongly(found) -> None:
    connections, owners = found.connections, found.owners
    assert len(connections) == CLIENTS * EACH
    named = [(each, owners[each.port]) for each in connections if each.port in owners]
    wrong = [
        (each, owner)
        for each, owner in named
        if owner.processes and [process.pid for process in owner.processes] != [each.pid]
    ]
    assert wrong == []
    assert any(owner.processes for _, owner in named)


def test_the_server_owns_its_end(found) -> None:
    assert [process.pid for process in found.owners[found.port].processes] == [found.pid]


@pytest.mark.timed
def test_connections_that_live_200_ms_have_names(found) -> None:
    """Beside other work, those that live longer: four threads in turn wake up late."""
    owners, least_s = found.owners, 0.2 if found.late_s < 0.005 else 0.2 + 4 * found.late_s
    lasting = [each for each in found.connections if each.life_s >= min(least_s, max(LIVES))]
    grades = [owners[each.port].grade for each in lasting if each.port in owners]
    named = sum(grade in NAMED for grade in grades)
    assert named >= 0.95 * len(lasting), f"{named} of {len(lasting)} of {least_s:.3f} s"


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
