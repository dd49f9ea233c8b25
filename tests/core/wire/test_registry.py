"""The registry: every protocol's record is complete, and the derived tables agree with it."""

from __future__ import annotations

from core.wire.encode.computed_fields import NUMBER_RULES, SUM_RULES
from core.wire.registry import PARSERS, PROTOCOLS, TABLES


def test_names_are_unique() -> None:
    """Each protocol has one record, and each table belongs to one."""
    assert len({protocol.name for protocol in PROTOCOLS}) == len(PROTOCOLS)
    assert len(set(map(id, TABLES))) == len(TABLES)


def test_every_protocol_can_be_reached_and_described() -> None:
    """A record has a parser that some number leads to, and an Info line."""
    for protocol in PROTOCOLS:
        assert protocol.info is not None, protocol.name
        assert protocol.readers, protocol.name
        for reader in protocol.readers:
            for number in reader.numbers:
                assert PARSERS[reader.space][number] is reader.parser


def test_automatic_fields_of_layer_kinds_have_a_rule() -> None:
    """A field that rawscope fills in has a rule in the protocol's record."""
    for protocol in PROTOCOLS:
        for kind in protocol.kinds:
            for table in kind.tables:
                for slot in table.slots:
                    if slot.field.automatic:
                        assert slot.name in NUMBER_RULES or slot.name in SUM_RULES, slot.name
