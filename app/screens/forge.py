"""The forge: a form for a packet, its bytes, and what became of it. See `widgets.forge.form`.

Top to bottom: the form, a line that explains the field under the cursor, the exact bytes with that
field's marked, the report on what was sent last. Where there is little room the report takes the
place of the bytes until something is typed again.

Everything is passed on by direct calls, so that a key's effect on form, explanation and bytes is
painted in one frame.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Self

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from app.bindings import bindings, with_keys
from app.keymap import KeyContext
from app.screens.dialogs.dialog import Confirm
from app.screens.dialogs.drafts import Drafts, KeepDraft
from app.screens.forge_parts import ROUTED, Explanation
from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import Evaluation
from core.forge.compose.from_packet import Resent
from core.forge.orders import ForgeSnapshot, Order, Question
from core.forge.report import Report
from core.forge.review.confirmation import REMEMBERED
from core.forge.service import ForgeService
from core.forge.values import SendMethod
from core.store.captured_packet import CapturedPacket
from core.wire.model.field import Span
from core.wire.model.text import safe
from widgets.forge.changes import FormState
from widgets.forge.form import ForgeForm
from widgets.forge.outcome import ForgeOutcome
from widgets.forge.rows import Surrounding
from widgets.hex.hex_view import HexView

BROAD = 110  # columns from which bytes and report stand beside the form
ROOMY = 30  # lines from which bytes and report are both shown
BYTES_MOST = 9  # lines of the bytes, their title included
OUTCOME = "Outcome"
EARLIER = "Outcome of what was sent before"


class ForgePanel(Vertical):
    """The forge. Its keys work wherever in it the focus is."""

    BINDINGS = bindings(KeyContext.FORGE)
    BORDER_TITLE = "Forge"

    class PacketWanted(Message):
        """The user wants to see packet `number` in the table."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self, forger: ForgeService, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._forger = forger
        self._scene = ForgeSnapshot()
        self._asked: Question | None = None  # the one that was put last
        self._before: FormState | None = None  # what the form held before it was filled anew
        self._shows_report = False
        self._title = ""
        self._considered: tuple[tuple[Draft, ...], str] | None = None
        self.captured = ""  # the one interface that is captured on

    def compose(self) -> ComposeResult:
        with Vertical(id="forge-left"):
            yield with_keys(ForgeForm(id="form", classes="part"), KeyContext.FORM)
            yield Explanation(id="explanation")
        with Vertical(id="forge-right"):
            yield with_keys(HexView(id="bytes", classes="part"), KeyContext.HEX, KeyContext.LIST)
            outcome = ForgeOutcome(id="result", classes="part")
            outcome.border_title = OUTCOME
            yield with_keys(outcome, KeyContext.RESULT, KeyContext.LIST)

    def on_mount(self) -> None:
        self.watch(self.form, "held", self._changed, init=False)
        self.watch(self.form, "focused_span", self._moved, init=False)
        self._moved(self.form.focused_span)
        self._arrange()

    def focus(self, scroll_visible: bool = True) -> Self:
        """The form has the focus for all of it."""
        self.form.focus(scroll_visible)
        return self

    @property
    def form(self) -> ForgeForm:
        """The inputs."""
        return self.query_one(ForgeForm)

    @property
    def evaluation(self) -> Evaluation:
        """The packet that is seen."""
        return self.form.model.evaluation

    @property
    def interface(self) -> str:
        """Where a frame would leave verbatim; empty where it leaves otherwise. Nothing routes an
        ARP request: it goes where we capture, unless the user chose."""
        return (
            (self._chosen or self._route) if self.form.held.settings.way is SendMethod.LINK else ""
        )

    @property
    def is_sending(self) -> bool:
        """True if an order is on its way that may be stopped."""
        return self._scene.sending and self._scene.question is None

    @property
    def _chosen(self) -> str:
        """The interface that does not depend on a route, which may still be looked up: the user's,
        or the captured one for what nothing routes."""
        settings, drafts = self.form.held.settings, self.form.held.drafts
        if settings.way is not SendMethod.LINK:
            return ""
        routed = any(name in ROUTED for draft in drafts for name in draft.layers)
        return settings.interface or ("" if routed else self.captured)

    @property
    def _route(self) -> str:
        around = self._scene.around
        link = around[0].link if around else None
        return link.name if link is not None else ""

    # -- what it shows ---------------------------------------------------------------------

    def show(self, scene: ForgeSnapshot) -> None:
        """Show a newer state, and ask its question."""
        before, self._scene = self._scene, scene
        if self._considered is not None:
            self._consider()
        if (scene.around, scene.interfaces) != (before.around, before.interfaces):
            trouble = next((around.trouble for around in scene.around if around.trouble), "")
            by_route = "" if self.form.held.settings.interface else self._route
            known = Surrounding(scene.interfaces, by_route, trouble)
            self.form.suggest([around.values for around in scene.around], known)
            self._show_bytes()
        if scene.report != before.report:
            if scene.report != Report() and not self._shows_report:
                self._shows_report = True
                self._arrange()
            self.query_one(ForgeOutcome).show(scene.report)
            self.query_one(ForgeOutcome).border_title = OUTCOME
        question = scene.question
        if question is not None and question is not self._asked:
            self._asked = question
            self._ask(question)

    def _ask(self, question: Question) -> None:
        sentences = [*question.sentences, *((REMEMBERED,) if question.marks else ())]
        words = "\n".join(safe(sentence) for sentence in sentences)
        self.app.push_screen(
            Confirm(words, yes="Send", no="Do not send"),
            lambda yes: self._forger.answer(bool(yes)),
        )

    def _changed(self) -> None:
        """Something else is to be sent."""
        self._say("")
        self._consider()
        if self._shows_report and not self._scene.sending:
            self._shows_report = False
            self.query_one(ForgeOutcome).border_title = EARLIER
            self._arrange()
        self._show_bytes()

    def _consider(self) -> None:
        """Have looked up what has not been: for other drafts, or another interface."""
        considered = self.form.held.drafts, self._chosen
        if considered != self._considered:
            self._considered = considered
            self._forger.consider(*considered)

    def _moved(self, span: Span | None) -> None:
        explanation, row = self.query_one(Explanation), self.form.model.row
        if explanation.row is not None and explanation.row.key != row.key:
            self._say("")
        explanation.row = row
        self._show_bytes()
        self.query_one(HexView).highlight(span)

    def _show_bytes(self) -> None:
        view, data = self.query_one(HexView), self.evaluation.data
        lines = view.line_count
        view.show(data)
        view.highlight(self.form.focused_span)
        if view.line_count != lines:
            self._arrange()
        noun = "byte" if len(data) == 1 else "bytes"
        words = f"{len(data)} {noun}"
        errors = len(self.evaluation.errors)
        if errors:
            words += f" · ✗ {errors} error" + "s" * (errors > 1)
        elif self.form.model.trouble:
            words += f" · {safe(self.form.model.trouble)}"
        elif self._route or self.interface:
            words += f" · leaves on {safe(self.interface or self._route)}"
        if words != self._title:
            self._title = words
            view.border_title = Text(words)  # an interface may be named like markup

    # -- room --------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        self._arrange()

    def _arrange(self) -> None:
        """Bytes and report side by side from top to bottom, or one of them."""
        room, view, result = self.size.height, self.query_one(HexView), self.query_one(ForgeOutcome)
        broad = self.size.width >= BROAD
        both = broad or room >= ROOMY
        told = self._scene.report != Report()
        self.set_class(broad, "-broad")
        view.display = both or not (told and self._shows_report)
        result.display = told and (both or self._shows_report)
        most = room // 2 if broad else min(BYTES_MOST, room // 4)
        view.styles.height = "1fr" if broad and not told else max(3, min(most, view.line_count + 1))
        result.styles.height = "1fr" if broad else max(4, room // 3 if both else room // 2)

    # -- what the keys do ---------------------------------------------------------------------

    def fill(self, held: FormState, note: str = "") -> None:
        """Put something else into the form; what it held can be had back."""
        self._before = self.form.held if self.form.held != FormState() else self._before
        self.form.fill(held)
        self._say(note)

    def _say(self, words: str) -> None:
        """Until something else is typed or chosen."""
        self.query_one(Explanation).said = words

    def action_send(self) -> None:
        """Send what the form holds; go to the first error instead, if there is one."""
        held, obstacle = self.form.held, self.form.model.obstacle()
        if obstacle is not None:
            index, key, sentence = obstacle
            self.form.held = replace(held, index=index)
            self.form.select_field(key)
            self.form.focus()
            self._say(f"not sent: {sentence}")
            return
        order = Order(
            drafts=held.drafts,
            way=held.settings.way,
            interface=self._chosen,
            plan=held.settings.plan,
        )
        self._send(order)

    def resend(self, packet: CapturedPacket, again: Resent, *, live: bool) -> None:
        """Send a captured packet as it was: verbatim, if it has its link header. It leaves where
        it was captured, if that was `live`, else on the interface that the form names."""
        if not again.data:
            self.notify("there are no bytes to send", severity="warning")
            return
        interface = packet.interface.name if live else self.form.held.settings.interface
        self._send(
            Order(
                packets=(again.data,),
                way=again.way,
                interface=interface if again.way is SendMethod.LINK else "",
                said=f"packet {packet.number}, again",
                notes=again.notes,
            )
        )

    def _send(self, order: Order) -> None:
        if not self._forger.send(order):
            self.notify("the last order is still on its way; esc stops it", severity="warning")

    def stop(self) -> bool:
        """Send no more; False if nothing is on its way."""
        sending = self.is_sending
        if sending:
            self._forger.stop()
        return sending

    def action_new(self) -> None:
        self.fill(FormState())
        self.form.focus()

    def action_drafts(self) -> None:
        journal = self._forger.keeping
        before = self._before.drafts if self._before is not None else ()
        self.app.push_screen(Drafts(journal.drafts, journal.history, before), self._use)

    def _use(self, drafts: tuple[Draft, ...] | None) -> None:
        if drafts:
            self.fill(FormState.of(drafts, self.form.held.settings.interface))
            self.form.focus()

    def action_keep(self) -> None:
        self.app.push_screen(KeepDraft(tuple(self._forger.keeping.drafts.drafts())), self._keep)

    def _keep(self, name: str | None) -> None:
        if name:
            try:
                former = self._forger.keeping.drafts.keep(name, self.form.held.drafts)
                also = f", what it was as {former}" if former else ""
                self._say(f"kept as {name}{also}; ctrl+o has it")
            except OSError as error:
                self._say(f"not kept: {self._forger.keeping.folder}: {error.strerror}")

    def on_hex_view_rewrapped(self, event: HexView.Rewrapped) -> None:
        event.stop()
        self._arrange()

    def on_hex_view_byte_selected(self, event: HexView.ByteSelected) -> None:
        event.stop()
        self.form.select_byte(event.offset)

    def on_forge_outcome_packet_wanted(self, event: ForgeOutcome.PacketWanted) -> None:
        event.stop()
        self.post_message(self.PacketWanted(event.number))
