"""Names that DNS responses of a capture told are saved with it: rawscope and tshark read them."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from core.analysis.names.file_names import names_of_blocks
from core.analysis.names.name_index import learned_blocks, names_of
from core.decode.batch import CaptureInterface
from core.files.writing.saving import SaveProgress, SaveRequest, save
from core.store.budget import UNLIMITED
from core.store.packet_store import PacketStore
from core.store.snapshot import Snapshot
from tests.core.analysis.names.messages import A, record, response
from tests.core.decode.support import batch_of
from tests.core.files.writing.test_round_trip import content_of
from tests.helpers.scripted import tcp, udp
from tests.helpers.support import require_peer
from tests.helpers.waiting import PATIENCE_S

ENDS = "198.51.100.7", "203.0.113.9"


@pytest.fixture
def capture() -> Snapshot:
    """A segment between `ENDS`, after a response with the name of the second end."""
    message = response("www.example", record("www.example", A, bytes([203, 0, 113, 9])))
    answer = udp("192.0.2.53", "192.0.2.1", (53, 4_000), message)
    store = PacketStore()
    store.add_interface(CaptureInterface("eth0", 1))
    store.append(batch_of([answer, tcp(*ENDS, (1_024, 443), 2, (1, 0))]))
    snapshot = store.snapshot()
    names_of(snapshot).extend(snapshot, UNLIMITED)
    return snapshot


def _saved(path: Path, snapshot: Snapshot, *, is_classic: bool = False) -> Path:
    names = partial(learned_blocks, snapshot)
    save(SaveRequest(path, snapshot, names=names, is_classic=is_classic), SaveProgress())
    return path


def test_the_saved_file_has_the_names_once(capture, tmp_path) -> None:
    blocks = content_of(_saved(tmp_path / "a.pcapng", capture)).blocks
    assert dict(names_of_blocks(blocks)) == {"203.0.113.9": "www.example"}
    again = replace(capture, blocks=tuple(blocks))
    copied = content_of(_saved(tmp_path / "b.pcapng", again)).blocks
    assert list(names_of_blocks(copied)) == [("203.0.113.9", "www.example")]


def test_classic_pcap_has_no_place_for_names(capture, tmp_path) -> None:
    content = content_of(_saved(tmp_path / "a.pcap", capture, is_classic=True))
    assert len(content.frames) == 2
    assert not list(names_of_blocks(content.blocks))


def test_tshark_reads_the_names(capture, tmp_path) -> None:
    path = _saved(tmp_path / "a.pcapng", capture)
    command = [require_peer("tshark"), "-r", str(path), "-N", "n", "-Y", "tcp", "-T", "fields"]
    command += ["-o", "nameres.use_external_name_resolver:FALSE", "-e", "ip.dst_host"]
    command += ["-o", "nameres.dns_pkt_addr_resolution:FALSE"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.stdout == "www.example\n"
