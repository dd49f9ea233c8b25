"""Changes of the configuration file: the rest stays, and so does a file that cannot be read."""

from __future__ import annotations

import os
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.config.config_writer import ConfigWriter, change_section, changed_text
from core.files import private_folder
from core.files.private_folder import PrivateFolder
from tests.core.files.test_private_folder import NOBODY, OBSTACLES, contents
from tests.helpers.support import require_root
from tests.helpers.unprivileged import drop_capabilities
from tests.helpers.waiting import until

MINE = """\
# My settings.

[table]  # the packets
# from left to right
columns = ["No.", "Info"]  # enough for me
split=3 # of 5

[forge]
audit  = false   # at work
"""
LINKS = ("a symbolic link", "a dangling link", "a link to a device")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    folder.mkdir(mode=0o700)
    return folder / "config.toml"


# -- the text ----------------------------------------------------------------------------------


def test_a_change_keeps_comments_order_and_blanks() -> None:
    changed = changed_text(MINE, "table", {"columns": ["No.", "ip.ttl"], "widths": {"ip.ttl": 3}})
    assert changed == MINE.replace('["No.", "Info"]', '["No.", "ip.ttl"]').replace(
        "# of 5\n", '# of 5\nwidths = {"ip.ttl" = 3}\n'
    )


def test_a_removed_setting_leaves_its_section() -> None:
    assert changed_text(MINE, "table", {"split": None}) == MINE.replace("split=3 # of 5\n", "")
    assert changed_text(MINE, "table", {"other": None}) == MINE
    assert changed_text(MINE, "other", {"other": None}) == MINE


def test_a_new_section_follows_a_blank_line() -> None:
    new = '[table]\ncolumns = ["Info"]\n'
    assert changed_text("", "table", {"columns": ("Info",)}) == new
    for before in ("[keys]", "[keys]\n", "[keys]\n\n\n"):
        assert changed_text(before, "table", {"columns": ("Info",)}) == "[keys]\n\n" + new


def test_a_long_list_has_an_item_per_line() -> None:
    names = [f"tcp.options.number.{number}" for number in range(9)]
    changed = changed_text("", "table", {"columns": names})
    assert f'\n    "{names[3]}",\n' in changed
    assert tomllib.loads(changed) == {"table": {"columns": names}}


@pytest.mark.parametrize(
    "text",
    [
        "table.split = 1\n",
        "table = {split = 1}\n",
        "[table.widths]\na = 1\n[keys]\n",
        "[table]\n[forge]\naudit = true\n[table.widths]\na = 1\n",
        "[table]\r\nsplit = 1\r\n[forge]\r\naudit = true\r\n",
        '[["other"]]\nx = 1\n[["other"]]\n',
    ],
)
def test_every_form_of_a_section_can_be_changed(text: str) -> None:
    before = tomllib.loads(text)
    changed = tomllib.loads(changed_text(text, "table", {"split": 7}))
    assert changed == before | {"table": before.get("table", {}) | {"split": 7}}


_SCALARS = st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=30)
@given(st.dictionaries(st.text(min_size=1), _VALUES, max_size=4))
def test_every_value_is_read_back(changes) -> None:
    changed = tomllib.loads(changed_text(MINE, "table", changes))
    before = tomllib.loads(MINE)
    assert changed == before | {"table": before["table"] | changes}


# -- the file ----------------------------------------------------------------------------------


def test_a_missing_file_and_folder_are_made_for_the_owner(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.toml"
    change_section(path, "table", {"split": 3})
    assert path.read_text() == "[table]\nsplit = 3\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_change_that_changes_nothing_writes_nothing(path: Path) -> None:
    path.write_text(MINE)
    before = contents(path.parent)
    change_section(path, "table", {"split": 3})
    assert contents(path.parent) == before


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"[table\n", "it is not valid TOML"),
        (b"[table]\nsplit = 1\nsplit = 2\n", "it is not valid TOML"),
        (b"[" * 9999, "it is not valid TOML"),
        (b"table = 3\n", r"\[table\] must be a table"),
        (b"[[table]]\n", r"\[table\] must be a table"),
        (b"\xff\xfe", "it is not valid UTF-8"),
        (b"#" * (1 << 20) + b"##", "it is longer than 1,048,576 bytes"),
    ],
    ids=["open", "twice", "nested", "number", "tables", "bytes", "long"],
)
def test_a_file_that_rawscope_cannot_read_is_left_alone(path, content, reason) -> None:
    path.write_bytes(content)
    before = contents(path.parent)
    with pytest.raises(OSError, match=reason):
        change_section(path, "table", {"split": 3})
    assert contents(path.parent) == before


@pytest.mark.parametrize("obstacle", [name for name in OBSTACLES if name not in LINKS])
def test_an_obstacle_is_refused_and_left_alone(tmp_path, path, obstacle) -> None:
    put, reason = OBSTACLES[obstacle]
    put(path, tmp_path / "victim")
    before = contents(path.parent)
    with pytest.raises(OSError, match=reason):
        change_section(path, "table", {"split": 3})
    assert contents(path.parent) == before


def test_a_folder_that_others_can_write_to_is_refused(path: Path) -> None:
    path.write_text(MINE)
    path.parent.chmod(0o777)
    with pytest.raises(OSError, match="can be written to by other users"):
        change_section(path, "table", {"split": 4})
    assert path.read_text() == MINE


def test_a_folder_that_nobody_may_write_to_is_refused(path: Path) -> None:
    path.write_text(MINE)
    path.parent.chmod(0o500)
    before = contents(path.parent)

    def change() -> None:
        drop_capabilities(frozenset())  # of this thread
        change_section(path, "table", {"split": 4})

    with ThreadPoolExecutor(1) as thread, pytest.raises(OSError, match="Permission denied"):
        thread.submit(change).result()
    path.parent.chmod(0o700)
    assert contents(path.parent) == before


# -- links -------------------------------------------------------------------------------------


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_of_the_user_stays_and_its_target_changes(tmp_path, path, exists) -> None:
    target = tmp_path / "repository" / "rawscope.toml"
    target.parent.mkdir(mode=0o700)
    if exists:
        target.write_text(MINE)
    (tmp_path / "config" / "again").symlink_to("../repository/rawscope.toml")
    path.symlink_to("again")
    change_section(path, "table", {"split": 4})
    assert os.readlink(path) == "again"
    assert "split" in target.read_text()
    assert (tmp_path / "config" / "again").is_symlink()


def test_a_link_of_another_user_is_refused(tmp_path: Path, path: Path) -> None:
    require_root()
    path.symlink_to(tmp_path / "victim")
    os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    with pytest.raises(OSError, match="is a symbolic link of "):
        change_section(path, "table", {"split": 3})
    assert not (tmp_path / "victim").exists()


def test_a_link_to_a_file_where_others_may_write_is_refused(tmp_path, path) -> None:
    target = tmp_path / "shared" / "rawscope.toml"
    target.parent.mkdir()
    target.parent.chmod(0o777)
    target.write_text(MINE)
    path.symlink_to(target)
    with pytest.raises(OSError, match="can be written to by other users"):
        change_section(path, "table", {"split": 4})
    assert target.read_text() == MINE


def test_a_link_to_itself_is_refused(path: Path) -> None:
    path.symlink_to(path.name)
    with pytest.raises(OSError, match="Too many levels of symbolic links"):
        change_section(path, "table", {"split": 3})


# -- the thread --------------------------------------------------------------------------------


def test_changes_that_wait_are_written_as_one(path: Path, monkeypatch) -> None:
    path.write_text(MINE)
    failures: list[str] = []
    writer = ConfigWriter(path, failures.append)
    written = []
    replace = PrivateFolder.replace

    def noted(folder: PrivateFolder, name: str, content: bytes) -> None:
        written.append(content)
        replace(folder, name, content)

    monkeypatch.setattr(PrivateFolder, "replace", noted)
    held = Event()
    writer._thread.submit(held.wait)
    for split in range(10, 20):
        writer.change("table", {"split": split})
    writer.change("forge", {"audit": True})
    held.set()
    writer.close()
    assert len(written) == 2  # one for each section
    assert tomllib.loads(path.read_text())["table"]["split"] == 19
    assert tomllib.loads(path.read_text())["forge"]["audit"] is True
    assert failures == []


def test_a_failure_is_reported_in_one_line_and_the_next_change_is_saved(path: Path) -> None:
    path.write_text("[table")
    failures: list[str] = []
    writer = ConfigWriter(path, failures.append)
    writer.change("table", {"split": 1})
    until(lambda: failures, "the report")
    assert failures[0].startswith(f"{path}: it is not valid TOML")
    assert failures[0].endswith("; [table] is not saved")
    path.write_text("")
    writer.change("table", {"split": 2})
    writer.close()
    writer.change("table", {"split": 3})  # after the end: ignored
    assert path.read_text() == "[table]\nsplit = 2\n"
    assert len(failures) == 1


def test_another_rawscope_that_never_ends_its_change_is_reported(path, monkeypatch) -> None:
    monkeypatch.setattr(private_folder, "_LOCK_PATIENCE_S", 0.0)
    with (
        PrivateFolder(path.parent) as other,
        other.locked(),
        pytest.raises(OSError, match="locked it"),
    ):
        change_section(path, "table", {"split": 1})
    assert not path.exists()
