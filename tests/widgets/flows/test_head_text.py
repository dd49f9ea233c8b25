"""The lines around the list of flows: choices that fit, and what is counted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.analysis.flows.level import Level
from core.analysis.flows.listing import FlowQuestion
from tests.widgets.flows.test_flow_list import listed
from widgets.flows.head_text import FlowsState, flow_text, head_lines
from widgets.lines.pieces import PieceStyle

STATE = FlowsState(listed(), FlowQuestion())


@pytest.mark.parametrize(("width", "lines"), [(40, 4), (72, 3), (80, 2), (160, 2)])
def test_choices_take_the_lines_that_they_need(width: int, lines: int) -> None:
    found = head_lines(STATE, width)
    assert len(found) == lines
    assert all(sum(len(piece.text) for piece in line) <= width for line in found)


def test_chosen_words_are_marked_and_every_choice_has_an_action() -> None:
    state = replace(STATE, question=FlowQuestion(Level.UDP, endpoints=True), only_shown=True)
    choices = [piece for piece in head_lines(state, 160)[0] if piece.action]
    chosen = [piece.text.strip() for piece in choices if piece.style is PieceStyle.BUTTON]
    assert chosen == ["[UDP]", "[endpoints]", "[filtered]"]
    assert len({piece.action for piece in choices}) == len(choices) == 9


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (STATE, "33 conversations of 35 packets"),
        (replace(STATE, progress=0.5), "33 conversations of 35 packets, 50% counted"),
        (replace(STATE, first=7), "33 conversations of 35 packets, from packet 7 on"),
        (replace(STATE, failure="ValueError: x"), "counting failed: ValueError: x"),
        (
            replace(STATE, listing=listed(FlowQuestion(text="443"))),
            "1 of 33 conversations of 35 packets",
        ),
        (
            replace(STATE, listing=replace(listed(), other_packets=1234)),
            "33 conversations of 35 packets; 1,234 packets of the longest idle ones "
            "are not listed anymore",
        ),
        (
            replace(STATE, listing=listed(FlowQuestion(Level.IPV4, endpoints=True))),
            "2 endpoints of 35 packets",
        ),
    ],
)
def test_the_number_of_flows_and_packets(state: FlowsState, words: str) -> None:
    (piece,) = head_lines(state, 160)[-1]
    assert piece.text.strip() == words


def test_a_flow_in_one_line() -> None:
    assert flow_text(listed(), None) == ""
    assert flow_text(listed(), 0) == "10.0.0.1:40001 ⇄ 10.0.0.2:443  154 B → · 554 B ← in 1.0 ms"
    assert flow_text(listed(), 2).endswith("54 B → · 0 B ←  resets 1 → · 0 ←")
