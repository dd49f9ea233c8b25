"""The rows of the detail tree that tell the programs of a packet's flow, under the frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from core.analysis.programs.owners import UNNAMED, FlowOwners, Grade, Owner, Process, owners_text
from core.wire.model.text import safe
from core.wire.present.detail_row import Row

_REMARKS = {
    Grade.SHARED: "several sockets take the packets of this port",
    Grade.RAW: "probably: a raw socket tells no identifier, and no other one can send ICMP",
    Grade.MOMENT: "its socket is closed since",
    Grade.LISTENER: "it listens here; the connection's own socket was not seen",
    Grade.FILE: "a comment that rawscope saved names it",
    Grade.OTHER_USER: "another user's: rawscope may not read whose process it is",
    Grade.GONE: "its socket was closed before rawscope asked",
}


def with_program_rows(rows: Sequence[Row], owners: FlowOwners) -> tuple[Row, ...]:
    """Return the rows of a packet's tree with what is known of its programs."""
    if not owners:
        return tuple(rows)
    found = tuple(row for owner in owners for row in _rows(owner))
    words = safe(owners_text(owners))
    return tuple(
        replace(row, meaning=words, children=(*row.children, *found)) if row.key == "frame" else row
        for row in rows
    )


def _rows(owner: Owner) -> Iterator[Row]:
    remark = _REMARKS.get(owner.grade, "")
    place = f"of {owner.end}"
    if not owner.processes:
        words = f"{owner.grade.value}, {place}"
        yield Row("process.grade", "Process", words, remark, field="process.grade",
                  raw=owner.grade.value)  # fmt: skip
        if owner.grade is Grade.OTHER_USER:
            yield _row("uid", "User of its socket", owner.uid)
        return
    for process in owner.processes:
        meaning = f"{place}: {owner.grade.value}" + (f", {remark}" if remark else "")
        yield Row("process.name", "Process", safe(process.name) or UNNAMED, meaning,
                  field="process.name", raw=process.name or None)  # fmt: skip
        yield _row("pid", "Process number", process.pid)
        if owner.grade is not Grade.FILE:  # which has only names and numbers
            yield from _details(process)


def _details(process: Process) -> Iterator[Row]:
    if process.command_line:
        yield _row("command_line", "Command line", process.command_line)
    if process.parent_name:
        parent = f"({process.parent_pid})"
        yield _row("parent", "Parent", process.parent_name, parent)
    if process.uid is None:
        yield Row("process.uid", "User", "unknown", "rawscope may not read it")
    else:
        yield _row("uid", "User", process.uid)


def _row(name: str, label: str, value: str | int | None, meaning: str = "") -> Row:
    key = f"process.{name}"
    text = "" if value is None else safe(str(value))
    return Row(key, label, text, meaning, field=key, raw=value)
