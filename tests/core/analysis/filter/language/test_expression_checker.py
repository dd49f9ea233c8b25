"""Operands: their fields and types."""

from __future__ import annotations

import pytest

from core.analysis.filter.language.expression_checker import ExpressionChecker
from core.analysis.filter.language.parser import parse
from core.analysis.filter.language.syntax import Truth
from core.analysis.filter.types import FilterType
from tests.core.analysis.filter.toy_catalog import TOY

_T = FilterType


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("tcp.port", _T.UINT16),
        ("@tcp.port", _T.BYTES),
        ("tcp.note[1]", _T.STRING),
        ("ip.src[1]", _T.BYTES),
        ("${ip.src}", _T.IPV4),
        ("len(ip)", _T.UINT32),
        ("max(1, tcp.port)", _T.UINT16),
        ("ip.ttl + tcp.port", _T.UINT8),
        ("-frame.time_delta", _T.RELATIVE_TIME),
        ("frame.time - frame.time", _T.ABSOLUTE_TIME),
    ],
)
def test_types_of_operands(text: str, kind: FilterType) -> None:
    test = parse(text)
    assert isinstance(test, Truth)
    checker = ExpressionChecker(TOY, len(text))
    operand = checker.resolved(test.operand)
    assert checker.type_of(test.place, operand) is kind
    assert checker.expression(operand, kind).type is kind
