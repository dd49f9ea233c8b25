"""The registry: every protocol's record is complete, and the derived tables agree with it."""

from __future__ import annotations

from core.forge.compose.layer_kinds import KINDS
from core.wire.encode.computed_fields import NUMBER_RULES, SUM_RULES
from core.wire.model.batch import Network
from core.wire.model.table import HeaderTable
from core.wire.protocol import LayerPosition, Protocol
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


def _has_field(protocol: Protocol, key: str) -> bool:
    return any(key in table for table in protocol.tables)


def test_records_name_fields_that_exist() -> None:
    """Rules, row addresses, meanings, and the names in other tools refer to fields."""
    for protocol in PROTOCOLS:
        tools = protocol.tools
        commands = [each for each in (tools.nping, tools.hping3) if each is not None]
        keys = {
            *protocol.computed,
            *protocol.meanings,
            *(key for key in protocol.addresses or () if key),
            *(tools.scapy.arguments if tools.scapy is not None else ()),
            *(protocol.destination_when or ())[:1],
            *(key for command in commands for key in command.arguments),
            *(command.target for command in commands if command.target),
        }
        for key in sorted(keys):
            assert _has_field(protocol, key), f"{protocol.name}.{key}"


def _forms(protocol: Protocol) -> list[HeaderTable]:
    """Return the tables that are a header of their own, not the continuation of another."""
    return [table for table in protocol.tables if table.start == 0]


def test_a_checksum_rule_holds_for_every_form_of_the_header() -> None:
    """The batch verdicts read the fields of the rule without knowing a packet's form."""
    for protocol in PROTOCOLS:
        rule = protocol.checksum
        if rule is None:
            continue
        when = rule.pseudo_header_when
        keys = ["checksum", rule.covered_length, rule.own_length, when[0] if when else ""]
        for key in filter(None, keys):
            places = {(table[key].first_bit, table[key].field.bits) for table in _forms(protocol)}
            assert len(places) == 1, f"{protocol.name}.{key}"


def test_addresses_of_a_pseudo_header_lie_side_by_side() -> None:
    """The batch verdicts sum both addresses of a network header as one range."""
    networks = [protocol for protocol in PROTOCOLS if protocol.has_pseudo_header]
    assert {protocol.network for protocol in networks} == {Network.IPV4, Network.IPV6}
    for protocol in networks:
        assert protocol.addresses is not None
        source, destination = (protocol.tables[0][key].span for key in protocol.addresses)
        assert source.stop == destination.start, protocol.name


def test_every_layer_lies_in_an_outer_one() -> None:
    """The forge adds the layer that a record names; a link or a network header may begin."""
    for kind in KINDS.values():
        if kind.over:
            assert KINDS[kind.over].place < kind.place, kind.name
        else:
            assert kind.place in (LayerPosition.LINK, LayerPosition.NETWORK), kind.name
        names = {slot.name for slot in KINDS[kind.over].tables[0].slots} if kind.over else set()
        assert set(kind.outer_values) <= names, kind.name


def test_only_tunnels_end_the_batch_walk() -> None:
    """A reader without a step is one that leaves the outermost packet."""
    without = {
        (protocol.name, reader.space.value)
        for protocol in PROTOCOLS
        for reader in protocol.readers
        if reader.step is None
    }
    assert without == {
        ("ip", "IP protocol"),
        ("ipv6", "IP protocol"),
        ("gre", "IP protocol"),
        ("vxlan", "UDP port"),
        ("geneve", "UDP port"),
    }
