"""`NOWHERE` among unsigned numbers, and that nothing writes a bare -1 there instead."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.decode.header_positions import NOWHERE

ROOT = Path(__file__).parents[3]
CHOOSING = frozenset({"where", "select", "choose", "putmask", "place", "copyto"})


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.uint32, np.int32, np.int64])
def test_nowhere_survives_beside_unsigned_offsets(kind):
    """NumPy casts a plain -1 to the type beside it, which is 65,535 among uint16."""
    placed = np.where([True, False], np.array([7, 9], dtype=kind), NOWHERE)
    assert placed.tolist() == [7, -1]
    assert np.iinfo(kind).max != NOWHERE
    assert np.array([np.iinfo(kind).max], dtype=kind)[0] != NOWHERE


def test_no_bare_negative_number_is_mixed_into_an_array():
    """`np.where(mask, unsigned, -1)` silently wraps around; a typed number cannot."""
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for folder in ("core", "widgets", "app")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line in _bare_negatives(ast.parse(path.read_text()))
    ]
    assert found == []
    assert list(_bare_negatives(ast.parse("np.where(a, b, -1)\nnp.where(a, -b, NOWHERE)"))) == [1]


def _bare_negatives(tree: ast.AST) -> Iterator[int]:
    """Yield lines in which a NumPy function that chooses among values has a negative literal."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr in CHOOSING and any(map(_is_negative_literal, node.args)):
            yield node.lineno


def _is_negative_literal(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.UnaryOp)
        and isinstance(node.op, ast.USub)
        and isinstance(node.operand, ast.Constant)
    )
