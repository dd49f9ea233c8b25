"""``make screenshots``: pictures for the README, from the scripted capture of the tests.

The same bytes on every run: nothing is captured, no clock is read. Run from the checkout::

    python -m screenshots.make [FOLDER]
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from pathlib import Path

from tests.scripted import BAD_CHECKSUM, DNS_ANSWER, START_NS, batch, conversations, scripted_store
from tests.scripted_monitor import filled, scripted_monitor

# name, (columns, lines), packet to select in the last conversation, keys to press
PICTURES = (
    ("main", (160, 45), BAD_CHECKSUM, ("enter", "G", "k", "k", "k")),
    ("medium", (120, 36), DNS_ANSWER, ("enter", "j", "j")),
    ("narrow", (80, 24), DNS_ANSWER, ()),
    ("interfaces", (120, 36), DNS_ANSWER, ("i",)),
    ("help", (160, 45), DNS_ANSWER, ("question_mark",)),
)
CONVERSATIONS = (2, 3, 3, 5, 8, 6, 4, 5, 7, 9, 8)  # held in each second before the picture
SECOND_NS = 1_000_000_000


async def take(
    folder: Path, name: str, size: tuple[int, int], packet: int, keys: tuple[str, ...]
) -> Path:
    """One picture, as SVG."""
    store, frames = scripted_store(), list(conversations())
    seconds = itertools.count()
    monitor = scripted_monitor(store, clock=lambda: float(second))
    second = next(seconds)
    async with monitor.run_test(size=size) as pilot:
        screen = await filled(pilot)
        for held in CONVERSATIONS:
            second = next(seconds)
            for turn in range(held):
                start = START_NS + second * SECOND_NS + turn * SECOND_NS // held
                store.append(batch(frames, start))
            screen.poll()
        await filled(pilot)
        screen.table.select(store.snapshot().count - len(frames) + packet)
        await pilot.press(*keys)
        await pilot.pause()
        return Path(monitor.save_screenshot(f"{name}.svg", path=str(folder)))


def main() -> None:
    """Every picture of the list, into the folder given or ``screenshots``."""
    for variable in ("NO_COLOR", "TEXTUAL_THEME"):
        os.environ.pop(variable, None)
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots")
    folder.mkdir(exist_ok=True)
    for picture in PICTURES:
        path = asyncio.run(take(folder, *picture))
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
