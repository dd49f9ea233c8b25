"""The layers that a draft can contain, in the order in which the user chooses from them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from core.wire.encode.value_text import shortened
from core.wire.model.batch import Network
from core.wire.protocol import LayerKind, LayerPosition, Protocol
from core.wire.registry import PROTOCOLS

KINDS: Mapping[str, LayerKind] = {
    kind.name: kind
    for kind in sorted(
        (kind for protocol in PROTOCOLS for kind in protocol.kinds), key=lambda kind: kind.place
    )
}
"""Every `LayerKind` by its name, outermost first."""

PROTOCOL_OF: Mapping[str, Protocol] = {
    kind.name: protocol for protocol in PROTOCOLS for kind in protocol.kinds
}
"""The protocol of every layer, by the name of its `LayerKind`."""

DEFAULT_LINK = next(name for name, kind in KINDS.items() if kind.place is LayerPosition.LINK)
DEFAULT_NETWORK = next(name for name in KINDS if PROTOCOL_OF[name].has_pseudo_header)


class LayersError(ValueError):
    """A text does not name layers. One sentence."""


def parse_layers(text: str) -> tuple[str, ...]:
    """Return the layers of ``eth/vlan/ip/udp`` or ``eth,vlan,ip,udp``. Raise `LayersError`."""
    names = [name for name in re.split(r"[/,\s]+", text.strip()) if name]
    for name in names:
        if name not in KINDS:
            shown = shortened(name)
            raise LayersError(f"{shown}: no such layer; choose from {', '.join(KINDS)}")
    return tuple(names)


def network_layer(layers: Iterable[str]) -> Protocol | None:
    """Return the protocol of the outermost network header, or None."""
    found = (PROTOCOL_OF[name] for name in layers)
    return next((one for one in found if one.network is not Network.NONE), None)


def destination_keys(layers: Iterable[str]) -> Iterator[str]:
    """Yield the keys of the fields with destinations: the network's, then that of the link."""
    found = {PROTOCOL_OF[name].name: PROTOCOL_OF[name] for name in layers}
    for protocol in sorted(found.values(), key=lambda one: one.network is Network.NONE):
        if protocol.addresses is not None and protocol.addresses[1]:
            yield f"{protocol.name}.{protocol.addresses[1]}"
