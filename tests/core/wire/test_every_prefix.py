"""Every prefix of every header: nothing raises, and scalar and batch decode agree.

No Info line formats a field that is not there. A header ends early in three ways: the snap length
cuts the frame, the frame is that short, or the sender's own length field is too small, with bytes
to spare after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from zlib import crc32

import pytest

from core.wire.dissect import dissect
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6
from core.wire.registry import TABLES
from tests.fuzz.readers import Sample, check
from tests.fuzz.shapes import Shape, shapes
from tests.helpers.support import is_thorough

SHAPES = tuple(shapes())
LENGTHS = {"ip": IPV4["len"], "ipv6": IPV6["plen"]}
SHARE = 30  # one length in this many, unless `make thorough` tests all
SNAPPED_FROM = 400  # bytes of the frame before the snap length cut it
NOT_THERE = re.compile(r"\bNone\b")


def test_the_shapes_have_every_table() -> None:
    """The tables of options too; every shape has a name of its own."""
    seen = set()
    for shape in SHAPES:
        for layer in dissect(shape.data, shape.link_type, len(shape.data)).layers:
            seen.update(layer.tables)
            seen.update(value.slot.table for option in layer.options for value in option.values)
    assert [table for table in TABLES if table not in seen] == []
    assert len({shape.name for shape in SHAPES}) == len(SHAPES)


def _chosen(shape: Shape, stop: int) -> range:
    """Return lengths below `stop`: all of them, or one in `SHARE`, others for each shape."""
    if is_thorough():
        return range(stop)
    return range(crc32(shape.name.encode()) % SHARE, stop, SHARE)


def _cut(shape: Shape) -> Iterator[Sample]:
    """Yield the frame cut at the bytes of `_chosen`, by the snap length and for real."""
    for stop in _chosen(shape, len(shape.data) + 1):
        yield Sample(shape.data[:stop], shape.link_type, SNAPPED_FROM)
        yield Sample(shape.data[:stop], shape.link_type, stop)


def _shortened(shape: Shape) -> Iterator[Sample]:
    """Yield the whole frame with lengths of `_chosen` in the field of its outermost IP header."""
    layers = dissect(shape.data, shape.link_type, len(shape.data)).layers
    layer = next((each for each in layers if each.name in LENGTHS), None)
    if layer is None:
        return
    slot = LENGTHS[layer.name]
    start, stop = slot.span.shifted(layer.offset)
    for length in _chosen(shape, layer.stop - layer.offset):
        field = length.to_bytes(stop - start, "big")
        data = shape.data[:start] + field + shape.data[stop:]
        yield Sample(data, shape.link_type, len(data))


@pytest.mark.parametrize("end", [_cut, _shortened])
def test_every_reader_on_every_prefix(end) -> None:
    """Rows, detail tree, JSON, fields and hex; no text mentions a field that is not there."""
    named: dict[Sample, str] = {}  # many shapes have the same beginning
    for shape in SHAPES:
        for sample in end(shape):
            named.setdefault(sample, shape.name)
    for (sample, name), row in zip(named.items(), check(list(named)), strict=True):
        assert NOT_THERE.search(row.info) is None, (name, row.info, sample.text)
