"""Filters as a user of Wireshark types them, for the comparison with tshark.

One a line, so that they stand here as in a filter bar: two spellings of one operator, blanks or
none, names of flags in any case, ranges of addresses, bytes of headers, layers, and functions.
"""

from __future__ import annotations

TYPED = r"""
tcp.port == 443 || tcp.port == 80
tcp.port==80 or udp.port==80
ip.addr == 192.168.0.0/16 && !(tcp.port == 443)
ip.addr != 192.168.1.1
not arp and not dns and not icmp
tcp.flags.syn == 1 and tcp.flags.ack == 0
tcp.flags.syn==1 && tcp.flags.ack==1
tcp.flags == 0x012
tcp.flags == 0x02
tcp.flags & 0x17 == 0x10
tcp.flags.fin == TRUE
tcp.flags.push
tcp.len > 0 && tcp.len < 100
tcp.len gt 0
tcp.window_size_value lt 1000 and tcp
tcp.hdr_len > 20
tcp.options.mss_val == 1460
tcp.options.wscale.shift == 7
tcp.options.sack_perm
tcp.options.timestamp.tsval > 0
tcp.options.timestamp
tcp.options
tcp.options.nop
tcp.options.mss
tcp.options.wscale
tcp.options contains 01:01
tcp.port in {80, 443, 8080}
tcp.port in {80,443,8000..8100}
tcp.dstport in {1..1023}
udp.port in {53, 67, 68, 5353}
not tcp.port in {80}
tcp.port not in {80, 443}
tcp.srcport >= 49152 && tcp.dstport < 1024
tcp contains "HTTP"
tcp contains 48:54:54:50
tcp contains "GET /"
tcp matches "(?i)user-agent"
tcp.payload matches r"^HTTP/1\.[01] [23]\d\d"
tcp.payload contains "Content-Type"
udp.length > 500
udp.length < 50 and udp
icmp.type == 3 and icmp.code == 3
icmp.type in {0, 8}
icmp.seq > 1
icmp.ident
icmp.checksum
icmp or icmpv6
icmpv6.type == 135 or icmpv6.type == 136
icmpv6.nd.ns.target_address
ipv6.nxt == 58
ipv6.nxt == 6
ipv6.hlim < 64
ipv6.flow == 0
ipv6.tclass == 0
ipv6.addr == ff02::/16
ipv6.dst == ff02::1:ff00:0/104
ipv6.src[0:2] == fe:80 && icmpv6
ipv6.version == 6
ip.version == 4 && ip.hdr_len == 20
ip.hdr_len > 20
ip.len <= 40
ip.len > 1400 && ip.flags.df == 1
ip.ttl in {1, 2, 255}
ip.ttl < 5
ip.ttl == 0x40
ip.ttl == 0100
ip.id == 0x0000
ip.proto == 17
ip.proto == 1 or ip.proto == 58
ip.proto == "ICMP"
ip.dsfield == 0
ip.dsfield.dscp == 0
ip.dsfield.ecn != 0
ip.dsfield.dscp != 0
ip.src == 10.0.0.0/8 or ip.src == 172.16.0.0/12 or ip.src == 192.168.0.0/16
ip.dst == 255.255.255.255
ip.dst == 239.255.255.250
ip.dst[0] == e0
ip.dst[0:1] >= e0
ip.src[0:3] == ip.dst[0:3]
ip.addr >= 192.168.0.0 && ip.addr <= 192.168.255.255
eth.dst[0] & 0x01
eth.dst.ig == 1
eth.src.lg == 0
eth.ig == 1 and ip
eth.lg == 1
eth.addr.oui == 0x01005e
ip.src_host contains "192.168"
ip.host matches r"\.255$"
ipv6.host contains "fe80"
eth.type == 0x0800
eth.type == 0x86dd
eth.type == 0x0806
eth.type != 0x0800
eth.type == "IPv4"
arp.opcode == 2
arp.src.proto_ipv4 == arp.dst.proto_ipv4
arp.proto.type == 0x0800
arp.hw.size == 6
arp.dst.proto_ipv4 == 192.168.0.0/16
vlan.priority > 0
vlan.id > 0 and ip
mpls.label
mpls.ttl > 1
mpls.bottom == 1
vxlan
llc
llc.dsap == 0xaa
ppp
chdlc
igmp
ah
ah.spi
dns && udp.port == 53
dns or mdns
dns contains "google"
mdns && ipv6
frame.len > 1000
frame.len == 60
frame.len in {60..64}
frame.cap_len < 60
frame.number == 1
frame.number >= 10 && frame.number <= 20
frame.number in {1, 3, 5}
frame.time_delta > 0.1
frame.time_delta > 1
frame.time_relative >= 1 && frame.time_relative <= 2
frame.time >= "2010-01-01 00:00:00"
frame.time >= "Jan  1, 2010 00:00:00"
frame.time >= "2010-01-01"
frame.time < "2010-01-01 12:00:00Z"
frame.protocols contains "tcp"
frame contains "user"
frame contains ff:ff:ff:ff
frame matches "pass(word)?"
frame matches "\\.com"
frame matches "^\\xff{6}"
frame[12:2] == 86:dd
frame[14] & 0xf0 == 0x40
frame[-1] == 00
frame[-4:] == 00:00:00:00
frame[5000]
tcp[0:2] == 00:50
tcp[2:2] == 00:50
tcp[13] == 0x02
udp[4:2] > 00:40
ip[0] == 0x45
ip[0] & 0x0f > 5
ip[8] < 0x05
ip[9] == 0x06
ip[6:2] & 40:00
ip[12:4] == 0a:00:00:01
ip[16] == 0xe0
icmp[0] == 0x08
icmp[4:]
tcp.payload
udp.payload
len(tcp.payload) == 1
count(ip.src) > 1
count(tcp.port) == 2
max(ip.ttl) == 64
udp.srcport == udp.dstport && udp
ip.ttl + 1 == 65
ip.ttl * 2 == 128
ip.len - ip.hdr_len == 20
ip.len == tcp.len + 40
{ip.ttl + 1} * 2 > 200
ip.id % 4 == 0
string(tcp.port) matches "^80"
string(ip.dst) contains "255"
string(frame.len) == "60"
tcp.seq_raw > 0x7fffffff
any tcp.port == 80
all ip.addr == 192.168.0.0/16
any ip.ttl > 64
ip.addr === 192.168.0.0/16
tcp.port !== 443 && tcp
!tcp.port == 80
!!tcp
! (udp || arp)
tcp and (ip or ipv6)
((tcp))
tcp&&ip||udp
tcp || udp && ip.ttl == 1
not tcp or not udp
ip.src == 1.2.3.4 or tcp and not udp
tcp.dstport > tcp.srcport
ip.src in {192.168.0.0/16, 10.0.0.0/8}
eth.src in {00:00:00:00:00:00 .. 00:50:ff:ff:ff:ff}
ipv6.dst in {ff02::1, ff02::2, ff02::16}
ip.proto in {6, 17}
ip.proto in {"TCP" , 17}
tcp.flags.str matches "S"
tcp.flags.str == "·······A···F"
tcp.flags.str contains "P"
ip#2
ip.ttl#[-1] > 10
eth#2
udp#1
eth.type#2
ip.addr#1 == 10.0.0.0/8
tcp.flags.syn == "Set"
tcp.flags.syn == "set"
tcp.flags.syn == 2
tcp ~ "http"
frame ~ "get"
udp.port == 0x35
udp.port == 065
udp.port == 0b110101
tcp.port == 'P'
ip.ttl == +64
  tcp.port   ==   80
udp.stream == 0
tcp.stream == 0
tcp.stream eq 1
tcp.stream in {0, 2, 4}
tcp.stream > 5 and tcp.flags.syn == 1
tcp.analysis.duplicate_ack
tcp.analysis.lost_segment
tcp.analysis.ack_rtt > 0.01
tcp.time_delta > 1
tcp.time_relative > 1
tcp.seq == 0
tcp.seq == 1 and tcp.ack == 1
tcp.ack > 1000
tcp.window_size > 65535
tcp.completeness == 31
""".strip("\n").split("\n")
"""Filters that mean the same to tshark 4.0 and 4.6; each passes some of the compared packets."""
