"""Save packets of a store: all of them, in a file of their own, or nothing and the reason."""

from __future__ import annotations

import gzip
import os
import stat
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.decode.batch import CaptureInterface, FileBlock
from core.files.byte_order import SECRETS
from core.files.pcapng_options import packed_option
from core.files.private_file import NewFile
from core.files.writing.encoder import CannotWriteError, InterfaceCounts
from core.files.writing.packing import is_classic, with_ending
from core.files.writing.saving import CanceledError, SaveProgress, SaveRequest, reason, save
from core.store.packet_store import PacketStore
from core.store.snapshot import Snapshot
from core.wire.link.link_types import LinkType
from tests.core.decode.support import batch_of
from tests.core.files.writing.test_round_trip import content_of
from tests.helpers.support import ROOT, require_peer, require_unshare
from tests.helpers.waiting import PATIENCE_S

FRAMES = [bytes([n]) * (60 + n) for n in range(40)]


@pytest.mark.parametrize("name", ["a.pcap.bz2", "a.zip"])
def test_a_compression_that_is_not_written_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(OSError, match="rawscope writes no") as refused:
        saved(tmp_path / name, filled().snapshot())
    assert "end the name in .gz or .zst" in reason(refused.value)
    assert not list(tmp_path.iterdir())


class Every3:
    """Every third packet."""

    def between(self, first: int, last: int) -> np.ndarray:
        return np.array([n for n in range(first, last + 1) if n % 3 == 0])


def filled(*link_types: int) -> PacketStore:
    """Return a store with all frames twice: in a chunk of its own, and in an arena."""
    store = PacketStore()
    for number, link_type in enumerate(link_types or (1,)):
        store.add_interface(CaptureInterface(f"eth{number}", link_type))
    many = batch_of(FRAMES * 200, stable=True)
    options = {7: packed_option(99, b"odd")}
    store.append(replace(many, comments={3: ["a", "b"]}, options=options))
    few = batch_of(FRAMES)
    store.append(
        replace(few, interface=np.full(len(FRAMES), len(link_types or (1,)) - 1, np.uint16))
    )
    store.add_blocks((FileBlock(SECRETS, bytes(8)), FileBlock(4, bytes(4), packets=2)))
    return store


def saved(path: Path, snapshot: Snapshot, **given: object) -> SaveProgress:
    progress = SaveProgress()
    save(SaveRequest(path, snapshot, **given), progress)
    return progress


def test_all_packets_with_what_belongs_to_them(tmp_path: Path) -> None:
    path, snapshot = tmp_path / "a.pcapng", filled().snapshot()
    counts = (InterfaceCounts(0, 5, received=9, dropped=1),)
    progress = saved(path, snapshot, counts=counts)
    found = content_of(path)
    assert found.frames == FRAMES * 201
    assert found.comments == {4: ["a", "b"]}
    assert found.options == {8: packed_option(99, b"odd")}
    assert [each.kind for each in found.blocks] == [0x0A0D0D0A, 4, 5]
    assert (progress.part, progress.saved) == (1.0, len(FRAMES) * 201)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_some_packets_and_the_secrets(tmp_path: Path) -> None:
    path, snapshot = tmp_path / "a.pcapng", filled().snapshot()
    progress = saved(path, snapshot, numbers=Every3(), keeps_secrets=True)
    found = content_of(path)
    assert found.frames == (FRAMES * 201)[2::3]
    assert progress.saved == len(found.frames)
    assert found.comments == {}
    assert [each.kind for each in found.blocks] == [0x0A0D0D0A, SECRETS, 4]


@pytest.mark.parametrize("name", ["a.pcap", "a.pcap.gz", "a.pcap.zst"])
def test_classic_and_compressed_files(tmp_path: Path, name: str) -> None:
    saved(tmp_path / name, filled().snapshot(), is_classic=is_classic(name))
    assert content_of(tmp_path / name).frames == FRAMES * 201
    if name.endswith(".gz"):
        assert gzip.decompress((tmp_path / name).read_bytes())[:4] in (b"\x4d\x3c\xb2\xa1",)


def test_classic_pcap_refuses_a_second_link_type(tmp_path: Path) -> None:
    snapshot = filled(LinkType.ETHERNET, LinkType.IPV4).snapshot()
    with pytest.raises(CannotWriteError, match="choose pcapng"):
        saved(tmp_path / "a.pcap", snapshot, is_classic=True)
    assert list(tmp_path.iterdir()) == []


def test_a_canceled_save_leaves_nothing(tmp_path: Path) -> None:
    progress = SaveProgress()
    progress.cancel()
    with pytest.raises(CanceledError):
        save(SaveRequest(tmp_path / "a.pcapng", filled().snapshot()), progress)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_replaced_only_on_request(tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    path.write_bytes(b"old")
    request = SaveRequest(path, filled().snapshot())
    with pytest.raises(FileExistsError):
        save(request, SaveProgress())
    assert path.read_bytes() == b"old"
    save(request, SaveProgress(), replace=True)
    assert len(content_of(path).frames) == len(FRAMES) * 201
    assert list(tmp_path.iterdir()) == [path]


def test_links_devices_and_missing_folders_are_refused_and_named(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    (tmp_path / "folder").mkdir()
    cases = {
        tmp_path / "link": "is a symbolic link: choose another name",
        tmp_path / "folder": "is a directory: choose another name",
        tmp_path / "none" / "a": "there is no such folder: create it",
        tmp_path / ("n" * 300): "the name is too long",
        Path("/dev/full"): "is a device: choose another name",
    }
    refused = []
    for path in cases:
        try:
            saved(path, filled().snapshot())
        except OSError as error:
            refused.append((path, reason(error)))
    for (path, words), (refused_path, said) in zip(cases.items(), refused, strict=True):
        assert path == refused_path
        assert words in said
    assert not (tmp_path / "target").exists()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["folder", "link"]


PROGRAM = """
import sys
from pathlib import Path
from core.files.writing.saving import SaveProgress, SaveRequest, reason, save
from tests.core.files.writing.test_saving import filled
from tests.helpers.unprivileged import CAP_DAC_READ_SEARCH, drop_capabilities
drop_capabilities(frozenset({CAP_DAC_READ_SEARCH}))
folder = Path(sys.argv[1])
try:
    save(SaveRequest(folder / "a.pcapng", filled().snapshot()), SaveProgress())
except OSError as error:
    print(reason(error), "|", *[one.name for one in folder.iterdir()])
"""


@pytest.mark.parametrize(
    ("mount", "words"),
    [
        ("-t tmpfs -o size=64k,mode=700 none", "the disk is full: free some space"),
        ("-t tmpfs -o ro,mode=700 none", "the disk is read-only: choose another folder"),
        ("-t tmpfs -o mode=500 none", "permission denied: choose another folder"),
    ],
)
def test_a_disk_that_takes_no_more_is_left_as_it_was(
    tmp_path: Path, mount: str, words: str
) -> None:
    script = f'{require_peer("mount")} {mount} "$0" && exec "$@"'
    answer = subprocess.run(
        [require_unshare(), "-m", "sh", "-c", script, tmp_path,
         sys.executable, "-c", PROGRAM, tmp_path],
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert answer.stdout.split("|")[0].startswith(words), answer.stderr
    assert answer.stdout.split("|")[1].strip() == ""


def test_a_new_file_that_is_not_committed_leaves_nothing(tmp_path: Path) -> None:
    with NewFile(tmp_path / "a") as file:
        file.write(b"half")
        (part,) = tmp_path.iterdir()
        assert part.name.startswith(".")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_appears_meanwhile_is_kept(tmp_path: Path) -> None:
    with NewFile(tmp_path / "a") as file:
        file.write(b"new")
        (tmp_path / "a").write_bytes(b"of another program")
        with pytest.raises(FileExistsError):
            file.commit()
    assert (tmp_path / "a").read_bytes() == b"of another program"
    assert len(os.listdir(tmp_path)) == 1


def test_the_store_may_change_while_it_is_read(tmp_path: Path) -> None:
    class Changing(Mapping):  # as another thread's changes look
        turns = 3

        def __getitem__(self, key):
            return ("odd",)

        def __iter__(self):
            if Changing.turns:
                Changing.turns -= 1
                raise RuntimeError("dictionary changed size during iteration")
            return iter((4,))

        def __len__(self):
            return 1

    snapshot = replace(filled().snapshot(), comments=Changing())
    saved(tmp_path / "a.pcapng", snapshot)
    assert content_of(tmp_path / "a.pcapng").comments == {4: ["odd"]}
    assert Changing.turns == 0


@pytest.mark.parametrize(
    ("name", "ending", "expected"),
    [
        ("a.pcapng", ".pcap", "a.pcap"),
        ("a.pcap.gz", ".pcapng", "a.pcapng.gz"),
        ("a", ".pcap", "a.pcap"),
        ("b.c/a.ZST", ".pcap", "b.c/a.pcap.ZST"),
        ("", ".pcap", ""),
    ],
)
def test_with_ending(name: str, ending: str, expected: str) -> None:
    assert with_ending(name, ending) == expected
