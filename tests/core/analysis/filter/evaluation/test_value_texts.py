"""The texts of values."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.filter.evaluation.value_texts import hexadecimal, texts_of, words_of
from core.analysis.filter.types import FilterType
from tests.core.analysis.filter.evaluation.made_values import array

_T = FilterType


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (_T.UINT16, 24, "24"),
        (_T.INT16, -5, "-5"),
        (_T.DOUBLE, 1.5, "1.5"),
        (_T.IPV4, bytes((10, 0, 0, 5)), "10.0.0.5"),
        (_T.IPV6, bytes(15) + b"\x01", "::1"),
        (_T.ETHER, bytes.fromhex("00096b88f5c9"), "00:09:6b:88:f5:c9"),
        (_T.EUI64, bytes(8), "00:00:00:00:00:00:00:00"),
    ],
)
def test_texts(kind: FilterType, value: object, text: str) -> None:
    assert texts_of(array(kind, [value, value]), kind).tolist() == [text, text]
    assert texts_of(array(kind, []), kind).tolist() == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [(_T.UINT8, "0x0a"), (_T.UINT16, "0x000a"), (_T.UINT24, "0x00000a"), (_T.UINT32, "0x0000000a"),
     (_T.UINT40, "0x000000000000000a")],
)  # fmt: skip
def test_hexadecimal_digits_follow_the_type(kind: FilterType, text: str) -> None:
    assert hexadecimal(np.array([10]), kind).tolist() == [text]


def test_numbers_without_a_word_are_marked() -> None:
    texts, present = words_of(np.array([6, 9, 6], np.uint8), {6: "TCP"})
    assert present.tolist() == [True, False, True]
    assert texts[present].tolist() == ["TCP", "TCP"]
    texts, present = words_of(np.array([True, False]), {1: "Set", 0: "Not set"})
    assert texts.tolist() == ["Set", "Not set"]
    assert present.all()
