"""Questions on the command line."""

from __future__ import annotations

import io
import sys

import pytest

from app.cli.output import CommandError
from app.cli.send.prompt import approve
from core.forge.review.confirmation import REMEMBERED, Examination
from core.forge.review.packet_review import Target


class Terminal(io.StringIO):
    """A standard input on which the user typed `text`."""

    def isatty(self) -> bool:
        return True


def found(*questions: str, marks: frozenset[str] = frozenset()) -> Examination:
    return Examination("192.0.2.1", next(iter(Target)), questions, marks)


@pytest.mark.parametrize(
    ("typed", "sends"),
    [
        ("y\n", True),
        (" YES \n", True),
        ("n\n", False),
        ("\n", False),
        ("", False),
        ("yea\n", False),
    ],
)
def test_only_a_yes_sends(monkeypatch, capsys, typed, sends) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    assert approve(found("Is it new?", "Is it\x1b[2J odd?", marks=frozenset({"m"})), False) is sends
    asked = capsys.readouterr().err
    assert asked.startswith("rawscope: Is it new?\nrawscope: Is it")
    assert "\x1b" not in asked
    assert f"\n{REMEMBERED}\n" in asked  # begins with the name of the program, once
    assert asked.endswith("Send? [y/N] ")


def test_no_question_is_answered_by_yes(monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert approve(found(), False)
    assert capsys.readouterr().err == ""


def test_the_option_answers_and_the_questions_are_shown(monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert approve(found("Is it new?"), True)
    assert capsys.readouterr().err == "rawscope: Is it new?\n"


@pytest.mark.parametrize("stdin", [None, io.StringIO("y\n")])
def test_without_a_terminal_nothing_is_sent(monkeypatch, stdin) -> None:
    monkeypatch.setattr(sys, "stdin", stdin)
    with pytest.raises(CommandError, match="nobody can answer without a terminal; --yes sends"):
        approve(found("Is it new?"), False)


def test_ctrl_c_at_the_question_says_that_nothing_was_sent(monkeypatch, capsys) -> None:
    terminal = Terminal()
    monkeypatch.setattr(terminal, "readline", interrupt)
    monkeypatch.setattr(sys, "stdin", terminal)
    with pytest.raises(KeyboardInterrupt):
        approve(found("Is it new?"), False)
    assert capsys.readouterr().err.endswith("Send? [y/N] \nrawscope: not sent\n")


def interrupt() -> str:
    """Do what reading from a terminal does at ctrl+c."""
    raise KeyboardInterrupt
