"""The byte that IPv4 calls type of service and IPv6 traffic class: DSCP and ECN.

RFC 2474 §3 (code points), RFC 3168 §5 (congestion notification).
"""

from __future__ import annotations

from core.wire.model.field import Field

DSCP_NAMES: dict[int, str] = {
    0: "Default",
    **{8 * level: f"Class selector {level}" for level in range(1, 8)},
    **{
        8 * kind + 2 * drop: f"Assured forwarding {kind}{drop}"
        for kind in range(1, 5)
        for drop in range(1, 4)
    },
    44: "Voice admit",
    46: "Expedited forwarding",
}
ECN_NAMES = {0: "Not ECN-capable", 1: "ECT(1)", 2: "ECT(0)", 3: "Congestion experienced"}


def service_parts() -> tuple[Field, ...]:
    """Return the parts of the byte."""
    return (
        Field("dscp", 6, "Code point", values=DSCP_NAMES),
        Field("ecn", 2, "Congestion notification", values=ECN_NAMES),
    )
