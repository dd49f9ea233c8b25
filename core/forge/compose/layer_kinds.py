"""The layers that a draft can be made of, each with its tables from `core.wire`.

A *kind* is one way to write a layer: IPv4 is one, Ethernet II and 802.3 are two. Its inputs are the
fields of its tables, and one more for the *body* where the protocol has one: options, or other
bytes that are in no table. Headers that go on depending on their type (ICMP's) take the
continuation that the type asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from core.wire.link import ethernet, vlan
from core.wire.model.field import Value
from core.wire.model.options import OptionList
from core.wire.model.table import HeaderTable
from core.wire.network import arp, icmp, icmpv6, igmp, ipv4, ipv4_options, ipv6, ipv6_options
from core.wire.transport import sctp, tcp, tcp_options, udp


class LayerPosition(IntEnum):
    """Where a kind stands in a packet; lower is further out."""

    LINK = 0
    TAG = 1
    NETWORK = 2
    EXTENSION = 3
    TRANSPORT = 4


@dataclass(frozen=True, slots=True)
class LayerKind:
    """One way to write a layer. `body` is the label of the input for the bytes behind the tables,
    empty where there are none; `options` how those are entered by name, `example` a text for it."""

    name: str
    title: str
    place: LayerPosition
    tables: tuple[HeaderTable, ...]
    continuations: tuple[HeaderTable, ...] = ()
    body: str = ""
    options: OptionList | None = None
    example: str = ""

    @property
    def body_hint(self) -> str:
        """What may be typed for the body, in a few words."""
        return f"{self.example} or hex:…" if self.options is not None else "hex"

    @property
    def prefix(self) -> str:
        """What the names of its fields begin with."""
        return self.tables[0].name

    def tables_for(self, given: Mapping[str, Value]) -> tuple[HeaderTable, ...]:
        """The tables in use where these values were given (by name inside the table)."""
        tables = self.tables
        for table in self.continuations:
            if table.when is None:
                continue
            key, numbers = table.when
            number = given.get(key, tables[0][key].field.default)
            if number in numbers and table.start == tables[-1].stop:
                tables += (table,)
        return tables


_OPTIONS = "Options"
_REST = "Rest of the header"

_KINDS = (
    LayerKind("eth", "Ethernet II", LayerPosition.LINK, (ethernet.ETHERNET,)),
    LayerKind("802.3", "IEEE 802.3 Ethernet", LayerPosition.LINK, (ethernet.ETHERNET_802_3,)),
    LayerKind("ieee8021ad", "802.1ad provider VLAN", LayerPosition.TAG, (vlan.PROVIDER,)),
    LayerKind("vlan", "802.1Q VLAN", LayerPosition.TAG, (vlan.VLAN,)),
    LayerKind("arp", "ARP", LayerPosition.NETWORK, (arp.ARP, arp.ARP_IPV4)),
    LayerKind(
        "ip",
        "IPv4",
        LayerPosition.NETWORK,
        (ipv4.IPV4,),
        body=_OPTIONS,
        options=ipv4_options.OPTIONS,
        example="router_alert,nop",
    ),
    LayerKind("ipv6", "IPv6", LayerPosition.NETWORK, (ipv6.IPV6,)),
    LayerKind(
        "ipv6.hopopts",
        "IPv6 hop-by-hop options",
        LayerPosition.EXTENSION,
        (ipv6.HOP_BY_HOP,),
        body=_OPTIONS,
        options=ipv6_options.OPTIONS,
        example="alert,padn=0000",
    ),
    LayerKind(
        "ipv6.dstopts",
        "IPv6 destination options",
        LayerPosition.EXTENSION,
        (ipv6.DESTINATION_OPTIONS,),
        body=_OPTIONS,
        options=ipv6_options.OPTIONS,
        example="alert,padn=0000",
    ),
    LayerKind("ipv6.routing", "IPv6 routing", LayerPosition.EXTENSION, (ipv6.ROUTING,), body=_REST),
    LayerKind("ipv6.fraghdr", "IPv6 fragment", LayerPosition.EXTENSION, (ipv6.FRAGMENT,)),
    LayerKind(
        "icmp", "ICMP", LayerPosition.TRANSPORT, (icmp.ICMP,), icmp.CONTINUATIONS, body=_REST
    ),
    LayerKind(
        "icmpv6",
        "ICMPv6",
        LayerPosition.TRANSPORT,
        (icmpv6.ICMPV6,),
        icmpv6.CONTINUATIONS,
        body=_OPTIONS,
        options=icmpv6.OPTIONS,
        example="source=02-00-5e-10-00-01",
    ),
    LayerKind(
        "igmp",
        "IGMP",
        LayerPosition.TRANSPORT,
        (igmp.IGMP,),
        (igmp.GROUP, igmp.REPORT),
        body=_REST,
    ),
    LayerKind(
        "tcp",
        "TCP",
        LayerPosition.TRANSPORT,
        (tcp.TCP,),
        body=_OPTIONS,
        options=tcp_options.OPTIONS,
        example="mss=1460,nop,wscale=7",
    ),
    LayerKind("udp", "UDP", LayerPosition.TRANSPORT, (udp.UDP,)),
    LayerKind("sctp", "SCTP", LayerPosition.TRANSPORT, (sctp.SCTP,)),
)

KINDS: Mapping[str, LayerKind] = {kind.name: kind for kind in _KINDS}
