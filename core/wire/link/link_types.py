"""Link types: the kind of header that frames begin with. Source: tcpdump.org/linktypes.html."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum


class LinkType(IntEnum):
    """The link types that rawscope reads; it shows frames of other types in hex only."""

    NULL = 0  # BSD loopback: a 4-byte address family in the byte order of the capturing host
    ETHERNET = 1
    PPP = 9
    FDDI = 10
    RAW_BSD = 12  # DLT_RAW, as some systems wrote it into files
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


_NAMES: Mapping[int, str] = {kind.value: kind.name for kind in LinkType}
# Link types that rawscope does not read, but that occur in capture files.
_OTHER_NAMES: Mapping[int, str] = {
    3: "AX25",
    6: "IEEE802_5",
    7: "ARCNET_BSD",
    8: "SLIP",
    50: "PPP_HDLC",
    51: "PPP_ETHER",
    100: "ATM_RFC1483",
    105: "IEEE802_11",
    114: "LTALK",
    117: "PFLOG",
    119: "IEEE802_11_PRISM",
    122: "IP_OVER_FC",
    123: "SUNATM",
    127: "IEEE802_11_RADIOTAP",
    129: "ARCNET_LINUX",
    138: "APPLE_IP_OVER_IEEE1394",
    139: "MTP2_WITH_PHDR",
    140: "MTP2",
    141: "MTP3",
    142: "SCCP",
    143: "DOCSIS",
    144: "LINUX_IRDA",
    163: "IEEE802_11_AVS",
    165: "BACNET_MS_TP",
    166: "PPP_PPPD",
    169: "GPRS_LLC",
    177: "LINUX_LAPD",
    182: "MFR",
    187: "BLUETOOTH_HCI_H4",
    189: "USB_LINUX",
    192: "PPI",
    195: "IEEE802_15_4_WITHFCS",
    197: "ERF",
    201: "BLUETOOTH_HCI_H4_WITH_PHDR",
    202: "AX25_KISS",
    203: "LAPD",
    204: "PPP_WITH_DIR",
    205: "C_HDLC_WITH_DIR",
    206: "FRELAY_WITH_DIR",
    212: "LIN",
    215: "IEEE802_15_4_NONASK_PHY",
    220: "USB_LINUX_MMAPPED",
    224: "FC_2",
    225: "FC_2_WITH_FRAME_DELIMS",
    226: "IPNET",
    227: "CAN_SOCKETCAN",
    230: "IEEE802_15_4_NOFCS",
    231: "DBUS",
    235: "DVB_CI",
    240: "NETANALYZER",
    241: "NETANALYZER_TRANSPARENT",
    242: "IPOIB",
    243: "MPEG_2_TS",
    245: "NFC_LLCP",
    247: "INFINIBAND",
    248: "SCTP",
    249: "USBPCAP",
    251: "BLUETOOTH_LE_LL",
    253: "NETLINK",
    254: "BLUETOOTH_LINUX_MONITOR",
    255: "BLUETOOTH_BREDR_BB",
    256: "BLUETOOTH_LE_LL_WITH_PHDR",
    258: "PKTAP",
    259: "EPON",
    265: "RDS",
    266: "USB_DARWIN",
    268: "SDLC",
    270: "LORATAP",
    271: "VSOCK",
    272: "NORDIC_BLE",
    274: "ETHERNET_MPACKET",
    280: "VPP_DISPATCH",
    281: "DSA_TAG_BRCM",
    282: "DSA_TAG_BRCM_PREPEND",
    283: "IEEE802_15_4_TAP",
    284: "DSA_TAG_DSA",
    285: "DSA_TAG_EDSA",
}


def is_read(link_type: int) -> bool:
    """Return True if rawscope reads frames of this link type."""
    return link_type in _NAMES


def link_type_name(link_type: int) -> str:
    """Return ``ETHERNET`` for 1, ``IEEE802_11`` for 105, ``link type 4711`` if there is no name."""
    return _NAMES.get(link_type) or _OTHER_NAMES.get(link_type) or f"link type {link_type}"


def unread_text(link_types: Iterable[int]) -> str:
    """Return a sentence about the link types that are shown in hex only, or an empty string."""
    unread = dict.fromkeys(kind for kind in link_types if not is_read(kind))
    if not unread:
        return ""
    names = ", ".join(map(link_type_name, unread))
    return f"rawscope does not read frames of {names}: it shows them in hex only"
