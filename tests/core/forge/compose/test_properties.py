"""Any combination of values: built, read back, summed right; any wrong text: one error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from core.forge.compose.draft import PAYLOAD, TRAILER, Draft
from core.forge.compose.evaluation import evaluate
from core.forge.compose.from_packet import draft_of
from core.forge.compose.payload_file import LONGEST, FileContent
from core.wire.dissect import dissect
from core.wire.encode.computed_fields import SUM_RULES, longest_header
from core.wire.encode.value_text import typed
from core.wire.link.link_types import LinkType
from core.wire.model.dissection import Dissection, Verdict
from core.wire.model.field import PlacedField, Value
from core.wire.model.kind import Kind
from core.wire.network import icmp, icmpv6
from core.wire.protocol import LayerKind, LayerPosition
from tests.core.forge.compose.stacks import STACKS, drafts, layer_values, slots_of, values
from tests.core.wire.encode.test_value_text import ANY_TEXT

MANY = settings(max_examples=2000, database=None)
Drawn = tuple[Draft, dict[str, Value]]


def read(draft: Draft, data: bytes) -> Dissection:
    return dissect(data, LinkType.ETHERNET if draft.has_link else LinkType.RAW, len(data))


def summed(kind: LayerKind) -> bool:
    """Return True if a layer has a checksum of its own."""
    return any(slot.name in SUM_RULES for table in kind.tables for slot in table.slots)


def fragmented(values: Mapping[str, Value]) -> tuple[bool, bool]:
    """Return True if an IPv4 or fragment header says that this is a part, and that it is a later
    one."""
    flags = int(values.get("flags", 0)) if "flags.mf" in values else 0
    more = bool(values.get("flags.mf") or values.get("more")) or bool(flags & 1)
    later = bool(values.get("frag_offset") or values.get("offset"))
    return more or later, later


def expected(draft: Draft) -> Iterator[tuple[LayerKind, str, set[Verdict]]]:
    """The layers that a reader can find, and the verdict on each. What follows a later fragment is
    not read; a fragment's sum covers what is not here."""
    built = evaluate(draft).built
    assert built is not None
    part = False
    for (kind, suffix), place in zip(draft.kinds(), built.places, strict=True):
        judged = (
            Verdict.UNVERIFIED if part and kind.place is LayerPosition.TRANSPORT else Verdict.GOOD
        )
        yield kind, suffix, {judged} if summed(kind) else set()
        is_part, is_later = fragmented(place.values)
        if is_later:
            return
        part = part or is_part


def quotes(draft: Draft) -> bool:
    """Return True for an ICMP error: its payload is decoded as the packet that caused it."""
    last = evaluate(draft).built.places[-1]
    errors = {"icmp": icmp.ERRORS, "icmpv6": icmpv6.ERRORS}.get(last.header.name, frozenset())
    return last.values.get("type") in errors


@given(drafts())
def test_typed_values_read_back_and_the_sums_are_good(drawn: Drawn) -> None:
    draft, asked = drawn
    evaluation = evaluate(draft)
    assert evaluation.errors == ()
    found = read(draft, evaluation.data)
    wanted = list(expected(draft))
    names = [layer.name for layer in found.layers]
    assert names[: len(wanted)] == [kind.prefix for kind, _, _ in wanted]
    assert quotes(draft) or (found.stop is None and len(names) == len(wanted))
    for (kind, suffix, verdicts), layer in zip(wanted, found.layers, strict=False):
        values = {slot.name + suffix: value for slot, value in layer.fields(found.data)}
        mine = {slot.name + suffix for table in (*kind.tables, *kind.continuations)
                for slot in table.slots}  # fmt: skip
        assert {key: asked[key] for key in asked.keys() & mine}.items() <= values.items()
        assert {check.verdict for check in layer.checks} == verdicts


@pytest.mark.parametrize(
    ("layer", "key"),
    [
        ("ip", "flags"),
        ("ip", "flags.mf"),
        ("ip", "frag_offset"),
        ("ip", "dsfield.dscp"),
        ("tcp", "flags.syn"),
        ("icmp", "mtu"),
        ("icmp", "address_mask"),
        ("icmpv6", "nd.ns.target_address"),
        ("igmp", "num_grp_recs"),
        ("ipv6.fraghdr", "offset"),
    ],
)
def test_the_drafts_have_parts_fragments_and_messages(layer: str, key: str) -> None:
    """None of what the property above is about is left out by how the drafts are drawn."""
    assert key in find(layer_values(layer), lambda given: key in given, settings=MANY)


@given(drafts(), st.data())
def test_an_override_wins_and_is_where_its_span_says(drawn: Drawn, data: st.DataObject) -> None:
    draft, _ = drawn
    index = data.draw(st.integers(0, len(draft.layers) - 1))
    kind, suffix = list(draft.kinds())[index]
    built = evaluate(draft).built
    assert built is not None
    slot = data.draw(st.sampled_from(slots_of(kind.name, built.places[index].values)))
    value = data.draw(values(slot))
    parts = {key: "" for key in draft.texts if key.startswith(f"{slot.name}.")}  # they would win
    draft = draft.with_texts(parts).with_text(slot.name + suffix, typed(slot, value))
    evaluation = evaluate(draft)
    field = evaluation.field(slot.name + suffix)
    assert field.value == value
    assert field.span is not None
    piece = evaluation.data[field.span.start : field.span.stop]
    number = slot.decode(int.from_bytes(piece, "big"))
    assert number == (int.from_bytes(value, "big") if isinstance(value, bytes) else value)


@given(drafts())
def test_every_byte_belongs_to_a_field_but_padding(drawn: Drawn) -> None:
    draft, _ = drawn
    evaluation = evaluate(draft)
    owners = [evaluation.at(offset) for offset in range(len(evaluation.data))]
    assert all(owner is not None for owner in owners)


Wrong = tuple[str, str, str]  # key, text, how its error begins


def beyond(slot: PlacedField, suffix: str) -> st.SearchStrategy[Wrong]:
    """Texts that a field cannot take."""
    if slot.field.kind in (Kind.NUMBER, Kind.FLAG):
        numbers = st.integers(slot.maximum + 1, slot.maximum * 1000 + 2)
        if slot.field.unit > 1:
            between = st.integers(0, slot.maximum).filter(lambda n: n % slot.field.unit)
            numbers = numbers | between
        texts = numbers.map(str)
    else:
        texts = st.sampled_from(["300.1.2.3", "no address", "1:2", "zz", "fe80::1%eth0"])
    return texts.map(lambda text: (slot.name + suffix, text, text))


def beyond_body(kind: LayerKind, suffix: str, is_bounded: bool) -> list[Wrong]:
    """Texts that the bytes behind the tables cannot be. `is_bounded`: the packet's length is too;
    IPv6 has jumbograms."""
    lengths = (longest_header(slot) for table in kind.tables for slot in table.slots)
    longest = next((length for length in lengths if length), LONGEST if is_bounded else 0)
    found = [("hex:0", "hex:0: not hex"), ("hex:zz", "hex:zz: not hex")]
    found += [("hex:" + "00" * longest, "")] if longest else []
    if kind.options is not None:
        found += [("nosuch", "nosuch: no such option"), ("300=00", "300: no such option")]
    return [(f"{kind.prefix}.options{suffix}", *one) for one in found]


FILES = {"missing": FileContent(error="@missing: No such file or directory")}
BEYOND_BYTES: list[Wrong] = [
    (key, *one)
    for key in (PAYLOAD, TRAILER)
    for one in (
        ("hex:0", "hex:0: not hex"),
        ("\\q", "\\q: not an escape"),
        ("x" * (LONGEST + 1), "the payload is longer"),
        ("@missing", "@missing: No such file"),
    )
]
BEYOND_LENGTHS: list[Wrong] = [(PAYLOAD, "x" * LONGEST, "")]


@given(st.sampled_from(STACKS), st.data())
def test_a_text_out_of_range_is_one_error_on_its_field(layers, data: st.DataObject) -> None:
    draft = Draft(layers)
    kind, suffix = data.draw(st.sampled_from(list(draft.kinds())))
    wrong = [st.sampled_from(slots_of(kind.name)).flatmap(lambda slot: beyond(slot, suffix))]
    wrong += [st.sampled_from(BEYOND_BYTES)]
    wrong += [st.sampled_from(beyond_body(kind, suffix, "ip" in layers))] if kind.body else []
    wrong += [st.sampled_from(BEYOND_LENGTHS)] if "ip" in layers else []
    key, text, begins = data.draw(st.one_of(wrong))
    evaluation = evaluate(draft.with_text(key, text), files=FILES)
    assert [field.key for field in evaluation.errors] == [key]
    error = evaluation.errors[0].error
    assert error.startswith(begins) if begins else " bytes" in error
    assert evaluation.data or not begins, "the preview stays"


@given(drafts())
def test_a_packet_fills_the_form_and_comes_out_again(drawn: Drawn) -> None:
    draft, _ = drawn
    data = evaluate(draft).data
    filled = draft_of(read(draft, data))
    assert filled.data == data
    again = evaluate(filled.draft)
    assert again.errors == ()
    assert again.data == data
    open_now = {field.key for field in again.fields if field.slot and field.slot.field.automatic}
    if filled.draft.layers == draft.layers:  # what a later fragment carries is not told by reading
        assert not open_now & set(filled.draft.texts), "what would be computed stays open"


TYPED = ("ip.ttl", "tcp.options", "ip.options", "eth.dst", "ip.dst", "payload", "trailer")


@settings(max_examples=200)
@given(
    st.sampled_from(STACKS),
    st.dictionaries(st.sampled_from(TYPED), ANY_TEXT.filter(lambda text: text.strip()[:1] != "@")),
)
def test_nothing_that_is_typed_raises(layers, texts) -> None:
    evaluation = evaluate(Draft(layers, texts))
    assert len({field.key for field in evaluation.fields}) == len(evaluation.fields)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("ip.ttl", "9" * 5000),
        ("tcp.options", f"mss={'9' * 5000}"),
        ("tcp.options", f"{'9' * 5000}=00"),
        ("payload", "\ud800"),
        ("trailer", "\ud800"),
    ],
    ids=["number", "option", "kind", "payload", "trailer"],
)
def test_a_pasted_text_is_an_error_on_its_field(key: str, text: str) -> None:
    errors = evaluate(Draft(("ip", "tcp"), {key: text})).errors
    assert [field.key for field in errors] == [key]
    assert len(errors[0].error) < 300
