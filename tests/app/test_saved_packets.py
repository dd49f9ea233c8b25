"""Packets and comments that are not saved to any file."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.saved_packets import SavedPackets, Unsaved
from app.screens.saving.packet_ranges import PacketRanges
from core.engine.snapshot import EngineSnapshot, EngineState
from core.recording.recorded_range import RecordedRange
from core.store.packet_store import PacketStore
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of


def engine_of(packets: int, **given: object) -> EngineSnapshot:
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    store.append(batch_of([bytes(60)] * packets))
    return EngineSnapshot(EngineState.LIVE, packets=store.snapshot(), **given)


def test_packets_that_were_saved_are_not_lost() -> None:
    saved = SavedPackets()
    before, after = engine_of(3, captured=3), engine_of(5, captured=5)
    assert saved.unsaved(before) == Unsaved(3)
    saved.note_saved(before, PacketRanges([(1, 3)]), keeps_comments=True)
    assert saved.unsaved(before) == Unsaved(3)  # only a whole file counts
    saved.note_saved(before, None, keeps_comments=True)
    assert not saved.unsaved(before)
    assert saved.unsaved(after) == Unsaved(2)
    assert saved.unsaved(replace(after, store_generation=1)) == Unsaved(5)


@pytest.mark.parametrize(
    ("ranges", "saved_through", "unsaved"),
    [
        ([], 0, 10),
        ([RecordedRange(1, None)], 0, 0),
        ([RecordedRange(-3, None)], 0, 0),
        ([RecordedRange(4, 6)], 0, 7),
        ([RecordedRange(1, 2), RecordedRange(4, 6, lost=2)], 0, 7),
        ([RecordedRange(1, 4), RecordedRange(9, None)], 5, 3),
        ([RecordedRange(6, None)], 5, 0),  # saved, then recorded
        ([RecordedRange(1, 7, lost=5)], 5, 5),
        ([RecordedRange(1, 6, unwanted=8)], 0, 2),
    ],
)
def test_recorded_packets_are_not_lost(ranges, saved_through, unsaved) -> None:
    saved = SavedPackets()
    if saved_through:
        saved.note_saved(engine_of(saved_through, captured=5), None, keeps_comments=True)
    engine = engine_of(10, captured=10, recorded=tuple(ranges))
    assert saved.unsaved(engine).packets == unsaved
    assert saved.unsaved(replace(engine, piped=True)).packets == 10 - saved_through


def test_comments_are_unsaved_until_a_file_has_them() -> None:
    saved, engine = SavedPackets(), engine_of(5)
    assert not saved.unsaved(engine)
    saved.note_comment(engine, 2)
    saved.note_comment(engine, 4)
    saved.note_comment(engine, 4)
    assert saved.unsaved(engine) == Unsaved(0, 2)
    saved.note_saved(engine, PacketRanges([(4, 5)]), keeps_comments=True)
    assert saved.unsaved(engine) == Unsaved(0, 1)
    saved.note_saved(engine, None, keeps_comments=False)
    assert saved.unsaved(engine).sentence == "1 comment is not saved and will be lost."
    saved.note_saved(engine, None, keeps_comments=True)
    assert not saved.unsaved(engine)
    saved.note_comment(engine, 1)
    assert not saved.unsaved(replace(engine, store_generation=1))
