"""The time of one comparison with each field of the catalog, over 1.5 million mixed packets.

The packets are those of `tests.bench.bench_filter`, half of their TCP segments with options. The
figure is processor time, the best of a few runs, for the packets that pass; the slowest field of
each kind is printed beside the bound of its kind, and every field above its bound. Fields that an
analysis of flows finds are in ``tcp_flows``.
"""

from __future__ import annotations

import sys
from collections import defaultdict

from core.analysis.filter.fields.address_parts import ADDRESS_PARTS
from core.analysis.filter.fields.catalog import CATALOG, OPTION_TABLES, SLOTS_BY_NAME
from core.analysis.filter.types import FilterField
from core.analysis.filter.types import FilterType as T
from core.analysis.tcp.fields import FLOW_FIELDS
from core.decode.chunk import Chunk
from tests.bench.bench_filter import passing, with_timestamps
from tests.bench.bench_store import PACKETS, Figure, best, capture, store_of

SHARE = 3  # the part of the packets that is measured; the time of each is the same
LEAST_RUNS, MOST_RUNS = 2, 4
BOUNDS_MS = {"fixed header field": 150, "option, computed number or text": 1000}
VALUES = {
    T.BOOLEAN: "1", T.ETHER: "00:11:22:33:44:55", T.IPV4: "1.2.3.4", T.IPV6: "fe80::1",
    T.BYTES: "01:02", T.STRING: '"x"', T.ABSOLUTE_TIME: '"2020-01-01"',
    T.EUI64: "00:11:22:33:44:55:66:77",
}  # fmt: skip


def filter_of(field: FilterField) -> str:
    """Return a filter that compares the field; one that asks for a protocol."""
    if field.type is T.PROTOCOL:
        return field.name
    return f"{field.name} == {VALUES.get(field.type, '1')}"


def kind_of(field: FilterField) -> str:
    """Return the kind of a field, which has a bound."""
    slots = SLOTS_BY_NAME.get(field.name, ())
    is_fixed = bool(slots) and not any(slot.table in OPTION_TABLES for slot in slots)
    is_fixed |= bool(CATALOG.combined(field.name))
    is_fixed |= field.name in ADDRESS_PARTS and field.type is not T.STRING
    return "fixed header field" if is_fixed else "option, computed number or text"


def milliseconds(chunks: tuple[Chunk, ...], text: str, bound: float) -> float:
    """Return the time for all packets; run again while it is above the bound."""
    found = float("inf")
    for run in range(MOST_RUNS):
        found = min(found, best(lambda: passing(chunks, text), 1) * 1e3 * SHARE)
        if run + 1 >= LEAST_RUNS and found <= bound:
            break
    return found


def main() -> int:
    packets = capture(made=with_timestamps()).part(0, PACKETS // SHARE)
    chunks = store_of(packets).snapshot().chunks
    times: defaultdict[str, list[tuple[float, str]]] = defaultdict(list)
    for field in CATALOG:
        if field.name not in FLOW_FIELDS:
            kind, text = kind_of(field), filter_of(field)
            times[kind].append((milliseconds(chunks, text, BOUNDS_MS[kind]), text))
    figures: list[Figure] = []
    for kind, found in times.items():
        bound = BOUNDS_MS[kind]
        above = [each for each in found if each[0] > bound] or [max(found)]
        print(f"{kind}: {len(found)} fields")
        figures += [Figure(f"    {text}", time, "ms", bound) for time, text in sorted(above)]
    for figure in figures:
        print(figure, flush=True)
    return 0 if all(figure.held for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
