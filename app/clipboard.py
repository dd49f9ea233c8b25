"""The clipboard of the terminal, which the program reaches by OSC 52 (xterm, ctlseqs).

The sequence asks the terminal to put text on the clipboard of the host where the terminal runs,
so it works over SSH. The terminal answers nothing, and many refuse it: by default xterm and tmux,
and terminals without a clipboard. So the program never claims that text is on the clipboard. It
says where it sent the text, and offers a file instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_WITHOUT = {  # values of TERM
    "linux": "the Linux console has no clipboard",
    "dumb": "this terminal has no clipboard (TERM is dumb)",
}
NOTICE_S = 8.0  # how long the message is shown: it is two sentences
_DOUBT = "some terminals ignore that"


@dataclass(frozen=True, slots=True)
class ClipboardAccess:
    """Knowledge about the terminal's clipboard: whether OSC 52 can work.

    `refusal` says why it cannot work; it is empty if it may. `doubt` then says what may prevent it.
    """

    refusal: str = ""
    doubt: str = _DOUBT

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> ClipboardAccess:
        """Return what the environment of the process tells about its terminal."""
        term = environment.get("TERM", "")
        if "TMUX" in environment:
            return cls(doubt="tmux ignores that, unless it is set: tmux set -g set-clipboard on")
        if "STY" in environment:
            return cls(doubt="GNU screen may ignore that")
        return cls(refusal=_WITHOUT.get(term, ""))

    def notice(self, length: int) -> str:
        """Return the message after `length` characters were sent, or why they were not."""
        if self.refusal:
            return f"{self.refusal}: y, then s, saves to a file"
        characters = "1 character" if length == 1 else f"{length:,} characters"
        return (
            f"{characters} sent to the terminal for its clipboard (OSC 52); {self.doubt}. "
            "y, then s, saves to a file"
        )


UNKNOWN_ACCESS = ClipboardAccess()
