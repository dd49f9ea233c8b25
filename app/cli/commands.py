"""The classes of the commands: their help, and the choice between a command and a file.

``rawscope trace.pcap`` opens a file, ``rawscope dump`` runs a command. The first word that is not
an option decides: the name of a command is that command, and ``./dump`` is the file of that name.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

import rich_click as click

from app.cli.output import print_text

STANDARD_INPUT = "-"
_INTERFACES = "/sys/class/net"
_LIKENESS = 0.7  # of a misspelled command: 'dmup' is 0.75 like 'dump', 'nofile' 0.67 like 'filter'
Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class MarkedUsageError(click.UsageError):
    """Wrong usage because of a text. `marked` are the lines that show the place in it."""

    def __init__(self, message: str, marked: tuple[str, str]) -> None:
        super().__init__(message)
        self.marked = marked


class Command(click.RichCommand):
    """A command whose help reports a failed write as its data does.

    An option that takes one value may be given once.
    """

    def make_parser(self, ctx: click.Context) -> Any:
        return _refusing_repetition(super().make_parser(ctx), ctx)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        return _with_checked_help(super().get_help_option(ctx))  # type: ignore[arg-type]


class Commands(click.RichGroup):
    """The subcommands, or the file to open. Commands of other modules are imported when needed.

    ``send`` has an option for every header field. Building them takes 50 ms, which the monitor
    avoids.
    """

    MODULES = {
        "echo": "app.cli.echo_arguments",
        "follow": "app.cli.analysis.follow_arguments",
        "flows": "app.cli.analysis.flow_arguments",
        "iolab": "app.cli.echo_arguments",
        "replay": "app.cli.replay_arguments",
        "send": "app.cli.send_arguments",
        "stats": "app.cli.analysis.stats_arguments",
    }
    command_class = Command

    def make_parser(self, ctx: click.Context) -> Any:
        return _refusing_repetition(super().make_parser(ctx), ctx)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        return _with_checked_help(super().get_help_option(ctx))  # type: ignore[arg-type]

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *self.MODULES])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.MODULES:
            return super().get_command(ctx, cmd_name)
        command: click.Command = getattr(import_module(self.MODULES[cmd_name]), cmd_name)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words. Without a command, the files to open are in ``ctx.args``.

        Options may stand after a file. Raises `click.UsageError` for a word that is neither a
        command nor a file.
        """
        _, words, _ = self.make_parser(ctx).parse_args(list(args))
        commands = self.list_commands(ctx)
        if not words or words[0] in commands:
            return super().parse_args(ctx, args)
        is_found = words[0] == STANDARD_INPUT or os.path.lexists(words[0])
        if not is_found and not ctx.resilient_parsing:  # which is for the completion of a shell
            raise click.UsageError(_not_found(words[0], commands), ctx)
        ctx.allow_interspersed_args = True
        return click.RichCommand.parse_args(self, ctx, args)

    def file_of(self, ctx: click.Context) -> str | None:
        """Return the file that the user named without ``-r``, or None.

        Raises `click.UsageError` for several words.
        """
        if not ctx.args:
            return None
        file, *others = ctx.args
        for command in set(others) & set(self.list_commands(ctx)):
            raise click.UsageError(
                f"a command comes first: 'rawscope {command} …'; "
                f"'./{command}' is a file of that name"
            )
        if others:
            raise click.UsageError(
                f"rawscope opens one file: '{file}' or '{others[0]}'; mergecap joins files"
            )
        return file


def _refusing_repetition(parser: Any, ctx: click.Context) -> Any:
    """Return a parser that raises `click.UsageError` if an option with one value is repeated.

    click would use the last value, and ignore the others without a word.
    """
    parse = parser.parse_args

    def parse_args(args: list[str]) -> Any:
        found = parse(args)
        given = [one for one in found[2] if isinstance(one, click.Option)]
        for option in given:
            is_single = not (option.multiple or option.is_flag or option.count)
            if is_single and given.count(option) > 1 and not ctx.resilient_parsing:
                hint = "; mergecap joins files" if option.name == "file" else ""
                raise click.UsageError(f"{option.opts[0]} is given twice: give it once{hint}", ctx)
        return found

    parser.parse_args = parse_args
    return parser


def _not_found(word: str, commands: list[str]) -> str:
    """Return the message about a word that is neither a command nor a file."""
    message = f"'{word}': no such file, and no such command"
    if os.path.exists(os.path.join(_INTERFACES, word)):
        return f"{message}; to capture on that interface: 'rawscope -i {word}'"
    from difflib import get_close_matches

    near = get_close_matches(word, commands, n=1, cutoff=_LIKENESS)
    return f"{message}; the nearest command is '{near[0]}'" if near else message


def version_option(command: Decorated) -> Decorated:
    """Add ``--version``."""

    def show(context: click.Context, _option: click.Parameter, is_wanted: bool) -> None:
        if is_wanted and not context.resilient_parsing:
            from importlib.metadata import version  # takes 20 ms

            print_text(f"rawscope, version {version('rawscope')}")
            context.exit()

    return click.option(
        "-V",
        "--version",
        is_flag=True,
        expose_value=False,
        is_eager=True,
        help="Show the version and exit.",
        callback=show,
    )(command)


def _with_checked_help(option: click.Option | None) -> click.Option | None:
    """Let ``--help`` print through `CommandOutput`, which reports a failed write in one line."""

    def show(context: click.Context, _option: click.Parameter, is_wanted: bool) -> None:
        if is_wanted and not context.resilient_parsing:
            print_text(context.get_help())
            context.exit()

    if option is not None:
        option.callback = show
    return option
