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

from core.analysis.filter.evaluation import address_blocks, byte_strings, value_texts
from core.analysis.filter.evaluation.columns import Column, merged
from core.analysis.filter.evaluation.integers import wide
from core.analysis.filter.language.expressions import Expression, FieldValue, Invocation
from core.analysis.filter.language.times import NANOSECONDS
from core.analysis.filter.types import FilterType, Spans

_T = FilterType

Function = Callable[[Column, Expression], Column]

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


def _translated(table: dict[int, int]) -> Function:
    """Return a function that changes the case of ASCII letters."""

    def function(column: Column, argument: Expression) -> Column:
        assert not isinstance(column.values, Spans)
        texts = np.empty(len(column), dtype=object)
        texts[:] = [text.translate(table) for text in column.values]
        return Column(column.rows, texts)

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


def _is_in(networks: Sequence[IPv4Network | IPv6Network]) -> Function:
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


def _of_block(value: Callable[[address_blocks.Block], Any], dtype: Any) -> Function:
    """Return a function of the block of an address; other addresses have no value."""

    def function(column: Column, argument: Expression) -> Column:
        is_ipv4 = argument.type is _T.IPV4
        blocks = address_blocks.IPV4_BLOCKS if is_ipv4 else address_blocks.IPV6_BLOCKS
        index = address_blocks.smallest_block(np.asarray(column.values))
        values = np.empty(len(blocks), dtype=dtype)
        values[:] = [value(block) for block in blocks]
        return Column(column.rows[index >= 0], values[index[index >= 0]])

    return function


def _extreme(columns: Sequence[Column], kind: FilterType, *, is_largest: bool) -> Column:
    """Return the largest or the smallest value of each packet."""
    if kind is _T.STRING:
        return _extreme_key([_keyed(column, lambda text: text) for column in columns], is_largest)
    if any(isinstance(column.values, Spans) or column.values.ndim == 2 for column in columns):
        keys = [_keyed(_as_objects(column), lambda data: (len(data), data)) for column in columns]
        found = _extreme_key(keys, is_largest)
        return _as_spans(found)
    is_integer = kind.is_integer
    ready = [
        Column(column.rows, wide(np.asarray(column.values))) if is_integer else column
        for column in columns
    ]
    return _extreme_key(ready, is_largest)


def _extreme_key(columns: list[Column], is_largest: bool) -> Column:
    """Return the extreme of each packet; objects are pairs of a sort key and the value."""
    whole = merged(columns)
    values = np.asarray(whole.values)
    if values.dtype == object and len(values) and isinstance(values[0], tuple):
        ranks = np.empty(len(values), dtype=np.int64)
        ranks[sorted(range(len(values)), key=lambda index: values[index][0])] = np.arange(
            len(values)
        )
        values, plain = ranks, values
    else:
        plain = values
    ascending = np.lexsort((values, whole.rows))
    rows = whole.rows[ascending]
    edge = np.ones(len(rows), dtype=np.bool_)
    if is_largest:
        edge[:-1] = rows[1:] != rows[:-1]
    else:
        edge[1:] = rows[1:] != rows[:-1]
    chosen = plain[ascending[edge]]
    if chosen.dtype == object and len(chosen) and isinstance(chosen[0], tuple):
        chosen = _objects([value for _, value in chosen])
    return Column(rows[edge], chosen)


def _keyed(column: Column, key: Callable[[Any], Any]) -> Column:
    return Column(column.rows, _objects([(key(each), each) for each in np.asarray(column.values)]))


def _objects(items: Sequence[Any]) -> NDArray[Any]:
    array = np.empty(len(items), dtype=object)
    for index, item in enumerate(items):
        array[index] = item
    return array


def _as_objects(column: Column) -> Column:
    spans = byte_strings.spans_of(column.values)
    ends = zip(spans.starts.tolist(), spans.ends.tolist(), strict=True)
    return Column(column.rows, _objects([spans.data[a:b].tobytes() for a, b in ends]))


def _as_spans(column: Column) -> Column:
    items = [bytes(each) for each in np.asarray(column.values)]
    ends = np.cumsum([len(each) for each in items], dtype=np.int64)
    sizes = np.array([len(each) for each in items], dtype=np.int64)
    data = np.frombuffer(b"".join(items), np.uint8)
    return Column(column.rows, Spans(data, ends - sizes, ends))


_FUNCTIONS: Mapping[str, Function] = {
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
