"""A packet as text to paste elsewhere: a command, an expression, a filter, bytes.

Recipes are made from an evaluated draft, so a captured packet goes through
`core.forge.compose.from_packet` first. If a tool cannot make the packet exactly, its recipe makes
the nearest one and names what is missing; if the tool cannot make it at all, the recipe says why.
`shlex` quotes the words of commands, so nothing from a packet can leave its quotes.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.forge.compose.evaluation import Evaluation
from core.forge.export.hping3 import hping3
from core.forge.export.nping import nping
from core.forge.export.rawscope import ONCE, rawscope_command
from core.forge.export.scapy import expression
from core.forge.export.tcpdump import tcpdump_filter
from core.forge.values import SendPlan

_BYTES_A_LINE = 16
_PRINTABLE = bytes(byte if 0x20 <= byte < 0x7F else ord(".") for byte in range(256))


@dataclass(frozen=True, slots=True)
class Recipe:
    """A text to copy. `missing` names what it leaves out, or why it is empty."""

    name: str
    text: str
    missing: str = ""


def recipes(
    evaluation: Evaluation, interface: str = "", plan: SendPlan = ONCE, *, verbatim: bool = False
) -> tuple[Recipe, ...]:
    """Return every recipe of a packet, in the order of the menu.

    `interface` is for frames, and with `verbatim` also for a packet without a link header. Only
    rawscope's own command expresses that, and `plan`: how often and how fast to send.
    """
    data = evaluation.data
    command = rawscope_command(evaluation.draft, interface, verbatim=verbatim, plan=plan)
    return (
        Recipe("rawscope command", command),
        Recipe("scapy expression", expression(evaluation)),
        Recipe("hping3 command", *hping3(evaluation)),
        Recipe("nping command", *nping(evaluation, interface)),
        Recipe("tcpdump filter", tcpdump_filter(evaluation)),
        Recipe("Python bytes", python_bytes(data)),
        Recipe("C array", c_array(data)),
        Recipe("hex dump", hex_dump(data)),
    )


def python_bytes(data: bytes) -> str:
    """Return an expression of type bytes."""
    lines = [f'    "{data[at : at + _BYTES_A_LINE].hex(" ")}"' for at in _starts(data)]
    return "bytes.fromhex(\n" + "\n".join(lines or ['    ""']) + "\n)"


def c_array(data: bytes) -> str:
    """Return a C array with its length."""
    lines = [
        "    " + ", ".join(f"0x{byte:02x}" for byte in data[at : at + _BYTES_A_LINE])
        for at in _starts(data)
    ]
    return f"static const unsigned char packet[{len(data)}] = {{\n" + ",\n".join(lines) + "\n};"


def hex_dump(data: bytes) -> str:
    """Return offset, hex and ASCII, as text2pcap(1) takes it."""
    width = 3 * _BYTES_A_LINE
    return "\n".join(
        f"{at:04x}  {piece.hex(' '):<{width}} {piece.translate(_PRINTABLE).decode('ascii')}"
        for at in _starts(data)
        for piece in [data[at : at + _BYTES_A_LINE]]
    )


def _starts(data: bytes) -> range:
    return range(0, len(data), _BYTES_A_LINE)
