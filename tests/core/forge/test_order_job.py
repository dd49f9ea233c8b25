"""The bytes of an order: those that the user saw, except for the link address of the next hop."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

import pytest

from core.forge import order_job
from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.forge.orders import Order, ShownPacket
from core.forge.values import SendMethod
from core.wire.link.ethernet import ETHERNET
from tests.helpers.scripted import HOST, MAC_GATEWAY
from tests.helpers.scripted_forge import ETH0, Neighbor, ScriptedHost

DRAFT = Draft(("eth", "ip", "udp"), {"ip.dst": "198.51.100.80", "udp.dstport": "9"})
FRAME = Order((DRAFT,), (), SendMethod.LINK, "eth0")


def test_only_the_resolved_link_address_changes_the_frozen_bytes() -> None:
    host, order = Neighbor(), FRAME
    built = order_job.build(order_job.evaluate_order(order, host), host)
    (before,), (after,) = (
        built.transmission.packets,
        order_job.resolve(built, host).transmission.packets,
    )
    span = ETHERNET["dst"].span
    assert after[span.start : span.stop] == bytes.fromhex("ffffffffffff")
    assert before[: span.start] + before[span.stop :] == after[: span.start] + after[span.stop :]
    assert after != before


class Rerouted(ScriptedHost):
    """A host whose route gives `source` and leads to `next_hop`."""

    source, next_hop, link = HOST, MAC_GATEWAY, ETH0

    def suggest_from_routes(self, draft, interface="", *, resolve=False):
        found = super().suggest_from_routes(draft, interface, resolve=resolve)
        source = int(ipaddress.ip_address(self.source))
        values = {"ip.src": source, "eth.dst": int.from_bytes(self.next_hop, "big")}
        return replace(found, values={**found.values, **values}, link=self.link)


def shown_order(host: ScriptedHost, order: Order) -> Order:
    """Return the order with its drafts as a form shows them."""
    shown = []
    for draft in order.drafts:
        suggested = host.suggest_from_routes(draft, order.interface)
        shown.append(ShownPacket(evaluate(draft, suggested.values), suggested))
    return replace(order, shown=tuple(shown))


def test_evaluations_that_the_user_saw_are_taken_as_they_are(monkeypatch) -> None:
    host = Rerouted()
    order = shown_order(host, FRAME)
    monkeypatch.setattr(order_job, "evaluate", None)
    found = order_job.evaluate_order(order, host)
    assert found.evaluations[0] is order.shown[0].evaluation
    assert order_job.build(found, host).transmission.packets == (found.evaluations[0].data,)


CHANGES = {
    "the source": {"source": "192.0.2.99"},
    "the interface": {"link": replace(ETH0, name="eth1", index=3)},
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_route_is_an_error_before_and_after_the_question(name) -> None:
    order = shown_order(Rerouted(), replace(FRAME, interface=""))
    host, changed = Rerouted(), Rerouted()
    vars(changed).update(CHANGES[name])
    with pytest.raises(order_job.RouteChangedError, match="check the new bytes") as before:
        order_job.evaluate_order(order, changed)
    built = order_job.build(order_job.evaluate_order(order, host), host)
    with pytest.raises(order_job.RouteChangedError) as after:
        order_job.resolve(built, changed)
    wanted = (changed.suggest_from_routes(FRAME.drafts[0]),)
    assert before.value.suggestions == after.value.suggestions == wanted


def test_a_changed_route_does_not_matter_where_the_user_typed_a_value() -> None:
    draft = FRAME.drafts[0].with_texts({"ip.src": HOST, "eth.src": "02:00:00:00:00:17"})
    order = shown_order(Rerouted(), replace(FRAME, drafts=(draft,)))
    changed = Rerouted()
    changed.source = "192.0.2.99"
    assert order_job.evaluate_order(order, changed).evaluations == (order.shown[0].evaluation,)


def test_another_link_address_of_the_next_hop_is_patched_into_the_bytes() -> None:
    order, changed = shown_order(Rerouted(), FRAME), Rerouted()
    changed.next_hop = bytes.fromhex("020000000099")
    built = order_job.build(order_job.evaluate_order(order, changed), changed)
    shown = order.shown[0].evaluation.data
    assert built.transmission.packets == (shown,)
    assert order_job.resolve(built, changed).transmission.packets == (changed.next_hop + shown[6:],)
