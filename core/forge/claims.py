"""What a packet makes its hearers believe of addresses that are none of ours.

ARP and the neighbour advertisement of IPv6 say at which link address an IP address is to be found;
who hears one that is not true sends there. Sources: RFC 826; RFC 4861 §4.4, §7.2.5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.forge.this_machine import ThisMachine
from core.wire.arp import ARP, ARP_IPV4, OPERATIONS
from core.wire.dissection import Dissection
from core.wire.field import HeaderTable
from core.wire.icmpv6 import NEIGHBOUR, TARGET_LINK

_LINK = "target_linkaddr"
_TARGET_OPTION = 2
_HEARD = "who hears it sends there."


@dataclass(frozen=True, slots=True)
class Header:
    """A header of `data` as its table has it, whatever it says of itself."""

    table: HeaderTable
    data: bytes
    offset: int

    def raw(self, key: str) -> bytes:
        """A field's value, in whole bytes."""
        slot = self.table[key]
        return slot.number(self.data, self.offset).to_bytes(slot.field.bits // 8, "big")

    def text(self, key: str) -> str:
        """A field's value as it is shown."""
        return self.table[key].text(self.table[key].number(self.data, self.offset))


@dataclass(frozen=True, slots=True)
class Claim:
    """What is said: for the memory of a yes, and in a sentence."""

    mark: str
    sentence: str


def claims(read: Dissection, machine: ThisMachine) -> list[Claim]:
    """What a packet says of addresses that are not this machine's, or as somebody else."""
    found = (_of_arp(read, machine), _of_neighbour(read, machine))
    return [claim for claim in found if claim is not None]


def header_of(read: Dissection, *tables: HeaderTable) -> Header | None:
    """The outermost of these headers of which all bytes are there."""
    for layer in read.layers:
        for table in layer.tables:
            if table in tables and layer.offset + table.stop <= len(read.data):
                return Header(table, read.data, layer.offset)
    return None


def operation_of(arp: Header | None) -> str:
    """``ARP request``; empty where there is none."""
    if arp is None:
        return ""
    number = int.from_bytes(arp.raw("opcode"), "big")
    return f"ARP {OPERATIONS.get(number, f'operation {number}')}"


def is_foreign(source: bytes, owns: Callable[[bytes], bool]) -> bool:
    """Whether an address is one, and not ours."""
    return any(source) and not owns(source)


def _of_arp(read: Dissection, machine: ThisMachine) -> Claim | None:
    arp = header_of(read, ARP_IPV4)
    if arp is None:
        return None
    foreign = is_foreign(arp.raw("src.proto_ipv4"), machine.owns)
    if not foreign and not is_foreign(arp.raw("src.hw_mac"), machine.owns_mac):
        return None
    operation = operation_of(header_of(read, ARP))
    where = f"{arp.text('src.proto_ipv4')} is at {arp.text('src.hw_mac')}"
    whose = "the address" if foreign else "the link address"
    words = f"The {operation} says that {where}, and {whose} is none of this machine's: {_HEARD}"
    return Claim(f"{operation} {where}", words)


def _of_neighbour(read: Dissection, machine: ThisMachine) -> Claim | None:
    told = header_of(read, NEIGHBOUR)
    if told is None:
        return None
    link = _target_link(read)
    foreign = is_foreign(told.raw("nd.na.target_address"), machine.owns)
    if not foreign and (link is None or not is_foreign(link.raw(_LINK), machine.owns_mac)):
        return None
    at = f"at {link.text(_LINK)}" if link is not None else "where it comes from"
    where = f"{told.text('nd.na.target_address')} is {at}"
    whose = "the address" if foreign else "the link address"
    words = (
        f"The neighbour advertisement says that {where}, and {whose} is none of this machine's: "
        f"{_HEARD}"
    )
    return Claim(f"advertises {where}", words)


def _target_link(read: Dissection) -> Header | None:
    """The option with the link address that a neighbour advertisement gives."""
    for layer in read.layers:
        for option in layer.options if NEIGHBOUR in layer.tables else ():
            whole = option.span.start + TARGET_LINK.stop <= len(read.data)
            if option.kind == _TARGET_OPTION and whole:
                return Header(TARGET_LINK, read.data, option.span.start)
    return None
