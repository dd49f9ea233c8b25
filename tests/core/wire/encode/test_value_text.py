"""The text for a field's value, and the sentence for a text that it rejects."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.wire.encode.value_text import TextError, example, parse_value, typed
from core.wire.model.field import PlacedField, Value
from core.wire.model.kind import Kind
from core.wire.network.arp import ARP_IPV4
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6
from core.wire.registry import TABLES
from core.wire.transport.tcp import TCP

SLOTS = [slot for table in TABLES for slot in table.slots]
NO_ZONE = (
    "a header holds no zone: leave out the %; the route chooses the interface, or send verbatim on "
    "one"
)
# Also texts that are pasted: very long ones, and halves of characters.
ANY_TEXT = st.one_of(
    st.text(max_size=30),
    st.text(st.characters(categories=("Cs", "Nd", "Po")), max_size=10),
    st.builds(lambda piece: piece * 5000, st.sampled_from(["9", "0", "-1", "0x1", "1:", "\ud800"])),
)


def values(slot: PlacedField) -> st.SearchStrategy[Value]:
    """Return a strategy for every value that a field can hold."""
    if slot.field.kind is Kind.BYTES:
        return st.binary(min_size=slot.field.bits // 8, max_size=slot.field.bits // 8)
    top = slot.maximum // slot.field.unit
    return st.integers(0, top).map(lambda number: number * slot.field.unit)


@pytest.mark.parametrize(
    ("slot", "text", "value"),
    [
        (IPV4["ttl"], "3", 3),
        (IPV4["ttl"], " 0x1f ", 31),
        (IPV4["ttl"], "0b101", 5),
        (IPV4["ttl"], "007", 7),
        (IPV4["hdr_len"], "24", 24),
        (IPV4["proto"], "udp", 17),
        (IPV4["flags.df"], "true", 1),
        (IPV4["flags.df"], "not set", 0),
        (IPV4["flags"], "df,mf", 3),
        (IPV4["src"], "10.0.0.5", 0x0A000005),
        (TCP["flags"], "SYN,ack", 0x12),
        (IPV6["dst"], "2001:db8::1", (0x20010DB8 << 96) + 1),
        (ARP_IPV4["src.hw_mac"], "02-00-5E-10-00-01", 0x02005E100001),
    ],
)
def test_values(slot: PlacedField, text: str, value: Value) -> None:
    assert parse_value(slot, text) == value


@pytest.mark.parametrize(
    ("slot", "text", "sentence"),
    [
        (IPV4["ttl"], "300", "300: time to live is 0–255"),
        (IPV4["ttl"], "-1", "-1: time to live is 0–255"),
        (IPV4["ttl"], "three", "three: time to live is 0–255, e.g. 64"),
        (IPV4["hdr_len"], "21", "21: header length is 0–60 bytes in steps of 4, e.g. 20"),
        (IPV4["id"], "0x10000", "0x10000: identification is 0–0xffff, e.g. 0x0014"),
        (IPV4["dst"], "10.0.0", "10.0.0: destination is an IPv4 address, e.g. 192.0.2.1"),
        (IPV4["flags.df"], "2", "2: don't fragment is 0 or 1, e.g. 1"),
        (TCP["flags"], "syn,sun", "syn,sun: flags is 0–0xfff, e.g. syn,fin"),
        (IPV4["ttl"], "²", "²: time to live is 0–255, e.g. 64"),
        (IPV4["ttl"], "9" * 60, f"{'9' * 39}…: time to live is 0–255"),
        (IPV6["dst"], "fe80::1%eth9", f"fe80::1%eth9: {NO_ZONE}"),
        (IPV4["dst"], "10.0.0.1%rubbish", f"10.0.0.1%rubbish: {NO_ZONE}"),
        (IPV6["dst"], "%", f"%: {NO_ZONE}"),
        (IPV4["ttl"], "9" * 5000, f"{'9' * 39}…: time to live is 0–255, e.g. 64"),
    ],
    ids=lambda one: str(one)[:30],
)
def test_sentences(slot: PlacedField, text: str, sentence: str) -> None:
    with pytest.raises(TextError) as caught:
        parse_value(slot, text)
    assert str(caught.value) == sentence


@given(st.data())
def test_the_text_of_a_value_reads_back(data: st.DataObject) -> None:
    slot = data.draw(st.sampled_from(SLOTS))
    value = data.draw(values(slot))
    assert parse_value(slot, typed(slot, value)) == value


@pytest.mark.parametrize("slot", SLOTS, ids=lambda slot: slot.name)
def test_every_example_can_be_typed(slot: PlacedField) -> None:
    parse_value(slot, example(slot))


@given(st.sampled_from(SLOTS), ANY_TEXT)
def test_any_text_is_a_value_or_one_sentence(slot: PlacedField, text: str) -> None:
    with contextlib.suppress(TextError):
        value = parse_value(slot, text)
        assert slot.text(value)
