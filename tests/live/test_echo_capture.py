"""Every echoed byte is also in the table: the echo server and a capture of lo in one engine.

The test runs in its own network namespace, with no other traffic on its loopback, and with a ring
that holds more than all that is sent. So no frame may be dropped, and the payload of each
connection's captured packets is, byte for byte, what the client sent and received. A byte that TCP
retransmitted counts once: the sum is that of the sequence numbers covered.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
import socket
import threading

import pytest

from core.analysis.connection import tcp_ends
from core.analysis.filter.packet_filter import PacketFilter
from core.capture.options import CaptureOptions
from core.echo.options import Switches, Trigger
from core.engine.engine import Engine
from core.engine.snapshot import EngineState
from core.net.sockets import LOCAL_SOCKETS
from core.store.budget import Budget
from core.store.filtered_view import View
from core.store.packet_store import PacketStore
from tests.helpers.waiting import PATIENCE_S, until
from tests.live.network import Network, in_namespace

pytestmark = pytest.mark.live

HOST = "127.0.0.1"
SIZES = (1, 64, 100_000, 3_000_000)


@contextlib.contextmanager
def echoing():
    """Yield an engine that captures on lo, and the ports of a listener of each trigger."""
    with Network(addresses=False) as network:
        engine, store = Engine(PacketStore(), LOCAL_SOCKETS), None
        network.in_near(engine.start)
        try:
            engine.capture(CaptureOptions(("lo",), ring_bytes=32 << 20))
            for trigger in Trigger:
                engine.echo.listen(HOST, 0, trigger)
            until(lambda: engine.snapshot().state is EngineState.LIVE, "live")
            until(lambda: len(engine.echo.snapshot().listeners) == len(Trigger), "listening")
            store = engine.store
            yield network, engine, store
        finally:
            engine.close()
            assert engine.failure is None


def exchange(port, data, half_close):
    """Send all and read all back; return the client's port and the received bytes."""
    with socket.create_connection((HOST, port), timeout=PATIENCE_S) as client:
        sender = threading.Thread(target=client.sendall, args=(data,))
        sender.start()
        back = bytearray()
        while len(back) < len(data) and (piece := client.recv(1 << 16)):
            back += piece
        sender.join(PATIENCE_S)
        if half_close:
            client.shutdown(socket.SHUT_WR)
            assert client.recv(1) == b""
        return client.getsockname()[1], bytes(back)


def payload_of(store, source, destination):
    """Return the bytes of one direction, ordered by sequence number, and their count."""
    snapshot = store.snapshot()
    view = View(PacketFilter.compile(f"tcp.port == {source} and tcp.port == {destination}"))
    view.extend(snapshot, Budget())
    stream, came, first = bytearray(), bytearray(), None
    for number in view.packets:
        packet = snapshot.packet(number)
        dissection = packet.dissect()
        if tcp_ends(dissection)[0][1] != source:
            continue
        segment = dissection.layer("tcp")
        sequence = segment.number(packet.data, "seq_raw")
        if segment.number(packet.data, "flags.syn"):
            first = sequence + 1
        at = (sequence - first) % (1 << 32)
        payload = packet.data[segment.payload.start : segment.payload.stop]
        if payload:
            missing = at + len(payload) - len(stream)
            stream.extend(bytes(max(0, missing)))
            came.extend(bytes(max(0, missing)))
            stream[at : at + len(payload)] = payload
            came[at : at + len(payload)] = b"\1" * len(payload)
    return bytes(stream), came.count(1)


def gone(said, count):
    return said.totals.accepted == count and not len(said.clients)


def digest(data):
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("switches", [Switches(), Switches(4096)], ids=["usual", "small reads"])
def test_every_echoed_byte_is_in_the_table(switches):
    with echoing() as (network, engine, store):
        engine.echo.set_switches(switches)
        generator = random.Random(5)
        held = []
        for info in engine.echo.snapshot().listeners:
            for number, size in enumerate(SIZES):
                data = generator.randbytes(size)
                own, back = in_namespace(
                    network.near,
                    lambda data=data, port=info.port, half=number % 2: exchange(port, data, half),
                )
                assert digest(back) == digest(data)
                held.append((own, info.port, data))
        until(lambda: gone(engine.echo.snapshot(), len(held)), "all clients have come and gone")
        until(
            lambda: (said := engine.snapshot()).captured + said.dropped == said.received,
            "the counters of the capture",
        )
        said, totals = engine.snapshot(), engine.echo.snapshot().totals
        assert said.dropped == 0
        assert store.snapshot().count == said.captured
        assert totals.bytes_in == totals.bytes_out == 2 * sum(SIZES)
        for own, port, data in held:
            for source, destination in ((own, port), (port, own)):
                stream, came = payload_of(store, source, destination)
                assert came == len(data)
                assert digest(stream) == digest(data)
