"""Find the interface that the user means in a handmade list of links."""

from __future__ import annotations

import pytest

from core.net import interface_lookup as module
from core.net.interface_lookup import UnknownInterfaceError, find_interface, require_interface
from core.net.netlink import LinkMessage

LONG = "a-name-that-is-longer-than-fifteen-bytes"


def link(index: int, name: str, *others: str) -> LinkMessage:
    return LinkMessage(False, index, 1, 0, name, 1500, bytes(6), 0, "", others)


FEW = [link(1, "lo"), link(2, "eth0", "up0", LONG), link(5, "3"), link(3, "eth1")]
MANY = [link(index, f"veth{index}") for index in range(1, 1000)]


@pytest.fixture
def links(monkeypatch):
    there = list(FEW)

    def named(name):
        return next((one for one in there if name in (one.name, *one.alternative_names)), None)

    monkeypatch.setattr(module, "get_link_named", named)
    monkeypatch.setattr(
        module, "get_link", lambda index: next((one for one in there if one.index == index), None)
    )
    monkeypatch.setattr(module, "dump_links", lambda: there)
    return there


@pytest.mark.parametrize(
    ("text", "index"),
    [("lo", 1), ("eth0", 2), ("up0", 2), (LONG, 2), ("2", 2), ("02", 2), (f"{2:030}", 2), ("3", 5)],
)
def test_names_before_numbers(links, text, index):
    assert find_interface(text).index == index


NOT_THERE = [
    "",
    "0",
    "-1",
    "4",
    "+2",
    "2.0",
    "²",
    "99999999999999",
    "eth",
    "LO",
    "eth0\0",
    "é" * 99,
    pytest.param("9" * 4_301, id="more digits than int takes"),
    pytest.param("0" * 5_000, id="5,000 zeros"),
    pytest.param("0" * 5_000 + "4", id="5,000 zeros and a digit"),
    pytest.param("²" * 5_000, id="5,000 superscripts"),
]


@pytest.mark.parametrize("text", NOT_THERE)
def test_unknown_interfaces(links, text):
    assert find_interface(text) is None
    with pytest.raises(UnknownInterfaceError):
        require_interface(text)


@pytest.mark.parametrize("text", NOT_THERE)
def test_the_kernel_agrees_on_unknown_interfaces(text):
    """The host has no interfaces of these names."""
    if text.lstrip("0") != "4":
        assert find_interface(text) is None


def test_the_kernel_finds_loopback_by_name_and_number():
    assert find_interface("lo") == find_interface("1")
    assert find_interface("lo").index == 1


def test_the_error_names_all_of_a_few_interfaces(links):
    del links[2:]
    with pytest.raises(UnknownInterfaceError) as caught:
        require_interface("nope")
    words = f"there is no interface 'nope'; there are: lo, eth0, up0, {LONG}"
    assert str(caught.value) == words


@pytest.mark.parametrize("text", ["veth1001", "vteh12", "nope", "\x1b[31mveth1", "eth"])
def test_the_error_is_short_for_any_number_of_interfaces(links, text):
    links[:] = MANY
    with pytest.raises(UnknownInterfaceError) as caught:
        require_interface(text)
    sentence = str(caught.value)
    assert len(sentence) < 160
    assert sentence.endswith("; there are 999: 'rawscope interfaces' lists them")
    assert "\x1b" not in sentence
    assert ("similar: veth" in sentence) == (text != "nope")


def test_alternative_names_are_suggested_too(links):
    links[:] = [*MANY, link(2000, "enp0", "uplink")]
    with pytest.raises(UnknownInterfaceError, match="similar: uplink;"):
        require_interface("uplnik")
