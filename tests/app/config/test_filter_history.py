"""The remembered display filters."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.config.filter_history import LONGEST, MOST, FilterHistory
from app.config.theme import read_theme, remember_theme
from tests.core.files.test_private_folder import OBSTACLES, contents


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.json"


def test_filters_are_remembered_from_run_to_run(path):
    history = FilterHistory(path)
    for text in ("tcp", "udp", "tcp"):
        assert history.add(text) == ""
    assert FilterHistory(path).texts == ["udp", "tcp"]


def test_stepping_through_them(path):
    history = FilterHistory(path)
    assert history.older() is None
    for text in ("a", "b", "c"):
        history.add(text)
    assert [history.older() for _ in range(4)] == ["c", "b", "a", None]
    assert [history.newer() for _ in range(4)] == ["b", "c", "", ""]
    assert history.is_rewound
    assert history.older() == "c"
    history.rewind()
    assert history.older() == "c"


def test_two_processes_share_the_file(path):
    one, other = FilterHistory(path), FilterHistory(path)
    assert (one.texts, other.texts) == ([], [])
    one.add("tcp")
    other.add("udp")
    assert FilterHistory(path).texts == ["tcp", "udp"]


def test_the_file_keeps_the_theme_and_a_bounded_number_of_filters(path):
    remember_theme(path, "nord")
    history = FilterHistory(path)
    for number in range(MOST + 5):
        history.add(f"frame.number == {number}")
    assert "not remembered" in history.add("x" * (LONGEST + 1))
    assert read_theme(path) == "nord"
    texts = FilterHistory(path).texts
    assert (len(texts), texts[-1]) == (MOST, f"frame.number == {MOST + 4}")


@pytest.mark.parametrize("filters", [None, 3, {}, [1, None, "\x1b[2J"]])
def test_anything_else_in_the_file_counts_as_nothing(path, filters):
    path.parent.mkdir(mode=0o700)
    path.write_text(json.dumps({"filters": filters}))
    path.chmod(0o600)
    assert FilterHistory(path).texts == []


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_an_obstacle_is_reported_and_left_alone(tmp_path, path, obstacle):
    put, reason = OBSTACLES[obstacle]
    path.parent.mkdir(mode=0o700)
    put(path, tmp_path / "victim")
    before = contents(path.parent)
    history = FilterHistory(path)
    problem = history.add("tcp")
    assert reason in problem
    assert problem.endswith("the filter is not remembered")
    assert contents(path.parent) == before
    assert history.texts == ["tcp"]  # in this run


def test_a_filter_that_cannot_be_remembered_is_reported(tmp_path):
    (tmp_path / "file").write_text("")
    history = FilterHistory(tmp_path / "file" / "state.json")
    assert "the filter is not remembered" in history.add("tcp")
    assert history.texts == ["tcp"]
