"""The program: run one command line, report its failure, and return the exit status.

Exit status: 0 for success, 1 for a failure at run time, 2 for wrong usage, 128 and the number of
the signal that ended a command before its work was done. Every error is one line
on stderr that names the object, the cause and the next step; one about a filter has the filter
below it, and a mark under the place. Only ``--debug`` shows a traceback.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import rich_click as click

from app.cli.arguments import rawscope
from app.cli.commands import MarkedUsageError
from app.cli.output import (
    CommandError,
    ReaderGoneError,
    ReaderStuckError,
    abandon_stdout,
    prepare_streams,
    print_message,
)

_DONE, _FAILED, _USAGE = 0, 1, 2
_PLAIN_WORDS = {  # replace phrases in click's messages
    "is not a valid integer range": "is not a whole number",
    "is not a valid float range": "is not a number",
    "is not a valid integer": "is not a whole number",
    "is not a valid float": "is not a number",
}

# On import, numpy's linear algebra, which rawscope does not use, would start a thread for each
# processor. That takes 50 ms of a start that should take less than a second.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit status. Raise only with ``--debug``."""
    debug = "--debug" in arguments
    try:
        return rawscope.main(list(arguments), prog_name="rawscope", standalone_mode=False) or _DONE
    except MarkedUsageError as error:
        command = error.ctx.command_path if error.ctx else "rawscope"
        for line in (f"{command}: {_one_line(error.format_message())}", *error.marked):
            print_message(line)
        return _USAGE
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "rawscope"
        print_message(f"{command}: {_usage_text(_one_line(error.format_message()), command)}")
        return _USAGE
    except ReaderGoneError:
        abandon_stdout()  # the reader closed the pipe: not a failure
        return _DONE
    except ReaderStuckError as error:
        abandon_stdout()
        return 128 + error.number
    except click.Abort:
        return 128 + 2  # interrupted before the command handles signals
    except CommandError as error:
        if debug:
            raise
        print_message(f"rawscope: {_one_line(str(error))}")
        return error.status
    except Exception as error:
        if debug:
            raise
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        print_message(f"rawscope: {_one_line(reason)}; --debug shows where")
        return _FAILED


def _usage_text(message: str, command: str) -> str:
    for before, after in _PLAIN_WORDS.items():
        message = message.replace(before, after)
    if command == "rawscope dump" and "unexpected extra argument" in message:
        message += "; -r FILE reads a file"
    return message if "; see '" in message else f"{message}; see '{command} --help'"


def _one_line(message: str) -> str:
    """Return a message, which may quote the command line or a file, as one safe line."""
    from core.wire.model.text import safe

    return safe(" ".join(message.split())).rstrip(".")


def run_process() -> NoReturn:
    """Run the command line of this process, and exit with its status."""
    prepare_streams()
    sys.exit(run(sys.argv[1:]))
