"""IPv4 in other tools: scapy's class, the options of nping and hping3, the word of tcpdump."""

from __future__ import annotations

from core.wire.model.other_tools import (
    Argument,
    CommandOptions,
    OtherTools,
    ScapyLayer,
    ScapyOptions,
)

FRAGMENT_UNIT = 8  # bytes; the fragment offset counts these (RFC 791 §3.1)

TOOLS = OtherTools(
    scapy=ScapyLayer(
        "IP",
        {
            "version": "version",
            "hdr_len": "ihl",
            "dsfield": "tos",
            "len": "len",
            "id": "id",
            "flags": "flags",
            "frag_offset": "frag",
            "ttl": "ttl",
            "proto": "proto",
            "checksum": "chksum",
            "src": "src",
            "dst": "dst",
        },
        options=ScapyOptions.RAW,
    ),
    nping=CommandOptions(
        arguments={
            "ttl": Argument("--ttl"),
            "id": Argument("--id"),
            "dsfield": Argument("--tos"),
            "flags.df": Argument("--df", is_flag=True),
            "flags.mf": Argument("--mf", is_flag=True),
            "flags.rb": Argument("--evil", is_flag=True),
            "src": Argument("-S", is_text=True, unless_zero=True),
        },
        target="dst",
    ),
    hping3=CommandOptions(
        arguments={
            "ttl": Argument("-t"),
            "id": Argument("-N"),
            "dsfield": Argument("-o", is_hexadecimal=True, unless_zero=True),
            "flags.df": Argument("-y", is_flag=True),
            "flags.mf": Argument("-x", is_flag=True),
            "frag_offset": Argument("-g", unless_zero=True, factor=FRAGMENT_UNIT),
            "src": Argument("-a", is_text=True, unless_zero=True),
        },
        target="dst",
    ),
    pcap="ip",
)
