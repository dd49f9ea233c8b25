"""The speed of display filters over 1.5 million packets, compared with tshark.

The packets are mixed (`tests.bench.traffic.mixed`) and in memory, in the chunks of a store. The
figures are processor time of this one thread, the best of a few runs, from the columns to the
values (or to the packets that pass); each is printed next to its bound. tshark runs the same
filters over a tenth of the packets, and its processor time is scaled up. The rate of ``contains``
is measured over datagrams of 1000 random bytes.
"""

from __future__ import annotations

import resource
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from core.analysis.filter.display_filter import compile_filter
from core.analysis.filter.fields.catalog import CATALOG
from core.analysis.filter.values.chunk_values import ChunkValues
from core.analysis.filter.values.frame_values import CaptureContext
from core.decode.batch import Batch
from core.decode.chunk import Chunk
from core.wire.link.ethernet import ETHERNET
from core.wire.model.assigned_numbers import IpProtocol
from tests.bench.bench_store import PACKETS, Figure, best, capture, store_of
from tests.bench.traffic.mixed import frames, write_pcap
from tests.core.decode.frames import ethernet, ipv4, udp_frame
from tests.core.decode.support import batch_of

SHARE_OF_TSHARK = 10  # tshark reads this part of the packets
LEAST_RATIO = 200
LARGE_FRAMES, LARGE_BYTES = 200_000, 1000
NEEDLE = "a needle"
FEW = "tcp.srcport == 1 or tcp.dstport == 1"
ROOT = Path(__file__).resolve().parent.parent.parent
GIGABYTE = 1e9

FIELDS: tuple[tuple[tuple[str, ...], float], ...] = (  # names, and the bound in milliseconds
    (("tcp.srcport", "tcp.dstport"), 50),
    (("tcp.port",), 50),
    (("udp.srcport", "udp.dstport"), 50),
    (("ip.ttl",), 150),
    (("ip.addr",), 150),
    (("ipv6.src",), 150),
    (("eth.src",), 150),
    (("eth.type",), 150),
    (("vlan.id",), 150),
    (("arp.opcode",), 150),
    (("icmp.seq",), 150),
    (("tcp.payload",), 150),
    (("frame.protocols",), 1000),
    (("data",), 1000),
)
OPTIONS: tuple[tuple[tuple[str, ...], float], ...] = (
    (("tcp.options.timestamp.tsval", "tcp.options.timestamp.tsecr"), 1000),
    (("tcp.options.mss_val",), 1000),
)
FILTERS: tuple[tuple[str, float], ...] = (
    ("tcp.srcport == 5 or tcp.dstport == 80", 50),
    ("tcp.port == 80", 50),
    ("ip.addr == 10.0.0.0/30", 150),
    ("ip.ttl < 5 or eth.type == 0x86dd", 300),
    ("tcp.flags.ack == 1 and tcp.window_size_value > 501", 1000),
    ("arp or icmp or udp.port == 53", 300),
)
QUOTING: tuple[tuple[str, float], ...] = (
    ("ip.addr == 10.0.0.1", 1000),
    ("udp.port == 53", 1000),
    ("tcp.flags.syn == 1", 1000),
)
ERRORS = 200_000
"""Packets, of which half are ICMP errors; the bounds above are for all of them."""
PATTERNS: tuple[tuple[str, float], ...] = (
    ('frame matches "user.*name"', 1000),
    ('tcp.payload matches "get|post"', 1000),
    ('frame matches "[0-9]{3}[^a-z]"', 1000),
    ('frame matches "[^a]"', 1000),
    ('frame matches "^[^a]"', 1000),
)


def with_timestamps() -> list[bytes]:
    """Return the mixed frames, with the timestamps option in each TCP segment over IPv4."""
    made = []
    for frame in frames():
        if frame[12:14] == b"\x08\x00" and frame[23] == IpProtocol.TCP:
            header, payload = frame[34:54], frame[54:]
            options = b"\1\1\x08\x0a" + bytes(8)
            segment = header[:12] + b"\x80" + header[13:] + options + payload
            frame = ethernet(ipv4(segment, IpProtocol.TCP))
        made.append(frame)
    return made


def large_frames() -> Batch:
    """Return UDP datagrams with payloads of random bytes, with a needle in a few."""
    header = ethernet(ipv4(struct.pack(">HHHH", 5, 7, 8 + LARGE_BYTES, 0), IpProtocol.UDP))
    ip_length = len(header) - ETHERNET.size + LARGE_BYTES
    size = len(header) + LARGE_BYTES
    frames_of = np.random.default_rng(5).integers(0, 256, (LARGE_FRAMES, size), np.uint8)
    frames_of[:, : len(header)] = np.frombuffer(header, np.uint8)
    frames_of[:, ETHERNET.size + 2] = ip_length >> 8
    frames_of[:, ETHERNET.size + 3] = ip_length & 0xFF
    needle = np.frombuffer(NEEDLE.encode(), np.uint8)
    frames_of[:: LARGE_FRAMES // 100, 500 : 500 + len(needle)] = needle
    lengths = np.full(LARGE_FRAMES, size, np.uint32)
    return Batch(
        data=frames_of.reshape(-1),
        offset=np.arange(LARGE_FRAMES, dtype=np.int64) * size,
        captured=lengths,
        original=lengths,
        timestamp_ns=np.arange(LARGE_FRAMES, dtype=np.int64),
        interface=np.zeros(LARGE_FRAMES, np.uint16),
        flags=np.zeros(LARGE_FRAMES, np.uint16),
        stable=True,
    )


def with_errors() -> Batch:
    """Return packets of which every other one is an ICMP error that quotes a datagram."""
    datagram = udp_frame(b"payload")
    error = ethernet(ipv4(b"\3\3" + bytes(6) + datagram[14:42], IpProtocol.ICMP))
    return batch_of([datagram, error] * (ERRORS // 2))


def read(chunks: tuple[Chunk, ...], names: tuple[str, ...]) -> None:
    context = CaptureContext()
    for chunk in chunks:
        values = ChunkValues(chunk, context)
        for name in names:
            values.occurrences(name)


def passing(chunks: tuple[Chunk, ...], text: str) -> int:
    """Return the number of packets that pass a filter."""
    context, display_filter = CaptureContext(), compile_filter(text, CATALOG)
    return sum(
        int(np.count_nonzero(display_filter.passes(ChunkValues(chunk, context))))
        for chunk in chunks
    )


def children_seconds() -> float:
    """Return the processor time of all ended child processes."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def tshark_seconds(path: Path, text: str) -> tuple[float, int]:
    """Return the processor time of ``tshark -Y``, and the number of packets that pass.

    The time is 0 if tshark is missing.
    """
    tshark = shutil.which("tshark")
    if tshark is None:
        return 0, 0
    before = children_seconds()
    done = subprocess.run(
        [tshark, "-n", "-r", str(path), "-Y", text, "-T", "fields", "-e", "frame.number"],
        capture_output=True,
        check=True,
    )
    return children_seconds() - before, done.stdout.count(b"\n")


def command_seconds(path: Path) -> float:
    """Return the processor time of a whole command that no packet passes."""
    before = children_seconds()
    subprocess.run(
        [sys.executable, "-m", "app", "dump", "-r", str(path), "-Y", FEW],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return children_seconds() - before


def field_figures(
    chunks: tuple[Chunk, ...], wanted: tuple[tuple[tuple[str, ...], float], ...]
) -> list[Figure]:
    return [
        Figure(f"{', '.join(names)}", best(lambda n=names: read(chunks, n)) * 1e3, "ms", bound)
        for names, bound in wanted
    ]


def filter_figures(chunks: tuple[Chunk, ...], folder: Path) -> list[Figure]:
    """Return the time of each filter, and how many times that of tshark it is."""
    path = folder / "tenth.pcap"
    write_pcap(path, PACKETS // SHARE_OF_TSHARK)
    figures = []
    for text, bound in FILTERS:
        seconds = best(lambda text=text: passing(chunks, text))
        figures.append(Figure(text, seconds * 1e3, "ms", bound))
        peer, count = tshark_seconds(path, text)
        if not peer:
            print(f"{text}: tshark is missing, nothing to compare with")
            continue
        expected = passing(chunks, text) // SHARE_OF_TSHARK
        if count != expected:
            raise SystemExit(f"{text}: tshark finds {count} packets, rawscope {expected}")
        ratio = peer * SHARE_OF_TSHARK / seconds
        figures.append(Figure("    tshark -Y takes", ratio, "times", LEAST_RATIO, most=False))
    return figures


def command_figure(folder: Path) -> Figure:
    """Return the processor time of a whole command over all packets."""
    path = folder / "mixed.pcap"
    write_pcap(path, PACKETS)
    seconds = min(command_seconds(path) for _ in range(3))
    return Figure(f"rawscope dump -Y '{FEW}'", seconds * 1e3, "ms", 1200)


def main() -> int:
    chunks = store_of(capture()).snapshot().chunks
    figures = field_figures(chunks, FIELDS)
    options = store_of(capture(made=with_timestamps())).snapshot().chunks
    figures += field_figures(options, OPTIONS)
    large = store_of(large_frames()).snapshot().chunks
    for name in ("frame", "udp.payload"):
        text = f'{name} contains "{NEEDLE}"'
        rate = LARGE_FRAMES * LARGE_BYTES / best(lambda text=text: passing(large, text)) / GIGABYTE
        figures.append(Figure(text, rate, "GB/s", 1, most=False))
    quoting = store_of(with_errors()).snapshot().chunks
    for text, bound in QUOTING:
        seconds = best(lambda text=text: passing(quoting, text))
        figures.append(Figure(f"{text} in ICMP errors", seconds * 1e3, "ms", bound))
    for text, bound in PATTERNS:
        seconds = best(lambda text=text: passing(chunks, text))
        figures.append(Figure(text, seconds * 1e3, "ms", bound))
    with tempfile.TemporaryDirectory() as folder:
        figures += filter_figures(chunks, Path(folder))
        figures.append(command_figure(Path(folder)))
    for figure in figures:
        print(figure, flush=True)
    return 0 if all(figure.held for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
