"""The layout of the forge panel for every size."""

from __future__ import annotations

import pytest

from app.screens.forge.layout import BROAD, MOST_BYTE_LINES, ROOMY, lay_out


@pytest.mark.parametrize(("height", "shows_both"), [(ROOMY - 1, False), (ROOMY, True)])
@pytest.mark.parametrize("prefers_outcome", [False, True])
def test_in_little_room_the_outcome_replaces_the_bytes(height, shows_both, prefers_outcome):
    layout = lay_out(BROAD - 1, height, 4, has_outcome=True, prefers_outcome=prefers_outcome)
    assert layout.shows_bytes is (shows_both or not prefers_outcome)
    assert layout.shows_outcome is (shows_both or prefers_outcome)


@pytest.mark.parametrize("width", [BROAD - 1, BROAD])
@pytest.mark.parametrize("prefers_outcome", [False, True])
def test_without_an_outcome_the_bytes_are_shown(width, prefers_outcome):
    layout = lay_out(width, 10, 4, has_outcome=False, prefers_outcome=prefers_outcome)
    assert (layout.shows_bytes, layout.shows_outcome) == (True, False)


def test_on_a_broad_panel_both_are_beside_the_form():
    layout = lay_out(BROAD, 10, 4, has_outcome=True, prefers_outcome=True)
    assert layout.is_broad
    assert (layout.shows_bytes, layout.shows_outcome) == (True, True)
    assert (layout.bytes_height, layout.outcome_height) == (5, "1fr")
    alone = lay_out(BROAD, 10, 4, has_outcome=False, prefers_outcome=False)
    assert alone.bytes_height == "1fr"


@pytest.mark.parametrize(
    ("height", "byte_lines", "lines"),
    [(40, 2, 3), (40, 5, 6), (40, 100, MOST_BYTE_LINES), (20, 100, 5), (4, 100, 3)],
)
def test_the_bytes_have_the_lines_that_they_need_up_to_a_part_of_the_panel(
    height, byte_lines, lines
):
    layout = lay_out(80, height, byte_lines, has_outcome=True, prefers_outcome=False)
    assert layout.bytes_height == lines


@pytest.mark.parametrize(("height", "lines"), [(ROOMY, ROOMY // 3), (20, 10), (2, 4)])
def test_the_outcome_has_a_part_of_the_panel(height, lines):
    layout = lay_out(80, height, 4, has_outcome=True, prefers_outcome=True)
    assert layout.outcome_height == lines
