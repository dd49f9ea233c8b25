"""Ask the user before packets leave.

The questions are on stderr; the answer is read from standard input, if that is a terminal. Without
a terminal nobody can answer, and only ``--yes`` sends; the answer is then not remembered.
"""

from __future__ import annotations

import sys

from app.cli.output import CommandError, print_message
from core.forge.review.confirmation import REMEMBERED, Examination
from core.wire.model.text import safe

_YES = frozenset({"y", "yes"})


def approve(found: Examination, yes: bool) -> bool:
    """Print the questions of a review and return the user's answer; `yes` answers all of them.

    Raises `CommandError` if nobody can answer. At ctrl+c, reports that nothing was sent, and raises
    `KeyboardInterrupt`.
    """
    for question in found.questions:
        print_message(f"rawscope: {safe(question)}")
    if yes or not found.questions:
        return True
    if sys.stdin is None or not sys.stdin.isatty():
        raise CommandError(
            "not sent: nobody can answer without a terminal; --yes sends without asking"
        )
    if found.marks:
        print_message(f"rawscope: {REMEMBERED}")
    sys.stderr.write("Send? [y/N] ")
    sys.stderr.flush()
    try:
        return sys.stdin.readline().strip().lower() in _YES
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        print_message("rawscope: not sent")
        raise
