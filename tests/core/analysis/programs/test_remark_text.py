"""Owners as comments, and comments as owners: nothing else is one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.programs.owners import Grade, Owner, Process
from core.analysis.programs.remark_text import LONGEST, parse_remark, remark_text

ENDS = ("10.0.0.1:40000", "[fe80::1]:80")
CURL = "process: curl (20) of 10.0.0.1:40000"
NGINX = "process: nginx (30), nginx (31) of [fe80::1]:80, its listener"
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


def told(text: str) -> list[tuple[str, list[str], Grade | None]]:
    return [
        (
            each.end,
            [f"{process.name} {process.pid}" for process in each.processes],
            each.saved_grade,
        )
        for each in parse_remark(text, ENDS)
    ]


def test_a_comment_names_both_ends() -> None:
    assert told(f"{CURL}; {NGINX}") == [
        (ENDS[0], ["curl 20"], Grade.EXACT),
        (ENDS[1], ["nginx 30", "nginx 31"], Grade.LISTENER),
    ]
    assert {each.grade for each in parse_remark(CURL, ENDS)} == {Grade.FILE}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "process: ",
        "process: curl",
        "process: curl of 10.0.0.1:40000",
        "process: curl (20)",
        "the process: curl (20) of 10.0.0.1:40000",
        f"{CURL} I think",
        f"{CURL}.",
        f"{CURL}; ",
        f"{CURL}; see the ticket",
        f"{CURL}\n{CURL}",
        f"{CURL}\n",
        f"{CURL}, probably",
        f"{CURL}, exact",  # which is left out
        f"{CURL}, gone",
        f"{CURL}; {CURL}",  # an end twice
        CURL.upper(),
        CURL.replace(": ", ":"),
        CURL.replace("40000", "40001"),  # of another flow
        CURL.replace("10.0.0.1", "010.0.0.1"),
        CURL.replace("(20)", "(0)"),
        CURL.replace("(20)", "(020)"),
        CURL.replace("(20)", "(-20)"),
        CURL.replace("(20)", "(4194305)"),  # over PID_MAX_LIMIT
        CURL.replace("(20)", "(٢٠)"),
        CURL.replace("curl", "my curl"),
        CURL.replace("curl", '"curl'),
        CURL.replace("curl", r'"\x"'),
        CURL.replace("curl", r'"\ud800x"'),  # lone surrogates
        CURL.replace("curl", r'"x\udc80"'),
        CURL.replace("curl", r'"\udc00\ud800"'),
        CURL.replace("curl", '"\ud800"'),
        CURL.replace("curl (20)", "curl (20), curl (20)"),
        CURL.replace("curl (20)", "curl (20), "),
        CURL.replace("curl", "c" * LONGEST),
    ],
)
def test_nothing_else_names_a_program(text) -> None:
    assert parse_remark(text, ENDS) == ()


@given(
    st.lists(st.lists(st.tuples(NAMES, st.integers(1, 1 << 22)), min_size=1, max_size=4,
                      unique_by=lambda each: each[1]), min_size=1, max_size=2),
    st.sampled_from([Grade.EXACT, Grade.SHARED, Grade.MOMENT, Grade.LISTENER]),
)  # fmt: skip
def test_any_name_is_read_back(lists, grade) -> None:
    """Names may contain what separates them, quotes, and control characters."""
    owners = tuple(
        Owner(end, grade, tuple(Process(pid, name, 1000) for name, pid in processes), 1000)
        for end, processes in zip(ENDS, lists, strict=False)
    )
    text = remark_text(owners)
    assert text.isprintable()
    expected = tuple(
        Owner(
            owner.end,
            Grade.FILE,
            tuple(replace(each, uid=None) for each in owner.processes),
            saved_grade=grade,
        )
        for owner in owners
    )
    if len(text) <= LONGEST:
        assert parse_remark(text, ENDS) == expected
        assert remark_text(expected) == text


@given(NAMES, st.integers(0xD800, 0xDFFF), NAMES)
def test_a_name_that_utf_8_cannot_encode_is_not_read(before, surrogate, after) -> None:
    """A filter could not match it, and no output could show it."""
    name = before + chr(surrogate) + after
    text = remark_text((Owner(ENDS[0], Grade.EXACT, (Process(20, name, 0),)),))
    assert text.isprintable()
    found = [each.name for owner in parse_remark(text, ENDS) for each in owner.processes]
    assert all(each.encode() for each in found)
    assert name not in found


def test_a_name_cannot_pretend_another_process() -> None:
    name = "curl (20) of 10.0.0.1:40000; process: sshd"
    text = remark_text((Owner(ENDS[0], Grade.EXACT, (Process(666, name, 0),)),))
    (owner,) = parse_remark(text, ENDS)
    assert [(each.name, each.pid) for each in owner.processes] == [(name, 666)]


def test_a_comment_on_an_echo_request_tells_its_grade_and_is_not_read() -> None:
    text = remark_text((Owner("10.0.0.1 id 77", Grade.RAW, (Process(20, "ping", 0),)),))
    assert text == "process: ping (20) of 10.0.0.1 id 77, the only raw socket"
    assert parse_remark(text, ("10.0.0.1 id 77", "10.0.0.2 id 0")) == ()


def test_owners_without_processes_have_no_comment() -> None:
    assert remark_text((Owner(ENDS[0], Grade.GONE), Owner(ENDS[1], Grade.OTHER_USER, (), 5))) == ""
