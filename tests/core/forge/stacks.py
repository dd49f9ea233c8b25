"""Drafts drawn at random for property tests: any layers that go together, any values in range."""

from __future__ import annotations

from hypothesis import strategies as st

from core.forge.draft import PAYLOAD, Draft
from core.forge.layer_kinds import KINDS
from core.wire.field import Kind, Slot, Value
from core.wire.value_text import typed

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
)
# What decides how the bytes behind are to be read: other values make another packet.
DECIDING = frozenset(
    {
        "ip.version", "ipv6.version", "ip.flags", "ip.frag_offset", "icmp.type", "icmpv6.type",
        "igmp.type", "arp.hw.type", "arp.proto.type", "arp.hw.size", "arp.proto.size",
    }
)  # fmt: skip
# Ports and addresses on which readers do more than the header says.
AVOIDED = {"udp.dstport": 4789}


def slots_of(layer: str) -> list[Slot]:
    """The fields that a person may fill in without making another packet of it."""
    kind = KINDS[layer]
    return [
        slot
        for table in kind.tables_for({})
        for slot in table.slots
        if slot.parent is None and slot.name not in DECIDING
    ]


def values(slot: Slot) -> st.SearchStrategy[Value]:
    """Every value a field can hold, but the avoided one."""
    if slot.field.kind is Kind.BYTES:
        return st.binary(min_size=slot.field.bits // 8, max_size=slot.field.bits // 8)
    top = slot.maximum // slot.field.unit
    found = st.integers(0, top).map(lambda number: number * slot.field.unit)
    return found.filter(lambda value: value != AVOIDED.get(slot.name))


@st.composite
def drafts(draw: st.DrawFn) -> tuple[Draft, dict[str, Value]]:
    """A draft whose lengths, numbers and sums are left to be computed, and what was typed."""
    draft = Draft(draw(st.sampled_from(STACKS)))
    given: dict[str, Value] = {}
    for kind, suffix in draft.kinds():
        for slot in slots_of(kind.name):
            if not slot.field.automatic and draw(st.booleans()):
                given[slot.name + suffix] = draw(values(slot))
                draft = draft.with_text(slot.name + suffix, typed(slot, given[slot.name + suffix]))
    if "arp" not in draft.layers:
        payload = draw(st.binary(max_size=40))
        draft = draft.with_text(PAYLOAD, f"hex:{payload.hex()}")
    return draft, given
