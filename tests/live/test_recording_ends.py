"""However a recording ends, its files have every packet that had arrived.

The kernel hands over a block of the ring when it is full or retires, so the last packets before a
key are not yet read when the key is. A socket that was bound before the capture gets each frame
after the ring did, and shows that they have arrived.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.capture.capture_filter import compile_filter
from core.capture.options import CaptureOptions
from core.engine.capture_end import NO_END, CaptureEnd
from core.engine.engine import Engine
from core.engine.snapshot import EngineState
from core.files.reader import open_capture
from core.net.sockets import LOCAL_SOCKETS
from core.recording.plan import FileNaming, RecordingPlan, Rotation
from core.recording.recorder import Recorder
from core.recording.state import RecordingStatus
from core.store.packet_store import PacketStore
from tests.helpers.waiting import PATIENCE_S, until
from tests.live.network import Network
from tests.live.numbered import KIND, frame
from tests.live.watching import send_frames

pytestmark = pytest.mark.live

SENT = 24
ONE_FILE = Rotation()
NUMBER_AT = slice(14, 18)  # in a frame


@pytest.fixture
def network() -> Iterator[Network]:
    with Network(addresses=False) as made:
        yield made


class Recorded:
    """An engine that captures on ``near0`` and records to files in a folder."""

    def __init__(self, network: Network, folder: Path, plan: RecordingPlan, end: CaptureEnd):
        self._network, self._folder = network, folder
        self.engine = Engine(PacketStore(), LOCAL_SOCKETS)
        self._witness = network.in_near(_witness)  # before the capture
        network.in_near(self.engine.start)  # a thread inherits its creator's namespace
        self.engine.record(Recorder(plan))
        self.engine.capture(CaptureOptions(("near0",), ring_bytes=4 << 20), end)
        until(lambda: self.engine.snapshot().state is EngineState.LIVE, "live")
        self._sent = 0

    def send(self, count: int = SENT) -> None:
        """Send the next numbered frames, and wait until all have arrived."""
        numbers = range(self._sent, self._sent + count)
        send_frames(self._network, *map(frame, numbers))
        self._sent += count
        for number in numbers:
            assert self._witness.recv(2048) == frame(number)

    @property
    def status(self) -> RecordingStatus:
        return self.engine.recordings[-1].status

    def stop_recording(self) -> None:
        """End the recording as the key does, and wait for its end."""
        self.engine.stop_recording()
        until(lambda: self.status is not RecordingStatus.RECORDING, "the end of the recording")

    def close(self) -> None:
        self.engine.close()
        self._witness.close()
        assert self.engine.failure is None

    def numbers(self) -> list[int]:
        """Return the numbers of the frames in all files, in order."""
        found = []
        for path in sorted(self._folder.iterdir()):
            with open_capture(str(path)) as reader:
                found += [
                    batch.data[start : start + 60].tobytes()[NUMBER_AT]
                    for batch in reader.batches()
                    for start in batch.offset.tolist()
                ]
        return [int.from_bytes(each, "big") for each in found]


def _witness() -> socket.socket:
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(KIND))
    made.bind(("near0", KIND))
    made.settimeout(PATIENCE_S)
    return made


@pytest.fixture
def recorded(network: Network, tmp_path: Path) -> Iterator[Callable[..., Recorded]]:
    with contextlib.ExitStack() as stack:

        def begin(rotation: Rotation = ONE_FILE, end: CaptureEnd = NO_END) -> Recorded:
            folder = tmp_path / "files"
            folder.mkdir()
            naming = FileNaming.DUMPCAP if rotation.is_used else FileNaming.SINGLE
            plan = RecordingPlan(folder / "t.pcapng", rotation, naming)
            made = Recorded(network, folder, plan, end)
            stack.callback(made.close)
            return made

        yield begin


def _key(recorded: Recorded) -> None:
    recorded.stop_recording()


def _quit(recorded: Recorded) -> None:
    recorded.engine.close()


def _key_and_quit(recorded: Recorded) -> None:
    recorded.engine.stop_recording()
    recorded.engine.close()


def _stop_capture(recorded: Recorded) -> None:
    recorded.engine.stop_capture()
    recorded.stop_recording()


def _key_and_stop_capture(recorded: Recorded) -> None:
    recorded.engine.stop_recording()
    recorded.engine.stop_capture()


def _other_interface(recorded: Recorded) -> None:
    recorded.engine.capture(CaptureOptions(("lo",), ring_bytes=4 << 20))
    recorded.stop_recording()


def _key_and_other_interface(recorded: Recorded) -> None:
    recorded.engine.stop_recording()
    recorded.engine.capture(CaptureOptions(("lo",), ring_bytes=4 << 20))


def _other_filter(recorded: Recorded) -> None:
    recorded.engine.change_filter(compile_filter("tcp"))
    recorded.stop_recording()


def _key_and_other_filter(recorded: Recorded) -> None:
    recorded.engine.stop_recording()
    recorded.engine.change_filter(compile_filter("tcp"))


def _file(recorded: Recorded) -> None:
    recorded.engine.open_file(os.devnull)
    recorded.stop_recording()


def _key_and_file(recorded: Recorded) -> None:
    recorded.engine.stop_recording()
    recorded.engine.open_file(os.devnull)


WAYS = (
    _key, _quit, _key_and_quit, _stop_capture, _key_and_stop_capture, _other_interface,
    _key_and_other_interface, _other_filter, _key_and_other_filter, _file, _key_and_file,
)  # fmt: skip


@pytest.mark.parametrize("rotation", [ONE_FILE, Rotation(packets=5)], ids=["one", "files"])
@pytest.mark.parametrize("end", WAYS, ids=lambda way: way.__name__.strip("_"))
def test_packets_that_arrived_before_the_end_are_recorded(recorded, end, rotation):
    made = recorded(rotation)
    made.send()
    end(made)
    until(lambda: made.status is RecordingStatus.ENDED, "the end of the recording")
    assert made.numbers() == [*range(SENT)]
    (state,) = made.engine.recordings
    assert (state.packets, state.lost) == (SENT, 0)


def test_the_end_waits_for_no_later_packets(recorded):
    """Capture and traffic continue; the recording ends all the same."""
    made = recorded()
    made.send()
    made.stop_recording()
    made.send()
    until(lambda: made.engine.store.snapshot().count == 2 * SENT, "the later packets")
    assert made.numbers() == [*range(SENT)]
    (share,) = made.engine.snapshot().recorded
    assert (share.first, share.last) == (1, SENT)


def test_a_capture_that_ends_by_its_count_has_recorded_as_many(recorded):
    made = recorded(end=CaptureEnd(packets=SENT - 4))
    made.send()
    until(lambda: made.engine.snapshot().state is EngineState.STOPPED, "the end of the capture")
    made.stop_recording()
    assert made.numbers() == [*range(SENT - 4)]


def test_a_capture_that_ends_by_its_time_has_recorded_all(recorded):
    made = recorded(end=CaptureEnd(seconds=0.5))
    while made.engine.snapshot().state is EngineState.LIVE:
        made.send(1)
    # one that was sent after the end is in neither the table nor the file
    made.stop_recording()
    stored = made.engine.store.snapshot().count
    assert stored > 0
    assert made.numbers() == [*range(stored)]
