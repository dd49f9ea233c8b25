"""A row of the detail tree, and how much attention it should attract."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from core.wire.model.field import Span, Value


class Severity(IntEnum):
    """The attention that a row should attract."""

    NONE = 0
    NOTE = 1
    WARNING = 2
    ERROR = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the tree. `span` is its bytes in the frame, None if it has none.

    `field` is the name that display filters have for the line, empty without one. It names a field
    with the value `raw`; without a value (None), it names a header or an option. `packet` is the
    number of another packet that the line leads to, 0 for none. With `in_datagram`, the span counts
    in the datagram that the packet completes, and not in the frame.
    """

    key: str
    label: str
    value: str = ""
    meaning: str = ""
    span: Span | None = None
    severity: Severity = Severity.NONE
    children: tuple[Row, ...] = ()
    is_layer: bool = False
    field: str = ""
    raw: Value | str | None = None
    packet: int = 0
    in_datagram: bool = False
