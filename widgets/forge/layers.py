"""The layers of a draft, as the form's rows change them. No drawing.

Three rows choose a layer by its position; one takes all layers as text, for tags, extension
headers, and tunnels. Layers and send method agree: a frame with a link header can only be sent
verbatim, on an interface that has link headers.
"""

from __future__ import annotations

from dataclasses import replace

from core.forge.compose.draft import Draft
from core.forge.compose.layer_kinds import DEFAULT_LINK, KINDS, PROTOCOL_OF
from core.forge.values import SendMethod
from core.wire.protocol import LayerPosition
from widgets.forge.settings import SendSettings

LAYER_CHOICES = {
    ":link": (LayerPosition.LINK, "Link"),
    ":network": (LayerPosition.NETWORK, "Network"),
    ":transport": (LayerPosition.TRANSPORT, "Transport"),
}


def layer_names(place: LayerPosition) -> tuple[str, ...]:
    """Return the kinds of one position, and an empty name for no layer."""
    return (*(kind.name for kind in KINDS.values() if kind.place is place), "")


def with_layer(draft: Draft, place: LayerPosition, name: str) -> Draft:
    """Return the draft with this layer in place of the innermost one at its position.

    An empty `name` removes that layer. A network header that carries nothing (ARP) needs a link
    header.
    """
    layers = list(draft.layers)
    here = [index for index, held in enumerate(layers) if KINDS[held].place is place]
    if here:
        layers[here[-1] : here[-1] + 1] = [name] if name else []
    elif name:
        after = [index for index, held in enumerate(layers) if KINDS[held].place < place]
        layers.insert(after[-1] + 1 if after else 0, name)
    if place is LayerPosition.NETWORK and name and not PROTOCOL_OF[name].has_pseudo_header:
        layers = [held for held in layers if KINDS[held].place <= LayerPosition.NETWORK]
        link = KINDS[name].over
        if link and KINDS[layers[0]].place is not LayerPosition.LINK:
            layers.insert(0, link)
    elif place is LayerPosition.NETWORK and not name:
        layers = [held for held in layers if KINDS[held].place is not LayerPosition.EXTENSION]
    return draft.with_layers(layers)


def for_method(draft: Draft, method: SendMethod) -> Draft:
    """Return the draft with a link header if the method needs one, else without link layers."""
    if method is SendMethod.LINK:
        return draft if draft.has_link else draft.with_layers((DEFAULT_LINK, *draft.layers))
    return draft.with_layers(
        [name for name in draft.layers if KINDS[name].place > LayerPosition.TAG]
    )


def with_forced_method(draft: Draft, settings: SendSettings) -> SendSettings:
    """Return the settings with the only send method that a link header allows."""
    return replace(settings, method=SendMethod.LINK) if draft.has_link else settings
