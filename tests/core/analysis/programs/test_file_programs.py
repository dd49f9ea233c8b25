"""Files that rawscope saved show their programs again, on the screen and in commands."""

from __future__ import annotations

import json
import struct
import subprocess
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from app.cli.main import run
from app.screens.saving.packet_ranges import PacketRanges
from core.analysis.analysis_thread import AnalysisThread
from core.analysis.filter.packet_filter import PacketFilter
from core.analysis.packet_analysis import PacketAnalysis
from core.analysis.programs import file_programs
from core.analysis.programs.file_programs import FilePrograms
from core.analysis.programs.owners import FlowOwners, Grade, Owner, Process
from core.analysis.programs.program_table import Beginning, Ownership, ProgramTable, programs_of
from core.analysis.programs.remarks import FlowRemarks, program_remarks
from core.analysis.tcp.flow_index import index_of
from core.files.chunks import iter_chunks
from core.files.reader import open_capture
from core.files.writing.saving import SaveProgress, SaveRequest, save
from core.store.budget import Budget
from core.store.packet_remark import PacketRemark
from core.store.packet_store import PacketStore
from core.store.snapshot import Snapshot
from tests.core.analysis.tcp.conversations import Sent, chunk_of
from tests.core.decode.support import ETHERNET_INTERFACE
from tests.helpers.support import require_peer
from tests.helpers.waiting import until

CURL, SSH = Process(20, "curl", 1000, "curl -s x"), Process(21, "my ssh", 1000)
FLOWS = 50


def owner(port: int, *processes: Process, grade: Grade = Grade.EXACT) -> FlowOwners:
    return (Owner(f"10.0.0.1:{port}", grade, processes, 1000),)


def stored(sent: list[Sent], comments: dict[int, tuple[str, ...]] | None = None) -> Snapshot:
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    store.append_chunk(chunk_of(sent))
    for number, texts in (comments or {}).items():
        store.set_comments(number, texts)
    found = store.snapshot()
    index_of(found).extend(found, Budget())
    return found


@pytest.fixture
def captured() -> Snapshot:
    """Flows of one program with one owner each, all alike, and then one of another program."""
    ports = [1000 + number for number in range(FLOWS)]
    sent = [Sent(way, ports=(port, 80)) for port in ports for way in (False, True)]
    found = stored([*sent, Sent(True, ports=(9000, 80)), Sent(ports=(9000, 80))])
    owners = [owner(port, CURL) for port in ports] + [owner(9000, SSH, grade=Grade.MOMENT)]
    entries = {Beginning(number, 2 * number + 1): number for number in range(FLOWS + 1)}
    tcp = Ownership().with_entries(entries, 999)
    programs_of(found).published = ProgramTable(owners, {"tcp": tcp}, found.count, 1)
    return found


def saved(snapshot: Snapshot, path: Path, ranges: PacketRanges | None = None) -> Path:
    request = SaveRequest(path, snapshot, ranges, remarks=partial(program_remarks, snapshot))
    save(request, SaveProgress())
    return path


def opened(path: Path) -> Snapshot:
    """Read a file into a store, and analyze it as the screen does."""
    store = PacketStore()
    with open_capture(path) as reader:
        for chunk in iter_chunks(reader):
            for interface in reader.interfaces[len(store.snapshot().interfaces) :]:
                store.add_interface(interface)
            store.append_chunk(chunk)
        found = store.snapshot()
        index_of(found).extend(found, Budget())
        FilePrograms().extend(found, Budget())
    return found


def owners_of(snapshot: Snapshot, number: int) -> FlowOwners:
    return programs_of(snapshot).published.of_packet(index_of(snapshot).published, number)


def test_each_flow_has_a_remark_also_where_owners_are_alike(captured) -> None:
    """A socket that serves many flows, such as that of a resolver, has one list of owners."""
    alike = ProgramTable([owner(1000, CURL)], programs_of(captured).published.by_protocol, 99, 1)
    tcp = alike.by_protocol["tcp"]
    programs_of(captured).published = ProgramTable(
        alike.owners, {"tcp": Ownership(tcp.streams, tcp.packets, tcp.owners * 0)}, 99, 1
    )
    assert list(program_remarks(captured)) == [2 * number + 1 for number in range(FLOWS + 1)]


def test_the_process_is_that_of_the_sender(captured) -> None:
    """Of a packet that came from elsewhere, nobody knows the process."""
    remarks = program_remarks(captured)
    assert [remarks[number].sender_pid for number in (1, 3, 101)] == [20, 20, 0]
    second = program_remarks(captured, PacketRanges([(2, 2), (102, 102)]))
    assert [second[number].sender_pid for number in (2, 102)] == [0, 21]


@pytest.mark.parametrize(
    ("owners", "pid"),
    [
        (owner(1000, CURL), 20),
        (owner(1000, CURL, grade=Grade.MOMENT), 20),
        (owner(1000, CURL, grade=Grade.LISTENER), 0),
        (owner(1000, CURL, grade=Grade.SHARED), 0),
        (owner(1000, CURL, SSH), 0),  # they share the socket
        (owner(1001, CURL), 0),
    ],
)
def test_only_a_sure_process_is_that_of_the_sender(captured, owners, pid) -> None:
    found = stored([Sent(ports=(1000, 80))])
    tcp = Ownership().with_entries({Beginning(0, 1): 0}, 9)
    programs_of(found).published = ProgramTable([owners], {"tcp": tcp}, 1, 1)
    assert program_remarks(found)[1].sender_pid == pid


def test_a_saved_file_has_its_programs_again(captured, tmp_path) -> None:
    found = opened(saved(captured, tmp_path / "a.pcapng"))
    for number in range(1, captured.count + 1):
        before, after = owners_of(captured, number), owners_of(found, number)
        assert [(each.end, [(p.name, p.pid) for p in each.processes]) for each in before] == [
            (each.end, [(p.name, p.pid) for p in each.processes]) for each in after
        ]
        assert [each.grade for each in after] == [Grade.FILE]
    (chunk,) = found.chunks
    passing = PacketFilter.compile('process.name == "my ssh"')(chunk, found)
    assert (np.flatnonzero(passing) + 1).tolist() == [101, 102]


def test_a_file_that_is_saved_again_has_the_same_remarks(captured, tmp_path) -> None:
    first = saved(captured, tmp_path / "a.pcapng")
    found = opened(first)
    assert saved(found, tmp_path / "b.pcapng").read_bytes() == first.read_bytes()
    rest = opened(saved(found, tmp_path / "c.pcapng", PacketRanges([(2, 3), (102, 102)])))
    assert [owners_of(rest, number)[0].processes[0].pid for number in (1, 2, 3)] == [20, 20, 21]


@pytest.mark.parametrize(
    ("comment", "is_read"),
    [
        ("process: curl (20) of 10.0.0.1:1000", True),
        ("process: curl (20) of 10.0.0.1:1001", False),  # copied from another flow
        ("process: curl (20) of 10.0.0.1:1000?", False),
        ("curl", False),
    ],
)
def test_a_comment_names_the_ends_of_its_packet(comment, is_read) -> None:
    found = stored([Sent(ports=(1000, 80))] * 2, {1: ("mine", comment)})
    FilePrograms().extend(found, Budget())
    assert bool(owners_of(found, 2)) is is_read
    assert programs_of(found).published.settled == 2


def test_programs_follow_the_analysis_of_flows() -> None:
    """They wait for it, and then continue where they were."""
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    store.append_chunk(chunk_of([Sent(ports=(1000, 80))]))
    store.set_comments(1, ("process: curl (20) of 10.0.0.1:1000",))
    programs, found = FilePrograms(), store.snapshot()
    assert not programs.extend(found, Budget())
    assert programs.through == 0
    index_of(found).extend(found, Budget())
    assert not programs.extend(found, Budget())
    assert owners_of(found, 1)[0].processes[0].name == "curl"
    store.append_chunk(chunk_of([Sent(ports=(1000, 80))]))
    found = store.snapshot()
    index_of(found).extend(found, Budget())
    programs.extend(found, Budget())
    assert owners_of(found, 2) == owners_of(found, 1)
    assert programs.through == 2


def test_the_screen_reads_the_comments_of_files_only() -> None:
    thread = AnalysisThread()
    try:
        comments = {1: ("process: curl (20) of 10.0.0.1:1000",)}
        for from_file in (False, True):
            found = stored([Sent(ports=(1000, 80)), Sent(ports=(1001, 80))], comments)
            analysis = PacketAnalysis(thread, patience_s=1.0)
            analysis.keep_only(PacketFilter.compile("process.pid == 20"))

            def shown(snapshot=found, analysis=analysis, from_file=from_file):
                result = analysis.update(snapshot, from_file=from_file)
                return result if result.progress is None else None

            result = until(shown, "the filter")
            assert result.filtered is not None
            assert len(result.filtered) == (1 if from_file else 0)
    finally:
        thread.close()


def test_commands_read_the_programs_of_a_file(captured, tmp_path, capsys) -> None:
    path = str(saved(captured, tmp_path / "a.pcapng"))
    assert run(["dump", "-r", path, "--json", "-Y", "process.pid == 21"]) == 0
    lines = capsys.readouterr().out.splitlines()
    found = [json.loads(line) for line in lines]
    assert [each["process.name"] for each in found] == ["my ssh"] * 2
    assert {each["process.grade"] for each in found} == {"from the file"}
    part = str(tmp_path / "b.pcapng")
    words = ["dump", "-r", path, "-w", part, "-Y", "process.pid == 20 and tcp.srcport == 80"]
    assert run(words) == 0
    assert run(["dump", "-r", part, "--fields", "process.name"]) == 0
    assert capsys.readouterr().out.split()[-FLOWS:] == ["curl"] * FLOWS


def test_remarks_are_forgotten_before_they_are_too_many(captured, monkeypatch) -> None:
    monkeypatch.setattr("core.analysis.programs.remarks.MOST_REMARKED", 10)
    remarks, (chunk,) = FlowRemarks(), captured.chunks
    programs, flows = programs_of(captured).published, index_of(captured).published
    rows = np.arange(len(chunk))
    assert len(remarks.of_chunk(chunk, rows, programs, flows)) == FLOWS + 1
    assert len(remarks._made) == 10
    again = remarks.of_chunk(chunk, rows[-2:], programs, flows)
    assert again == {}


def test_wireshark_reads_the_file(captured, tmp_path) -> None:
    path = saved(captured, tmp_path / "a.pcapng")
    shown = ["-T", "fields", "-e", "frame.comment", "-Y", "frame.comment"]
    words = [require_peer("tshark"), "-r", str(path), *shown]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    comments = [each.comment for each in program_remarks(captured).values()]
    assert [line.replace('\\"', '"') for line in done.stdout.splitlines()] == comments


def test_the_option_has_the_process_and_no_thread(tmp_path) -> None:
    """It is epb_processid_threadid of draft-ietf-opsawg-pcapng §4.3."""
    found = stored([Sent(ports=(1000, 80))])
    tcp = Ownership().with_entries({Beginning(0, 1): 0}, 9)
    programs_of(found).published = ProgramTable([owner(1000, CURL)], {"tcp": tcp}, 1, 1)
    assert program_remarks(found) == {
        1: PacketRemark("process: curl (20) of 10.0.0.1:1000", sender_pid=20)
    }
    path = saved(found, tmp_path / "a.pcapng")
    with open_capture(path) as reader:
        (batch,) = reader.batches()
    assert dict(batch.options) == {0: struct.pack("=HHII", 8, 8, 20, 0)}


def test_a_spent_budget_ends_a_step_inside_a_chunk(monkeypatch) -> None:
    """However many comments one chunk has, a step reads few, and asks once for their ends."""
    count = 5 * file_programs.MOST_AT_ONCE + 7
    ports = [1000 + number for number in range(count)]
    texts = {
        number + 1: (f"process: curl (20) of 10.0.0.1:{port}",) for number, port in enumerate(ports)
    }
    snapshot = stored([Sent(ports=(port, 80)) for port in ports], texts)
    calls = {"parse_remark": 0, "with_ends": 0}

    def counted(name, original, *args):
        calls[name] += 1
        return original(*args)

    for name in calls:
        original = getattr(file_programs, name)
        monkeypatch.setattr(file_programs, name, partial(counted, name, original))
    programs, has_more, steps = FilePrograms(), True, 0
    while has_more:
        before, through = dict(calls), programs.through
        has_more = programs.extend(snapshot, Budget(0))
        steps += 1
        assert calls["parse_remark"] - before["parse_remark"] <= file_programs.MOST_AT_ONCE
        assert calls["with_ends"] - before["with_ends"] <= 1
        assert programs.through > through
    assert steps == 6
    assert calls["parse_remark"] == programs.through == count
    assert len(programs_of(snapshot).published.by_protocol["tcp"].streams) == count


def test_comments_that_always_change_do_not_hold_a_step(monkeypatch) -> None:
    snapshot = stored([Sent()], {1: ("process: curl (20) of 10.0.0.1:40000",)})
    programs = FilePrograms()
    with monkeypatch.context() as patch:
        patch.setattr(file_programs, "_commented", lambda snapshot: None)
        assert programs.extend(snapshot, Budget(0))
        assert programs.through == 0
    assert not programs.extend(snapshot, Budget(0))
    assert programs.through == 1
