"""Operations on values."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.filter.display_filter import compile_filter
from core.analysis.filter.evaluation import operations
from core.analysis.filter.evaluation.columns import Column
from core.analysis.filter.language.expressions import Arithmetic, NonZero, SliceValue, Value
from core.analysis.filter.language.syntax import Range
from core.analysis.filter.types import FilterType, Spans
from tests.core.analysis.filter.evaluation.made_values import array, spans
from tests.core.analysis.filter.toy_catalog import TOY

_T = FilterType


def arithmetic(text: str) -> Arithmetic:
    """Return the arithmetic of a filter that consists of it."""
    condition = compile_filter(text, TOY).condition
    assert isinstance(condition, NonZero)
    assert isinstance(condition.operand, Arithmetic)
    return condition.operand


@pytest.mark.parametrize(
    ("text", "left", "right", "results"),
    [
        ("ip.ttl - tcp.port", [5, 3], [7, 0], [-2, 3]),
        ("ip.ttl / tcp.port", [7, 3], [2, 0], [3]),
        ("mac-lte.ratio / mac-lte.ratio", [1.5, 2.0], [0.5, 0.0], [3.0]),
        ("mac-lte.ratio + mac-lte.ratio", [1.5], [0.25], [1.75]),
        ("frame.time_delta * mac-lte.ratio", [1000], [1.5], [1500]),
        ("frame.time_delta / ip.ttl", [1000], [3], [333]),
    ],
)
def test_arithmetic(
    text: str, left: list[object], right: list[object], results: list[object]
) -> None:
    node = arithmetic(text)
    one, other = array(node.left.type, left), array(node.right.type, right)
    values, present = operations.arithmetic(node, one, other)
    kept = np.asarray(values) if present is None else np.asarray(values)[present]
    assert kept.tolist() == results


@pytest.mark.parametrize(
    "value",
    [
        Value(_T.UINT8, 5), Value(_T.DOUBLE, 1.5), Value(_T.STRING, "a"), Value(_T.BYTES, b"ab"),
        Value(_T.IPV4, 0x0A000001), Value(_T.IPV6, bytes(16)),
    ],
)  # fmt: skip
def test_a_constant_is_an_array_of_one_value(value: Value) -> None:
    found = operations.constant(value)
    assert len(found) == 1
    if not isinstance(found, Spans) and found.ndim == 1:
        assert found.tolist() == [value.value]


def test_ranges_of_texts_count_characters() -> None:
    texts = Column(np.array([0, 1]), array(_T.STRING, ["äbc", "d"]))
    node = SliceValue(Value(_T.STRING, ""), (Range(0, length=1), Range(-1)), _T.STRING)
    assert np.asarray(operations.part_of(texts, node).values).tolist() == ["äc", "dd"]
    assert operations.sizes_of(texts.values).tolist() == [3, 1]
    assert operations.items(texts.values) == ["äbc", "d"]


def test_truth_of_values() -> None:
    assert operations.is_nonzero(spans([b"", b"\0", b"\0\1"]), _T.BYTES).tolist() == [
        False,
        False,
        True,
    ]
    assert operations.is_nonzero(array(_T.STRING, ["", "0"]), _T.STRING).tolist() == [False, True]
    assert operations.is_nonzero(np.array([0, -1]), _T.INT8).tolist() == [False, True]
    rows = array(_T.IPV6, [bytes(16), bytes(15) + b"\1"])
    assert operations.is_nonzero(rows, _T.IPV6).tolist() == [False, True]


def test_an_empty_constant_is_in_bytes_but_not_in_texts_and_protocols() -> None:
    made = spans([b"ab"])
    assert operations.contains_value(made, Value(_T.BYTES, b"")).tolist() == [True]
    assert operations.contains_value(made, Value(_T.PROTOCOL, b"")).tolist() == [False]
    texts = array(_T.STRING, ["ab"])
    assert operations.contains_value(texts, Value(_T.STRING, "")).tolist() == [False]
    assert operations.contains_value(texts, Value(_T.STRING, "b")).tolist() == [True]
