"""The addresses of this host, as flows have them: 16 bytes, IPv4 in ::ffff:0:0/96."""

from __future__ import annotations

import time
from collections.abc import Callable

from core.net.routes import own_addresses
from core.wire.model.address_texts import MAPPED

RENEWED_S = 2.0

_LOOPBACK = MAPPED + b"\x7f"


class OwnAddresses:
    """Knows the addresses of this network namespace, at most `RENEWED_S` old."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        addresses: Callable[[], frozenset[bytes]] = own_addresses,
    ) -> None:
        self._clock, self._addresses = clock, addresses
        self._found: frozenset[bytes] = frozenset()
        self._asked_s = float("-inf")

    def owns(self, address: bytes) -> bool:
        """Return True for an address of this host, 127.0.0.0/8 included."""
        now_s = self._clock()
        if now_s - self._asked_s > RENEWED_S:
            self._asked_s = now_s
            found = self._addresses()
            self._found = frozenset(each if len(each) == 16 else MAPPED + each for each in found)
        return address in self._found or address.startswith(_LOOPBACK)
