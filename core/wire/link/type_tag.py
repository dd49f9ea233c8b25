"""Readers of tags whose last field, `type`, is the EtherType of the next header."""

from __future__ import annotations

from core.wire.model.batch import BatchReader, FrameGroup, Step
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Next, Numbering, Parser, Walk


def tag_parser(table: HeaderTable) -> Parser:
    """Return the parser of such a tag."""

    def parse(walk: Walk, offset: int) -> Next | None:
        if not walk.begin(table, offset, depth=walk.depth):
            return None
        walk.add((table,), offset, depth=walk.depth)
        number = table["type"].number(walk.data, offset)
        return Next(Numbering.ETHERTYPE, number, offset + table.size)

    return parse


def tag_step(table: HeaderTable) -> Step:
    """Return the batch step of such a tag."""

    def step(walk: BatchReader, group: FrameGroup) -> None:
        group = walk.begin(table, group)
        number = walk.column(table["type"], group)
        walk.queue(Numbering.ETHERTYPE, number, group.moved(table.size))

    return step
