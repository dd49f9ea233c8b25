"""The selected packet: dissected once, and what is kept when that fails."""

from __future__ import annotations

import pytest

from core.store import captured_packet, selected_packet
from core.store.packet_store import PacketStore
from core.store.selected_packet import select_packet
from core.wire.dissect import dissect
from core.wire.model.dissection import PacketFlag
from core.wire.present.faults import Faults
from tests.core.decode.frames import tcp_frame, udp_frame
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of

FRAMES = [tcp_frame(), udp_frame()]


def _store() -> PacketStore:
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    store.append(batch_of(FRAMES))
    return store


def test_a_packet_is_dissected_once(monkeypatch):
    """Selecting it, and asking for its layers later, calls `dissect` one time."""
    calls: list[bytes] = []

    def counted(data, *arguments):
        calls.append(data)
        return dissect(data, *arguments)

    monkeypatch.setattr(captured_packet, "dissect", counted)
    faults = Faults()
    selected = select_packet(_store().snapshot(), 2, faults)
    assert selected is not None
    assert selected.packet.number == 2
    assert selected.layers() is selected.dissection
    assert selected.rows[0].key == "frame"
    assert [row.key for row in selected.rows[1:3]] == ["eth", "ip"]
    assert calls == [FRAMES[1]]
    assert not faults.count


def test_a_packet_that_is_not_in_the_store_gives_none():
    """An evicted packet, or one that has not arrived, is not an error."""
    faults = Faults()
    assert select_packet(_store().snapshot(), 3, faults) is None
    assert not faults.count


def test_a_failed_dissection_keeps_the_frame_row_and_raises_on_request(monkeypatch):
    """The last row reports the failure; `layers` raises it for code that needs the layers."""

    def broken(*_arguments):
        raise TypeError

    monkeypatch.setattr(captured_packet, "dissect", broken)
    faults = Faults()
    selected = select_packet(_store().snapshot(), 1, faults)
    assert selected is not None
    assert selected.dissection is None
    assert selected.rows[0].key == "frame"
    assert "TypeError" in selected.rows[-1].value + selected.rows[-1].label
    assert faults.count == 1
    with pytest.raises(TypeError):
        selected.layers()


def test_a_failed_row_keeps_the_rows_before_it_and_the_dissection(monkeypatch):
    """The forge can still be filled from a packet whose detail tree is cut short."""

    def broken(dissection):
        yield from ()
        raise ValueError

    monkeypatch.setattr(selected_packet, "each_row", broken)
    faults = Faults()
    selected = select_packet(_store().snapshot(), 1, faults)
    assert selected is not None
    assert selected.dissection is not None
    assert len(selected.rows) == 2
    assert faults.count == 1


def test_no_time_since_a_packet_without_a_time():
    """The row of the difference needs both times; a packet without one has the time 0."""
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    flags = [PacketFlag.TIME_INVALID, 0]
    store.append(batch_of(FRAMES, flags=flags, times_ns=[0, 1_700_000_000_000_000_000]))
    selected = select_packet(store.snapshot(), 2, Faults())
    assert selected is not None
    keys = [row.key for row in selected.rows[0].children]
    assert "frame.time_utc" in keys
    assert "frame.time_delta" not in keys
