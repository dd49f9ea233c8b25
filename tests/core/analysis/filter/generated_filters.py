"""Random filters over fields and values that occur in the shared captures.

They use the common part of tshark 4.0's language and 4.6's. Three differences are avoided: 4.0 has
no count of an absent field (4.6: 0), takes ``ip.src`` and ``ip.src#1`` in one filter for the same,
and ignores ``all`` before ``in``.
"""

from __future__ import annotations

import random

_NUMBERS = {
    "ip.ttl": (1, 64, 128, 255), "ip.len": (40, 52, 60, 1500), "ip.id": (0, 1, 4660, 54321),
    "tcp.srcport": (80, 443, 25), "tcp.dstport": (80, 443, 25), "tcp.port": (80, 443, 53),
    "udp.port": (53, 67, 68, 4789), "udp.length": (8, 40, 100, 308), "ip.proto": (1, 2, 6, 17),
    "tcp.flags": (2, 16, 18, 24), "tcp.hdr_len": (20, 24, 32, 40), "frame.len": (42, 60, 66, 1514),
    "tcp.window_size_value": (0, 1024, 8192, 65535), "frame.number": (1, 2, 5, 50, 100),
    "ip.hdr_len": (20, 24), "icmp.type": (0, 3, 8), "ipv6.hlim": (1, 64, 255), "tcp.len": (0, 1460),
    "vlan.id": (1, 10, 100), "arp.opcode": (1, 2), "eth.type": (2048, 2054, 34525),
    "ip.dsfield.dscp": (0, 46), "ip.frag_offset": (0, 185),
}  # fmt: skip
_ADDRESSES = ("ip.src", "ip.dst", "ip.addr")
_NETWORKS = (
    "10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12", "255.255.255.255", "10.0.0.1",
    "224.0.0.0/4", "127.0.0.1", "128.0.0.0/1",
)  # fmt: skip
_MACS = ("eth.src", "eth.dst", "eth.addr")
_MAC_VALUES = ("ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00", "01:00:5e:00:00:00", "80:00:00:00:00:00")
_STRINGS = ("frame", "tcp.payload", "udp.payload", "eth.src", "ip.src", "ipv6.dst", "eth.dst")
_RANGES = ("[0:2]", "[1-2]", "[-2:]", "[2:2]", "[0-1]", "[:2]")
_BYTES = ("00:00", "08:00", "45:00", "ff:ff", "c0:a8", "0d:0a", "00:01")
_ORDERS = ("==", "!=", "===", "!==", "<", "<=", ">", ">=")
_PREFIXES = ("", "", "any ", "all ")
_LAYERS = ("", "", "", "#1", "#2", "#[-1]", "#[1-2]")
_LAYERED = ("ip", "tcp", "udp")
_SEARCHED = ("frame", "tcp.payload", "udp.payload", "frame[20:]")
_PATTERNS = ("http", "^get", "[a-z]{6}", "(?-i)HTTP/1", ".{40}", "abc|xyz", "00$")
_SIMPLE = (
    "tcp", "udp", "ip", "ipv6", "arp", "icmp", "vlan", "frame[60:4]", "tcp.payload[0:4]",
    "tcp.flags & 2", "ip.flags.df == 1", "tcp.flags.syn == 1", "ip.flags.mf == 0",
)  # fmt: skip
_SAME_TYPE = (
    ("tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport", "udp.length", "ip.len", "ip.id"),
    ("ip.ttl", "ip.proto", "ipv6.hlim"),
)


class FilterGenerator:
    """Writes filters; the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def filters(self, count: int) -> list[str]:
        """Return this many filters."""
        return [self._expression(0) for _ in range(count)]

    def _one_of(self, items: tuple[object, ...]) -> str:
        return str(self._random.choice(items))

    def _number(self, depth: int) -> str:
        chance = self._random.random()
        if depth > 1 or chance < 0.6:
            return self._one_of(tuple(_NUMBERS))
        if chance < 0.85:
            operator = self._one_of(("+", "-", "*", "%", "&", "/"))
            is_constant = self._random.random() < 0.7
            other = self._one_of((1, 2, 7, 16)) if is_constant else self._number(depth + 1)
            return f"{{{self._number(depth + 1)} {operator} {other}}}"
        fields = self._random.choice(_SAME_TYPE)
        function = self._one_of(("max", "min"))
        return f"{function}({self._one_of(fields)}, {self._one_of(fields)})"

    def _test(self) -> str:
        write = self._random.choice(
            (
                self._with_value, self._with_value, self._in_set, self._of_numbers,
                self._of_addresses, self._of_bytes, self._search, lambda: self._one_of(_SIMPLE),
            )
        )  # fmt: skip
        return write()

    def _with_value(self) -> str:
        name = self._one_of(tuple(_NUMBERS))
        layers = self._one_of(_LAYERS) if name.split(".")[0] in _LAYERED else ""
        value = self._one_of(_NUMBERS[name])
        return f"{self._one_of(_PREFIXES)}{name}{layers} {self._one_of(_ORDERS)} {value}"

    def _in_set(self) -> str:
        name = self._one_of(tuple(_NUMBERS))
        values = _NUMBERS[name]
        one, other = self._one_of(values), self._one_of(values)
        items = self._one_of((one, f"{one}, {other}", f"{min(values)} .. {one}, {other}"))
        word = self._one_of(("in", "not in"))
        return f"{self._one_of(('', 'any '))}{name} {word} {{{items}}}"

    def _of_numbers(self) -> str:
        operator = self._one_of(_ORDERS)
        return f"{self._one_of(_PREFIXES)}{self._number(0)} {operator} {self._number(0)}"

    def _of_addresses(self) -> str:
        names, values = self._random.choice(((_ADDRESSES, _NETWORKS), (_MACS, _MAC_VALUES)))
        right = self._one_of((*names, *values))
        return f"{self._one_of(_PREFIXES)}{self._one_of(names)} {self._one_of(_ORDERS)} {right}"

    def _of_bytes(self) -> str:
        left = self._one_of(_STRINGS) + self._one_of(_RANGES)
        other = self._one_of(_STRINGS) + self._one_of(_RANGES)
        right = self._one_of((*_BYTES, other, other))
        return f"{self._one_of(_PREFIXES)}{left} {self._one_of(_ORDERS)} {right}"

    def _search(self) -> str:
        name = self._one_of(_SEARCHED)
        if self._random.random() < 0.5:
            return f'{self._one_of(_PREFIXES)}{name} matches "{self._one_of(_PATTERNS)}"'
        value = self._one_of((*_BYTES, '"HTTP"'))
        return f"{self._one_of(_PREFIXES)}{name} contains {value}"

    def _expression(self, depth: int) -> str:
        chance = self._random.random()
        if depth > 2 or chance < 0.6:
            return self._test()
        if chance < 0.72:
            return f"not ({self._expression(depth + 1)})"
        operator = self._one_of(("and", "or", "&&", "||"))
        return f"({self._expression(depth + 1)}) {operator} ({self._expression(depth + 1)})"
