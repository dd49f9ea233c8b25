"""A flow as an object with keys, for JSON."""

from __future__ import annotations

from typing import Any

from core.analysis.flows.level import Level
from core.analysis.flows.listing import FlowListing
from core.store.frame_detail import seconds_text


def flow_record(listing: FlowListing, row: int) -> dict[str, Any]:
    """Return a flow as an object: numbers are numbers; times are seconds, as strings."""
    question = listing.question
    found: dict[str, Any] = {"level": question.level.value}
    sides = {"": "a"} if question.endpoints else {"_a": "a", "_b": "b"}
    for suffix, side in sides.items():
        address, port = listing.end(row, side)
        found[f"address{suffix}"] = address
        if question.level.has_ports:
            found[f"port{suffix}"] = port
    ways = ("sent", "received") if question.endpoints else ("a_to_b", "b_to_a")
    for name in ("packets", "bytes"):
        found[name] = listing.number(name, row)
        for way, word in enumerate(ways):
            found[f"{name}_{word}"] = listing.number(name, row, way)
    start = listing.relative_start_ns(row)
    found["start"] = None if start is None else seconds_text(start)
    found["duration"] = seconds_text(listing.duration_ns(row))
    found["bits_per_second"] = round(listing.bit_rate(row))
    if question.endpoints:
        found["conversations"] = listing.number("conversations", row)
    elif question.level is Level.TCP:
        found["stream"] = listing.number("stream", row)
        rtt = listing.number("initial_rtt_ns", row)
        if rtt >= 0:
            found["initial_rtt"] = seconds_text(rtt)
        state = listing.state(row)
        found["state"] = state.word if state is not None else ""
    if listing.program(row):
        found["program"] = listing.program(row)
    if question.level is Level.TCP:
        for name in ("retransmissions", "zero_windows", "resets"):
            for way, word in enumerate(ways):
                found[f"{name}_{word}"] = listing.number(name, row, way)
    return found
