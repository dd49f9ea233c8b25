"""Classic pcap of a source whose interfaces may become known later."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.decode.batch import CaptureInterface
from core.decode.batch_decoder import decode_batch
from core.files.writing.encoder import CannotWriteError, ChunkRows
from core.files.writing.pcap_encoder import PcapEncoder
from tests.core.decode.support import batch_of
from tests.core.files.writing.test_round_trip import content_of

MICRO, NANO = 6, 9


def encode(
    path: Path, interfaces: list[CaptureInterface], later: list[CaptureInterface], is_final: bool
) -> Path:
    """Write two packets; the source describes the interfaces of the second one `later`."""
    encoder = PcapEncoder(interfaces, is_final=is_final)
    times_ns = [1_000, 2_345]
    with path.open("wb") as file:
        for row, time_ns in enumerate(times_ns):
            batch = batch_of([bytes(60)], interface=[row and len(later)], times_ns=[time_ns])
            link_types = np.array([each.link_type for each in interfaces], np.int32)
            chunk = decode_batch(batch, link_types, row + 1)
            file.writelines(encoder.encode(ChunkRows(chunk, np.arange(1))))
            interfaces += later
    return path


@pytest.mark.parametrize(
    ("first", "later", "is_final", "wanted"),
    [
        (MICRO, [NANO], False, 2_345),
        (MICRO, [], False, 2_345),
        (NANO, [], True, 2_345),
        (MICRO, [], True, 2_000),
    ],
)
def test_times_are_cut_only_if_no_interface_can_have_finer_ones(
    first: int, later: list[int], is_final: bool, wanted: int, tmp_path: Path
) -> None:
    interfaces = [CaptureInterface("eth0", 1, resolution=first)]
    finer = [CaptureInterface("eth1", 1, resolution=each) for each in later]
    path = encode(tmp_path / "a.pcap", interfaces, finer, is_final)
    assert content_of(path).columns["timestamp_ns"] == [1_000, wanted]


def test_a_packet_of_another_link_type_is_refused_with_its_number(tmp_path: Path) -> None:
    raw = [CaptureInterface("tun0", 101)]
    with pytest.raises(CannotWriteError) as caught:
        encode(tmp_path / "a.pcap", [CaptureInterface("eth0", 1)], raw, False)
    assert str(caught.value) == (
        "packet 2: classic pcap holds one link type, ETHERNET, and a packet is RAW: choose pcapng"
    )
