"""The options of ``rawscope echo`` and ``rawscope iolab``.

As in `app.cli.arguments`, a command's code is imported when it runs.
"""

from __future__ import annotations

from typing import Any

import rich_click as click

from app.cli.commands import Command
from app.cli.number_ranges import FiniteRange
from app.cli.shared_options import debug_option, json_option

MOST_PORT = 0xFFFF
MOST_CLIENTS = 10_000
MOST_HIGH_WATER = 1 << 30
LONGEST_S = 86_400 * 365
LONGEST_KEEPALIVE_S = 32_767  # tcp(7), MAX_TCP_KEEPIDLE


def _checked_addresses(
    _context: click.Context, _option: click.Parameter, addresses: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the addresses. Raise `click.BadParameter` for other text."""
    from core.echo.listener import is_address

    for address in addresses:
        if not is_address(address):
            raise click.BadParameter(f"{address!r} is not an IPv4 or IPv6 address")
    return addresses


@click.command(cls=Command)
@click.option(
    "--port",
    "ports",
    metavar="N",
    type=click.IntRange(0, MOST_PORT),
    multiple=True,
    help="Listen on this port (repeatable; 0 picks a free port; default 7007).",
)
@click.option(
    "--bind",
    "addresses",
    metavar="ADDR",
    multiple=True,
    callback=_checked_addresses,
    help="Listen on this address (repeatable; default 127.0.0.1).",
)
@click.option(
    "--trigger",
    type=click.Choice(["level", "edge"]),
    default="level",
    help="level: epoll reports a client while it is ready (default); edge: only when something "
    "new arrives.",
)
@click.option(
    "--idle-timeout",
    "idle_timeout_s",
    metavar="SECONDS",
    type=FiniteRange(0, LONGEST_S),
    help="Close a client after this long without data (0: never; default 600).",
)
@click.option(
    "--keepalive",
    "keepalive_idle_s",
    metavar="SECONDS",
    type=click.IntRange(0, LONGEST_KEEPALIVE_S),
    help="Send a TCP keepalive after a peer has been silent this long (0: never; default 60).",
)
@click.option(
    "--high-water",
    metavar="BYTES",
    type=click.IntRange(1, MOST_HIGH_WATER),
    help="Stop reading while this many bytes are queued for the client (default 262144).",
)
@json_option
@debug_option
def echo(
    ports: tuple[int, ...],
    addresses: tuple[str, ...],
    trigger: str,
    as_json: bool,
    debug: bool,
    **limits: Any,
) -> int:
    """Run the epoll echo server without the screen.

    On ctrl+c or SIGTERM, the server echoes what clients have already sent and exits with status 0
    within five seconds. A second signal exits at once.
    """
    from app.cli.echo import run_echo
    from core.echo.options import EchoOptions

    options = EchoOptions(**{name: limit for name, limit in limits.items() if limit is not None})
    return run_echo(ports, addresses, trigger, as_json, options)


@click.command(cls=Command)
@click.option(
    "--models",
    metavar="A,B,C",
    multiple=True,
    help="Run only these I/O models (repeatable): blocking, polling, select, poll, epoll-level, "
    "epoll-edge, signal, io_uring.",
)
@click.option(
    "--clients",
    metavar="N",
    type=click.IntRange(1, MOST_CLIENTS),
    default=100,
    help="Open this many connections (default 100).",
)
@click.option(
    "--messages",
    metavar="N",
    type=click.IntRange(min=1),
    default=20_000,
    help="Send this many messages per model, over all connections (default 20000).",
)
@json_option
@debug_option
def iolab(models: tuple[str, ...], clients: int, messages: int, as_json: bool, debug: bool) -> int:
    """Compare I/O models on the same echo workload.

    Then measure the cost of one wake-up of select, poll, and epoll as the number of idle
    descriptors grows.
    """
    from app.cli.iolab import UnknownModelError, check_models, run_iolab

    names = [name.strip() for name in ",".join(models).split(",") if name.strip()]
    try:
        check_models(names)
    except UnknownModelError as error:
        raise click.UsageError(str(error)) from error
    return run_iolab(names, clients, messages, as_json)
