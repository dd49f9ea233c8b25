"""One line about an application's bytes, if a small reader knows them: DNS, HTTP, TLS.

The port selects DNS. The first bytes select HTTP and TLS, on any port, since both run on any.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.wire.application import dns, http, tls
from core.wire.model.dissection import Dissection, Layer

_TCP_LENGTH_BYTES = 2  # DNS over TCP puts a length before each message (RFC 1035 §4.2.2)


@dataclass(frozen=True, slots=True)
class Application:
    """The protocol's name and one line, safe to print."""

    name: str
    text: str


def describe(dissection: Dissection, transport: Layer) -> Application | None:
    """Return the line for the payload of a TCP or UDP `transport`; None if no reader knows it."""
    span = dissection.payload
    if span.stop <= span.start or transport.name not in TRANSPORTS:
        return None
    data = dissection.data[span.start : span.stop]
    source, destination = (transport.number(dissection.data, key) for key in ("srcport", "dstport"))
    return describe_bytes(transport.name, source, destination, data)


def describe_bytes(
    transport: str, source: int | None, destination: int | None, data: bytes
) -> Application | None:
    """Return the line for a payload between two ports; None if no reader knows it."""
    for port, name in dns.PORTS.items():
        if port in (source, destination):
            message = data[_TCP_LENGTH_BYTES:] if transport == "tcp" else data
            text = dns.describe(message)
            return Application(name, text) if text else None
    text = http.describe(data)
    if text:
        return Application("HTTP" if transport == "tcp" else "SSDP", text)
    if transport == "tcp" and (text := tls.describe(data)):
        return Application("TLS", text)
    return None


def may_describe(
    source: NDArray[np.uint16], destination: NDArray[np.uint16], first: NDArray[np.uint8]
) -> NDArray[np.bool_]:
    """Return a mask (n,) of payloads that a reader may know, by their ports and first bytes."""
    return _IS_PORT[source] | _IS_PORT[destination] | _IS_FIRST[first]


def _table(size: int, numbers: Iterable[int]) -> NDArray[np.bool_]:
    return np.isin(np.arange(size), list(numbers))


TRANSPORTS = ("tcp", "udp")
_IS_PORT = _table(1 << 16, dns.PORTS)
_IS_FIRST = _table(1 << 8, http.FIRST_BYTES | tls.FIRST_BYTES)
