"""The capture filter of the options ``-f`` and ``--not-ssh``.

tshark leaves out its SSH session by default. Here ``--not-ssh`` asks for it, as nothing in tcpdump
leaves out packets by itself: a filter that the user did not give would hide what is being measured.
"""

from __future__ import annotations

from collections.abc import Sequence

import rich_click as click

from app.cli.output import CommandError, print_message
from core.capture.capture_filter import CaptureFilter, compile_filter
from core.capture.filter_compiler import CaptureFilterError
from core.capture.options import ANY
from core.capture.ssh_sessions import exclusion_of, find_ssh_sessions
from core.net.interface_lookup import find_interface
from core.wire.model.text import safe


def compile_for(interfaces: Sequence[str], text: str, *, not_ssh: bool) -> CaptureFilter | None:
    """Compile a filter for these interfaces.

    Raise `click.UsageError` if it is wrong, also for one of the interfaces only.
    """
    exclusion = ""
    if not_ssh:
        exclusion = exclusion_of(find_ssh_sessions())
        if not exclusion:
            print_message("rawscope: --not-ssh: no SSH session found, so none is left out")
    try:
        compiled = compile_filter(text, exclusion)
        if compiled is not None:
            for name in interfaces:
                _check_on(name, compiled)
    except CaptureFilterError as error:
        kind = "incomplete: " if error.is_incomplete else ""
        raise click.UsageError(f"-f: {kind}{error}") from error
    except OSError as error:
        raise CommandError(f"cannot query the interfaces: {error.strerror}") from error
    return compiled


def _check_on(name: str, compiled: CaptureFilter) -> None:
    """Raise if the filter is wrong for an interface. An unknown one is reported when it opens."""
    link = None if name == ANY else find_interface(name)
    if link is not None:
        try:
            compiled.program(link.hardware_type)
        except CaptureFilterError as error:
            raise CaptureFilterError(f"{safe(name)}: {error}") from error
