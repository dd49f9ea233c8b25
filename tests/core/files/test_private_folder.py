"""Every file that the program keeps, and everything that may have its name.

Anything but a regular file of this user is refused at once and left alone. Another program's file
is never cut or appended to. A full disk leaves the file as it was.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from app.config.config_file import load
from app.config.filter_history import FilterHistory
from app.config.theme import read_theme, remember_theme
from core.files import private_folder
from core.files.private_folder import PrivateFolder
from core.files.writing.pcapng_writer import PcapngWriter
from core.forge.compose.draft import Draft
from core.forge.journal.audit import Audit
from core.forge.journal.database import FILE, StateDatabase
from core.forge.journal.drafts import DraftStore
from core.forge.transmit.transmission import PreparedTransmission
from core.forge.values import SendMethod
from tests.helpers.support import ROOT, require_peer, require_root

DRAFTS = (Draft(("ip", "udp"), {"ip.ttl": "3"}),)
NOBODY = 65534


def write_audit(folder: Path, way: SendMethod) -> None:
    audit = Audit(folder, way)
    try:
        audit.note_sending(
            PreparedTransmission((b"\x45" * 60,), way, "lo", 1, 1500, True), 1, ["a command"]
        )
    finally:
        audit.close()


def write_state(folder: Path) -> None:
    """Remember a theme and a filter; each is refused on its own."""
    path = folder / "state.json"
    reasons = remember_theme(path, "nord"), FilterHistory(path).add("tcp")
    if any(reasons):
        assert all(reasons)
        raise OSError(errno.EIO, reasons[0])


WRITERS: dict[str, Callable[[Path], None]] = {
    "sent.pcapng": lambda folder: write_audit(folder, SendMethod.IP),
    "sent-frames.pcapng": lambda folder: write_audit(folder, SendMethod.LINK),
    FILE: lambda folder: DraftStore(StateDatabase(folder)).save("one", DRAFTS),
    "state.json": write_state,
}
READERS: dict[str, Callable[[Path], object]] = {
    FILE: lambda folder: DraftStore(StateDatabase(folder)).drafts(),
    "state.json": lambda folder: (
        read_theme(folder / "state.json") or FilterHistory(folder / "state.json").texts
    ),
}
REPLACED_FILES = tuple(READERS)
PCAPNG_FILES = ("sent.pcapng", "sent-frames.pcapng")
VICTIM = b'{"somebody": "else"}\n'


def link(path: Path, victim: Path) -> None:
    victim.write_bytes(VICTIM)
    path.symlink_to(victim)


def device(path: Path, victim: Path) -> None:
    require_root()
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 7))  # as /dev/full
    except PermissionError:
        pytest.skip("device nodes cannot be made here")


def sock(path: Path, victim: Path) -> None:
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(os.path.relpath(path))
    bound.close()


def foreign_owner(path: Path, victim: Path) -> None:
    require_root()
    path.write_bytes(VICTIM)
    os.chown(path, NOBODY, NOBODY)


OBSTACLES: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "a symbolic link": (link, "is a symbolic link"),
    "a dangling link": (lambda path, victim: path.symlink_to(victim), "is a symbolic link"),
    "a link to a device": (lambda path, _: path.symlink_to("/dev/full"), "is a symbolic link"),
    "a FIFO": (lambda path, _: os.mkfifo(path), "is a FIFO"),
    "a device": (device, "is a device"),
    "a socket": (sock, "is a socket"),
    "a directory": (lambda path, _: path.mkdir(), "is a directory"),
    "another user's file": (foreign_owner, "belongs to"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "state"
    made.mkdir(mode=0o700)
    return made


def contents(folder: Path) -> dict[str, tuple[os.stat_result, bytes]]:
    """Return the status and the content of everything in a folder, by name."""
    found = {}
    for path in folder.iterdir():
        status = path.lstat()
        found[path.name] = (
            (status.st_ino, status.st_mode, status.st_size),
            path.read_bytes() if stat.S_ISREG(status.st_mode) else b"",
        )
    return found


@pytest.mark.parametrize("obstacle", OBSTACLES)
@pytest.mark.parametrize("name", WRITERS)
def test_an_obstacle_is_refused_and_left_alone(tmp_path, folder, name, obstacle) -> None:
    put, reason = OBSTACLES[obstacle]
    victim = tmp_path / "victim"
    put(folder / name, victim)
    before, there = contents(folder), victim.exists()
    with pytest.raises(OSError, match=reason) as refusal:
        WRITERS[name](folder)
    assert "\n" not in str(refusal.value)
    assert contents(folder) == before
    assert victim.exists() == there
    assert not there or victim.read_bytes() == VICTIM


@pytest.mark.parametrize("obstacle", OBSTACLES)
@pytest.mark.parametrize("name", READERS)
def test_an_obstacle_is_not_read(tmp_path, folder, name, obstacle) -> None:
    put, _ = OBSTACLES[obstacle]
    put(folder / name, tmp_path / "victim")
    assert not READERS[name](folder)


FOREIGN = {
    "text": b"somebody else's file\n" * 9,
    "pcap": b"\xd4\xc3\xb2\xa1\x02\0\x04\0" + bytes(60),
    "half a word": b"\x0a\x0e",
    "pcapng of nobody": (
        b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\1\0\0\0" + b"\xff" * 8 + b"\x1c\0\0\0"
    ),
    "zeros": bytes(4096),
}


@pytest.mark.parametrize("content", FOREIGN)
@pytest.mark.parametrize("name", PCAPNG_FILES)
def test_another_program_s_file_is_neither_appended_to_nor_cut(folder, name, content) -> None:
    (folder / name).write_bytes(FOREIGN[content])
    before = contents(folder)
    with pytest.raises(OSError, match="not written by rawscope"):
        WRITERS[name](folder)
    assert contents(folder) == before


@pytest.mark.parametrize("application", ["dumpcap", "Rawscope", "a"])
@pytest.mark.parametrize("name", PCAPNG_FILES)
def test_another_program_s_capture_is_neither_appended_to_nor_cut(
    folder, name, application
) -> None:
    with PcapngWriter(folder / name, application) as writer:
        writer.add_interface("eth0", 1)
        writer.write(bytes(60), timestamp_ns=1)
    content = (folder / name).read_bytes()
    for cut in (len(content), len(content) - 3, 30, 10):
        (folder / name).write_bytes(content[:cut])
        before = contents(folder)
        if content[:cut] == PcapngWriterHead[:cut]:
            continue  # too short to show who wrote it
        with pytest.raises(OSError, match="not written by rawscope"):
            WRITERS[name](folder)
        assert contents(folder) == before


def _own_head() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        with PcapngWriter(Path(folder) / "x") as writer:
            writer.write(b"", timestamp_ns=1)
        return (Path(folder) / "x").read_bytes()[:48]


PcapngWriterHead = _own_head()


@pytest.mark.parametrize("name", PCAPNG_FILES)
def test_the_file_of_a_killed_run_is_continued(folder, name) -> None:
    """Also after a run that was killed while it wrote its first block."""
    WRITERS[name](folder)
    whole = (folder / name).read_bytes()
    for cut in (*range(0, 60, 3), len(whole) - 1):
        (folder / name).write_bytes(whole[:cut])
        WRITERS[name](folder)
        assert (folder / name).read_bytes().endswith(whole[-40:])


@pytest.mark.parametrize("content", FOREIGN)
@pytest.mark.parametrize("name", REPLACED_FILES)
def test_another_program_s_file_is_kept_under_some_name(folder, name, content) -> None:
    (folder / name).write_bytes(FOREIGN[content])
    if name == "state.json":
        with pytest.raises(OSError, match="was not written by rawscope"):
            WRITERS[name](folder)
    else:
        WRITERS[name](folder)
    assert FOREIGN[content] in {path.read_bytes() for path in folder.iterdir()}


# -- replacing a file ------------------------------------------------------------------------


def test_a_replacement_is_another_file_until_the_block_ends(folder, monkeypatch) -> None:
    synchronized = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (synchronized.append(os.fstat(fd)), real(fd)))
    (folder / "file").write_bytes(b"old")
    with PrivateFolder(folder) as private, private.replacement("file", b"new") as path:
        assert (path.parent, path.read_bytes()) == (folder, b"new")
        assert path.stat().st_mode & 0o777 == 0o600
        with path.open("ab") as file:
            file.write(b"er")
        assert (folder / "file").read_bytes() == b"old"
        assert synchronized == []
    assert (folder / "file").read_bytes() == b"newer"
    (status,) = synchronized
    assert (status.st_ino, status.st_size) == ((folder / "file").stat().st_ino, 5)
    assert [path.name for path in folder.iterdir()] == ["file"]


def test_a_replacement_that_fails_leaves_the_file(folder) -> None:
    (folder / "file").write_bytes(b"old")
    with (
        PrivateFolder(folder) as private,
        pytest.raises(ZeroDivisionError),
        private.replacement("file", b"new") as path,
    ):
        path.write_bytes(b"%d" % (1 // 0))
    assert [path.read_bytes() for path in folder.iterdir()] == [b"old"]


def test_a_path_is_absolute_also_after_a_change_of_the_working_directory(
    folder, monkeypatch
) -> None:
    monkeypatch.chdir(folder.parent)
    with PrivateFolder(Path("state")) as private:
        monkeypatch.chdir("/")
        assert private.path_of("file") == folder / "file"


# -- locks -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WRITERS)
def test_a_change_gives_up_on_a_lock_that_is_never_released(folder, name, monkeypatch) -> None:
    monkeypatch.setattr(private_folder, "_LOCK_PATIENCE_S", 0.0)
    words = "locked it|another rawscope is writing there now"
    with PrivateFolder(folder) as other, other.locked(), pytest.raises(OSError, match=words):
        WRITERS[name](folder)
    assert not contents(folder)
    WRITERS[name](folder)


@pytest.mark.parametrize("name", PCAPNG_FILES)
def test_an_audit_gives_up_on_a_file_lock_that_is_never_released(folder, name, monkeypatch) -> None:
    monkeypatch.setattr(private_folder, "_LOCK_PATIENCE_S", 0.0)
    WRITERS[name](folder)
    before = contents(folder)
    with (folder / name).open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(OSError, match="locked it"):
            WRITERS[name](folder)
    assert contents(folder) == before


# -- a full disk -----------------------------------------------------------------------------

_FILL = """
import sys
from pathlib import Path
from tests.core.files.test_private_folder import WRITERS, contents
folder, name, kept = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
if kept:
    WRITERS[name](folder)
with (folder / "filler").open("wb", buffering=0) as filler:
    for size in (4096, 1):
        try:
            while True:
                filler.write(bytes(size))
        except OSError:
            pass
before = contents(folder)
for count in range(200 if name.endswith(".pcapng") else 2):
    try:
        WRITERS[name](folder)
    except OSError as error:
        assert "No space left" in str(error), error
        break
else:
    sys.exit("there was room")
after = contents(folder)
if name.endswith(".pcapng"):
    from core.files.reader import open_capture
    if after[name][1]:
        with open_capture(folder / name) as reader:
            assert sum(len(batch) for batch in reader.batches()) == kept + count
            assert not reader.damaged, reader.notes
else:
    assert after == before, (before, after)
"""


@pytest.mark.parametrize("kept", [0, 1])
@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_leaves_the_file_as_it_was(tmp_path, name, kept) -> None:
    require_root()
    mounted = tmp_path / "full"
    mounted.mkdir()
    script = f'{require_peer("mount")} -t tmpfs -o size=64k,mode=700 none "$0" && exec "$@"'
    command = [require_peer("unshare"), "--mount", "sh", "-c", script, str(mounted)]
    probe = subprocess.run([*command, "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("nothing can be mounted here")
    done = subprocess.run(
        [*command, sys.executable, "-c", _FILL, str(mounted), name, str(kept)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


# -- the configuration, which the user may link to ------------------------------------------


@pytest.mark.parametrize("kind", ["fifo", "device", "directory", "socket", "endless"])
def test_a_configuration_that_is_not_a_file_is_reported_at_once(tmp_path, kind) -> None:
    path = tmp_path / "config.toml"
    match kind:
        case "fifo":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case "directory":
            path.mkdir()
        case "socket":
            sock(path, path)
        case "endless":
            with path.open("wb") as file:
                file.truncate(1 << 40)
    (line,) = load(path).complaints
    assert str(path) in line
    assert "\n" not in line


def test_a_long_configuration_is_not_read_in_part(tmp_path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[keys]\n" + "# a remark\n" * 100_000 + '"view.pause" = "f6"\n')
    config = load(path)
    assert config.keys == {}
    assert "longer than 1,048,576 bytes" in config.complaints[0]


def test_a_configuration_may_be_a_link(tmp_path) -> None:
    (tmp_path / "dotfiles.toml").write_text("[forge]\naudit = false\n")
    (tmp_path / "config.toml").symlink_to("dotfiles.toml")
    assert not load(tmp_path / "config.toml").forge.audit


def test_the_state_keeps_the_rest_of_the_file(folder) -> None:
    (folder / "state.json").write_text('{"later": 1, "theme": "dracula"}')
    write_state(folder)
    assert json.loads((folder / "state.json").read_text()) == {
        "later": 1,
        "theme": "nord",
        "filters": ["tcp"],
    }


# -- power loss ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REPLACED_FILES)
def test_an_empty_file_counts_as_none(folder, name) -> None:
    (folder / name).touch()
    assert not READERS[name](folder)
    WRITERS[name](folder)
    assert READERS[name](folder)


@pytest.mark.parametrize("name", PCAPNG_FILES)
def test_an_empty_audit_is_written_to(folder, name) -> None:
    (folder / name).touch()
    WRITERS[name](folder)
    assert (folder / name).stat().st_size
