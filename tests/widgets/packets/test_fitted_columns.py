"""Columns widen for the rows on the screen, and never get narrower."""

from __future__ import annotations

from core.wire.present.faults import Faults
from tests.helpers.scripted import scripted_store
from tests.widgets.packets.test_packet_table import ManyPackets
from widgets.packets.column_choice import ColumnName
from widgets.packets.fitted_columns import FittedColumns
from widgets.packets.packet_rows import PacketRows
from widgets.packets.time_format import TimeFormat

WIDE = 200


def width_of(columns: FittedColumns, name: ColumnName) -> int:
    return next(column.width for column in columns.layout.columns if column.name is name)


def test_only_rows_that_were_not_fitted_are_read() -> None:
    snapshot = ManyPackets(1000)
    rows, columns = PacketRows(Faults()), FittedColumns()
    rows.take(snapshot)  # type: ignore[arg-type]
    assert columns.fit(rows, range(10), WIDE, TimeFormat.RELATIVE)
    assert not columns.fit(rows, range(5, 15), WIDE, TimeFormat.RELATIVE)
    assert snapshot.made == list(range(1, 16))


def test_columns_stay_as_wide_as_the_widest_row() -> None:
    rows, columns = PacketRows(Faults()), FittedColumns()
    rows.take(scripted_store().snapshot())
    columns.fit(rows, range(len(rows)), WIDE, TimeFormat.RELATIVE)
    source = width_of(columns, ColumnName.SOURCE)
    assert source == max(len(rows.read(line).source) for line in range(len(rows)))
    assert not columns.fit(rows, range(1), WIDE, TimeFormat.RELATIVE)
    assert width_of(columns, ColumnName.SOURCE) == source


def test_a_new_time_format_starts_narrow() -> None:
    snapshot = ManyPackets(20_000_000)  # 20 seconds
    rows, columns = PacketRows(Faults()), FittedColumns()
    rows.take(snapshot)  # type: ignore[arg-type]
    last = range(len(rows) - 10, len(rows))
    columns.fit(rows, last, WIDE, TimeFormat.RELATIVE)
    relative = width_of(columns, ColumnName.TIME)
    columns.forget_times()
    assert columns.fit(rows, last, WIDE, TimeFormat.DELTA)
    assert width_of(columns, ColumnName.TIME) == relative - 1


def test_evicted_rows_are_not_read() -> None:
    rows, columns = PacketRows(Faults()), FittedColumns()
    rows.take(ManyPackets(10))  # type: ignore[arg-type]
    held = ManyPackets(10, first=11)
    rows.hold(held)  # type: ignore[arg-type]
    columns.fit(rows, range(10), WIDE, TimeFormat.RELATIVE)
    assert held.made == []


def test_the_number_column_fits_the_newest_packet_before_it_is_visible() -> None:
    columns, snapshot = FittedColumns(), ManyPackets(1_000_000)
    columns.fit_totals(snapshot)  # type: ignore[arg-type]
    rows = PacketRows(Faults())
    rows.take(snapshot)  # type: ignore[arg-type]
    columns.fit(rows, range(3), WIDE, TimeFormat.RELATIVE)
    assert width_of(columns, ColumnName.NUMBER) == 7
