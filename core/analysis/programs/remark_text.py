"""The owners of a flow as the comment on one of its packets in a file, and back.

The format, which `parse_remark` accepts only as a whole::

    comment  = owner *("; " owner)
    owner    = "process: " process *(", " process) " of " end [", " grade]
    process  = name " (" pid ")"
    name     = 1*(ALPHA / DIGIT / one of "_.+@:/~#-"), or a JSON string
    end      = address ":" port, or "[" address "]:" port
    grade    = the text of a `Grade`, except "exact", which is left out

So ``process: curl (20) of 10.0.0.1:4000; process: nginx (30) of 10.0.0.2:80, its listener`` is one.
A name of other characters is quoted, so that no name can end early or pretend another process. The
ends have to be those of the packet, each at most once; a comment of other words, or one that was
copied to another flow, names none.

The owner of an echo request has an identifier instead of a port, and perhaps the grade of a raw
socket. A comment that says so is not read back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection

from core.analysis.programs.owners import FlowOwners, Grade, Owner, Process

PREFIX = "process: "
LONGEST = 1 << 12  # characters of a comment that is read
_LARGEST_PID = 1 << 22  # PID_MAX_LIMIT, linux/threads.h
_BETWEEN = "; "

_PLAIN = r"[A-Za-z0-9_.+@:/~#-]+"
_PROCESS = rf'({_PLAIN}|"(?:[^"\\]|\\.)*") \(([1-9][0-9]{{0,6}})\)'
_WRITTEN = (Grade.SHARED, Grade.MOMENT, Grade.LISTENER)
_GRADES = {each.value: each for each in _WRITTEN}
_OWNER = re.compile(
    rf"{PREFIX}(?P<processes>{_PROCESS}(?:, {_PROCESS})*) of (?P<end>[0-9a-fA-F.:\[\]]+)"
    rf"(?:, (?P<grade>{'|'.join(map(re.escape, _GRADES))}))?"
)
_IS_PLAIN = re.compile(_PLAIN).fullmatch
_EACH_PROCESS = re.compile(_PROCESS).finditer


def remark_text(owners: FlowOwners) -> str:
    """Return the comment; empty if no process is known."""
    return _BETWEEN.join(_owner_text(owner) for owner in owners if owner.processes)


def parse_remark(text: str, ends: Collection[str]) -> FlowOwners:
    """Return the owners that a comment on a packet with these two `ends` names; none if it fails.

    Their grade is `Grade.FILE`.
    """
    if not text.startswith(PREFIX) or len(text) > LONGEST:
        return ()
    owners: dict[str, Owner] = {}
    at = 0
    while (match := _OWNER.match(text, at)) is not None:
        end, grade = match["end"], match["grade"]
        processes = _processes(match["processes"])
        if end not in ends or end in owners or not processes:
            return ()
        saved = _GRADES[grade] if grade else Grade.EXACT
        owners[end] = Owner(end, Grade.FILE, processes, saved_grade=saved)
        at = match.end()
        if at == len(text):
            return tuple(owners.values())
        if not text.startswith(_BETWEEN, at):
            return ()
        at += len(_BETWEEN)
    return ()


def _owner_text(owner: Owner) -> str:
    names = ", ".join(f"{_quoted(each.name)} ({each.pid})" for each in owner.processes)
    grade = owner.saved_grade or owner.grade
    return f"{PREFIX}{names} of {owner.end}" + ("" if grade is Grade.EXACT else f", {grade.value}")


def _quoted(name: str) -> str:
    return name if _IS_PLAIN(name) else json.dumps(name)


def _processes(text: str) -> tuple[Process, ...]:
    """Return the processes of one owner; none if one of them cannot be."""
    found: dict[int, Process] = {}
    for match in _EACH_PROCESS(text):
        word, pid = match[1], int(match[2])
        try:
            name = json.loads(word) if word.startswith('"') else word
            name.encode()  # a lone surrogate, as in "\\ud800", cannot be matched or written
        except ValueError:
            return ()
        if pid > _LARGEST_PID or pid in found:
            return ()
        found[pid] = Process(pid, name, None)
    return tuple(found.values())
