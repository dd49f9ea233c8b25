"""The layout of the forge panel: the room for form, bytes, and outcome."""

from __future__ import annotations

from dataclasses import dataclass

BROAD = 110  # columns from which bytes and outcome are beside the form
ROOMY = 30  # lines from which bytes and outcome are both shown
MOST_BYTE_LINES = 9  # lines of the bytes below the form, with their title


@dataclass(frozen=True, slots=True)
class ForgeLayout:
    """Which parts are shown, and their heights: lines, or ``1fr`` for what the others leave."""

    is_broad: bool
    shows_bytes: bool
    shows_outcome: bool
    bytes_height: int | str
    outcome_height: int | str


def lay_out(
    width: int, height: int, byte_lines: int, *, has_outcome: bool, prefers_outcome: bool
) -> ForgeLayout:
    """Return the layout for a panel of this size.

    `byte_lines` is the height of the bytes without their title. Where there is room for only one
    of bytes and outcome, `prefers_outcome` decides.
    """
    is_broad = width >= BROAD
    shows_both = is_broad or height >= ROOMY
    most = height // 2 if is_broad else min(MOST_BYTE_LINES, height // 4)
    return ForgeLayout(
        is_broad,
        shows_bytes=shows_both or not (has_outcome and prefers_outcome),
        shows_outcome=has_outcome and (shows_both or prefers_outcome),
        bytes_height="1fr" if is_broad and not has_outcome else max(3, min(most, byte_lines + 1)),
        outcome_height="1fr" if is_broad else max(4, height // 3 if shows_both else height // 2),
    )
