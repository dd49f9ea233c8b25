"""FDDI: frame control and two addresses, and LLC after them.

The header is that of ISO 9314-2 (ANSI X3.139): a byte of frame control, the destination, and the
source. Frames of stations carry LLC (IEEE 802.2), and IP uses SNAP (RFC 1390); the frame control of
these is 0x50 to 0x57, or 0xD0 for the synchronous class. Tokens, management, and other MAC frames
have no header that rawscope reads.

Some systems capture the addresses with the bits of each byte reversed, without any sign of it
(tcpdump.org/linktypes.html, LINKTYPE_FDDI). They are shown as they were captured.
"""

from __future__ import annotations

from core.wire.link.link_types import LinkType
from core.wire.model.batch import BatchReader, FrameGroup
from core.wire.model.dissection import Dissection, Layer
from core.wire.model.field import Field, Mac
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Next, Numbering, Walk
from core.wire.protocol import Protocol, Reader

FORMAT = 0x70  # of the frame control, without the class
LLC_FORMAT = 0x50

FDDI = HeaderTable(
    "fddi",
    "Fiber Distributed Data Interface",
    "ISO 9314-2",
    Field("fc", 8, "Frame control", base=16),
    Mac("dst", "Destination"),
    Mac("src", "Source"),
)
_CONTROL = FDDI["fc"]


def parse(walk: Walk, offset: int) -> Next | None:
    """Read a header; LLC follows in the frames of stations."""
    if not walk.begin(FDDI, offset):
        return None
    walk.add((FDDI,), offset)
    if _CONTROL.number(walk.data, offset) & FORMAT != LLC_FORMAT:
        return None
    return Next(Numbering.LLC, 0, offset + FDDI.size)


def step(walk: BatchReader, group: FrameGroup) -> None:
    """Read many headers, as `parse` does one."""
    group = walk.begin(FDDI, group)
    has_llc = walk.column(_CONTROL, group) & FORMAT == LLC_FORMAT
    walk.queue(Numbering.LLC, 0, group.where(has_llc).moved(FDDI.size))


def info(layer: Layer, dissection: Dissection) -> str:
    """Return the frame control of a frame without LLC."""
    control = layer.number(dissection.data, "fc")
    return layer.title if control is None else f"{layer.title}, frame control 0x{control:02x}"


PROTOCOLS = (
    Protocol(
        name="fddi",
        shown="FDDI",
        tables=(FDDI,),
        info=info,
        addresses=("src", "dst"),
        readers=(Reader(Numbering.LINK, (LinkType.FDDI,), parse, step),),
    ),
)
