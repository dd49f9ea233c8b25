"""The values of functions."""

from __future__ import annotations

import pytest

from core.analysis.filter.display_filter import compile_filter
from core.analysis.filter.language.functions import FUNCTIONS
from tests.core.analysis.filter.evaluation.made_values import MadeValues, Packet
from tests.core.analysis.filter.toy_catalog import TOY

V6 = {"local": bytes.fromhex("fe80" + "00" * 14), "ula": bytes.fromhex("fd00" + "00" * 14)}
PACKETS: tuple[Packet, ...] = (
    {"ip.src": [bytes((10, 0, 0, 1))], "tcp.flags": [24], "ip.proto": [6], "ip.ttl": [3, 7],
     "tcp.note": ["a", "b"], "tcp.payload": [b"bb", b"a"], "frame.time_delta": [500_000_000]},
    {"ip.src": [bytes((224, 0, 0, 1))], "ipv6.src": [V6["local"]], "ip.proto": [99]},
    {"ip.src": [bytes((8, 8, 8, 8))], "ipv6.src": [V6["ula"]], "ip.ttl": [5]},
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("ip_rfc1918(ip.src)", [1]),
        ("ip_multicast(ip.src)", [2]),
        ("ip_linklocal(ipv6.src)", [2]),
        ("ip_ula(ipv6.src) == 1", [3]),
        ("ip_multicast(ip.src) == 0", [1, 3]),
        ('ip_special_name(ip.src) == "Private-Use"', [1]),
        ("ip_special_mask(ip.src) & 4", [1]),
        ("ip_special_mask(ip.src) >= 0", [1]),
        ('hex(tcp.flags) == "0x0018"', [1]),
        ('dec(tcp.flags) == "24"', [1]),
        ('vals(ip.proto) == "TCP"', [1]),
        ('upper(tcp.note) == "B"', [1]),
        ("double(frame.time_delta) == 0.5", [1]),
        ("float(ip.ttl) > 5.5", [1]),
        ("max(ip.ttl) == 7", [1]),
        ("min(ip.ttl, 4) == 4", [2, 3]),
        ('max(tcp.note) == "b"', [1]),
        ('min(tcp.note) == "a"', [1]),
        ("max(tcp.payload) == 62:62", [1]),
        ("min(tcp.payload) == 61", []),
        ('min(tcp.payload) == "a"', [1]),
        ("max(ipv6.src) == fd00::", [3]),
        ("len(ip.src) == 4 and len(tcp.flags) == 2", [1]),
    ],
)
def test_functions(text: str, numbers: list[int]) -> None:
    mask = compile_filter(text, TOY).passes(MadeValues(PACKETS)).tolist()
    assert [index for index, passed in enumerate(mask, 1) if passed] == numbers


def test_every_function_has_values() -> None:
    arguments = {
        "lower": "tcp.note", "upper": "tcp.note", "vals": "ip.proto", "hex": "ip.ttl",
        "dec": "ip.ttl", "ip_ula": "ipv6.src", "float": "ip.ttl", "double": "ip.ttl",
        "abs": "ip.ttl", "max": "ip.ttl", "min": "ip.ttl",
    }  # fmt: skip
    for name in FUNCTIONS:
        text = f"{name}({arguments.get(name, 'ip.src')})"
        assert compile_filter(text, TOY).passes(MadeValues(PACKETS)).shape == (3,)
