"""``dump -w``: what is written, and what a failure reports."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from app.cli.dump.packet_writer import PacketWriter
from app.cli.dump.selection import Selection
from app.cli.main import run
from app.cli.output import CommandError
from core.analysis.filter.display_filter import compile_filter
from core.analysis.filter.fields.catalog import CATALOG
from core.recording.plan import FileNaming, RecordingPlan, Rotation
from tests.core.recording.made import (
    ETH0,
    SECOND_NS,
    joined,
    numbered,
    numbers_by_file,
    numbers_in,
)
from tests.helpers.support import ROOT, require_peer, require_unshare
from tests.helpers.waiting import PATIENCE_S

ODD = Selection(compile_filter("frame[3] & 1 == 1", CATALOG))
LONG = Selection(compile_filter("frame.len == 80", CATALOG))


def test_packets_that_pass_are_written_up_to_the_limit(tmp_path):
    writer = PacketWriter(RecordingPlan(tmp_path / "t"), 15, selection=LONG)
    writer.take(numbered(0, 10), [ETH0])
    writer.take(numbered(10, 10, size=80), [ETH0])
    assert not writer.done
    writer.take(numbered(20, 10, size=80), [ETH0])
    assert writer.done
    writer.end()
    assert (writer.written, writer.passed_over) == (15, 10)
    assert numbers_in(tmp_path / "t") == list(range(10, 25))


BOUNDS = [
    (RecordingPlan(Path("t"), Rotation(size_bytes=1_000), most_files=1), None),
    (RecordingPlan(Path("t"), Rotation(size_bytes=1_000), FileNaming.DUMPCAP, most_files=2), None),
    (RecordingPlan(Path("t"), Rotation(packets=6), FileNaming.DUMPCAP, most_files=3), None),
    (RecordingPlan(Path("t"), Rotation(interval_s=1), FileNaming.DUMPCAP, most_files=2), None),
    (RecordingPlan(Path("t.pcap.gz"), Rotation(size_bytes=600), most_files=1), None),
    (RecordingPlan(Path("t")), 17),
]


@pytest.mark.parametrize("each", [1, 7, 500])
@pytest.mark.parametrize("selection", [None, ODD])
@pytest.mark.parametrize(("plan", "limit"), BOUNDS)
def test_packets_behind_a_bound_do_not_count(tmp_path, plan, limit, selection, each):
    """The last packet that counts is the one with which the bound is reached."""
    writer = PacketWriter(replace(plan, path=tmp_path / plan.path), limit, selection=selection)
    for first in range(0, 500, each):
        if not writer.done:
            writer.take(numbered(first, min(each, 500 - first), step_ns=SECOND_NS // 10), [ETH0])
    assert writer.done
    writer.end()
    written = joined(numbers_by_file(tmp_path.iterdir()))
    assert (
        written
        == list(range(500))[selection is not None :: 1 + (selection is not None)][: writer.written]
    )
    behind = 9 if plan.rotation.interval_s else 0  # the next packet shows that a time is over
    assert 0 <= writer.written + writer.passed_over - (written[-1] + 1) <= behind


def test_an_existing_file_is_refused_with_advice(tmp_path):
    (tmp_path / "t").write_text("old")
    with pytest.raises(CommandError, match="exists: --force replaces it"):
        PacketWriter(RecordingPlan(tmp_path / "t"), None)
    PacketWriter(RecordingPlan(tmp_path / "t", replace=True), None).close()
    assert numbers_in(tmp_path / "t") == []


def written(path: Path) -> Path:
    """Write 1,000 packets."""
    writer = PacketWriter(RecordingPlan(path), None)
    writer.take(numbered(0, 1_000, size=200), [ETH0])
    writer.end()
    return path


@pytest.mark.parametrize("name", ["t.pcapng", "t.pcap.gz", "t.pcapng.zst"])
def test_a_file_is_converted(tmp_path, name, capfd):
    source = written(tmp_path / "source.pcapng")
    assert (
        run(["dump", "-r", str(source), "-Y", "frame.number > 990", "-w", f"{tmp_path}/{name}"])
        == 0
    )
    assert numbers_in(tmp_path / name) == list(range(990, 1_000))
    assert run(["dump", "-r", str(source), "-w", f"{tmp_path}/{name}"]) == 1
    assert f"{name} exists: --force replaces it" in capfd.readouterr().err


def test_standard_output_gets_a_capture(tmp_path):
    source = written(tmp_path / "source.pcapng")
    command = [sys.executable, "-m", "app", "dump", "-r", str(source), "-w", "-"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=PATIENCE_S)
    assert done.stdout == source.read_bytes()
    with open("/dev/full", "wb") as full:
        failed = subprocess.run(
            command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S
        )
    assert failed.returncode == 1
    assert "standard output was not written: the disk is full" in failed.stderr


def test_a_full_disk_leaves_no_part_of_a_converted_file(tmp_path):
    """A tmpfs of 64 KiB."""
    source = written(tmp_path / "source.pcapng")
    script = (
        f"{require_peer('mount')} -t tmpfs -o size=64k none $0 && "
        "$1 -m app dump -r $2 -w $0/t.pcapng; echo $? $(ls -A $0)"
    )
    room = tmp_path / "room"
    room.mkdir()
    done = subprocess.run(
        [require_unshare(), "--mount", "sh", "-c", script, str(room), sys.executable, str(source)],
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.stdout == "1\n"
    assert "t.pcapng was not written: the disk is full: free some space" in done.stderr


def test_a_folder_that_may_not_be_written_to(tmp_path):
    """Also root without the capability to ignore permissions, as an ordinary user."""
    source = written(tmp_path / "source.pcapng")
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o500)
    script = (
        "import runpy\n"
        "from tests.helpers.unprivileged import CAP_DAC_READ_SEARCH, drop_capabilities\n"
        "drop_capabilities(frozenset({CAP_DAC_READ_SEARCH}))\n"
        "runpy.run_module('app', run_name='__main__', alter_sys=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "dump", "-r", str(source), "-w", f"{folder}/t"],
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert f"-w {folder}/t: permission denied: choose another folder" in done.stderr
    assert not list(folder.iterdir())
