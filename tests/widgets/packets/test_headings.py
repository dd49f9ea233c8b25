"""The words to click on at the right end of the headings."""

from __future__ import annotations

import pytest

from widgets.packets.headings import links_in


@pytest.mark.parametrize(
    ("width", "links"),
    [
        (160, [(147, "filter"), (155, "menu")]),
        (60, [(47, "filter"), (55, "menu")]),
        (59, [(54, "menu")]),
        (5, [(0, "menu")]),
    ],
)
def test_the_last_word_stays_on_narrow_screens(width, links):
    assert links_in(width) == links
