"""The program of a child process that compiles capture filters with libpcap (package cypcap).

It runs in a process of its own for three reasons: libpcap's optimizer holds the interpreter lock
and may need minutes for a filter with hundreds of ports, so the parent ends it after some seconds;
a filter that crashes libpcap does not end the monitor; and libpcap resolves names by
getaddrinfo(3), which this process restricts to local files, so a filter never causes a DNS query.

The parent writes one JSON object to standard input: ``path``, its module search path, and
``jobs``, pairs of a link type and an expression. The answer is one JSON list: for each job a list
of instructions (code, jump if true, jump if false, constant), or the text of libpcap's error.
Without cypcap the answer is an object with the reason in ``missing``.

Source: pcap-filter(7), pcap_compile(3PCAP); nss.h, __nss_configure_lookup.
"""

from __future__ import annotations

import ctypes
import json
import sys
from typing import Any

LONGEST_FRAME = 262_144  # what a program that accepts a frame returns; the caller replaces it
LOCAL_NAMES = ("hosts", "networks", "protocols", "services")  # databases, nsswitch.conf(5)

Answer = list[list[tuple[int, int, int, int]] | str] | dict[str, str]


def answer(request: dict[str, Any]) -> Answer:
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
    compiled: list[list[tuple[int, int, int, int]] | str] = []
    for link_type, expression in request["jobs"]:
        try:
            program = cypcap.compile(
                link_type, LONGEST_FRAME, expression, True, cypcap.NETMASK_UNKNOWN
            )
        except cypcap.Error as error:
            compiled.append(str(error.msg))
        else:
            compiled.append([tuple(instruction) for instruction in program])
    return compiled


if __name__ == "__main__":
    json.dump(answer(json.load(sys.stdin)), sys.stdout)
