"""Which types go together."""

from __future__ import annotations

import pytest

from core.analysis.filter.language.type_rules import are_compatible, has_parts
from core.analysis.filter.types import FilterType

_T = FilterType


def test_a_type_is_compatible_with_itself() -> None:
    assert all(are_compatible(kind, kind) for kind in FilterType)


@pytest.mark.parametrize(
    ("left", "right", "fits"),
    [
        (_T.UINT8, _T.INT64, True),
        (_T.UINT16, _T.BOOLEAN, True),
        (_T.BOOLEAN, _T.UINT16, False),
        (_T.FLOAT, _T.DOUBLE, True),
        (_T.DOUBLE, _T.UINT8, False),
        (_T.ETHER, _T.BYTES, True),
        (_T.IPV4, _T.BYTES, False),
        (_T.PROTOCOL, _T.BYTES, False),
        (_T.ABSOLUTE_TIME, _T.RELATIVE_TIME, False),
        (_T.STRING, _T.BYTES, False),
    ],
)
def test_pairs(left: FilterType, right: FilterType, fits: bool) -> None:
    assert are_compatible(left, right) is fits


def test_numbers_and_times_have_no_parts() -> None:
    for kind in FilterType:
        if kind.is_integer or kind.is_time:
            assert not has_parts(kind)
    assert has_parts(_T.IPV4)
