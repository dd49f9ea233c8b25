"""The options inside IPv6's hop-by-hop and destination headers.

RFC 8200 §4.2. The top two bits of the type say what a node does that does not know the option, the
third whether routers may change it; the tables go by the whole byte.

RFC 8504 §5.3 lets a node bound how many options it reads, and Linux stops after 8
(net.ipv6.max_hbh_opts_number). rawscope searches as many for the jumbo payload option, since it
does so for every packet; senders put that option first.
"""

from __future__ import annotations

from core.wire.model.field import Field, IPv6Address
from core.wire.model.options import OptionKind, OptionList
from core.wire.model.table import HeaderTable

JUMBO_WITHIN = 8  # options
PAD_1, PAD_N, ROUTER_ALERT, JUMBO, HOME_ADDRESS = 0, 1, 5, 0xC2, 0xC9

ALERT_TABLE = HeaderTable(
    "ipv6.opt",
    "IPv6 option: router alert",
    "RFC 2711 §2.1",
    Field("router_alert", 16, "Router alert", values={0: "MLD", 1: "RSVP", 2: "Active networks"}),
    start=2,
)
JUMBO_TABLE = HeaderTable(
    "ipv6.opt",
    "IPv6 option: jumbo payload",
    "RFC 2675 §2",
    Field("jumbo", 32, "Payload length", suffix="bytes"),
    start=2,
)
HOME_TABLE = HeaderTable(
    "ipv6.opt",
    "IPv6 option: home address",
    "RFC 6275 §6.3",
    IPv6Address("home_address", "Home address"),
    start=2,
)
TABLES = (ALERT_TABLE, JUMBO_TABLE, HOME_TABLE)

OPTIONS = OptionList(
    "ipv6.opt",
    {
        PAD_1: OptionKind("ipv6.opt.pad1", "One byte of padding"),
        PAD_N: OptionKind("ipv6.opt.padn", "Padding"),
        ROUTER_ALERT: OptionKind("ipv6.opt.alert", "Router alert", ALERT_TABLE),
        JUMBO: OptionKind("ipv6.opt.jumbo_payload", "Jumbo payload", JUMBO_TABLE),
        HOME_ADDRESS: OptionKind("ipv6.opt.home", "Home address", HOME_TABLE),
    },
    single=frozenset({PAD_1}),
    end=None,
    inclusive=False,
)
