"""Words of numbers and columns: they agree with the columns of fields."""

from __future__ import annotations

import numpy as np
import pytest

from core.wire.model.words import split_words, word_columns
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6


@pytest.mark.parametrize("slot", [IPV4["src"], IPV6["src"]], ids=lambda slot: slot.name)
def test_a_number_and_a_column_have_the_same_words(slot) -> None:
    header = bytes(range(1, 1 + slot.table.size))
    column = slot.column(np.frombuffer(header * 2, np.uint8), np.array([0, len(header)]))
    words = split_words(slot.number(header, 0), slot.field.bits)
    assert word_columns(column).tolist() == [list(words)] * 2


def test_the_high_word_is_first() -> None:
    assert split_words(5 << 64 | 7, 128) == (5, 7)
    assert split_words(7, 128) == (0, 7)
    assert split_words((1 << 64) - 1, 64) == ((1 << 64) - 1,)


def test_words_have_64_bits() -> None:
    words = word_columns(np.array([1, 255], np.uint8))
    assert (words.dtype, words.shape) == (np.uint64, (2, 1))
    assert word_columns(np.zeros((0, 2), np.uint64)).shape == (0, 2)
