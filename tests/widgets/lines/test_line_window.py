"""Which lines of a list are on the screen, and where a cursor goes."""

import pytest

from widgets.lines.line_window import LineWindow, target_of

WINDOW = LineWindow(count=100, top=20, page=10, width=80)
SHORT = LineWindow(count=3, top=0, page=10, width=80)


def test_lines_on_the_screen_end_with_the_list() -> None:
    assert list(WINDOW.lines) == list(range(20, 30))
    assert list(SHORT.lines) == [0, 1, 2]
    assert not LineWindow(0, 0, 10, 80).lines


def test_a_range_is_clipped_to_the_screen_even_beyond_the_list() -> None:
    assert WINDOW.clip(0, 25) == range(20, 25)
    assert WINDOW.clip(25, 1000) == range(25, 30)
    assert not WINDOW.clip(0, 20)
    assert not WINDOW.clip(30, 40)
    assert SHORT.clip(3, 6) == range(3, 6)  # lines that have just been removed


def test_a_row_of_the_screen_is_a_line_only_within_the_list() -> None:
    assert WINDOW.line_at(0) == 20
    assert SHORT.line_at(2) == 2
    assert SHORT.line_at(3) is None
    assert WINDOW.line_at(-1) is None  # a header


@pytest.mark.parametrize(
    ("line", "top"), [(0, 0), (19, 19), (20, 20), (29, 20), (30, 21), (99, 90)]
)
def test_showing_a_line_scrolls_as_little_as_possible(line: int, top: int) -> None:
    assert WINDOW.top_showing(line) == top


def test_the_last_top_shows_the_end() -> None:
    assert WINDOW.last_top == 90
    assert SHORT.last_top == 0


@pytest.mark.parametrize(
    ("motion", "line", "target"),
    [
        ("up", 50, 49),
        ("up", 0, 0),
        ("down", 50, 51),
        ("down", 99, 99),
        ("page_up", 50, 40),
        ("page_up", 4, 0),
        ("page_down", 50, 60),
        ("page_down", 95, 99),
        ("first", 50, 0),
        ("last", 50, 99),
    ],
)
def test_motions_stop_at_the_ends(motion: str, line: int, target: int) -> None:
    assert target_of(motion, line, WINDOW) == target


def test_a_cursor_left_behind_by_a_shorter_list_comes_back() -> None:
    assert target_of("up", 50, SHORT) == target_of("down", 50, SHORT) == 2


def test_an_unknown_motion_is_an_error() -> None:
    with pytest.raises(KeyError):
        target_of("sideways", 0, WINDOW)
