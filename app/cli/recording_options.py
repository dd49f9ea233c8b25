"""The options that record packets and end a capture, the same for the monitor and ``dump``.

They have the names and meanings of dumpcap (``-b``, ``-a``) and tcpdump (``-C``, ``-G``, ``-W``,
``-n``). A number without a name after ``-a`` is a duration.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import rich_click as click

from app.cli.output import CommandError
from core.wire.model.text import safe

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

STDOUT = "-"
STDOUT_NAME = "standard output"
_KILOBYTE = 1_000  # as in dumpcap
_MEGABYTE = 1_000_000  # as in tcpdump
_MOST_FILES = 100_000
_DIVIDING = ("filesize", "duration", "interval", "packets")
_FILE_OPTIONS = {
    "divide": "-b", "file_size": "-C", "file_seconds": "-G", "file_count": "-W", "force": "--force"
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recording:
    """The values of the options. `file` is empty without ``-w``.

    The capture ends after `packets` packets or `seconds`. `divide` and `stop` hold the criteria of
    ``-b`` and ``-a`` by name; `file_size`, `file_seconds`, and `file_count` are ``-C``, ``-G``, and
    ``-W``.
    """

    file: str
    packets: int | None
    seconds: float | None
    divide: dict[str, float]
    stop: dict[str, float]
    file_size: int | None
    file_seconds: int | None
    file_count: int | None
    force: bool

    @property
    def has_end(self) -> bool:
        """True if the capture ends after a number of packets or a time."""
        return self.packets is not None or self.seconds is not None


def recording_options(command: Decorated) -> Decorated:
    """Add the options that record packets, and those that end a capture."""
    positive = click.IntRange(min=1)
    for option in reversed(
        (
            click.option("-c", "count", metavar="N", type=positive, help="Stop after N packets."),
            click.option(
                "-a",
                "stop",
                metavar="SECONDS|NAME:VALUE",
                multiple=True,
                help="Stop after this many seconds, or duration:SECONDS, packets:N, filesize:KB, "
                "files:N (repeatable).",
            ),
            click.option(
                "-w",
                "file_name",
                metavar="FILE",
                help="Record to FILE: pcapng, or classic pcap for .pcap; .gz and .zst compress.",
            ),
            click.option(
                "-b",
                "divide",
                metavar="NAME:VALUE",
                multiple=True,
                help="Begin another file at filesize:KB, packets:N, duration:SECONDS, or "
                "interval:SECONDS; keep the last files:N (repeatable).",
            ),
            click.option(
                "-C", "file_size", metavar="MB", type=positive,
                help="As tcpdump: begin another file, FILE1, FILE2, …, at this many megabytes.",
            ),
            click.option(
                "-G", "file_seconds", metavar="SECONDS", type=positive,
                help="As tcpdump: begin another file after this time; FILE has a time format.",
            ),
            click.option(
                "-W", "file_count", metavar="N", type=click.IntRange(1, _MOST_FILES - 1),
                help="With -C: keep the last N files; with -G: stop after N files.",
            ),
            click.option("--force", is_flag=True, help="Replace files that exist."),
            click.option(
                "-n", "numeric", is_flag=True, hidden=True,
                help="Do nothing: rawscope never looks up names.",
            ),
        )
    ):  # fmt: skip
        command = option(command)
    return command


def take_recording(given: dict[str, Any]) -> Recording:
    """Remove the options of `recording_options` from `given`, and return what they ask for.

    Raise `click.UsageError` for options that contradict each other.
    """
    del given["numeric"]
    stop = _criteria("-a", given.pop("stop"), ("duration", "filesize", "files", "packets"))
    recording = Recording(
        file=given.pop("file_name") or "",
        packets=_least(given.pop("count"), stop.get("packets")),
        seconds=stop.get("duration"),
        divide=_criteria("-b", given.pop("divide"), (*_DIVIDING, "files")),
        stop=stop,
        file_size=given.pop("file_size"),
        file_seconds=given.pop("file_seconds"),
        file_count=given.pop("file_count"),
        force=given.pop("force"),
    )
    _check(recording)
    return recording


def _check(recording: Recording) -> None:
    """Raise `click.UsageError` for options that do not belong together."""
    divide, stop = recording.divide, recording.stop
    if recording.file:
        from core.files.writing.packing import unwritten  # --help needs nothing of it

        if problem := unwritten(recording.file):
            raise click.UsageError(f"-w {recording.file}: {problem}")
    else:
        for name, option in _FILE_OPTIONS.items():
            if getattr(recording, name):
                raise click.UsageError(
                    f"{option} applies only to files written with -w: add -w FILE"
                )
        for name in ("filesize", "files"):
            if name in stop:
                raise click.UsageError(
                    f"-a {name} applies only to files written with -w: add -w FILE"
                )
        return
    of_tcpdump = recording.file_size or recording.file_seconds
    is_divided = bool(divide) or bool(of_tcpdump)
    if divide and (of_tcpdump or recording.file_count):
        raise click.UsageError("-b cannot be combined with -C, -G, or -W")
    if "files" in divide and not set(divide) & set(_DIVIDING):
        raise click.UsageError("-b files needs a size or time of each file: add -b filesize:KB")
    if of_tcpdump and "filesize" in stop:
        raise click.UsageError("-a filesize cannot be combined with -C or -G: use -b and -a")
    if recording.file_count and not of_tcpdump:
        raise click.UsageError("-W needs a size or time of each file: add -C MB or -G SECONDS")
    if "files" in stop and not is_divided:
        raise click.UsageError("-a files counts the files of -b: add -b filesize:KB")
    if recording.file_seconds and not recording.file_size and "%" not in Path(recording.file).name:
        raise click.UsageError(
            "-G gives each file a name of its own: put a time format into the name of the file, "
            "not of its folder, as in trace-%Y%m%d-%H%M%S.pcapng"
        )
    if recording.file == STDOUT and (is_divided or "filesize" in stop or recording.force):
        raise click.UsageError("-w - writes to standard output, which is one file")


def plan_of(recording: Recording) -> Any:
    """Return the `RecordingPlan`. Imported here, because ``--help`` needs nothing of it."""
    from core.recording.plan import FileNaming, RecordingPlan, Rotation

    divide, stop = recording.divide, recording.stop
    most_files = _whole(stop.get("files"))
    is_numbered = recording.file_size is not None
    is_timed = recording.file_seconds is not None
    if is_numbered or is_timed:
        naming = FileNaming.TCPDUMP
        is_ring = is_numbered and not is_timed
        if is_timed and not is_numbered:
            most_files = _least(most_files, recording.file_count)
        size = _bytes(recording.file_size, _MEGABYTE)
        rotation = Rotation(
            # tcpdump begins another file if this one is larger
            size_bytes=None if size is None else size + 1,
            duration_s=recording.file_seconds,
            ring_files=recording.file_count if is_ring else None,
        )
    else:
        size = _bytes(_least(divide.get("filesize"), stop.get("filesize")), _KILOBYTE)
        rotation = Rotation(
            size_bytes=size,
            packets=_whole(divide.get("packets")),
            duration_s=divide.get("duration"),
            interval_s=_whole(divide.get("interval")),
            ring_files=_whole(divide.get("files")),
        )
        naming = FileNaming.DUMPCAP if divide else FileNaming.SINGLE
        if "filesize" in stop and not divide:
            most_files = 1
    count = recording.file_count
    return RecordingPlan(
        path=Path(recording.file),
        rotation=rotation,
        naming=naming,
        most_files=most_files,
        replace=recording.force,
        is_numbered=is_numbered,
        digits=len(str(count - 1)) if count is not None and count > 1 else 0,
        is_timed=is_timed,
    )


def _criteria(option: str, texts: Iterable[str], names: tuple[str, ...]) -> dict[str, float]:
    """Return the values of ``NAME:VALUE`` by name. Raise `click.UsageError`."""
    found: dict[str, float] = {}
    for text in texts:
        name, colon, number = text.partition(":")
        if not colon and option == "-a":
            name, number = "duration", text
        if name not in names:
            raise click.UsageError(f"{option} {text}: give one of {', '.join(names)}, and a value")
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        is_whole = name == "duration" or value == value // 1
        if not (0 < value < math.inf) or not is_whole:
            kind = "a positive number" if name == "duration" else "a positive whole number"
            raise click.UsageError(f"{option} {text}: {name} takes {kind}")
        if name == "files" and value >= _MOST_FILES:
            raise click.UsageError(f"{option} {text}: files must be less than {_MOST_FILES:,}")
        found[name] = value
    return found


def _least(one: float | None, other: float | None) -> int | None:
    bounds = [int(bound) for bound in (one, other) if bound is not None]
    return min(bounds, default=None)


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _bytes(value: float | None, unit: int) -> int | None:
    return None if value is None else int(value) * unit


@contextmanager
def refusals(file: str) -> Iterator[None]:
    """Raise `CommandError` for the `OSError` of a file that cannot be created."""
    try:
        yield
    except FileExistsError as error:
        raise CommandError(f"{safe(file)} exists: --force replaces it") from error
    except OSError as error:
        from core.files.writing.saving import reason  # --help needs nothing of it

        where = file if file == STDOUT_NAME else f"-w {safe(file)}"
        raise CommandError(f"{where}: {reason(error)}") from error
