"""The fields, rows, and JSON keys of the programs of a flow."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from app.cli.dump.flow_keys import with_program_keys
from app.screens.saving.packet_ranges import PacketRanges
from core.analysis.field_texts import field_text, is_number
from core.analysis.filter.packet_filter import PacketFilter
from core.analysis.filter.value_expression import row_expression
from core.analysis.flows.analyzer import FlowAnalyzer
from core.analysis.flows.level import Level
from core.analysis.flows.listing import FlowQuestion
from core.analysis.flows.record import flow_record
from core.analysis.packet_facts import PacketFacts
from core.analysis.programs.fields import PROGRAM_FIELDS
from core.analysis.programs.owners import Grade, Owner, Process, owners_text
from core.analysis.programs.program_table import (
    NO_PROGRAMS,
    Beginning,
    Ownership,
    ProgramTable,
    programs_of,
)
from core.analysis.programs.remarks import has_programs, program_remarks
from core.analysis.programs.tree_rows import with_program_rows
from core.analysis.tcp.flow_index import index_of
from core.files.pcapng_options import packed_option
from core.files.reader import open_capture
from core.files.writing.saving import SaveProgress, SaveRequest, save
from core.store.budget import Budget
from core.store.packet_remark import PacketRemark
from core.store.packet_store import PacketStore
from core.store.selected_packet import select_packet
from core.store.snapshot import EMPTY_SNAPSHOT, Snapshot
from core.wire.present.faults import Faults
from tests.core.analysis.tcp.conversations import Sent, chunk_of
from tests.core.decode.frames import udp_frame
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of
from widgets.flows.columns import columns_of

CURL = Process(20, "curl", 1000, "curl -s http://10.0.0.2/", 10, "bash")
NGINX = Process(30, "nginx", 33)
BOTH = (
    Owner("10.0.0.1:40000", Grade.EXACT, (CURL,), 1000),
    Owner("10.0.0.2:80", Grade.LISTENER, (NGINX,), 0),
)
OTHER = (Owner("10.0.0.1:40001", Grade.OTHER_USER, (), 105),)


@pytest.fixture
def snapshot() -> Snapshot:
    """Two packets of a flow over loopback, one of another user's, and one of nobody here."""
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    ports = [(40_000, 80), (40_000, 80), (40_001, 80), (40_002, 80)]
    store.append_chunk(chunk_of([Sent(ports=each) for each in ports]))
    found = store.snapshot()
    index_of(found).extend(found, Budget())
    tcp = Ownership().with_entries({Beginning(0, 1): 0, Beginning(1, 3): 1}, 99)
    programs_of(found).published = ProgramTable([BOTH, OTHER], {"tcp": tcp}, 4, 1)
    return found


@pytest.mark.parametrize(
    ("text", "passing"),
    [
        ('process.name == "curl"', [1, 2]),
        ('process.name == "nginx"', [1, 2]),
        ('process.name contains "x"', [1, 2]),
        ("process.pid == 30", [1, 2]),
        ("process.uid == 105", [3]),
        ("process.name", [1, 2]),
        ("process.grade", [1, 2, 3]),
        ('process.grade == "another user\'s"', [3]),
        ('process.parent == "bash" and process.command_line contains "-s"', [1, 2]),
        ('not process.name == "curl"', [3, 4]),
    ],
)
def test_filters_compare_every_program_of_a_flow(snapshot, text, passing) -> None:
    (chunk,) = snapshot.chunks
    found = PacketFilter.compile(text)
    assert (np.flatnonzero(found(chunk, snapshot)) + 1).tolist() == passing
    assert found.reads_programs


def test_other_filters_do_not_wait_for_programs() -> None:
    assert not PacketFilter.compile("tcp.port == 80").reads_programs


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("process.name", ["curl,nginx", "curl,nginx", "", ""]),
        ("process.pid", ["20,30", "20,30", "", ""]),
        ("process.uid", ["1000,0", "1000,0", "105", ""]),
        ("process.grade", ["exact,its listener"] * 2 + ["another user's", ""]),
    ],
)
def test_columns_have_the_programs_of_both_ends(snapshot, name, texts) -> None:
    packets = [snapshot.packet(number) for number in range(1, 5)]
    facts = [PacketFacts(each, each.dissect(), snapshot) for each in packets]
    assert [field_text(name)(each) for each in facts] == texts
    assert is_number(name) is PROGRAM_FIELDS[name].is_number


@pytest.mark.parametrize("uid", [0, 1 << 31, (1 << 32) - 1])
@pytest.mark.parametrize("pid", [1, 1 << 22])
def test_numbers_may_be_the_largest(snapshot, uid, pid) -> None:
    owners = (Owner("10.0.0.1:40000", Grade.EXACT, (Process(pid, "curl", uid),), uid),)
    tcp = Ownership().with_entries({Beginning(0, 1): 0}, 99)
    programs_of(snapshot).published = ProgramTable([owners], {"tcp": tcp}, 4, 1)
    (chunk,) = snapshot.chunks
    found = PacketFilter.compile(f"process.uid == {uid} and process.pid == {pid}")
    assert np.flatnonzero(found(chunk, snapshot)).tolist() == [0, 1]


def rows_of(snapshot: Snapshot, number: int):
    selected = select_packet(snapshot, number, Faults())
    assert selected is not None
    flows, programs = index_of(snapshot).published, programs_of(snapshot).published
    frame, *_ = with_program_rows(selected.rows, programs.of_packet(flows, number))
    return [row for row in frame.children if row.key.startswith("process.")]


def test_rows_under_the_frame_are_filters(snapshot) -> None:
    rows = rows_of(snapshot, 1)
    expressions = [row_expression(row) for row in rows]
    assert expressions[:2] == ['process.name == "curl"', "process.pid == 20"]
    assert 'process.parent == "bash"' in expressions
    assert rows[0].meaning == "of 10.0.0.1:40000: exact"
    assert all(map(row_expression, rows))


def test_a_row_says_why_there_is_no_name(snapshot) -> None:
    grade, user = rows_of(snapshot, 3)
    assert grade.value.startswith("another user's")
    assert user.value == "105"
    assert rows_of(snapshot, 4) == []


def test_a_process_that_may_not_be_read_is_not_roots(snapshot) -> None:
    hidden = (Owner("10.0.0.1:40000", Grade.EXACT, (Process(20, "", None),), 1000),)
    programs_of(snapshot).published = replace(programs_of(snapshot).published, owners=[hidden] * 2)
    name, _number, user = rows_of(snapshot, 1)
    assert (name.value, user.value, user.raw) == ("unnamed", "unknown", None)
    assert owners_text(hidden) == "unnamed (20)"


def test_json_has_a_list_of_several_values(snapshot) -> None:
    flows, programs = index_of(snapshot).published, programs_of(snapshot).published
    numbers = np.arange(1, 5)
    lines = with_program_keys(programs, flows, numbers, ['{"a":1}', None, '{"a":1}', '{"a":1}'])
    assert lines[1] is None
    first, third, fourth = (json.loads(lines[row] or "") for row in (0, 2, 3))
    assert first["process.name"] == ["curl", "nginx"]
    assert (third["process.uid"], third["process.grade"]) == (105, "another user's")
    assert fourth == {"a": 1}
    assert with_program_keys(NO_PROGRAMS, flows, numbers[:1], ["{}"]) == ["{}"]


def test_the_first_saved_packet_of_each_flow_has_a_comment(snapshot) -> None:
    words = "process: curl (20) of 10.0.0.1:40000; process: nginx (30) of 10.0.0.2:80, its listener"
    assert has_programs(snapshot)
    assert program_remarks(snapshot) == {1: PacketRemark(words, 20)}
    assert program_remarks(snapshot, PacketRanges([(2, 4)])) == {2: PacketRemark(words, 20)}
    assert not has_programs(EMPTY_SNAPSHOT)


def test_a_saved_file_has_the_comments_beside_those_of_the_user(snapshot, tmp_path) -> None:
    path = tmp_path / "a.pcapng"
    commented = replace(snapshot, comments={1: ("mine",)})
    save(SaveRequest(path, commented, remarks=partial(program_remarks, commented)), SaveProgress())
    with open_capture(path) as reader:
        (batch,) = reader.batches()
    assert dict(batch.comments) == {0: ["mine", program_remarks(snapshot)[1].comment]}
    assert dict(batch.options) == {0: packed_option(8, struct.pack("=II", 20, 0))}


def test_the_row_of_the_frame_names_the_programs(snapshot) -> None:
    selected = select_packet(snapshot, 1, Faults())
    assert selected is not None
    frame, *_ = with_program_rows(selected.rows, BOTH)
    assert frame.meaning == "curl (20), nginx (30)"
    assert owners_text(OTHER) == "user 105"


GONE = Owner("10.0.0.1:40000", Grade.GONE)
SERVER = Owner("10.0.0.2:80", Grade.EXACT, (NGINX,), 33)
HIDDEN = Owner("10.0.0.2:80", Grade.OTHER_USER, (), 105)
NAMELESS = Owner("10.0.0.2:80", Grade.EXACT, (Process(40, "", None),), 0)


@pytest.mark.parametrize(
    ("owners", "words", "cell"),
    [
        ((GONE, SERVER), "?, nginx (30)", "?,nginx"),
        ((SERVER, GONE), "nginx (30), ?", "nginx,?"),
        ((SERVER,), "nginx (30)", "nginx"),
        ((GONE,), "", ""),
        ((GONE, GONE), "", ""),
        ((GONE, HIDDEN), "?, user 105", ""),
        ((SERVER, HIDDEN), "nginx (30), user 105", "nginx,?"),
        ((SERVER, NAMELESS), "nginx (30), unnamed (40)", "nginx,?"),
        ((SERVER, SERVER), "nginx (30)", "nginx"),
    ],
)
def test_a_program_that_is_known_does_not_stand_for_both_ends(owners, words, cell) -> None:
    assert owners_text(owners) == words
    assert PROGRAM_FIELDS["process.name"].text(owners) == cell
    assert "?" not in PROGRAM_FIELDS["process.name"].values(owners)


def test_the_cell_the_tree_and_the_conversation_mark_an_unknown_end(snapshot) -> None:
    published = programs_of(snapshot).published
    programs_of(snapshot).published = replace(published, owners=[(GONE, SERVER)] * 2)
    packet = snapshot.packet(1)
    assert field_text("process.name")(PacketFacts(packet, packet.dissect(), snapshot)) == "?,nginx"
    selected = select_packet(snapshot, 1, Faults())
    assert selected is not None
    frame, *_ = with_program_rows(selected.rows, (GONE, SERVER))
    assert frame.meaning == "?, nginx (30)"
    analyzer = FlowAnalyzer(FlowQuestion(sort="a", descending=False, programs=True))
    analyzer.extend(snapshot, Budget())
    assert analyzer.published.program(0) == "?, nginx (30)"


@pytest.mark.parametrize(
    ("text", "ports"), [("", [40_000, 40_001, 40_002]), ("nginx", [40_000]), ("user 105", [40_001])]
)
def test_conversations_have_their_programs(snapshot, text, ports) -> None:
    question = FlowQuestion(sort="a", descending=False, text=text, programs=True)
    analyzer = FlowAnalyzer(question)
    analyzer.extend(snapshot, Budget())
    listing = analyzer.published
    assert [listing.end(row)[1] for row in range(len(listing))] == ports
    if not text:
        programs = [listing.program(row) for row in range(3)]
        assert programs == ["curl (20), nginx (30)", "user 105", ""]
        assert flow_record(listing, 0)["program"] == programs[0]
    headings = [column.heading for column in columns_of(question)]
    assert headings[4] == "Program"
    assert "Program" not in [column.heading for column in columns_of(FlowQuestion())]


def test_conversations_of_udp_have_their_programs() -> None:
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    store.append(batch_of([udp_frame()]))
    found = store.snapshot()
    index_of(found).extend(found, Budget())
    udp = Ownership().with_entries({Beginning(0, 1): 0}, 99)
    programs_of(found).published = ProgramTable([BOTH], {"udp": udp}, 1, 1)
    analyzer = FlowAnalyzer(FlowQuestion(Level.UDP, programs=True))
    analyzer.extend(found, Budget())
    assert analyzer.published.program(0) == "curl (20), nginx (30)"
