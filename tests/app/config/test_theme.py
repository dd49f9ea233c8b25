"""The remembered theme."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from app.config.theme import read_theme, remember_theme


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.json"


def test_the_theme_is_remembered_for_its_owner_only(path: Path) -> None:
    assert read_theme(path) == ""
    assert remember_theme(path, "nord") == ""
    assert read_theme(path) == "nord"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert remember_theme(path, "dracula") == ""
    assert read_theme(path) == "dracula"
    assert os.listdir(path.parent) == ["state.json"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"theme": 3}', "\x00", '{"theme":null}'])
def test_a_file_that_cannot_be_read_counts_as_none(path: Path, content: str) -> None:
    path.parent.mkdir()
    path.write_text(content)
    assert read_theme(path) == ""


def test_a_theme_that_cannot_be_remembered_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "the theme is not remembered" in remember_theme(tmp_path / "file" / "state.json", "nord")


def test_the_file_is_replaced_not_rewritten(path: Path) -> None:
    remember_theme(path, "nord")
    with path.open() as before:
        remember_theme(path, "dracula")
        assert json.load(before) == {"theme": "nord"}
