"""What is asked before packets leave. Nothing is sent here: routes are only looked up."""

from __future__ import annotations

import pytest

from core.forge.draft import Draft
from core.forge.evaluation import evaluate
from core.forge.rails import Load, Target, examine

STRANGER = "198.51.100.7"  # RFC 5737: nobody's


def packet(destination: str, source: str = "0.0.0.0", **texts: str) -> bytes:
    fields = {"ip.dst": destination, "ip.src": source, "udp.dstport": "9", **texts}
    return evaluate(Draft(("ip", "udp"), fields)).data


def frame(destination: str, mac: str = "02:00:5e:10:00:99", source: str = "0.0.0.0") -> bytes:
    fields = {"ip.dst": destination, "ip.src": source, "eth.dst": mac}
    return evaluate(Draft(("eth", "ip", "udp"), fields)).data


@pytest.mark.parametrize("destination", ["127.0.0.1", "127.1.2.3"])
@pytest.mark.parametrize("source", ["0.0.0.0", "1.2.3.4"])
def test_loopback_is_not_asked(destination: str, source: str) -> None:
    found = examine(packet(destination, source), verbatim=False)
    assert (found.target, found.questions, found.marks) == (Target.OWN, (), frozenset())


def test_a_stranger_is_asked_once_and_named() -> None:
    found = examine(packet(STRANGER), verbatim=False, interface="eth0")
    assert found.questions == (f"Nothing was sent to {STRANGER} on eth0 before.",)
    assert found.target is Target.HOST
    assert examine(packet(STRANGER), verbatim=False, known=found.marks).questions == ()
    assert examine(packet("198.51.100.8"), verbatim=False, known=found.marks).questions


def test_a_spoofed_source_is_asked_though_the_destination_is_known() -> None:
    known = examine(packet(STRANGER), verbatim=False).marks
    found = examine(packet(STRANGER, "203.0.113.1"), verbatim=False, known=known)
    (question,) = found.questions
    assert "203.0.113.1 is no address of this machine" in question


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


def test_verbatim_is_asked_by_its_interface() -> None:
    found = examine(frame(STRANGER), verbatim=True, interface="veth9")
    assert len(found.questions) == 2
    assert "veth9 verbatim, past the IP stack and its firewall" in found.questions[1]
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


def test_bytes_that_are_no_packet_are_asked_too() -> None:
    found = examine(b"\1\2\3", verbatim=True, interface="veth9")
    assert found.target is Target.HOST
    assert found.questions


@pytest.mark.parametrize(
    ("load", "asked"),
    [
        (Load(1), 0),
        (Load(1000), 0),
        (Load(1001), 1),
        (Load(1001, 1000), 0),
        (Load(5000, 1001), 1),
        (Load(10_000, 100), 0),
        (Load(10_001, 100), 1),
        (Load(10_001), 2),
        (Load(10_001, 5000), 2),
        (Load(5, 5000), 0),
    ],
)
def test_volume_is_asked_always(load: Load, asked: int) -> None:
    found = examine(packet("127.0.0.1"), verbatim=False, load=load)
    assert len(found.questions) == asked
    assert found.marks == frozenset(), "and never remembered"
