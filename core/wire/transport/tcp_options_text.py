"""The texts of TCP options in the Info line.

Most segments with options have two bytes of padding and the timestamps (RFC 7323, appendix A), so
these are read by columns where many headers are described at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.wire.model.dissection import Option
from core.wire.model.field import gather
from core.wire.transport.tcp_options import (
    GREATEST_SHIFT,
    MULTIPATH_KINDS,
    NO_OPERATION,
    OPTIONS,
    TIMESTAMPS,
    TIMESTAMPS_TABLE,
)

_STAMPS = ("timestamp.tsval", "timestamp.tsecr")
_STAMPS_START = bytes((TIMESTAMPS, TIMESTAMPS_TABLE.stop))
_USUAL = bytes((NO_OPERATION, NO_OPERATION)) + _STAMPS_START
_PADDING_BYTES = 2

WORDS = (
    *("MSS", "WS", "SACK_PERM", "TSval", "TSecr", "SLE", "SRE", "TFO", "MD5", "MPTCP"),
    *MULTIPATH_KINDS.values(),
)
"""The constant texts of `options_text`."""

# The texts before and after the timestamps of a list, by the bytes there; None if the list has none
_Around: TypeAlias = dict[tuple[bytes, bytes], tuple[str, str] | None]


def options_text(options: Iterable[Option]) -> str:
    """Return `` MSS=1460 SACK_PERM WS=128``; options without a text are left out."""
    return "".join(map(_option_text, options))


def options_columns(
    data: NDArray[np.uint8], starts: NDArray[np.int64], stops: NDArray[np.int64]
) -> list[str]:
    """Return the `options_text` of many lists in `data`, of at least 4 captured bytes each."""
    is_usual = stops - starts == _PADDING_BYTES + TIMESTAMPS_TABLE.stop
    is_usual &= gather(data, starts, len(_USUAL)) == int.from_bytes(_USUAL, "big")
    texts = [""] * len(starts)
    index = np.flatnonzero(is_usual)
    places = starts[index] + _PADDING_BYTES
    stamps = (TIMESTAMPS_TABLE[key].column(data, places).tolist() for key in _STAMPS)
    for row, value, echo in zip(index.tolist(), *stamps, strict=True):
        texts[row] = _timestamps_text(value, echo)
    around: _Around = {}
    index = np.flatnonzero(~is_usual)
    bounds = (starts[index].tolist(), stops[index].tolist())
    for row, start, stop in zip(index.tolist(), *bounds, strict=True):
        texts[row] = _text(data[start:stop].tobytes(), around)
    return texts


def _text(data: bytes, around: _Around) -> str:
    """Return the `options_text` of a list; `around` has the texts of similar ones."""
    at = data.find(_STAMPS_START)
    after = at + TIMESTAMPS_TABLE.stop
    if at < 0 or after > len(data):
        return options_text(OPTIONS.read(data, 0, len(data)))
    key = (data[:at], data[after:])
    if key not in around:
        around[key] = _texts_around(data, at)
    texts = around[key]
    if texts is None:  # these bytes are in another option
        return options_text(OPTIONS.read(data, 0, len(data)))
    stamps = (TIMESTAMPS_TABLE[key].number(data, at) for key in _STAMPS)
    return f"{texts[0]}{_timestamps_text(*stamps)}{texts[1]}"


def _texts_around(data: bytes, at: int) -> tuple[str, str] | None:
    """Return the texts before and after the timestamps at `at`, or None if none are there."""
    options = OPTIONS.read(data, 0, len(data))
    for index, option in enumerate(options):
        if option.span.start == at:
            return options_text(options[:index]), options_text(options[index + 1 :])
    return None


def _timestamps_text(value: int | str, echo: int | str) -> str:
    return f" TSval={value} TSecr={echo}"


def _option_text(option: Option) -> str:
    inner = option.values
    values = {each.slot.name: each.value for each in inner if isinstance(each.value, int)}
    match option.name:
        case "tcp.options.mss":
            return f" MSS={values.get('tcp.options.mss_val', '?')}"
        case "tcp.options.wscale":
            shift = values.get("tcp.options.wscale.shift")
            return " WS=?" if shift is None else f" WS={1 << min(shift, GREATEST_SHIFT)}"
        case "tcp.options.sack_perm":
            return " SACK_PERM"
        case "tcp.options.timestamp":
            stamps = (values.get(f"tcp.options.{key}", "?") for key in _STAMPS)
            return _timestamps_text(*stamps)
        case "tcp.options.sack":
            left = values.get("tcp.options.sack_le", "?")
            return f" SLE={left} SRE={values.get('tcp.options.sack_re', '?')}"
        case "tcp.options.tfo":
            return " TFO"
        case "tcp.options.md5":
            return " MD5"
        case "tcp.options.mptcp":
            kind = inner[0].slot.meaning(inner[0].value) if inner else ""
            return f" MPTCP={kind}" if kind else " MPTCP"
    return ""
