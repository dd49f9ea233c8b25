"""Predict which frames Linux drops after a packet socket sent them on lo.

A packet that the IP stack sends to this host keeps its route; a frame from a packet socket has
none, and the kernel treats it as one from outside. An IPv4 source that this host owns is then a
*martian* and is dropped unless ``accept_local`` is set, and so is any address of 127.0.0.0/8 unless
``route_localnet`` is set (net/ipv4/route.c, ip_route_input_slow; ip-sysctl.rst; both verified).
IPv6 frames are accepted. A capture sees all of them leave.
"""

from __future__ import annotations

from pathlib import Path

from core.net.host_addresses import HostAddresses
from core.wire.dissect import dissect
from core.wire.link.link_types import LinkType
from core.wire.network.ipv4 import IPV4

_SETTINGS = Path("/proc/sys/net/ipv4/conf")
_LOOPBACK = 127  # the first byte of 127.0.0.0/8
_NOTE = (
    "Linux drops an IPv4 frame that a packet socket puts on lo {why} ({settings} would let it in), "
    "so no program here receives or answers it. Packets sent by IP_HDRINCL arrive."
)


def dropped_on_lo(frame: bytes, host: HostAddresses) -> str:
    """Return one sentence about why this host drops a verbatim frame on lo, or an empty text."""
    layer = dissect(frame, LinkType.ETHERNET, len(frame)).layer("ip")
    if layer is None or not layer.is_whole(IPV4):
        return ""
    ends = [IPV4[key].number(frame, layer.offset).to_bytes(4, "big") for key in ("src", "dst")]
    needed = []
    if host.owns(ends[0]):
        needed.append("accept_local")
    if any(address[0] == _LOOPBACK for address in ends):
        needed.append("route_localnet")
    unset = [name for name in needed if not _is_set(name)]
    if not unset:
        return ""
    why = "from an address of its own" if needed[0] == "accept_local" else "for 127.0.0.0/8"
    return _NOTE.format(why=why, settings=" and ".join(f"net.ipv4.conf.lo.{n}=1" for n in unset))


def _is_set(name: str) -> bool:
    """Return True if a switch is on: for lo, or for all interfaces."""
    for interface in ("lo", "all"):
        try:
            if int((_SETTINGS / interface / name).read_text()):
                return True
        except (OSError, ValueError):
            continue
    return False
