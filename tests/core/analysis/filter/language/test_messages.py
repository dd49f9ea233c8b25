"""Wrong filters as users type them: each message has a place, a reason, and what to type."""

from __future__ import annotations

import re

import pytest

from core.analysis.filter.display_filter import compile_filter
from core.analysis.filter.fields.catalog import CATALOG
from core.analysis.filter.language.errors import FilterError

# the filter, the part of it that the error is about, and a part of the message
WRONG = (
    ("tcp.port = 80", "=", "write == to compare"),
    ("tcp.port => 80", "=>", "write >="),
    ("tcp.port <> 80", "<>", "write !="),
    ("tcp.port ≠ 80", "≠", "write !="),
    ("tcp.port ≥ 80", "≥", "write >="),
    ("tcp.port !> 80", "!>", "write <="),
    ("ip.ttl ** 2 == 4", "**", "write *"),
    ("ip.ttl << 2 == 4", "<<", "write *"),
    ("ip.ttl | 1 == 1", "|", "write || or 'or'"),
    ("tcp.port ~= 80", "~=", "write !=="),
    ("tcp.port is 80", "is", 'write == in place of "is"'),
    ("tcp.port equals 80", "equals", "write =="),
    ("http like 80", "like", "write contains or matches"),
    ("tcp AND udp", "AND", "did you mean and?"),
    ("tcp.port == 80 or 443", "443", "a set has several values: tcp.port in {80, 443}"),
    ("ip.addr == 1.2.3.4 or 5.6.7.8", "5.6.7.8", "such as ip.addr == 5.6.7.8"),
    ("fe80::1", "fe80::1", "such as ipv6.addr == fe80::1"),
    ("00:11:22:33:44:55", "00:11:22:33:44:55", "such as eth.addr == 00:11:22:33:44:55"),
    ("80", "80", "such as tcp.port == 80; a set has several values: tcp.port in {80, 443}"),
    ("443", "443", "such as tcp.port == 443; a set has several values: tcp.port in {80, 443}"),
    ("99999", "99999", "such as frame.number == 99999"),
    ("ab:cd", "ab:cd", "frame contains ab:cd searches for it"),
    ("10.0.0.0/8", "10.0.0.0/8", "such as ip.addr == 10.0.0.0/8"),
    ('"GET"', '"GET"', 'frame contains "GET" searches for it'),
    ("tcp.port == 80,443", ",", "a set of values is written in {80, 443}"),
    ("tcp.port in (80, 443)", "(", "expected a set, such as {80, 8000 .. 8999}"),
    ("tcp.port in {80-443}", "80-443", "write a range: in {80 .. 443}"),
    ("tcp.port in {80 443}", "443", "expected ',' or '}'"),
    ("tcp)", ")", 'no "(" is before it'),
    ("(ip.ttl + 2) * 2 == 4", "*", "write { } around arithmetic"),
    ("tcp.port == 80;", ";", "write 'and' or 'or' between tests"),
    ("ip.src == fe80::1", "fe80::1", "this is an IPv6 address"),
    ("ipv6.src == 1.2.3.4", "1.2.3.4", "this is an IPv4 address"),
    ("ip.addr == www.example.org", "www.example.org", "names are not looked up"),
    ('ip.src == "1.2.3.4"', '"1.2.3.4"', "write the address without quotes"),
    ("tcp.port == http", "tcp.port == http", "write a value of tcp.port"),
    ('tcp.port == "http"', '"http"', "tcp.port is a number"),
    ("tcp.port == 99999", "99999", "is too large for tcp.port, which is at most 65535"),
    ("tcp.prt == 80", "tcp.prt", "did you mean tcp.port"),
    ("foo(tcp.port)", "foo", "there are abs, count, "),
    ("length(frame)", "length", "is not a function"),
    ("ssl", "ssl", "it is named tls now"),
    ("ip6", "ip6", "it is named ipv6 now"),
    ("wlan.addr", "wlan.addr", "rawscope does not read IEEE 802.11"),
    ("rtp", "rtp", "rawscope does not read RTP"),
    ("dhcp", "dhcp", "udp.port in {67, 68} may find it"),
    ("dns.qry.name", "dns.qry.name", "rawscope has dns, but not its fields"),
    ("frame contains 48", "48", "write 48: for a byte, or a string"),
    ('frame matches "("', '"("', "a right parenthesis is missing"),
    ("frame matches abc", "abc", "takes a regular expression in double quotes"),
    ("tcp.port == “80”", "“", "strings have straight quotes"),
    ("tcp.flags.syn == yes", "yes", 'expected "Set" or "Not set"'),
    ("upper(tcp.port) == \"X\"", "tcp.port", "upper() takes text"),
)  # fmt: skip
INCOMPLETE = (
    "tcp.port ==", "tcp and", "(tcp", 'frame contains "abc', "frame contains 'a", "frame[0:",
    "tcp.port in {80,", "not", "ip.src == 10.0.", "any", "all tcp.port", "ip.src#", "${ip.src",
    "tcp.po", "upper(",
)  # fmt: skip


@pytest.mark.parametrize(("text", "part", "says"), WRONG)
def test_a_message_names_the_place_the_reason_and_what_to_type(
    text: str, part: str, says: str
) -> None:
    with pytest.raises(FilterError) as failed:
        compile_filter(text, CATALOG)
    error = failed.value
    assert says in error.message
    assert text[error.place.start : error.place.stop] == part
    assert "\n" not in error.message


@pytest.mark.parametrize(
    "text",
    ["0", "80", "0x50", "65535", "65536", "4294967296", "1.5", "1e400", "1.2.3.4", "1.2.3.400",
     "1.2.3.4/33", "1.2.3.4.5", "fe80::1", "fe80::/200", ":::", "ab:cd", ":ab", "00:11:22:33:44:55",
     "00-11-22-33-44-55", "00:11:22:33:44:55:66", "'c'", '"text"', '""'],
)  # fmt: skip
def test_the_advice_for_a_value_without_a_field_is_valid(text: str) -> None:
    with pytest.raises(FilterError) as failed:
        compile_filter(text, CATALOG)
    advised = re.findall(r"(?:such as|values:|;) ((?:\S+ ==|\S+ in|frame contains) [^;]+?)"
                         r"(?: searches for it)?(?:;|$)", failed.value.message)  # fmt: skip
    assert len(advised) == failed.value.message.count(" == ") + failed.value.message.count(
        " in {"
    ) + failed.value.message.count(" contains ")
    for each in advised:
        compile_filter(each, CATALOG)


@pytest.mark.parametrize("text", INCOMPLETE)
def test_a_filter_that_more_text_could_complete(text: str) -> None:
    with pytest.raises(FilterError) as failed:
        compile_filter(text, CATALOG)
    assert failed.value.is_incomplete
