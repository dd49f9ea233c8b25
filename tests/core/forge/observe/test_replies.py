"""Segments that answer a sent one, beside those of a connection that continues anyway."""

from __future__ import annotations

import pytest

from core.forge.observe.replies import ReplyMatch, match_reply
from core.wire.dissect import dissect
from core.wire.link.link_types import LinkType
from core.wire.model.dissection import Dissection
from tests.helpers.scripted import ACK, FIN, HOST, PSH, RST, SERVER, SYN, tcp

THERE, BACK = (40000, 80), (80, 40000)
TOP = (1 << 32) - 1


def read(frame: bytes) -> Dissection:
    return dissect(frame, LinkType.ETHERNET, len(frame))


def ours(flags: int, sequence: int, acknowledged: int = 0, payload: bytes = b"") -> Dissection:
    return read(tcp(HOST, SERVER, THERE, flags, (sequence, acknowledged), payload))


def theirs(flags: int, sequence: int, acknowledged: int, payload: bytes = b"") -> Dissection:
    return read(tcp(SERVER, HOST, BACK, flags, (sequence, acknowledged), payload))


SENT = {
    "syn": ours(SYN, 1000),
    "syn at the top": ours(SYN, TOP),
    "syn with data": ours(SYN, 1000, 0, b"four"),
    "data": ours(PSH | ACK, 1000, 500, b"four"),
    "fin": ours(FIN | ACK, 1000, 500),
    "ack": ours(ACK, 1000, 500),
    "christmas tree": ours(FIN | PSH, 1000),
}


@pytest.mark.parametrize(
    ("name", "answer", "expected"),
    [
        ("syn", theirs(SYN | ACK, 7, 1001), ReplyMatch.YES),
        ("syn", theirs(RST | ACK, 0, 1001), ReplyMatch.YES),
        ("syn", theirs(RST | ACK, 0, 1002), ReplyMatch.PERHAPS),
        ("syn", theirs(ACK, 7, 5000), ReplyMatch.PERHAPS),  # a challenge ACK
        ("syn", theirs(PSH | ACK, 7, 5000, b"live"), ReplyMatch.NO),
        ("syn at the top", theirs(SYN | ACK, 7, 0), ReplyMatch.YES),
        ("syn with data", theirs(SYN | ACK, 7, 1001), ReplyMatch.YES),
        ("syn with data", theirs(SYN | ACK, 7, 1005), ReplyMatch.YES),
        ("data", theirs(ACK, 500, 1004), ReplyMatch.YES),
        ("data", theirs(PSH | ACK, 500, 1004, b"reply"), ReplyMatch.YES),
        ("data", theirs(PSH | ACK, 500, 1000, b"live"), ReplyMatch.NO),
        ("data", theirs(PSH | ACK, 500, 1005, b"live"), ReplyMatch.NO),
        ("data", theirs(RST, 500, 0), ReplyMatch.YES),
        ("data", theirs(RST, 501, 0), ReplyMatch.NO),
        ("fin", theirs(ACK, 500, 1001), ReplyMatch.YES),
        ("ack", theirs(RST, 500, 0), ReplyMatch.YES),
        ("ack", theirs(PSH | ACK, 500, 1000, b"live"), ReplyMatch.NO),
        ("ack", theirs(ACK, 500, 1000), ReplyMatch.PERHAPS),
        ("christmas tree", theirs(RST | ACK, 0, 1001), ReplyMatch.YES),
    ],
)
def test_a_segment_answers_by_its_numbers(
    name: str, answer: Dissection, expected: ReplyMatch
) -> None:
    assert match_reply(SENT[name], answer) is expected


def test_other_ports_are_another_connection() -> None:
    other = read(tcp(SERVER, HOST, (80, 40001), SYN | ACK, (7, 1001)))
    assert match_reply(SENT["syn"], other) is ReplyMatch.NO
    assert match_reply(SENT["syn"], ours(SYN, 1000)) is ReplyMatch.NO
