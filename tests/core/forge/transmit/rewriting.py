"""Rewrite frames and read them, for the tests of the rewriting."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.decode.batch import Batch
from core.forge.transmit.link_rewrite import rewrite_links
from core.forge.transmit.packet_rewrite import rewrite_packets
from core.forge.transmit.rewrite_rules import RewriteRules
from core.wire.dissect import dissect
from core.wire.link.link_types import LinkType
from core.wire.model.dissection import Verdict
from tests.core.decode.support import batch_of


def frames_of(batch: Batch) -> list[bytes]:
    ends = zip(batch.offset.tolist(), batch.captured.tolist(), strict=True)
    return [batch.data[at : at + size].tobytes() for at, size in ends]


def rewritten(
    rules: RewriteRules,
    *frames: bytes,
    kind: int = LinkType.ETHERNET,
    missing: int = 0,
) -> tuple[list[bytes], list[bool]]:
    """Return the frames after the rules, and which of them changed.

    `missing` bytes of each were cut off by the capture. The input stays as it was.
    """
    batch = batch_of(list(frames))
    batch = replace(batch, original=batch.captured + np.uint32(missing))
    packets, changed = rewrite_packets(batch, np.full(len(frames), kind, np.int64), rules)
    links, also = rewrite_links(packets, rules)
    assert frames_of(batch) == list(frames)
    assert (links.original - links.captured == missing).all()
    return frames_of(links), (changed | also).tolist()


def verdicts(frame: bytes, kind: int = LinkType.ETHERNET) -> dict[str, Verdict]:
    """Return the verdict of each outermost checksum by its field's name."""
    layers = dissect(frame, kind, len(frame)).layers
    checks = [check for layer in layers if layer.depth <= 1 for check in layer.checks]
    return {check.slot.name: check.verdict for check in checks}


def value(frame: bytes, name: str, kind: int = LinkType.ETHERNET) -> int:
    """Return the number of a field of the outermost header."""
    layer_name, _, key = name.partition(".")
    layer = dissect(frame, kind, len(frame)).layer(layer_name)
    assert layer is not None
    found = layer.number(frame, key)
    assert isinstance(found, int)
    return found
