"""A small catalog, so that tests of the language do not depend on the header tables."""

from __future__ import annotations

from collections.abc import Sequence

from core.analysis.filter.types import FilterField, FilterType

_T = FilterType
_SET = {1: "Set", 0: "Not set"}
_FIELDS = (
    FilterField("frame", _T.PROTOCOL),
    FilterField("frame.number", _T.UINT32),
    FilterField("frame.time", _T.ABSOLUTE_TIME),
    FilterField("frame.time_delta", _T.RELATIVE_TIME),
    FilterField("eth.src", _T.ETHER),
    FilterField("fc", _T.PROTOCOL),
    FilterField("ip", _T.PROTOCOL),
    FilterField("ip.src", _T.IPV4),
    FilterField("ip.addr", _T.IPV4),
    FilterField("ip.ttl", _T.UINT8),
    FilterField(
        "ip.proto", _T.UINT8, words={6: "TCP", 17: "UDP", 18: "Twice", 19: "Twice"},
        aliases={"Transmission": 6},
    ),
    FilterField("ip.flags.df", _T.BOOLEAN, words=_SET),
    FilterField("ipv6.src", _T.IPV6),
    FilterField("tcp", _T.PROTOCOL),
    FilterField("tcp.port", _T.UINT16),
    FilterField("tcp.payload", _T.BYTES),
    FilterField("tcp.flags", _T.UINT16, base=16),
    FilterField("tcp.note", _T.STRING),
    FilterField("mac-lte.ratio", _T.DOUBLE),
    FilterField("ntp.offset", _T.INT16),
    FilterField("zbee.addr", _T.EUI64),
)  # fmt: skip


class ToyCatalog:
    """A `FieldCatalog` of a few fields of each type."""

    def find(self, name: str) -> FilterField | None:
        return next((field for field in _FIELDS if field.name == name), None)

    def names(self) -> Sequence[str]:
        return [field.name for field in _FIELDS]

    def combined(self, name: str) -> Sequence[str]:
        return ()

    def advice(self, name: str) -> str:
        return ""


TOY = ToyCatalog()
