"""The display filter of a flow: it passes the packets of a conversation, or of an endpoint.

A conversation of TCP is that of its stream: ports may be used again. Imported when it is needed,
since the filter language takes longer to import than the rest of the panel.
"""

from __future__ import annotations

from core.analysis.filter.value_expression import connection_expression, pair_expression
from core.analysis.flows.level import Level
from core.analysis.flows.listing import FlowListing


def flow_expression(listing: FlowListing, row: int) -> str:
    """Return the filter of the flow in a row."""
    question, level = listing.question, listing.question.level
    if question.endpoints:
        return _endpoint(level, *listing.end(row))
    if level is Level.TCP:
        return f"tcp.stream == {listing.number('stream', row)}"
    ends = listing.end(row, "a"), listing.end(row, "b")
    if level.has_ports:
        return connection_expression(level.value, *ends)
    return pair_expression(level.value, "addr", ends[0][0], ends[1][0])


def _endpoint(level: Level, address: str, port: int) -> str:
    if not level.has_ports:
        return f"{level.value}.addr == {address}"
    network = "ipv6" if ":" in address else "ip"
    return " or ".join(
        f"({network}.{side} == {address} and {level.value}.{side}port == {port})"
        for side in ("src", "dst")
    )
