"""The audit of sent packets."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from core.files.reader import open_capture
from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.forge.journal import audit as audit_module
from core.forge.journal.audit import Audit, path_of
from core.forge.transmit.transmission import PreparedTransmission
from core.forge.values import SendMethod, SendProgress
from core.wire.link.link_types import LinkType
from core.wire.link.linux_cooked import SLL
from core.wire.model.assigned_numbers import EtherType
from core.wire.model.dissection import PacketFlag
from tests.core.decode.support import batch_of
from tests.helpers.support import remarks_of, require_peer


def departing(packet: bytes, interface: str, method: SendMethod) -> PreparedTransmission:
    return PreparedTransmission((packet,), method, interface, 1, 1500, False)


def audited(path: Path) -> tuple[list[bytes], list[str], list[tuple[str, int]]]:
    """Return packets, comments, and interfaces of an audit that is whole and all outbound."""
    packets: list[bytes] = []
    comments: list[str] = []
    with open_capture(path) as reader:
        for batch in reader.batches():
            ends = zip(batch.offset.tolist(), batch.captured.tolist(), strict=True)
            cooked = SLL.size if reader.interfaces[0].link_type == LinkType.LINUX_SLL else 0
            packets += [batch.data[at + cooked : at + size].tobytes() for at, size in ends]
            comments += [text for texts in batch.comments.values() for text in texts]
            assert set(batch.flags.tolist()) == {PacketFlag.OUTBOUND}
        assert not reader.damaged
        return packets, comments, [(one.name, one.link_type) for one in reader.interfaces]


def test_the_audit_keeps_what_was_sent_from_run_to_run(tmp_path: Path) -> None:
    """Packets are in one file and frames in another: tcpdump reads no file with two link types."""
    raw = departing(b"\x45" * 30, "lo", SendMethod.IP)
    frame = departing(b"\x02" * 60, "veth0", SendMethod.LINK)
    for transmission in (raw, frame, raw, frame):
        audit = Audit(tmp_path / "state", transmission.method)
        audit.note_sending(transmission, 5, ["a command"])
        assert audit.note_result(transmission, SendProgress(5, 3)) == ""
        audit.close()
    for transmission, kind, words in (
        (raw, LinkType.LINUX_SLL, "sending 5 (IP_HDRINCL) by: a command"),
        (frame, LinkType.ETHERNET, "sending 5 (verbatim) by: a command"),
    ):
        path = path_of(tmp_path / "state", transmission.method)
        packets, comments, interfaces = audited(path)
        assert packets == [transmission.packets[0]] * 2
        assert comments == [words] * 2
        assert interfaces == [(transmission.interface, kind)] * 2
        assert remarks_of(path) == ["sent 3 of 5"] * 2
        assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("tool", ["tcpdump", "tshark"])
def test_the_audit_opens_elsewhere(tmp_path: Path, tool: str) -> None:
    path = tmp_path / "sent.pcapng"
    packet = evaluate(Draft(("ip", "udp"), {"ip.dst": "192.0.2.9", "udp.dstport": "7777"})).data
    for _ in range(2):
        audit = Audit(tmp_path, SendMethod.IP)
        audit.note_sending(departing(packet, "lo", SendMethod.IP), 5, ["x"])
        audit.note_result(departing(packet, "lo", SendMethod.IP), SendProgress(5, 3))
        audit.close()
    read = [require_peer(tool), "-n", "-r", str(path)]
    done = subprocess.run(read, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert all("7777" in line for line in lines)


def test_the_audit_has_the_packet_before_it_is_sent(tmp_path: Path) -> None:
    """So a program that is killed while it sends has recorded the packet."""
    audit = Audit(tmp_path, SendMethod.IP)
    audit.note_sending(departing(b"\x45" * 30, "lo", SendMethod.IP), 7, ["x"])
    assert audited(audit.path)[:2] == ([b"\x45" * 30], ["sending 7 (IP_HDRINCL) by: x"])
    audit.close()


def test_a_count_that_cannot_be_written_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    audit = Audit(tmp_path, SendMethod.IP)
    raw = departing(b"\x45" * 30, "lo", SendMethod.IP)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            audit.note_sending(raw, 1, ["x"])
        assert "the count is not recorded" in audit.note_result(raw, SendProgress(1, 1))
    audit.close()


def test_a_large_audit_is_set_aside_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_module, "LARGE_BYTES", 100)
    for number in range(3):
        audit = Audit(tmp_path, SendMethod.IP)
        audit.note_sending(departing(bytes([number]) * 30, "lo", SendMethod.IP), 1, ["x"])
        audit.close()
    found = sorted(tmp_path.iterdir())
    assert len(found) == 3
    assert sorted(audited(path)[0] for path in found) == [[bytes([n]) * 30] for n in range(3)]
    assert audited(audit.path)[0] == [bytes([2]) * 30]


@pytest.mark.parametrize("method", [SendMethod.LINK, SendMethod.PACKET])
def test_frames_of_a_replay_are_recorded_and_taken_back(tmp_path: Path, method: SendMethod) -> None:
    """Packets without a link header get a cooked one, with the type of their IP version."""
    frames = [b"\x45four", b"\x60six...", b"\x45", b"\x60last"]
    batch = batch_of(frames)
    lengths = batch.captured.astype(np.int64)
    audit = Audit(tmp_path, method)
    audit.note_frames("tun7", batch.data, batch.offset, lengths)
    audit.take_back("tun7", lengths[2:])
    audit.close()
    kind = LinkType.ETHERNET if method is SendMethod.LINK else LinkType.LINUX_SLL
    assert audited(audit.path) == (frames[:2], [], [("tun7", kind)])
    assert audit.path == path_of(tmp_path, method)
    if method is SendMethod.PACKET:
        with open_capture(audit.path) as reader:
            (found,) = reader.batches()
            kinds = SLL["etype"].column(found.data, found.offset)
        assert kinds.tolist() == [EtherType.IPV4, EtherType.IPV6]
