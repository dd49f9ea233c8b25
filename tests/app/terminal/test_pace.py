"""The time of the next frame: answers, time limits, late answers, terminals that never answer."""

from __future__ import annotations

import pytest

from app.terminal import pace
from app.terminal.pace import LEAST_BYTES_PER_S, LEAST_S, TAGS, WINDOW_BYTES, WINDOW_S, FramePace

LARGE = WINDOW_BYTES + 1


@pytest.fixture
def answering() -> FramePace:
    """Return the pace of a terminal that answered its first question at 0.1 s."""
    made = FramePace()
    made.add_answer(made.add_question(0, 0.0), 0.1)
    return made


def test_the_first_frame_waits_for_nothing():
    made = FramePace()
    made.add_question(0, 0.0)
    assert made.wait_s(0.0) == 0


def test_a_frame_waits_for_the_answer_to_a_large_one(answering):
    tag = answering.add_question(LARGE, 1.0)
    assert answering.wait_s(1.1) > 0
    answering.add_answer(tag, 1.2)
    assert answering.wait_s(1.2) == 0


def test_small_frames_do_not_wait_until_they_fill_the_window(answering):
    answering.add_question(WINDOW_BYTES // 2, 1.0)
    answering.add_question(WINDOW_BYTES // 2, 1.0)
    assert answering.wait_s(1.0) == 0
    answering.add_question(1, 1.0)
    assert answering.wait_s(1.0) > 0


def test_a_quick_terminal_gets_more_before_it_answers(answering):
    answering.add_answer(answering.add_question(10_000, 1.0), 1.01)
    window_bytes = 1_000_000 * WINDOW_S
    answering.add_question(int(window_bytes * 0.9), 2.0)
    assert answering.wait_s(2.0) == 0
    answering.add_question(int(window_bytes * 0.2), 2.0)
    assert answering.wait_s(2.0) > 0


def test_a_terminal_that_became_slow_gets_less_again(answering):
    answering.add_answer(answering.add_question(10_000, 1.0), 1.01)
    for second in range(2, 40):
        answering.add_answer(answering.add_question(900, second), second + 0.9)
    answering.add_question(LARGE, 50.0)
    assert answering.wait_s(50.0) > 0


def test_an_answer_also_answers_earlier_questions(answering):
    answering.add_question(LARGE, 1.0)
    newest = answering.add_question(LARGE, 1.0)
    answering.add_answer(newest, 2.0)
    assert answering.unanswered_bytes == 0


def test_the_answer_to_an_older_question_leaves_the_newer_one_open(answering):
    older = answering.add_question(LARGE, 1.0)
    answering.add_question(LARGE, 1.0)
    answering.add_answer(older, 2.0)
    assert answering.unanswered_bytes == LARGE
    assert answering.wait_s(2.0) > 0


def test_a_lost_answer_delays_by_the_size_of_the_frame(answering):
    answering.add_question(4800, 10.0)
    limit_s = LEAST_S + 4800 / LEAST_BYTES_PER_S
    assert answering.wait_s(10.0 + limit_s - 0.1) == pytest.approx(0.1)
    assert answering.wait_s(10.0 + limit_s) == 0
    assert answering.unanswered_bytes == 0


def test_a_late_answer_is_ignored(answering):
    late = answering.add_question(LARGE, 1.0)
    assert answering.wait_s(100.0) == 0
    answering.add_question(LARGE, 100.0)
    answering.add_answer(late, 100.1)
    assert answering.wait_s(100.1) > 0


@pytest.mark.parametrize("tags", range(1, TAGS + 1))
def test_a_narrow_terminal_has_a_tag_for_each_column_and_frames_wait_for_a_free_one(
    answering, tags
):
    asked = [answering.add_question(1, 1.0, tags) for _ in range(tags)]
    assert set(asked) == set(range(tags))
    assert answering.wait_s(1.1) > 0
    answering.add_answer(asked[0], 1.2)
    assert answering.wait_s(1.2) == 0


@pytest.mark.parametrize("tags", range(1, TAGS + 1))
def test_tags_of_open_questions_differ_also_when_the_terminal_becomes_narrower(answering, tags):
    for _ in range(TAGS):
        answering.add_question(1, 1.0)
    for _ in range(3 * TAGS):
        answering.add_question(1, 1.0, tags)
        found = [question.tag for question in answering._open]
        assert len(set(found)) == len(found) <= tags


@pytest.mark.parametrize("size_bytes", [0, 1, LARGE])
@pytest.mark.parametrize("after", ["at once", "a new size", "its time"])
def test_an_answer_is_awaited_until_it_arrives(answering, size_bytes, after):
    assert not answering.awaits_answer
    tag = answering.add_question(size_bytes, 1.0)
    if after == "a new size":
        answering.forget()
    elif after == "its time":
        answering.wait_s(1000.0)
    assert answering.awaits_answer
    answering.add_answer(tag, 1001.0)
    assert not answering.awaits_answer


def test_no_answer_is_awaited_from_a_terminal_that_never_answered():
    made = FramePace()
    made.add_question(LARGE, 0.0)
    assert not made.awaits_answer


@pytest.mark.parametrize("count", range(1, TAGS))
def test_tags_of_open_questions_differ(answering, count):
    tags = [answering.add_question(1, 1.0) for _ in range(count)]
    assert len(set(tags)) == count
    assert all(tag in range(TAGS) for tag in tags)


def test_no_answer_is_awaited_after_the_terminal_was_given_away(answering):
    answering.add_question(LARGE, 1.0)
    answering.forget()
    assert answering.wait_s(1.0) == 0


def test_other_changes_wait_twice_as_long_as_the_last_frame_took(answering):
    tag = answering.add_question(10, 1.0)
    assert not answering.may_follow(1.4)
    answering.add_answer(tag, 1.5)
    assert not answering.may_follow(1.9)
    assert answering.may_follow(2.0)


def test_other_changes_do_not_wait_forever_for_a_lost_answer(answering):
    answering.add_question(10, 1.0)
    assert not answering.may_follow(2.0)
    assert answering.may_follow(1.1 + LEAST_S + 10 / LEAST_BYTES_PER_S)


def test_a_terminal_that_never_answers_gets_frames_by_their_size():
    made = FramePace()
    made.add_question(0, 0.0)
    made.add_question(10_000, 0.0)
    took_s = 10_000 / pace.SILENT_BYTES_PER_S
    assert made.wait_s(took_s / 2) == pytest.approx(took_s / 2)
    assert made.wait_s(took_s) == 0
    assert not made.may_follow(took_s)
    assert made.may_follow(pace.SILENT_FOLLOW_S)


def test_a_terminal_that_never_answers_costs_no_memory():
    made = FramePace()
    for second in range(1000):
        made.add_question(100, second)
    assert made.unanswered_bytes == TAGS * 100


def test_a_terminal_that_answers_late_for_the_first_time_is_known_to_be_behind():
    made = FramePace()
    first = made.add_question(0, 0.0)
    made.add_question(5000, 0.1)
    assert made.wait_s(1.0) == 0
    made.add_answer(first, 1.0)
    assert made.unanswered_bytes == 5000
    assert made.wait_s(1.0) > 0
