"""Generate a capture of TCP connections: handshakes, then segments with timestamps.

Several connections are open at once, as on a link, and all checksums are right.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from core.wire.checksum.packet_checksums import internet_checksum, pseudo_header_sum
from core.wire.model.assigned_numbers import IpProtocol
from core.wire.transport.tcp import TCP
from tests.core.wire.frames import ethernet, ipv4

SEGMENTS = 50  # of each connection, two of them with SYN
OPEN = 20  # connections at a time
_SYN_OPTIONS = "020405b40402080a{stamps}01030307"
_OPTIONS = "0101080a{stamps}"


def frames(seed: int = 1) -> Iterator[bytes]:
    """Yield Ethernet frames of one connection after another, `OPEN` of them at a time; no end."""
    rng = random.Random(seed)
    connections = [islice(_connection(rng), 2 * index, None) for index in range(OPEN)]
    while True:
        for connection in connections:
            yield next(connection)


def _connection(rng: random.Random) -> Iterator[bytes]:
    """Yield the frames of connections between a client and a server, one after the other."""
    while True:
        ports = [rng.randrange(1024, 65536), 443]
        ends = [0x0A000000 + rng.randrange(1, 250), 0x0A000100 + rng.randrange(1, 250)]
        sequences = [rng.getrandbits(32), rng.getrandbits(32)]
        for number in range(SEGMENTS):
            side = number % 2
            is_syn = number < 2
            stamps = struct.pack(">II", 1000 + number, number and 999 + number).hex()
            options = bytes.fromhex((_SYN_OPTIONS if is_syn else _OPTIONS).format(stamps=stamps))
            payload = b"" if is_syn else rng.randbytes(rng.choice((0, 0, 12, 100)))
            values = {
                "srcport": ports[side],
                "dstport": ports[1 - side],
                "seq_raw": sequences[side],
                "ack_raw": sequences[1 - side] if number else 0,
                "hdr_len": TCP.size + len(options),
                "flags": 0x02 * is_syn | 0x10 * (number > 0),
                "window_size_value": 502,
            }
            sequences[side] = (sequences[side] + is_syn + len(payload)) % (1 << 32)
            source, destination = (ends[each].to_bytes(4, "big") for each in (side, 1 - side))
            rest = options + payload
            length = TCP.size + len(rest)
            pseudo = pseudo_header_sum(source, destination, IpProtocol.TCP, length)
            values["checksum"] = internet_checksum(TCP.emit(values) + rest, pseudo)
            segment = TCP.emit(values) + rest
            yield ethernet(ipv4(segment, IpProtocol.TCP, src=ends[side], dst=ends[1 - side]))


def write_pcap(path: Path, packets: int) -> None:
    """Write a little-endian microsecond pcap file, with 7 µs between packets."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for number, frame in enumerate(islice(frames(), packets)):
            stamp = divmod(1_700_000_000_000_000 + 7 * number, 1_000_000)
            file.write(struct.pack("<IIII", *stamp, len(frame), len(frame)) + frame)
