"""The option ``-d``, *decode as*: which reader reads the payloads of a port, as in tshark.

``tcp.port==8080,http`` assigns one port; ``tcp.port==8000-8010,http`` and ``tcp.port==8000:3,http``
(three ports from 8000 on) assign several.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from core.wire.application.payload_info import READERS, TRANSPORTS
from core.wire.model.decode_rules import DecodeRules

_FORM = re.compile(r"\s*([\w.]+)\s*==\s*([^,]*?)\s*,\s*(\S+)\s*")
_PORTS = re.compile(r"(\w+)(?:([-:])(\w+))?")
_LAYERS = {f"{transport}.port": transport for transport in TRANSPORTS}
_HIGHEST = (1 << 16) - 1


class DecodeAsError(ValueError):
    """A wrong value of the option; the text says what is possible."""


def decode_rules(texts: Iterable[str]) -> DecodeRules:
    """Return the rules that the values of ``-d`` state. Raise `DecodeAsError`."""
    assignments: dict[tuple[str, int], str] = {}
    for text in texts:
        transport, ports, reader = _parsed(text)
        for port in ports:
            assignments[transport, port] = reader
    return DecodeRules(assignments)


def _parsed(text: str) -> tuple[str, range, str]:
    found = _FORM.fullmatch(text)
    if found is None:
        raise DecodeAsError(f"'{text}' is not LAYER==PORT,PROTOCOL, such as tcp.port==8080,http")
    layer, ports, reader = found.groups()
    if layer not in _LAYERS:
        raise DecodeAsError(f"'{layer}': the layer is {' or '.join(_LAYERS)}")
    if reader not in READERS:
        raise DecodeAsError(f"'{reader}': the protocol is one of {', '.join(sorted(READERS))}")
    transport = _LAYERS[layer]
    if transport not in READERS[reader].names:
        raise DecodeAsError(f"rawscope does not read {reader} over {transport.upper()}")
    return transport, _ports(ports), reader


def _ports(text: str) -> range:
    found = _PORTS.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        first = int(found[1], 0)
        last, count = first, 1
        if found[2] == "-":
            last = int(found[3], 0)
        elif found[2] == ":":
            count = int(found[3], 0)
            last = first + count - 1
    except ValueError:
        raise DecodeAsError(
            f"'{text}': give a port, a range (8000-8010), or a first port and a count (8000:3)"
        ) from None
    if count < 1:
        raise DecodeAsError(f"'{text}': the count must be at least 1")
    if not 0 <= first <= last <= _HIGHEST:
        raise DecodeAsError(f"'{text}': ports are 0 to {_HIGHEST}, the lower one first")
    return range(first, last + 1)
