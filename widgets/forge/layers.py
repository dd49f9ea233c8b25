"""Which layers a draft is made of, as the form's rows change it. Headless.

Three rows choose a layer by its place; one takes all of them as text, for tags, extension headers
and tunnels. Layers and way out keep in step: a link header can only leave verbatim.
"""

from __future__ import annotations

import re
from dataclasses import replace

from core.forge.compose.draft import Draft
from core.forge.compose.layer_kinds import KINDS
from core.forge.values import SendMethod
from core.wire.protocol import LayerPosition
from widgets.forge.settings import SendSettings

LAYER_CHOICES = {
    ":link": (LayerPosition.LINK, "Link"),
    ":network": (LayerPosition.NETWORK, "Network"),
    ":transport": (LayerPosition.TRANSPORT, "Transport"),
}
_ETHERNET, _ARP = "eth", "arp"


class LayersError(ValueError):
    """A text that names no layers; one sentence."""


def layer_names(place: LayerPosition) -> tuple[str, ...]:
    """The kinds of one place, and none at the end."""
    return (*(kind.name for kind in KINDS.values() if kind.place is place), "")


def with_layer(draft: Draft, place: LayerPosition, name: str) -> Draft:
    """The draft with this layer in the place of the innermost one there; none if it is empty.

    ARP is asked on a link and carries nothing.
    """
    layers = list(draft.layers)
    here = [index for index, held in enumerate(layers) if KINDS[held].place is place]
    if here:
        layers[here[-1] : here[-1] + 1] = [name] if name else []
    elif name:
        after = [index for index, held in enumerate(layers) if KINDS[held].place < place]
        layers.insert(after[-1] + 1 if after else 0, name)
    if name == _ARP:
        layers = [held for held in layers if KINDS[held].place <= LayerPosition.NETWORK]
        if KINDS[layers[0]].place is not LayerPosition.LINK:
            layers.insert(0, _ETHERNET)
    elif place is LayerPosition.NETWORK and not name:
        layers = [held for held in layers if KINDS[held].place is not LayerPosition.EXTENSION]
    return draft.with_layers(layers)


def parse_layers(text: str) -> tuple[str, ...]:
    """The layers of ``eth/vlan/ip/udp``. Raises `LayersError`."""
    names = [name for name in re.split(r"[/,\s]+", text.strip()) if name]
    for name in names:
        if name not in KINDS:
            raise LayersError(f"{name}: no such layer; there are {', '.join(KINDS)}")
    return tuple(names)


def on_way(draft: Draft, way: SendMethod) -> Draft:
    """The draft with a link header if it leaves verbatim, and without one if it does not."""
    if way is SendMethod.LINK:
        return draft if draft.has_link else draft.with_layers((_ETHERNET, *draft.layers))
    return draft.with_layers(
        [name for name in draft.layers if KINDS[name].place > LayerPosition.TAG]
    )


def way_of(draft: Draft, settings: SendSettings) -> SendSettings:
    """The settings with the only way out that a link header has."""
    return replace(settings, way=SendMethod.LINK) if draft.has_link else settings
