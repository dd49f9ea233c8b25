"""The outermost of several headers of one protocol in a packet, which columns describe."""

from __future__ import annotations

from core.decode.columns import SLOTS, read
from core.store.packet_store import PacketStore
from core.wire.link.ethernet import ETHERNET_802_3
from core.wire.link.link_types import LinkType
from core.wire.link.vlan import VLAN, VLAN_LENGTH
from core.wire.model.assigned_numbers import EtherType
from core.wire.network.ipv6_routing import ROUTING, ROUTING_RPL, RPL
from tests.core.decode.frames import ethernet, ipv6, udp
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of
from tests.fuzz.readers import Sample, check

INNER = ETHERNET_802_3.emit({"len": 3}) + b"\x42\x42\x03"
BRIDGED = ethernet(INNER, EtherType.TRANSPARENT_ETHERNET)
TAGGED = ethernet(
    VLAN.emit({"id": 7, "etype": EtherType.VLAN}) + VLAN_LENGTH.emit({"id": 8, "len": 3}),
    EtherType.VLAN,
)


def _column(frame: bytes, name: str) -> int | None:
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    store.append(batch_of([frame]))
    column = read(store.snapshot().chunks[0], SLOTS[name])
    return int(column.values[0]) if column.valid[0] else None


def test_an_inner_header_of_another_table_is_not_the_outermost() -> None:
    """An 802.3 frame inside Ethernet II has a length, the outer frame has none."""
    assert _column(BRIDGED, "eth.len") is None
    assert _column(BRIDGED, "eth.type") == EtherType.TRANSPARENT_ETHERNET
    assert _column(INNER, "eth.len") == 3


def test_tags_stack() -> None:
    """Each field is that of the outermost tag which has it."""
    assert _column(TAGGED, "vlan.id") == 7
    assert _column(TAGGED, "vlan.etype") == EtherType.VLAN
    assert _column(TAGGED, "vlan.len") == 3


def test_batches_agree_on_repeated_headers() -> None:
    """Two routing headers, of which only the second continues with another table."""
    plain = ROUTING.emit({"nxt": 43, "type": 4}) + bytes(4)
    rpl = ROUTING.emit({"nxt": 17, "type": ROUTING_RPL}) + RPL.emit({"cmprE": 3})
    orders = (plain + rpl, rpl.replace(b"\x11", b"\x2b", 1) + plain.replace(b"\x2b", b"\x11", 1))
    packets = [ipv6(headers + udp(six=True), 43) for headers in orders]
    frames = [ethernet(packet, EtherType.IPV6) for packet in packets] + [BRIDGED, TAGGED, INNER]
    check([Sample(frame, LinkType.ETHERNET, len(frame)) for frame in frames])
