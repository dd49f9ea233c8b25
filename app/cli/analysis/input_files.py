"""The options of the commands that analyze capture files: which files, and which packets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import rich_click as click

from app.cli.commands import STANDARD_INPUT

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

files_option = click.option(
    "-r",
    "files",
    metavar="FILE",
    multiple=True,
    help="Read this capture file; '-' is standard input. Several (repeatable) are merged by time.",
)
named_files = click.argument("named", metavar="[FILE]...", nargs=-1)
filter_option = click.option(
    "-Y",
    "display_filter",
    metavar="FILTER",
    help="Count only packets that pass this display filter.",
)


def input_files(files: tuple[str, ...], named: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the files of -r and those that are named without it.

    Raise `click.UsageError` without a file, and if two of them are standard input.
    """
    found = (*files, *named)
    if not found:
        raise click.UsageError("no capture file: name one, or give -r FILE")
    if found.count(STANDARD_INPUT) > 1:
        raise click.UsageError("'-r -' reads standard input: give it once")
    return found
