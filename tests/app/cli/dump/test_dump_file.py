"""dump -r: several files, and files that grow."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.files.make import pcap_header, pcap_record
from tests.helpers.support import ROOT
from tests.helpers.waiting import PATIENCE_S

DUMP = [sys.executable, "-m", "app", "dump", "--fields", "frame.number,frame.len"]


def test_a_growing_file_is_followed_until_a_signal(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(pcap_header() + pcap_record(bytes(60)) + pcap_record(bytes(61))[:9])
    with subprocess.Popen(
        [*DUMP, "-r", path, "--follow"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as dump:
        assert dump.stdout is not None
        assert dump.stdout.readline() == "1\t60\n"
        with path.open("ab") as file:
            file.write(pcap_record(bytes(61))[9:])
        assert dump.stdout.readline() == "2\t61\n"
        dump.send_signal(signal.SIGINT)
        assert dump.wait(PATIENCE_S) == 0


def test_files_are_merged_by_time(tmp_path: Path) -> None:
    for name, seconds in (("a", (5, 7)), ("b", (6, 8))):
        records = [pcap_record(bytes(60 + at), seconds=at) for at in seconds]
        (tmp_path / name).write_bytes(pcap_header() + b"".join(records))
    answer = subprocess.run(
        [*DUMP, "-r", tmp_path / "a", "-r", tmp_path / "b"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert answer.stdout == "1\t65\n2\t66\n3\t67\n4\t68\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-r", "-", "-r", "-"], "give it once"),
        (["-r", "a", "-r", "b", "--follow"], "give one -r FILE"),
        (["-r", "-", "--follow"], "give one -r FILE"),
        (["-i", "lo", "--follow"], "give one -r FILE"),
    ],
)
def test_files_that_cannot_be_read_so(arguments: list[str], words: str) -> None:
    answer = subprocess.run(
        [*DUMP, *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert answer.returncode == 2
    assert words in answer.stderr
