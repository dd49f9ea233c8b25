"""Link types: what the first byte of a frame is. Numbers from tcpdump.org/linktypes.html."""

from __future__ import annotations

from enum import IntEnum


class LinkType(IntEnum):
    """The link-layer header types that rawscope reads; frames of others open as hex only."""

    NULL = 0  # BSD loopback: a 4-byte address family in the byte order of the capturing host
    ETHERNET = 1
    PPP = 9
    RAW_BSD = 12  # DLT_RAW as some systems wrote it into files
    RAW_OPENBSD = 14
    RAW = 101
    C_HDLC = 104
    FRELAY = 107
    LOOP = 108  # OpenBSD loopback: the family in network byte order
    LINUX_SLL = 113
    IPV4 = 228
    IPV6 = 229
    NFLOG = 239
    LINUX_SLL2 = 276


def link_type_name(link_type: int) -> str:
    """``ETHERNET`` for 1; ``link type 105`` for those without a reader here."""
    try:
        return LinkType(link_type).name
    except ValueError:
        return f"link type {link_type}"
