"""The arguments of functions."""

from __future__ import annotations

import pytest

from core.analysis.filter.display_filter import compile_filter
from core.analysis.filter.language.errors import FilterError
from core.analysis.filter.language.functions import FUNCTIONS
from tests.core.analysis.filter.toy_catalog import TOY


@pytest.mark.parametrize(
    "text",
    [
        'lower(tcp.note) == "a"', 'upper(lower(tcp.note)) contains "A"', "len(tcp.payload[2:]) > 3",
        "len(tcp.note)", "count(ip.addr) == 2", 'string(ip.src) matches r"^10"', "hex(tcp.flags)",
        'dec(ip.ttl) == "1"', 'vals(ip.proto) == "TCP"', "double(frame.time_delta) > 1.5",
        "float(ip.ttl) / 2.0 > 1", "max(ip.ttl, tcp.port) == 5", "min(5060, tcp.port) < 3",
        "max(5060, 5070) == tcp.port", "abs(ntp.offset) > 3", "ip_rfc1918(ip.src)",
        "ip_linklocal(ipv6.src) == 1", "ip_multicast(ip.src) == True", "ip_ula(ipv6.src)",
        'ip_special_name(ip.src) contains "Private"', "ip_special_mask(ip.src) & 2",
        "frame.time - max(frame.time_delta, frame.time_delta) > 5",
    ],
)  # fmt: skip
def test_arguments_that_fit(text: str) -> None:
    assert compile_filter(text, TOY).condition is not None


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("lower(tcp.port) == 4", 7, "takes text"),
        ("len() == 1", 1, "takes one argument, not 0"),
        ("len(ip, tcp) == 1", 1, "takes one argument, not 2"),
        ("max() == ip.ttl", 1, "at least one argument"),
        ('string(123) == "123"', 8, "takes a field"),
        ('string(frame) == "x"', 8, "does not take a protocol"),
        ("count(tcp.payload[1]) == 1", 7, "takes a field"),
        ("vals(tcp.port) == 1", 6, "has no words"),
        ("hex(ntp.offset) == 1", 5, "takes an unsigned field"),
        ("max(tcp.port, ip.src) == 5", 15, "values of one type"),
        ("abs(ip.src) == 10.0.0.1", 5, "takes a number"),
        ("ip_rfc1918(ipv6.src)", 12, "takes an IPv4 address"),
        ("ip_ula(ip.src)", 8, "takes an IPv6 address"),
        ("ip_multicast(tcp.port)", 14, "takes an IP address"),
        ("double(ip.src) == 1.5", 8, "takes a number"),
        ("len(frame.time) == 1", 5, "has no length"),
        ("uPPer(tcp.note)", 1, "did you mean upper?"),
        ("tcp()", 1, "is not a function"),
        ("len(nothing) == 1", 5, "is not a field"),
    ],
)
def test_arguments_that_do_not(text: str, column: int, says: str) -> None:
    with pytest.raises(FilterError) as caught:
        compile_filter(text, TOY)
    assert says in str(caught.value)
    assert caught.value.column == column


def test_every_function_has_a_meaning() -> None:
    assert all(function.meaning and name == function.name for name, function in FUNCTIONS.items())
