"""The findings about a segment in Info, in Wireshark's words: ``[TCP Dup ACK 4#1]``."""

from __future__ import annotations

from functools import lru_cache

from core.analysis.tcp.flags import WORDS, Finding

_ORDER = (  # from left to right
    Finding.ZERO_WINDOW_PROBE_ACK,
    Finding.ZERO_WINDOW,
    Finding.ZERO_WINDOW_PROBE,
    Finding.DUPLICATE_ACK,
    Finding.KEEP_ALIVE_ACK,
    Finding.KEEP_ALIVE,
    Finding.WINDOW_FULL,
    Finding.WINDOW_UPDATE,
    Finding.ACK_LOST_SEGMENT,
    Finding.LOST_SEGMENT,
    Finding.REUSED_PORTS,
    Finding.OUT_OF_ORDER,
    Finding.SPURIOUS_RETRANSMISSION,
    Finding.FAST_RETRANSMISSION,
    Finding.RETRANSMISSION,
)
MARK_WORDS = ("#", *(WORDS[finding].info for finding in _ORDER))
"""The texts of marks, without numbers and brackets."""

_MORE_SPECIFIC = int(Finding.FAST_RETRANSMISSION | Finding.SPURIOUS_RETRANSMISSION)
_NUMBERED = int(Finding.DUPLICATE_ACK)


@lru_cache(maxsize=1 << 10)
def _pattern(findings: int) -> str:
    if findings & _MORE_SPECIFIC:
        findings &= ~int(Finding.RETRANSMISSION)
    words = (
        f"[{WORDS[each].info}{'%s' if each is Finding.DUPLICATE_ACK else ''}]"
        for each in _ORDER
        if findings & each
    )
    return " ".join(words)


def info_mark(findings: int, duplicate: int, repeated_packet: int) -> str:
    """Return the marks of a segment, or an empty text."""
    pattern = _pattern(findings)
    if findings & _NUMBERED:
        return pattern % f" {repeated_packet}#{duplicate}"
    return pattern
