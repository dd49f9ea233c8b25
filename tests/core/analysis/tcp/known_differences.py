"""The packets of the shared captures whose analysis differs from that of tshark 4.0.17, and why.

For each capture, the numbers of the packets by field, and a digest of the values of both programs.
A test compares them exactly: a difference that is not here fails, and so does one here that no
longer exists, or has other values.
"""

from __future__ import annotations

from collections.abc import Mapping

REASONS = {
    "tcp.analysis.retransmission": "rawscope judges by the bytes that it saw",
    "tcp.analysis.fast_retransmission": "as the duplicate ACKs before it",
    "tcp.analysis.out_of_order": "as retransmission",
    "tcp.analysis.ack_lost_segment": "said again after duplicate ACKs, of which there are more",
    "tcp.analysis.duplicate_ack": "tshark 4.6, not 4.0, counts those with SACK and another window",
    "tcp.analysis.duplicate_ack_num": "as duplicate_ack",
    "tcp.analysis.duplicate_ack_frame": "as duplicate_ack",
    "tcp.analysis.window_update": "as duplicate_ack",
    "tcp.analysis.rto": "as retransmission",
    "tcp.analysis.rto_frame": "as retransmission",
    "tcp.analysis.flags": "as all of these",
    "tcp.completeness": "a reused port, and a damaged header, at the start of a stream",
    "tcp.time_delta": "a quoted segment counts as one of the stream",
    "tcp.analysis.initial_rtt": "a packet about which tshark says nothing else",
}
"""Fields that differ in a few packets, and why."""

UNLIKE = {
    "/gtp/": "rawscope does not read GTP, so the headers in it have no analysis",
    "pcapng-test-generator": "tshark counts custom blocks as packets",
}
"""Parts of the names of captures that are read differently, and why; any field may differ."""

_DUPLICATE_ACKS = (118, 119, 123, 171, 172, 173, 175, 178, 179, 213)

DIFFERENCES: Mapping[str, Mapping[str, tuple[int, ...]]] = {
    "OISF+suricata-verify/tests/ipv6-evasion/ipv6-kill-router-gateway/kill_router6.pcap": {
        "tcp.time_delta": (
            9,
            13,
            15,
        ),
    },
    "OISF+suricata-verify/tests/issue-3341-tcphdr-01/urgent11_cve_2019_12260.pcap": {
        "tcp.completeness": (7,),
    },
    "OISF+suricata-verify/tests/output-eve-ftp-data/input.pcap": {
        "tcp.completeness": (
            1053,
            1054,
            1058,
            1059,
            1060,
            1061,
            1064,
            1203,
            1204,
            1206,
            1207,
            1208,
            1209,
            1212,
        ),
    },
    "OISF+suricata-verify/tests/ssh-banner-only/input.pcap": {
        "tcp.analysis.initial_rtt": (15,),
    },
    "gopacket+gopacket/pcapgo/tests/le/test301.pcapng": {
        "tcp.analysis.initial_rtt": (14,),
        "tcp.analysis.window_update": _DUPLICATE_ACKS,
        "tcp.analysis.duplicate_ack": _DUPLICATE_ACKS,
        "tcp.analysis.duplicate_ack_num": _DUPLICATE_ACKS,
        "tcp.analysis.duplicate_ack_frame": _DUPLICATE_ACKS,
        "tcp.analysis.retransmission": (
            121,
            180,
        ),
        "tcp.analysis.fast_retransmission": (
            121,
            180,
        ),
        "tcp.analysis.out_of_order": (
            121,
            180,
        ),
        "tcp.analysis.flags": (
            124,
            181,
            216,
        ),
        "tcp.analysis.ack_lost_segment": (
            124,
            181,
            216,
        ),
    },
    "hadrielk+pcapng-test-generator/output_be/advanced/test102.pcapng": {
        "udp.stream": (
            4,
            5,
        ),
        "udp.time_relative": (
            4,
            5,
        ),
        "udp.time_delta": (
            4,
            5,
        ),
    },
    "hadrielk+pcapng-test-generator/output_be/difficult/test202.pcapng": {
        "udp.time_relative": (
            4,
            5,
            6,
            8,
        ),
        "udp.time_delta": (
            4,
            5,
        ),
        "udp.stream": (
            6,
            8,
        ),
    },
    "seladb+PcapPlusPlus/Tests/ExamplesTest/pcap_examples/many-protocols.pcap": {
        "tcp.analysis.retransmission": (2599,),
        "tcp.analysis.out_of_order": (2599,),
        "tcp.analysis.rto": (2599,),
        "tcp.analysis.rto_frame": (2599,),
        "tcp.analysis.flags": (3013,),
        "tcp.analysis.ack_lost_segment": (3013,),
    },
    "zeek+zeek/testing/btest/Traces/tunnels/gtp/gtp9_unknown_or_too_short_payload.pcap": {
        "tcp.stream": (
            3,
            6,
            11,
            15,
        ),
        "tcp.completeness": (
            3,
            6,
            11,
            15,
        ),
        "tcp.seq": (
            3,
            6,
            11,
            15,
        ),
        "tcp.ack": (
            3,
            6,
            11,
            15,
        ),
        "tcp.window_size": (
            3,
            6,
            11,
            15,
        ),
        "tcp.window_size_scalefactor": (
            3,
            6,
            11,
            15,
        ),
        "tcp.time_relative": (
            3,
            6,
            11,
            15,
        ),
        "tcp.time_delta": (
            3,
            6,
            11,
            15,
        ),
        "udp.time_relative": (
            3,
            6,
            11,
            12,
            15,
        ),
        "udp.time_delta": (
            3,
            6,
            11,
            15,
        ),
        "tcp.analysis.flags": (
            6,
            11,
            15,
        ),
        "tcp.analysis.ack_lost_segment": (
            6,
            15,
        ),
        "tcp.analysis.lost_segment": (11,),
    },
    "challenge01_ooo_stream.pcapng.gz": {
        "tcp.analysis.window_update": (176,),
        "tcp.analysis.duplicate_ack": (176,),
        "tcp.analysis.duplicate_ack_num": (176,),
        "tcp.analysis.duplicate_ack_frame": (176,),
        "tcp.analysis.flags": (187,),
        "tcp.analysis.ack_lost_segment": (187,),
    },
    "http-ooo.pcap": {
        "tcp.analysis.retransmission": (5,),
        "tcp.analysis.out_of_order": (5,),
        "tcp.analysis.rto": (5,),
        "tcp.analysis.rto_frame": (5,),
    },
}

DIGESTS: Mapping[str, str] = {
    "OISF+suricata-verify/tests/ipv6-evasion/ipv6-kill-router-gateway/kill_router6.pcap": (
        "389eef5305f000e9"
    ),
    "OISF+suricata-verify/tests/issue-3341-tcphdr-01/urgent11_cve_2019_12260.pcap": (
        "ecb7147e0d8540c4"
    ),
    "OISF+suricata-verify/tests/output-eve-ftp-data/input.pcap": ("ba1d11c1cb62edf5"),
    "OISF+suricata-verify/tests/ssh-banner-only/input.pcap": ("86e2c3150c961263"),
    "gopacket+gopacket/pcapgo/tests/le/test301.pcapng": ("fa2ba17b563c1903"),
    "hadrielk+pcapng-test-generator/output_be/advanced/test102.pcapng": ("6a8390e36acce9b8"),
    "hadrielk+pcapng-test-generator/output_be/difficult/test202.pcapng": ("6aec8993f4b3d12c"),
    "seladb+PcapPlusPlus/Tests/ExamplesTest/pcap_examples/many-protocols.pcap": (
        "77bef5cdc851a2e2"
    ),
    "zeek+zeek/testing/btest/Traces/tunnels/gtp/gtp9_unknown_or_too_short_payload.pcap": (
        "77039059ea05993f"
    ),
    "challenge01_ooo_stream.pcapng.gz": ("43a9b0ce4d62064a"),
    "http-ooo.pcap": ("afd82e87f0ebb9ca"),
}
"""A digest of the values of both programs in all of these packets, by capture.

`test_captures` computes it, and shows the values where it differs.
"""
