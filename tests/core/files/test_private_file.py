"""A file that the user names: only this user can read it, and nothing else is overwritten."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from pathlib import Path

import pytest

from core.files import private_file
from core.files.private_file import NewFile, TargetFolder, save_private
from tests.helpers.support import require_root

NOBODY = 65534


def test_a_new_file_has_all_bytes_and_mode_0600(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        save_private(tmp_path / "new", b"text")
    finally:
        os.umask(before)
    assert (tmp_path / "new").read_bytes() == b"text"
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600


def test_a_folder_that_all_users_may_write_to_is_allowed() -> None:
    """``/tmp``: it belongs to root and is sticky."""
    path = Path(tempfile.gettempdir()) / f"rawscope-{os.getpid()}"
    save_private(path, b"text")
    try:
        save_private(path, b"other", replace=True)
        assert path.read_bytes() == b"other"
    finally:
        path.unlink()


def test_an_existing_file_is_replaced_only_on_request(tmp_path: Path) -> None:
    path = tmp_path / "old"
    path.write_bytes(b"old")
    path.chmod(0o644)
    with pytest.raises(FileExistsError):
        save_private(path, b"new")
    assert path.read_bytes() == b"old"
    save_private(path, b"new", replace=True)
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["old"]


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("kind", ["link", "broken link", "FIFO", "directory", "device"])
def test_nothing_but_a_file_is_ever_replaced(kind: str, replace: bool, tmp_path: Path) -> None:
    target, path = tmp_path / "target", tmp_path / "name"
    target.write_bytes(b"old")
    if kind == "link":
        path.symlink_to(target)
    elif kind == "broken link":
        path.symlink_to(tmp_path / "missing")
    elif kind == "FIFO":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        path = Path(os.devnull)
    with pytest.raises(OSError, match="is a"):
        save_private(path, b"new", replace=replace)
    assert target.read_bytes() == b"old"
    assert not (tmp_path / "missing").exists()


def test_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    require_root()
    path = tmp_path / "foreign"
    path.write_bytes(b"old")
    os.chown(path, NOBODY, NOBODY)
    with pytest.raises(OSError, match="belongs to"):
        save_private(path, b"new", replace=True)
    assert path.read_bytes() == b"old"


def test_a_link_that_appears_after_the_check_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is replaced itself; a new file is refused."""
    target, path = tmp_path / "target", tmp_path / "name"
    target.write_bytes(b"old")
    monkeypatch.setattr(private_file, "check_file", lambda *_, **__: None)
    path.symlink_to(target)
    with pytest.raises(FileExistsError):
        save_private(path, b"new")
    save_private(path, b"new", replace=True)
    assert target.read_bytes() == b"old"
    assert not path.is_symlink()


@pytest.mark.parametrize("replace", [False, True])
def test_a_full_disk_leaves_what_was_there(
    replace: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_descriptor: int, _content: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "name"
    if replace:
        path.write_bytes(b"old")
    monkeypatch.setattr(private_file, "write_all", fail)
    with pytest.raises(OSError, match="No space"):
        save_private(path, b"new", replace=replace)
    assert {one.name for one in tmp_path.iterdir()} == ({"name"} if replace else set())
    if replace:
        assert path.read_bytes() == b"old"


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        save_private(tmp_path / "none" / "name", b"text")


def test_a_file_made_under_sudo_belongs_to_the_user_of_sudo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_root()
    monkeypatch.setenv("SUDO_UID", str(NOBODY))
    monkeypatch.setenv("SUDO_GID", str(NOBODY))
    path = tmp_path / "new"
    save_private(path, b"text")
    save_private(path, b"other", replace=True)  # a file of that user may be replaced
    status = path.stat()
    assert (status.st_uid, status.st_gid) == (NOBODY, NOBODY)
    assert stat.S_IMODE(status.st_mode) == 0o600
    assert path.read_bytes() == b"other"


def test_a_created_file_replaces_one_at_once(tmp_path: Path) -> None:
    path = tmp_path / "name"
    path.write_bytes(b"old")
    with TargetFolder(tmp_path) as folder:
        with pytest.raises(FileExistsError):
            folder.create("name")
        assert path.read_bytes() == b"old"
        os.close(folder.create("name", replace=True))
    assert path.read_bytes() == b""
    assert [one.name for one in tmp_path.iterdir()] == ["name"]


def test_only_the_same_file_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "name"
    path.write_bytes(b"")
    identity = (path.stat().st_dev, path.stat().st_ino)
    with TargetFolder(tmp_path) as folder:
        path.rename(tmp_path / "kept")
        path.write_bytes(b"of somebody else")
        folder.remove_same("name", identity)
        assert path.exists()
        folder.remove_same("kept", identity)
        folder.remove_same("missing", identity)
    assert [one.name for one in tmp_path.iterdir()] == ["name"]


@pytest.mark.parametrize("refused", [None, errno.EPERM, errno.EOPNOTSUPP])
def test_a_file_created_while_another_is_written_is_not_replaced(
    refused: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the last check and the name; also on a file system without hard links."""
    path = tmp_path / "name"
    if refused is not None:

        def refuse(*_arguments: object, **_options: object) -> None:
            raise OSError(refused, os.strerror(refused))

        monkeypatch.setattr(private_file.os, "link", refuse)
    save_private(path, b"first")
    assert path.read_bytes() == b"first"
    path.unlink()
    check = TargetFolder.check

    def create_after(folder: TargetFolder, name: str) -> None:
        check(folder, name)
        path.write_bytes(b"other")

    with NewFile(path) as file:
        file.write(b"mine")
        monkeypatch.setattr(TargetFolder, "check", create_after)
        with pytest.raises(FileExistsError):
            file.commit()
    assert path.read_bytes() == b"other"
    assert [one.name for one in tmp_path.iterdir()] == ["name"]
