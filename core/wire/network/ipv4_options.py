"""The options of an IPv4 header, and the destination of a source route.

RFC 791 §3.1, RFC 2113 (router alert). With a loose or strict source route the header's destination
is the next hop; the last address of the route is the final destination, and the one in the
transport's pseudo-header. The pointer counts from 1 at the option's first byte; when it is past the
option's end the route is used up and the header's destination is final.
"""

from __future__ import annotations

from core.wire.model.dissection import Option
from core.wire.model.field import Field
from core.wire.model.options import OptionKind, OptionList
from core.wire.model.packet_parts import Header
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Endpoints

END, NO_OPERATION, SECURITY, LOOSE_ROUTE, TIMESTAMP = 0, 1, 130, 131, 68
RECORD_ROUTE, STREAM_ID, STRICT_ROUTE, ROUTER_ALERT = 7, 136, 137, 148
SOURCE_ROUTES = frozenset({LOOSE_ROUTE, STRICT_ROUTE})
_FIRST_HOP = 4  # the pointer's value at the first address

ROUTE = HeaderTable(
    "ip.opt", "IPv4 option: route", "RFC 791 §3.1", Field("ptr", 8, "Pointer", default=4), start=2
)
TIMESTAMPS = HeaderTable(
    "ip.opt",
    "IPv4 option: timestamp",
    "RFC 791 §3.1",
    Field("ptr", 8, "Pointer", default=5),
    Field("overflow", 4, "Overflow"),
    Field("flag", 4, "Flag"),
    start=2,
)
STREAM = HeaderTable(
    "ip.opt", "IPv4 option: stream", "RFC 791 §3.1", Field("sid", 16, "Stream"), start=2
)
ALERT = HeaderTable(
    "ip.opt",
    "IPv4 option: router alert",
    "RFC 2113 §2.1",
    Field("ra", 16, "Router alert", values={0: "Routers examine the packet"}),
    start=2,
)

OPTIONS = OptionList(  # Wireshark: fields are ``ip.opt.…``, options ``ip.options.…``
    "ip.options",
    {
        END: OptionKind("ip.options.eol", "End of options"),
        NO_OPERATION: OptionKind("ip.options.nop", "No operation"),
        RECORD_ROUTE: OptionKind("ip.options.record_route", "Record route", ROUTE),
        TIMESTAMP: OptionKind("ip.options.timestamp", "Timestamp", TIMESTAMPS),
        SECURITY: OptionKind("ip.options.security", "Security"),
        LOOSE_ROUTE: OptionKind("ip.options.route", "Loose source route", ROUTE),
        STREAM_ID: OptionKind("ip.options.sid", "Stream identifier", STREAM),
        STRICT_ROUTE: OptionKind("ip.options.source_route", "Strict source route", ROUTE),
        ROUTER_ALERT: OptionKind("ip.options.routeralert", "Router alert", ALERT),
    },
)
TABLES = (ROUTE, TIMESTAMPS, STREAM, ALERT)
HOP_BYTES = 4


def final_destination(data: bytes, options: tuple[Option, ...]) -> bytes | None:
    """Return the last address of a source route that is not used up, or None."""
    for option in options:
        if option.kind in SOURCE_ROUTES and not option.problem:
            body = data[option.span.start : option.span.stop]
            pointer = ROUTE["ptr"].number(body)
            whole = pointer >= _FIRST_HOP and (pointer - _FIRST_HOP) % HOP_BYTES == 0
            if whole and pointer - 1 + HOP_BYTES <= len(body):
                return body[-HOP_BYTES:]
    return None


def after_source_route(header: Header, ends: Endpoints) -> Endpoints:
    """Return the ends with the last address of a source route that is not used up."""
    options = OPTIONS.read(header.body, 0, len(header.body))
    return ends._replace(destination=final_destination(header.body, options) or ends.destination)
