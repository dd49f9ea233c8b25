"""Destinations and default layers of drafts, which follow from the records."""

from __future__ import annotations

import pytest

from app.screens.dialogs.drafts import destination_text
from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.forge.compose.layer_kinds import (
    DEFAULT_LINK,
    DEFAULT_NETWORK,
    KINDS,
    PROTOCOL_OF,
    destination_keys,
)
from core.wire.encode.value_text import typed
from core.wire.protocol import LayerPosition

ADDRESSED = [name for name in KINDS if PROTOCOL_OF[name].addresses is not None]
NETWORKS = [name for name in ADDRESSED if KINDS[name].place is LayerPosition.NETWORK]


def _destination(layer: str) -> tuple[str, str]:
    """Return the key of the layer's destination, and an address as text."""
    protocol = PROTOCOL_OF[layer]
    assert protocol.addresses is not None
    key = protocol.addresses[1]
    slot = next(table[key] for table in KINDS[layer].tables if key in table)
    return slot.name, typed(slot, 0x0A000009)


def test_the_default_layers() -> None:
    assert (DEFAULT_LINK, DEFAULT_NETWORK) == ("eth", "ip")


@pytest.mark.parametrize("layer", NETWORKS)
def test_a_packet_of_every_network_needs_its_destination(layer: str) -> None:
    protocol = PROTOCOL_OF[layer]
    key, address = _destination(layer)
    draft = Draft((DEFAULT_LINK, layer), {"eth.dst": "02:00:00:00:00:01"})
    missing = evaluate(draft).missing_destination
    assert missing is not None
    assert missing.key == key
    assert evaluate(draft.with_text(key, address)).missing_destination is None
    if protocol.destination_when is not None:
        field, values = protocol.destination_when
        other = next(value for value in range(9) if value not in values)
        free = draft.with_text(f"{protocol.name}.{field}", str(other))
        assert evaluate(free).missing_destination is None


@pytest.mark.parametrize("layer", ADDRESSED)
def test_a_sent_draft_is_listed_by_the_destination_of_every_header(layer: str) -> None:
    """The network's goes before that of the link, and an absent layer's text does not count."""
    key, address = _destination(layer)
    draft = Draft((layer,), {key: address})
    assert list(destination_keys(draft.layers)) == [key]
    assert destination_text((draft,)) == address
    assert destination_text((draft.with_layers(("udp",)),)) == ""
    if layer in NETWORKS:
        framed = draft.with_layers((DEFAULT_LINK, layer)).with_text("eth.dst", "2:0:0:0:0:1")
        assert destination_text((framed,)) == address
