"""Generate a large capture of mixed packets quickly: a thousand different frames, repeated.

TCP with and without options, UDP, DNS, ICMP, ARP, IPv6, VLAN and fragments, of about the sizes of
small packets on a real link; one header checksum in a hundred is wrong. The timestamps differ in
every record.
"""

from __future__ import annotations

import random
import struct
from pathlib import Path

import numpy as np

from core.wire.checksum.packet_checksums import internet_checksum

FRAMES = 1000
_MACS = bytes.fromhex("020000000002020000000001")


def _ipv4(protocol: int, source: int, destination: int, body: bytes, identity: int) -> bytes:
    header = struct.pack(
        ">BBHHHBBHII",
        0x45,
        0,
        20 + len(body),
        identity,
        0x4000,
        64,
        protocol,
        0,
        source,
        destination,
    )
    return header[:10] + struct.pack(">H", internet_checksum(header)) + header[12:] + body


def _sum(pseudo: bytes, body: bytes, at: int, wrong: bool) -> bytes:
    value = internet_checksum(pseudo + body + b"\0" * (len(body) % 2)) ^ (0x0101 if wrong else 0)
    return body[:at] + struct.pack(">H", value) + body[at + 2 :]


def frames(seed: int = 1) -> list[bytes]:
    """Return `FRAMES` Ethernet frames."""
    rng = random.Random(seed)
    made = []
    for number in range(FRAMES):
        source, destination = 0x0A000000 + rng.randrange(1, 250), 0x0A000100 + rng.randrange(1, 250)
        payload = rng.randbytes(rng.choice((0, 0, 0, 6, 12, 40)))
        kind = number % 20
        ports = struct.pack(">HH", rng.randrange(1024, 65535), rng.choice((80, 443, 22, 53)))
        if kind == 17:
            made.append(
                b"\xff" * 6
                + _MACS[6:]
                + bytes.fromhex("0806000108000604000102000000000a")
                + struct.pack(">I6xI", source, destination)
            )
            continue
        if kind == 18:
            body = _sum(b"", struct.pack(">BBHHH", 8, 0, 0, 7, number) + payload, 2, False)
            made.append(_MACS + b"\x08\0" + _ipv4(1, source, destination, body, number))
            continue
        udp = kind >= 12
        body = (
            ports + struct.pack(">HH", 8 + len(payload), 0) + payload
            if udp
            else ports
            + struct.pack(
                ">IIBBHHH", rng.getrandbits(32), rng.getrandbits(32), 0x50, 0x10, 502, 0, 0
            )
            + payload
        )
        protocol, at = (17, 6) if udp else (6, 16)
        if kind in (5, 15):
            six = struct.pack(">8xQ8xQ", source, destination)
            body = _sum(six + struct.pack(">IxxxB", len(body), protocol), body, at, False)
            made.append(
                _MACS
                + b"\x86\xdd"
                + struct.pack(">IHBB", 6 << 28, len(body), protocol, 64)
                + six
                + body
            )
            continue
        pseudo = struct.pack(">IIxBH", source, destination, protocol, len(body))
        body = _sum(pseudo, body, at, wrong=number % 100 == 1)
        vlan = b"\x81\0\0\x2a" if kind == 19 else b""
        made.append(_MACS + vlan + b"\x08\0" + _ipv4(protocol, source, destination, body, number))
    return made


def write_pcap(path: Path, packets: int) -> None:
    """Write a little-endian microsecond pcap file of `packets` (a multiple of `FRAMES`)."""
    block = bytearray()
    starts = []
    for frame in frames():
        starts.append(len(block))
        block += struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame
    template = np.frombuffer(bytes(block), dtype=np.uint8)
    stamp = np.array(starts)[:, None] + np.arange(8)
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for repeat in range(packets // FRAMES):
            micros = 1_700_000_000_000_000 + (repeat * FRAMES + np.arange(FRAMES)) * 7
            times = np.stack((micros // 1_000_000, micros % 1_000_000), axis=1).astype("<u4")
            out = template.copy()
            out[stamp] = times.view(np.uint8)
            file.write(out.tobytes())
