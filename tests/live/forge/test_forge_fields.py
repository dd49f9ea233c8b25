"""Every field of seven headers, set to another value than its default, as tshark reads it.

For each field, one packet is sent verbatim through a packet socket. The packets with an IPv4 header
are also sent through IP_HDRINCL. One run of tshark at the receiver reads them all. For ICMP, every
continuation is sent, each with a type that has it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.forge.compose.layer_kinds import KINDS
from core.forge.observe.outcome import WHY
from core.forge.transmit.injector import open_ip, open_link
from core.forge.values import Egress
from core.net.sockets import LOCAL_SOCKETS
from core.wire.encode.value_text import typed
from core.wire.link.ethernet import ETHERNET
from core.wire.model.field import PlacedField, Value
from core.wire.model.kind import Kind
from core.wire.model.table import HeaderTable
from core.wire.network import icmp
from tests.live.far_capture import FarCapture
from tests.live.network import FAR_ADDRESS, NEAR_ADDRESS, Network

pytestmark = pytest.mark.live

STACKS = (
    ("eth",), ("802.3",), ("eth", "arp"), ("eth", "ip"), ("eth", "ip", "tcp"), ("eth", "ip", "udp"),
    ("eth", "ip", "icmp"), ("eth", "ipv6"),
)  # fmt: skip
BASE = {
    "eth.dst": "02:00:5e:10:00:99",  # nobody: the far kernel leaves it alone
    "eth.src": "02:00:5e:10:00:01",
    "ip.src": NEAR_ADDRESS,
    "ip.dst": FAR_ADDRESS,
    "ip.id": "0x1234",
    "ipv6.src": "2001:db8::1",
    "ipv6.dst": "2001:db8::2",
    "payload": "hello",
}
QUOTED = evaluate(Draft(("ip", "udp"), BASE)).data
# What a message needs for tshark to show what is in it.
MESSAGES = {
    icmp.UNREACHABLE: {"icmp.code": str(icmp.FRAGMENTATION_NEEDED)},
    icmp.ROUTER_ADVERTISEMENT: {"payload": "hex:" + "0a4d0001 00000000" * 8},
}
# tshark has another name for these, or no name: then the test compares the bytes.
NAMES = {"icmp.length": "icmp.length.original_datagram"}
IN_WORDS = frozenset({"icmp.addr_entry_size"})  # tshark tells the number on the wire
NAMELESS = frozenset({"icmp.ext.echo.bits", "icmp.unused", "icmp.reserved"})
OPTIONS = (
    ("ip", "router_alert=5", {"ip.opt.ra": "5"}),
    ("ip", "record_route=8:10.9.8.7", {"ip.opt.ptr": "8", "ip.rec_rt": "10.9.8.7"}),
    ("tcp", "mss=1400", {"tcp.options.mss_val": "1400"}),
    ("tcp", "nop,wscale=9,timestamp=77:88",
     {"tcp.options.wscale.shift": "9", "tcp.options.timestamp.tsval": "77",
      "tcp.options.timestamp.tsecr": "88"}),
    ("tcp", "sack=5:6", {"tcp.options.sack_le": "5", "tcp.options.sack_re": "6"}),
    ("tcp", "hex:fd060102 0304", {"tcp.options": "fd06010203040000"}),
)  # fmt: skip

Case = tuple[Draft, PlacedField, Value]


def other(slot: PlacedField, plain: Value) -> Value:
    """Return a value that differs from the field's default, `plain`."""
    match slot.field.kind:
        case Kind.FLAG:
            return 1 - int(plain) if isinstance(plain, int) else 1
        case Kind.MAC:
            return 0x02005E1000AB
        case Kind.IPV4:
            return int(ipaddress.ip_address("10.77.0.77"))
        case Kind.IPV6:
            return int(ipaddress.ip_address("2001:db8::77"))
        case Kind.BYTES:
            return bytes(range(1, slot.field.bits // 8 + 1))
    assert isinstance(plain, int)
    number = plain // slot.field.unit + 1
    return number % (slot.maximum // slot.field.unit + 1) * slot.field.unit


def drafts(stack: tuple[str, ...]) -> Iterator[Draft]:
    """One draft, or one for each continuation of a message."""
    draft = Draft(stack, BASE)
    yield draft
    for table in KINDS[stack[-1]].continuations:
        assert table.when is not None
        number = min(table.when[1])
        texts = {f"{table.name}.{table.when[0]}": str(number)}
        if number in icmp.ERRORS:
            texts["payload"] = f"hex:{QUOTED.hex()}"
        yield draft.with_texts(texts | MESSAGES.get(number, {}))


def cases() -> list[Case]:
    """One draft for each field of the last layer of each stack."""
    found: list[Case] = []
    done: set[tuple[HeaderTable, str]] = set()
    for stack in STACKS:
        for draft in drafts(stack):
            plain = evaluate(draft)
            for slot in (field.slot for field in plain.fields if field.slot is not None):
                is_last = slot.table.name == KINDS[stack[-1]].prefix
                if not is_last or (slot.table, slot.key) in done:
                    continue
                done.add((slot.table, slot.key))
                now = plain.field(slot.name).value
                assert now is not None
                value = other(slot, now)
                found.append((draft.with_text(slot.name, typed(slot, value)), slot, value))
    return found


def told(slot: PlacedField, text: str) -> Value:
    """tshark's text as our value."""
    match slot.field.kind:
        case Kind.FLAG:
            return int(text in ("1", "True"))
        case Kind.MAC:
            return int(text.replace(":", ""), 16)
        case Kind.IPV4 | Kind.IPV6:
            return int(ipaddress.ip_address(text))
    return int(text, 0) * (slot.field.unit if slot.name in IN_WORDS else 1)


def name_of(slot: PlacedField) -> str:
    """Return tshark's name of a field."""
    return NAMES.get(slot.name, slot.name)


def check(capture: FarCapture, sent: Sequence[Case]) -> None:
    names = list(dict.fromkeys(name_of(slot) for _, slot, _ in sent if slot.name not in NAMELESS))
    rows, frames = capture.fields(names), capture.frames()
    assert len(rows) == len(frames) == len(sent)
    wrong = []
    for row, frame, (draft, slot, value) in zip(rows, frames, sent, strict=True):
        if slot.name in NAMELESS:
            span = evaluate(draft).field(slot.name).span
            assert span is not None
            packet = frame if draft.has_link else frame[ETHERNET.size :]
            number = int.from_bytes(packet[span.start : span.stop], "big")
            if number != (int.from_bytes(value, "big") if isinstance(value, bytes) else value):
                wrong.append((slot.name, value, frame.hex()))
            continue
        text = row[name_of(slot)]
        if not text or told(slot, text) != value:
            wrong.append((slot.name, value, text))
    assert wrong == []


def send_verbatim(network: Network, sent: Sequence[Draft]) -> None:
    def send() -> None:
        with open_link("near0", 1500, LOCAL_SOCKETS) as injector:
            for draft in sent:
                injector.send(evaluate(draft).data)

    network.in_near(send)


def test_every_field_arrives_verbatim(tmp_path: Path) -> None:
    sent = cases()
    with Network() as network, FarCapture(network, tmp_path / "far", len(sent)) as capture:
        send_verbatim(network, [draft for draft, _, _ in sent])
    kinds = [KINDS[stack[-1]] for stack in STACKS]
    tables = [table for kind in kinds for table in (*kind.tables, *kind.continuations)]
    assert {(slot.table, slot.key) for _, slot, _ in sent} == {
        (table, slot.key) for table in tables for slot in table.slots
    }
    check(capture, sent)


def test_options_arrive_verbatim(tmp_path: Path) -> None:
    drafts = [
        Draft(("eth", "ip", "tcp"), {**BASE, f"{layer}.options": text})
        for layer, text, _ in OPTIONS
    ]
    with Network() as network, FarCapture(network, tmp_path / "far", len(drafts)) as capture:
        send_verbatim(network, drafts)
    rows = capture.fields(sorted({name for _, _, expected in OPTIONS for name in expected}))
    for row, (_, text, wanted) in zip(rows, OPTIONS, strict=True):
        assert {name: row[name] for name in wanted} == wanted, text


def test_every_field_that_the_kernel_keeps_arrives_through_ip_hdrincl(tmp_path: Path) -> None:
    """The kernel writes four (see test_forge_kernel) and rejects a wrong header length."""
    kept = [
        (draft.with_layers(draft.layers[1:]), slot, value)
        for draft, slot, value in cases()
        if draft.layers[:2] == ("eth", "ip") and slot.name not in {*WHY, "ip.hdr_len", "ip.dst"}
    ]
    kept += [
        (draft.with_layers(draft.layers[1:]), slot, value)
        for draft, slot, value in cases()
        if slot.name in ("ip.id", "ip.src")  # written only where they are zero
    ]
    with Network() as network:
        network.ip_near("neigh", "add", FAR_ADDRESS, "lladdr", BASE["eth.dst"], "dev", "near0")
        with FarCapture(network, tmp_path / "far", len(kept)) as capture:

            def send() -> None:
                for draft, _, _ in kept:
                    packet = evaluate(draft).data
                    with open_ip(
                        packet, Egress("near0", mtu=1500, network="ip"), LOCAL_SOCKETS
                    ) as injector:
                        injector.send(packet)

            network.in_near(send)
    check(capture, kept)
