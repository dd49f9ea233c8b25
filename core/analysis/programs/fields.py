"""The fields ``process.…``, which the programs of a packet's flow give it.

They are rawscope's own; Wireshark has none. All other parts of the program derive from this list
what they know of these fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from core.analysis.programs.owners import FlowOwners, Owner, Process, with_unknown_ends

ProgramValue = str | int


@dataclass(frozen=True, slots=True)
class ProgramField:
    """A field: of each process that owns the flow (`of_process`), or of each owner (`of_owner`)."""

    name: str
    label: str
    is_number: bool = False
    of_process: Callable[[Process], ProgramValue] | None = None
    of_owner: Callable[[Owner], ProgramValue | None] | None = None

    def values(self, owners: FlowOwners) -> tuple[ProgramValue, ...]:
        """Return the values, in the order of the owners; empty texts are left out."""
        return tuple(value for value in self._each(owners) if value != "" and value is not None)

    def text(self, owners: FlowOwners) -> str:
        """Return the values in one line; an end without a name is ``?`` beside others."""
        values = self.values(owners)
        if self.name == "process.name" and values:
            values = tuple(with_unknown_ends([_process_names(each) for each in owners]))
        return ",".join(map(str, dict.fromkeys(values)))

    def _each(self, owners: FlowOwners) -> Iterator[ProgramValue | None]:
        for owner in owners:
            if self.of_owner is not None:
                yield self.of_owner(owner)
            elif self.of_process is not None:
                yield from map(self.of_process, owner.processes)


def _process_names(owner: Owner) -> list[str]:
    return [each.name for each in owner.processes if each.name]


def _grade(owner: Owner) -> str:
    return owner.grade.value


PROGRAM_FIELDS: Mapping[str, ProgramField] = {
    each.name: each
    for each in (
        ProgramField("process.name", "Program that owns the flow", of_process=lambda p: p.name),
        ProgramField("process.pid", "Process that owns the flow", True, lambda p: p.pid),
        ProgramField(
            "process.command_line", "Its command line", of_process=lambda p: p.command_line
        ),
        ProgramField("process.parent", "Name of its parent", of_process=lambda p: p.parent_name),
        ProgramField("process.uid", "User of its socket", True, of_owner=lambda o: o.uid),
        ProgramField("process.grade", "How sure that is", of_owner=_grade),
    )
}
"""All fields by name."""
