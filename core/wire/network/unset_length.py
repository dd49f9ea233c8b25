"""Length fields of 0 that the sender left to the network card, and the end of such packets.

Theory
------
With segmentation offload a host hands its network card one packet of many segments, and the card
writes the length of each. A capture on the host sees the packet before that, where a length may be
0:

* drivers that offload TCP segmentation zero the IPv4 total length or the IPv6 payload length, since
  the card adds each segment's to it (Linux: ``iph->tot_len = 0`` in e1000, ixgbe, bnad), and the
  UDP length of a tunnel around it (``l4.udp->len = 0`` in i40e);
* BIG TCP packets of Linux are longer than the fields can express, also the UDP length of a tunnel
  around them (``iph_set_totlen`` in include/net/ip.h; IPv6 has a jumbo option for it, RFC 2675, or
  not even that).

In both cases the packet ends where the packet around it ends: at the frame's end, or at that of an
outer length field that is set. It has no trailer then.

The rule
--------
A length of 0 is *left to the card* if there are more bytes than the field can hold, or more than
the header itself and TCP or UDP comes next: nothing else is segmented. A fragment is not segmented
either. For UDP's own length, the IP length around it must have been left to the card: a sender that
could write that one could write both. Any other 0 is an error, and the packet malformed.

`is_left_to_card` is the rule for one packet and, with columns, for many; the parsers and the steps
of IPv4, IPv6 and UDP call it, also for the headers inside tunnels.
"""

from __future__ import annotations

from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from core.wire.model.dissection import Note
from core.wire.model.field import PlacedField
from core.wire.model.walk import Walk


@overload
def is_left_to_card(
    slot: PlacedField, length: int, room: int, header: int, is_segmented: bool
) -> bool: ...


@overload
def is_left_to_card(
    slot: PlacedField,
    length: NDArray[Any],
    room: NDArray[Any],
    header: NDArray[Any] | int,
    is_segmented: NDArray[np.bool_] | bool,
) -> NDArray[np.bool_]: ...


def is_left_to_card(
    slot: PlacedField, length: Any, room: Any, header: Any, is_segmented: Any
) -> Any:
    """Return True where a length is 0 because the network card is to write it.

    `slot` is the length field, `length` its value. Of the bytes that it counts, `room` are there up
    to the outer end and `header` belong to the header. `is_segmented` is True if the card may
    segment the next header's data; see the rule above. Numbers and one bool, or columns (n,).
    """
    return (length == 0) & ((room > slot.maximum) | ((room > header) & is_segmented))


def note(walk: Walk, slot: PlacedField, room: int) -> Note:
    """Return the note on a length left to the card, with `room` bytes up to the outer end."""
    reason = "left to the network card (segmentation offload)"
    if room > slot.maximum:
        reason = f"more bytes than the field can hold, {reason}"
    by = walk.limited_by
    end = "the frame's end" if by == "frame" else f"the end that {by} sets"
    return Note(f"0: {reason}; {end} is used", slot, is_fault=False)
