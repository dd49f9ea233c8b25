"""Destinations and default layers of drafts, which follow from the records."""

from __future__ import annotations

import pytest

from app.screens.dialogs.drafts import destination_text
from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.forge.compose.form_field import Origin
from core.forge.compose.layer_kinds import (
    DEFAULT_LINK,
    DEFAULT_NETWORK,
    KINDS,
    PROTOCOL_OF,
    LayersError,
    destination_keys,
    parse_layers,
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


@pytest.mark.parametrize("layer", [name for name, kind in KINDS.items() if kind.outer_values])
def test_a_layer_sets_the_fields_around_it_that_the_user_leaves_open(layer: str) -> None:
    kind = KINDS[layer]
    draft = Draft((kind.over, layer))
    found = evaluate(draft, dict.fromkeys(kind.outer_values, 7))
    for key, value in kind.outer_values.items():
        assert found.field(key).value == value
        assert found.field(key).origin is Origin.INNER
        slot = found.field(key).slot
        assert slot is not None
        other = typed(slot, slot.maximum - 2)
        given = evaluate(draft.with_text(key, other)).field(key)
        assert (given.value, given.origin) == (slot.maximum - 2, Origin.GIVEN)
        wrong = evaluate(draft.with_text(key, "?")).field(key)
        assert wrong.error
        assert wrong.value == value, "a field in error counts as open"
        beside = evaluate(draft.with_layers((layer, kind.over))).field(key)
        assert beside.origin is Origin.DEFAULT


def test_a_layer_sets_the_nearest_layer_around_it() -> None:
    found = evaluate(Draft(("ip", "ip", "vrrp"), {"ip.dst": "192.0.2.1"}))
    ttls = [found.field(key) for key in ("ip.ttl", "ip.ttl#2")]
    assert [(ttl.value, ttl.origin) for ttl in ttls] == [(64, Origin.DEFAULT), (255, Origin.INNER)]
    assert found.field("ip.dst#2").shown == "224.0.0.18"


@pytest.mark.parametrize(
    ("layers", "destination", "limit"),
    [
        (("ip", "vrrp"), "224.0.0.18", "ip.ttl"),
        (("ip", "vrrp2"), "224.0.0.18", "ip.ttl"),
        (("ipv6", "vrrp6"), "ff02::12", "ipv6.hlim"),
    ],
)
def test_vrrp_is_sent_to_its_group(layers: tuple[str, ...], destination: str, limit: str) -> None:
    found = evaluate(Draft(layers))
    assert found.missing_destination is None
    assert found.field(f"{layers[0]}.dst").shown == destination
    assert found.field(limit).value == 255


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


@pytest.mark.parametrize("text", [" eth / vlan,ip udp ", "eth,vlan,ip,udp", "eth/vlan/ip/udp"])
def test_layers_are_listed_with_commas_slashes_or_blanks(text):
    assert parse_layers(text) == ("eth", "vlan", "ip", "udp")


def test_a_name_of_no_layer_is_refused_with_the_available_ones():
    with pytest.raises(LayersError, match="qinq: no such layer; choose from eth"):
        parse_layers("eth/qinq")
