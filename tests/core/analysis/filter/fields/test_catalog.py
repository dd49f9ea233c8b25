"""The catalog has every field of the header tables, with the types and words of Wireshark."""

from __future__ import annotations

import functools
import subprocess
from collections import defaultdict

import pytest

from core.analysis.filter.fields.catalog import CATALOG
from core.analysis.filter.types import FilterField, FilterType
from core.analysis.tcp.fields import FLOW_FIELDS, FlowKind
from core.wire.model.kind import Kind
from core.wire.registry import PROTOCOLS, TABLES
from tests.helpers.support import require_peer
from tests.helpers.waiting import PATIENCE_S

DIFFERENT_TYPES = {
    "frame.time_epoch": "tshark 4.0 has a duration; since 4.2 it is a date and time",
    "icmpv6.opt.reserved": "Wireshark gives it no value",
    "ipv6.opt.pad1": "Wireshark gives it no value; here it is the option's bytes",
}
DIFFERENT_WORDS = {
    **dict.fromkeys(
        ("eth.dst.ig", "eth.dst.lg", "eth.src.ig", "eth.src.lg", "eth.ig", "eth.lg"),
        "one word instead of a sentence",
    ),
    "igmp.s": "rawscope has no sentence for it",
    "tcp.flags.ae": "older versions call it nonce",
}


@functools.cache
def wireshark(what: str) -> list[list[str]]:
    """Return the rows of ``tshark -G what`` that name a field of rawscope.

    There are 1.4 million values; to keep all of them takes seconds.
    """
    done = subprocess.run(
        [require_peer("tshark"), "-G", what],
        capture_output=True, text=True, check=True, timeout=PATIENCE_S, errors="replace",
    )  # fmt: skip
    column, names = {"fields": 2, "values": 1}[what], set(CATALOG.names())
    lines = (line.split("\t") for line in done.stdout.splitlines())
    return [row for row in lines if len(row) > column and row[column] in names]


def wireshark_types() -> dict[str, set[str]]:
    """Return the types of each of Wireshark's fields: ``{"ip.ttl": {"UINT8"}}``."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in wireshark("fields"):
        if row[0] == "P":  # the list does not tell the type of options
            found[row[2]].add("BYTES" if ".options." in row[2] else "PROTOCOL")
        elif row[0] == "F":
            found[row[2]].add(row[3].removeprefix("FT_").upper())
    return found


def field(name: str) -> FilterField:
    found = CATALOG.find(name)
    assert found is not None, name
    return found


def test_has_every_field_of_every_table() -> None:
    for table in TABLES:
        for slot in table.slots:
            assert field(slot.name).meaning
    for protocol in PROTOCOLS:
        assert field(protocol.name).type is FilterType.PROTOCOL
        for derived in protocol.derived:
            assert field(derived.name).meaning == derived.label


def test_types_are_those_of_wireshark() -> None:
    """All fields that both know have the same type, except the listed ones."""
    theirs = wireshark_types()
    marks = {name for name, each in FLOW_FIELDS.items() if each.kind is FlowKind.MARK}
    assert all(theirs[name] == {"NONE"} for name in marks & theirs.keys())  # which has no values
    wrong = {
        each.name: (each.type.name, theirs[each.name])
        for each in CATALOG
        if each.name in theirs
        and each.type.name not in theirs[each.name]
        and each.name not in marks
    }
    assert wrong.keys() == DIFFERENT_TYPES.keys(), wrong
    known = [each.name for each in CATALOG if each.name in theirs]
    assert len(known) > 300


def test_flag_words_are_those_of_wireshark() -> None:
    theirs = {row[1]: (row[2], row[3]) for row in wireshark("values") if row[0] == "T"}
    wrong = {}
    for each in CATALOG:
        if each.type is FilterType.BOOLEAN and each.name in theirs:
            mine = (each.words[1], each.words[0])
            if tuple(map(str.lower, mine)) != tuple(map(str.lower, theirs[each.name])):
                wrong[each.name] = (mine, theirs[each.name])
    assert wrong.keys() <= DIFFERENT_WORDS.keys(), wrong


def test_verdicts_have_the_numbers_of_wireshark() -> None:
    theirs = {
        int(row[2]): row[3]
        for row in wireshark("values")
        if row[0] == "V" and row[1] == "tcp.checksum.status"
    }
    status = field("tcp.checksum.status")
    assert {number: status.words[number] for number in theirs} == theirs
    assert status.aliases.keys() == {
        "good", "bad", "offloaded", "not_present", "illegal", "unverified",
    }  # fmt: skip
    assert all(status.words[number] for number in status.aliases.values())


def test_words_have_the_numbers_of_wireshark() -> None:
    """Every word that rawscope shares with Wireshark names the same number, in every field."""
    theirs: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for row in wireshark("values"):
        if row[0] == "V":
            theirs[row[1], row[3].lower()].add(int(row[2], 0))
    odd, shared = [], 0
    for each in CATALOG:
        known = [*each.aliases.items(), *((word, number) for number, word in each.words.items())]
        for word, number in known:
            numbers = theirs.get((each.name, word.lower()), {number})
            shared += (each.name, word.lower()) in theirs
            if number not in numbers:
                odd.append((each.name, word, number))
    assert odd == [("null.family", "IPv6", 10)]  # Linux's number; Wireshark has those of BSD
    assert shared > 700


@pytest.mark.parametrize(
    ("name", "share"),
    [
        ("arp.opcode", 25), ("icmpv6.type", 35), ("ip.dsfield.dscp", 22), ("ip.dsfield.ecn", 4),
        ("ip.proto", 75), ("tcp.options.mptcp.subtype", 7), ("gre.flags.version", 2),
    ],
)  # fmt: skip
def test_most_words_of_wireshark_are_known(name: str, share: int) -> None:
    each = field(name)
    known = {word.lower() for word in (*each.words.values(), *each.aliases)}
    theirs = {row[3].lower() for row in wireshark("values") if row[0] == "V" and row[1] == name}
    assert len(known & theirs) >= min(share, len(theirs))


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("ip.addr", ("ip.src", "ip.dst")),
        ("ipv6.addr", ("ipv6.src", "ipv6.dst")),
        ("eth.addr", ("eth.dst", "eth.src")),
        ("tcp.port", ("tcp.srcport", "tcp.dstport")),
        ("udp.port", ("udp.srcport", "udp.dstport")),
        ("sctp.port", ("sctp.srcport", "sctp.dstport")),
    ],
)
def test_combined_fields(name: str, members: tuple[str, str]) -> None:
    assert set(CATALOG.combined(name)) == set(members)
    assert field(name).type is field(members[0]).type
    assert not CATALOG.combined(members[0])


def test_combined_fields_are_known_to_wireshark() -> None:
    theirs = wireshark_types()
    assert {name for name in CATALOG.names() if CATALOG.combined(name)} <= theirs.keys()


def test_names_are_unique_and_have_units() -> None:
    names = CATALOG.names()
    assert len(set(names)) == len(names)
    assert CATALOG.unit("ip.hdr_len") == "bytes"
    assert CATALOG.unit("tcp.flags.syn") == "true or false"
    assert CATALOG.unit("tcp.srcport") == ""


def test_a_flag_has_words_for_both_values() -> None:
    for each in CATALOG:
        if each.type is FilterType.BOOLEAN:
            assert {0, 1} <= each.words.keys(), each.name
    flags = [slot for table in TABLES for slot in table.slots if slot.field.kind is Kind.FLAG]
    assert {field(slot.name).type for slot in flags} <= {
        FilterType.BOOLEAN, FilterType.UINT16, FilterType.UINT32,
    }  # fmt: skip


def test_an_unknown_name_has_no_field() -> None:
    assert CATALOG.find("no.such") is None
    assert CATALOG.find("TCP") is None
