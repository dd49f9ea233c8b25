"""Which packet is in which row, and the text of the row, without a screen."""

from __future__ import annotations

import pytest

from core.analysis.tcp.flow_index import FlowIndex
from core.store.budget import Budget
from core.store.filtered_view import View
from core.store.snapshot import Snapshot
from core.wire.present.faults import Faults
from tests.helpers.scripted import scripted_store
from tests.widgets.packets.test_packet_table import ManyPackets, add, filled, filtered, odd_numbers
from widgets.packets.packet_rows import UNKNOWN, PacketRows, SnapshotChange
from widgets.packets.time_format import TimeFormat


def many(count: int, version: int = 1, first: int = 1) -> Snapshot:
    return ManyPackets(count, version, first)  # type: ignore[return-value]


def rows_of(snapshot: Snapshot) -> PacketRows:
    rows = PacketRows(Faults())
    rows.take(snapshot)
    return rows


@pytest.mark.parametrize(
    ("snapshot", "change"),
    [
        (many(1000), SnapshotChange.NONE),
        (many(1001, version=2), SnapshotChange.GROWN),
        (many(1001, version=2, first=2), SnapshotChange.EVICTED),
        (many(999, version=2), SnapshotChange.REPLACED),
        (many(999, version=2, first=500), SnapshotChange.REPLACED),
    ],
)
def test_differences_of_a_snapshot_from_the_last(
    snapshot: Snapshot, change: SnapshotChange
) -> None:
    assert rows_of(many(1000)).compare(snapshot) is change


def test_the_first_snapshot_evicts_nothing() -> None:
    assert PacketRows(Faults()).compare(many(1000, first=400)) is SnapshotChange.GROWN


def test_an_eviction_during_hold_is_found_by_the_next_snapshot() -> None:
    rows = rows_of(many(1000))
    assert rows.hold(many(1000, first=400))
    assert not rows.hold(many(1000, first=400))
    assert (len(rows), rows[0], rows.held_count) == (1000, 1, 601)
    assert rows.is_evicted(399)
    assert not rows.is_evicted(400)
    later = many(1500, version=2, first=400)
    assert rows.compare(later) is SnapshotChange.EVICTED
    rows.take(later)
    assert (len(rows), rows[0], rows[-1], rows.held_count) == (1101, 400, 1500, 1101)


def test_an_evicted_row_cannot_be_read() -> None:
    rows = rows_of(many(1000))
    rows.hold(many(1000, first=400))
    assert rows.read(399).number == 400
    with pytest.raises(KeyError):
        rows.read(398)


def test_the_packets_that_passed_a_filter_have_rows() -> None:
    snapshot, view = filled(9).snapshot(), View(odd_numbers)
    rows = rows_of(snapshot)
    analyzed = filtered(snapshot, view)
    assert rows.compare(snapshot, analyzed) is SnapshotChange.FILTERED
    rows.take(snapshot, analyzed)
    assert [rows[row] for row in range(len(rows))] == [1, 3, 5, 7, 9]
    assert (rows.row_of(3), rows.row_of(4), rows.row_of(None)) == (1, None, None)
    assert rows.nearest_row(4) == 2
    assert rows.compare(snapshot, analyzed) is SnapshotChange.NONE
    assert rows.compare(snapshot) is SnapshotChange.FILTERED
    rows.clear()
    assert len(rows) == rows.held_count == 0


def test_a_held_filter_that_had_not_seen_all_adds_rows() -> None:
    store, view = filled(5), View(odd_numbers)
    part = filtered(store.snapshot(), view)
    add(store, 4)
    snapshot = store.snapshot()
    rows = PacketRows(Faults())
    rows.take(snapshot, part)
    assert len(rows) == 3
    assert not rows.hold(snapshot, filtered(snapshot, view))
    assert len(rows) == 5


def test_text_changes_when_the_analysis_reaches_a_packet() -> None:
    """`take_flows` reports a change only for lines that had not been reached."""
    snapshot = scripted_store().snapshot()
    index = FlowIndex()
    index.extend(snapshot, Budget())
    rows = rows_of(snapshot)
    assert not rows.is_analyzed(5)
    assert "[SYN] Seq=0" not in rows.read(4).info
    assert rows.take_flows(index.published, range(10))
    assert rows.is_analyzed(5)
    assert "[SYN] Seq=0" in rows.read(4).info
    assert not rows.take_flows(index.published, range(10))


def test_rows_are_read_once() -> None:
    snapshot = ManyPackets(10)
    rows = rows_of(snapshot)  # type: ignore[arg-type]
    assert rows.read(4) is rows.read(4)
    assert snapshot.made == [5]


def test_times() -> None:
    rows = rows_of(many(1000))
    assert rows.time_text(2, TimeFormat.RELATIVE, 6, with_date=False) == "0.000003"
    assert rows.time_text(2, TimeFormat.DELTA, 6, with_date=False) == "0.000001"
    assert rows.time_text(0, TimeFormat.DELTA, 6, with_date=False) == "0.000000"
    clock = rows.time_text(0, TimeFormat.ABSOLUTE, 3, with_date=True)
    assert clock.startswith(rows.first_date)
    rows.hold(many(1000, first=3))
    assert rows.time_text(2, TimeFormat.DELTA, 6, with_date=False) == UNKNOWN
    assert not rows.spans_days()


def test_without_packets_there_is_no_date() -> None:
    rows = PacketRows(Faults())
    assert (rows.first_date, rows.spans_days(), rows.held_count) == ("", False, 0)
