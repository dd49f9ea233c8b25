"""The layers of a draft, as the form's rows change them. No drawing.

Three rows choose a layer by its position; one takes all layers as text, for tags, extension
headers, and tunnels. Layers and send method agree: a frame with a link header can only be sent
verbatim, on an interface that has link headers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.forge.compose.draft import TRAILER, Draft
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


@dataclass(frozen=True, slots=True)
class LinkPart:
    """The link part of a draft, which a send method without link header leaves out.

    `layers` are the link header and its tags; `trailer` is the text of the captured padding.
    """

    layers: tuple[str, ...] = ()
    trailer: str = ""


def for_method(draft: Draft, method: SendMethod, link: LinkPart) -> tuple[Draft, LinkPart]:
    """Return the draft with the layers that the method needs, and its link part.

    LINK brings back the layers and the padding of `link`; without any, it adds a link header. The
    other methods leave out link layers and captured padding.
    """
    inner = tuple(name for name in draft.layers if KINDS[name].place > LayerPosition.TAG)
    if method is SendMethod.LINK:
        if draft.has_link:
            return draft, link
        layers = link.layers if link.layers and inner == draft.layers else (DEFAULT_LINK,)
        framed = draft.with_layers((*layers, *draft.layers))
        return framed.with_text(TRAILER, draft.text(TRAILER) or link.trailer), link
    if draft.has_link:
        link = replace(link, layers=draft.layers[: len(draft.layers) - len(inner)])
    if draft.text(TRAILER) == link.trailer:
        draft = draft.with_text(TRAILER, "")
    return draft.with_layers(inner), link


def with_forced_method(draft: Draft, settings: SendSettings) -> SendSettings:
    """Return the settings with the only send method that a link header allows."""
    return replace(settings, method=SendMethod.LINK) if draft.has_link else settings
