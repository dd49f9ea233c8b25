"""The questions before a replay, about all its frames. Nothing is sent here."""

from __future__ import annotations

import pytest

from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.forge.review import capture_review as module
from core.forge.review.capture_review import CaptureReview
from core.forge.review.confirmation import SendVolume
from core.forge.review.packet_review import Concern, Target, Unusual
from tests.core.decode.support import batch_of

FEW = SendVolume(1)
BROADCAST = "ff:ff:ff:ff:ff:ff"


def frame(destination: str, mac: str = "02:00:5e:10:00:99", **texts: str) -> bytes:
    fields = {"ip.dst": destination, "eth.dst": mac, "ip.src": "0.0.0.0", **texts}
    return evaluate(Draft(("eth", "ip", "udp"), fields)).data


def spoofed(destination: str, source: str) -> bytes:
    return frame(destination, **{"ip.src": source})


def survey_of(*frames: bytes, loopback: bool = False) -> CaptureReview:
    capture_review = CaptureReview("lo" if loopback else "veth9", loopback)
    capture_review.add(batch_of(list(frames)))
    return capture_review


def test_every_destination_group_and_source_is_named_and_agreed_to() -> None:
    frames = [
        frame("198.51.100.1"),
        frame("198.51.100.1", **{"ip.id": "77", "udp.dstport": "53"}),
        frame("198.51.100.2", BROADCAST),
        spoofed("198.51.100.1", "203.0.113.9"),
    ]
    found = survey_of(*frames).examination(FEW, frozenset())
    told = " ".join(found.questions)
    assert "198.51.100.1 on veth9 was not approved before." in found.questions
    assert "198.51.100.2 (ff:ff:ff:ff:ff:ff) is a broadcast: every host on veth9" in told
    assert "The source 203.0.113.9 does not belong to this host" in told
    assert told.count("verbatim, past the IP stack") == 1
    assert found.target is Target.HOST
    assert survey_of(*frames).examination(FEW, found.marks).questions == ()


@pytest.mark.parametrize(
    "other",
    [frame("198.51.100.2"), spoofed("198.51.100.1", "203.0.113.9"),
     frame("198.51.100.1", BROADCAST)],
    ids=["destination", "source", "broadcast"],
)  # fmt: skip
def test_an_approval_of_one_file_does_not_count_for_another(other: bytes) -> None:
    known = survey_of(frame("198.51.100.1")).examination(FEW, frozenset()).marks
    assert survey_of(frame("198.51.100.1")).examination(FEW, known).questions == ()
    assert survey_of(*[frame("198.51.100.1")] * 50, other).examination(FEW, known).questions


def test_many_destinations_are_counted() -> None:
    frames = [frame(f"198.51.100.{number}") for number in range(1, 51)]
    found = survey_of(*frames).examination(FEW, frozenset())
    assert "…and 47 more destinations." in found.questions
    assert "…and 47 more link addresses." in found.questions
    assert len(found.questions) == 9
    assert survey_of(*frames).examination(FEW, found.marks).questions == ()


@pytest.mark.parametrize("kind", Unusual)
def test_the_number_of_others_agrees_with_its_noun(kind: Unusual) -> None:
    def last(count: int) -> str:
        concerns = [Concern(kind, "", f"sentence {number}") for number in range(count)]
        return module._condensed(concerns)[-1]

    one, several = kind.value
    named = module._NAMED
    assert last(named) == f"sentence {named - 1}"
    assert last(named + 1) == f"…and 1 more {one}."
    assert last(named + 2) == f"…and 2 more {several}."
    assert last(named + 1234) == f"…and 1,234 more {several}."


def test_too_many_kinds_are_a_question_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_KINDS", 5)
    frames = [frame(f"198.51.100.{number}") for number in range(1, 8)]
    found = survey_of(*frames).examination(FEW, frozenset())
    (question,) = survey_of(*frames).examination(FEW, found.marks).questions
    assert "more than 5 kinds of frames" in question


def test_our_own_traffic_on_loopback_is_not_asked_about() -> None:
    texts = {"ip.src": "127.0.0.1"}
    own = frame("127.0.0.1", "00:00:00:00:00:00", **texts)
    assert survey_of(own, loopback=True).examination(FEW, frozenset()).questions == ()
    stranger = frame("198.51.100.1", "00:00:00:00:00:00", **texts)
    assert survey_of(own, stranger, loopback=True).examination(FEW, frozenset()).questions


def test_frames_of_no_bytes_and_short_ones_raise_no_question() -> None:
    capture_review = CaptureReview("veth9", False)
    capture_review.add(batch_of([b"", b""]))
    capture_review.add(batch_of([b"\1" * 13, frame("198.51.100.1")[:20], b""]))
    assert capture_review.frames == 5
    assert capture_review.examination(FEW, frozenset()).questions


@pytest.mark.parametrize(
    "tags", [("vlan",), ("ieee8021ad", "vlan"), ("ieee8021ad", "vlan", "vlan")]
)
@pytest.mark.parametrize("network", ["ip", "ipv6"])
def test_destinations_after_tags_are_distinguished(tags: tuple[str, ...], network: str) -> None:
    """Also where they differ in their last byte only."""
    base = {"ip": "198.51.100.", "ipv6": "2001:db8::"}[network]
    frames = [
        evaluate(Draft(("eth", *tags, network, "udp"), {f"{network}.dst": f"{base}{last}"})).data
        for last in (1, 2, 3)
    ]
    told = " ".join(survey_of(*frames).examination(FEW, frozenset()).questions)
    for last in (1, 2, 3):
        assert f"{base}{last} on veth9 was not approved before." in told


def test_unknown_protocols_are_reviewed_frame_by_frame() -> None:
    strange = [bytes(12) + b"\x12\x34" + bytes([number]) for number in range(5)]
    capture_review = survey_of(*strange, *strange)
    assert len(capture_review._kinds) == 5


def test_packets_without_a_link_header_are_reviewed_by_their_addresses() -> None:
    frames = [frame("198.51.100.1"), frame("198.51.100.2"), spoofed("198.51.100.1", "203.0.113.9")]
    six = evaluate(Draft(("ipv6", "udp"), {"ipv6.dst": "2001:db8::1", "ipv6.src": "::"})).data
    review = CaptureReview("tun7", False, is_bare=True)
    review.add(batch_of([*(one[14:] for one in frames), six, b"", b"\x45"]))
    found = review.examination(FEW, frozenset())
    assert [question for question in found.questions if "approved" in question] == [
        f"{address} on tun7 was not approved before."
        for address in ("198.51.100.1", "198.51.100.2", "2001:db8::1")
    ]
    assert any("The source 203.0.113.9 does not belong" in one for one in found.questions)
    assert any("past the IP stack and its firewall" in one for one in found.questions)
    assert not any("link" in one for one in found.questions)
    assert review.examination(FEW, found.marks).questions == ()
