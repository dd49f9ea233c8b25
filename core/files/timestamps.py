"""Convert times of capture files to int64 nanoseconds since the epoch.

Files can hold more times than int64 nanoseconds can (1677 to 2262), in units from 1 s to far below
1 ns, and a writer may store 3,000,000 microseconds next to the seconds. The conversion uses exact
integer arithmetic and rounds down. A time that does not fit is replaced by the nearest limit. Both
kinds are reported as invalid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import NANOSECONDS

SECOND = 1_000_000_000
_LAST_SECOND = np.iinfo(np.int64).max // SECOND - 1
FAR_OFFSET_S = 1 << 33  # seconds: larger offsets of an interface are not written again
FAR = 1 << 40  # seconds: beyond every valid time, and sums do not overflow


def nanoseconds(
    seconds: NDArray[np.int64], fraction_ns: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Combine whole seconds and nanoseconds, both (n,), into (timestamp_ns int64, invalid bool).

    `fraction_ns` may exceed a second (invalid, but added as stored); it is never negative and below
    2^44.
    """
    invalid = (fraction_ns >= SECOND) | (seconds > _LAST_SECOND) | (seconds < -_LAST_SECOND)
    kept = np.clip(seconds, -_LAST_SECOND, _LAST_SECOND)
    return kept * SECOND + fraction_ns, invalid


def written_resolution(code: int) -> int:
    """Return the ``if_tsresol`` byte to write for an interface that had `code`.

    It is `code` where it can express every time that was read exactly, and nanoseconds for
    finer units.
    """
    exact = code & 0x7F <= (30 if code & 0x80 else 9)
    return code if exact else NANOSECONDS


def stamps(timestamp_ns: NDArray[np.int64], code: int, offset_s: int) -> NDArray[np.uint64]:
    """Return times (n,) as stamps in the unit `written_resolution(code)`, after `offset_s`.

    The inverse of `Resolution.split` and `nanoseconds`: a stamp that was read is written again.
    """
    code = written_resolution(code)
    if code == NANOSECONDS and not offset_s:
        return timestamp_ns.astype(np.uint64)
    seconds, fraction = np.divmod(timestamp_ns, SECOND)
    seconds = (seconds - offset_s).astype(np.uint64)  # wraps as the sums below do
    exponent = code & 0x7F
    if not code & 0x80:
        fraction //= 10 ** (9 - exponent)
        return seconds * np.uint64(10**exponent) + fraction.astype(np.uint64)
    fraction = -((-fraction << exponent) // SECOND)  # rounds up, since reading rounds down
    return (seconds << np.uint64(exponent)) + fraction.astype(np.uint64)


@dataclass(frozen=True, slots=True)
class Resolution:
    """The unit of a pcapng interface's times: ``base ** -exponent`` seconds.

    Source: draft-ietf-opsawg-pcapng §4.2, ``if_tsresol``.
    """

    base: int
    exponent: int

    @classmethod
    def of(cls, code: int) -> Resolution:
        """Return the resolution that an ``if_tsresol`` byte means: its top bit selects base 2."""
        return cls(2 if code & 0x80 else 10, code & 0x7F)

    def split(self, stamps: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Split 64-bit stamps (n,) into whole seconds and the nanoseconds below a second.

        Seconds beyond `FAR` are returned as `FAR`.
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
        """Return ``fraction * 10^(9 - exponent)``, rounded down."""
        if self.exponent <= 9:
            return fraction * np.uint64(10 ** (9 - self.exponent))
        divisor = 10 ** (self.exponent - 9)
        if divisor > np.iinfo(np.uint64).max:
            return np.zeros_like(fraction)
        return fraction // np.uint64(divisor)

    def _binary(self, fraction: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return ``fraction * 10^9 / 2^exponent``, rounded down, in halves to avoid overflow."""
        billion = np.uint64(SECOND)
        if self.exponent <= 32:
            return (fraction * billion) >> np.uint64(self.exponent)
        high, low = fraction >> np.uint64(32), fraction & np.uint64(0xFFFF_FFFF)
        product = high * billion + ((low * billion) >> np.uint64(32))
        return product >> np.uint64(min(63, self.exponent - 32))
