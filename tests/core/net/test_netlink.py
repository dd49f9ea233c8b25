"""rtnetlink messages from handmade bytes; tests/live queries the real kernel."""

from __future__ import annotations

import struct

import pytest

from core.net import netlink


def attribute(kind, value):
    raw = netlink.RTATTR.pack(netlink.RTATTR.size + len(value), kind) + value
    return raw.ljust((len(raw) + 3) & ~3, b"\0")


def message(kind, body):
    length = netlink.NLMSGHDR.size + len(body)
    raw = netlink.NLMSGHDR.pack(length, kind, 0, 1, 0) + body
    return raw.ljust((len(raw) + 3) & ~3, b"\0")


def test_messages_and_attributes_with_padding():
    first = attribute(3, b"odd") + attribute(4, b"even")
    data = message(16, first) + message(3, b"")
    found = list(netlink.messages(data))
    assert [kind for kind, _body in found] == [16, 3]
    assert netlink.attributes(found[0][1]) == {3: b"odd", 4: b"even"}


def test_the_nested_flag_is_not_part_of_the_type():
    assert netlink.attributes(attribute(18 | 0x8000, b"....")) == {18: b"...."}


@pytest.mark.parametrize("cut", range(40))
def test_cut_or_senseless_data_ends_quietly(cut):
    data = (attribute(3, b"name") + attribute(4, b"value") + bytes(20))[:cut]
    assert set(netlink.attributes(data)) <= {3, 4}
    list(netlink.messages(data))
    list(netlink.messages(struct.pack("=I", 3) + bytes(cut)))


def test_link_and_its_watcher_agree_on_loopback():
    (loopback,) = (link for link in netlink.dump_links() if link.name == "lo")
    assert loopback.hardware_type == 772
    assert not loopback.deleted
    watcher = netlink.LinkWatcher()
    assert watcher.read() == []
    watcher.close()


def test_every_address_belongs_to_a_link():
    links = {link.index for link in netlink.dump_links()}
    assert {address.index for address in netlink.dump_addresses()} <= links
