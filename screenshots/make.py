"""``make screenshots``: draw the README's pictures from the scripted capture of the tests.

The bytes are the same on every run: nothing is captured, and no clock is read. The laboratory's
picture has the figures of ``lab.jsonl``, the output of ``rawscope iolab --json`` on the host that
tests/bench/RESULTS.md describes. Run from the checkout::

    python -m screenshots.make [FOLDER]
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
import tempfile
from pathlib import Path

from textual.pilot import Pilot

from app.config.paths import Paths
from app.screens.dialogs.dialog import Confirm
from app.screens.lab import LabScreen, Results
from core.iolab.results import CurvePoint, ModelResult
from tests.helpers.idle import settled
from tests.helpers.scripted import (
    BAD_CHECKSUM,
    DNS_ANSWER,
    START_NS,
    batch,
    conversations,
    scripted_store,
)
from tests.helpers.scripted_echo import STALLED
from tests.helpers.scripted_echo_monitor import Act, echo_monitor, opened
from tests.helpers.scripted_forge import ScriptedHost, Wire
from tests.helpers.scripted_monitor import filled, scripted_monitor
from tests.helpers.scripted_monitor import main as main_screen

SYN = 5  # a packet that begins a connection

SENT = "sent"  # not a key: approve, and wait for the reply
DONE = "done"  # not a key: wait until all threads have finished what the keys asked for
# name, (columns, lines), packet to select in the last conversation, keys to press
PICTURES = (
    ("main", (160, 45), BAD_CHECKSUM, ("enter", "G", *"kkkkkkkk")),
    ("medium", (120, 36), DNS_ANSWER, ("enter", "j", "j")),
    ("narrow", (80, 24), DNS_ANSWER, ()),
    ("interfaces", (120, 36), DNS_ANSWER, ("i",)),
    ("help", (160, 45), DNS_ANSWER, ("question_mark",)),
    ("forge", (160, 45), SYN, ("f", "f4", "ctrl+s", SENT)),
    ("forge-narrow", (80, 24), SYN, ("f",)),
    ("filter", (120, 36), DNS_ANSWER, ("slash", *"tcp.port == 80 and tcp.fl", DONE)),
    ("flows", (160, 45), SYN, ("f7", DONE, "z", "down", DONE)),
    ("stream", (160, 45), SYN, ("F", DONE, "t", DONE)),
    ("statistics", (160, 45), SYN, ("f8", DONE, "z", DONE)),
)
CONVERSATIONS = (2, 3, 3, 5, 8, 6, 4, 5, 7, 9, 8)  # conversations in each second before the picture
SECOND_NS = 1_000_000_000


async def take(
    pictures: Path,
    folder: Path,
    name: str,
    size: tuple[int, int],
    packet: int,
    keys: tuple[str, ...],
) -> Path:
    """Write one picture as SVG; `folder` is for the program's own files."""
    store, frames = scripted_store(), list(conversations())
    seconds, ports = itertools.count(), itertools.count(51_240, 6)
    paths = Paths(folder / "config.toml", folder / "state.json")
    host = ScriptedHost(Wire(store))
    monitor = scripted_monitor(store, paths=paths, clock=lambda: float(second), forge_host=host)
    second = next(seconds)
    async with monitor.run_test(size=size) as pilot:
        screen = await filled(pilot)
        for count in CONVERSATIONS:
            second = next(seconds)
            for index in range(count):
                start = START_NS + second * SECOND_NS + index * SECOND_NS // count
                store.append(batch(list(conversations(next(ports))), start))
            screen.poll()
        await filled(pilot)
        screen.table.select(store.snapshot().count - len(frames) + packet)
        for key in keys:
            await (sent(pilot) if key == SENT else settled() if key == DONE else pilot.press(key))
        await pilot.pause()
        return Path(monitor.save_screenshot(f"{name}.svg", path=str(pictures)))


async def take_echo(pictures: Path, name: str, act: Act) -> Path:
    """Write one picture of the scripted echo server or the laboratory, as SVG."""
    monitor = echo_monitor()
    async with monitor.run_test(size=(160, 45)) as pilot:
        await act(pilot)
        return Path(monitor.save_screenshot(f"{name}.svg", path=str(pictures)))


def measured() -> Results:
    """Return the results that the laboratory measured on a real host."""
    models: list[ModelResult] = []
    points: list[CurvePoint] = []
    for line in (Path(__file__).parent / "lab.jsonl").read_text().splitlines():
        found = json.loads(line)
        if "curve" in found:
            points.append(CurvePoint(found.pop("curve"), **found))
        else:
            del found["messages_per_second"], found["calls_per_message"]
            models.append(ModelResult(**found))
    return models, points


async def in_the_lab(pilot: Pilot[None]) -> None:
    """Open the laboratory with those results."""
    await pilot.app.push_screen(LabScreen(before=measured()))
    await pilot.pause()
    await pilot.pause()


async def sent(pilot: Pilot[None]) -> None:
    """Approve the send, and wait for the reply."""
    screen = main_screen(pilot)
    while not (isinstance(pilot.app.screen, Confirm) and pilot.app.screen.accepts_keys):
        await pilot.pause()
    await pilot.press("y")
    service = screen.sides["forge"].service
    while not any(outcome.replies for outcome in service.snapshot().report.outcomes):
        await pilot.pause()
    screen.poll()


ECHO_PICTURES = (("echo", opened(STALLED, "v", "enter")), ("lab", in_the_lab))


def main() -> None:
    """Write every picture of the lists into the given folder, or ``screenshots``."""
    for variable in ("NO_COLOR", "TEXTUAL_THEME"):
        os.environ.pop(variable, None)
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots")
    folder.mkdir(exist_ok=True)
    for picture in PICTURES:
        with tempfile.TemporaryDirectory() as kept:
            (Path(kept) / "config.toml").write_text("[forge]\naudit = false\n")
            path = asyncio.run(take(folder, Path(kept), *picture))
        sys.stdout.write(f"{path}\n")
    for name, act in ECHO_PICTURES:
        sys.stdout.write(f"{asyncio.run(take_echo(folder, name, act))}\n")


if __name__ == "__main__":
    main()
