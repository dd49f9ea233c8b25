"""The evaluation of filters over columns, and that it agrees with one packet at a time."""

from __future__ import annotations

import pytest
from hypothesis import example, given, reject, settings
from hypothesis import strategies as st

from core.analysis.filter.display_filter import compile_filter
from core.analysis.filter.language.errors import FilterError
from tests.core.analysis.filter.evaluation import packet_by_packet
from tests.core.analysis.filter.evaluation.made_values import MadeValues, Packet
from tests.core.analysis.filter.toy_catalog import TOY

MAC = bytes.fromhex("00096b88f5c9")
TEN = bytes((10, 0, 0, 5))
PACKETS: tuple[Packet, ...] = (
    {"frame": [b"GET / HTTP"], "frame.number": [1], "tcp": [b"\x0c\xc3\x00\x50"],
     "tcp.port": [3267, 80], "tcp.flags": [0x18], "ip": [b"E"], "ip.src": [TEN],
     "ip.addr": [TEN, bytes((1, 2, 3, 4))], "ip.ttl": [128], "ip.proto": [6],
     "ip.flags.df": [1], "eth.src": [MAC], "tcp.payload": [b"GET /"], "tcp.note": ["Head"],
     "frame.time_delta": [250_000_000], "ntp.offset": [-5], "mac-lte.ratio": [1.5],
     "frame.time": [1_000_000_000]},
    {"frame": [b"\x00" * 10], "frame.number": [2], "ip": [b"E", b"F"], "ip.src": [TEN, TEN],
     "ip.addr": [TEN, TEN, bytes((4, 4, 4, 4)), bytes((9, 9, 9, 9))], "ip.ttl": [1, 64],
     "ip.proto": [4, 17], "ip.flags.df": [0, 1], "ipv6.src": [bytes(15) + b"\x01"]},
    {"frame": [b""], "frame.number": [3], "fc": [b"\xfc"], "ip.proto": [18]},
)  # fmt: skip


def passing(text: str, selected: Packet | None = None) -> list[int]:
    """Return the numbers of the packets that pass, after comparing both ways to evaluate."""
    condition = compile_filter(text, TOY)
    one = MadeValues([selected]) if selected is not None else None
    mask = condition.passes(MadeValues(PACKETS), one)
    found = [index + 1 for index, passed in enumerate(mask.tolist()) if passed]
    if condition.condition is not None:
        expected = [
            index
            for index, packet in enumerate(PACKETS, 1)
            if packet_by_packet.passes(condition.condition, packet, selected)
        ]
        assert found == expected
    return found


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", [1, 2, 3]),
        ("tcp", [1]),
        ("not tcp", [2, 3]),
        ("tcp xor ip", [2]),
        ("tcp or fc", [1, 3]),
        ("tcp and fc", []),
        # quantifiers
        ("tcp.port == 80", [1]),
        ("tcp.port != 80", []),
        ("tcp.port === 80", []),
        ("tcp.port !== 80", [1]),
        ("not tcp.port == 80", [2, 3]),
        ("any tcp.port === 80", [1]),
        ("all tcp.port == 80", []),
        ("tcp.port > 80", [1]),
        ("all tcp.port > 80", []),
        ("tcp.port in {80}", [1]),
        ("all tcp.port in {80, 3000 .. 4000}", [1]),
        ("tcp.port not in {80}", [2, 3]),
        ("tcp.port in {1 .. 79, 81 .. 3266}", []),
        ("80 < tcp.port < 3267", [1]),
        ("80 <= tcp.port <= 3267", [1]),
        # pairs
        ("ip.src == ip.addr", [1, 2]),
        ("ip.src === ip.addr", []),
        ("ip.ttl == tcp.port + 48", [1]),
        ("ip.ttl < tcp.port", [1]),
        ("tcp == tcp", [1]),
        # layers
        ("ip.addr#1 == 10.0.0.5", [1, 2]),
        ("ip.addr#[-1] == 9.9.9.9", [2]),
        ("ip.addr#[3-4]", [2]),
        ("ip.addr#[2:] == 10.0.0.5", [2]),
        ("ip.addr#0", []),
        # numbers
        ("ip.ttl == -1", []),
        ("ip.ttl > -1", []),
        ("ip.ttl - 130 < 0", [1, 2]),
        ("-ip.ttl == -128", [1]),
        ("ntp.offset == -5", [1]),
        ("ntp.offset < 0", [1]),
        ("abs(ntp.offset) == 5", [1]),
        ("ip.ttl / 0 == 1", []),
        ("ip.ttl % 3 == 2", [1]),
        ("ntp.offset / 2 == -2", [1]),
        ("ntp.offset % 2 == -1", [1]),
        ("ip.ttl * 2 == 128", [2]),
        ("tcp.flags & 2", []),
        ("tcp.flags & 0x18 == 8", []),
        ("tcp.flags & 8 == 8", [1]),
        ("mac-lte.ratio * 2 == 3", [1]),
        ("frame.number * 4294967295 > 4294967295", [2, 3]),
        ("0 > -{ip.ttl}", []),
        ("-2 < ip.ttl", [1, 2]),
        # booleans and words
        ("ip.flags.df", [1, 2]),
        ("ip.flags.df == 1", [1, 2]),
        ("ip.flags.df == 2", [1, 2]),
        ("ip.flags.df === True", [1]),
        ('ip.flags.df == "Not set"', [2]),
        ('ip.proto == "tcp"', [1]),
        ('ip.proto == "twice"', [3]),
        ('ip.proto != "twice"', [1, 2]),
        ('ip.proto matches "^u"', [2]),
        ('ip.proto contains "CP"', [1]),
        # addresses
        ("ip.src == 10.0.0.0/8", [1, 2]),
        ("ip.addr == 4.4.4.0/24", [2]),
        ("ip.src < 10.0.0.0/8", []),
        ("ip.src <= 10.0.0.0/8", [1, 2]),
        ("ip.addr in {4.0.0.0 .. 5.0.0.0, 1.2.3.4}", [1, 2]),
        ("ip.addr & 255.0.0.0 == 9.0.0.0", [2]),
        ("ip.src[0] == 10", [1, 2]),
        ("eth.src[0:3] == 00:09:6b", [1]),
        ("eth.src > 00:09:6b:88:f5:c8", [1]),
        ("eth.src[0] & 1", []),
        ("ipv6.src == ::/64", [2]),
        ("ipv6.src & ::1 == ::1", [2]),
        # byte strings
        ("frame contains 47:45:54", [1]),
        ("frame contains 'H'", [1]),
        ('tcp.payload contains "T /"', [1]),
        ('frame contains ""', []),
        ('tcp.payload contains ""', [1]),
        ('frame matches "get"', [1]),
        ('frame matches "(?-i)get"', []),
        ('frame matches r"^\\x00+$"', [2]),
        ("frame[0:3] == 47:45:54", [1]),
        ("frame[0] == 'G'", [1]),
        ("frame[-4:] == 48:54:54:50", [1]),
        ("frame[0-1,-2:] == 47:45:54:50", [1]),
        ("frame[100] == 00", []),
        ("frame[100] != 00", [1, 2, 3]),
        ("frame[8:10] == 54:50", [1]),
        ("frame[9]", [1, 2]),
        ("frame[10]", []),
        ("frame[5-20]", []),
        ("tcp.payload > 47:45", [1]),
        ("tcp.payload < 47:45:54:20:30", [1]),
        ("@tcp.port[1] == 0xc3", [1]),
        ("@tcp.port[0:] == 0c:c3", [1]),
        # texts and functions
        ('tcp.note == "Head"', [1]),
        ('tcp.note[1:2] == "ea"', [1]),
        ('tcp.note contains "ea"', [1]),
        ('tcp.note contains ""', []),
        ('lower(tcp.note) == "head"', [1]),
        ('string(ip.src) matches r"^10\\."', [1, 2]),
        ('string(frame.number) == "2"', [2]),
        ('string(eth.src)[0:5] == "00:09"', [1]),
        ("len(tcp.payload) == 5", [1]),
        ("len(tcp.payload[2:]) == 3", [1]),
        ("count(ip.addr) == 2", [1]),
        ("count(tcp.port) == 0", [2, 3]),
        ("count(tcp.port)", [1]),
        ("max(ip.ttl, 100) == 100", [2, 3]),
        ("min(ip.ttl) == 1", [2]),
        ("min(len(tcp.payload[2:]) + 2, len(fc[2:]) + 2) == 5", [1]),
        ("max(ip.addr) == 9.9.9.9", []),
        ("max(ip.addr) == 10.0.0.5", [1, 2]),
        ("max(tcp.payload, tcp.payload) == 47:45:54:20:2f", [1]),
        # times
        ("frame.time_delta < 0.3", [1]),
        ("frame.time_delta * 2 == 0.5", [1]),
        ("frame.time_delta / 2.5 == 0.1", [1]),
        ("frame.time + 5 == 6", [1]),
        ('frame.time == "1970-01-01 00:00:01Z"', [1]),
        # references without a selected packet
        ("frame.number < ${frame.number}", []),
    ],
)  # fmt: skip
def test_filters(text: str, numbers: list[int]) -> None:
    assert passing(text) == numbers


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("frame.number < ${frame.number}", [1]),
        ("ip.addr == $ip.addr", [1, 2]),
        ("ip.addr === $ip.addr#1", []),
        ("ip.addr == ${ip.addr#[-1]}", [2]),
        ("tcp.port == $tcp.port", []),
    ],
)
def test_references_take_the_values_of_the_selected_packet(text: str, numbers: list[int]) -> None:
    assert passing(text, PACKETS[1]) == numbers


def test_a_field_is_read_once_and_only_if_it_is_needed() -> None:
    values = MadeValues(PACKETS)
    compile_filter("ip.ttl == 1 or ip.ttl == 128 and tcp", TOY).passes(values)
    assert sorted(values.read) == ["ip.ttl", "tcp"]
    values = MadeValues(PACKETS)
    compile_filter("fc == 00: and tcp", TOY).passes(values)
    assert values.read == ["fc"]
    assert compile_filter("ip.ttl == 1 and not tcp", TOY).fields == {"ip.ttl", "tcp"}


def test_no_packets() -> None:
    for text in ("tcp", "ip.ttl == 1", "count(ip) == 0", "max(ip.ttl, 2) == 2", "frame[1] == 0"):
        assert compile_filter(text, TOY).passes(MadeValues([])).tolist() == []


# -- properties --------------------------------------------------------------------------

_BYTES = st.binary(max_size=4) | st.sampled_from([b"ab", b"abab", b"\x00\x01"])
_ADDRESS = st.sampled_from([bytes((10, 0, 0, 5)), bytes((10, 0, 1, 5)), bytes(4), b"\xff" * 4])
_FIELDS = {
    "frame": _BYTES,
    "tcp": _BYTES,
    "tcp.payload": _BYTES,
    "ip.src": _ADDRESS,
    "ip.addr": _ADDRESS,
    "eth.src": st.sampled_from([MAC, bytes(6), b"\x01" + bytes(5)]),
    "ip.ttl": st.sampled_from([0, 1, 2, 64, 255]),
    "ip.proto": st.sampled_from([6, 17, 18, 99]),
    "tcp.port": st.sampled_from([0, 1, 80, 443, 65535]),
    "ip.flags.df": st.integers(0, 1),
    "ntp.offset": st.sampled_from([-3, 0, 1, 32767]),
    "tcp.note": st.sampled_from(["", "a", "ab", "Abé"]),
    "frame.number": st.sampled_from([1, 2, 4294967295]),
}
packets = st.lists(
    st.fixed_dictionaries({}, optional={
        name: st.lists(value, min_size=1, max_size=3) for name, value in _FIELDS.items()
    }), max_size=4,
)  # fmt: skip

_NUMBER = st.sampled_from(["0", "1", "2", "80", "255", "-1"])
_NUMERIC = ["ip.ttl", "tcp.port", "ntp.offset", "frame.number", "len(tcp.payload)", "count(tcp)"]
_LAYERS = st.sampled_from(["", "", "", "#1", "#[-1]", "#[2:]", "#[1-2]"])
_RANGE = st.sampled_from(["[0]", "[1:2]", "[-2:]", "[0-1,-1]", "[:3]", "[-3--2]"])
numbers = st.recursive(
    st.builds(lambda name, layers: name if "(" in name else name + layers,
              st.sampled_from(_NUMERIC), _LAYERS),
    lambda inner: st.builds(
        lambda a, op, b: f"{{{a} {op} {b}}}",
        inner, st.sampled_from(["+", "-", "*", "/", "%", "&"]),
        inner | st.sampled_from(["0", "1", "3"]),
    ) | st.builds(lambda a: f"-{{{a}}}", inner)
    | st.builds(lambda f, a, b: f"{f}({a}, {b})", st.sampled_from(["min", "max"]), inner, inner),
    max_leaves=3,
)  # fmt: skip
_STRINGS = ["frame", "tcp", "tcp.payload", "eth.src", "ip.src", "@tcp.port"]
byte_strings = st.builds(lambda n, r: n + r, st.sampled_from(_STRINGS), _RANGE)
_ORDER = st.sampled_from(["==", "!=", "===", "!==", "<", ">", "<=", ">="])
_PREFIX = st.sampled_from(["", "", "any ", "all "])
tests = st.one_of(
    st.builds(lambda p, a, op, b: f"{p}{a} {op} {b}", _PREFIX, numbers, _ORDER, numbers | _NUMBER),
    st.builds(lambda p, b, op, a: f"{p}{b} {op} {a}", _PREFIX, _NUMBER, _ORDER, numbers),
    st.builds(lambda p, a, op, b: f"{p}{a} {op} {b}", _PREFIX, byte_strings, _ORDER,
              byte_strings | st.sampled_from(["00", "61:62", '"ab"'])),
    st.builds(lambda p, a, op, b: f"{p}{a} {op} {b}", _PREFIX,
              st.sampled_from(["ip.src", "ip.addr", "ip.addr#2"]), _ORDER,
              st.sampled_from(["ip.src", "10.0.0.5", "10.0.0.0/8", "10.0.1.0/24", "$ip.src"])),
    st.builds(lambda p, a, op, b: f"{p}{a} {op} {b}", _PREFIX,
              st.sampled_from(["frame", "tcp.payload", "tcp.payload[1:]"]),
              st.sampled_from(["contains"]), st.sampled_from(["61:62", '"ab"', "01:", '"b"'])),
    st.builds(lambda p, a, b: f"{p}{a} matches {b}", _PREFIX,
              st.sampled_from(["frame", "tcp.note", "ip.proto", "string(ip.ttl)"]),
              st.sampled_from(['"a"', '"^a"', '"(?-i)A"', '"ab|T"', '"[0-9]$"'])),
    st.builds(lambda p, a, n, b: f"{p}{a} {n}in {{{b}}}", _PREFIX,
              st.sampled_from(["ip.ttl", "tcp.port"]), st.sampled_from(["", "not "]),
              st.sampled_from(["1", "1, 80", "1 .. 64", "-1 .. 2, 443", "ip.ttl", "0 .. ip.ttl"])),
    st.builds(lambda p, a, op, b: f"{p}{a} {op} {b}", _PREFIX,
              st.sampled_from(["tcp.note", "lower(tcp.note)", "tcp.note[0:1]"]), _ORDER,
              st.sampled_from(['"a"', '"ab"', "tcp.note"])),
    st.sampled_from(["tcp", "ip.ttl", "ip.flags.df", "ip.flags.df == 1", "frame[1]", "frame[1-2]",
                     "tcp.note[0]", 'ip.proto == "twice"', 'ip.proto !== "twice"',
                     "all ip.proto == TCP", "ip.addr#3", "ip.flags.df < 1", "eth.src[0] & 1"]),
    numbers,
)  # fmt: skip
filters = st.recursive(
    tests,
    lambda inner: (
        st.builds(lambda a: f"not ({a})", inner)
        | st.builds(
            lambda a, op, b: f"({a}) {op} ({b})",
            inner,
            st.sampled_from(["and", "or", "xor"]),
            inner,
        )
    ),
    max_leaves=4,
)


@settings(max_examples=600, deadline=None)
@given(filters, packets, st.none() | st.integers(0, 3))
@example("ip.ttl * 4294967295 * 4294967295 > 1", [{"ip.ttl": [255]}], None)
def test_columns_and_single_packets_agree(
    text: str, made: list[Packet], number: int | None
) -> None:
    """Evaluation by columns gives the same packets as one packet at a time."""
    try:
        compiled = compile_filter(text, TOY)
    except FilterError:
        reject()  # if most filters are refused, the test fails
    assert compiled.condition is not None
    selected = made[number] if number is not None and number < len(made) else None
    mask = compiled.passes(MadeValues(made), MadeValues([selected]) if selected else None)
    assert mask.tolist() == [
        packet_by_packet.passes(compiled.condition, packet, selected) for packet in made
    ]
