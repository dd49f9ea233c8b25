"""The rows of the tables: cells under each heading, shares, and filters."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.analysis.statistics.hierarchy import Counts, Hierarchy
from core.analysis.statistics.statistics import Statistics
from core.analysis.statistics.talkers import Talker
from widgets.statistics.rows import HEADINGS, OTHERS, StatisticsTab, table_rows

FOUND = Statistics(
    packets=4,
    bytes=1_000,
    hierarchy=Hierarchy({"eth:arp": Counts(1, 60), "eth:ip:udp": Counts(3, 940)}),
    talkers=(Talker("ip.addr", "192.0.2.1", 3, 900, 0, 0), Talker("ip.addr", "", 0, 0, 1, 40)),
)


@pytest.mark.parametrize("tab", list(HEADINGS))
def test_each_heading_has_a_cell(tab) -> None:
    rows = table_rows(tab, FOUND)
    assert rows
    for row in rows:
        assert len(row.cells) == len(HEADINGS[tab])
        assert 0 <= row.share <= 1


def test_protocols_are_indented() -> None:
    rows = table_rows(StatisticsTab.HIERARCHY, FOUND)
    assert [row.cells[0] for row in rows] == ["eth", "  ip", "    udp", "  arp"]
    assert rows[2].cells[1:] == ("3", "75.0%", "940", "3")
    assert rows[2].expression == "ip and udp"


def test_all_other_addresses_have_no_filter() -> None:
    first, others = table_rows(StatisticsTab.TALKERS, FOUND)
    assert (first.expression, others.expression) == ("ip.addr == 192.0.2.1", None)
    assert others.cells[0] == OTHERS


def test_an_address_at_both_ends_has_no_more_than_all() -> None:
    both = (Talker("ip.addr", "127.0.0.1", 4, 1_000, 4, 1_000),)
    (row,) = table_rows(StatisticsTab.TALKERS, replace(FOUND, talkers=both))
    assert (row.share, row.cells[1:3]) == (1.0, ("2,000", "100.0%"))


def test_the_rate_has_no_rows() -> None:
    assert table_rows(StatisticsTab.RATE, FOUND) == ()
