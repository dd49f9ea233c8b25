"""The user's configuration file: it is read and checked, and never a reason to crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.config.config_file import load
from app.config.schema import SECTIONS, Config, ForgeSettings, TableSettings, toml_value
from core.analysis.filter.language.macros import expand


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def test_a_missing_file_means_the_defaults(path: Path) -> None:
    assert load(path) == Config()
    assert load(path / "below") == Config()
    path.touch()
    assert load(path) == load(path / "below") == Config()


def test_keys_are_remapped_by_action_name(path: Path) -> None:
    path.write_text('[keys]\n"view.pause" = "f11"\n"packets.go_to" = "colon, f5"\n')
    assert load(path) == Config({"view.pause": "f11", "packets.go_to": "colon,f5"})


def test_the_audit_can_be_switched_off(path: Path) -> None:
    assert load(path).forge.audit
    path.write_text("[forge]\naudit = false\n")
    assert load(path) == Config(forge=ForgeSettings(audit=False))


def test_every_setting_can_be_given_its_default(path: Path) -> None:
    lines = []
    for section in SECTIONS.values():
        lines.append(f"[{section.name}]")
        lines += [
            f'"{setting.name}" = {toml_value(setting.default)}'
            for setting in section.settings.values()
            if setting.default != ""  # an action without a key
        ]
    path.write_text("\n".join(lines))
    config = load(path)
    assert config.complaints == ()
    assert config.forge == ForgeSettings()
    assert config.keys == {
        name: setting.default
        for name, setting in SECTIONS["keys"].settings.items()
        if setting.default
    }


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("[keys", "; the defaults are used"),
        ("keys = 3", "[keys] must be a table; the defaults are used"),
        ("forge = false", "[forge] must be a table; the defaults are used"),
        ("[color]\n", "unknown section 'color'"),
        ("[forge]\naudit = 0", "[forge] audit must be true or false; the default is used: true"),
        ("[forge]\naudti = false", "[forge] 'audti' is not a setting; there is audit"),
        ('[keys]\n"view.puase" = "p"', "[keys] 'view.puase' is not an action; the help screen (?)"),
        (
            '[keys]\n"view.pause" = 7',
            "[keys] view.pause must be keys in quotes, separated by commas",
        ),
        ('[keys]\n"view.pause" = 7', '; the default is used: "'),
        ('[keys]\n"view.pause" = ""', "has '', which is not a key name such as ctrl+e"),
        ('[keys]\n"view.pause" = "\\u001b[2J"', "which is not a key name"),
        ('[keys]\n"view.pause" = "m"', "view.pause: m is the key of packets.mark; move that one"),
        ('[keys]\n"view.pause" = "q"', "q is the key of program.quit"),
        ('[keys]\n"detail.toggle" = "j"', "j is the key of list.down"),
        ("[table]\ncolumns = 3", "[table] columns must be a list of names in quotes; the default"),
        ("[table]\ncolumns = [3]", "[table] columns must have names in quotes"),
        ("[table]\ncolumns = []", "[table] columns must name at least one column"),
        (
            '[table]\ncolumns = ["ip.tttl"]',
            "has 'ip.tttl', which is neither a field nor",
        ),
        ('[table]\ncolumns = ["\\u001b"]', "has '\\x1b', which is neither a field nor"),
        ('[table]\nspare = ["x"]', "[table] spare has 'x', which is neither"),
        ("[table]\nwidths = 3", "[table] widths must be name = cells, in braces"),
        ("[table]\nwidths = {x = 3}", "[table] widths has 'x', which is neither"),
        ("[table]\nwidths = {Time = 0}", "[table] widths must be a number from 1 to 200"),
        ("[table]\nsplit = 9", "[table] split must be a number from 10 to 90"),
        ("[table]\nsplit = false", "[table] split must be a number from 10 to 90"),
    ],
)
def test_a_mistake_is_one_clear_line_and_the_default_holds(
    path: Path, content: str, complaint: str
) -> None:
    path.write_text(content)
    config = load(path)
    assert (config.keys, config.forge) == ({}, ForgeSettings())
    assert config.table == TableSettings()
    (line,) = config.complaints
    assert complaint in line
    assert str(path) in line
    assert "\n" not in line
    assert "\x1b" not in line


def test_a_mistake_leaves_the_other_settings(path: Path) -> None:
    path.write_text('[keys]\n"view.pause" = 7\n"packets.mark" = "f11"\n[forge]\naudit = false\n')
    config = load(path)
    assert len(config.complaints) == 1
    assert (config.keys, config.forge.audit) == ({"packets.mark": "f11"}, False)


def test_a_command_reads_only_its_sections(path: Path) -> None:
    """It does not report a mistake in the keys, but a section that nobody reads."""
    path.write_text("keys = 7\n[color]\n[forge]\naudit = false\n")
    config = load(path, ("forge",))
    assert not config.forge.audit
    assert config.complaints == (f"{path}: unknown section 'color'",)


def test_bytes_that_are_not_text_are_one_clear_line(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")
    (line,) = load(path).complaints
    assert "\n" not in line


def test_a_folder_in_its_place_is_one_clear_line(path: Path) -> None:
    path.mkdir()
    reason = "it is a directory, not a regular file; the defaults are used"
    assert load(path).complaints == (f"{path}: {reason}",)


def test_a_key_that_was_moved_away_is_free(path: Path) -> None:
    path.write_text('[keys]\n"packets.mark" = "f11"\n"view.pause" = "m"\n')
    assert load(path) == Config({"packets.mark": "f11", "view.pause": "m"})


def test_two_panels_may_use_the_same_key(path: Path) -> None:
    path.write_text('[keys]\n"hex.left" = "f11"\n"detail.close" = "f11"\n')
    assert load(path).complaints == ()


def test_macros_are_defined_before_the_color_rules(path: Path) -> None:
    path.write_text(
        '[colors]\nrules = [{name = "Web", filter = "$web(80)"}, {name = "No", filter = "$no()"}]\n'
        '[macros]\nweb = "tcp.port == $1"\n"two words" = "tcp"\nsix = 6\n'
    )
    config = load(path)
    assert config.macros == {"web": "tcp.port == $1"}
    assert expand("$web(80)", config.macros).text == "tcp.port == 80"
    assert [rule.enabled for rule in config.colors.rules] == [True, False]
    words, six, color = config.complaints
    assert "'two words' is not a name of letters, digits, and _" in words
    assert "[macros] six must be a part of a filter in quotes" in six
    assert "the macro is left out" in six
    assert '"no" is not a macro' in color


def test_a_wrong_column_leaves_the_others(path: Path) -> None:
    path.write_text('[table]\ncolumns = ["No.", "ip.tttl", "ip.ttl", "No.", "Info"]\n')
    config = load(path)
    assert config.table.columns == ("No.", "ip.ttl", "Info")
    (complaint,) = config.complaints
    assert "columns has 'ip.tttl', which is neither a field nor" in complaint
    assert complaint.endswith("; the others are used")
    path.write_text('[table]\ncolumns = ["Info", "Info"]\n')
    config = load(path)
    assert config.table.columns == ("Info",)
    assert "columns has 'Info' twice; the others are used" in config.complaints[0]
