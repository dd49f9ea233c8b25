"""Give up capabilities, so that the kernel treats root like an ordinary user.

Another user id would have the same effect, but that user could not read a checkout that only its
owner may read. Giving up capabilities needs no privilege, so this works for every user
(capabilities(7)).
"""

from __future__ import annotations

import ctypes
import os
import runpy
import sys

CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_NET_RAW = 1, 2, 13  # linux/capability.h
_VERSION_3 = 0x20080522
_THIS_THREAD = 0

READING_FILES = frozenset({CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH})
"""The capabilities with which root reads a checkout of another user."""

ON_A_REFUSED_TERMINAL = f"""\
import os, runpy
from tests.helpers.unprivileged import drop_capabilities
os.fchmod(1, 0)
drop_capabilities(frozenset({{{CAP_DAC_READ_SEARCH}, {CAP_NET_RAW}}}))
runpy.run_module("app", run_name="__main__", alter_sys=True)
"""
"""A program for ``python -c``: rawscope on a terminal that it may not open, like another user's."""


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    """One half of the capability sets: numbers 0 to 31 or 32 to 63."""

    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def drop_capabilities(kept: frozenset[int] = READING_FILES) -> None:
    """Give up all capabilities of this thread but those in `kept`.

    Call it before other threads start. Raises OSError.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    header, halves = _Header(_VERSION_3, _THIS_THREAD), (_Sets * 2)()
    if libc.capget(ctypes.byref(header), halves):
        raise OSError(ctypes.get_errno(), "capget")
    for number, half in enumerate(halves):
        mask = sum(1 << one % 32 for one in kept if one // 32 == number)
        half.effective &= mask
        half.permitted &= mask
        half.inheritable &= mask
    if libc.capset(ctypes.byref(header), halves):
        raise OSError(ctypes.get_errno(), "capset: " + os.strerror(ctypes.get_errno()))


def main() -> None:
    """Run the module that the first argument names, with the other arguments."""
    drop_capabilities()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
