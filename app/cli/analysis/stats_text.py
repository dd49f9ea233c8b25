"""The statistics of a capture as text: aligned tables."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from core.analysis.statistics.rate import RateBins
from core.analysis.statistics.statistics import Statistics
from core.store.frame_detail import date_text

_SECOND_NS = 1_000_000_000
_ALL_OTHERS = "all others"

Cells = Sequence[str]


def bins_of(rate: RateBins) -> Iterator[tuple[int, int, int]]:
    """Yield the start of each interval in nanoseconds since the epoch, its packets, its bytes."""
    columns = zip(rate.packets.tolist(), rate.bytes.tolist(), strict=True)
    for number, (packets, size) in enumerate(columns):
        yield rate.start_ns + number * rate.width_ns, packets, size


def statistics_lines(found: Statistics, rate: RateBins) -> Iterator[str]:
    """Yield the lines of four tables."""
    yield _headline(found)
    for rows in (_hierarchy(found), _lengths(found), _talkers(found), _rates(rate)):
        yield ""
        yield from _aligned(list(rows))


def _headline(found: Statistics) -> str:
    words = f"{found.packets:,} packets, {found.bytes:,} bytes"
    seconds = found.duration_s
    if seconds:
        bits = found.bytes * 8 / seconds
        words += (
            f" in {seconds:,.3f} s: {_decimal(found.packets / seconds, 1)} packets/s,"
            f" {_decimal(bits, 0)} bit/s"
        )
    return words


def _decimal(value: float, decimals: int) -> str:
    """Return a number with these decimals, or as many as its first two digits need."""
    if 0 < value < 10**-decimals:
        decimals = 1 - math.floor(math.log10(value))
    return f"{value:,.{decimals}f}"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f}%" if whole else "-"


def _hierarchy(found: Statistics) -> Iterator[Cells]:
    yield "PROTOCOL", "PACKETS", "SHARE", "BYTES", "SHARE", "END PACKETS"
    for node in found.hierarchy.nodes():
        yield (
            "  " * (len(node.path) - 1) + node.path[-1],
            f"{node.total.packets:,}",
            _share(node.total.packets, found.packets),
            f"{node.total.bytes:,}",
            _share(node.total.bytes, found.bytes),
            f"{node.end.packets:,}",
        )


def _lengths(found: Statistics) -> Iterator[Cells]:
    yield "LENGTH", "PACKETS", "SHARE", "BYTES", "AVERAGE", "SHORTEST", "LONGEST"
    for each in found.lengths:
        sizes = (f"{each.average:,.2f}", f"{each.shortest:,}", f"{each.longest:,}")
        yield (
            each.text,
            f"{each.packets:,}",
            _share(each.packets, found.packets),
            f"{each.bytes:,}",
            *(sizes if each.packets else ("-",) * len(sizes)),
        )


def _talkers(found: Statistics) -> Iterator[Cells]:
    sides = ("SENT PACKETS", "SENT BYTES", "RECEIVED PACKETS", "RECEIVED BYTES")
    yield "ADDRESS", "BYTES", "PACKETS", *sides
    for each in found.talkers:
        numbers = (
            *(each.bytes, each.packets, each.sent_packets, each.sent_bytes),
            *(each.received_packets, each.received_bytes),
        )
        yield each.address or _ALL_OTHERS, *(f"{number:,}" for number in numbers)
    if found.addresses > len(found.talkers):
        yield (f"({found.addresses:,} addresses)",)


def _rates(rate: RateBins) -> Iterator[Cells]:
    yield "TIME", "PACKETS", "BYTES", "PACKETS/S", "BIT/S"
    width_s = rate.width_ns / _SECOND_NS
    for start, packets, size in bins_of(rate):
        second, fraction = divmod(start, _SECOND_NS)
        yield (
            date_text(second, utc=True, fraction_ns=fraction),
            f"{packets:,}",
            f"{size:,}",
            _decimal(packets / width_s, 1),
            _decimal(size * 8 / width_s, 0),
        )


def _aligned(rows: Sequence[Cells]) -> Iterator[str]:
    """Yield rows with the first cells aligned left, and the others right."""
    widths = [
        max(len(row[place]) for row in rows if place < len(row)) for place in range(len(rows[0]))
    ]
    for first, *others in rows:
        cells = [text.rjust(width) for text, width in zip(others, widths[1:], strict=False)]
        yield "  ".join([first.ljust(widths[0]), *cells]).rstrip()
