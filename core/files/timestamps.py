"""Times of capture files as int64 nanoseconds since the epoch, and which of them are odd.

Files hold more times than int64 nanoseconds do (1677 to 2262), in units from 1 s to far below
1 ns, and nobody stops a writer from storing 3,000,000 microseconds beside the seconds. A time
is computed as it is stored, by exact integer arithmetic and rounded down; what does not fit is
brought to the nearest end, and every such time is reported as odd.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SECOND = 1_000_000_000
_LAST_SECOND = np.iinfo(np.int64).max // SECOND - 1
FAR = 1 << 40  # seconds: past all that fits, and safe to add to


def nanoseconds(
    seconds: NDArray[np.int64], fraction_ns: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Whole seconds and nanoseconds, both (n,), as (timestamp_ns (n,) int64, odd (n,) bool).

    `fraction_ns` may exceed a second (odd, but added as stored); it is never negative and
    below 2^44.
    """
    odd = (fraction_ns >= SECOND) | (seconds > _LAST_SECOND) | (seconds < -_LAST_SECOND)
    kept = np.clip(seconds, -_LAST_SECOND, _LAST_SECOND)
    return kept * SECOND + fraction_ns, odd


@dataclass(frozen=True, slots=True)
class Resolution:
    """The unit of a pcapng interface's times: ``base ** -exponent`` seconds.

    Source: draft-ietf-opsawg-pcapng §4.2, ``if_tsresol``.
    """

    base: int
    exponent: int

    @classmethod
    def of(cls, code: int) -> Resolution:
        """The resolution an ``if_tsresol`` byte stands for: its top bit means base 2."""
        return cls(2 if code & 0x80 else 10, code & 0x7F)

    def split(self, stamps: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """64-bit stamps (n,) as whole seconds and the nanoseconds below a second.

        Seconds past `FAR` come as `FAR`.
        """
        per_second = self.base**self.exponent
        if per_second > np.iinfo(np.uint64).max:
            seconds, fraction = np.zeros_like(stamps), stamps
        else:
            seconds = stamps // np.uint64(per_second)
            fraction = stamps - seconds * np.uint64(per_second)
        scale = self._decimal if self.base == 10 else self._binary
        near = np.minimum(seconds, np.uint64(FAR)).astype(np.int64)
        return near, scale(fraction).astype(np.int64)

    def _decimal(self, fraction: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """``fraction * 10^(9 - exponent)``, rounded down."""
        if self.exponent <= 9:
            return fraction * np.uint64(10 ** (9 - self.exponent))
        divisor = 10 ** (self.exponent - 9)
        if divisor > np.iinfo(np.uint64).max:
            return np.zeros_like(fraction)
        return fraction // np.uint64(divisor)

    def _binary(self, fraction: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """``fraction * 10^9 / 2^exponent``, rounded down, in halves so that nothing overflows."""
        billion = np.uint64(SECOND)
        if self.exponent <= 32:
            return (fraction * billion) >> np.uint64(self.exponent)
        high, low = fraction >> np.uint64(32), fraction & np.uint64(0xFFFF_FFFF)
        product = high * billion + ((low * billion) >> np.uint64(32))
        return product >> np.uint64(min(63, self.exponent - 32))
