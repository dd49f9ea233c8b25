"""Shared parts of live tests: a source that is read into a store, and handmade frames."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

from core.capture.options import CaptureOptions, Method
from core.capture.source import CaptureSource
from core.capture.source_factory import open_source
from core.net.sockets import LOCAL_SOCKETS
from core.store.captured_packet import CapturedPacket
from core.store.packet_store import PacketStore
from core.wire.checksum.packet_checksums import internet_checksum
from tests.helpers.waiting import PATIENCE_S, until
from tests.live.network import FAR_ADDRESS, NEAR_ADDRESS, Network

ETH_P_EXPERIMENTAL = 0x88B5  # IEEE 802 local experimental: no host answers it


class Watch:
    """A source on the near end, and the store of its batches."""

    def __init__(self, source: CaptureSource, store: PacketStore) -> None:
        self.source = source
        self.store = store

    @property
    def packets(self) -> list[CapturedPacket]:
        """Return all packets captured until now."""
        snapshot = self.store.snapshot()
        return [snapshot.packet(number) for number in range(1, snapshot.count + 1)]

    def read(self) -> int:
        """Move the waiting frames into the store; return the number of packets in the store."""
        deadline = time.monotonic() + PATIENCE_S
        while (batch := self.source.read()) is not None:
            self.store.append(batch)
            assert time.monotonic() < deadline, f"the source gave for {PATIENCE_S} s without end"
        return self.store.snapshot().count

    def wait_for(self, count: int) -> list[CapturedPacket]:
        """Read until `count` packets have arrived; return all of them."""
        until(lambda: self.read() >= count, f"{count} packets", self.read)
        return self.packets


@contextlib.contextmanager
def watching(
    network: Network, name: str = "near0", method: Method = "ring", **options: Any
) -> Iterator[Watch]:
    """Yield a `Watch` in the near namespace."""
    store = PacketStore()
    asked = CaptureOptions((name,), method=method, **{"ring_bytes": 4 << 20, **options})
    source = network.in_near(lambda: open_source(name, asked, store.add_interface, LOCAL_SOCKETS))
    try:
        yield Watch(source, store)
    finally:
        source.close()


def send_frames(network: Network, *frames: bytes, name: str = "far0") -> None:
    """Send frames unchanged from an interface in the far namespace."""

    def send() -> None:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sending:
            sending.bind((name, 0))
            for frame in frames:
                sending.send(frame)

    network.in_far(send)


def mac(network: Network, side: str) -> bytes:
    """Return the MAC address of ``near0`` or ``far0``."""
    show = network.ip_near if side == "near0" else network.ip_far
    words = show("-br", "link", "show", side).split()
    return bytes.fromhex(words[2].replace(":", ""))


def ethernet(network: Network, kind: int, payload: bytes) -> bytes:
    """Return a frame from far to near, padded to the least length."""
    header = mac(network, "near0") + mac(network, "far0") + kind.to_bytes(2, "big")
    return (header + payload).ljust(60, b"\0")


def tcp_packet(payload: bytes = b"hello", *, damage: int = 0) -> bytes:
    """Return an IPv4 TCP packet from far to near; `damage` is added to its checksum."""
    source, target = socket.inet_aton(FAR_ADDRESS), socket.inet_aton(NEAR_ADDRESS)
    length = 20 + len(payload)
    segment = bytearray(bytes.fromhex("9c40 1389 00000001 00000000 5010 0200 0000 0000")) + payload
    pseudo = source + target + bytes((0, socket.IPPROTO_TCP)) + length.to_bytes(2, "big")
    checksum = (internet_checksum(pseudo + segment) + damage) & 0xFFFF
    segment[16:18] = checksum.to_bytes(2, "big")
    header = bytearray(bytes.fromhex("4500 0000 1234 4000 4006 0000")) + source + target
    header[2:4] = (20 + length).to_bytes(2, "big")
    header[10:12] = internet_checksum(header).to_bytes(2, "big")
    return bytes(header + segment)


def send_udp(network: Network, payload: bytes, count: int = 1, address: str = "127.0.0.1") -> None:
    """Send datagrams from near to the discard port, which is closed."""

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
            for _ in range(count):
                sending.sendto(payload, (address, 9))

    network.in_near(send)


def promiscuity(network: Network) -> int:
    """Return the number of requests for promiscuous mode on near0."""
    (link,) = json.loads(network.ip_near("-d", "-j", "link", "show", "near0"))
    return int(link["promiscuity"])
