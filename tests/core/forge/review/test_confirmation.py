"""The questions before packets leave. Nothing is sent here: routes are only looked up."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pytest

from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.forge.review.confirmation import LONG_SEND, MOST_PER_SECOND, SendVolume, examine
from core.forge.review.packet_review import Target
from tests.helpers.support import ROOT

STRANGER = "198.51.100.7"  # RFC 5737: nobody's


def packet(destination: str, source: str = "0.0.0.0", **texts: str) -> bytes:
    fields = {"ip.dst": destination, "ip.src": source, "udp.dstport": "9", **texts}
    return evaluate(Draft(("ip", "udp"), fields)).data


def frame(
    destination: str,
    mac: str = "02:00:5e:10:00:99",
    texts: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    fields = {"ip.dst": destination, "ip.src": "0.0.0.0", "eth.dst": mac, **texts}
    return evaluate(Draft(("eth", "ip", "udp"), fields)).data


@pytest.mark.parametrize("destination", ["127.0.0.1", "127.1.2.3"])
@pytest.mark.parametrize("source", ["0.0.0.0", "127.0.0.1", "127.9.9.9"])
def test_loopback_is_not_asked(destination: str, source: str) -> None:
    found = examine(packet(destination, source), verbatim=False)
    assert (found.target, found.questions, found.marks) == (Target.OWN, (), frozenset())


def test_a_new_destination_is_a_question_with_its_name_once() -> None:
    found = examine(packet(STRANGER), verbatim=False, interface="eth0")
    assert found.questions == (f"{STRANGER} on eth0 was not approved before.",)
    assert found.target is Target.HOST
    assert examine(packet(STRANGER), verbatim=False, known=found.marks).questions == ()
    assert examine(packet("198.51.100.8"), verbatim=False, known=found.marks).questions


def test_a_spoofed_source_is_a_question_even_if_the_destination_is_approved() -> None:
    known = examine(packet(STRANGER), verbatim=False).marks
    found = examine(packet(STRANGER, "203.0.113.1"), verbatim=False, known=known)
    (question,) = found.questions
    assert "203.0.113.1 does not belong to this host" in question


def test_a_spoofed_source_to_this_host_is_a_question_because_the_answer_goes_there() -> None:
    found = examine(packet("127.0.0.1", "203.0.113.1"), verbatim=False)
    assert found.target is Target.OWN
    (question,) = found.questions
    assert "203.0.113.1 does not belong to this host" in question
    known = found.marks
    assert not examine(packet("127.0.0.1", "203.0.113.1"), verbatim=False, known=known).questions
    assert examine(packet("127.0.0.1", "203.0.113.2"), verbatim=False, known=known).questions


@pytest.mark.parametrize("version", ["0", "6", "15"])
def test_a_wrong_version_hides_no_destination(version: str) -> None:
    """Not even one whose bytes make an IPv6 header with our address in it."""
    texts = {"ip.version": version, "payload": f"hex:{bytes(19).hex()}01"}
    data = evaluate(Draft(("ip",), {"ip.dst": STRANGER, **texts})).data
    found = examine(data, verbatim=False, network="ip")
    assert (found.destination, found.target) == (STRANGER, Target.HOST)
    assert found.questions == (f"{STRANGER} was not approved before.",)
    other = evaluate(Draft(("ip",), {"ip.dst": "198.51.100.8", **texts})).data
    assert examine(other, verbatim=False, network="ip", known=found.marks).questions
    inside = frame(STRANGER, texts={"ip.version": version})
    assert examine(inside, verbatim=True, interface="veth9").destination == STRANGER


def test_packets_without_an_address_are_never_remembered() -> None:
    for data, verbatim in ((b"\1\2\3", True), (b"\x45" + bytes(9), False), (b"", False)):
        found = examine(data, verbatim=verbatim, interface="veth9")
        assert found.questions
        assert found.marks == frozenset()


@pytest.mark.parametrize("destination", ["224.0.0.251", "255.255.255.255", "169.254.7.7"])
def test_an_address_of_one_link_is_agreed_to_for_that_link(destination: str) -> None:
    known = examine(packet(destination), verbatim=False, interface="veth9").marks
    found = examine(packet(destination), verbatim=False, interface="veth9", known=known)
    assert found.questions == ()
    assert examine(packet(destination), verbatim=False, interface="veth8", known=known).questions


@pytest.mark.parametrize("mac", ["ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:fb", "02:00:5e:10:00:99"])
def test_a_link_address_is_agreed_to_for_its_link(mac: str) -> None:
    data = bytes.fromhex(mac.replace(":", "")) + bytes(6) + b"\x88\xb5" + bytes(46)
    known = examine(data, verbatim=True, interface="veth9").marks
    assert not examine(data, verbatim=True, interface="veth9", known=known).questions
    assert len(examine(data, verbatim=True, interface="veth8", known=known).questions) == 2


def arp(opcode: str, **texts: str) -> bytes:
    fields = {"eth.dst": "ff:ff:ff:ff:ff:ff", "arp.opcode": opcode}
    return evaluate(Draft(("eth", "arp"), {**fields, **texts})).data


def test_an_arp_reply_for_somebody_else_is_named() -> None:
    """Agreeing to ask who has an address is not agreeing to answer for it."""
    known = examine(arp("1"), verbatim=True, interface="veth9").marks
    assert not examine(arp("1"), verbatim=True, interface="veth9", known=known).questions
    texts = {"arp.src.proto_ipv4": "192.0.2.1", "arp.src.hw_mac": "02:00:5e:10:00:99"}
    found = examine(arp("2", **texts), verbatim=True, interface="veth9", known=known)
    assert len(found.questions) == 2
    assert "every host on veth9 gets it" in found.questions[0]
    assert "ARP reply says that 192.0.2.1 is at 02:00:5e:10:00:99" in found.questions[1]
    known |= found.marks
    texts["arp.src.proto_ipv4"] = "192.0.2.2"
    (question,) = examine(
        arp("2", **texts), verbatim=True, interface="veth9", known=known
    ).questions
    assert "192.0.2.2 is at" in question


def advertisement(target: str, mac: str = "") -> bytes:
    """A neighbor advertisement to all nodes, from nobody, with or without a link address."""
    texts = {
        "eth.dst": "33:33:00:00:00:01", "ipv6.src": "::", "ipv6.dst": "ff02::1",
        "icmpv6.type": "136", "icmpv6.nd.na.target_address": target,
        "payload": "hex:0201" + mac.replace(":", "") if mac else "",
    }  # fmt: skip
    return evaluate(Draft(("eth", "ipv6", "icmpv6"), texts)).data


def test_a_neighbor_advertisement_for_somebody_else_is_named() -> None:
    """As an ARP reply is; agreeing to one claim is not agreeing to another."""
    frames = [
        advertisement("2001:db8::1", "02:00:5e:10:00:99"),
        advertisement("2001:db8::2"),
        advertisement("::1", "02:00:5e:10:00:99"),
    ]
    known = examine(advertisement("::1"), verbatim=True, interface="veth9").marks
    told = []
    for one in frames:
        found = examine(one, verbatim=True, interface="veth9", known=known)
        told += found.questions
        known |= found.marks
    assert [words.partition(" says that ")[2] for words in told] == [
        "2001:db8::1 is at 02:00:5e:10:00:99, and the address does not belong to this host: "
        "hosts that hear it will send there.",
        "2001:db8::2 is where it comes from, and the address does not belong to this host: "
        "hosts that hear it will send there.",
        "::1 is at 02:00:5e:10:00:99, and the link address does not belong to this host: "
        "hosts that hear it will send there.",
    ]


def test_a_spoofed_link_source_is_named() -> None:
    texts = {"eth.src": "02:00:5e:10:00:55"}
    known = examine(frame(STRANGER), verbatim=True, interface="veth9").marks
    found = examine(frame(STRANGER, texts=texts), verbatim=True, interface="veth9", known=known)
    (question,) = found.questions
    assert "02:00:5e:10:00:55 does not belong to this host" in question


@pytest.mark.parametrize("destination", [STRANGER, "224.0.0.251"])
def test_a_frame_on_loopback_to_a_stranger_may_be_passed_on(destination: str) -> None:
    found = examine(frame(destination), verbatim=True, interface="lo", is_loopback=True)
    assert found.target is not Target.OWN
    assert destination in found.questions[0]
    nothing = bytes(12) + b"\x88\xb5" + bytes(46)
    assert not examine(nothing, verbatim=True, interface="lo", is_loopback=True).questions


@pytest.mark.parametrize(
    ("destination", "target", "word"),
    [
        ("255.255.255.255", Target.BROADCAST, "broadcast"),
        ("224.0.0.251", Target.MULTICAST, "multicast group"),
    ],
)
def test_many_hearers_are_named(destination: str, target: Target, word: str) -> None:
    found = examine(packet(destination), verbatim=False)
    assert found.target is target
    assert word in found.questions[0]
    assert destination in found.questions[0]


def test_a_verbatim_frame_is_approved_for_its_interface() -> None:
    found = examine(frame(STRANGER), verbatim=True, interface="veth9")
    assert len(found.questions) == 3
    assert "veth9 verbatim, past the IP stack and its firewall" in found.questions[2]
    known = found.marks
    assert not examine(frame(STRANGER), verbatim=True, interface="veth9", known=known).questions
    assert examine(frame(STRANGER), verbatim=True, interface="veth8", known=known).questions


def test_a_frame_to_our_own_address_leaves_all_the_same() -> None:
    assert examine(frame("127.0.0.1"), verbatim=True, interface="veth9").target is Target.HOST
    loopback = examine(frame("127.0.0.1"), verbatim=True, interface="lo", is_loopback=True)
    assert loopback.questions == ()


def test_a_group_of_the_link_counts() -> None:
    found = examine(frame(STRANGER, "ff:ff:ff:ff:ff:ff"), verbatim=True, interface="veth9")
    assert found.target is Target.BROADCAST
    found = examine(frame(STRANGER, "01:00:5e:00:00:fb"), verbatim=True, interface="veth9")
    assert found.target is Target.MULTICAST


def test_bytes_that_are_not_a_packet_are_a_question_too() -> None:
    found = examine(b"\1\2\3", verbatim=True, interface="veth9")
    assert found.target is Target.HOST
    assert found.questions


@pytest.mark.parametrize(
    ("load", "question"),
    [
        (SendVolume(1), ""),
        (SendVolume(1000), ""),
        (SendVolume(1001), "1,001 packets leave as fast as this host can send."),
        (SendVolume(1001, 1000), ""),
        (SendVolume(5000, 1001), "5,000 packets at 1,001 a second take about 5 s to send."),
        (SendVolume(9_999, 1000), ""),
        (SendVolume(10_000, 1000), "10,000 packets at 1,000 a second take about 10 s to send."),
        (SendVolume(10_001, 100), "10,001 packets at 100 a second take about 1 min 40 s to send."),
        (SendVolume(10_001), "10,001 packets leave as fast as this host can send."),
        (SendVolume(10_000, 50_000), "10,000 packets at 50,000 a second take less than a second "
         "to send."),
        (SendVolume(10_001, 1 / 3), "10,001 packets at one every 3 seconds take about 8 h 20 min "
         "to send."),
        (SendVolume(10_001, 0.1), "10,001 packets at one every 10 seconds take about 1 d 3 h "
         "to send."),
        (SendVolume(5, 5000), ""),
        (SendVolume(1001, float("inf")), "1,001 packets leave as fast as this host can send."),
        (SendVolume(1001, float("nan")), "1,001 packets leave as fast as this host can send."),
        (SendVolume(2000, 5e3, 90.0), "2,000 packets at up to 5,000 a second take about "
         "1 min 30 s to send."),
    ],
)  # fmt: skip
def test_the_question_about_an_amount_names_the_time_that_it_takes(
    load: SendVolume, question: str
) -> None:
    found = examine(packet("127.0.0.1"), verbatim=False, load=load)
    assert found.questions == ((question,) if question else ())
    assert found.marks == frozenset(), "and never remembered"


def test_the_readme_names_the_amounts_from_which_it_asks() -> None:
    words = " ".join((ROOT / "README.md").read_text().split())
    assert (
        f"{LONG_SEND:,} or more, or more than {MOST_PER_SECOND:,} with no rate limit or with one "
        f"above {MOST_PER_SECOND:,} packets per second"
    ) in words


CARRIERS = ["ip/ip/udp", "ip/ipv6/udp", "ipv6/ip/udp", "eth/ip/ip/udp", "ip/ip/ip/udp"]


@pytest.mark.parametrize("layers", CARRIERS)
def test_the_destination_of_a_carried_packet_is_a_question_like_any_other(layers: str) -> None:
    names = layers.split("/")
    inner = "ipv6" if "ipv6" in names[1:] else "ip"
    stranger = {"ip": STRANGER, "ipv6": "2001:db8::7"}[inner]
    last = {name: f"{name}.dst" + (f"#{names.count(name)}" if names.count(name) > 1 else "")
            for name in ("ip", "ipv6")}[inner]  # fmt: skip
    texts = {"ip.dst": "127.0.0.1", "ipv6.dst": "::1", "ip.dst#2": "127.0.0.1", last: stranger}
    data = evaluate(Draft(tuple(names), texts)).data
    verbatim = names[0] == "eth"
    found = examine(data, verbatim=verbatim, interface="lo", is_loopback=True)
    assert found.target is Target.OWN
    assert found.questions == (
        f"The packet that it carries goes to {stranger}, which was not approved before.",
    )
    again = examine(data, verbatim=verbatim, interface="lo", is_loopback=True, known=found.marks)
    assert again.questions == ()


def test_a_carried_packet_to_the_same_or_to_this_host_asks_nothing_more() -> None:
    for destination in (STRANGER, "127.0.0.1"):
        texts = {"ip.dst": STRANGER, "ip.dst#2": destination, "ip.src#2": "0.0.0.0"}
        data = evaluate(Draft(("ip", "ip", "udp"), texts)).data
        assert len(examine(data, verbatim=False).questions) == 1


def test_an_approval_of_a_carried_packet_of_one_link_counts_for_that_link() -> None:
    texts = {"ip.dst": "127.0.0.1", "ip.dst#2": "224.0.0.251"}
    data = evaluate(Draft(("ip", "ip", "udp"), texts)).data
    known = examine(data, verbatim=False, interface="veth9").marks
    assert not examine(data, verbatim=False, interface="veth9", known=known).questions
    assert examine(data, verbatim=False, interface="veth8", known=known).questions


def test_every_cut_of_a_carried_packet_raises_nothing() -> None:
    texts = {"ip.dst": "127.0.0.1", "ip.dst#2": STRANGER}
    data = evaluate(Draft(("ip", "ip", "udp"), texts)).data
    for cut in range(len(data)):
        asked = examine(data[:cut], verbatim=False, network="ip").questions
        assert any(STRANGER in one for one in asked) == (cut >= 40)


def test_the_end_of_a_source_route_is_a_question() -> None:
    known = examine(packet(STRANGER), verbatim=False).marks
    routed = packet(STRANGER, **{"ip.options": "lsrr=4:203.0.113.77"})
    found = examine(routed, verbatim=False, known=known)
    (question,) = found.questions
    assert f"makes {STRANGER} forward it to 203.0.113.77." in question
    other = packet(STRANGER, **{"ip.options": "lsrr=4:203.0.113.78"})
    assert examine(other, verbatim=False, known=known | found.marks).questions


def test_the_end_of_a_routing_header_is_a_question() -> None:
    texts = {
        "ipv6.dst": "2001:db8::7", "ipv6.routing.type": "0", "ipv6.routing.segleft": "1",
        "ipv6.routing.options": "00000000" + "20010db8" + "00" * 11 + "77",
    }  # fmt: skip
    data = evaluate(Draft(("ipv6", "ipv6.routing", "udp"), texts)).data
    told = " ".join(examine(data, verbatim=False).questions)
    assert "makes 2001:db8::7 forward it to 2001:db8::77." in told
    assert "2001:db8::77" in " ".join(examine(data, verbatim=False, system=True).questions)


@pytest.mark.parametrize(
    "options",
    ["lsrr=4:203.0.113.77:198.51.100.7", "hex:83 07 05 cb 00 71 4d", "ssrr=4:203.0.113.77"],
    ids=["there and back", "a pointer between addresses", "strict"],
)
def test_any_new_host_of_a_route_is_a_question(options: str) -> None:
    known = examine(packet(STRANGER), verbatim=False).marks
    routed = packet(STRANGER, **{"ip.options": options})
    (question,) = examine(routed, verbatim=False, known=known).questions
    assert "203.0.113.77" in question


@pytest.mark.parametrize("kind", [0, 2, 3, 4, 253])
def test_every_cut_of_a_routing_header_raises_nothing(kind: int) -> None:
    texts = {
        "ipv6.dst": "2001:db8::7", "ipv6.routing.type": str(kind), "ipv6.routing.segleft": "1",
        "ipv6.routing.options": "00000000" + "20010db8" + "00" * 11 + "77",
    }  # fmt: skip
    data = evaluate(Draft(("eth", "ipv6", "ipv6.routing", "udp"), texts)).data
    for cut in range(len(data)):
        for length in (None, 0):
            short = data[:cut] if length is None else (data[:18] + b"\0\0" + data[20:])[:cut]
            examine(short, verbatim=True, interface="veth9")
    assert any("A source route in the packet" in one for one in
               examine(data, verbatim=True, interface="veth9").questions)  # fmt: skip


def test_another_link_address_is_another_receiver() -> None:
    """The approval of an IP destination does not cover every link address."""
    first = frame(STRANGER, "02:00:5e:10:00:99")
    found = examine(first, verbatim=True, interface="veth9")
    assert any(
        "cannot confirm that MAC 02:00:5e:10:00:99 is the next hop" in one
        for one in found.questions
    )
    again = examine(first, verbatim=True, interface="veth9", known=found.marks)
    assert again.questions == ()
    other = frame(STRANGER, "02:00:5e:10:00:98")
    (question,) = examine(other, verbatim=True, interface="veth9", known=found.marks).questions
    assert "02:00:5e:10:00:98" in question
    unresolved = frame(STRANGER, "00:00:00:00:00:00")
    assert not examine(unresolved, verbatim=True, interface="veth9", known=found.marks).questions


def test_a_source_that_the_system_replaces_is_not_asked_about() -> None:
    found = examine(packet("127.0.0.1", "203.0.113.1"), verbatim=False, system=True)
    assert found.questions == ()
