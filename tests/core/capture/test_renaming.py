"""The present name of an interface after several changes."""

from __future__ import annotations

import pytest

from core.capture.renaming import current_name


@pytest.mark.parametrize(
    ("name", "now"),
    [("eth0", "wan0"), ("wan0", "wan0"), ("lo", "lo"), ("a", "a"), ("b", "a")],
)
def test_each_change_follows_the_one_before(name, now):
    renamed = [("eth0", "up0"), ("up0", "wan0"), ("a", "b"), ("b", "a")]
    assert current_name(name, renamed) == now


def test_without_changes_a_name_stays():
    assert current_name("eth0", ()) == "eth0"
