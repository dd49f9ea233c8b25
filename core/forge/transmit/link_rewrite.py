"""Rewrite the Ethernet header of frames: MAC addresses, and the outermost VLAN tag.

Each frame with a whole Ethernet header gets the addresses, broadcasts and groups included, as
tcprewrite(1) does. A tag is added directly after the addresses, outside of other tags; only the
outermost tag is removed. New bytes are assembled for frames whose length changes, by index
arithmetic.

Source: IEEE 802.1Q-2018 §9.6; tcprewrite(1), --enet-*.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch
from core.decode.batch_decoder import extent
from core.forge.transmit.frame_assembly import Rows, joined, with_frames
from core.forge.transmit.rewrite_rules import AddedTag, RewriteRules
from core.wire.link.ethernet import ETHERNET
from core.wire.link.vlan import TAG_TYPES, VLAN
from core.wire.model.assigned_numbers import EtherType

_TAGS = (*TAG_TYPES, EtherType.PROVIDER_VLAN)
_TYPE = ETHERNET["type"].span  # the position of the tag's own type; the frame's follows
_TAGGED = ETHERNET.size + VLAN.size


def rewrite_links(batch: Batch, rules: RewriteRules) -> tuple[Batch, NDArray[np.bool_]]:
    """Return Ethernet frames with the new link headers, and which of them changed, (n,)."""
    if not rules.changes_links:
        return batch, np.zeros(len(batch), bool)
    low, high = extent(batch)
    data, offset = batch.data[low:high].copy(), batch.offset - low
    length = batch.captured.astype(np.int64)
    changed = np.zeros(len(batch), bool)
    whole = np.flatnonzero(length >= ETHERNET.size)
    for key, address in (("src", rules.source_mac), ("dst", rules.destination_mac)):
        if address is not None:
            span = ETHERNET[key].span
            places = offset[whole, None] + np.arange(span.start, span.stop)
            new = np.frombuffer(address, np.uint8)
            changed[whole] |= (data[places] != new).any(axis=1)
            data[places] = new
    tagged = _tagged(data, offset, length)
    if rules.tag is not None:
        has_head = length >= ETHERNET.size
        heads = _heads_with_tag(data, offset[has_head], tagged[has_head], rules.tag)
        skip = np.where(has_head, _TYPE.start, 0)
    else:
        has_head = tagged if rules.removes_tag else np.zeros(len(batch), bool)
        heads = data[offset[has_head, None] + np.arange(_TYPE.start)]
        skip = np.where(has_head, _TYPE.start + VLAN.size, 0)
    if has_head.any():
        changed |= has_head
        data, offset, length = joined(data, offset + skip, length - skip, heads, has_head)
    return with_frames(batch, data, offset, length), changed


def _tagged(data: NDArray[np.uint8], offset: Rows, length: Rows) -> NDArray[np.bool_]:
    """Return (n,) which frames have a whole VLAN tag after their addresses."""
    found = length >= _TAGGED
    rows = np.flatnonzero(found)
    found[rows] = np.isin(ETHERNET["type"].column(data, offset[rows]), _TAGS)
    return found


def _heads_with_tag(
    data: NDArray[np.uint8], offset: Rows, tagged: NDArray[np.bool_], tag: AddedTag
) -> NDArray[np.uint8]:
    """Return (n, 16) the addresses of frames, and a new tag in front of their type."""
    heads = np.zeros((len(offset), _TYPE.start + VLAN.size), np.uint8)
    heads[:, : _TYPE.start] = data[offset[:, None] + np.arange(_TYPE.start)]
    heads[:, _TYPE.start : _TYPE.stop] = np.frombuffer(tag.protocol.to_bytes(2, "big"), np.uint8)
    chosen = {"priority": tag.priority, "dei": tag.dei}
    given = {key: value for key, value in chosen.items() if value is not None}
    heads[:, _TYPE.stop :] = _control(given | {"id": tag.number})
    copied = _control({key: VLAN[key].maximum for key in chosen if key not in given})
    inside = offset[tagged] + ETHERNET.size  # the tag that each frame has
    heads[tagged, _TYPE.stop :] |= data[inside[:, None] + np.arange(len(copied))] & copied
    return heads


def _control(values: dict[str, int]) -> NDArray[np.uint8]:
    """Return the bytes of a tag before the type that follows it."""
    return np.frombuffer(VLAN.emit(values), np.uint8)[: VLAN["etype"].span.start]
