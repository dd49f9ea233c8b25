"""The addresses that the fragments of one datagram share. No drawing.

A receiver puts fragments together that have the same source, destination, protocol, and
identification (RFC 791 §3.2; for IPv6 without the protocol, RFC 8200 §4.5). Fragments with
different addresses are never one datagram, so an address typed in one fragment goes into all.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import Evaluation, evaluate
from core.wire.model.field import Value

_ADDRESSES = ("src", "dst")
_FRAGMENTS = {  # by the first network layer: identification, more fragments, and offset
    "ip": ("ip.id", "ip.flags.mf", "ip.frag_offset"),
    "ipv6": ("ipv6.fraghdr.ident", "ipv6.fraghdr.more", "ipv6.fraghdr.offset"),
}


def with_address(drafts: Sequence[Draft], index: int, key: str, text: str) -> tuple[Draft, ...]:
    """Return the drafts with `text` for the field `key` of one of them.

    If the field is an address of a fragment, the other fragments of the datagram get it, too.
    """
    datagram = _datagram(drafts[index]) if is_address(key) and len(drafts) > 1 else None
    return tuple(
        draft.with_text(key, text)
        if place == index or (datagram is not None and _datagram(draft) == datagram)
        else draft
        for place, draft in enumerate(drafts)
    )


def is_address(key: str) -> bool:
    """Return True for the source or destination of the outermost Ethernet or IP header."""
    network, _, field = key.partition(".")
    return network in ("eth", *_FRAGMENTS) and field in _ADDRESSES


def _datagram(draft: Draft) -> tuple[str, Value | None] | None:
    """Return the network and the identification of a fragment; None for a whole packet."""
    network = next((name for name in draft.layers if name in _FRAGMENTS), "")
    if not network or (network == "ipv6" and "ipv6.fraghdr" not in draft.layers):
        return None
    identification, more, offset = _FRAGMENTS[network]
    found = evaluate(draft)
    if network == "ip" and not (_value(found, more) or _value(found, offset)):
        return None
    return network, _value(found, identification)


def _value(evaluation: Evaluation, key: str) -> Value | None:
    return evaluation.field(key).value
