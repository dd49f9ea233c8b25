"""Keys have the right of way until the frame that answers them is written."""

from __future__ import annotations

import os
import tty

import pytest
from rich.segment import Segment
from textual import events
from textual._compositor import LayoutUpdate
from textual.app import App
from textual.geometry import Offset, Region, Size
from textual.strip import Strip

from app.terminal import driver as terminal_driver
from app.terminal.driver import SECOND_FRAME_S, TerminalDriver
from core.store.right_of_way import LONGEST_CLAIM_S, RightOfWay


def _mouse(kind: type[events.MouseEvent]) -> events.MouseEvent:
    return kind(None, 1, 1, 0, 0, 1, False, False, False)


@pytest.mark.parametrize(
    ("event", "claims"),
    [
        (events.Key("j", "j"), [LONGEST_CLAIM_S, SECOND_FRAME_S]),
        (events.Paste("tcp"), [LONGEST_CLAIM_S, SECOND_FRAME_S]),
        (_mouse(events.MouseDown), [LONGEST_CLAIM_S, SECOND_FRAME_S]),
        (_mouse(events.MouseScrollDown), [LONGEST_CLAIM_S, SECOND_FRAME_S]),
        (_mouse(events.MouseMove), []),
    ],
    ids=lambda given: type(given).__name__,
)
async def test_a_key_claims_the_right_of_way_until_its_frame_is_written(monkeypatch, event, claims):
    _reading, terminal = os.openpty()
    tty.setraw(terminal)
    monkeypatch.setattr(terminal_driver, "_SCREEN", terminal)
    driver = TerminalDriver(App())
    driver._has_terminal = True
    made: list[float] = []

    class Noting(RightOfWay):
        def claim(self, owner: object, longest_s: float = LONGEST_CLAIM_S) -> None:
            made.append(longest_s)

    driver.right_of_way = Noting()
    driver.process_message(event)
    assert made == claims[:1]
    for text in ("one", "two"):
        strip = Strip([Segment(text.ljust(20))])
        driver.paint(LayoutUpdate([[strip]], Region(0, 0, 20, 1)), Size(20, 1), Offset(0, 0))
    assert made == claims
