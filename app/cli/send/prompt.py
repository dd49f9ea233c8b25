"""Asking a person before packets leave, and where the answers are kept.

The question is on stderr and its answer is read from standard input, if that is a terminal. Where
there is nobody to ask, only ``--yes`` sends; nobody was asked then, and nothing is remembered.
"""

from __future__ import annotations

import sys
from pathlib import Path

from platformdirs import user_state_path

from app.cli.output import CommandError, say
from core.forge.journal.saved import DraftStore
from core.forge.review.confirmation import REMEMBERED, Examination
from core.wire.model.text import safe

_YES = frozenset({"y", "yes"})


def state_folder() -> Path:
    """Where drafts, agreed destinations and the audit are. ``XDG_STATE_HOME`` is respected."""
    return user_state_path("rawscope")


def agree(found: Examination, shelf: DraftStore, yes: bool) -> None:
    """Have the questions of `found` answered; raises `CommandError` where the answer is no."""
    if not found.questions:
        return
    for question in found.questions:
        say(f"rawscope: {safe(question)}")
    if not yes:
        if sys.stdin is None or not sys.stdin.isatty():
            raise CommandError("not sent: nobody is there to answer; --yes sends it unasked")
        if found.marks:
            say(f"rawscope: {REMEMBERED}")
        sys.stderr.write("Send? [y/N] ")
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in _YES:
            raise CommandError("not sent")
    if yes:
        return  # to this packet, not to all that go there
    try:
        shelf.agree(found.marks)
    except OSError as error:
        say(f"rawscope: {state_folder()}: {error.strerror}; the answer is not remembered")
