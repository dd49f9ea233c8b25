"""The display filters of what the statistics count: a protocol, a length, an address, a time."""

from __future__ import annotations

from collections.abc import Sequence

from core.analysis.filter.fields.catalog import CATALOG
from core.analysis.statistics.lengths import LengthRange
from core.analysis.statistics.talkers import Talker
from core.store.frame_detail import seconds_text

_CARRIERS = {"tcp": "TCP", "udp": "UDP"}


def protocol_filter(path: Sequence[str]) -> str:
    """Return the filter of a protocol of the hierarchy, by the names that lead to it.

    It passes packets that have all of these protocols, in whatever order. A link-layer header is
    left out if another name follows.
    """
    first = {name: place for place, name in reversed(list(enumerate(path)))}
    parts = [
        _name_filter(name, path[:place])
        for place, name in enumerate(path)
        if first[name] == place and (place or len(first) == 1)
    ]
    return " and ".join(parts)


def _name_filter(name: str, outer: Sequence[str]) -> str:
    """Return the filter of one name, after the names `outer`."""
    if name == "data" and outer and outer[-1] in _CARRIERS:  # but no application
        return f'data and _ws.col.protocol == "{_CARRIERS[outer[-1]]}"'
    assert CATALOG.find(name) is not None, name
    return name


def length_filter(lengths: LengthRange) -> str:
    """Return the filter of a range of lengths."""
    if lengths.last is None:
        return f"frame.len >= {lengths.first}"
    return f"frame.len in {{{lengths.first}..{lengths.last}}}"


def talker_filter(talker: Talker) -> str | None:
    """Return the filter of an address; None for all others together."""
    return f"{talker.field} == {talker.address}" if talker.address else None


def time_filter(start_ns: int, stop_ns: int) -> str:
    """Return the filter of the times from `start_ns` to before `stop_ns`, since the epoch."""
    start, stop = seconds_text(start_ns), seconds_text(stop_ns)
    return f"frame.time_epoch >= {start} and frame.time_epoch < {stop}"
