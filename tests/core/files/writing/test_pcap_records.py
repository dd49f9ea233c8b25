"""Classic pcap made by columns is read back as it was."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from core.decode.batch import CaptureInterface
from core.files.reader import open_capture
from core.files.writing.pcap_records import NoPlaceError, file_header, packet_records
from core.wire.link.link_types import LinkType
from core.wire.model.dissection import PacketFlag
from tests.core.files.writing.test_pcapng_blocks import TIME_NS, batch_of, frames_of

INTERFACES = [CaptureInterface(f"eth{number}", LinkType.ETHERNET) for number in range(4)]
records_of = partial(packet_records, link_type=LinkType.ETHERNET, interfaces=INTERFACES)


@pytest.mark.parametrize("is_nano", [True, False])
def test_records_are_read_back(tmp_path: Path, is_nano: bool) -> None:
    written = batch_of([60, 0, 1, 4096, 33])
    path = tmp_path / "a.pcap"
    head = file_header(LinkType.ETHERNET, 500, nanoseconds=is_nano, fcs_bytes=4)
    path.write_bytes(head + records_of(written, nanoseconds=is_nano).tobytes())
    with open_capture(path) as reader:
        (found,) = reader.batches()
        assert not reader.damaged
        assert not reader.notes
        (interface,) = reader.interfaces
    assert frames_of(found) == frames_of(written)
    assert found.original.tolist() == written.original.tolist()
    times = written.timestamp_ns if is_nano else written.timestamp_ns // 1000 * 1000
    assert found.timestamp_ns.tolist() == times.tolist()
    assert set(found.flags.tolist()) == {4 << PacketFlag.FCS_SHIFT}
    assert (interface.link_type, interface.snap_length) == (LinkType.ETHERNET, 500)


@pytest.mark.parametrize("time_ns", [-1, (1 << 32) * 10**9])
def test_a_time_without_a_place_is_refused(time_ns: int) -> None:
    written = batch_of([60, 61, 62])
    written.timestamp_ns[1] = time_ns
    with pytest.raises(NoPlaceError) as caught:
        records_of(written, np.array([2, 1]))
    assert caught.value.row == 1
    assert len(records_of(written, np.array([0, 2]))) == 2 * 16 + 60 + 62
    assert written.timestamp_ns[0] == TIME_NS
