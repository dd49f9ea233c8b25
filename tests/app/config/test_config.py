"""The person's two files: read, remapped, remembered, and never a reason to crash."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from app.config.settings import Config, Paths, load, remember_theme


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "config.toml", tmp_path / "state" / "state.json")


def test_absent_files_are_the_defaults(paths):
    assert load(paths) == Config({}, "", ())


def test_keys_are_remapped_by_action_name(paths):
    paths.config.write_text('[keys]\n"view.pause" = "f6"\n"packets.go_to" = "colon, f5"\n')
    assert load(paths) == Config({"view.pause": "f6", "packets.go_to": "colon,f5"}, "", ())


def test_the_audit_can_be_switched_off(paths):
    assert load(paths).audit
    paths.config.write_text("[forge]\naudit = false\n")
    assert load(paths) == Config(audit=False)


@pytest.mark.parametrize("content", ["[forge]\naudit = 0\n", "forge = false\n"])
def test_the_audit_is_not_switched_off_by_mistake(paths, content):
    paths.config.write_text(content)
    config = load(paths)
    assert config.audit
    assert "[forge] audit is true or false" in config.complaints[0]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("[keys", "the default keys are used"),
        ("keys = 3", "[keys] must be a table"),
        ("[colors]\n", "unknown section 'colors'"),
        ('[keys]\n"view.puase" = "p"', "'view.puase' is no action"),
        ('[keys]\n"view.pause" = 7', "view.pause takes a key in quotes"),
        ('[keys]\n"view.pause" = ""', "'' is no key name"),
        ('[keys]\n"view.pause" = "\\u001b[2J"', "is no key name"),
        ('[keys]\n"view.pause" = "m"', "m is the key of packets.mark"),
        ('[keys]\n"view.pause" = "q"', "q is the key of program.quit"),
        ('[keys]\n"detail.toggle" = "j"', "j is the key of list.down"),
    ],
)
def test_a_bad_configuration_is_one_clear_line(paths, content, complaint):
    paths.config.write_text(content)
    config = load(paths)
    assert config.keys == {}
    (line,) = config.complaints
    assert complaint in line
    assert str(paths.config) in line
    assert "\n" not in line
    assert "\x1b" not in line


def test_bytes_that_are_no_text_are_one_clear_line(paths):
    paths.config.write_bytes(b"\xff\xfe\x00")
    (line,) = load(paths).complaints
    assert "\n" not in line


def test_a_folder_in_its_place_is_one_clear_line(paths):
    paths.config.mkdir()
    reason = "it is a directory and no regular file; the default keys are used"
    assert load(paths).complaints == (f"{paths.config}: {reason}",)


def test_a_key_that_was_moved_away_is_free(paths):
    paths.config.write_text('[keys]\n"packets.mark" = "f6"\n"view.pause" = "m"\n')
    assert load(paths) == Config({"packets.mark": "f6", "view.pause": "m"}, "", ())


def test_the_same_key_in_two_panels_is_no_clash(paths):
    paths.config.write_text('[keys]\n"hex.left" = "f6"\n"detail.close" = "f6"\n')
    assert load(paths).complaints == ()


def test_the_theme_is_remembered_for_its_owner_only(paths):
    assert remember_theme(paths, "nord") == ""
    assert load(paths).theme == "nord"
    assert stat.S_IMODE(paths.state.stat().st_mode) == 0o600
    assert remember_theme(paths, "dracula") == ""
    assert load(paths).theme == "dracula"
    assert os.listdir(paths.state.parent) == ["state.json"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"theme": 3}', "\x00", '{"theme":null}'])
def test_a_bad_state_file_is_as_good_as_none(paths, content):
    paths.state.parent.mkdir()
    paths.state.write_text(content)
    assert load(paths) == Config({}, "", ())


def test_a_theme_that_cannot_be_remembered_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    paths = Paths(tmp_path / "config.toml", tmp_path / "file" / "state.json")
    assert "the theme is not remembered" in remember_theme(paths, "nord")


def test_the_state_is_replaced_not_rewritten(paths):
    remember_theme(paths, "nord")
    with paths.state.open() as before:
        remember_theme(paths, "dracula")
        assert json.load(before) == {"theme": "nord"}
