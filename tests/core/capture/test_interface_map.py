"""The interface map against a scripted kernel."""

from __future__ import annotations

import errno

import pytest

from core.capture import interface_map as module
from core.capture.interface_map import InterfaceMap
from core.net import netlink
from core.net.interfaces import ARPHRD_ETHER, ARPHRD_NONE, LinkHeader
from core.net.netlink import LinkMessage
from core.store.interface_numbers import INTERFACES, MORE, OWN, InterfaceNumbers
from core.wire.link.link_types import LinkType

NUMBER = 17


def link(index: int, name: str, *, deleted: bool = False) -> LinkMessage:
    return LinkMessage(deleted, index, ARPHRD_ETHER, 0, name, 1500, bytes(6), 0, "veth")


class Kernel:
    """A fake netlink: answers for single links, records the queries, and reports changes."""

    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        self.asked: list[int] = []
        self.messages: list[LinkMessage] = []
        self.lost = False
        self.failure: OSError | None = None

    def get_link(self, index: int) -> LinkMessage | None:
        self.asked.append(index)
        if self.failure is not None:
            raise self.failure
        return link(index, self.names[index]) if index in self.names else None

    def take(self) -> tuple[list[LinkMessage], bool]:
        messages, self.messages = self.messages, []
        lost, self.lost = self.lost, False
        return messages, lost

    def add(self, index: int, name: str) -> None:
        """Add a link, or rename one."""
        self.names[index] = name
        self.messages.append(link(index, name))

    def delete(self, index: int) -> None:
        self.messages.append(link(index, self.names.pop(index), deleted=True))


@pytest.fixture
def kernel(monkeypatch):
    made = Kernel()
    monkeypatch.setattr(module, "get_link", made.get_link)

    def dump(_request):
        raise AssertionError("all links were queried")

    monkeypatch.setattr(netlink, "_dump", dump)
    return made


@pytest.fixture
def added():
    return []


@pytest.fixture
def interface_map(kernel, added):
    def add(interface):
        added.append(interface)
        return len(added) - 1

    return InterfaceMap(add, 100, kernel)


def name_of(interface_map, added, index=NUMBER, hardware_type=ARPHRD_ETHER):
    """Return the name that a frame of a new block gets."""
    interface_map.apply_changes()
    return added[interface_map.look_up(index, hardware_type).number].name


def test_each_interface_is_queried_once_and_alone(kernel, interface_map, added):
    kernel.names = {index: f"veth{index}" for index in range(1, 301)}
    for _ in range(3):
        for index in kernel.names:
            assert name_of(interface_map, added, index) == f"veth{index}"
    assert kernel.asked == list(kernel.names)
    assert len(added) == 300


def test_a_renamed_interface_has_its_new_name(kernel, interface_map, added):
    kernel.add(NUMBER, "before")
    assert name_of(interface_map, added) == "before"
    kernel.add(NUMBER, "after")
    assert name_of(interface_map, added) == "after"


def test_other_changes_cause_no_query(kernel, interface_map, added):
    kernel.add(NUMBER, "veth0")
    name_of(interface_map, added)
    kernel.add(NUMBER, "veth0")  # up, down, promiscuous, …
    name_of(interface_map, added)
    assert kernel.asked == [NUMBER]
    assert len(added) == 1


@pytest.mark.parametrize("between", [True, False], ids=["messages between", "messages at once"])
def test_another_interface_with_the_number_of_a_deleted_one(kernel, interface_map, added, between):
    kernel.add(NUMBER, "old")
    assert name_of(interface_map, added) == "old"
    kernel.delete(NUMBER)
    if between:
        assert name_of(interface_map, added) == "old", "frames that it left in the ring"
    kernel.add(NUMBER, "new")
    assert name_of(interface_map, added) == "new"


def test_another_kind_of_interface_with_the_same_number_and_name(kernel, interface_map, added):
    kernel.add(NUMBER, "one")
    assert interface_map.look_up(NUMBER, ARPHRD_ETHER).framing is LinkHeader.LINK
    assert interface_map.look_up(NUMBER, ARPHRD_NONE).framing is LinkHeader.NETWORK
    assert [found.link_type for found in added] == [LinkType.ETHERNET, LinkType.RAW]


def test_the_same_interface_again_is_not_added_again(kernel, interface_map, added):
    kernel.add(NUMBER, "veth0")
    first = interface_map.look_up(NUMBER, ARPHRD_ETHER)
    kernel.delete(NUMBER)
    kernel.add(NUMBER + 1, "veth0")
    interface_map.apply_changes()
    assert interface_map.look_up(NUMBER + 1, ARPHRD_ETHER).number == first.number
    assert len(added) == 1


def test_an_interface_deleted_before_the_query(kernel, interface_map, added):
    kernel.add(NUMBER, "short")
    kernel.delete(NUMBER)
    assert name_of(interface_map, added) == "short"


def test_an_interface_deleted_during_the_query(kernel, interface_map, added):
    interface_map.apply_changes()
    kernel.add(NUMBER, "short")
    kernel.delete(NUMBER)
    assert added[interface_map.look_up(NUMBER, ARPHRD_ETHER).number].name == "short"


def test_an_interface_deleted_without_a_message(interface_map, added):
    assert name_of(interface_map, added) == "interface 17"
    assert name_of(interface_map, added, 0) == "unknown interface"


def test_an_unknown_name_is_learned_with_the_next_message(kernel, interface_map, added):
    assert name_of(interface_map, added) == "interface 17"
    kernel.add(NUMBER, "veth0")
    assert name_of(interface_map, added) == "veth0"


def test_a_new_number_does_not_get_the_name_of_a_deleted_interface(kernel, interface_map, added):
    kernel.add(NUMBER, "old")
    kernel.delete(NUMBER)
    kernel.add(NUMBER, "new")
    interface_map.apply_changes()
    kernel.names.clear()  # and this one was deleted without a message
    assert name_of(interface_map, added) == "interface 17"


def test_after_lost_messages_every_interface_is_queried_again(kernel, interface_map, added):
    kernel.add(NUMBER, "old")
    name_of(interface_map, added)
    kernel.names[NUMBER] = "new"
    kernel.lost = True
    assert name_of(interface_map, added) == "new"


def test_names_of_deleted_interfaces_are_bounded(kernel, interface_map):
    for index in range(1, 5000):
        kernel.add(index, f"veth{index}")
        kernel.delete(index)
    interface_map.apply_changes()
    assert len(interface_map._gone) <= 1024
    assert interface_map._gone[4999] == "veth4999"


@pytest.mark.parametrize("number", [errno.ENOBUFS, errno.EMFILE, errno.ENOMEM])
def test_a_failed_query_loses_no_frame(kernel, interface_map, added, number):
    kernel.failure = OSError(number, "no")
    assert name_of(interface_map, added) == "interface 17"


def test_changing_interfaces_take_bounded_memory(kernel, monkeypatch) -> None:
    """More interfaces than a batch can number, each with frames and its own name."""
    monkeypatch.setattr(module, "_KNOWN_KEPT", 100)
    numbers = InterfaceNumbers()
    interface_map = InterfaceMap(numbers.add, 0, kernel)
    count = INTERFACES + 1_000
    for index in range(1, count + 1):
        kernel.names[index] = f"veth{index}"
        known = interface_map.look_up(index, (ARPHRD_ETHER, ARPHRD_NONE)[index % 2])
        assert known.number < INTERFACES
        kernel.delete(index)
        interface_map.apply_changes()
    assert [one.name for one in numbers.interfaces[OWN:]] == [MORE, MORE]
    assert max(map(len, (interface_map._by_index, interface_map._by_name))) == 100
