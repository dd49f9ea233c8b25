"""The checksum rules of the registry, as the batch decode applies them.

They give, by IP protocol, the rule of each transport; by the kind of network header, its own sum,
the addresses of its pseudo-header, and the link type of a frame that begins with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.wire.model.batch import Network
from core.wire.model.field import Span
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Numbering
from core.wire.protocol import ChecksumRule, Protocol
from core.wire.registry import PROTOCOLS, numbers


@dataclass(frozen=True, slots=True)
class HeaderSum:
    """A network header with a checksum of its own."""

    protocol: Protocol

    @property
    def table(self) -> HeaderTable:
        """The table with the `checksum` field."""
        return self.protocol.tables[0]


@dataclass(frozen=True, slots=True)
class TransportRule:
    """A protocol's checksum rule, and the table with its `checksum` field.

    `is_only_form` is False if some of the protocol's headers have another table, in which the
    fields of the rule are in the same place.
    """

    table: HeaderTable
    checksum: ChecksumRule
    is_only_form: bool = True

    def parts(
        self, data: NDArray[np.uint8], starts: NDArray[np.int64], limits: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.int64], TransportRule]]:
        """Yield headers by their indices, each group with a rule that holds for it.

        The headers begin at `starts` (n,) in `data`, and their readable bytes end at `limits`. The
        rule's pseudo-header depends on a field, so it is two rules: with it, and without.
        """
        when = self.checksum.pseudo_header_when
        assert when is not None
        slot = self.table[when[0]]
        readable = np.flatnonzero(starts + slot.span.stop <= limits)
        has_pseudo = np.zeros(len(starts), dtype=np.bool_)
        numbers = slot.column(data, starts[readable])
        has_pseudo[readable] = np.isin(numbers, list(when[1]))
        for is_included in (True, False):
            index = np.flatnonzero(has_pseudo == is_included)
            rule = replace(self.checksum, pseudo_header=is_included, pseudo_header_when=None)
            yield index, replace(self, checksum=rule)


def _rules() -> dict[int, TransportRule]:
    """Return the rules of the transport protocols, by IP protocol."""
    by_name = numbers(Numbering.IP_PROTOCOL)
    return {
        by_name[protocol.name]: TransportRule(
            protocol.tables[0], protocol.checksum, protocol.has_single_form
        )
        for protocol in PROTOCOLS
        if protocol.checksum is not None and not protocol.checksum.is_header_only
    }


RULES = _rules()

HEADER_SUMS = {
    protocol.network: HeaderSum(protocol)
    for protocol in PROTOCOLS
    if protocol.network is not Network.NONE
    and protocol.checksum is not None
    and protocol.checksum.is_header_only
}

LINK_TYPES: dict[int, int] = {  # of a frame that begins with the network header
    protocol.network: reader.numbers[0]
    for protocol in PROTOCOLS
    for reader in protocol.readers
    if protocol.network is not Network.NONE and reader.space is Numbering.LINK
}

ADDRESS_SPANS = {  # of the network headers with a pseudo-header, by the number in `network`
    protocol.network: Span(
        protocol.tables[0][protocol.addresses[0]].span.start,
        protocol.tables[0][protocol.addresses[1]].span.stop,
    )
    for protocol in PROTOCOLS
    if protocol.has_pseudo_header and protocol.addresses is not None
}
