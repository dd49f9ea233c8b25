"""The command line: parses arguments and returns the exit status.

Theory
------
This module only parses arguments. Each command is implemented in a module of `app.cli`, which is
imported when the command runs. So ``--help`` imports nothing but click, and the headless commands
never import Textual.

Exit status: 0 for success, 1 for a failure at run time, 2 for wrong usage. Every error is one line
on stderr that names the object, the cause and the next step; only ``--debug`` shows a traceback.
Short options mean what they mean in tshark and tcpdump.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import rich_click as click
from click.core import ParameterSource

from app.cli.commands import Commands, version_option
from app.cli.number_ranges import FiniteRange
from app.cli.output import (
    CommandError,
    ReaderGoneError,
    ReaderStuckError,
    abandon_stdout,
    prepare_streams,
    print_message,
)
from app.cli.packet_source import PacketSource
from core.capture.options import DEFAULT_SNAP_LENGTH, Method

if TYPE_CHECKING:
    from app.cli.dump.selection import Selection

_DONE, _FAILED, _USAGE = 0, 1, 2
LOOPBACK = "lo"
_SETTINGS = {"help_option_names": ["-h", "--help"]}
_PLAIN_WORDS = {  # replace phrases in click's messages
    "is not a valid integer range": "is not a whole number",
    "is not a valid float range": "is not a number",
    "is not a valid integer": "is not a whole number",
    "is not a valid float": "is not a number",
}

# On import, numpy's linear algebra, which rawscope does not use, would start a thread for each
# processor. That takes 50 ms of a start that should take less than a second.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def _input_options(command: Decorated) -> Decorated:
    """Add the options that select the source of packets, the same for monitor and dump."""
    for option in reversed(
        (
            click.option(
                "-i",
                "interfaces",
                metavar="IFACE",
                multiple=True,
                help="Capture on this interface (name, alternative name, or index; repeatable); "
                "'any' means all.",
            ),
            click.option(
                "-r", "file", metavar="FILE", help="Read this capture file; '-' is standard input."
            ),
            click.option(
                "-s",
                "snap_length",
                metavar="SNAPLEN",
                type=click.IntRange(1, DEFAULT_SNAP_LENGTH),
                default=DEFAULT_SNAP_LENGTH,
                help=f"Keep at most this many bytes of a frame (default {DEFAULT_SNAP_LENGTH}).",
            ),
            click.option(
                "-p",
                "no_promiscuous",
                is_flag=True,
                help="Turn promiscuous mode off (default: on).",
            ),
            click.option(
                "--source",
                "method",
                type=click.Choice(["ring", "datagram", "inet"]),
                default="ring",
                help="How to receive frames: ring (shared memory; default), datagram (one system "
                "call per frame), or inet (IPv4 packets only, through a raw socket).",
            ),
            click.option("--debug", is_flag=True, help="Show a traceback on failure."),
        )
    ):
        command = option(command)
    return command


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings=_SETTINGS,
    subcommand_metavar="[FILE | COMMAND [ARGS]...]",
)
@_input_options
@click.option(
    "--demo", is_flag=True, help="Capture on loopback, where rawscope runs sample conversations."
)
@version_option
@click.pass_context
def rawscope(context: click.Context, /, demo: bool, debug: bool, **given: Any) -> int | None:
    """Capture, inspect, and send packets.

    Without a command, rawscope opens the full-screen monitor: on a capture FILE, on the interfaces
    that -i names, or on one that you choose there. './dump' is a file named like a command.

    The monitor reads ~/.config/rawscope/config.toml ($XDG_CONFIG_HOME/rawscope/config.toml): keys,
    and whether sent packets are recorded. The README shows an example.
    """
    if context.invoked_subcommand is not None:
        if any(_was_given(context, name) for name in context.params if name != "debug"):
            raise click.UsageError(
                f"options of the monitor come before '{context.invoked_subcommand}': "
                f"put them after it"
            )
        return None
    if (named := rawscope.file_of(context)) is not None:
        if given["file"] is not None:
            raise click.UsageError(f"-r and '{named}' each name a file: give one of them")
        given["file"] = named
    if demo:
        if given["interfaces"] or given["file"] is not None:
            raise click.UsageError("--demo watches loopback: it takes neither -i nor a file")
        given["interfaces"] = (LOOPBACK,)
    source = _packet_source(**given)
    from app.cli.monitor import run_monitor

    return run_monitor(source, demo)


@rawscope.command()
@_input_options
@click.option(
    "-c", "count", metavar="N", type=click.IntRange(min=1), help="Stop after this many packets."
)
@click.option(
    "-a",
    "seconds",
    metavar="SECONDS",
    type=FiniteRange(min=0, min_open=True),
    help="Stop capturing after this many seconds.",
)
@click.option(
    "-Y",
    "display_filter",
    metavar="FILTER",
    help="Print only packets that pass this display filter; -c counts these.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object per line, for each packet."
)
@click.option(
    "--fields",
    metavar="A,B,C",
    help="Print only these fields, separated by tabs; 'rawscope fields' lists them.",
)
@click.option("--hex", "as_hex", is_flag=True, help="Print the bytes, too, in hex and ASCII.")
@click.option("--raw", is_flag=True, help="Add the captured bytes (frame.raw); requires --json.")
@click.pass_context
def dump(
    context: click.Context,
    /,
    count: int | None,
    seconds: float | None,
    display_filter: str | None,
    as_json: bool,
    fields: str | None,
    as_hex: bool,
    raw: bool,
    debug: bool,
    **given: Any,
) -> int:
    """Print packets, one per line, live or from a file."""
    source = _packet_source(**given)
    _check_dump_source(context, source)
    if as_json + (fields is not None) + as_hex > 1:
        raise click.UsageError("--json, --fields, and --hex exclude each other")
    if raw and not as_json:
        raise click.UsageError("--raw requires --json")
    from app.cli.dump.formats import UnknownFieldError, choose_format

    try:
        line_format = choose_format(as_json=as_json, raw=raw, as_hex=as_hex, fields=fields)
    except UnknownFieldError as error:
        raise click.UsageError(str(error)) from error
    selection = None if display_filter is None else _selection(display_filter)
    if source.file is not None:
        from app.cli.dump.dump_file import print_file

        return print_file(source.file, line_format, count, selection)
    from app.cli.dump.dump_live import print_live
    from core.net.sockets import LOCAL_SOCKETS

    options = source.capture_options()
    return print_live(options, LOCAL_SOCKETS, line_format, count, seconds, selection)


@rawscope.command()
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object per line, for each interface."
)
@click.option("--debug", is_flag=True, help="Show a traceback on failure.")
def interfaces(as_json: bool, debug: bool) -> int:
    """List the network interfaces: names, index, state, kind, MTU, MAC, and IP addresses."""
    from app.cli.interfaces import run_interfaces

    return run_interfaces(as_json)


@rawscope.command()
@click.argument("prefix", default="")
@click.option("--debug", is_flag=True, help="Show a traceback on failure.")
def fields(prefix: str, debug: bool) -> int:
    """List the field names that begin with PREFIX: width, unit, and meaning of each.

    Without PREFIX, list all field names. Names marked 'filters only' are for 'dump -Y', not for
    'dump --fields'.
    """
    from app.cli.fields import run_fields

    return run_fields(prefix)


@rawscope.command(context_settings={"ignore_unknown_options": True})  # a filter may begin with -
@click.argument("expression", metavar="EXPR")
@click.option("--debug", is_flag=True, help="Show a traceback on failure.")
def filter(expression: str, debug: bool) -> int:
    """Check the display filter EXPR: print 'valid', or where and why it is not.

    The exit status is 0 for a valid filter, else 2. 'dump -Y' prints the packets that pass. Names
    of fields and the language are Wireshark's (version 4.6):

    \b
    tcp                           the packet has a TCP header
    ip.addr == 10.0.0.0/8         some address is in this network
    ip.addr != 10.0.0.1           no address is this one
    ip.ttl === 64                 all are equal; !==: some differ
    ip.ttl < 64                   also <=, >, >=
    tcp.port in {80, 8000..8080}  one of these or in this range; not in
    tcp contains "GET"            the header and its data have these bytes
    frame matches "^GET /[a-z]"   a regular expression; ignores case
    arp or not ip and udp         'not' binds first, then and, xor, or
    all ip.ttl > 9                every value, in tunnels too; any: one
    eth.src[0:3] == 00:1b:21      3 bytes from byte 0; [1], [2-4], [-2:]
    len(udp.payload) > 100        also count(), string(), lower(), upper(),
                                  min(), max(), abs()
    ip.src#2 == 10.0.0.1          in the second IP header; #[-1]: the last
    udp.length == ip.len - 20     + - * / % &, with { } around parts
    @ip.len == 00:28              the bytes of a field
    ip.src == ${ip.src}           that of the selected packet; dump has
                                  none, so nothing passes
    """
    from app.cli.filter import run_filter

    return run_filter(expression)


def _selection(text: str) -> Selection:
    """Return the packets that pass a filter. Raise `click.UsageError` if it is wrong."""
    from app.cli.dump.selection import Selection
    from core.analysis.filter.display_filter import compile_filter
    from core.analysis.filter.fields.catalog import CATALOG
    from core.analysis.filter.language.errors import FilterError

    try:
        return Selection(compile_filter(text, CATALOG))
    except FilterError as error:
        message = f"-Y, column {error.column}: {error}; 'rawscope filter' marks the place"
        raise click.UsageError(message) from error


def _was_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE


def _check_dump_source(context: click.Context, source: PacketSource) -> None:
    if source.file is None:
        if not source.interfaces:
            raise click.UsageError("no source of packets: give -i IFACE or -r FILE")
        return
    about_capturing = {
        "seconds": "-a", "snap_length": "-s", "no_promiscuous": "-p", "method": "--source"
    }  # fmt: skip
    for name, option in about_capturing.items():
        if _was_given(context, name):
            raise click.UsageError(f"{option} applies to capturing: do not combine it with -r")


def _packet_source(
    interfaces: tuple[str, ...],
    file: str | None,
    snap_length: int,
    no_promiscuous: bool,
    method: Method,
) -> PacketSource:
    if interfaces and file is not None:
        raise click.UsageError("-i captures, and a file is read: give one of them")
    return PacketSource(interfaces, file, snap_length, not no_promiscuous, method)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit status. Raise only with ``--debug``."""
    debug = "--debug" in arguments
    try:
        return rawscope.main(list(arguments), prog_name="rawscope", standalone_mode=False) or _DONE
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
        return _FAILED
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
