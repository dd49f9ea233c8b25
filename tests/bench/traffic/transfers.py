"""Generate a capture of TCP transfers: handshakes, data one way, acknowledgments, a few losses.

Many connections are open at once. A lost segment follows the next one after three duplicate ACKs.
Checksums are 0: the analysis of flows does not read them.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

OPEN = 50  # connections at a time
SEGMENTS = 1_000  # with data, of each connection
LOSS = 0.001  # of the segments
LENGTH = 60  # bytes of data in a segment
_ETHERNET = bytes.fromhex("0200000000020200000000010800")
_STAMPS = bytes.fromhex("0101080a0000000100000002")
_SYN_OPTIONS = bytes.fromhex("020405b40402080a000000010000000001030307")
_FIN, _SYN, _ACK = 0x01, 0x02, 0x10


def frames(seed: int = 1) -> Iterator[bytes]:
    """Yield Ethernet frames of `OPEN` connections at a time; no end."""
    rng = random.Random(seed)
    count = OPEN
    connections = [_connection(rng, number) for number in range(OPEN)]
    while True:
        for index, connection in enumerate(connections):
            burst = list(islice(connection, rng.choice((1, 2, 4, 8))))
            yield from burst
            if not burst:
                connections[index] = _connection(rng, count)
                count += 1


def _connection(rng: random.Random, number: int) -> Iterator[bytes]:
    """Yield the frames of a connection in which the server sends data."""
    ends = (0x0A000001 + number, 0x0AFF0001)
    ports = (1_024 + number % 60_000, 443)

    def frame(way: int, sequence: int, ack: int, flags: int, length: int = 0) -> bytes:
        options = _SYN_OPTIONS if flags & _SYN else _STAMPS
        header = struct.pack(
            ">HHIIHHHH",
            ports[way],
            ports[1 - way],
            sequence % (1 << 32),
            ack % (1 << 32),
            (20 + len(options)) // 4 << 12 | flags,
            502,
            0,
            0,
        )
        size = 20 + len(header) + len(options) + length
        network = struct.pack(
            ">BBHHHBBHII", 0x45, 0, size, 0, 0x4000, 64, 6, 0, ends[way], ends[1 - way]
        )
        return _ETHERNET + network + header + options + bytes(length)

    mine, theirs = rng.getrandbits(32), rng.getrandbits(32)
    yield frame(0, mine, 0, _SYN)
    yield frame(1, theirs, mine + 1, _SYN | _ACK)
    mine, theirs = mine + 1, theirs + 1
    yield frame(0, mine, theirs, _ACK)
    for index in range(SEGMENTS):
        if rng.random() < LOSS:
            yield frame(1, theirs + LENGTH, mine, _ACK, LENGTH)
            for _ in range(4):
                yield frame(0, mine, theirs, _ACK)
            yield frame(1, theirs, mine, _ACK, LENGTH)
            theirs += LENGTH
        else:
            yield frame(1, theirs, mine, _ACK, LENGTH)
        theirs += LENGTH
        if index % 2:
            yield frame(0, mine, theirs, _ACK)
    yield frame(1, theirs, mine, _FIN | _ACK)
    yield frame(0, mine, theirs + 1, _FIN | _ACK)


def write_pcap(path: Path, packets: int) -> None:
    """Write a little-endian microsecond pcap file, with 7 µs between packets."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for number, frame in enumerate(islice(frames(), packets)):
            stamp = divmod(1_700_000_000_000_000 + 7 * number, 1_000_000)
            file.write(struct.pack("<IIII", *stamp, len(frame), len(frame)) + frame)
