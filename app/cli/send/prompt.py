"""Asking the user before packets leave, and where the answers are kept.

The question is on stderr and its answer is read from standard input, if that is a terminal. Where
there is nobody to ask, only ``--yes`` sends; nobody was asked then, and nothing is remembered.
"""

from __future__ import annotations

import sys
from pathlib import Path

from platformdirs import user_state_path

from app.cli.output import CommandError, say
from core.forge.review.confirmation import REMEMBERED, Examination
from core.wire.model.text import safe

_YES = frozenset({"y", "yes"})


def state_folder() -> Path:
    """Where drafts, agreed destinations and the audit are. ``XDG_STATE_HOME`` is respected."""
    return user_state_path("rawscope")


def approve(found: Examination, yes: bool) -> bool:
    """Print the questions of a review and return the user's answer; `yes` answers all of them.

    Raises `CommandError` if nobody is there to answer.
    """
    for question in found.questions:
        say(f"rawscope: {safe(question)}")
    if yes or not found.questions:
        return True
    if sys.stdin is None or not sys.stdin.isatty():
        raise CommandError("not sent: nobody is there to answer; --yes sends it unasked")
    if found.marks:
        say(f"rawscope: {REMEMBERED}")
    sys.stderr.write("Send? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in _YES
