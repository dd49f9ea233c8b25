"""Each rule by which segments become a stream."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.follow import assembly, history
from core.analysis.follow.assembly import Segment, TcpAssembly
from core.analysis.follow.pieces import Piece, PieceKind

FIRST = 2**32 - 4  # sequence numbers wrap in every case


@dataclass(frozen=True)
class Sent:
    """A segment: text at an offset of its side, or an acknowledgment of the other side."""

    text: str = ""
    at: int = 0
    back: bool = False
    ack: int | None = None
    wire: int | None = None
    syn: bool = False


def pieces_of(*sent: Sent) -> list[Piece]:
    """Return the pieces of segments; the first one is packet 1."""
    found: list[Piece] = []
    stream = TcpAssembly(found.append)
    for number, each in enumerate(sent, 1):
        stream.add(
            Segment(
                int(each.back),
                number,
                (FIRST + each.at - each.syn) % 2**32,
                None if each.ack is None else (FIRST + each.ack) % 2**32,
                each.syn,
                each.text.encode(),
                len(each.text) if each.wire is None else each.wire,
            )
        )
    return found


def shown(*sent: Sent) -> str:
    """Return the pieces in one line: text with its side and packet, marks with their amount."""
    return " ".join(
        f"{'<' if side else '>'}{packet}:"
        + (data.decode() if kind is PieceKind.DATA else f"{kind.name}={amount}")
        for side, packet, kind, data, amount, _ in pieces_of(*sent)
    )


ACK = Sent(back=True, ack=100)

RULES = {
    "in order": ([Sent("ab"), Sent("cd", 2)], ">1:ab >2:cd"),
    "a SYN takes one number": ([Sent(syn=True), Sent("ab")], ">2:ab"),
    "a SYN with data": ([Sent("ab", syn=True), Sent("cd", 2)], ">1:ab >2:cd"),
    "both sides": ([Sent("ab"), Sent("xy", back=True)], ">1:ab <2:xy"),
    "sent again": ([Sent("ab"), Sent("ab")], ">1:ab"),
    "again with more": ([Sent("ab"), Sent("abcd")], ">1:ab >2:cd"),
    "out of order": ([Sent("ab"), Sent("ef", 4), Sent("cd", 2)], ">1:ab >3:cd >2:ef"),
    "filled with more": ([Sent("ab"), Sent("ef", 4), Sent("cdefg", 2)], ">1:ab >3:cdefg"),
    "filled in part": ([Sent("ab"), Sent("def", 3), Sent("cd", 2)], ">1:ab >3:cd >2:ef"),
    "the earlier one first": (
        [Sent("a"), Sent("ef", 4), Sent("cdefgh", 2), Sent("bcd", 1)],
        ">1:a >4:bcd >2:ef >3:gh",
    ),
    "a gap without acknowledgment": ([Sent("ab"), Sent("ef", 4)], ">1:ab"),
    "acknowledged up to the gap": ([Sent("ab"), Sent("ef", 4), Sent(back=True, ack=4)], ">1:ab"),
    "acknowledged beyond the gap": (
        [Sent("ab"), Sent("ef", 4), Sent(back=True, ack=5)],
        ">1:ab >3:MISSING=2 >2:ef",
    ),
    "two gaps": (
        [Sent("a"), Sent("c", 2), Sent("e", 4), ACK],
        ">1:a >4:MISSING=1 >2:c >4:MISSING=1 >3:e",
    ),
    "no flag ACK": ([Sent("ab"), Sent("ef", 4), Sent(back=True)], ">1:ab"),
    "too late": ([Sent("ab"), Sent("ef", 4), ACK, Sent("cd", 2)], ">1:ab >3:MISSING=2 >2:ef"),
    "cut by the capture": ([Sent("ab", wire=5), Sent("fg", 5)], ">1:ab >1:CUT=3 >2:fg"),
    "all of it cut": ([Sent(wire=3), Sent("de", 3)], ">1:CUT=3 >2:de"),
    "other content": ([Sent("abcd"), Sent("bXdef", 1)], ">1:abcd >2:DIFFERENT=1 >2:ef"),
    "other content over two pieces": (
        [Sent("ab"), Sent("cd", 2), Sent("XXXd")],
        ">1:ab >2:cd >3:DIFFERENT=3",
    ),
    "other content while waiting": (
        [Sent("a"), Sent("cd", 2), Sent("cX", 2), Sent("b", 1)],
        ">1:a >4:b >2:cd >3:DIFFERENT=1",
    ),
    "a keep-alive": ([Sent("ab"), Sent("\0", 1)], ">1:ab"),
}


@pytest.mark.parametrize("name", RULES)
def test_rules(name: str) -> None:
    sent, expected = RULES[name]
    assert shown(*sent) == expected


def test_pieces_have_the_times_of_their_packets() -> None:
    found: list[Piece] = []
    stream = TcpAssembly(found.append)
    for packet, (sequence, data, length) in enumerate([(0, b"a", 1), (3, b"d", 2), (1, b"bc", 2)]):
        stream.add(Segment(0, packet, sequence, None, False, data, length, 10 * packet))
    stream.add(Segment(0, 3, 0, None, False, b"X", 1, 30))
    stream.add(Segment(0, 4, 8, None, False, b"z", 1, 40))
    stream.add(Segment(1, 5, 0, 9, False, b"!", 1, 50))
    assert [(each.packet, each.kind, each.elapsed_ns) for each in found] == [
        (0, PieceKind.DATA, 0),
        (2, PieceKind.DATA, 20),
        (1, PieceKind.DATA, 10),
        (1, PieceKind.CUT, 10),
        (3, PieceKind.DIFFERENT, 30),
        (5, PieceKind.MISSING, 50),
        (4, PieceKind.DATA, 40),
        (5, PieceKind.DATA, 50),
    ]


def test_bytes_that_wait_are_counted_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembly, "MOST_WAITING", 2 * assembly.SEGMENT_COST + 4)
    assert shown(Sent("a"), Sent("cd", 2), Sent("fg", 5)) == ">1:a"
    assert shown(Sent("a"), Sent("cd", 2), Sent("fg", 5), Sent("i", 8)) == (
        ">1:a >4:MISSING=1 >2:cd"
    )
    stream = TcpAssembly(lambda piece: None)
    stream.add(Segment(0, 1, 0, None, False, b"a", 1))
    stream.add(Segment(0, 2, 5, None, False, b"xyz", 3))
    stream.add(Segment(0, 3, 9, None, False, b"", 7))  # the capture kept none of its bytes
    assert stream.waiting == (10, 0)


def test_the_history_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "BLOCK", 1)
    monkeypatch.setattr(history, "HISTORY", history.BLOCK_COST + sys.getsizeof(bytearray(b"cdef")))
    assert shown(Sent("ab"), Sent("cdef", 2), Sent("X")) == ">1:ab >2:cdef"  # ab is forgotten
    assert shown(Sent("ab"), Sent("cdef", 2), Sent("X", 3)).endswith(">3:DIFFERENT=1")


@given(st.data())
def test_any_order_gives_the_same_bytes(data: st.DataObject) -> None:
    text = "".join(chr(97 + i % 26) for i in range(40))
    first = data.draw(st.integers(1, 5))
    cuts = [(at, data.draw(st.integers(1, 12))) for at in range(first, 40, 3)]
    order = data.draw(st.permutations(cuts))
    sent = [Sent(text[:first])] + [Sent(text[at : at + size], at) for at, size in order]
    sent += [Sent(text[first:], first)]  # fills whatever is missing
    assert b"".join(piece.data for piece in pieces_of(*sent)).decode() == text
