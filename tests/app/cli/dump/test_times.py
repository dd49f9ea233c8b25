"""Times on the command line that a capture does not tell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.cli.main import run
from tests.core.files.make import enhanced, interface, section, simple


@pytest.fixture
def capture(tmp_path: Path) -> str:
    """A packet without a time, and one with."""
    path = tmp_path / "simple.pcapng"
    path.write_bytes(section() + interface() + simple() + enhanced())
    return str(path)


def test_a_time_that_nobody_told_is_not_in_the_record(
    capture: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["dump", "-r", capture, "--json"]) == 0
    without, with_time = map(json.loads, capsys.readouterr().out.splitlines())
    assert "frame.time_epoch" not in without
    assert with_time["frame.time_epoch"] == "1700000000.000000000"


def test_a_time_that_nobody_told_is_a_dash_in_the_line(
    capture: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["dump", "-r", capture]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ["–", "0.000000"]
