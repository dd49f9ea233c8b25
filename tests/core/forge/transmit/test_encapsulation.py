"""IP packets of captures without link headers become frames. The tables of routes are made up."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from ipaddress import IPv4Address

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.forge.transmit import encapsulation as module
from core.forge.transmit.encapsulation import Encapsulation
from core.net.netlink import LinkMessage
from core.net.routes import ARPHRD_ETHER, IFF_LOOPBACK, Route, RouteKind
from core.wire.link.ethernet import ETHERNET
from core.wire.link.link_types import LinkType
from core.wire.link.linux_cooked import SLL, SLL2
from core.wire.link.loopback import FAMILIES_IPV6, FAMILY_IPV4
from core.wire.model.assigned_numbers import EtherType
from tests.core.decode.support import batch_of
from tests.core.forge.transmit.rewriting import frames_of

OWN = b"\x02\0\0\0\0\x17"
HOP = b"\x02\0\0\0\0\x99"
FOUR, SIX = EtherType.IPV4, EtherType.IPV6
SILENT = "198.51.100.66"  # nobody answers for it


class Kernel:
    """Knows the next hop of all but one; counts the requests."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: Counter[tuple[bytes, bool]] = Counter()
        monkeypatch.setattr(module, "find_route", self.find_route)
        monkeypatch.setattr(module, "link_address", self.link_address)

    def find_route(self, destination: bytes) -> None:
        raise OSError(101, "no route")

    def link_address(self, address, route, link, *, resolve):
        self.asked[address, resolve] += 1
        return None if address == IPv4Address(SILENT).packed else HOP


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    return Kernel(monkeypatch)


def link(flags: int = 0) -> LinkMessage:
    return LinkMessage(False, 7, ARPHRD_ETHER, flags, "veth9", 1500, OWN, 0, "veth")


def packet(destination: str, payload: str = "") -> bytes:
    name = "ipv6" if ":" in destination else "ip"
    return evaluate(Draft((name, "udp"), {f"{name}.dst": destination, "payload": payload})).data


def head(kind: int, receiver: bytes = HOP, sender: bytes = OWN) -> bytes:
    return receiver + sender + kind.to_bytes(2, "big")


def cooked(kind: int, data: bytes) -> bytes:
    return SLL.emit({"etype": kind}) + data


def cooked_2(kind: int, data: bytes) -> bytes:
    return SLL2.emit({"etype": kind}) + data


def encapsulated(adapter: Encapsulation, records: list[tuple[int, bytes]]) -> list[bytes]:
    batch = batch_of([data for _, data in records])
    kinds = np.array([kind for kind, _ in records], np.int64)
    found: list[bytes] = []
    for piece, _ in adapter.frames(batch, kinds):
        assert (piece.original == piece.captured).all()
        found += frames_of(piece)
    return found


def test_each_packet_gets_the_header_that_leads_to_its_next_hop(kernel: Kernel) -> None:
    four, six = packet("198.51.100.1", "four"), packet("2001:db8::1", "six")
    odd = bytes((0x05,)) + four[1:]
    whole = head(0x88B5) + b"frame"
    records = [
        (LinkType.RAW, four), (LinkType.RAW, b""), (LinkType.ETHERNET, whole), (LinkType.RAW, six),
        (LinkType.IPV6, six), (LinkType.IPV4, four), (LinkType.LINUX_SLL, cooked(FOUR, four)),
        (LinkType.LINUX_SLL, cooked(SIX, six)), (LinkType.RAW, odd), (LinkType.ETHERNET, b""),
        (LinkType.LINUX_SLL2, cooked_2(FOUR, four)), (LinkType.LINUX_SLL2, cooked_2(SIX, six)),
    ]  # fmt: skip
    assert encapsulated(Encapsulation(link()), records) == [
        head(FOUR) + four, b"", whole, head(SIX) + six, head(SIX) + six, head(FOUR) + four,
        head(FOUR) + four, head(SIX) + six, head(FOUR) + odd, b"",
        head(FOUR) + four, head(SIX) + six,
    ]  # fmt: skip


def test_a_next_hop_is_requested_once_and_only_if_allowed(kernel: Kernel) -> None:
    silent, other = packet(SILENT), packet("198.51.100.1")
    records = [(LinkType.RAW, one) for one in (silent, other, silent, other)]
    adapter = Encapsulation(link())
    assert encapsulated(adapter, records)[0] == head(FOUR, bytes(6)) + silent, "still to be found"
    assert adapter.omitted.unresolved == 0
    assert {resolve for _, resolve in kernel.asked} == {False}
    kernel.asked.clear()
    adapter.resolve = True
    for _ in range(2):
        assert encapsulated(adapter, records) == [head(FOUR) + other] * 2
    assert adapter.omitted.unresolved == 4
    addresses = [IPv4Address(text).packed for text in (SILENT, "198.51.100.1")]
    assert kernel.asked == {(address, True): 1 for address in addresses}


def test_a_forecast_counts_packets_for_unknown_next_hops(kernel: Kernel) -> None:
    aims = (SILENT, "198.51.100.1", SILENT)
    records = [(LinkType.RAW, packet(aim)) for aim in aims]
    adapter = Encapsulation(link())
    for _ in range(2):
        encapsulated(adapter, records)
        assert adapter.pending == {IPv4Address(SILENT).packed: 2}
        adapter.pending.clear()
    adapter.resolve = True
    encapsulated(adapter, records)
    assert not adapter.pending


def test_a_router_that_does_not_answer_gets_one_request(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    hop = IPv4Address(SILENT).packed
    route = Route(RouteKind.UNICAST, link(), b"", hop, 1500)
    monkeypatch.setattr(module, "find_route", lambda destination: route)
    monkeypatch.setattr(
        module, "link_address", lambda address, route, link, *, resolve: kernel.asked.update([hop])
    )
    adapter = Encapsulation(link())
    adapter.resolve = True
    records = [(LinkType.RAW, packet(f"203.0.113.{number}")) for number in range(5)]
    assert encapsulated(adapter, records) == []
    assert adapter.omitted.unresolved == 5
    assert kernel.asked.total() == 1


def test_frames_without_an_ip_packet_are_left_out_or_too_short(kernel: Kernel) -> None:
    short = [packet("198.51.100.1")[:19], packet("2001:db8::1")[:39], b"\x45"]
    adapter = Encapsulation(link())
    records = [(LinkType.RAW, one) for one in short]
    records += [
        (LinkType.LINUX_SLL, cooked(FOUR, b"")[:9]),
        (LinkType.LINUX_SLL, cooked(FOUR, b"")),
        (LinkType.LINUX_SLL2, cooked_2(FOUR, b"")[:17]),
    ]
    found = encapsulated(adapter, records)
    assert len(found) == len(records)
    assert all(len(one) < ETHERNET.size for one in found)
    assert adapter.omitted.unresolved == 0
    assert encapsulated(adapter, [(LinkType.LINUX_SLL, cooked(EtherType.ARP, bytes(28)))]) == []
    assert adapter.omitted.unresolved == 1


@pytest.mark.parametrize("order", ["little", "big"])
def test_frames_of_a_bsd_loopback_are_sent_like_raw_ip(kernel: Kernel, order) -> None:
    """Of each family, whichever host wrote it; of others nothing is sent."""
    four, six = packet("198.51.100.1", "four"), packet("2001:db8::1", "six")
    kind = LinkType.NULL if order == "little" else LinkType.LOOP
    adapter = Encapsulation(link())
    records = [(kind, family.to_bytes(4, order) + six) for family in sorted(FAMILIES_IPV6)]
    records += [(kind, FAMILY_IPV4.to_bytes(4, order) + four)]
    assert encapsulated(adapter, records) == [head(SIX) + six] * 4 + [head(FOUR) + four]
    short = [(kind, data[:cut]) for _, data in records[-2:] for cut in (0, 1, 3, 4, 5, 23)]
    found = encapsulated(adapter, short)
    assert [len(one) < ETHERNET.size for one in found] == [True] * len(short)
    assert adapter.omitted.unresolved == 0
    osi = (kind, (7).to_bytes(4, order) + four)
    assert encapsulated(adapter, [osi, (kind, b"\xff\x03\xc0\x21" + four)]) == []
    assert adapter.omitted.unresolved == 2


def test_frames_of_other_links_are_omitted_and_counted_by_link_type(kernel: Kernel) -> None:
    four, whole = packet("198.51.100.1"), head(0x88B5) + b"frame"
    ppp, user = (LinkType.PPP, b"\xff\x03\x00\x21" + four), (147, b"whatever")
    adapter = Encapsulation(link())
    records = [ppp, (LinkType.ETHERNET, whole), user, (LinkType.RAW, four), user]
    assert encapsulated(adapter, records) == [whole, head(FOUR) + four]
    assert encapsulated(adapter, [user]) == []
    assert adapter.omitted.unsendable == {LinkType.PPP: 1, 147: 3}
    assert adapter.omitted.unresolved == 0
    adapter.omitted.clear()
    assert not adapter.omitted.unsendable


def test_on_loopback_all_link_addresses_are_zero(kernel: Kernel) -> None:
    data = packet("127.0.0.1")
    found = encapsulated(Encapsulation(link(IFF_LOOPBACK)), [(LinkType.RAW, data)])
    assert found[0][:6] == bytes(6)
    assert not kernel.asked


def test_a_cut_frame_stays_cut(kernel: Kernel) -> None:
    batch = batch_of([packet("198.51.100.1", "x" * 40)[:40]])
    batch = replace(batch, original=np.array([68], np.uint32))
    ((made, _),) = Encapsulation(link()).frames(batch, np.array([LinkType.RAW]))
    assert (made.captured.tolist(), made.original.tolist()) == ([54], [82])


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [
                    LinkType.RAW,
                    LinkType.ETHERNET,
                    LinkType.LINUX_SLL,
                    LinkType.LINUX_SLL2,
                    LinkType.IPV6,
                    LinkType.NULL,
                    LinkType.LOOP,
                    LinkType.PPP,
                ]
            ),
            st.binary(max_size=70),
        ),
        max_size=12,
    ),
    st.integers(1, 200),
)
def test_any_bytes_are_encapsulated_or_counted(records, piece) -> None:
    with pytest.MonkeyPatch.context() as patch:
        Kernel(patch)
        patch.setattr(module, "_PIECE", piece)
        adapter = Encapsulation(link())
        adapter.resolve = True
        found = encapsulated(adapter, records)
    omitted = adapter.omitted.total()
    assert len(found) + omitted == len(records)
    kept = [data for kind, data in records if kind == LinkType.ETHERNET]
    assert all(data in found for data in kept)
