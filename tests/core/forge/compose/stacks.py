"""Drafts drawn at random for property tests: any layers that go together, any values in range."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st

from core.forge.compose.draft import PAYLOAD, Draft
from core.forge.compose.draft_parser import NOTHING
from core.forge.compose.layer_kinds import KINDS
from core.wire.encode.value_text import typed
from core.wire.model.field import PlacedField, Value
from core.wire.model.kind import Kind

STACKS = (
    ("eth", "ip", "tcp"),
    ("eth", "ip", "udp"),
    ("eth", "ip", "icmp"),
    ("eth", "vlan", "ip", "tcp"),
    ("eth", "ieee8021ad", "vlan", "ipv6", "udp"),
    ("eth", "ipv6", "tcp"),
    ("eth", "ipv6", "icmpv6"),
    ("eth", "ipv6", "ipv6.hopopts", "udp"),
    ("eth", "arp"),
    ("ip", "tcp"),
    ("ip", "sctp"),
    ("ip", "igmp"),
    ("ipv6", "udp"),
    ("ip", "ip", "udp"),
    ("ipv6", "icmpv6"),
    ("ipv6", "ipv6.dstopts", "ipv6.fraghdr", "udp"),
)
# What makes the header itself another one: the drafts that are read back leave it alone.
DECIDING = frozenset(
    {
        "ip.version", "ipv6.version", "arp.hw.type", "arp.proto.type", "arp.hw.size",
        "arp.proto.size",
    }
)  # fmt: skip
# Ports and addresses on which readers do more than the header says.
AVOIDED = {"udp.dstport": 4789}


def slots_of(layer: str, given: Mapping[str, Value] = NOTHING) -> list[PlacedField]:
    """Every field that the user may fill in, parts too, where these values were given."""
    return [slot for table in KINDS[layer].tables_for(given) for slot in table.slots]


def values(slot: PlacedField) -> st.SearchStrategy[Value]:
    """Every value a field can hold, but the avoided one; those that have a name more often."""
    if slot.field.kind is Kind.BYTES:
        return st.binary(min_size=slot.field.bits // 8, max_size=slot.field.bits // 8)
    top = slot.maximum // slot.field.unit
    found = st.integers(0, top).map(lambda number: number * slot.field.unit)
    if slot.field.values:
        found = st.sampled_from(sorted(slot.field.values)) | found
    return found.filter(lambda value: value != AVOIDED.get(slot.name))


@st.composite
def layer_values(draw: st.DrawFn, layer: str) -> dict[str, Value]:
    """Return the texts for one layer, by the name inside the table: a field or its parts, not both;
    of a message the type first, which decides what follows."""
    given: dict[str, Value] = {}
    done: set[str] = set()
    while left := [slot for slot in slots_of(layer, given) if slot.key not in done]:
        slot = left[0]
        done.add(slot.key)
        if slot.field.automatic or slot.name in DECIDING:
            continue
        if slot.key != "type" and not draw(st.booleans()):
            continue
        if slot.parent is None or slot.parent.key not in given:
            given[slot.key] = draw(values(slot))
    return given


@st.composite
def drafts(draw: st.DrawFn) -> tuple[Draft, dict[str, Value]]:
    """A draft whose lengths, numbers and sums are left to be computed, and what was typed."""
    draft = Draft(draw(st.sampled_from(STACKS)))
    asked: dict[str, Value] = {}
    for kind, suffix in draft.kinds():
        slots = {slot.key: slot for table in (*kind.tables, *kind.continuations)
                 for slot in table.slots}  # fmt: skip
        for key, value in draw(layer_values(kind.name)).items():
            name = f"{kind.prefix}.{key}{suffix}"
            asked[name] = value
            draft = draft.with_text(name, typed(slots[key], value))
    if "arp" not in draft.layers:
        payload = draw(st.binary(max_size=40))
        draft = draft.with_text(PAYLOAD, f"hex:{payload.hex()}")
    return draft, asked
