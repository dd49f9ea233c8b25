"""Any combination of values: built, read back, summed right; any wrong text: one error."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.forge.draft import Draft
from core.forge.evaluation import evaluate
from core.forge.from_packet import draft_of
from core.wire.dissect import dissect
from core.wire.dissection import Dissection, Verdict
from core.wire.field import Kind, Slot, Value
from core.wire.link import LinkType
from core.wire.value_text import typed
from tests.core.forge.stacks import STACKS, drafts, slots_of, values
from tests.core.wire.test_value_text import ANY_TEXT

Drawn = tuple[Draft, dict[str, Value]]


def read(draft: Draft, data: bytes) -> Dissection:
    return dissect(data, LinkType.ETHERNET if draft.has_link else LinkType.RAW, len(data))


@given(drafts())
def test_what_is_typed_is_read_back_and_the_sums_are_good(drawn: Drawn) -> None:
    draft, asked = drawn
    evaluation = evaluate(draft)
    assert evaluation.errors == ()
    found = read(draft, evaluation.data)
    assert found.stop is None
    names = [kind.prefix for kind, _ in draft.kinds()]
    assert [layer.name for layer in found.layers] == names
    for (_, suffix), layer in zip(draft.kinds(), found.layers, strict=True):
        for slot, value in layer.fields(found.data):
            if slot.name + suffix in asked:
                assert value == asked[slot.name + suffix]
        assert {check.verdict for check in layer.checks} <= {Verdict.GOOD}


@given(drafts(), st.data())
def test_an_override_wins_and_is_where_its_span_says(drawn: Drawn, data: st.DataObject) -> None:
    draft, _ = drawn
    index = data.draw(st.integers(0, len(draft.layers) - 1))
    kind, suffix = list(draft.kinds())[index]
    slot = data.draw(st.sampled_from(slots_of(kind.name)))
    value = data.draw(values(slot))
    evaluation = evaluate(draft.with_text(slot.name + suffix, typed(slot, value)))
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


def beyond(slot: Slot) -> st.SearchStrategy[str]:
    """Texts that a field cannot take."""
    if slot.field.kind in (Kind.NUMBER, Kind.FLAG):
        return st.integers(slot.maximum + 1, slot.maximum * 1000 + 2).map(str)
    return st.sampled_from(["300.1.2.3", "no address", "1:2", "zz"])


@given(st.sampled_from(STACKS), st.data())
def test_a_text_out_of_range_is_one_error_on_its_field(layers, data: st.DataObject) -> None:
    draft = Draft(layers)
    kind, suffix = data.draw(st.sampled_from(list(draft.kinds())))
    slot = data.draw(st.sampled_from(slots_of(kind.name)))
    text = data.draw(beyond(slot))
    evaluation = evaluate(draft.with_text(slot.name + suffix, text))
    assert [field.key for field in evaluation.errors] == [slot.name + suffix]
    assert evaluation.errors[0].error.startswith(text)
    assert evaluation.data, "the preview stays"


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
def test_what_is_pasted_is_an_error_on_its_field(key: str, text: str) -> None:
    errors = evaluate(Draft(("ip", "tcp"), {key: text})).errors
    assert [field.key for field in errors] == [key]
    assert len(errors[0].error) < 300
