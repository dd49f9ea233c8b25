"""A file of a recording goes to the disk at checkpoints and at its end."""

from __future__ import annotations

import errno

import pytest

from core.recording.output_file import OutputFile
from core.recording.packer import checkpoint_packer
from core.recording.packet_format import PcapngFormat
from tests.core.recording.made import ETH0, numbered


class Disk:
    """A `Target` that knows what a power cut would leave."""

    def __init__(self) -> None:
        self.cached, self.safe = bytearray(), b""
        self.is_broken = False

    def write(self, data: memoryview) -> int:
        self.cached += data
        return len(data)

    def truncate(self, size: int) -> None:
        del self.cached[size:]

    def sync(self) -> None:
        if self.is_broken:
            raise OSError(errno.EIO, "Input/output error")
        self.safe = bytes(self.cached)

    def close(self) -> None:
        self.is_closed = True


def begun(name: str) -> tuple[Disk, OutputFile]:
    disk = Disk()
    file = OutputFile(disk, checkpoint_packer(name))
    file.begin(PcapngFormat().beginning([ETH0]))
    file.add(PcapngFormat().encoded(numbered(0, 9), [ETH0]))
    return disk, file


@pytest.mark.parametrize("name", ["a.pcapng", "a.pcapng.gz", "a.pcapng.zst"])
def test_a_power_cut_loses_only_the_bytes_after_the_last_checkpoint(name: str) -> None:
    disk, file = begun(name)
    file.checkpoint()
    assert disk.safe == disk.cached != b""
    file.add(PcapngFormat().encoded(numbered(9, 9), [ETH0]))
    file.close()
    assert disk.safe == disk.cached
    assert disk.is_closed


@pytest.mark.parametrize("name", ["a.pcapng", "a.pcapng.zst"])
def test_a_disk_that_does_not_take_the_bytes_is_an_error(name: str) -> None:
    disk, file = begun(name)
    disk.is_broken = True
    with pytest.raises(OSError, match="Input/output"):
        file.checkpoint()
    file.close()  # it has reported its failure
    assert disk.is_closed
