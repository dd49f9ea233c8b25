"""Protocols that rawscope does not read, and the filters that find them by number.

A user types the names that Wireshark knows. The message about an unknown name offers the ports that
IANA assigned, the IP protocol, or the EtherType: these find the packets on their usual ports only.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.wire.application.payload_info import APPLICATIONS

_TCP = {
    "amqp": 5672, "bgp": 179, "ftp": 21, "ftp-data": 20, "imap": 143, "ldap": 389, "modbus": 502,
    "mongo": 27017, "mqtt": 1883, "mysql": 3306, "pgsql": 5432, "pop": 110, "redis": 6379,
    "rtmpt": 1935, "rtsp": 554, "smb": 445, "smb2": 445, "smtp": 25, "ssh": 22, "tacplus": 49,
    "tds": 1433, "telnet": 23, "tpkt": 3389, "vnc": 5900, "whois": 43,
}  # fmt: skip
_UDP = {
    "bfd": 3784, "coap": 5683, "gtp": 2152, "hsrp": 1985, "isakmp": 500,
    "l2tp": 1701, "nbns": 137, "ntp": 123, "quic": 443, "rip": 520, "sflow": 6343, "snmp": 161,
    "syslog": 514, "tftp": 69, "wg": 51820,
}  # fmt: skip
_IP = {"eigrp": 88, "esp": 50, "ospf": 89, "pim": 103, "rsvp": 46, "udplite": 136}
_ETHERNET = {"eapol": 0x888E, "lldp": 0x88CC, "pppoed": 0x8863, "pppoes": 0x8864, "rarp": 0x8035}

UNREAD: Mapping[str, str] = {
    **{name: f"tcp.port == {port}" for name, port in _TCP.items()},
    **{name: f"udp.port == {port}" for name, port in _UDP.items()},
    **{name: f"ip.proto == {number}" for name, number in _IP.items()},
    **{name: f"eth.type == 0x{number:04x}" for name, number in _ETHERNET.items()},
    "bootp": "udp.port in {67, 68}",
    "browser": "udp.port == 138",
    "dtls": "udp.port == 443",
    "netbios": "udp.port in {137, 138}",
    "dhcp": "udp.port in {67, 68}",
    "dhcpv6": "udp.port in {546, 547}",
    "kerberos": "tcp.port == 88 or udp.port == 88",
    "nfs": "tcp.port == 2049 or udp.port == 2049",
    "radius": "udp.port in {1812, 1813}",
    "sip": "udp.port == 5060 or tcp.port == 5060",
    "stp": "eth.dst == 01:80:c2:00:00:00",
}
"""Filters by the name of the protocol."""

RENAMED: Mapping[str, str] = {"ssl": "tls", "ip6": "ipv6", "icmp6": "icmpv6", "ether": "eth"}
"""Names of tcpdump and of earlier versions of Wireshark."""

ELSEWHERE: Mapping[str, str] = {
    "ieee80211": "rawscope does not read IEEE 802.11",
    "radiotap": "rawscope does not read IEEE 802.11",
    "rtcp": "rawscope does not read RTCP, which has no port of its own: filter by udp.port",
    "rtp": "rawscope does not read RTP, which has no port of its own: filter by udp.port",
    "usb": "rawscope does not read USB",
    "wlan": "rawscope does not read IEEE 802.11",
}
"""Protocols without a filter that finds them."""

TEXTS: Mapping[str, str] = {
    "http.request": 'http contains "GET"',
    "http.request.method": 'http contains "GET"',
    "tls.handshake.type": "tls contains 16:03",
}
"""Filters by the bytes of a message, by the name of the field."""


def advice(name: str) -> str:
    """Return how to find what rawscope does not read; empty for a name that this page lacks."""
    protocol, _, field = name.partition(".")
    if protocol in RENAMED:
        return f"; it is named {RENAMED[protocol]} now"
    if protocol in ELSEWHERE:
        return f"; {ELSEWHERE[protocol]}"
    if protocol in UNREAD:
        return f"; rawscope does not read {protocol}, but {UNREAD[protocol]} may find it"
    if name in TEXTS:
        return f"; rawscope has {protocol}, but not its fields: {TEXTS[name]} may find it"
    if field and protocol in APPLICATIONS:
        return f"; rawscope has {protocol}, but not its fields"
    return ""
