"""The closed row of each layer, which shows what tells it apart."""

from __future__ import annotations

import pytest

from core.wire.dissect import dissect
from core.wire.link.ethernet import ETHERNET
from core.wire.link.link_types import LinkType
from core.wire.link.vlan import PROVIDER, VLAN
from core.wire.model.assigned_numbers import EtherType
from core.wire.model.dissection import Dissection, Layer
from core.wire.model.field import Span
from core.wire.model.kind import Kind
from core.wire.model.table import HeaderTable
from core.wire.present.detail import each_row
from core.wire.present.detail_row import Row
from core.wire.protocol import Protocol
from core.wire.registry import PROTOCOLS
from tests.core.wire import frames
from tests.fuzz.shapes import shapes

HEADLINED = [protocol for protocol in PROTOCOLS if protocol.headline]


def _rows(data: bytes, link_type: int = LinkType.ETHERNET) -> list[Row]:
    return [row for row in each_row(dissect(data, link_type, len(data))) if row.is_layer]


def _row_of(protocol: Protocol, table: HeaderTable, values: dict[str, int]) -> Row:
    """Return the row of a header with these values, in this table."""
    data = bytes(table.start) + table.emit(values)
    tables = (table,) if table.start == 0 else (protocol.tables[0], table)
    layer = Layer(protocol.name, table.title, tables, 0, len(data), len(data), len(data), 0)
    end = Span(len(data), len(data))
    (row,) = each_row(Dissection(data, len(data), (layer,), end))
    return row


@pytest.mark.parametrize("protocol", HEADLINED, ids=lambda protocol: protocol.name)
def test_the_closed_row_of_every_record_shows_its_headline(protocol: Protocol) -> None:
    """The first field always, another one if it is not 0, a flag as a word."""
    found = set()
    for table in protocol.tables:
        keys = [key for key in protocol.headline if key in table]
        if not keys:
            continue
        found.update(keys)
        slots = {key: table[key] for key in keys}
        values = {key: min(5, slot.maximum) for key, slot in slots.items()}
        words = [
            protocol.headline[key]
            if slot.field.kind is Kind.FLAG
            else f"{protocol.headline[key]} {slot.text(values[key])}"
            for key, slot in slots.items()
        ]
        assert _row_of(protocol, table, values).value == ", ".join(words)
        first = next(iter(protocol.headline))
        zero = [f"{protocol.headline[first]} {slots[first].text(0)}"] if first in slots else []
        assert _row_of(protocol, table, dict.fromkeys(keys, 0)).value == ", ".join(zero)
    assert found == set(protocol.headline)


def test_every_headline_is_in_the_tree_of_some_frame() -> None:
    """Of frames as they are read: the words of the record begin the row's value."""
    left = {protocol.name: tuple(protocol.headline.values()) for protocol in HEADLINED}
    for shape in shapes():
        for row in _rows(shape.data, shape.link_type):
            if row.value.startswith(left.get(row.key, ("\n",))):
                left.pop(row.key)
    assert not left


def test_the_tag_of_a_vlan_shows_its_id_while_it_is_closed() -> None:
    tag = VLAN.emit({"priority": 5, "dei": 1, "id": 100, "etype": EtherType.IPV4})
    outer = PROVIDER.emit({"id": 7, "type": EtherType.VLAN})
    frame = ETHERNET.emit({"type": EtherType.PROVIDER_VLAN}) + outer + tag
    rows = {
        row.key: (row.label, row.value) for row in _rows(frame + frames.ipv4(frames.udp(b""), 17))
    }
    assert rows["ieee8021ad"] == ("802.1ad provider VLAN", "ID 7")
    assert rows["vlan"] == ("802.1Q virtual LAN", "ID 100, priority 5, drop eligible")
    cut = {row.key: row.value for row in _rows(frame[: ETHERNET.size + PROVIDER.size + 1])}
    assert cut["vlan"] == "priority 5, drop eligible"
