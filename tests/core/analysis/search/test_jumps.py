"""The jumps find the packets that a dissection shows to be of their kind."""

from __future__ import annotations

import pytest

from core.analysis.search.jumps import FILTERS, Jump, criterion_of
from core.analysis.search.search import Search
from core.store.budget import Budget
from core.store.filtered_view import AllPackets
from core.wire.model.dissection import Cause, Dissection
from core.wire.present.summary import wrong_checksums
from core.wire.registry import PROTOCOLS
from tests.helpers.scripted import scripted_store

SNAPSHOT = scripted_store().snapshot()


def _is_reset(dissection: Dissection) -> bool:
    tcp = dissection.layer("tcp")
    return tcp is not None and tcp.number(dissection.data, "flags.reset") == 1


IS_ONE = {
    Jump.BAD_CHECKSUM: lambda dissection: bool(wrong_checksums(dissection)),
    Jump.RESET: _is_reset,
    Jump.MALFORMED: lambda dissection: (
        dissection.stop is not None and dissection.stop.cause is Cause.MALFORMED
    ),
}


@pytest.mark.parametrize("jump", Jump, ids=lambda jump: jump.name)
def test_each_jump_finds_the_packets_of_its_kind(jump):
    (chunk,) = SNAPSHOT.chunks
    wanted = [chunk.first + row for row in range(len(chunk)) if IS_ONE[jump](chunk.dissect(row))]
    search = Search(criterion_of(jump), AllPackets(1, SNAPSHOT.count), 0)
    search.extend(SNAPSHOT, Budget())
    assert wanted
    assert search.state.found == wanted[0]


def test_every_protocol_with_a_verdict_is_in_the_filter_of_bad_checksums():
    named = set(FILTERS[Jump.BAD_CHECKSUM].split())
    with_checksums = {each.name for each in PROTOCOLS if each.checksum is not None}
    assert with_checksums
    assert {f"{name}.checksum.status" for name in with_checksums} <= named
