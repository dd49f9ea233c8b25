"""Fill the form from a template, a saved draft, or a packet; save the form's drafts."""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial

from app.screens.dialogs.drafts import Drafts
from app.screens.dialogs.name import AskName
from app.screens.forge.panel import ForgePanel
from core.forge.compose.draft import Draft
from core.forge.journal.send_journal import SendJournal
from core.wire.model.text import safe
from widgets.forge.changes import FormState


class DraftController:
    """The form's drafts. The journal keeps those that the user saves, and those that were sent."""

    def __init__(self, panel: ForgePanel, journal: SendJournal) -> None:
        self._panel, self._journal = panel, journal
        self._before: FormState | None = None  # the form before it was filled

    def fill(self, state: FormState, note: str = "") -> None:
        """Fill the form; the user can bring back what was in it."""
        form = self._panel.form
        if form.state != FormState():
            self._before = form.state
        form.fill(state)
        self._panel.say(note)

    def clear(self) -> None:
        """Start with an empty form."""
        self.fill(FormState())
        self._panel.form.focus()

    def choose(self) -> None:
        """Ask for a template, a saved draft, or a sent packet, and fill the form from it."""
        before = self._before.drafts if self._before is not None else ()
        dialog = Drafts(self._journal, before)
        self._panel.app.push_screen(dialog, self._use)
        dialog.call_after_refresh(self._complain)  # when it has read them

    def _use(self, drafts: tuple[Draft, ...] | None) -> None:
        if drafts:
            form = self._panel.form
            self.fill(FormState.of(drafts, form.state.settings.interface))
            form.focus()

    def keep(self) -> None:
        """Ask for a name, and save the form's drafts under it."""
        names = tuple(self._journal.drafts.drafts())
        self._complain()
        taken = "enter replaces the draft with this name and keeps the former one"
        self._panel.app.push_screen(AskName("Save the draft", names, taken), self._keep)

    def _keep(self, name: str | None) -> None:
        """Have the journal save the form's drafts."""
        if name:
            drafts = self._panel.form.state.drafts
            self._panel.say(f"saving as {name} …")
            saving = self._journal.change(partial(self._journal.drafts.keep, name, drafts))
            saving.add_done_callback(partial(self._panel.call_later, self._kept, name))

    def _kept(self, name: str, saving: Future[str]) -> None:
        """Report how saving went."""
        try:
            former = saving.result()
            also = f"; the former draft is now {former}" if former else ""
            self._panel.say(f"saved as {name}{also}; ctrl+o lists it")
        except OSError as error:
            self._panel.say(f"not saved: {self._journal.folder}: {error.strerror}")
        self._complain()

    def _complain(self) -> None:
        """Report what the database could not read, and where it is now."""
        for complaint in self._journal.complaints.take():
            self._panel.app.notify(safe(complaint), severity="warning", markup=False)
