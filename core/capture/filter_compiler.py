"""Compile capture filters by libpcap, in a child process. See `core.capture.libpcap_process`.

A compilation takes about a tenth of a second, most of it for starting the process, and blocks: call
it on a thread of its own while a user types.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from core.capture import libpcap_process
from core.capture.bpf import BPF_JA, BPF_MAXINSNS, Program
from core.wire.model.text import safe

LIMIT_S = 20.0
_UNKNOWN_HOST = "unknown host"  # the beginning of libpcap's error
_LOCAL_ONLY = "; only /etc/hosts is searched for names: write the address"
_LOOPS = "'protochain' needs a loop, which the kernel does not run: name a protocol by 'proto'"


class CaptureFilterError(Exception):
    """The text is not a capture filter, or cannot be compiled here. One line, libpcap's words.

    `is_incomplete` is True if more text may make it one.
    """

    def __init__(self, message: str, *, is_incomplete: bool = False) -> None:
        super().__init__(message)
        self.is_incomplete = is_incomplete


def compile_expressions(
    jobs: Sequence[tuple[int, str]],
    limit_s: float = LIMIT_S,
    *,
    continuations: Sequence[tuple[int, str]] = (),
) -> list[Program | CaptureFilterError]:
    """Compile pairs of a link type (DLT_*, pcap/dlt.h) and an expression.

    Return a program for each, or the error; errors are incomplete if all pairs fail, and one of the
    `continuations` does not. The programs return 0 for a frame that they reject. Raise
    `CaptureFilterError` if nothing can be compiled.
    """
    request = json.dumps({"path": sys.path, "jobs": jobs, "continuations": continuations})
    command = [sys.executable, "-S", "-P", str(Path(libpcap_process.__file__))]
    try:
        done = subprocess.run(
            command, input=request.encode(), capture_output=True, timeout=limit_s, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise CaptureFilterError(
            f"libpcap needs more than {limit_s:.0f} s for this filter; "
            "shorten it: 'portrange' and 'net' stand for many ports and hosts"
        ) from error
    except OSError as error:
        raise CaptureFilterError(f"cannot start the filter compiler: {error.strerror}") from error
    if done.returncode < 0:
        signal = f"signal {-done.returncode}"
        raise CaptureFilterError(f"libpcap crashed ({signal}) on this filter; write it differently")
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise CaptureFilterError(safe(f"the filter compiler failed: {last or done.returncode}"))
    answer = json.loads(done.stdout)
    if "missing" in answer:
        raise CaptureFilterError(f"no capture filters here: {answer['missing']}")
    return [_program_or_error(one, answer["is_incomplete"]) for one in answer["results"]]


def _program_or_error(
    one: list[list[int]] | str, is_incomplete: bool
) -> Program | CaptureFilterError:
    if isinstance(one, str):
        hint = _LOCAL_ONLY if one.startswith(_UNKNOWN_HOST) else ""
        return CaptureFilterError(safe(one) + hint, is_incomplete=is_incomplete)
    if any(code == BPF_JA and constant > BPF_MAXINSNS for code, _true, _false, constant in one):
        return CaptureFilterError(_LOOPS)
    return tuple((code, true, false, constant) for code, true, false, constant in one)
