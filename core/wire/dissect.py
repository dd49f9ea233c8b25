"""One frame's bytes to its layers, and the reason why dissection ended.

Each layer's parser names the next one by number; the loop looks up its parser and continues until
none has the number, a header cannot be read, or the depth limit is reached. No frame, whatever its
bytes, makes it raise or run long.
"""

from __future__ import annotations

from core.wire.model.decode_rules import NO_RULES, DecodeRules
from core.wire.model.dissection import Cause, Dissection, PacketFlag, Stop
from core.wire.model.field import Span
from core.wire.model.reassembly import Piece
from core.wire.model.walk import Next, Numbering, Walk
from core.wire.registry import PARSERS

MAXIMUM_LAYERS = 32
_NOTHING = Span(0, 0)


def dissect(
    data: bytes,
    link_type: int,
    original_length: int,
    flags: int = 0,
    piece: Piece | None = None,
    decode_rules: DecodeRules = NO_RULES,
) -> Dissection:
    """Return the layers of a frame.

    `data` are the captured bytes, `original_length` the frame's length on the wire (bytes),
    `link_type` a `LinkType` number (others give a payload and no layer), `flags` `PacketFlag` bits.
    `piece` tells what is known of the datagram if the frame has a fragment. The result keeps the
    `decode_rules` for readers of its payload.
    """
    original = max(original_length, len(data))
    if piece is not None:
        data, original = piece.frame_with_datagram(data), original + piece.growth
    check_sequence = (flags & PacketFlag.FCS_MASK) >> PacketFlag.FCS_SHIFT
    end = max(0, original - check_sequence)
    walk = Walk(data, min(len(data), end), end, flags, piece=piece)
    following: Next | None = Next(Numbering.LINK, link_type, 0)
    after = 0
    while following is not None:
        after = following.offset
        parser = PARSERS[following.space].get(following.number)
        if parser is None:
            break
        if len(walk.layers) >= MAXIMUM_LAYERS:
            walk.halt = _too_deep(walk, after)
            break
        following = parser(walk, after)
    if following is None and walk.layers:
        last = walk.layers[-1]
        after = last.offset + last.header_length
        if walk.halt is not None and walk.halt.layer == last.name:
            after = len(data)  # the rest is a broken header, not payload
    return _result(walk, original, after, decode_rules)


def _too_deep(walk: Walk, offset: int) -> Stop:
    reason = f"more than {MAXIMUM_LAYERS} layers"
    return Stop(walk.layers[-1].name, offset, Cause.MALFORMED, reason, limited_by="depth limit")


def _result(walk: Walk, original: int, after: int, rules: DecodeRules) -> Dissection:
    captured = len(walk.data)
    packet_stop = captured if walk.packet_stop is None else min(walk.packet_stop, captured)
    payload_stop = min(walk.stop, walk.captured)
    trailer = Span(packet_stop, captured) if packet_stop < captured else _NOTHING
    payload = Span(min(after, payload_stop), payload_stop)
    layers = tuple(walk.layers)
    return Dissection(walk.data, original, layers, payload, trailer, walk.halt, walk.piece, rules)
