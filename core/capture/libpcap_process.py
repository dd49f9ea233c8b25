"""The program of a child process that compiles capture filters with libpcap (package cypcap).

It runs in a process of its own for three reasons: libpcap's optimizer holds the interpreter lock
and may need minutes for a filter with hundreds of ports, so the parent ends it after some seconds;
a filter that crashes libpcap does not end the monitor; and libpcap resolves names by
getaddrinfo(3), which this process restricts to local files, so a filter never causes a DNS query.

The parent writes one JSON object to standard input: ``path``, its module search path, ``jobs``,
pairs of a link type and an expression, and ``continuations``, further pairs. The answer is an
object: ``results`` has for each job a list of instructions (code, jump if true, jump if false,
constant), or the text of libpcap's error. ``is_incomplete`` is true if all jobs failed, but a
continuation did not. Without cypcap the object has only the reason, in ``missing``.

Source: pcap-filter(7), pcap_compile(3PCAP); nss.h, __nss_configure_lookup.
"""

from __future__ import annotations

import ctypes
import json
import sys
from typing import Any

LONGEST_FRAME = 262_144  # what a program that accepts a frame returns; the caller replaces it
LOCAL_NAMES = ("hosts", "networks", "protocols", "services")  # databases, nsswitch.conf(5)

Result = list[tuple[int, int, int, int]] | str


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Compile every job of a request."""
    sys.path[:] = request["path"]
    configure = getattr(ctypes.CDLL(None), "__nss_configure_lookup", None)
    if configure is None:
        return {"missing": "they need the GNU C library, which can look up names in files only"}
    for database in LOCAL_NAMES:
        configure(database.encode(), b"files")
    try:
        import cypcap  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError as error:
        return {"missing": f"they need the package cypcap ({error}): pip install cypcap"}

    def compiled(link_type: int, expression: str) -> Result:
        try:
            program = cypcap.compile(
                link_type, LONGEST_FRAME, expression, True, cypcap.NETMASK_UNKNOWN
            )
        except cypcap.Error as error:
            return str(error.msg)
        return [tuple(instruction) for instruction in program]

    results = [compiled(*job) for job in request["jobs"]]
    has_failed = all(isinstance(one, str) for one in results)
    is_incomplete = has_failed and any(
        not isinstance(compiled(*job), str) for job in request["continuations"]
    )
    return {"results": results, "is_incomplete": is_incomplete}


if __name__ == "__main__":
    json.dump(answer(json.load(sys.stdin)), sys.stdout)
