"""The names of fields: everything that a protocol's record adds to a packet's JSON."""

from __future__ import annotations

import pytest

from app.cli.field_names import all_fields, known_names, suggestions
from core.analysis.filter.fields.catalog import CATALOG
from core.wire.registry import PROTOCOLS


def test_every_name_is_listed_once() -> None:
    """Fields of tables, options as one value, and derived numbers of every protocol."""
    names = [row[0] for row in all_fields()]
    assert len(names) == len(set(names))
    for protocol in PROTOCOLS:
        expected = {slot.name for table in protocol.tables for slot in table.slots}
        expected |= {derived.name for derived in protocol.derived}
        expected |= {protocol.options_field} - {""}
        assert expected <= set(names), protocol.name


def test_derived_numbers_go_by_their_own_label() -> None:
    """`rawscope fields` and the detail tree use the same words and unit."""
    rows = {row[0]: row[1:] for row in all_fields()}
    derived = [each for protocol in PROTOCOLS for each in protocol.derived]
    assert derived
    for each in derived:
        assert rows[each.name] == ("", each.suffix, each.label)


def test_every_field_of_a_filter_is_listed_with_its_width_and_meaning() -> None:
    """Names that only filters have (combined fields, protocols, payloads) are there, too."""
    rows = {row[0]: row[1:] for row in all_fields()}
    assert known_names() == rows.keys()
    assert {field.name for field in CATALOG} <= rows.keys()
    assert rows["ip.addr"] == ("32 bits", "IPv4 address", "Source or destination address")
    assert rows["tcp.port"] == ("16 bits", "", "Source or destination port")
    assert rows["tcp.flags.syn"][:2] == ("1 bit", "true or false")
    assert all(meaning for _, _, meaning in rows.values())


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("tcp.prt", "; nearest: tcp.port, tcp.srcport, tcp.dstport"),
        ("HEADE", "; nearest: ah.next_header"),  # part of a name, in any case
        ("zzz", "; no name is similar; 'rawscope fields' lists all"),
    ],
)
def test_a_misspelled_name_gets_the_nearest_or_the_command_that_lists_all(
    typed: str, hint: str
) -> None:
    assert suggestions(typed) == hint
