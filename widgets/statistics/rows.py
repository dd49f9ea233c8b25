"""The rows of the tables of the statistics: texts, shares, and the filters that they stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from core.analysis.names.name_table import NO_NAMES, NameTable
from core.analysis.statistics.expressions import length_filter, protocol_filter, talker_filter
from core.analysis.statistics.statistics import Statistics

OTHERS = "all other addresses"


class StatisticsTab(Enum):
    """The parts of the panel, in order. The value is the title."""

    HIERARCHY = "Protocols"
    LENGTHS = "Lengths"
    TALKERS = "Talkers"
    RATE = "Rate"


@dataclass(frozen=True, slots=True)
class StatisticsRow:
    """A line of a table: its cells, its share of all (0 to 1), and its filter, None without one.

    `name` says what the value is.
    """

    name: str
    cells: tuple[str, ...]
    share: float
    expression: str | None


HEADINGS: Mapping[StatisticsTab, tuple[str, ...]] = {
    StatisticsTab.HIERARCHY: ("Protocol", "Packets", "Share", "Bytes", "End here"),
    StatisticsTab.LENGTHS: ("Length", "Packets", "Share", "Average", "Shortest", "Longest"),
    StatisticsTab.TALKERS: (
        *("Address", "Bytes", "Share", "Packets"),
        *("Bytes sent", "Bytes received", "Packets sent", "Packets received"),
    ),
}


def table_rows(
    tab: StatisticsTab, found: Statistics, names: NameTable = NO_NAMES
) -> tuple[StatisticsRow, ...]:
    """Return the rows of a tab; none for the rate, which is a plot. `names` replace addresses."""
    if tab is StatisticsTab.TALKERS:
        return tuple(_talkers(found, names))
    make = _ROWS.get(tab)
    return tuple(make(found)) if make is not None else ()


def _hierarchy(found: Statistics) -> Iterator[StatisticsRow]:
    for node in found.hierarchy.nodes():
        share = _share(node.total.packets, found.packets)
        cells = (
            "  " * (len(node.path) - 1) + node.path[-1],
            f"{node.total.packets:,}",
            _percent(share),
            f"{node.total.bytes:,}",
            f"{node.end.packets:,}" if node.end.packets else "",
        )
        yield StatisticsRow("Protocol", cells, share, protocol_filter(node.path))


def _lengths(found: Statistics) -> Iterator[StatisticsRow]:
    for each in found.lengths:
        share = _share(each.packets, found.packets)
        sizes = (f"{each.average:,.1f}", f"{each.shortest:,}", f"{each.longest:,}")
        cells = (
            each.text.replace("-", "–"),
            f"{each.packets:,}",
            _percent(share),
            *(sizes if each.packets else ("",) * len(sizes)),
        )
        yield StatisticsRow("Length", cells, share, length_filter(each))


def _talkers(found: Statistics, names: NameTable) -> Iterator[StatisticsRow]:
    for each in found.talkers:
        share = min(1.0, _share(each.bytes, found.bytes))  # a packet may have it at both ends
        numbers = (
            *(each.packets, each.sent_bytes, each.received_bytes),
            *(each.sent_packets, each.received_packets),
        )
        cells = (
            names.shown(each.address) if each.address else OTHERS,
            f"{each.bytes:,}",
            _percent(share),
            *(f"{number:,}" for number in numbers),
        )
        yield StatisticsRow("Address", cells, share, talker_filter(each))


_ROWS: Mapping[StatisticsTab, Callable[[Statistics], Iterator[StatisticsRow]]] = {
    StatisticsTab.HIERARCHY: _hierarchy,
    StatisticsTab.LENGTHS: _lengths,
}


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%" if share else ""
