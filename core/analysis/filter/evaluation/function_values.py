"""The values of functions; `core.analysis.filter.language.functions` has their types.

A function applies to each occurrence of its argument, except for ``count``, which counts them, and
``min`` and ``max``, which return one value per packet and skip absent arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.evaluation import address_blocks, byte_strings, operations, value_texts
from core.analysis.filter.evaluation.columns import Column, merged
from core.analysis.filter.evaluation.integers import wide
from core.analysis.filter.language.expressions import Expression, FieldValue, Invocation
from core.analysis.filter.language.times import NANOSECONDS
from core.analysis.filter.types import FilterType, Spans, Values

_T = FilterType

ColumnFunction = Callable[[Column, Expression], Column]

_PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
_UNIQUE_LOCAL = (IPv6Network("fc00::/7"),)
_LINK_LOCAL = (IPv4Network("169.254.0.0/16"), IPv6Network("fe80::/10"))
_MULTICAST = (IPv4Network("224.0.0.0/4"), IPv6Network("ff00::/8"))

_LOWER = str.maketrans({code: code + 32 for code in range(ord("A"), ord("Z") + 1)})
_UPPER = str.maketrans({code: code - 32 for code in range(ord("a"), ord("z") + 1)})


def apply(node: Invocation, columns: Sequence[Column], count: int) -> Column:
    """Return the values of a function for `count` packets; `columns` are those of its arguments."""
    name = node.function.name
    if name == "count":
        occurrences = np.bincount(columns[0].rows, minlength=count)
        return Column(np.arange(count), occurrences)
    if name in ("min", "max"):
        return _extreme(columns, node.arguments[0].type, is_largest=name == "max")
    return _FUNCTIONS[name](columns[0], node.arguments[0])


def _translated(table: dict[int, int]) -> ColumnFunction:
    """Return a function that changes the case of ASCII letters."""

    def function(column: Column, argument: Expression) -> Column:
        assert not isinstance(column.values, Spans)
        texts = [text.translate(table) for text in column.values]
        return Column(column.rows, np.array(texts, dtype=object))

    return function


def _length(column: Column, argument: Expression) -> Column:
    values = column.values
    if isinstance(values, Spans):
        return Column(column.rows, byte_strings.lengths(values))
    if argument.type is _T.STRING:
        sizes = np.fromiter(map(len, values), dtype=np.int64, count=len(values))
        return Column(column.rows, sizes)
    width = values.shape[1] if values.ndim == 2 else _width(argument.type)
    return Column(column.rows, np.full(len(column), width, dtype=np.int64))


def _width(kind: FilterType) -> int:
    """Return the number of bytes of a value."""
    if kind.is_integer:
        return kind.bits // 8
    return 8 if kind is _T.DOUBLE else 4


def _string(column: Column, argument: Expression) -> Column:
    return Column(column.rows, value_texts.texts_of(column.values, argument.type))


def _hex(column: Column, argument: Expression) -> Column:
    return Column(column.rows, value_texts.hexadecimal(column.values, argument.type))


def _words(column: Column, argument: Expression) -> Column:
    assert isinstance(argument, FieldValue)
    texts, present = value_texts.words_of(column.values, argument.field.words)
    return Column(column.rows[present], texts[present])


def _double(column: Column, argument: Expression) -> Column:
    numbers = np.asarray(column.values).astype(np.float64)
    return Column(column.rows, numbers / NANOSECONDS if argument.type.is_time else numbers)


def _float(column: Column, argument: Expression) -> Column:
    numbers = np.asarray(_double(column, argument).values)
    return Column(column.rows, numbers.astype(np.float32).astype(np.float64))


def _absolute(column: Column, argument: Expression) -> Column:
    values = np.asarray(column.values)
    return Column(column.rows, np.abs(wide(values) if argument.type.is_integer else values))


def _is_in(networks: Sequence[IPv4Network | IPv6Network]) -> ColumnFunction:
    """Return a function that is true for addresses in some network."""

    def function(column: Column, argument: Expression) -> Column:
        values = np.asarray(column.values)
        found = np.zeros(len(column), dtype=np.bool_)
        for network in networks:
            if isinstance(network, IPv4Network) and argument.type is _T.IPV4:
                found |= address_blocks.is_in_ipv4(values, network)
            elif isinstance(network, IPv6Network) and argument.type is _T.IPV6:
                found |= address_blocks.is_in_ipv6(values, network)
        return Column(column.rows, found)

    return function


def _of_block(value: Callable[[address_blocks.Block], Any], dtype: Any) -> ColumnFunction:
    """Return a function of the block of an address; other addresses have no value."""

    def function(column: Column, argument: Expression) -> Column:
        is_ipv4 = argument.type is _T.IPV4
        blocks = address_blocks.IPV4_BLOCKS if is_ipv4 else address_blocks.IPV6_BLOCKS
        index = address_blocks.smallest_block(np.asarray(column.values))
        values = np.array([value(block) for block in blocks], dtype=dtype)
        return Column(column.rows[index >= 0], values[index[index >= 0]])

    return function


def _extreme(columns: Sequence[Column], kind: FilterType, *, is_largest: bool) -> Column:
    """Return the largest or the smallest value of each packet."""
    if kind is _T.STRING:
        whole = merged(columns)
        return _edges(whole, _ranks(np.asarray(whole.values).tolist()), is_largest)
    if any(isinstance(column.values, Spans) or column.values.ndim == 2 for column in columns):
        whole = merged([Column(each.rows, _as_objects(each.values)) for each in columns])
        keys = [(len(data), data) for data in np.asarray(whole.values)]
        found = _edges(whole, _ranks(keys), is_largest)
        return Column(found.rows, _as_spans(np.asarray(found.values)))
    if kind.is_integer:
        columns = [Column(each.rows, wide(np.asarray(each.values))) for each in columns]
    whole = merged(columns)
    return _edges(whole, np.asarray(whole.values), is_largest)


def _ranks(keys: Sequence[Any]) -> NDArray[np.int64]:
    """Return the place (k,) of each key in their order: numpy cannot sort texts and tuples."""
    order = sorted(range(len(keys)), key=keys.__getitem__)
    ranks = np.empty(len(keys), dtype=np.int64)
    ranks[order] = np.arange(len(keys))
    return ranks


def _edges(column: Column, ranks: NDArray[Any], is_largest: bool) -> Column:
    """Return the occurrence of each packet with the largest or the smallest rank."""
    ascending = np.lexsort((ranks, column.rows))
    is_edge = np.ones(len(column), dtype=np.bool_)
    is_edge[slice(None, -1) if is_largest else slice(1, None)] = column.rows[1:] != column.rows[:-1]
    return column.take(ascending[is_edge])


def _as_objects(values: Values) -> NDArray[Any]:
    return np.array(operations.items(values), dtype=object)


def _as_spans(items: NDArray[Any]) -> Spans:
    sizes = np.array([len(each) for each in items], dtype=np.int64)
    ends = np.cumsum(sizes)
    return Spans(np.frombuffer(b"".join(items), np.uint8), ends - sizes, ends)


_FUNCTIONS: Mapping[str, ColumnFunction] = {
    "lower": _translated(_LOWER),
    "upper": _translated(_UPPER),
    "len": _length,
    "string": _string,
    "dec": _string,
    "hex": _hex,
    "vals": _words,
    "float": _float,
    "double": _double,
    "abs": _absolute,
    "ip_special_name": _of_block(lambda block: block.name, object),
    "ip_special_mask": _of_block(lambda block: block.properties, np.int64),
    "ip_linklocal": _is_in(_LINK_LOCAL),
    "ip_multicast": _is_in(_MULTICAST),
    "ip_rfc1918": _is_in(_PRIVATE),
    "ip_ula": _is_in(_UNIQUE_LOCAL),
}
