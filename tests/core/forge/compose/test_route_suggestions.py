"""Suggestions for a frame on a chosen interface, with or without a route."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket

import pytest

from core.forge.compose import route_suggestions
from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.forge.compose.route_suggestions import suggest_from_routes
from core.net import netlink
from core.net.netlink import AddressMessage, LinkMessage
from core.net.routes import Route, RouteKind, source_on

HERE, THERE = 7, 8
ADDRESSES = [
    (THERE, "192.0.2.1/24"),
    (HERE, "10.5.0.1/24"),
    (HERE, "10.6.0.1/16"),
    (HERE, "fe80::1/64"),
    (HERE, "2001:db8:1::1/64"),
    (HERE, "2001:db8:2::1/64"),
    (THERE, "2001:db8:3::1/64"),
]


@pytest.fixture
def addresses(monkeypatch):
    there = [_message(index, text) for index, text in ADDRESSES]
    monkeypatch.setattr(netlink, "dump_addresses", lambda: there)
    return there


def _message(index: int, text: str) -> AddressMessage:
    found = ipaddress.ip_interface(text)
    family = socket.AF_INET if found.version == 4 else socket.AF_INET6
    return AddressMessage(index, family, found.network.prefixlen, found.ip.packed)


@pytest.mark.parametrize(
    ("destination", "source"),
    [
        ("10.5.0.9", "10.5.0.1"),
        ("10.6.9.9", "10.6.0.1"),
        ("192.0.2.9", "10.5.0.1"),  # the first, however near another interface is
        ("224.0.0.251", "10.5.0.1"),
        ("255.255.255.255", "10.5.0.1"),
        ("fe80::9", "fe80::1"),
        ("ff02::fb", "fe80::1"),
        ("ff0e::1", "2001:db8:1::1"),
        ("2001:db8:2::9", "2001:db8:2::1"),
        ("2001:db8:3::9", "2001:db8:1::1"),
    ],
)
def test_the_address_that_suits_best(addresses, destination, source):
    found = source_on(HERE, ipaddress.ip_address(destination).packed)
    assert str(ipaddress.ip_address(found)) == source


@pytest.mark.parametrize("destination", ["10.5.0.9", "2001:db8::9"])
def test_no_address_no_source(addresses, destination):
    addresses[:] = [one for one in addresses if one.index != HERE]
    assert source_on(HERE, ipaddress.ip_address(destination).packed) == b""


MAC = bytes.fromhex("020000000001")
LINK = LinkMessage(False, HERE, 1, 0x1043, "mirror0", 1500, MAC, 0, "")
LOOPBACK = LinkMessage(False, 1, 772, 0x49, "lo", 65_536, bytes(6), 0, "")
STRANGER = {"eth.dst": "02:00:00:00:00:99"}
REFUSALS = [errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES, errno.EINVAL, errno.EAFNOSUPPORT]


@pytest.fixture
def no_route(monkeypatch, addresses):
    """An interface without addresses, whose neighbors nobody knows; `refuse(number)` sets what the
    routing table answers."""
    addresses[:] = [one for one in addresses if one.index != HERE]

    def refuse(number):
        def fail(_destination):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(route_suggestions, "find_route", fail)

    refuse(errno.ENETUNREACH)
    monkeypatch.setattr(route_suggestions, "find_interface", lambda _name: LINK)
    monkeypatch.setattr(route_suggestions, "known_neighbor", lambda _index, _address: None)
    monkeypatch.setattr(route_suggestions, "resolve_neighbor", lambda _index, _address: None)
    return refuse


UNICAST = {"ip.dst": "198.51.100.7", "ip.src": "203.0.113.5"}
COMPLETE = {
    "dhcp": (("eth", "ip", "udp"), {"ip.dst": "255.255.255.255"}, "ffffffffffff"),
    "mdns": (("eth", "ip", "udp"), {"ip.dst": "224.0.0.251"}, "01005e0000fb"),
    "mdns over ipv6": (("eth", "ipv6", "udp"), {"ipv6.dst": "ff02::fb"}, "3333000000fb"),
    "vrrp": (("eth", "ip", "vrrp"), {}, "01005e000012"),
    "vrrp over ipv6": (("eth", "ipv6", "vrrp6"), {}, "333300000012"),
    "unicast": (("eth", "ip", "udp"), {**UNICAST, **STRANGER}, "020000000099"),
    "tagged": (("eth", "vlan", "ip"), {**UNICAST, **STRANGER}, "020000000099"),
    "ipv6": (("eth", "ipv6"), {"ipv6.dst": "2001:db8::7", **STRANGER}, "020000000099"),
    "arp": (("eth", "arp"), {"arp.dst.proto_ipv4": "10.9.9.9"}, "ffffffffffff"),
}


@pytest.mark.parametrize("resolve", [False, True])
@pytest.mark.parametrize("number", REFUSALS)
@pytest.mark.parametrize("name", COMPLETE)
def test_a_missing_route_does_not_prevent_suggestions(no_route, name, number, resolve):
    no_route(number)
    layers, texts, destination = COMPLETE[name]
    draft = Draft(layers, texts)
    around = suggest_from_routes(draft, "mirror0", resolve=resolve)
    assert around.trouble == ""
    assert around.link is LINK
    evaluation = evaluate(draft, around.values)
    assert not evaluation.errors
    assert evaluation.missing_destination is None
    assert evaluation.data[:12].hex() == destination + MAC.hex()


@pytest.mark.parametrize("name", COMPLETE)
def test_the_interface_has_to_be_chosen_where_no_route_says_it(no_route, name):
    layers, texts, _ = COMPLETE[name]
    around = suggest_from_routes(Draft(layers, texts))
    assert around.link is None
    assert around.trouble.endswith("leaves: choose its interface")


@pytest.mark.parametrize("destination", ["ip.dst", "ipv6.dst"])
def test_only_the_next_hop_is_missing(no_route, destination):
    layer, address = destination.removesuffix(".dst"), "2001:db8::7"
    address = "198.51.100.7" if layer == "ip" else address
    around = suggest_from_routes(
        Draft(("eth", layer), {destination: address}), "mirror0", resolve=True
    )
    assert around.trouble.startswith(
        f"eth.dst: EHOSTUNREACH: nobody on mirror0 answers for {address}"
    )


@pytest.mark.parametrize("number", [errno.EPERM, errno.EINVAL, errno.ENETDOWN])
def test_a_kernel_that_cannot_ask_the_link_is_not_an_error(no_route, monkeypatch, number):
    def fail(_index, _address):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(route_suggestions, "resolve_neighbor", fail)
    around = suggest_from_routes(Draft(("eth", "ip"), UNICAST), "mirror0", resolve=True)
    assert around.trouble.startswith("eth.dst: EHOSTUNREACH")


def test_sending_by_ip_reports_that_there_is_no_route(no_route):
    assert suggest_from_routes(Draft(("ip",), UNICAST)).trouble.startswith(
        "ENETUNREACH: there is no route"
    )


SOLICITATION = {"icmpv6.type": "135", "icmpv6.nd.ns.target_address": "2001:db8:1::2"}
WHO_HAS = {"arp.dst.proto_ipv4": "10.5.0.2"}
BY_TARGET = {  # layers, texts, the source field, its value, the destination of the frame
    "arp": (("eth", "arp"), WHO_HAS, "arp.src.proto_ipv4", "10.5.0.1", "ffffffffffff"),
    "tagged arp": (("eth", "vlan", "arp"), WHO_HAS, "arp.src.proto_ipv4", "10.5.0.1", "ff" * 6),
    "solicitation": (
        ("eth", "ipv6", "icmpv6"),
        SOLICITATION,
        "ipv6.src",
        "2001:db8:1::1",
        "3333ff000002",
    ),
}


@pytest.fixture
def routes(monkeypatch, addresses):
    """A host with two interfaces: targets are on `LINK`, all else is local, on lo."""

    def find(target):
        if target in (one.address for one in addresses):
            return Route(RouteKind.LOCAL, LOOPBACK, target, target, 65_536)
        assert ipaddress.ip_address(target).exploded[-1] == "2"
        source = source_on(HERE, target)
        return Route(RouteKind.UNICAST, LINK, source, target, 1500)

    monkeypatch.setattr(route_suggestions, "find_route", find)
    monkeypatch.setattr(route_suggestions, "link_of", {HERE: LINK}.__getitem__)


@pytest.mark.parametrize("name", BY_TARGET)
def test_the_route_to_the_target_says_where_a_question_about_it_leaves(routes, name):
    layers, texts, key, source, destination = BY_TARGET[name]
    draft = Draft(layers, texts)
    around = suggest_from_routes(draft)
    assert (around.interface, around.trouble) == ("mirror0", "")
    evaluation = evaluate(draft, around.values)
    assert not evaluation.errors
    assert evaluation.missing_destination is None
    assert evaluation.field(key).shown == source
    assert evaluation.data[:12].hex() == destination + MAC.hex()


def test_a_question_about_an_own_address_leaves_on_its_interface(routes):
    draft = Draft(("eth", "arp"), {"arp.dst.proto_ipv4": "10.5.0.1"})
    around = suggest_from_routes(draft)
    assert around.interface == "mirror0"
    assert evaluate(draft, around.values).field("arp.src.proto_ipv4").shown == "10.5.0.1"


def test_a_solicitation_of_one_host_keeps_its_destination(routes, monkeypatch):
    monkeypatch.setattr(route_suggestions, "known_neighbor", lambda _index, _address: MAC)
    texts = {**SOLICITATION, "ipv6.dst": "2001:db8:1::2"}
    around = suggest_from_routes(Draft(("eth", "ipv6", "icmpv6"), texts))
    assert "ipv6.dst" not in around.values
    assert around.values["eth.dst"] == int.from_bytes(MAC, "big")
