"""The files from which a payload may be read."""

from __future__ import annotations

import os

import pytest

from core.forge.compose.draft import Draft
from core.forge.compose.payload_file import (
    LONGEST,
    FileContent,
    file_names,
    is_current,
    read_file,
)


def test_a_file(tmp_path):
    path = tmp_path / "payload"
    path.write_bytes(b"\0\1hello")
    content = read_file(str(path))
    assert (content.data, content.error) == (b"\0\1hello", "")
    assert is_current(str(path), content)


def test_the_home_folder_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "payload").write_bytes(b"at home")
    assert read_file("~/payload").data == b"at home"


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert read_file(str(path)).error == f"@{path}: not a regular file"


def test_a_pipe_in_the_place_of_the_file_is_not_waited_for(tmp_path, monkeypatch):
    path, regular = tmp_path / "pipe", tmp_path / "regular"
    os.mkfifo(path)
    regular.touch()
    status = regular.stat()
    monkeypatch.setattr(type(path), "stat", lambda _self: status)
    assert read_file(str(path)).error == f"@{path}: not a regular file"


@pytest.mark.parametrize("name", ["/dev/zero", "/", "/nowhere/at/all", "a\0b", "", "\ud800"])
def test_a_wrong_file_name_is_one_sentence(name):
    content = read_file(name)
    assert content.error.startswith(f"@{name}: ")
    assert (content.data, is_current(name, content)) == (b"", False)


def test_a_file_of_the_largest_size_is_whole_and_a_larger_one_is_refused(tmp_path):
    path = tmp_path / "long"
    path.write_bytes(bytes(LONGEST))
    assert len(read_file(str(path)).data) == LONGEST
    with path.open("ab") as file:
        file.truncate(1 << 40)  # sparse: nothing may read all of it
    content = read_file(str(path))
    assert (content.data, "longer than the 65535 bytes" in content.error) == (b"", True)


@pytest.mark.parametrize("change", ["content", "another file", "gone"])
def test_a_change_is_noticed(tmp_path, change):
    path = tmp_path / "payload"
    path.write_bytes(b"before")
    content = read_file(str(path))
    if change == "content":
        path.write_bytes(b"after.")
        os.utime(path, ns=(0, content.identity[3]))  # the status has its own time
    elif change == "another file":
        (tmp_path / "other").write_bytes(b"before")
        (tmp_path / "other").replace(path)
    else:
        path.unlink()
    assert not is_current(str(path), content)


def test_the_names_of_payload_and_trailer_once_each():
    drafts = (
        Draft(("ip",), {"payload": "@a", "trailer": "@b"}),
        Draft(("ip",), {"payload": "@a", "trailer": "text"}),
    )
    assert file_names(drafts) == ("a", "b")
    assert FileContent(b"x") != FileContent(b"y")
