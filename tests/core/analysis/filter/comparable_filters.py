"""Filters that mean the same to tshark 4.0 and to 4.6, for a comparison with the one at hand.

The lists do not use what only 4.6 has (``xor``, ``@``, a function alone, ranges beyond the end of
the data) or reads differently (a decimal number beside a range of bytes, ``len`` of a protocol, an
unsigned field beside a negative number, ``frame.time_delta`` of the first packet).
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.core.analysis.filter.typed_filters import TYPED

_NUMBERS = {  # field: values that occur, and one that does not
    "ip.ttl": (1, 64, 128, 7),
    "ip.len": (40, 52, 1500, 21),
    "ip.id": (0, 1, 4660, 65535),
    "ip.proto": (1, 6, 17, 200),
    "ip.hdr_len": (20, 24),
    "ip.dsfield.dscp": (0, 48, 63),
    "ip.frag_offset": (0, 1480),
    "tcp.srcport": (80, 443, 1234),
    "tcp.dstport": (80, 443, 1234),
    "tcp.port": (80, 443, 25, 65535),
    "tcp.flags": (2, 16, 24, 18),
    "tcp.hdr_len": (20, 32, 40),
    "tcp.window_size_value": (0, 8192, 65535),
    "tcp.urgent_pointer": (0, 1),
    "tcp.len": (0, 1460),
    "tcp.options.mss_val": (1460, 536),
    "udp.srcport": (53, 67, 4789),
    "udp.port": (53, 68, 1900, 4789),
    "udp.length": (8, 100, 308),
    "ipv6.hlim": (1, 64, 255),
    "ipv6.plen": (20, 32),
    "icmp.type": (0, 3, 8, 11),
    "icmp.code": (0, 1, 3),
    "icmpv6.type": (128, 135, 143),
    "arp.opcode": (1, 2),
    "vlan.id": (1, 100, 4095),
    "frame.len": (60, 66, 1514),
    "frame.number": (1, 10, 500),
}
_ORDERS = ("==", "!=", "===", "!==", "<", ">=")
_PREFIXES = ("", "any ", "all ")


def _numbers() -> Iterator[str]:
    for index, (name, values) in enumerate(_NUMBERS.items()):
        for turn, value in enumerate(values):
            operator = _ORDERS[(index + turn) % len(_ORDERS)]
            yield f"{_PREFIXES[(index + turn) % 3]}{name} {operator} {value}"
        low, high = min(values), max(values)
        yield f"{name} in {{{low}, {low + 3} .. {high}}}"
        yield f"not {name} in {{{high}}}"
        yield f"all {name} > {low} and {name}"


_ADDRESSES = (
    "ip.src == 10.0.0.0/8", "ip.dst == 224.0.0.0/4", "ip.addr == 192.168.0.0/16",
    "ip.addr != 192.168.0.0/16", "ip.addr === 10.0.0.0/8", "ip.addr !== 10.0.0.0/8",
    "ip.src > 128.0.0.0", "ip.dst <= 10.255.255.255", "all ip.addr < 200.0.0.0",
    "ip.addr in {10.0.0.0 .. 10.0.255.255, 192.168.0.0/16}", "ip.src == ip.dst",
    "ip.src < ip.dst", "ip.src != ip.dst", "ip.addr == 255.255.255.255 or ip.addr == 127.0.0.1",
    "ip.src & 255.255.0.0 == 192.168.0.0", "ip.dst & 0.0.0.1 == 0.0.0.1",
    "ipv6.addr == fe80::/10", "ipv6.src == fe80::/64", "ipv6.dst == ff02::1", "ipv6.dst > ff00::",
    "ipv6.addr != fe80::/10", "ipv6.src == ipv6.dst", "ipv6.dst in {ff02::1 .. ff02::ff}",
    "eth.dst == ff:ff:ff:ff:ff:ff", "eth.addr == ff-ff-ff-ff-ff-ff",
    "eth.src > 80:00:00:00:00:00",
    "eth.src < eth.dst", "eth.dst[0:2] & 01:00",
    "eth.addr contains ff:ff", "eth.src[0:3] == 00:00:00",
    "eth.addr in {00:00:00:00:00:00 .. 00:ff:ff:ff:ff:ff}", "arp.src.proto_ipv4 == 10.0.0.0/8",
    "arp.dst.hw_mac == 00:00:00:00:00:00", "ip.addr == 10.0.0.1 and not ip.src == 10.0.0.1",
)  # fmt: skip
_BYTES = (
    "ip[8:2] > 3f:06", "ip[0:2] == 45:00", "ip[0:2] & 0f:00", "tcp[12:2] & 00:02",
    "tcp[12:2] == 50:18",
    "tcp[12:2] == 80:10", "udp[4:2] == 00:08", "frame[0:6] == ff:ff:ff:ff:ff:ff",
    "frame[12:2] == 08:00", "frame[12-13] == 86:dd", "frame[:2] != ff:ff", "frame[-2:] == 00:00",
    "frame[-2:2] == 0d:0a", "eth[12:2] == 08:06", "ip.src[0:2] == ip.dst[0:2]", "ip.src[3] == 0x01",
    "ip.src[0:2] == c0:a8", "ip.dst[-2:] == ff:ff", "ipv6.src[0:2] == fe:80",
    "ipv6.dst[0:2] == ff:02",
    "tcp.payload[0:3] == 47:45:54", "tcp.payload[0:3] == \"GET\"", "udp.payload[0:2] == 00:00",
    "udp.payload[0:2] & 80:00", "frame[6:6] == eth.src", "eth.src[0:3] == eth.dst[0:3]",
    "frame contains \"HTTP\"", "frame contains 0d:0a:0d:0a", "frame contains :ff:ff:ff",
    "tcp.payload contains \"Host\"", "udp.payload contains 00:00:00", "frame contains 'Q'",
    "frame[30:] contains 01:01:08:0a",
    "frame matches \"http/1\\\\.[01]\"", "frame matches \"(?-i)HTTP/1\\\\.[01]\"",
    "tcp.payload matches \"^get \"", "tcp.payload matches \"^(get|post|head) \"",
    "udp.payload matches \"m-search\"", "frame matches \"[[:digit:]]{3}-[[:alpha:]]\"",
    "frame matches r\"\\d\\d:\\d\\d:\\d\\d\"", "frame matches \"\\\\x00\\\\x01\\\\x02\"",
    "tcp.payload matches \"(?s)host:.*\\\\r\\\\n\"", "tcp.payload matches \"a.*b.*c$\"",
    "tcp contains \"GET\"", "tcp contains 00:50", "udp contains 00:00:00:00",
    "udp contains \"com\"",
    "ip contains \"HTTP\"", "ip contains 00:00:00", "icmp contains \"abc\"", "eth contains 08:00",
    "ipv6 contains 00:00:00:00", "arp contains 00:00", "vlan contains 08:00",
    "tcp matches \"http|com\"",
    "ip matches \"(?-i)GET .* HTTP\"",
    "ip[16:2] == c0:a8", "tcp.options contains 08:0a",
    "frame[14:2] > 45:00", "tcp.payload > 47:45",
)  # fmt: skip
_ARITHMETIC = (
    "udp.length == ip.len - 20", "ip.len == frame.len - 14", "tcp.srcport + 1 == tcp.dstport",
    "tcp.srcport > tcp.dstport", "udp.srcport == udp.dstport", "tcp.window_size_value * 2 > 40000",
    "ip.id % 2 == 1", "ip.id & 0x8000", "ip.id & 255 == 17", "ip.ttl / 2 == 32", "ip.len % 8 == 4",
    "{ip.len - 20} * 2 > 1000", "ip.len - 40 > 1000", "tcp.flags & 0x12 == 0x12", "tcp.flags & 4",
    "frame.number % 7 == 3", "frame.len / 100 == 5", "tcp.len + 20 == ip.len - 20",
    "ip.hdr_len + tcp.hdr_len == 40", "udp.port + 0 == 53", "ip.ttl - 1 == 63",
    "tcp.dstport & 0xff == 80", "ip.len + ip.ttl > 1000", "icmp.type + icmp.code == 3",
    "max(tcp.srcport, tcp.dstport) > 40000", "min(udp.srcport, udp.dstport) < 1024",
    "max(ip.ttl) > 64", "min(ip.len) < 60", "abs(ip.len - 100) < 20", "count(ip.addr) == 2",
    "count(ip.addr) > 2", "count(ip) == 2", "count(eth.addr) == 2", "count(vlan.id) > 1",
    "len(tcp.payload) > 1000", "len(udp.payload) == 4", "len(eth.src) == 6",
    "string(ip.src) matches r\"^192\\.168\"", "string(ip.ttl) == \"64\"",
    "string(frame.number) matches \"[13579]$\"", "string(eth.src)[0:2] == \"00\"",
    "string(ipv6.src) contains \"fe80\"", "max(ip.id) > 99",
)  # fmt: skip
_WORDS = (
    "ip.proto == \"TCP\"", "ip.proto == \"udp\"", "ip.proto != \"ICMP\"", "ip.flags.df == 1",
    "ip.flags.df == \"Set\"", "ip.flags.mf == \"Not set\"", "tcp.flags.syn == True",
    "tcp.flags.ack == 0", "tcp.flags.reset == 1", "tcp.flags.fin === 1", "tcp.flags.push != 0",
    "tcp.flags.syn", "arp.opcode == \"request\"", "arp.opcode in {\"reply\"}",
    "tcp.flags.syn == 1 && tcp.flags.ack == 0", "tcp.flags.str contains \"S\"",
    "icmp.type == 8 || icmp.type == 0", "ip.proto in {\"TCP\", \"UDP\"}", "tcp.flags.syn > 0",
)  # fmt: skip
_LAYERS = (
    "ip.src#1 == 192.168.0.0/16", "ip.addr#2", "ip.dst#[-1] == 224.0.0.0/4", "ip.ttl#2 > 1",
    "ip.addr#[1-2] == 10.0.0.0/8", "ip.src#[2:]", "vlan.id#2", "eth.src#2", "udp.port#2 == 53",
    "tcp.port#1 == 80", "ip.proto#[-1] == 6",
)  # fmt: skip
_LOGIC = (
    "tcp", "udp", "ip", "ipv6", "arp", "icmp", "eth", "vlan", "not ip", "tcp or udp", "!tcp && ip",
    "tcp and ip and not ipv6", "ip or arp or ipv6", "not (tcp or udp)", "not tcp and not udp",
    "tcp.port == 80 and ip.addr == 10.0.0.0/8 or udp.port == 53",
    "(udp.port == 53 or udp.port == 67) and ip.ttl > 1", "not not tcp", "!(ip.ttl == 64) and ip",
    "tcp.srcport == 80 or tcp.dstport == 80 and tcp.len > 0", "ip.ttl < ip.len < 100",
    "udp.srcport <= udp.dstport <= ip.len", "tcp and not tcp.options.mss_val", "not arp and not ip",
    "dns", "mdns", "llmnr", "udp.port == 53 and not dns", "dns contains \"com\"",
)  # fmt: skip
_FRAME = (
    "frame", "frame.cap_len < frame.len", "frame.cap_len == frame.len", "frame.len > 100",
    "frame.time_relative > 1", "frame.time_relative < 0.001",
    "frame.time > \"2005-01-01 00:00:00\"",
    "frame.time < \"Jan 1, 2012 00:00:00\"", "frame.time_epoch >= 1300000000",
    "frame.number in {1 .. 5, 100 .. 200}", "frame.time_relative in {0.5 .. 2}",
)  # fmt: skip
_FURTHER = (
    "not ip.addr in {10.0.0.0/8, 192.168.0.0/16, 127.0.0.0/8}",
    "ipv6.src in {2000:: .. 3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff}",
    "eth.src in {00:00:00:00:00:00 .. 7f:ff:ff:ff:ff:ff, ff:ff:ff:ff:ff:ff}",
    "udp.port in {0x35, 0103, 1900}",
    "ip.proto in {\"TCP\", \"ICMP\"} or arp.opcode in {\"request\"}",
    "tcp.srcport in {tcp.dstport, 80}",
    "frame[:] contains 00:00:00:00:00:00",
    "eth.src[:] == eth.addr[0:6]",
    "eth.dst[0] & 1",
    "eth.dst[0:1] & 02",
    "ip.src[-1] == ip.dst[-1]",
    "eth.src[2-4] == eth.dst[2-4]",
    "frame[0:2,12:2] contains 08:00",
    "frame[12-13,-2:] == 08:00:00:00",
    "tcp[13] & 0x02",
    "udp[0:2] == udp[2:2]",
    "icmp[0:2] == 03:03 or icmp[0:2] == 0b:00",
    "icmp[8:4] == 61:62:63:64",
    "icmp[8:] contains 45:00",
    "icmpv6[8:2] == fe:80",
    "vlan[0:2] & 0f:ff",
    "tcp.options[0:2] == 02:04",
    "eth.addr == ff-ff-ff-ff-ff-ff or eth.addr == 0100.5e00.0001",
    "eth.src matches \"^\\\\x00\"",
    "eth.dst matches \"\\\\xff{3}\"",
    "ip.src !== 10.0.0.0/8 or ip.dst === 10.0.0.0/8",
    "any ip.addr != 192.168.0.0/16",
    "any eth.addr != ff:ff:ff:ff:ff:ff",
    "not all tcp.port > 1023",
    "ip.src#1 != ip.dst#2",
    "ip.proto#[2:] == 17",
    "ip.addr#[1,3] == 10.0.0.0/8",
    "ip.src#[-2] == 0.0.0.0/0",
    "icmp and ip.proto#2 == 17",
    "icmp.type == 3 and udp.dstport",
    "count(ip.src) == 2 and icmp",
    "count(tcp.options.mss_val) == 1",
    "len(tcp.payload) == tcp.len",
    "len(udp.payload) + 8 == udp.length",
    "max(ip.len) - min(ip.len) > 0",
    "max(eth.src) == eth.src",
    "abs(-ip.len) > 1000",
    "-ip.ttl < -100",
    "{ip.len + 3} / 4 * 4 == ip.len",
    "tcp.seq_raw < tcp.ack_raw",
    "tcp.ack_raw & 0x80000000",
    "ip.src & 255.255.255.0 == ip.dst & 255.255.255.0",
    "eth.dst & 01:00:00:00:00:00 == 01:00:00:00:00:00",
    "string(ip.src)[0:3] == \"192\"",
    "string(ipv6.dst) matches \"^ff02::\"",
    "string(frame.len)[0] == \"6\"",
    "upper(tcp.flags.str) contains \"S\"",
    "tcp.flags.str == \"·······A····\"",
    "ip.flags.df > ip.flags.mf",
    "tcp.flags.syn in {1}",
    "ip.dsfield.dscp == \"Default\"",
    "ip.version === 6",
    "arp.src.hw_mac == eth.src",
    "icmp.ident == icmp.seq",
    "icmpv6.type in {133 .. 137}",
    "ipv6.nxt == 58 or ipv6.nxt == \"TCP\"",
    "ipv6.hopopts or ipv6.fraghdr or ipv6.routing",
    "vlan.etype == 0x0800",
    "vxlan.vni > 0",
    "tcp.options.timestamp.tsval > tcp.options.timestamp.tsecr",
    "tcp.options.sack_le < tcp.options.sack_re",
    "ip.options.routeralert",
    "tcp.options.mss == 02:04:05:b4",
    "tcp.options.nop == tcp.options[0:1]",
    "tcp.options.mss contains 05",
    "tcp.options.wscale > 03:03:01",
    "dns contains 00:01:00:01",
    "frame matches \"(?i)user-agent\" and tcp.dstport == 80",
    "udp.payload matches \"(?s)^.{4}\\\\x00\\\\x00\"",
    "tcp.payload ~ \"[0-9]{4}\"",
    "frame[0:14] matches \"\\\\x08\\\\x00$\"",
    "not (ip.src == 10.0.0.0/8 and ip.dst == 10.0.0.0/8) and ip",
    "tcp && ip.len > 100 || udp && ip.len < 100",
    "ip.ttl < ip.len > ip.hdr_len",
    "tcp.srcport < tcp.dstport < 5000",
    "frame.time >= \"2010-01-01T00:00:00Z\"",
    "ip.checksum == 0",
    "eth.len",
    "llc and not ip",
)  # fmt: skip


def comparable_filters() -> list[str]:
    """Return all of them, each once."""
    lists = (_ADDRESSES, _BYTES, _ARITHMETIC, _WORDS, _LAYERS, _LOGIC, _FRAME, _FURTHER, TYPED)
    every = [*_numbers(), *(text for part in lists for text in part)]
    return list(dict.fromkeys(every))


ONE_SIDED = frozenset({
    "any ip.len < 21", "all ip.id >= 65535", "ip.proto == 200", "any ip.hdr_len < 20",
    "all ip.frag_offset > 0 and ip.frag_offset", "tcp.port == 65535", "any tcp.flags < 2",
    "any tcp.urgent_pointer != 0", "all tcp.urgent_pointer === 1",
    "all tcp.urgent_pointer > 0 and tcp.urgent_pointer", "any tcp.options.mss_val < 536",
    "any udp.srcport < 53", "udp.srcport == 4789", "all udp.port === 4789", "udp.length == 8",
    "icmp.type == 11", "any icmp.code < 0", "all vlan.id === 100", "ipv6.src == ipv6.dst",
    "udp[4:2] == 00:08", "tcp.srcport + 1 == tcp.dstport", "icmp.type + icmp.code == 3",
    "len(udp.payload) == 4", "udp.port#2 == 53", "udp.port == 53 and not dns",
    "frame.cap_len < frame.len", "not ip.id in {65535}", "not ip.proto in {200}",
    "not ip.dsfield.dscp in {63}", "not ip.frag_offset in {1480}", "not tcp.srcport in {1234}",
    "not tcp.dstport in {1234}", "not tcp.port in {65535}", "not tcp.urgent_pointer in {1}",
    "not udp.srcport in {4789}", "not icmp.type in {11}", "not vlan.id in {4095}", "frame",
    "frame.cap_len == frame.len", "not all tcp.port > 1023",
})  # fmt: skip
"""Filters that pass no packet of the captures, or all of them, in tshark too."""
