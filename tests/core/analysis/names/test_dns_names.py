"""The names that DNS responses give to addresses."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.names.dns_names import MOST_RECORDS, names_in
from tests.core.analysis.names.messages import AAAA, CNAME, PTR, A, record, response
from tests.helpers.scripted import dns_name

ONE, TWO = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])
SIX = ipaddress.ip_address("2001:db8::7").packed
REVERSED_6 = ipaddress.ip_address("2001:db8::7").reverse_pointer


@pytest.mark.parametrize(
    ("message", "names"),
    [
        (response("a.example", record("a.example", A, ONE)), [("192.0.2.1", "a.example")]),
        (response("a.example", record("a.example", AAAA, SIX)), [("2001:db8::7", "a.example")]),
        (
            response(
                "www.example",
                record("www.example", CNAME, dns_name("Edge.example")),
                record("edge.example", CNAME, dns_name("node.example")),
                record("node.example", A, ONE),
                record("other.example", A, TWO),
            ),
            [("192.0.2.1", "www.example"), ("192.0.2.2", "other.example")],
        ),
        (response("", record("printer.local", A, ONE)), [("192.0.2.1", "printer.local")]),
        (
            response("x", record("1.2.0.192.in-addr.arpa", PTR, dns_name("host.example"))),
            [("192.0.2.1", "host.example")],
        ),
        (
            response("x", record(REVERSED_6, PTR, dns_name("six.example"))),
            [("2001:db8::7", "six.example")],
        ),
        (response("x", record("999.2.0.192.in-addr.arpa", PTR, dns_name("host.example"))), []),
        (response("x", record("a b\x1b.example", A, ONE)), []),
        (response("a.example", record("a.example", A, ONE + b"x")), []),
        (response("a.example", record("a.example", A, ONE), flags=0x0100), []),
        (response("a.example", record("a.example", A, ONE), flags=0x8183), []),
        (b"", []),
    ],
    ids=["A", "AAAA", "CNAME", "mDNS", "PTR", "PTR6", "PTR999", "odd", "long", "query", "no", ""],
)
def test_names(message, names) -> None:
    assert list(names_in(message)) == names


def test_a_cut_message_gives_the_names_before_the_end() -> None:
    message = response("a.example", record("a.example", A, ONE), record("b.example", A, TWO))
    for size in range(len(message)):
        assert list(names_in(message[:size])) in ([], [("192.0.2.1", "a.example")])


def test_the_number_of_records_is_bounded() -> None:
    records = [record(f"h{number}.example", A, ONE) for number in range(MOST_RECORDS + 5)]
    assert len(list(names_in(response("x", *records)))) == MOST_RECORDS


@given(st.binary(max_size=150), st.integers(0, 3))
def test_no_bytes_make_it_raise(data, answers) -> None:
    header = bytes([0, 1, 0x81, 0x80, 0, 1, 0, answers, 0, 0, 0, 0])
    for address, name in names_in(header + data):
        ipaddress.ip_address(address)
        assert name.isascii()
        assert name.isprintable()
