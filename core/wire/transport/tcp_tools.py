"""TCP in other tools: scapy's class, and the options of nping and hping3."""

from __future__ import annotations

from core.wire.model.other_tools import (
    Argument,
    CommandOptions,
    OtherTools,
    ScapyLayer,
    ScapyOptions,
)

_NPING_FLAGS = {
    "flags.fin": "fin",
    "flags.syn": "syn",
    "flags.reset": "rst",
    "flags.push": "psh",
    "flags.ack": "ack",
    "flags.urg": "urg",
    "flags.ece": "ecn",
    "flags.cwr": "cwr",
}

TOOLS = OtherTools(
    scapy=ScapyLayer(
        "TCP",
        {
            "srcport": "sport",
            "dstport": "dport",
            "seq_raw": "seq",
            "ack_raw": "ack",
            "hdr_len": "dataofs",
            "flags": "flags",
            "window_size_value": "window",
            "checksum": "chksum",
            "urgent_pointer": "urgptr",
        },
        options=ScapyOptions.PAIRS,
    ),
    nping=CommandOptions(
        ("--tcp",),
        {
            "srcport": Argument("-g"),
            "dstport": Argument("-p"),
            "flags": Argument("--flags", flag_words=_NPING_FLAGS, no_flags="0x00"),
            "seq_raw": Argument("--seq"),
            "ack_raw": Argument("--ack"),
            "window_size_value": Argument("--win"),
        },
    ),
    hping3=CommandOptions(
        ("-k",),
        {
            "srcport": Argument("-s"),
            "dstport": Argument("-p"),
            "seq_raw": Argument("-M"),
            "ack_raw": Argument("-L"),
            "window_size_value": Argument("-w"),
            "flags.fin": Argument("-F", is_flag=True),
            "flags.syn": Argument("-S", is_flag=True),
            "flags.reset": Argument("-R", is_flag=True),
            "flags.push": Argument("-P", is_flag=True),
            "flags.ack": Argument("-A", is_flag=True),
            "flags.urg": Argument("-U", is_flag=True),
            "flags.ece": Argument("-X", is_flag=True),
            "flags.cwr": Argument("-Y", is_flag=True),
        },
    ),
    pcap="tcp",
)
