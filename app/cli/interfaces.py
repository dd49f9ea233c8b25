"""``rawscope interfaces``: list the interfaces that rawscope can capture on."""

from __future__ import annotations

import json

from app.cli.output import CommandError, CommandOutput
from core.net.interfaces import InterfaceInfo, list_interfaces
from core.wire.link.link_types import link_type_name
from core.wire.model.text import safe


def run_interfaces(as_json: bool) -> int:
    """Print one line per interface, in the kernel's order, with its index and all its names."""
    try:
        found = list_interfaces()
    except OSError as error:
        raise CommandError(f"cannot list the interfaces: {error.strerror}") from error
    output = CommandOutput()
    for line in map(_json, found) if as_json else _table(found):
        output.line(line)
    output.flush()
    return 0


def _json(interface: InterfaceInfo) -> str:
    return json.dumps(
        {
            "name": interface.name,
            "index": interface.index,
            "alternative_names": list(interface.alternative_names),
            "kind": interface.kind,
            "up": interface.up,
            "running": interface.running,
            "loopback": interface.loopback,
            "promiscuous": interface.promiscuous,
            "mtu": interface.mtu,
            "link_type": link_type_name(interface.link_type),
            "mac": interface.mac,
            "addresses": list(interface.addresses),
        }
    )


def _table(interfaces: tuple[InterfaceInfo, ...]) -> list[str]:
    also = any(interface.alternative_names for interface in interfaces)
    rows = [
        ("NAME", "INDEX", "STATE", "KIND", "MTU", "MAC", *(("ALSO",) if also else ()), "ADDRESSES")
    ]
    rows += [
        (
            safe(interface.name),
            str(interface.index),
            _state(interface),
            interface.kind,
            str(interface.mtu),
            interface.mac or "-",
            *((" ".join(map(safe, interface.alternative_names)) or "-",) if also else ()),
            " ".join(interface.addresses) or "-",
        )
        for interface in interfaces
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(map(str.ljust, row, widths)).rstrip()  # addresses last: they vary in length
        for row in rows
    ]


def _state(interface: InterfaceInfo) -> str:
    if not interface.up:
        return "down"
    return "up" if interface.running else "up, no carrier"
