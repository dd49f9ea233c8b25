"""A packet as something to paste elsewhere: a command, an expression, a filter, bytes.

Recipes are made of what a draft evaluates to, so a captured packet goes through
`core.forge.compose.from_packet` first. Where a tool cannot make the packet exactly, its recipe
makes the nearest one and says what is missing; where it cannot make it at all, the recipe says why.
Words of a shell are quoted by `shlex`; nothing from a packet can leave its quotes.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from core.forge.compose.draft import PAYLOAD, Draft
from core.forge.compose.evaluation import Evaluation
from core.forge.compose.layer_kinds import KINDS
from core.forge.export import scapy, tcpdump, tools
from core.forge.values import SendPlan
from core.wire.model.field import Kind
from core.wire.protocol import LayerPosition

ONCE = SendPlan()
_BYTES_A_LINE = 16
_PRINTABLE = bytes(byte if 0x20 <= byte < 0x7F else ord(".") for byte in range(256))


@dataclass(frozen=True, slots=True)
class Recipe:
    """`text` is to be copied; `missing` says what it leaves out, or why it is empty."""

    name: str
    text: str
    missing: str = ""


def recipes(
    evaluation: Evaluation, interface: str = "", plan: SendPlan = ONCE
) -> tuple[Recipe, ...]:
    """Every recipe of a packet, in the order of the menu. `interface` is for verbatim frames; of
    `plan`, how often and how fast, only our own command knows."""
    data = evaluation.data
    return (
        Recipe("rawscope command", rawscope_command(evaluation.draft, interface, plan=plan)),
        Recipe("scapy expression", scapy.expression(evaluation)),
        Recipe("hping3 command", *tools.hping3(evaluation)),
        Recipe("nping command", *tools.nping(evaluation, interface)),
        Recipe("tcpdump filter", tcpdump.tcpdump_filter(evaluation)),
        Recipe("Python bytes", python_bytes(data)),
        Recipe("C array", c_array(data)),
        Recipe("hex dump", hex_dump(data)),
    )


def rawscope_command(
    draft: Draft, interface: str = "", *, system: bool = False, plan: SendPlan = ONCE
) -> str:
    """``rawscope send`` with the draft's texts as options; `system` writes the IP header, `plan` is
    how often and how fast."""
    words = ["rawscope", "send"]
    if draft.layers != inferred_layers(draft.texts):
        words += ["--layers", ",".join(draft.layers)]
    if draft.has_link and interface:
        words += ["--link", interface]
    if system:
        words.append("--system-header")
    if plan.count > 1:
        words += ["--count", str(plan.count)]
        if plan.rate is not None:
            words += ["--rate", f"{plan.rate:g}"]
    flags = {
        slot.name
        for kind in KINDS.values()
        for table in (*kind.tables, *kind.continuations)
        for slot in table.slots
        if slot.field.kind is Kind.FLAG
    }
    keys = {key for kind, suffix in draft.kinds() for key in _keys(kind.name, suffix)}
    for key, text in draft.texts.items():
        if key not in keys and key not in (PAYLOAD, "trailer"):
            continue  # typed for a layer that is not there any more
        if "#" in key:
            words += ["--set", f"{key}={text}"]
        elif key in flags and text == "1":
            words.append(f"--{key}")
        else:
            words += [f"--{key}", text]
    return " ".join(shlex.quote(word) for word in words)


def _keys(kind_name: str, suffix: str) -> Iterator[str]:
    kind = KINDS[kind_name]
    for table in (*kind.tables, *kind.continuations):
        yield from (slot.name + suffix for slot in table.slots)
    if kind.body:
        yield f"{kind.prefix}.options{suffix}"


def inferred_layers(keys: Collection[str], *, link: bool = False) -> tuple[str, ...]:
    """Return the layers that have the typed fields, outermost first.

    Of the forms of one protocol, the first one that has the most of the fields counts. A transport
    needs a network header, IPv4 unless IPv6 is named; `link` asks for Ethernet.
    """
    forms: dict[str, tuple[int, str]] = {}  # by protocol: how many fields, and the layer's name
    for kind in KINDS.values():
        count = len(set(keys).intersection(_keys(kind.name, "")))
        if count > forms.get(kind.prefix, (0, ""))[0]:
            forms[kind.prefix] = count, kind.name
    named = {name for _, name in forms.values()}
    places = {KINDS[name].place for name in named}
    if LayerPosition.NETWORK not in places:
        is_over_ipv6 = "icmpv6" in named or LayerPosition.EXTENSION in places
        if is_over_ipv6 or LayerPosition.TRANSPORT in places or not named:
            named.add("ipv6" if is_over_ipv6 else "ip")
    if LayerPosition.LINK not in places and (link or "arp" in named or LayerPosition.TAG in places):
        named.add("eth")
    return tuple(name for name in KINDS if name in named)


def python_bytes(data: bytes) -> str:
    """An expression of type bytes."""
    lines = [f'    "{data[at : at + _BYTES_A_LINE].hex(" ")}"' for at in _starts(data)]
    return "bytes.fromhex(\n" + "\n".join(lines or ['    ""']) + "\n)"


def c_array(data: bytes) -> str:
    """A C array with its length."""
    lines = [
        "    " + ", ".join(f"0x{byte:02x}" for byte in data[at : at + _BYTES_A_LINE])
        for at in _starts(data)
    ]
    return f"static const unsigned char packet[{len(data)}] = {{\n" + ",\n".join(lines) + "\n};"


def hex_dump(data: bytes) -> str:
    """Offset, hex and ASCII, as text2pcap(1) takes it."""
    width = 3 * _BYTES_A_LINE
    return "\n".join(
        f"{at:04x}  {piece.hex(' '):<{width}} {piece.translate(_PRINTABLE).decode('ascii')}"
        for at in _starts(data)
        for piece in [data[at : at + _BYTES_A_LINE]]
    )


def _starts(data: bytes) -> range:
    return range(0, len(data), _BYTES_A_LINE)
