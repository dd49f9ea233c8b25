"""One line about an application's bytes, if a small reader knows them: DNS, HTTP, TLS.

The port selects DNS. The first bytes select HTTP and TLS, on any port, since both run on any.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    if span.stop <= span.start or transport.name not in ("tcp", "udp"):
        return None
    data = dissection.data[span.start : span.stop]
    ports = {transport.number(dissection.data, key) for key in ("srcport", "dstport")}
    for port, name in dns.PORTS.items():
        if port in ports:
            message = data[_TCP_LENGTH_BYTES:] if transport.name == "tcp" else data
            text = dns.describe(message)
            return Application(name, text) if text else None
    text = http.describe(data)
    if text:
        return Application("HTTP" if transport.name == "tcp" else "SSDP", text)
    if transport.name == "tcp" and (text := tls.describe(data)):
        return Application("TLS", text)
    return None
