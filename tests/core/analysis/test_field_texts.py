"""The text of a field agrees with the detail tree, for a frame of every header."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from core.analysis.field_texts import HEX_BYTES, field_text, is_number
from core.analysis.filter.fields.catalog import CATALOG, SLOTS_BY_NAME
from core.analysis.filter.language.times import seconds_to_ns
from core.analysis.filter.packet_filter import values_of_packet
from core.analysis.packet_facts import PacketFacts
from core.decode.batch import CaptureInterface
from core.store.captured_packet import CapturedPacket
from core.store.packet_store import PacketStore
from core.store.snapshot import Snapshot
from core.wire.link.link_types import LinkType
from core.wire.model.dissection import PacketFlag
from core.wire.model.kind import Kind
from core.wire.present.detail import each_row
from core.wire.present.detail_row import Row
from tests.core.decode.frames import tcp_frame
from tests.core.decode.support import batch_of
from tests.fuzz.shapes import shapes
from tests.helpers.scripted import scripted_store

STORE = scripted_store().snapshot()
SYN = 5  # the first segment of a handshake


def facts(number: int, snapshot: Snapshot = STORE) -> PacketFacts:
    packet = snapshot.packet(number)
    return PacketFacts(packet, packet.dissect(), snapshot)


def text(name: str, number: int = SYN, snapshot: Snapshot = STORE) -> str:
    return field_text(name)(facts(number, snapshot))


def flat(rows: Iterator[Row]) -> Iterator[Row]:
    for row in rows:
        yield row
        yield from flat(iter(row.children))


def expected(row: Row) -> set[str]:
    """Return the value of a row without its unit and its bits, for each width of the field."""
    value, slots = row.raw, SLOTS_BY_NAME[row.field]
    assert isinstance(value, int | bytes)
    if slots[0].field.kind is Kind.NUMBER and slots[0].field.base == 10:
        return {str(value)}
    return {slot.text(value) for slot in slots}


def test_every_field_has_a_text_for_every_header() -> None:
    """And it is that of the first row of the detail tree with its name, of the outermost packet."""
    readers = {name: field_text(name) for name in CATALOG.names()}
    compared = set()
    for shape in shapes():
        interface = CaptureInterface("eth0", shape.link_type)
        packet = CapturedPacket(1, shape.data, len(shape.data), 10**18, interface)
        found = PacketFacts(packet, packet.dissect(), STORE)
        texts = {name: reader(found) for name, reader in readers.items()}
        layers = found.dissection.layers
        outermost = {layer.name for layer in layers if layer.depth <= 1 and not layer.quoted}
        for row in flat(each_row(found.dissection)):
            is_outermost = row.key.partition(".")[0] in outermost
            if row.field in SLOTS_BY_NAME and row.field == row.key and is_outermost:
                compared.add(row.field)
                first = texts[row.field].split(",")[0]  # of the values of options and tags
                assert first in expected(row), (shape.name, row)
    assert len(compared) > 0.9 * len(SLOTS_BY_NAME)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(KeyError):
        field_text("ip.tttl")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("ip.addr", "192.0.2.17,198.51.100.80"),
        ("tcp.port", "51234,80"),
        ("tcp", "Transmission Control Protocol, 51234 → 80"),
        ("tcp.flags.str", "··········S·"),
        ("tcp.flags", "0x002"),
        ("tcp.flags.syn", "set"),
        ("tcp.len", "0"),
        ("tcp.options", "020405b40402080a000004d20000000001030307"),
        ("tcp.options.mss", "Maximum segment size"),
        ("tcp.options.mss_val", "1460"),
        ("tcp.checksum.status", "good"),
        ("tcp.payload", ""),
        ("udp.port", ""),
        ("frame", "Frame 5: 74 bytes"),
        ("frame.number", "5"),
        ("frame.len", "74"),
        ("frame.protocols", "eth:ip:tcp"),
        ("frame.interface_name", "eth0"),
        ("frame.interface_id", "0"),
        ("frame.time_relative", "0.010180000"),
        ("frame.time_delta", "0.000900000"),
        ("frame.time_epoch", "1700000000.133636789"),
        ("frame.time_utc", "2023-11-14T22:13:20.133636789Z"),
        ("frame.stop.cause", ""),
        ("frame.direction", ""),
        ("rawscope.sent", "false"),
    ],
)
def test_fields_beside_those_of_headers(name: str, shown: str) -> None:
    assert text(name) == shown


def test_the_first_packet_has_no_packet_before_it() -> None:
    assert text("frame.time_delta", 1) == ""
    assert text("frame.time_relative", 1) == "0.000000000"


TIMES = [name for name in CATALOG.names() if name.startswith("frame.time")]


@pytest.mark.parametrize("timed", itertools.product([True, False], repeat=3))
def test_columns_and_filters_agree_which_packets_have_times(timed: tuple[bool, ...]) -> None:
    """A packet without a time (a Simple Packet Block of pcapng) has 0, and does not count."""
    assert len(TIMES) > 5
    store = PacketStore()
    store.add_interface(CaptureInterface("eth0", LinkType.ETHERNET))
    store.append(
        batch_of(
            [tcp_frame()] * 3,
            flags=[0 if each else int(PacketFlag.TIME_INVALID) for each in timed],
            times_ns=[10**18 + 7 * row if each else 0 for row, each in enumerate(timed)],
        )
    )
    snapshot = store.snapshot()
    for number, name in itertools.product((1, 2, 3), TIMES):
        values = values_of_packet(snapshot, number).occurrences(name).values
        shown = text(name, number, snapshot)
        assert (len(values) == 1) is (shown != ""), (name, number)
        if name not in ("frame.time", "frame.time_utc") and shown:
            assert seconds_to_ns(shown) == values.tolist()[0]


def test_a_payload_is_the_beginning_of_its_bytes() -> None:
    number = next(n for n in range(1, STORE.count + 1) if len(text("tcp.payload", n)) > 1)
    shown = text("tcp.payload", number)
    assert bytes.fromhex(shown.removesuffix("…")).startswith(b"GET /status")
    assert len(shown) == 2 * HEX_BYTES + 1
    assert text("data", number) == shown
    assert int(text("data.len", number)) > HEX_BYTES


def test_a_packet_that_rawscope_sent() -> None:
    interface = CaptureInterface("a\x1b", LinkType.ETHERNET)
    packet = CapturedPacket(1, b"", 0, 0, interface, PacketFlag.OURS | PacketFlag.TIME_INVALID)
    found = PacketFacts(packet, packet.dissect(), STORE)
    assert field_text("rawscope.sent")(found) == "true"
    assert field_text("frame.direction")(found) == "outbound"
    assert field_text("frame.time")(found) == field_text("frame.time_epoch")(found) == ""
    assert field_text("frame.interface_name")(found) == "a\\x1b"


@pytest.mark.parametrize(
    ("name", "is_right"),
    [
        ("ip.ttl", True),
        ("tcp.len", True),
        ("frame.time_delta", True),
        ("tcp.flags", False),
        ("ip.src", False),
        ("tcp.flags.syn", False),
        ("tcp.checksum.status", False),
        ("frame.time", False),
        ("frame.direction", False),
        ("nothing", False),
    ],
)
def test_numbers_are_aligned_at_the_right(name: str, is_right: bool) -> None:
    assert is_number(name) is is_right
