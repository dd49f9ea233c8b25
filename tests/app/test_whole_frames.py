"""No frame that reaches the terminal is half-drawn: neither the layout nor the rows in it.

The monitor runs as a process. Each frame is compared after it was written: keys and new sizes lead
from one picture to the next without another between them, and with packets arriving the table is
whole in every frame.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.made import capture_of, udp_frame
from tests.helpers.frame_recorder import FrameRecorder, Picture
from tests.helpers.support import ROOT, combinations, is_thorough, require_capture
from tests.helpers.waiting import until

F2, F4, ESC, TAB, BACK_TAB, CTRL_E = b"\x1bOQ", b"\x1bOS", b"\x1b", b"\t", b"\x1b[Z", b"\x05"
PAGE_UP, PAGE_DOWN = b"\x1b[5~", b"\x1b[6~"
CHANGES = 25 if is_thorough() else 12  # keys and sizes while packets arrive
SIZES = [(160, 45), (120, 36), (80, 24), (100, 30), (160, 30), (150, 40)]
HEADING = re.compile(r" +No\. ")
ROW = re.compile(r"[ ◆]. *(\d+) +\d")
FLOOD = """
import os, socket, time
parent, sender = os.getppid(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while os.getppid() == parent:
    for number in range(100):
        sender.sendto(b"datagram %d" % number, ("127.0.0.1", 9))
    time.sleep(0.01)
"""  # 10,000 packets a second


@pytest.fixture(autouse=True)
def no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@contextlib.contextmanager
def recorded(*arguments: str, shows: str) -> Iterator[FrameRecorder]:
    """Run a monitor until its panels are complete."""
    recorder = FrameRecorder([sys.executable, "-m", "app", *arguments], 160, 45)
    try:
        recorder.wait_for(shows)
        recorder.key(F2)
        recorder.key(F2)
        yield recorder
    finally:
        recorder.close()


@pytest.fixture
def of_a_file(tmp_path: Path) -> Iterator[FrameRecorder]:
    """Yield a monitor that shows a file, so nothing but keys and sizes changes its screen."""
    frames = [udp_frame(b"%d" % number) for number in range(300)]
    with recorded("-r", capture_of(tmp_path / "a.pcap", frames), shows="? help") as recorder:
        yield recorder


def between(frames: list[Picture], before: Picture | None) -> list[Picture]:
    """Return the frames that are neither the last one nor `before`."""
    return [frame for frame in frames if frame not in (before, frames[-1])]


def test_keys_change_the_layout_in_one_frame(of_a_file):
    """Zoom, side panels, tabs, and scrolling, in the states that they lead to."""
    keys = [b"G", b"z", b"z", TAB, b"z", PAGE_UP, b"z", F2, F4, F4, F2, b"e", b"z", b"z", TAB]
    for number, key in enumerate([*keys, b"e", b"g", PAGE_DOWN, F2, F2, ESC, b"z"]):
        before = of_a_file.picture
        assert not between(of_a_file.key(key), before), (number, key)


def test_a_new_size_is_painted_in_one_frame(of_a_file):
    """With the table alone, with each side panel, and zoomed."""
    for key in (b"G", F2, b"e", b"z"):
        of_a_file.key(key)
        for size in ((120, 36), (80, 24), (100, 50), (160, 45))[0 if is_thorough() else 1 :]:
            frames = of_a_file.resize(size)
            assert not between(frames, None), (key, size)
            assert (len(frames[-1][0]), len(frames[-1])) == size


def test_a_size_that_returns_at_once_is_painted_whole(of_a_file):
    before = of_a_file.picture
    for other in ((120, 36), (161, 45), (160, 44)):
        assert of_a_file.resize(other, (160, 45))[-1] == before


def test_f4_after_f2_zooms_the_forge(of_a_file):
    """Both keys in one write, as a user types them on a slow line."""
    for _ in range(5 if is_thorough() else 2):
        of_a_file.key(F2 + F4)
        assert "Detail" not in "".join(of_a_file.picture)
        of_a_file.key(F4 + F2)
        assert "Detail" in "".join(of_a_file.picture)


def flaw(picture: Picture) -> str:
    """Return what is wrong with the table in a picture; empty for a whole or hidden table."""
    heading = next((y for y, line in enumerate(picture) if HEADING.match(line)), None)
    if heading is None:
        return ""
    numbers: list[int] = []
    blanks = 0
    for line in picture[heading + 1 : -1]:
        if line.lstrip().startswith("─"):
            break
        row = ROW.match(line)
        if row is None and line.strip(" ▁▂▃▄▅▆▇█"):
            return f"neither a row nor blank: {line!r}"
        if row is not None and blanks:
            return f"a row below a blank one: {line!r}"
        blanks += row is None
        numbers += [int(row[1])] if row is not None else []
    if numbers != list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True:
        return f"rows {numbers}"
    return (
        f"{blanks} blank lines below a list from {numbers[0]}" if blanks and numbers[0] > 1 else ""
    )


def test_a_flaw_is_found():
    head, rows = "   No.     Time ", [f"   {number:>3} 0.1 x" for number in (7, 8)]
    assert flaw((head, *rows, "─Detail", "q quit")) == ""
    assert flaw((head, *rows, "", "─Detail", "q quit")) == "1 blank lines below a list from 7"
    assert "rows" in flaw((head, rows[0], rows[0], "─Detail", "q quit"))
    assert "below a blank" in flaw((head, rows[0], "", rows[1], "─Detail", "q quit"))
    assert "neither" in flaw((head, rows[0], " ▸ Frame 7", "─Detail", "q quit"))
    assert "rows" in flaw((head, "", "─Detail", "q quit"))


@pytest.mark.timed  # the hold of a layout ends after a number of checks
@pytest.mark.parametrize(("seed", "most_bytes"), combinations(range(2), [1 << 20, 256]))
def test_the_table_is_whole_in_every_frame_while_packets_arrive(seed, most_bytes):
    """At 10,000 packets a second, with random keys and sizes, also on a slow terminal.

    After the capture has stopped, painting everything again changes nothing on the screen.
    """
    require_capture()
    rng = random.Random(seed)
    keys = [b"z", F4, F2, b"e", TAB, BACK_TAB, b"G", b"g", PAGE_UP, PAGE_DOWN, b"j", ESC]
    with (
        subprocess.Popen([sys.executable, "-c", FLOOD], cwd=ROOT) as flood,
        recorded("-i", "lo", shows="live") as recorder,
    ):
        try:
            recorder.most_bytes = most_bytes
            for _ in range(CHANGES):
                recorder.frames = []
                if rng.random() < 0.25:
                    recorder.resize(rng.choice(SIZES))
                else:
                    os.write(recorder.terminal.fd, rng.choice(keys))
                    until(lambda: recorder.read() and len(recorder.frames) > 2, "frames")
                found = [(flaw(each), "\n".join(each)) for each in recorder.frames if flaw(each)]
                assert found == []
            os.write(recorder.terminal.fd, CTRL_E)
            recorder.wait_for("stopped")
        finally:
            flood.kill()
        recorder.most_bytes = 1 << 20
        until(lambda: not recorder.read(0.5), "the last frame")
        before = recorder.picture
        recorder.redraw()
        assert recorder.picture[1:] == before[1:]
