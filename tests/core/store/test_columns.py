"""Columns of fields against dissection: the same values, and none where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from core.store import columns as columns_module
from core.store.columns import SLOTS, FieldColumns, read
from core.store.packet_store import PacketStore
from core.wire.dissect import dissect
from core.wire.field import Kind
from core.wire.protocols import TABLES
from tests.core.store.captures import stored_captures
from tests.core.store.frames import arp_frame, ethernet, ipv4, tcp, tcp_frame, udp_frame
from tests.core.store.support import ETHERNET_INTERFACE, batch_of

# inside options, tunnels and what follows a variable part there is no outermost place
WITHOUT_COLUMN = {"ip.opt", "ipv6.opt", "icmpv6.opt", "tcp.options", "gre", "vxlan"}


def _store(frames: list[bytes]) -> PacketStore:
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    store.append(batch_of(frames, gap=4))
    return store


def test_a_column_of_every_kind_of_header():
    """Known frames, known values."""
    chunk = (
        _store(
            [
                tcp_frame(b"data", sequence=7),
                udp_frame(),
                arp_frame(),
                ethernet(ipv4(tcp(), 6), tags=2),
                b"short",
            ]
        )
        .snapshot()
        .chunks[0]
    )
    columns = FieldColumns()
    expected = {
        "ip.proto": ([6, 17, 0, 6, 0], [True, True, False, True, False]),
        "tcp.seq_raw": ([7, 0, 0, 1, 0], [True, False, False, True, False]),
        "tcp.flags.ack": ([1, 0, 0, 1, 0], [True, False, False, True, False]),
        "vlan.id": ([0, 0, 0, 5, 0], [False, False, False, True, False]),
        "arp.opcode": ([0, 0, 1, 0, 0], [False, False, True, False, False]),
        "eth.type": ([0x0800, 0x0800, 0x0806, 0x8100, 0], [True, True, True, True, False]),
        "ip.hdr_len": ([20, 20, 0, 20, 0], [True, True, False, True, False]),
    }
    for name, (values, valid) in expected.items():
        column = columns.column(chunk, name)
        assert column.values.tolist() == values, name
        assert column.valid.tolist() == valid, name


@pytest.mark.corpus
def test_every_field_of_the_corpus():
    """For every field, the column holds what the outermost layer of the packet says."""
    one_of_each_table = {slots[0].table.name: name for name, slots in SLOTS.items()}
    compared = 0
    for path, snapshot in stored_captures():
        for whole in snapshot.chunks:
            chunk = whole.rows(0, 150)
            expected = [_outermost(chunk.frame(row), chunk, row) for row in range(len(chunk))]
            names = {name for each in expected for name in each} | set(one_of_each_table.values())
            for name in sorted(name for name in names if _has_column(name)):
                column = read(chunk, SLOTS[name])
                given = {
                    row: _number(column.values[row])
                    for row in np.flatnonzero(column.valid).tolist()
                }
                wanted = {row: each[name] for row, each in enumerate(expected) if name in each}
                assert given == wanted, f"{path}: {name}"
                compared += len(wanted)
    assert compared > 50_000


def _has_column(name: str) -> bool:
    return SLOTS[name][0].table.name not in WITHOUT_COLUMN


def _outermost(frame: bytes, chunk, row: int) -> dict[str, int]:
    """Every field of the outermost layer of each name, not quoted and in no tunnel."""
    dissection = dissect(
        frame, int(chunk.link_type[row]), int(chunk.original[row]), int(chunk.flags[row])
    )
    values: dict[str, int] = {}
    seen: set[str] = set()
    for layer in dissection.layers:
        if layer.depth > 1 or layer.quoted or layer.name in seen or layer.name in WITHOUT_COLUMN:
            continue
        seen.add(layer.name)
        for slot, value in layer.fields(frame):
            # tables made for one packet (odd ARP addresses) have no columns
            if slot.field.kind is not Kind.BYTES and slot.table in TABLES:
                values[slot.name] = int(value)
    return values


def _number(value) -> int:
    return int(value[0]) << 64 | int(value[1]) if np.ndim(value) else int(value)


def test_a_growing_chunk_reads_its_new_rows_only(monkeypatch):
    """And an older snapshot of it gets its own length."""
    store = _store([tcp_frame()] * 3)
    columns = FieldColumns()
    early = store.snapshot().chunks[0]
    columns.column(early, "tcp.srcport")
    asked = _count_reads(monkeypatch)
    store.append(batch_of([tcp_frame()] * 2))
    late = store.snapshot().chunks[0]
    assert columns.column(late, "tcp.srcport").values.tolist() == [40000] * 5
    assert columns.column(late, "tcp.srcport").values.tolist() == [40000] * 5
    assert columns.column(early, "tcp.srcport").values.tolist() == [40000] * 3
    assert asked == [("tcp.srcport", 2)]


def test_kept_columns_are_bounded(monkeypatch):
    """The least used go first, and are read again when asked for."""
    chunk = _store([tcp_frame()] * 100).snapshot().chunks[0]
    columns = FieldColumns(limit_bytes=700)  # two columns of 16 bits and their masks
    asked = _count_reads(monkeypatch)
    for name in (
        "tcp.srcport",
        "tcp.dstport",
        "tcp.srcport",
        "ip.id",
        "tcp.srcport",
        "tcp.dstport",
    ):
        columns.column(chunk, name)
    assert [name for name, _ in asked] == ["tcp.srcport", "tcp.dstport", "ip.id", "tcp.dstport"]


def _count_reads(monkeypatch) -> list[tuple[str, int]]:
    asked: list[tuple[str, int]] = []

    def counted(chunk, slots):
        asked.append((slots[0].name, len(chunk)))
        return read(chunk, slots)

    monkeypatch.setattr(columns_module, "read", counted)
    return asked


def test_names_without_a_column():
    """Unknown names, and fields that are byte strings."""
    chunk = _store([tcp_frame()]).snapshot().chunks[0]
    byte_strings = {
        slot.name
        for table in TABLES
        for slot in table.slots
        if slot.field.kind is Kind.BYTES and slot.name not in SLOTS
    }
    assert "sll.unused" in byte_strings
    for name in ("tcp.nonsense", *byte_strings):
        with pytest.raises(KeyError):
            FieldColumns().column(chunk, name)
