"""The paths of the configuration and the state."""

from __future__ import annotations

from pathlib import Path

from app.config.paths import Paths


def test_the_folders_of_the_environment_are_respected(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    paths = Paths.of_user()
    assert paths.config == tmp_path / "config" / "rawscope" / "config.toml"
    assert paths.state == tmp_path / "state" / "rawscope" / "state.json"
    assert paths.state_folder == tmp_path / "state" / "rawscope"


def test_the_defaults_are_below_the_home_folder(monkeypatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/ann")
    paths = Paths.of_user()
    assert paths.config == Path("/home/ann/.config/rawscope/config.toml")
    assert paths.state_folder == Path("/home/ann/.local/state/rawscope")
