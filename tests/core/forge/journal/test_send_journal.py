"""The records of an order: two databases' views of one file, and the audit."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from core.files.private_folder import PrivateFolder
from core.forge.compose.draft import Draft
from core.forge.journal.audit import FRAMES, PACKETS
from core.forge.journal.database import FILE
from core.forge.journal.send_journal import SendJournal
from core.forge.orders import OrderError
from core.forge.values import SendMethod

DRAFTS = (Draft(("ip", "udp"), {"ip.ttl": "3"}),)


def test_the_screen_sees_the_changes_of_the_sender(tmp_path: Path) -> None:
    journal = SendJournal(tmp_path, audits=True)
    assert journal.remember(DRAFTS, frozenset({"10.0.0.1"})) == ()
    assert journal.history.entries() == [DRAFTS]
    assert journal.approved_marks() == {"10.0.0.1"}
    assert SendJournal(tmp_path, audits=False).approved_marks() == {"10.0.0.1"}


def test_a_replay_remembers_marks_only(tmp_path: Path) -> None:
    journal = SendJournal(tmp_path, audits=True)
    assert journal.remember((), frozenset({"10.0.0.1"})) == ()
    assert journal.history.entries() == []


def test_a_failed_change_is_reported_and_does_not_raise(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    journal = SendJournal(tmp_path, audits=True)
    (note,) = journal.remember(DRAFTS, frozenset({"10.0.0.1"}))
    assert note == f"{tmp_path}: {FILE} is a directory: move it away; it is not remembered"
    assert journal.complaints.all() == [f"{tmp_path}: {FILE} is a directory: move it away"]


def test_the_screen_s_changes_do_not_wait(tmp_path: Path) -> None:
    journal = SendJournal(tmp_path, audits=True)
    with (
        PrivateFolder(tmp_path) as other,
        other.locked(),
        pytest.raises(OSError, match="try again"),
    ):
        journal.drafts.save("one", DRAFTS)


def test_an_audit_is_opened_for_the_send_method(tmp_path: Path) -> None:
    journal = SendJournal(tmp_path, audits=True)
    with ExitStack() as stack:
        assert journal.open_audit(SendMethod.LINK, stack) is not None
        assert journal.open_audit(SendMethod.IP, stack) is not None
    assert journal.audit_path(SendMethod.LINK) == str(tmp_path / FRAMES)
    assert {path.name for path in tmp_path.iterdir()} <= {FRAMES, PACKETS}


def test_no_audit_is_opened_if_the_user_wants_none(tmp_path: Path) -> None:
    journal = SendJournal(tmp_path, audits=False)
    with ExitStack() as stack:
        assert journal.open_audit(SendMethod.IP, stack) is None
    assert journal.audit_path(SendMethod.IP) == ""
    assert list(tmp_path.iterdir()) == []


def test_an_audit_that_cannot_be_written_forbids_sending(tmp_path: Path) -> None:
    (tmp_path / PACKETS).mkdir()
    journal = SendJournal(tmp_path, audits=True, without_audit="--no-audit sends without it")
    with ExitStack() as stack, pytest.raises(OrderError, match="--no-audit sends without it"):
        journal.open_audit(SendMethod.IP, stack)
