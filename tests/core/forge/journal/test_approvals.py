"""Approved destinations."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.files.private_folder import PrivateFolder
from core.forge.journal import approvals as approvals_module
from core.forge.journal.approvals import Approvals
from core.forge.journal.database import StateDatabase


def test_approved_marks_are_remembered(tmp_path: Path) -> None:
    approvals = Approvals(StateDatabase(tmp_path))
    assert approvals.marks() == frozenset()
    approvals.add({"10.0.0.9"})
    approvals.add({"10.0.0.8", "10.0.0.9"})
    assert Approvals(StateDatabase(tmp_path)).marks() == {"10.0.0.8", "10.0.0.9"}


def test_the_newest_mark_is_kept_and_the_oldest_is_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approvals_module, "MOST_APPROVALS", 3)
    approvals = Approvals(StateDatabase(tmp_path))
    for mark in ("a", "b", "c", "z", "b"):
        approvals.add({mark})
        assert mark in approvals.marks()
    assert approvals.marks() == {"b", "c", "z"}


def test_marks_that_are_known_are_not_written_again(tmp_path: Path) -> None:
    approvals = Approvals(StateDatabase(tmp_path, waits=False))
    approvals.add({"10.0.0.9"})
    with PrivateFolder(tmp_path) as other, other.locked():
        approvals.add({"10.0.0.9"})
        approvals.add(())
