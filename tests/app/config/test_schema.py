"""The table of settings: the example, the README, and the checks of values follow from it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

from app.config.config_file import load
from app.config.schema import SECTIONS, Config, ForgeSettings, example
from app.keymap import ACTIONS
from tests.helpers.support import ROOT


def test_the_readme_shows_the_example() -> None:
    assert f"```toml\n{example()}```\n" in (ROOT / "README.md").read_text()


def test_the_example_is_a_valid_file_with_every_section_and_setting(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(example())
    config = load(path)
    assert config.complaints == ()
    assert config.keys == {"view.pause": "f11", "packets.go_to": "colon,ctrl+g"}
    assert config.forge == ForgeSettings(), "the example shows the defaults"
    for section in SECTIONS.values():
        assert f"[{section.name}]\n" in example()
        if not section.samples:
            assert all(f"\n{name} = " in example() for name in section.settings)


def test_every_section_is_a_field_of_the_configuration() -> None:
    assert [one.name for one in fields(Config)] == [*SECTIONS, "complaints"]
    assert list(SECTIONS["keys"].settings) == [action.name for action in ACTIONS]


def test_every_default_is_a_valid_value() -> None:
    for section in SECTIONS.values():
        for setting in section.settings.values():
            assert setting.meaning
            if setting.default != "":  # an action without a key
                assert setting.type.convert(setting.default) == setting.default


def test_the_configuration_imports_no_textual() -> None:
    code = "import sys, app.config.theme, app.config.paths; sys.exit('textual' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
