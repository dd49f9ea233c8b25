"""The options of dumpcap and tcpdump that record packets, and what they mean together."""

from __future__ import annotations

from pathlib import Path

import pytest
import rich_click as click

from app.cli.main import run
from app.cli.recording_options import plan_of, recording_options, take_recording
from core.recording.plan import FileNaming, RecordingPlan, Rotation


def parsed(line: str):
    """Return what the options of a command line ask for."""
    found = []

    @click.command()
    @recording_options
    def command(**given):
        found.append(take_recording(given))

    command.main(line.split(), standalone_mode=False)
    return found[0]


TCPDUMP = {"naming": FileNaming.TCPDUMP}
DUMPCAP = {"naming": FileNaming.DUMPCAP}


@pytest.mark.parametrize(
    ("line", "rotation", "others"),
    [
        ("", {}, {}),
        ("--force", {}, {"replace": True}),
        ("-a filesize:3", {"size_bytes": 3_000}, {"most_files": 1}),
        ("-b filesize:3", {"size_bytes": 3_000}, DUMPCAP),
        ("-b filesize:3 -a filesize:2 -a files:4", {"size_bytes": 2_000},
         {**DUMPCAP, "most_files": 4}),
        ("-b duration:0.5 -b files:2", {"duration_s": 0.5, "ring_files": 2}, DUMPCAP),
        ("-b interval:60 -b packets:9", {"interval_s": 60, "packets": 9}, DUMPCAP),
        ("-C 2", {"size_bytes": 2_000_001}, {**TCPDUMP, "is_numbered": True}),
        ("-C 2 -W 11", {"size_bytes": 2_000_001, "ring_files": 11},
         {**TCPDUMP, "is_numbered": True, "digits": 2}),
        ("-G 60 -W 3", {"duration_s": 60}, {**TCPDUMP, "is_timed": True, "most_files": 3,
                                            "digits": 1}),
        ("-G 60 -C 1 -W 3", {"duration_s": 60, "size_bytes": 1_000_001},
         {**TCPDUMP, "is_timed": True, "is_numbered": True, "digits": 1}),
    ],
)  # fmt: skip
def test_plans(line, rotation, others):
    plan = plan_of(parsed(f"-w t%S {line}"))
    assert plan == RecordingPlan(Path("t%S"), Rotation(**rotation), **others)


@pytest.mark.parametrize(
    ("line", "packets", "seconds"),
    [("", None, None), ("-c 5 -a 2", 5, 2), ("-a packets:3 -c 5", 3, None), ("-n", None, None),
     ("-a duration:0.25", None, 0.25)],
)  # fmt: skip
def test_ends_of_a_capture(line, packets, seconds):
    recording = parsed(line)
    assert (recording.packets, recording.seconds) == (packets, seconds)
    assert not recording.file


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("-b filesize:1", "add -w FILE"),
        ("-C 1", "add -w FILE"),
        ("--force", "add -w FILE"),
        ("-a files:2", "add -w FILE"),
        ("-w t.pcap.bz2", "-w t.pcap.bz2: rawscope writes no .bz2 files: end the name in .gz or"),
        ("-w t -a files:2", "-a files counts the files of -b"),
        ("-w t -b files:2", "-b files needs a size or time"),
        ("-w t -W 2", "-W needs a size or time"),
        ("-w t -b filesize:1 -C 1", "-b cannot be combined with -C, -G, or -W"),
        ("-w t -G 5", "put a time format into the name of the file"),
        ("-w /d/%H/x.pcap -G 5", "put a time format into the name of the file"),
        ("-w t -C 1 -a filesize:5", "-a filesize cannot be combined with -C or -G"),
        ("-w t%S -G 1 -a filesize:5", "-a filesize cannot be combined with -C or -G"),
        ("-w - -C 1", "standard output"),
        ("-w t -b size:1", "give one of filesize, duration"),
        ("-w t -b filesize", "filesize takes a positive whole number"),
        ("-w t -b filesize:1.5", "filesize takes a positive whole number"),
        ("-w t -b filesize:1 -b files:100000", "files must be less than 100,000"),
        ("-a nan", "duration takes a positive number"),
        ("-a duration:-1", "duration takes a positive number"),
        ("-a duration:inf", "duration takes a positive number"),
    ],
)
def test_options_that_contradict_each_other(line, reason):
    with pytest.raises(click.UsageError) as refused:
        parsed(line)
    assert reason in refused.value.format_message()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["-i", "lo", "-w", "-"], "'rawscope dump -w -' does that"),
        (["-r", "a.pcap", "-w", "b.pcap"], "'rawscope dump -r FILE -w FILE' converts"),
        (["-r", "a.pcap", "-c", "5"], "are about a capture"),
        (["-c", "5"], "add -i IFACE"),
        (["dump", "-r", "a.pcap", "-a", "5"], "-a applies to capturing"),
        (["dump", "-i", "lo", "-w", "b", "--json"], "-w writes packets instead of printing"),
    ],
)
def test_recordings_that_a_command_cannot_make(words, reason, capsys):
    assert run(words) == 2
    assert reason in capsys.readouterr().err
