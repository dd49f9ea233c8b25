"""Capture filters that a user types where a display filter is expected.

tcpdump's language (pcap-filter(7)) and Wireshark's look alike, and who knows one tries it in the
other. `display_filter_of` translates the usual primitives (``host``, ``net``, ``port``, …, with
their directions and protocols, joined by ``and``, ``or``, and ``not``), so that the message about
such a filter can say what to type. A text with anything else has no translation.

A translation is similar, not equal: tcpdump's ``host`` finds ARP as well, and its ``port`` SCTP. It
may also be invalid, such as for ``port 99999``; the caller compiles it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_TOKEN = re.compile(r"\s*(?:(&&|\|\||[()!])|([^\s()!&|]+))")
_MOST_CHARACTERS = 1000
_DEEPEST = 20  # brackets, and negations of one test
_LOGIC = {"and": "and", "&&": "and", "or": "or", "||": "or"}
_PROTOCOLS = {
    "ether": "eth", "ip": "ip", "ip6": "ipv6", "arp": "arp", "tcp": "tcp", "udp": "udp",
    "sctp": "sctp", "icmp": "icmp", "icmp6": "icmpv6", "igmp": "igmp", "vlan": "vlan",
    "mpls": "mpls", "vrrp": "vrrp", "ah": "ah", "vxlan": "vxlan", "geneve": "geneve",
}  # fmt: skip
"""The names of headers, and those of display filters."""

_FORMS: Mapping[str, str] = {
    "broadcast": "eth.dst == ff:ff:ff:ff:ff:ff",
    "multicast": "eth.dst.ig == 1",
    "ether broadcast": "eth.dst == ff:ff:ff:ff:ff:ff",
    "ether multicast": "eth.dst.ig == 1",
    "ip broadcast": "ip.dst == 255.255.255.255",
    "ip multicast": "ip.dst == 224.0.0.0/4",
    "ip6 multicast": "ipv6.dst == ff00::/8",
}
_NUMBERS = {  # what follows a word, or two, is compared with a field
    "greater": "frame.len >=", "less": "frame.len <=", "vlan": "vlan.id ==",
    "mpls": "mpls.label ==", "ether proto": "eth.type ==", "ip proto": "ip.proto ==",
    "ip6 proto": "ipv6.nxt ==", "proto": "ip.proto ==", "vxlan": "vxlan.vni ==",
    "geneve": "geneve.vni ==",
}  # fmt: skip
_IP_NUMBERS = {
    "icmp": "1", "igmp": "2", "tcp": "6", "udp": "17", "icmp6": "58", "sctp": "132", "vrrp": "112",
}  # fmt: skip
_DIRECTIONS = {"src": ("src",), "dst": ("dst",), "": ("addr",)}
_OFFERED_PORTS = ("tcp", "udp")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|[0-9]+")
_IPV4 = re.compile(r"[0-9]+(?:\.[0-9]+){3}")
_IPV6 = re.compile(r"[0-9a-fA-F.]*:[0-9a-fA-F:.]*")
_MAC = re.compile(r"[0-9a-fA-F]{1,2}(?:[:.-][0-9a-fA-F]{1,2}){5}")


class _NoCaptureFilterError(Exception):
    """The text is not one that this page translates."""


def display_filter_of(text: str) -> str:
    """Return a display filter that is similar to a capture filter; empty for other texts.

    That includes a text of nothing but names of protocols: it is a display filter as well.
    """
    if len(text) > _MOST_CHARACTERS:
        return ""
    try:
        words = _words(text)
        reader = _Reader(words)
        found = reader.logic()
        return found if reader.at_end() and reader.is_capture_filter else ""
    except _NoCaptureFilterError:
        return ""


def _words(text: str) -> list[str]:
    found, at, text = [], 0, text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _NoCaptureFilterError
        found.append(match[1] or match[2])
        at = match.end()
    return found


class _Reader:
    """A recursive descent over words. `is_capture_filter` is True after a primitive of tcpdump."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._at = 0
        self._depth = 0
        self.is_capture_filter = False

    def at_end(self) -> bool:
        """Return True if all words are read."""
        return self._at == len(self._words)

    def _next(self, ahead: int = 0) -> str:
        place = self._at + ahead
        return self._words[place] if place < len(self._words) else ""

    def _take(self) -> str:
        word = self._next()
        if not word:
            raise _NoCaptureFilterError
        self._at += 1
        return word

    def logic(self) -> str:
        """Read primitives joined by operators."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _NoCaptureFilterError
        parts = [self._negatable()]
        operators = []
        while (operator := _LOGIC.get(self._next())) is not None:
            self._take()
            operators.append(operator)
            parts.append(self._negatable())
        self._depth -= 1
        if len(set(operators)) > 1:  # tcpdump joins them from left to right
            found = parts[0]
            for operator, part in zip(operators, parts[1:], strict=True):
                found = f"({found} {operator} {_bracketed(part)})"
            return found[1:-1]
        joint = f" {operators[0]} " if operators else ""
        return joint.join(map(_bracketed, parts)) if operators else parts[0]

    def _negatable(self) -> str:
        negations = 0
        while self._next() in ("not", "!"):
            self._take()
            negations += 1
        if negations > _DEEPEST:
            raise _NoCaptureFilterError
        if self._next() == "(":
            self._take()
            found = self.logic()
            if self._take() != ")":
                raise _NoCaptureFilterError
        else:
            found = self._primitive()
        for _ in range(negations):
            found = f"not ({found})" if " " in found else f"not {found}"
        return found

    def _primitive(self) -> str:
        for count in (2, 1):
            if self._at + count > len(self._words):
                continue
            words = " ".join(self._words[self._at : self._at + count])
            if words in _FORMS:
                self._at += count
                self.is_capture_filter = True
                return _FORMS[words]
            value = self._next(count)
            if words in _NUMBERS and (_NUMBER.fullmatch(value) or _is_ip_name(words, value)):
                self._at += count + 1
                self.is_capture_filter = True
                return f"{_NUMBERS[words]} {_IP_NUMBERS.get(value.lstrip(chr(92)), value)}"
        protocol = ""
        if self._next() in _PROTOCOLS:
            protocol = self._take()
        found = self._qualified(protocol)
        if found:
            self.is_capture_filter = True
            return found
        if protocol:
            return _PROTOCOLS[protocol]
        raise _NoCaptureFilterError

    def _qualified(self, protocol: str) -> str:
        """Read ``src host 1.2.3.4``, ``port 80``, …; return "" for other words."""
        direction = self._take() if self._next() in ("src", "dst") else ""
        kind = self._take() if self._next() in ("host", "net", "port", "portrange") else ""
        if not direction and not kind:
            return ""
        value = self._take()
        if kind == "net" and self._next() == "mask":
            raise _NoCaptureFilterError
        if kind in ("port", "portrange"):
            return _of_port(protocol, direction, value)
        return _of_address(protocol, direction, value)


def _is_ip_name(words: str, value: str) -> bool:
    return words in ("ip proto", "ip6 proto", "proto") and value.lstrip("\\") in _IP_NUMBERS


def _bracketed(part: str) -> str:
    return f"({part})" if " or " in part or " and " in part else part


def _of_port(protocol: str, direction: str, value: str) -> str:
    low, dash, high = value.partition("-")
    if not _NUMBER.fullmatch(low) or (dash and not _NUMBER.fullmatch(high)):
        raise _NoCaptureFilterError
    if protocol not in ("", "tcp", "udp", "sctp"):
        raise _NoCaptureFilterError
    compared = f"in {{{low} .. {high}}}" if high else f"== {low}"
    names = (protocol,) if protocol else _OFFERED_PORTS
    return " or ".join(f"{name}.{direction}port {compared}" for name in names)


def _of_address(protocol: str, direction: str, value: str) -> str:
    address = value.partition("/")[0]
    part = direction or "addr"
    if _IPV4.fullmatch(address) and protocol not in ("ether", "ip6"):
        name = {"arp": f"arp.{direction or 'src'}.proto_ipv4"}.get(protocol, f"ip.{part}")
        found = f"{name} == {value}"
        if protocol == "arp" and not direction:
            found += f" or arp.dst.proto_ipv4 == {value}"
    elif _MAC.fullmatch(value) and protocol in ("", "ether"):
        found = f"eth.{part} == {value}"
    elif _IPV6.fullmatch(address) and protocol not in ("ether", "ip", "arp"):
        found = f"ipv6.{part} == {value}"
    else:
        raise _NoCaptureFilterError
    if protocol in ("", "ip", "ip6", "ether", "arp"):
        return found
    return f"{_PROTOCOLS[protocol]} and {found}"
