"""The folder of the program's files, and everything that may be wrong with its path."""

from __future__ import annotations

import grp
import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.files.test_private_folder import NOBODY, READERS, VICTIM, WRITERS
from tests.helpers.support import ROOT, require_peer, require_root


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "state"
    made.mkdir(mode=0o700)
    return made


@pytest.fixture
def common() -> Iterator[Path]:
    """A folder that every user may enter, with a folder of user nobody in it."""
    require_root()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        (path / "nobody").mkdir()
        os.chown(path / "nobody", NOBODY, NOBODY)
        yield path


def refused(folder: Path, reason: str) -> None:
    for name, write in WRITERS.items():
        with pytest.raises(OSError, match=reason) as refusal:
            write(folder)
        assert "\n" not in str(refusal.value), name
    for name, read in READERS.items():
        assert not read(folder), name


def test_a_folder_of_another_user_is_refused(common) -> None:
    before = list((common / "nobody").iterdir())
    refused(common / "nobody", "belongs to nobody, not to root")
    assert list((common / "nobody").iterdir()) == before


def test_a_folder_below_one_of_another_user_is_refused(common) -> None:
    (common / "nobody" / "state").mkdir(mode=0o700)
    refused(common / "nobody" / "state", "nobody belongs to nobody")


def test_a_link_of_another_user_is_not_followed(common) -> None:
    (common / "own").mkdir(mode=0o700)
    common.chmod(0o1777)
    os.seteuid(NOBODY)
    try:
        (common / "link").symlink_to("own")
    finally:
        os.seteuid(0)
    refused(common / "link", "link is a symbolic link of nobody")
    assert not list((common / "own").iterdir())


@pytest.mark.parametrize("mode", [0o777, 0o722, 0o1777])
def test_a_folder_that_others_may_write_to_is_refused(folder, mode) -> None:
    folder.chmod(mode)
    refused(folder, "can be written to by other users: run chmod go-w")


def test_a_folder_below_one_that_others_may_write_to_is_refused_unless_it_is_sticky(folder) -> None:
    below = folder / "rawscope"
    folder.chmod(0o777)
    refused(below, "can be written to by other users")
    folder.chmod(0o1777)
    for write in WRITERS.values():
        write(below)
    assert {path.name for path in below.iterdir()} == set(WRITERS)
    assert {path.stat().st_mode & 0o777 for path in below.iterdir()} == {0o600}
    assert below.stat().st_mode & 0o777 == 0o700


_OURS, _ROOT = 4242, 0
_OWNER = ("ann", _ROOT, _OURS)  # name, user, primary group


@pytest.mark.parametrize(
    ("accounts", "group", "members", "is_private"),
    [
        ([_OWNER], "ann", [], True),
        ([_OWNER], "ann", ["ann"], True),
        ([_OWNER, ("bob", 1001, 1001)], "ann", [], True),
        ([_OWNER, ("bob", 1001, 1001)], "ann", ["bob"], False),
        ([_OWNER, ("bob", 1001, 1001)], "ann", ["ann", "bob"], False),
        ([_OWNER, ("bob", 1001, _OURS)], "ann", [], False),
        ([_OWNER, ("bob", 1001, _OURS)], "ann", ["ann"], False),
        ([_OWNER, ("bob", 1001, _OURS)], "users", [], False),
        ([_OWNER], "users", [], False),  # also if nobody else is listed: it is made to be shared
        ([("ann", _ROOT, 7)], "ann", [], False),
        ([("bob", 1001, 1001)], "ann", [], False),  # the accounts cannot be enumerated
        ([], "ann", [], False),
    ],
)
def test_a_group_may_write_only_if_nobody_but_the_owner_is_in_it(
    common, monkeypatch, accounts, group, members, is_private
) -> None:
    def account(name: str, user: int, primary: int) -> pwd.struct_passwd:
        return pwd.struct_passwd((name, "x", user, primary, "", "/", "/bin/sh"))

    owner = next((one for one in accounts if one[1] == _ROOT), _OWNER)
    monkeypatch.setattr(pwd, "getpwuid", lambda number: account(*owner))
    monkeypatch.setattr(pwd, "getpwall", lambda: [account(*one) for one in accounts])
    monkeypatch.setattr(
        grp, "getgrgid", lambda number: grp.struct_group((group, "x", number, members))
    )
    made = common / "state"
    made.mkdir()
    os.chown(made, _ROOT, _OURS)
    made.chmod(0o770)
    if is_private:
        for write in WRITERS.values():
            write(made)
    else:
        refused(made, "can be written to by other users: run chmod go-w")


@pytest.mark.parametrize("unknown", ["getpwuid", "getgrgid"])
def test_a_group_or_an_owner_without_an_account_is_refused(common, monkeypatch, unknown) -> None:
    def missing(number: int) -> None:
        raise KeyError(number)

    made = common / "state"
    made.mkdir()
    made.chmod(0o770)
    monkeypatch.setattr(pwd if unknown == "getpwuid" else grp, unknown, missing)
    refused(made, "can be written to by other users")


def test_links_of_this_user_are_followed_and_loops_end(tmp_path, folder) -> None:
    (tmp_path / "absolute").symlink_to(folder)
    (tmp_path / "relative").symlink_to("./../" + tmp_path.name + "/absolute")
    for write in WRITERS.values():
        write(tmp_path / "relative" / "below")
    assert {path.name for path in (folder / "below").iterdir()} == set(WRITERS)
    (tmp_path / "loop").symlink_to("loop")
    refused(tmp_path / "loop", "symbolic links")


def test_a_file_or_a_fifo_in_place_of_a_folder_is_refused(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    os.mkfifo(tmp_path / "fifo")
    for name in ("file", "fifo"):
        refused(tmp_path / name, "Not a directory")
        refused(tmp_path / name / "below", "Not a directory")


def test_a_folder_that_cannot_be_written_to(common) -> None:
    """As an ordinary user: root may write anywhere."""
    (common / "nobody").chmod(0o500)
    os.seteuid(NOBODY)
    try:
        refused(common / "nobody", "Permission denied")
        refused(common / "nobody" / "below", "Permission denied")
    finally:
        os.seteuid(0)


def test_a_file_of_root_is_refused_for_an_ordinary_user(common) -> None:
    for name in WRITERS:
        (common / "nobody" / name).write_bytes(VICTIM)
        (common / "nobody" / name).chmod(0o666)
    os.seteuid(NOBODY)
    try:
        refused(common / "nobody", "belongs to root, not to nobody")
    finally:
        os.seteuid(0)
    assert {path.read_bytes() for path in (common / "nobody").iterdir()} == {VICTIM}


def test_in_a_user_namespace_folders_of_unmapped_users_are_accepted(tmp_path) -> None:
    """In such a namespace, / belongs to the overflow user."""
    code = (
        "import sys; from pathlib import Path\n"
        "from tests.core.files.test_private_folder import WRITERS\n"
        "for write in WRITERS.values(): write(Path(sys.argv[1]))"
    )
    command = [require_peer("unshare"), "--user", "--map-root-user", sys.executable, "-c", code]
    probe = subprocess.run([*command[:3], "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("user namespaces are not allowed here")
    done = subprocess.run(
        [*command, str(tmp_path / "state")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "state").iterdir()} == set(WRITERS)
