"""One line about an application's bytes, if a small reader knows them: DNS, HTTP, SSDP, TLS.

The port selects DNS and, over UDP, SSDP. The first bytes select HTTP and TLS over TCP, on any port,
since both run on any. The user can assign a reader to a port (``-d tcp.port==8080,http``): it alone
reads the payloads of that port. Such rules come with each packet (`core.wire.model.decode_rules`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.wire.application import dns, http, tls
from core.wire.model.decode_rules import PORTS, DecodeRules
from core.wire.model.dissection import Dissection, Layer

_TCP_LENGTH_BYTES = 2  # DNS over TCP puts a length before each message (RFC 1035 §4.2.2)
TRANSPORTS = ("tcp", "udp")


_AreMessages = Callable[
    [NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]], NDArray[np.bool_]
]
"""A function of data, starts, and ends (n,), which returns a mask (n,)."""


@dataclass(frozen=True, slots=True)
class PayloadReader:
    """A reader of payloads. `names` are the protocols that it shows over TCP and over UDP.

    It reads only the transports that have a name. `describe` returns None for bytes of another
    protocol; `are_messages` returns a mask of the bytes, many at once, that it describes.
    """

    names: Mapping[str, str]
    describe: Callable[[bytes], str | None]
    are_messages: _AreMessages
    has_length_over_tcp: bool = False

    def start(self, transport: str) -> int:
        """Return the number of bytes before the message in a payload."""
        return _TCP_LENGTH_BYTES if self.has_length_over_tcp and transport == "tcp" else 0


def _dns(shown: str) -> PayloadReader:
    names = dict.fromkeys(TRANSPORTS, shown)
    return PayloadReader(names, dns.describe, dns.are_messages, has_length_over_tcp=True)


READERS: Mapping[str, PayloadReader] = {
    "dns": _dns("DNS"),
    "mdns": _dns("mDNS"),
    "llmnr": _dns("LLMNR"),
    "http": PayloadReader({"tcp": "HTTP"}, http.describe, http.are_messages),
    "ssdp": PayloadReader({"udp": "SSDP"}, http.describe, http.are_messages),
    "tls": PayloadReader({"tcp": "TLS"}, tls.describe, tls.are_messages),
    "data": PayloadReader(
        dict.fromkeys(TRANSPORTS, "Data"), lambda data: None, lambda data, starts, ends: starts < 0
    ),
}
"""The readers by Wireshark's names. ``data`` describes nothing: the packet keeps its own line."""

APPLICATIONS: Mapping[str, tuple[tuple[str, str], ...]] = {
    name: tuple(
        (transport, reader)
        for reader, each in READERS.items()
        for transport, shown in each.names.items()
        if shown.lower() == name
    )
    for name in dict.fromkeys(
        shown.lower()
        for key, each in READERS.items()
        if key != "data"
        for shown in each.names.values()
    )
}
"""The names that readers show, in lower case: for each, the transports and readers that show it."""

READER_NAMES = tuple(READERS)
ON_ANY_PORT = ("http", "tls")
_DNS_PORTS = {port: name.lower() for port, name in dns.PORTS.items()}
_KNOWN_PORTS = {"tcp": _DNS_PORTS, "udp": {**_DNS_PORTS, 1900: "ssdp"}}


@dataclass(frozen=True, slots=True)
class Application:
    """The protocol's name and one line, safe to print."""

    name: str
    text: str


def _numbers(readers: Mapping[int, str]) -> NDArray[np.uint8]:
    """Return the number of the reader of each port, (65536,); 0 where there is no reader."""
    table = np.zeros(PORTS, np.uint8)
    for port, name in readers.items():
        table[port] = READER_NAMES.index(name) + 1
    return table


def reader_of(
    rules: DecodeRules, transport: str, source: int | None, destination: int | None
) -> str | None:
    """Return the name of the reader that the ports of a payload select, or None."""
    assigned = rules.reader(transport, (source, destination))
    if assigned is not None:
        return assigned
    known = _KNOWN_PORTS[transport]
    found = [(port, known[port]) for port in (source, destination) if port in known]
    return min(found)[1] if found else None


def readers_of(
    rules: DecodeRules,
    transport: str,
    source: NDArray[np.uint16],
    destination: NDArray[np.uint16],
) -> NDArray[np.uint8]:
    """Return the reader of each payload, (n,): 0, or its place in `READER_NAMES` from 1."""
    known = _KNOWN_NUMBERS[transport]
    lower = known[np.minimum(source, destination)]
    found = np.where(lower > 0, lower, known[np.maximum(source, destination)])
    if not rules:
        return found
    places = np.array([0, *(READER_NAMES.index(name) + 1 for name in rules.names)], np.uint8)
    assigned = places[rules.numbers(transport, source, destination)]
    return np.where(assigned > 0, assigned, found)


def may_read(reader: str, selected: str | None) -> bool:
    """Return True if a reader reads payloads whose ports select the reader `selected`."""
    return reader == selected or (selected is None and reader in ON_ANY_PORT)


def are_read(
    rules: DecodeRules,
    reader: str,
    transport: str,
    source: NDArray[np.uint16],
    destination: NDArray[np.uint16],
) -> NDArray[np.bool_]:
    """Return a mask (n,) of the payloads that a reader reads, by their ports."""
    found = readers_of(rules, transport, source, destination)
    mask: NDArray[np.bool_] = found == READER_NAMES.index(reader) + 1
    return mask | (found == 0) if reader in ON_ANY_PORT else mask


def describe(dissection: Dissection, transport: Layer) -> Application | None:
    """Return the line for the payload of a TCP or UDP `transport`; None if no reader knows it."""
    span = dissection.payload
    if span.stop <= span.start or transport.name not in TRANSPORTS:
        return None
    data = dissection.data[span.start : span.stop]
    source, destination = (transport.number(dissection.data, key) for key in ("srcport", "dstport"))
    return describe_bytes(dissection.decode_rules, transport.name, source, destination, data)


def describe_bytes(
    rules: DecodeRules, transport: str, source: int | None, destination: int | None, data: bytes
) -> Application | None:
    """Return the line for a payload between two ports; None if no reader knows it."""
    selected = reader_of(rules, transport, source, destination)
    for name in ON_ANY_PORT if selected is None else (selected,):
        reader = READERS[name]
        if transport in reader.names:
            text = reader.describe(data[reader.start(transport) :])
            if text:
                return Application(reader.names[transport], text)
    return None


def recognized(
    rules: DecodeRules,
    transport: str,
    ports: tuple[NDArray[np.uint16], NDArray[np.uint16]],
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> NDArray[np.uint8]:
    """Return the reader that describes each payload ``data[start:end]``, (n,).

    That is its place in `READER_NAMES` from 1, or 0 if none does. `ports` are those of the source
    and of the destination.
    """
    selected = readers_of(rules, transport, *ports)
    found = np.zeros(len(starts), np.uint8)
    for number, (name, reader) in enumerate(READERS.items(), 1):
        if transport not in reader.names:
            continue
        mask = selected == number
        if name in ON_ANY_PORT:
            mask |= (selected == 0) & (found == 0)
        rows = np.flatnonzero(mask)
        begins = starts[rows] + reader.start(transport)
        rows = rows[reader.are_messages(data, begins, ends[rows])]
        found[rows] = number
    return found


_KNOWN_NUMBERS = {transport: _numbers(_KNOWN_PORTS[transport]) for transport in TRANSPORTS}
