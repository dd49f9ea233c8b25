"""The options of a TCP header, each a small table.

RFC 9293 §3.2 (end, no operation, maximum segment size), RFC 7323 (window scale, timestamps), RFC
2018 (selective acknowledgment), RFC 7413 (fast open), RFC 2385 (MD5), RFC 5925 (authentication),
RFC 5482 (user timeout), RFC 8684 (multipath), RFC 6994 (experiments).
"""

from __future__ import annotations

from core.wire.model.field import Field
from core.wire.model.options import OptionKind, OptionList
from core.wire.model.table import HeaderTable

END, NO_OPERATION, MAXIMUM_SEGMENT_SIZE, WINDOW_SCALE, SACK_PERMITTED, SACK = 0, 1, 2, 3, 4, 5
ECHO, ECHO_REPLY, TIMESTAMPS, MD5, QUICK_START, USER_TIMEOUT = 6, 7, 8, 19, 27, 28
AUTHENTICATION, MULTIPATH, FAST_OPEN, EXPERIMENT_1, EXPERIMENT_2 = 29, 30, 34, 253, 254

MULTIPATH_KINDS = {
    0: "MP_CAPABLE",
    1: "MP_JOIN",
    2: "DSS",
    3: "ADD_ADDR",
    4: "REMOVE_ADDR",
    5: "MP_PRIO",
    6: "MP_FAIL",
    7: "MP_FASTCLOSE",
    8: "MP_TCPRST",
}


def _table(title: str, spec: str, *fields: Field) -> HeaderTable:
    return HeaderTable("tcp.options", f"TCP option: {title}", spec, *fields, start=2)


MSS_TABLE = _table(
    "maximum segment size",
    "RFC 9293 §3.2",
    Field("mss_val", 16, "Maximum segment size", suffix="bytes", default=1460),
)
GREATEST_SHIFT = 14  # a greater shift count is used as this one (RFC 7323 §2.3)
WINDOW_SCALE_TABLE = _table(
    "window scale",
    "RFC 7323 §2",
    Field(
        "wscale.shift",
        8,
        "Shift count",
        values=dict.fromkeys(range(GREATEST_SHIFT + 1, 256), f"used as {GREATEST_SHIFT}"),
    ),
)
SACK_TABLE = _table(
    "selective acknowledgment",
    "RFC 2018 §3",
    Field("sack_le", 32, "Left edge"),
    Field("sack_re", 32, "Right edge"),
)
ECHO_TABLE = _table("echo", "RFC 1072", Field("echo_value", 32, "Echo value"))
TIMESTAMPS_TABLE = _table(
    "timestamps",
    "RFC 7323 §3.2",
    Field("timestamp.tsval", 32, "Timestamp value"),
    Field("timestamp.tsecr", 32, "Timestamp echo reply"),
)
USER_TIMEOUT_TABLE = _table(
    "user timeout",
    "RFC 5482 §3",
    Field("user_to_granularity", 1, "Granularity", values={0: "Seconds", 1: "Minutes"}),
    Field("user_to_val", 15, "User timeout"),
)
AUTHENTICATION_TABLE = _table(
    "authentication",
    "RFC 5925 §2.2",
    Field("ao.keyid", 8, "Key identifier"),
    Field("ao.rnextkeyid", 8, "Key identifier to receive next"),
)
MULTIPATH_TABLE = _table(
    "multipath",
    "RFC 8684 §3",
    Field("mptcp.subtype", 4, "Subtype", values=MULTIPATH_KINDS),
    Field("mptcp.version", 4, "Version or flags"),
)
EXPERIMENT_TABLE = _table(
    "experiment", "RFC 6994 §3", Field("experimental.exid", 16, "Experiment", base=16)
)

TABLES = (
    MSS_TABLE,
    WINDOW_SCALE_TABLE,
    SACK_TABLE,
    ECHO_TABLE,
    TIMESTAMPS_TABLE,
    USER_TIMEOUT_TABLE,
    AUTHENTICATION_TABLE,
    MULTIPATH_TABLE,
    EXPERIMENT_TABLE,
)

OPTIONS = OptionList(
    "tcp.options",
    {
        END: OptionKind("tcp.options.eol", "End of options"),
        NO_OPERATION: OptionKind("tcp.options.nop", "No operation"),
        MAXIMUM_SEGMENT_SIZE: OptionKind("tcp.options.mss", "Maximum segment size", MSS_TABLE),
        WINDOW_SCALE: OptionKind("tcp.options.wscale", "Window scale", WINDOW_SCALE_TABLE),
        SACK_PERMITTED: OptionKind("tcp.options.sack_perm", "SACK permitted"),
        SACK: OptionKind("tcp.options.sack", "SACK", SACK_TABLE, repeated=True),
        ECHO: OptionKind("tcp.options.echo", "Echo", ECHO_TABLE),
        ECHO_REPLY: OptionKind("tcp.options.echoreply", "Echo reply", ECHO_TABLE),
        TIMESTAMPS: OptionKind("tcp.options.timestamp", "Timestamps", TIMESTAMPS_TABLE),
        MD5: OptionKind("tcp.options.md5", "MD5 signature"),
        QUICK_START: OptionKind("tcp.options.qs", "Quick-Start response"),
        USER_TIMEOUT: OptionKind("tcp.options.user_to", "User timeout", USER_TIMEOUT_TABLE),
        AUTHENTICATION: OptionKind("tcp.options.ao", "Authentication", AUTHENTICATION_TABLE),
        MULTIPATH: OptionKind("tcp.options.mptcp", "Multipath TCP", MULTIPATH_TABLE),
        FAST_OPEN: OptionKind("tcp.options.tfo", "Fast Open"),
        EXPERIMENT_1: OptionKind("tcp.options.experimental", "Experiment", EXPERIMENT_TABLE),
        EXPERIMENT_2: OptionKind("tcp.options.experimental", "Experiment", EXPERIMENT_TABLE),
    },
)
