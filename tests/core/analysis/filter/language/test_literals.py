"""Constants, by the type that they are compared with."""

from __future__ import annotations

import pytest

from core.analysis.filter.language.byte_texts import hex_bytes
from core.analysis.filter.language.errors import FilterError
from core.analysis.filter.language.literals import Target, convert
from core.analysis.filter.language.parser import parse
from core.analysis.filter.language.syntax import Comparison
from core.analysis.filter.types import FilterType
from tests.core.analysis.filter.language.failures import failure
from tests.core.analysis.filter.toy_catalog import TOY


def values(name: str, text: str, *, is_partial: bool = False) -> list[object]:
    """Return what a constant means beside a field."""
    test = parse(f"{name} == {text}")
    assert isinstance(test, Comparison)
    field = TOY.find(name)
    assert field is not None
    found = convert(test.right, Target(field.type, field, is_partial))  # type: ignore[arg-type]
    assert all(value.type is field.type for value in found)
    return [value.value if value.prefix is None else (value.value, value.prefix) for value in found]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("ip.ttl", "0x80", 128),
        ("ip.ttl", "0200", 128),
        ("ip.ttl", "0b101", 5),
        ("ip.ttl", "255", 255),
        ("ip.ttl", r"'\x80'", 128),
        ("ntp.offset", "32767", 32767),
        ("ip.proto", '"tcp"', 6),
        ("ip.proto", "UDP", 17),
        ("ip.proto", '"transmission"', 6),
        ("ip.flags.df", "2", 1),
        ("ip.flags.df", "FALSE", 0),
        ("ip.flags.df", '"set"', 1),
        ("mac-lte.ratio", "1.5", 1.5),
        ("mac-lte.ratio", "2", 2.0),
        ("frame.time_delta", "0.000000001", 1),
        ("frame.time_delta", "3", 3_000_000_000),
        ("frame.time", "1041342931.3", 1041342931_300000000),
        ("frame.time", '"1970-01-01 00:00:01Z"', 1_000_000_000),
        ("tcp.note", '"a"', "a"),
        ("tcp.note", "abc", "abc"),
        ("tcp.note", "12", "12"),
        ("tcp.note", "'c'", "c"),
        ("eth.src", "00:09:6b:88:F5:c9", bytes.fromhex("00096b88f5c9")),
        ("eth.src", "00-09-6b-88-f5-c9", bytes.fromhex("00096b88f5c9")),
        ("eth.src", "00.09.6b.88.f5.c9", bytes.fromhex("00096b88f5c9")),
        ("eth.src", "0009.6b88.f5c9", bytes.fromhex("00096b88f5c9")),
        ("eth.src", "00096b88f5c9", bytes.fromhex("00096b88f5c9")),
        ("eth.src", "001122334455", bytes.fromhex("001122334455")),
        ("ip.src", "10.0.0.5", 0x0A000005),
        ("ip.src", "10.0.0.0/8", (0x0A000000, 8)),
        ("ipv6.src", "::1", bytes(15) + b"\x01"),
        ("ipv6.src", "ff05::/16", (b"\xff\x05" + bytes(14), 16)),
        ("tcp.payload", "10", b"\x0a"),
        ("tcp.payload", "0a", b"\x0a"),
        ("tcp.payload", "08", b"\x08"),
        ("tcp.payload", "00", b"\x00"),
        ("tcp.payload", "48:45:4c", b"HEL"),
        ("tcp.payload", ":4845", b"HE"),
        ("tcp.payload", '"HE"', b"HE"),
        ("tcp.payload", "'H'", b"H"),
        ("frame", "fc:", b"\xfc"),
    ],
)
def test_constants(name: str, text: str, value: object) -> None:
    assert values(name, text) == [value]


def test_a_word_may_stand_for_several_numbers() -> None:
    assert values("ip.proto", '"twice"') == [18, 19]


def test_contains_takes_a_part_of_an_address() -> None:
    assert values("eth.src", "00:09", is_partial=True) == [b"\x00\x09"]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("ip.ttl", "256", "at most 255"),
        ("ntp.offset", "32768", "at most 32767"),
        ("ip.ttl", "128.0", "not a whole number"),
        ("ip.ttl", "68-1", "put a space before"),
        ("ip.ttl", "x", "expected one for ip.ttl"),
        ("ip.ttl", '"128"', "cannot be compared with a string"),
        ("ip.proto", '"TCPP"', "did you mean TCP?"),
        ("ip.proto", "Nope", "not a number"),
        ("ip.flags.df", '"True"', 'expected "Set" or "Not set"'),
        ("ip.flags.df", "1.0", "not a whole number"),
        ("ip.flags.df", "'1'", "true or false"),
        ("mac-lte.ratio", '"1"', "not a number"),
        ("frame.time_delta", '"0.5"', "number of seconds"),
        ("frame.time", "'1'", "not a date"),
        ("frame.time", '"soon"', "not a date"),
        ("eth.src", "00:11:22", "too few bytes"),
        ("eth.src", "00:11:22:33:44:55:66", "too many bytes"),
        ("eth.src", '"00:11:22:33:44:55"', "without quotes"),
        ("eth.src", "5", "not of type MAC address"),
        ("ip.src", '"10.0.0.5"', "without quotes"),
        ("ip.src", "10.0.0", "10.0.0.0/8"),
        ("ip.src", "0xff000000", "10.0.0.0/8"),
        ("ip.src", "localhost", "10.0.0.0/8"),
        ("ip.src", "10.0.0.0/33", "longer than 32 bits"),
        ("ipv6.src", "10.0.0.1", "2001:db8::/32"),
        ("ipv6.src", "1:2:3", "2001:db8::/32"),
        ("ipv6.src", "::/129", "longer than 128 bits"),
        ("zbee.addr", "00:11", "too few bytes"),
        ("tcp.payload", "256", "256 is too large for one byte; write bytes as 01:00"),
        ("tcp.payload", "4006", "4006 is too large for one byte; write bytes as 0f:a6"),
        ("tcp.payload", "aa.bb.hh", "neither a field nor bytes"),
        ("frame", "48", "write 48: for a byte"),
        ("frame", "0x48", "write 48: for a byte"),
    ],
)
def test_wrong_constants(name: str, text: str, says: str) -> None:
    with pytest.raises(FilterError) as caught:
        values(name, text)
    assert says in str(caught.value)
    assert caught.value.place == (len(name) + 4, len(name) + 4 + len(text))


@pytest.mark.parametrize(
    ("text", "data"),
    [("001b", "001b"), ("0", "00"), ("aa-bb", "aabb"), ("001b.0c4e", "001b0c4e"),
     ("0011-2233-4455", "001122334455"), ("ff11-22-33", "ff112233"), ("00-11.22", "001122"),
     ("abc", "ab0c"), ("a-b", "0a0b"), ("fc:", "fc"), ("00:1b", "001b"), ("", None), ("gg", None),
     ("1:2", None), ("1::2", None), ("00:11-22", None), ("0011:2233", None), ("-1", None)],
)  # fmt: skip
def test_forms_of_bytes(text: str, data: str | None) -> None:
    assert hex_bytes(text) == (None if data is None else bytes.fromhex(data))


@pytest.mark.parametrize("kind", FilterType)
def test_each_type_takes_some_constant_or_says_what_it_expects(kind: FilterType) -> None:
    test = parse('x == "neither"')
    assert isinstance(test, Comparison)
    error = failure(lambda: convert(test.right, Target(kind)))  # type: ignore[arg-type]
    if error is not None:
        assert str(error)
    else:
        assert convert(test.right, Target(kind))[0].type is kind  # type: ignore[arg-type]
