"""Mutated frames of every link type, rewritten, encapsulated, and decapsulated: nothing raises."""

from __future__ import annotations

from random import Random

import numpy as np

from core.decode.batch import Batch
from core.decode.batch_decoder import decode_batch
from core.decode.verdicts import fill, unpack
from core.forge.transmit.decapsulation import Decapsulation
from core.forge.transmit.link_rewrite import rewrite_links
from core.forge.transmit.packet_rewrite import rewrite_packets
from core.forge.transmit.rewrite_rules import (
    AddedTag,
    HopLimitEdit,
    RewriteRules,
    parse_address_map,
)
from core.wire.model.batch import HeaderState
from core.wire.model.dissection import Verdict
from tests.core.decode.support import batch_of
from tests.core.forge.transmit.rewriting import frames_of
from tests.fuzz.mutations import beginnings, mutated

COUNT = 6000
ANY = parse_address_map("0.0.0.0/0:10.0.0.0/8,[::/0]:[fd00::/9]")
RULES = (
    RewriteRules(True, ANY, ANY, True, HopLimitEdit(-3, is_relative=True)),
    RewriteRules(False, ANY, ANY, True, HopLimitEdit(9), bytes(6), b"\1" * 6, AddedTag(3)),
    RewriteRules(True, removes_tag=True),
)


def test_any_frame() -> None:
    """Bytes change in place, except for tags; a second fix finds nothing to fix."""
    samples = [one for one in mutated(beginnings(), Random(5), COUNT) if one.link_type < 1 << 16]
    frames = [one.data for one in samples]
    batch = batch_of(frames)
    original = np.array([max(one.original, len(one.data)) for one in samples], np.int64)
    flags = np.array([one.flags for one in samples], np.uint16)
    batch = Batch(
        batch.data, batch.offset, batch.captured, np.minimum(original, 1 << 20).astype(np.uint32),
        batch.timestamp_ns, batch.interface, flags, True,
    )  # fmt: skip
    kinds = np.array([one.link_type for one in samples], np.int64)
    for rules in RULES:
        packets, changed = rewrite_packets(batch, kinds, rules)
        assert (packets.captured == batch.captured).all()
        same = [new == old for new, old in zip(frames_of(packets), frames, strict=True)]
        assert (np.array(same) == ~changed).all()
        links, _ = rewrite_links(packets, rules)
        assert len(links) == len(batch)
        ((bare, rows),) = Decapsulation().frames(packets, kinds)
        assert len(bare) == len(rows)
        if not rules.fixes_checksums:
            continue
        again, changed = rewrite_packets(packets, kinds, RewriteRules(fixes_checksums=True))
        assert not changed.any()
        for kind in np.unique(kinds).tolist():
            assert_no_wrong_checksum(again, np.flatnonzero(kinds == kind), kind)


def assert_no_wrong_checksum(batch: Batch, rows: np.ndarray, kind: int) -> None:
    """Judge the frames of one link type, except for headers that contradict themselves."""
    names = ("offset", "captured", "original", "timestamp_ns", "interface", "flags")
    columns = {name: getattr(batch, name)[rows] for name in names}
    chunk = decode_batch(Batch(batch.data, **columns), np.array([kind], np.int32))
    stopped = chunk.state & HeaderState.CAUSE_MASK > 0
    for row, pair in enumerate(map(unpack, fill(chunk).tolist())):
        assert stopped[row] or Verdict.BAD not in pair, chunk.frame(row).hex()
