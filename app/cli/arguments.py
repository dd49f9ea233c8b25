"""The command lines of the monitor, ``dump``, ``interfaces``, ``fields``, and ``filter``.

This module only parses arguments. Each command is implemented in a module of `app.cli`, which is
imported when the command runs. So ``--help`` imports nothing but click, and the headless commands
never import Textual. Short options mean what they mean in tshark and tcpdump.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rich_click as click
from click.core import ParameterSource

from app.cli.commands import Commands, version_option
from app.cli.packet_source import PacketSource
from app.cli.recording_options import (
    STDOUT,
    Recording,
    recording_options,
    take_recording,
)
from app.cli.shared_options import (
    compiled_filter,
    debug_option,
    input_options,
    selection_of,
)
from core.capture.options import Method

if TYPE_CHECKING:
    from core.wire.model.decode_rules import DecodeRules

LOOPBACK = "lo"
_SETTINGS = {"help_option_names": ["-h", "--help"]}


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings=_SETTINGS,
    subcommand_metavar="[FILE | COMMAND [ARGS]...]",
)
@input_options
@recording_options
@debug_option
@click.option(
    "--demo", is_flag=True, help="Capture on loopback, where rawscope runs sample conversations."
)
@click.option(
    "-Y",
    "display_filter",
    metavar="FILTER",
    help="Show only packets that pass this display filter.",
)
@version_option
@click.pass_context
def rawscope(
    context: click.Context,
    /,
    demo: bool,
    display_filter: str | None,
    debug: bool,
    **given: Any,
) -> int | None:
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
        if given["files"]:
            raise click.UsageError(f"-r and '{named}' each name a file: give one of them")
        given["files"] = (named,)
    if demo:
        if given["interfaces"] or given["files"]:
            raise click.UsageError("--demo watches loopback: it takes neither -i nor a file")
        given["interfaces"] = (LOOPBACK,)
    recording = take_recording(given)
    source = _packet_source(**given)
    _check_monitor_recording(source, recording)
    if display_filter is not None:
        compiled_filter(display_filter)
    from app.cli.monitor import run_monitor

    return run_monitor(source, demo, display_filter or "", recording)


@rawscope.command()
@input_options
@debug_option
@recording_options
@click.option(
    "-Y",
    "display_filter",
    metavar="FILTER",
    help="Print or write only packets that pass this display filter; -c counts these.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object per line, for each packet."
)
@click.option(
    "--fields",
    metavar="A,B,C",
    help="Print only these fields, separated by tabs, or by name with --json; 'rawscope fields' "
    "lists them.",
)
@click.option("--hex", "as_hex", is_flag=True, help="Print the bytes, too, in hex and ASCII.")
@click.option("--raw", is_flag=True, help="Add the captured bytes (frame.raw); requires --json.")
@click.option("--no-reassembly", is_flag=True, help="Read each IP fragment as captured, alone.")
@click.option(
    "--secrets",
    is_flag=True,
    help="With -r and -w: copy decryption secrets, too. They let others read the traffic.",
)
@click.pass_context
def dump(
    context: click.Context,
    /,
    display_filter: str | None,
    as_json: bool,
    fields: str | None,
    as_hex: bool,
    raw: bool,
    no_reassembly: bool,
    secrets: bool,
    debug: bool,
    **given: Any,
) -> int:
    """Print packets, one per line, live or from a file; or write them to a file."""
    recording = take_recording(given)
    source = _packet_source(**given)
    _check_dump_source(context, source, recording)
    if recording.file and (as_json or as_hex or raw or fields is not None):
        raise click.UsageError("-w writes packets instead of printing: drop the options of lines")
    lines = {"as_json": as_json, "raw": raw, "as_hex": as_hex, "fields": fields}
    if as_hex and (as_json or fields is not None):
        raise click.UsageError("--hex excludes --json and --fields")
    if raw and (not as_json or fields is not None):
        raise click.UsageError("--raw requires --json, without --fields: add frame.raw to these")
    selection = selection_of(display_filter)
    if secrets and not (source.files and recording.file):
        raise click.UsageError("--secrets is about a file that is converted: add -r FILE -w FILE")
    from app.cli.dump.decoded_packets import Decoding
    from app.cli.dump.outputs import file_output, packet_output
    from core.wire.model.decode_rules import NO_RULES

    decoding = Decoding(not no_reassembly, source.decode_rules or NO_RULES)
    make_output = packet_output(
        recording, selection, is_live=not source.files, decoding=decoding, **lines
    )
    if source.files:
        from app.cli.dump.dump_file import dump_file

        to_file = file_output(
            source, recording, selection, keeps_secrets=secrets, decoding=decoding
        )
        make_file_output = to_file or (lambda enough, signal, _: make_output(enough, signal))
        return dump_file(source.files, make_file_output, follows=source.follows)
    from app.cli.dump.dump_live import dump_live
    from core.net.sockets import LOCAL_SOCKETS

    # Only the output knows which packets pass.
    count = recording.packets if selection is None else None
    options = source.capture_options()
    return dump_live(options, LOCAL_SOCKETS, make_output, count, recording.seconds)


@rawscope.command()
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object per line, for each interface."
)
@debug_option
def interfaces(as_json: bool, debug: bool) -> int:
    """List the network interfaces: names, index, state, kind, MTU, MAC, and IP addresses."""
    from app.cli.interfaces import run_interfaces

    return run_interfaces(as_json)


@rawscope.command()
@click.argument("prefix", default="")
@debug_option
def fields(prefix: str, debug: bool) -> int:
    """List the field names that begin with PREFIX: width, unit, and meaning of each.

    Without PREFIX, list all field names. Names marked 'not in filters' are for 'dump --fields', not
    for 'dump -Y'.
    """
    from app.cli.fields import run_fields

    return run_fields(prefix)


@rawscope.command(context_settings={"ignore_unknown_options": True})  # a filter may begin with -
@click.argument("expression", metavar="EXPR")
@debug_option
def filter(expression: str, debug: bool) -> int:
    """Check the display filter EXPR: print 'valid', or where and why it is not.

    The exit status is 0 for a valid filter, else 2. 'dump -Y' prints the packets that pass.
    $name(ARGUMENTS) uses a macro of the configuration file. Names of fields and the language are
    Wireshark's (version 4.6):

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


def _was_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE


def _check_monitor_recording(source: PacketSource, recording: Recording) -> None:
    """Raise `click.UsageError` for a recording that the monitor cannot make."""
    if recording.file == STDOUT:
        raise click.UsageError("-w - writes to standard output: 'rawscope dump -w -' does that")
    if source.files and (recording.file or recording.has_end):
        raise click.UsageError(
            "-w, -a, and -c are about a capture: 'rawscope dump -r FILE -w FILE' converts a file"
        )
    if recording.has_end and not source.interfaces:
        raise click.UsageError("-a and -c end a capture: add -i IFACE")


def _check_dump_source(context: click.Context, source: PacketSource, recording: Recording) -> None:
    if not source.files:
        if not source.interfaces:
            raise click.UsageError("no source of packets: give -i IFACE or -r FILE")
        return
    about_capturing = {
        "snap_length": "-s", "no_promiscuous": "-p", "method": "--source"
    }  # fmt: skip
    if recording.seconds is not None:
        raise click.UsageError("-a applies to capturing: do not combine it with -r")
    for name, option in about_capturing.items():
        if _was_given(context, name):
            raise click.UsageError(f"{option} applies to capturing: do not combine it with -r")


def _packet_source(
    interfaces: tuple[str, ...],
    files: tuple[str, ...],
    follows: bool,
    snap_length: int,
    no_promiscuous: bool,
    method: Method,
    decode_as: tuple[str, ...],
    capture_filter: str | None,
    not_ssh: bool,
) -> PacketSource:
    if interfaces and files:
        raise click.UsageError("-i captures, and a file is read: give one of them")
    if files.count("-") > 1:
        raise click.UsageError("'-r -' reads standard input: give it once")
    if follows and (len(files) != 1 or files == ("-",)):
        raise click.UsageError("--follow waits for one file to grow: give one -r FILE")
    compiled = None
    if capture_filter or not_ssh:
        from app.cli.capture_filters import compile_for

        if files:
            option = "-f" if capture_filter else "--not-ssh"
            raise click.UsageError(
                f"{option} applies to capturing: do not combine it with a file; "
                "-Y filters the packets of a file"
            )
        compiled = compile_for(interfaces, capture_filter or "", not_ssh=not_ssh)
    return PacketSource(
        interfaces,
        files,
        snap_length,
        not no_promiscuous,
        method,
        compiled,
        follows,
        _decode_rules(decode_as) if decode_as else None,
    )


def _decode_rules(texts: tuple[str, ...]) -> DecodeRules:
    from app.cli.decode_as import DecodeAsError, decode_rules

    try:
        return decode_rules(texts)
    except DecodeAsError as error:
        raise click.UsageError(f"-d {error}") from error
