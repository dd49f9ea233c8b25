"""The dialog that loads a draft into the form."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from app.screens.dialogs.dialog import Dialog
from app.screens.dialogs.palette import Options
from core.forge.compose.draft import Draft
from core.forge.compose.layer_kinds import destination_keys
from core.forge.compose.templates import TEMPLATES
from core.forge.journal.send_journal import SendJournal
from core.wire.model.text import safe
from widgets.lines.cells import cut

NAME_WIDTH = 32
LINE_WIDTH = 92
FRAME_WIDTH = 8  # columns beside a line: frames, padding, the scroll bar
HISTORY_SHOWN = 50
_DRAFTS_HINT = "enter loads it into the form · d deletes a saved draft"

NOT_DELETED = {
    "Before": "the form's previous content cannot be deleted",
    "Templates": "templates cannot be deleted",
    "Sent": "the drafts of sent packets cannot be deleted",
}
"""The reply to `d`, by the heading of an entry that it cannot delete."""

Entry = tuple[str, str, tuple[Draft, ...]]  # heading, name, drafts


class Drafts(Dialog[tuple[Draft, ...]]):
    """Return the drafts that the user chooses: former, saved, or sent ones, or a template."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "move(1)", "Down"),
        Binding("k", "move(-1)", "Up"),
        Binding("delete,d", "delete", "Delete a saved draft"),
        Binding("u", "undo", "Restore the deleted draft"),
    ]
    title_text = "Start from"

    def __init__(self, journal: SendJournal, before: tuple[Draft, ...]) -> None:
        super().__init__()
        self._journal = journal
        self._before = before
        self._entries: list[Entry] = []
        self._deleted: list[tuple[str, tuple[Draft, ...]]] = []

    def compose_body(self) -> ComposeResult:
        yield Options(compact=True)
        yield Static(_DRAFTS_HINT, markup=False, classes="dialog-hint")

    async def on_mount(self) -> None:
        await self._wait_for(lambda: None)  # for changes that are on their way
        self._fill()

    def _fill(self) -> None:
        self._entries = list(self._all())
        options = self.query_one(OptionList)
        options.clear_options()
        heading = ""
        width = min(LINE_WIDTH, self.app.size.width - FRAME_WIDTH)
        for index, (group, name, drafts) in enumerate(self._entries):
            if group != heading:
                heading = group
                options.add_option(Option(Text(group, "bold"), disabled=True))
            words = cut(f"  {safe(name):<{NAME_WIDTH}} {_summary(drafts)}", width)
            options.add_option(Option(Text(words), id=str(index)))
        options.highlighted = 1

    def _all(self) -> Iterator[Entry]:
        if self._before:
            yield "Before", "the form's previous content", self._before
        for name, drafts in self._journal.drafts.drafts().items():
            yield "Saved", name, drafts
        for found in TEMPLATES.values():
            yield "Templates", found.title, found.drafts
        for drafts in self._journal.history.entries()[:HISTORY_SHOWN]:
            yield "Sent", destination_text(drafts) or "no destination", drafts

    def action_move(self, step: int) -> None:
        options = self.query_one(OptionList)
        options.action_cursor_down() if step > 0 else options.action_cursor_up()

    async def action_delete(self) -> None:
        """Delete the highlighted draft, if it is a saved one."""
        entry = self._highlighted()
        if entry is not None and entry[0] != "Saved":
            self._say(NOT_DELETED[entry[0]])
        elif entry is not None:
            _, name, drafts = entry
            if await self._change(partial(self._journal.drafts.delete, name)):
                self._deleted.append((name, drafts))
                self._say(f"{safe(name)} is deleted · u restores it")

    async def action_undo(self) -> None:
        """Restore the draft that was deleted last."""
        if not self._deleted:
            return
        name, drafts = self._deleted[-1]
        if name in self._journal.drafts.drafts():
            self._say(f"not restored: another draft is saved as {safe(name)} now")
        elif await self._change(partial(self._journal.drafts.save, name, drafts)):
            self._deleted.pop()
            self._say(f"{safe(name)} is restored")

    async def _wait_for(self, work: Callable[[], None]) -> None:
        """Call `work` in the journal's thread; the next key waits for it, the screen does not.

        It is completed even if the program ends.
        """
        await asyncio.shield(asyncio.wrap_future(self._journal.change(work)))

    async def _change(self, change: Callable[[], None]) -> bool:
        """Change the saved drafts, and list them again. Return False if the change failed."""
        done = True
        try:
            await self._wait_for(change)
        except KeyError:  # by another program
            self._say("another program deleted it already")
            done = False
        except OSError as error:
            self._say(f"nothing changed: {safe(error.strerror or str(error))}")
            done = False
        options = self.query_one(OptionList)
        at = options.highlighted
        self._fill()
        options.highlighted = at
        if (marked := options.highlighted_option) is not None and marked.disabled:
            options.action_cursor_up()  # it is a heading now
        return done

    def _say(self, words: str) -> None:
        self.query_one(".dialog-hint", Static).update(words)

    def _highlighted(self) -> Entry | None:
        option = self.query_one(OptionList).highlighted_option
        return self._entries[int(option.id)] if option is not None and option.id else None

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        entry = self._highlighted()
        if entry is not None:
            self.dismiss(entry[2])


def destination_text(drafts: tuple[Draft, ...]) -> str:
    """Return the destination that the user typed in the first of `drafts`, or an empty string."""
    texts = drafts[0].texts
    return next((texts[key] for key in destination_keys(drafts[0].layers) if key in texts), "")


def _summary(drafts: tuple[Draft, ...]) -> str:
    """Return one line, destination first: ``ip/tcp  dst=192.0.2.1  dstport=80``."""
    first = drafts[0].own()
    aims = [key for key in destination_keys(first.layers) if key in first.texts]
    texts = {key: first.texts[key] for key in aims} | dict(first.texts)
    words = "/".join(first.layers)
    if len(drafts) > 1:
        words = f"{len(drafts)} × {words}"
    given = [f"{key.partition('.')[2]}={text}" for key, text in texts.items() if "." in key]
    return safe("  ".join([words, *given]))
