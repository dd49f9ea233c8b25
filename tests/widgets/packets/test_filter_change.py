"""The packet that the cursor returns to after a filter."""

from __future__ import annotations

from core.analysis.packet_analysis import AnalyzedPackets
from widgets.packets.filter_change import FilterChange
from widgets.packets.packet_rows import SnapshotChange

RUNNING, DONE = AnalyzedPackets(progress=0.5), AnalyzedPackets()


def test_the_growth_of_a_filter_belongs_to_it_until_it_has_seen_all():
    change = FilterChange()
    assert not change.covers(SnapshotChange.GROWN, DONE, 7)
    assert change.covers(SnapshotChange.FILTERED, RUNNING, 7)
    assert change.covers(SnapshotChange.GROWN, RUNNING, 3)
    assert not change.covers(SnapshotChange.EVICTED, RUNNING, 3)
    assert change.covers(SnapshotChange.GROWN, DONE, 3)
    assert not change.covers(SnapshotChange.GROWN, DONE, 3)


def test_a_cursor_that_the_user_moved_stays_while_the_filter_runs():
    change = FilterChange()
    assert change.covers(SnapshotChange.FILTERED, RUNNING, 7)
    change.forget()
    assert not change.covers(SnapshotChange.GROWN, RUNNING, 3)
    assert not change.covers(SnapshotChange.GROWN, DONE, 3)


def test_the_packet_before_the_first_of_several_filters_is_kept():
    change = FilterChange()
    change.covers(SnapshotChange.FILTERED, DONE, 7)
    change.covers(SnapshotChange.FILTERED, DONE, 3)
    assert change.chosen == 7
    change.forget()
    change.covers(SnapshotChange.FILTERED, DONE, 3)
    assert change.chosen == 3
