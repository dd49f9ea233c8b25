"""Drive the steps of sending from a terminal: ask the user, and let signals stop it."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack

from app.cli.interrupts import Interrupts
from app.cli.output import print_message
from app.cli.send.prompt import approve
from core.forge.review.confirmation import Examination
from core.wire.model.text import safe


class TerminalPrompter:
    """The driver of `core.forge.pipeline.carry_out` at a terminal. `stack` closes signal handlers.

    `yes` answers every question, and then nothing is remembered. Signals keep their default effect
    until the first wait: ctrl+c at a question ends the program.
    """

    def __init__(self, yes: bool, stack: ExitStack) -> None:
        self.remembers = not yes
        self._yes = yes
        self._stack = stack
        self._interrupts: Interrupts | None = None

    @property
    def interrupts(self) -> Interrupts:
        """The signals since the first wait; handles them from now on."""
        if self._interrupts is None:
            self._interrupts = self._stack.enter_context(Interrupts())
        return self._interrupts

    def approve(self, found: Examination) -> bool:
        """Ask on the terminal. Raises `CommandError` if standard input is not a terminal."""
        return approve(found, self._yes)

    def waiting(self) -> AbstractContextManager[object]:
        """Return a context in which a signal raises `StoppedError`."""
        return self.interrupts.waiting()

    def stopped(self) -> bool:
        """Return True once a signal asked to stop."""
        return self._interrupts is not None and self._interrupts.stopped

    def warn(self, notes: tuple[str, ...]) -> None:
        """Print the notes on standard error."""
        for note in notes:
            print_message(f"rawscope: {safe(note)}")
