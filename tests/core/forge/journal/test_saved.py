"""Drafts, history and agreed destinations, kept in a folder; and the audit."""

from __future__ import annotations

import errno
import json
import os
import subprocess
from pathlib import Path

import pytest

from core.files.reader import open_capture
from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import evaluate
from core.forge.journal import audit as audit_module
from core.forge.journal import saved
from core.forge.journal.audit import Audit, path_of
from core.forge.journal.saved import HISTORY_LENGTH, DraftStore
from core.forge.transmit.transmission import PreparedTransmission
from core.forge.values import SendMethod, SendProgress
from core.wire.link.link_types import LinkType
from core.wire.link.linux_cooked import SLL
from core.wire.model.dissection import PacketFlag
from tests.support import remarks_of, require_peer

ONE = (Draft(("ip", "udp"), {"ip.ttl": "3"}),)
TWO = (Draft(("ip",)), Draft(("eth", "arp"), {"payload": "grün"}))


def test_drafts_are_saved_recalled_and_deleted(tmp_path: Path) -> None:
    shelf = DraftStore(tmp_path / "state")
    assert shelf.drafts() == {}
    shelf.save("two", TWO)
    shelf.save("one", ONE)
    assert list(DraftStore(tmp_path / "state").drafts().items()) == [("one", ONE), ("two", TWO)]
    shelf.save("one", TWO)
    shelf.delete("two")
    assert shelf.drafts() == {"one": TWO}
    with pytest.raises(KeyError):
        shelf.delete("two")
    assert (tmp_path / "state" / "drafts.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["drafts.json"]


def test_drafts_whose_place_others_take_are_kept(tmp_path: Path) -> None:
    shelf = DraftStore(tmp_path)
    assert shelf.keep("one", ONE) == ""
    assert shelf.keep("one", ONE) == "", "they are the same"
    assert shelf.keep("one", TWO) == "one, before"
    assert shelf.drafts() == {"one": TWO, "one, before": ONE}


def test_history_is_newest_first_without_repeats_and_bounded(tmp_path: Path) -> None:
    shelf = DraftStore(tmp_path)
    for drafts in (ONE, TWO, ONE):
        shelf.remember(drafts)
    assert shelf.history() == [ONE, TWO]
    for number in range(HISTORY_LENGTH + 5):
        shelf.remember((Draft(("ip",), {"ip.id": str(number)}),))
    assert len(shelf.history()) == HISTORY_LENGTH


def test_agreed_destinations(tmp_path: Path) -> None:
    shelf = DraftStore(tmp_path)
    assert shelf.known() == frozenset()
    shelf.agree({"10.0.0.9"})
    shelf.agree({"10.0.0.8", "10.0.0.9"})
    assert DraftStore(tmp_path).known() == {"10.0.0.8", "10.0.0.9"}


def test_the_newest_agreement_is_kept_and_the_oldest_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved, "MOST_DESTINATIONS", 3)
    shelf = DraftStore(tmp_path)
    for mark in ("a", "b", "c", "z", "b"):
        shelf.agree({mark})
        assert mark in shelf.known()
    assert shelf.known() == {"b", "c", "z"}


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[1]", '{"a": [{"layers": 3}]}', '{"a": 1}', "\xff", "[" * 100_000,
        '{"a": [{"layers": [["ip"]], "texts": {}}]}',
    ],
    ids=lambda content: content[:20],
)  # fmt: skip
def test_what_cannot_be_read_is_as_good_as_absent(tmp_path: Path, content: str) -> None:
    for name in ("drafts", "history", "destinations"):
        (tmp_path / f"{name}.json").write_text(content, encoding="latin-1")
    shelf = DraftStore(tmp_path)
    assert (shelf.drafts(), shelf.history(), shelf.known()) == ({}, [], frozenset())
    assert shelf.complaints
    shelf.save("one", ONE)
    assert shelf.drafts() == {"one": ONE}


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[1]"])
def test_saving_sets_an_unreadable_file_aside(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "drafts.json"
    path.write_bytes(content)
    shelf = DraftStore(tmp_path)
    shelf.save("one", ONE)
    (aside,) = (other for other in tmp_path.iterdir() if other != path)
    assert aside.read_bytes() == content
    assert aside.name in shelf.complaints[-1]
    assert shelf.drafts() == {"one": ONE}


def test_saving_keeps_the_entries_that_it_cannot_read(tmp_path: Path) -> None:
    drafts, history = tmp_path / "drafts.json", tmp_path / "history.json"
    drafts.write_text('{"later": [{"layers": 3}]}')
    history.write_text('[[{"layers": 3}]]')
    shelf = DraftStore(tmp_path)
    shelf.save("one", ONE)
    shelf.remember(ONE)
    shelf.save("two", TWO)
    shelf.delete("one")
    assert json.loads(drafts.read_text())["later"] == [{"layers": 3}]
    assert json.loads(history.read_text())[1] == [{"layers": 3}]
    assert (shelf.drafts(), shelf.history()) == ({"two": TWO}, [ONE])


def test_what_would_be_too_large_to_read_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved, "LARGEST_BYTES", 4096)
    shelf = DraftStore(tmp_path)
    shelf.save("one", ONE)
    with pytest.raises(OSError, match="larger"):
        shelf.save("two", (Draft(("ip",), {"payload": "x" * 4096}),))
    assert shelf.drafts() == {"one": ONE}
    for number in range(100):
        shelf.remember((Draft(("ip",), {"ip.id": str(number), "payload": "x" * 500}),))
    (newest, *_) = shelf.history()
    assert newest[0].texts["ip.id"] == "99"
    assert (tmp_path / "history.json").stat().st_size <= 4096
    assert not shelf.complaints


def departing(packet: bytes, interface: str, way: SendMethod) -> PreparedTransmission:
    return PreparedTransmission((packet,), way, interface, 1, 1500, False)


def audited(path: Path) -> tuple[list[bytes], list[str], list[tuple[str, int]]]:
    """Packets, comments and interfaces; the file must be whole, all of it outbound."""
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
    """Packets in one file, frames in another: tcpdump reads none with two link types."""
    raw = departing(b"\x45" * 30, "lo", SendMethod.IP)
    frame = departing(b"\x02" * 60, "veth0", SendMethod.LINK)
    for departure in (raw, frame, raw, frame):
        audit = Audit(tmp_path / "state", departure.way)
        audit.note_sending(departure, 5, ["a command"])
        assert audit.note_result(departure, SendProgress(5, 3)) == ""
        audit.close()
    for departure, kind, words in (
        (raw, LinkType.LINUX_SLL, "sending 5 (IP_HDRINCL) by: a command"),
        (frame, LinkType.ETHERNET, "sending 5 (verbatim) by: a command"),
    ):
        path = path_of(tmp_path / "state", departure.way)
        packets, comments, interfaces = audited(path)
        assert packets == [departure.packets[0]] * 2
        assert comments == [words] * 2
        assert interfaces == [(departure.interface, kind)] * 2
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
    """Whoever is killed while sending has left it: it is in the file, without closing that."""
    audit = Audit(tmp_path, SendMethod.IP)
    audit.note_sending(departing(b"\x45" * 30, "lo", SendMethod.IP), 7, ["x"])
    assert audited(audit.path)[:2] == ([b"\x45" * 30], ["sending 7 (IP_HDRINCL) by: x"])
    audit.close()


def test_a_count_that_cannot_be_written_is_said(
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
        assert "the count is not written down" in audit.note_result(raw, SendProgress(1, 1))
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
