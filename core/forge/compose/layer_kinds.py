"""The layers that a draft can contain, in the order in which the user chooses from them."""

from __future__ import annotations

from collections.abc import Mapping

from core.wire.protocol import LayerKind
from core.wire.registry import PROTOCOLS

KINDS: Mapping[str, LayerKind] = {
    kind.name: kind
    for kind in sorted(
        (kind for protocol in PROTOCOLS for kind in protocol.kinds), key=lambda kind: kind.place
    )
}
"""Every `LayerKind` by its name, outermost first."""
