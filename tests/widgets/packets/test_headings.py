"""The words to click on at the right end of the headings."""

from __future__ import annotations

import pytest

from widgets.packets.headings import links_in


@pytest.mark.parametrize(
    ("width", "used", "links"),
    [
        (160, 60, [(147, "filter"), (155, "menu")]),
        (80, 66, [(67, "filter"), (75, "menu")]),
        (80, 67, [(75, "menu")]),
        (40, 38, [(35, "menu")]),
        (4, 4, []),
    ],
)
def test_only_the_last_word_may_cover_headings(width, used, links):
    assert links_in(width, used) == links
