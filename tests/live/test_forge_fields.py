"""Every field of seven headers, set to what it is not by default, as tshark reads it far away.

All packets leave verbatim through a packet socket, one for each field, and once more through
IP_HDRINCL those of IPv4 and what it carries; one tshark run reads them all.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from pathlib import Path

import pytest

from core.forge.draft import Draft
from core.forge.evaluation import evaluate
from core.forge.injector import Out, open_ip, open_link
from core.forge.layer_kinds import KINDS
from core.forge.outcome import WHY
from core.wire.field import Kind, Slot, Value
from core.wire.value_text import typed
from tests.live.far_capture import FarCapture
from tests.live.network import FAR_ADDRESS, NEAR_ADDRESS, Network

pytestmark = pytest.mark.live

STACKS = (
    ("eth",), ("eth", "arp"), ("eth", "ip"), ("eth", "ip", "tcp"), ("eth", "ip", "udp"),
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


def other(slot: Slot, plain: Value) -> Value:
    """A value that the field does not have by itself."""
    match slot.field.kind:
        case Kind.FLAG:
            return 1 - int(plain) if isinstance(plain, int) else 1
        case Kind.MAC:
            return 0x02005E1000AB
        case Kind.IPV4:
            return int(ipaddress.ip_address("10.77.0.77"))
        case Kind.IPV6:
            return int(ipaddress.ip_address("2001:db8::77"))
    assert isinstance(plain, int)
    number = plain // slot.field.unit + 1
    return number % (slot.maximum // slot.field.unit + 1) * slot.field.unit


def cases() -> list[tuple[Draft, Slot, Value]]:
    """One draft for each field of the last layer of each stack."""
    found = []
    for stack in STACKS:
        draft = Draft(stack, BASE)
        kind = KINDS[stack[-1]]
        plain = evaluate(draft)
        for table in kind.tables_for({}):
            for slot in table.slots:
                now = plain.field(slot.name).value
                assert now is not None
                value = other(slot, now)
                found.append((draft.with_text(slot.name, typed(slot, value)), slot, value))
    return found


def told(slot: Slot, text: str) -> Value:
    """tshark's text as our value."""
    match slot.field.kind:
        case Kind.FLAG:
            return int(text in ("1", "True"))
        case Kind.MAC:
            return int(text.replace(":", ""), 16)
        case Kind.IPV4 | Kind.IPV6:
            return int(ipaddress.ip_address(text))
    return int(text, 0)


def check(rows: Sequence[dict[str, str]], sent: Sequence[tuple[Draft, Slot, Value]]) -> None:
    assert len(rows) == len(sent)
    wrong = []
    for row, (_, slot, value) in zip(rows, sent, strict=True):
        text = row[slot.name]
        if not text or told(slot, text) != value:
            wrong.append((slot.name, value, text))
    assert wrong == []


def test_every_field_arrives_verbatim(tmp_path: Path) -> None:
    sent = cases()
    with Network() as network, FarCapture(network, tmp_path / "far", len(sent)) as capture:

        def send() -> None:
            with open_link("near0", 1500) as injector:
                for draft, _, _ in sent:
                    injector.send(evaluate(draft).data)

        network.in_near(send)
    names = list(dict.fromkeys(slot.name for _, slot, _ in sent))
    assert len(sent) == len(names) == 67
    check(capture.fields(names), sent)


def test_every_field_that_the_kernel_keeps_arrives_through_ip_hdrincl(tmp_path: Path) -> None:
    """The four that it writes are in test_forge_kernel; a wrong header length it refuses."""
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
                    with open_ip(packet, Out("near0", mtu=1500, network="ip")) as injector:
                        injector.send(packet)

            network.in_near(send)
    names = list(dict.fromkeys(slot.name for _, slot, _ in kept))
    check(capture.fields(names), kept)
