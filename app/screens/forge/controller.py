"""The forge's commands: fill the form from a packet, send, resend, stop; and the questions.

The service sends in a thread of its own. The controller gives it orders, shows its latest state
with each scene, and asks the user what the service wants to know before it sends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from app.bridge import Scene
from app.keymap import KeyContext
from app.screens.copy_choices import recipe_choices
from app.screens.dialogs.dialog import Confirm
from app.screens.forge.drafts import DraftController
from app.screens.forge.egress import captured_interface, form_state_of, left_out, why_blind
from app.screens.forge.interface_dialog import Interfaces, SendInterface
from app.screens.forge.panel import ForgePanel
from app.screens.forge.resend_notice import ResendNotice
from app.screens.side_panels import SideController
from app.screens.workspace import Workspace
from app.textual_bindings import with_keys
from core.capture.renaming import Renaming, current_name
from core.forge.compose.evaluation import evaluate
from core.forge.compose.from_packet import Filled, Resent, draft_of, is_frame, resent
from core.forge.compose.route_suggestions import RouteSuggestions
from core.forge.export.rawscope import ONCE
from core.forge.orders import Order, Question, ShownDrafts, ShownPacket
from core.forge.review.confirmation import REMEMBERED
from core.forge.service import ForgeService
from core.forge.values import SendMethod
from core.store.captured_packet import CapturedPacket
from core.store.selected_packet import SelectedPacket
from core.wire.model.text import safe
from widgets.forge.rows import BY_ROUTE


class ForgeController(SideController):
    """The forge panel of one workspace, and the service that sends for it."""

    def __init__(self, service: ForgeService, workspace: Workspace) -> None:
        self.service = service
        self.panel = self.widget = with_keys(
            ForgePanel(self._look_up, self.send, workspace.show_packet), KeyContext.FORGE
        )
        self.drafts = DraftController(self.panel, service.journal)
        self._resend_notice = ResendNotice(self.panel)
        self._workspace = workspace
        self._renamed: tuple[Renaming, ...] = ()  # of the scene that is shown
        self._is_live = False  # the selected packet was captured, not read from a file
        self._resent_on = ""  # the interface that the user chose for a frame of a file
        self._asked: Question | None = None  # the last one that was put to the user
        self._looked_up: ShownDrafts | None = None
        self._waits_for_routes = False  # the form is to be sent when the routes are known

    @property
    def is_sending(self) -> bool:
        """True while an order is carried out that the user may stop."""
        return self.panel.snapshot.sending and self.panel.snapshot.question is None

    # -- the scene ----------------------------------------------------------------------------

    def basis(self) -> object:
        """Return the state of the service.

        While replies may arrive, every basis differs, because the end of the wait depends on the
        clock.
        """
        state = self.service.snapshot()
        listening = object() if state.report.listening else None
        return state, listening, self.panel.form.is_on_button

    def show(self, scene: Scene) -> None:
        """Give the service the newest packets, and show its state."""
        blind = why_blind(scene.engine, self.service.snapshot().report.interface)
        self.service.update_store(scene.packets, scene.store_generation, blind)
        state = self.service.snapshot()
        self._is_live = not scene.engine.file
        self._workspace.table.sent_numbers = state.sent_numbers
        self.panel.captured = captured_interface(scene.engine)
        self._follow_names(scene.engine.renamed)
        if self._looked_up is not None:
            self._look_up()
        self.panel.show(state)
        self._resend_notice.show(state.report)
        if self._waits_for_routes:
            self.send()
        if state.question is not None and state.question is not self._asked:
            self._asked = state.question
            self._ask(state.question)

    def _follow_names(self, renamed: Sequence[Renaming]) -> None:
        """Let the form send on the interface that it names, if that was renamed."""
        new = renamed[len(self._renamed) :]
        self._renamed = tuple(renamed)
        form = self.panel.form
        settings = form.state.settings
        name = current_name(settings.interface, new)
        if name != settings.interface:
            form.state = replace(form.state, settings=replace(settings, interface=name))
        if new and self._looked_up is not None:
            self._looked_up = None  # the form offers interfaces by their names
            self._look_up()

    def _interface_of(self, packet: CapturedPacket) -> str:
        """Return the present name of the interface that captured a packet."""
        return current_name(packet.interface.name, self._renamed)

    def labels(self) -> dict[str, str]:
        """Return the labels of `escape`, which stops sending or leaves the panel, and of `enter`.

        In the panel, the key bar has no key that opens it.
        """
        is_here = self._workspace.panel == self.panel.id
        labels = {"panel.forge": ""} if is_here else {}
        if self.panel.form.is_on_button:
            labels["form.next"] = "send"
        if self.is_sending:
            return {**labels, "panel.close": "stop sending"}
        return {**labels, "panel.close": "back"} if is_here else labels

    def _look_up(self) -> None:
        """Have the service look up routes and neighbors for drafts or an interface that changed."""
        wanted = ShownDrafts(self.panel.form.state.drafts, self.panel.chosen_interface)
        if wanted != self._looked_up:
            self._looked_up = wanted
            self._waits_for_routes = False
            self.service.suggest(wanted)

    def _ask(self, question: Question) -> None:
        sentences = [*question.sentences, *((REMEMBERED,) if question.marks else ())]
        words = "\n".join(safe(sentence) for sentence in sentences)
        self._workspace.app.push_screen(
            Confirm(words, yes="Send", no="Do not send"),
            lambda yes: self.service.answer(bool(yes)),
        )

    # -- commands -----------------------------------------------------------------------------

    def fill(self) -> None:
        """Fill the form from the selected packet; without one, go to the form."""
        selected = self._workspace.panels.selected
        if selected is not None:
            filled: Filled | None = None
            with self._workspace.panels.guard(selected.packet.number):
                made = draft_of(selected.layers())
                evaluate(made.draft)  # fails here if it would fail in the form
                filled = made
            if filled is None:
                return
            interface = self._interface_of(selected.packet) if self._is_live else ""
            state = form_state_of(filled, interface)
            notes = (*filled.notes, left_out(state))
            self.drafts.fill(state, "; ".join(filter(None, notes)))
        self._workspace.open_side("forge")

    def send(self) -> None:
        """Send what is in the form. If it has an error, go to its field instead.

        If the routes of the drafts are still being looked up, the bytes are shown first, and sent
        then, unless the user changes the form or closes it.
        """
        form, obstacle = self.panel.form, self.panel.form.model.obstacle()
        self._look_up()
        self._waits_for_routes = (
            obstacle is None and self.panel.snapshot.looked_up != self._looked_up
        )
        if obstacle is not None:
            index, key, sentence = obstacle
            form.state = replace(form.state, index=index)
            form.select_field(key)
            form.focus()
            self.panel.say(f"not sent: {sentence}")
        elif not self._waits_for_routes:
            self._order(self._shown_order())

    def _shown_order(self) -> Order:
        """Return the order to send the bytes that the form shows."""
        state, model = self.panel.form.state, self.panel.form.model
        routes = iter(self.panel.snapshot.suggestions)  # fewer than drafts if the look-up failed
        shown = [ShownPacket(one, next(routes, RouteSuggestions())) for one in model.evaluations()]
        return Order(
            drafts=state.drafts,
            method=state.settings.method,
            interface=self.panel.chosen_interface,
            plan=state.settings.plan,
            shown=tuple(shown),
            files=model.files,
        )

    def resend(self) -> None:
        """Send the selected packet again: verbatim, if the interface has the same link header.

        It leaves on the interface on which it was captured. For a packet of a file, ask for the
        interface.
        """
        selected = self._workspace.panels.selected
        if selected is None:
            return
        packet = selected.packet
        sends_frame: bool | None = None
        with self._workspace.panels.guard(packet.number):
            sends_frame = is_frame(selected.layers(), packet.link_type)
        if sends_frame is None:
            return
        if not self._is_live:
            self._ask_for_interface(selected, sends_frame)
        elif sends_frame:
            self._resend_on(selected, self._interface_of(packet), SendMethod.LINK)
        else:
            self._workspace.run_worker(self._resend_by_type(selected), group="resend")

    async def _resend_by_type(self, selected: SelectedPacket) -> None:
        """Send a packet without an Ethernet header again, as the type of its interface needs."""
        name = self._interface_of(selected.packet)
        methods: Interfaces = {}
        with suppress(OSError):  # then the route decides, or says why it cannot
            methods = await asyncio.to_thread(self.service.interfaces)
        self._resend_on(selected, name, methods.get(name))

    def _ask_for_interface(self, selected: SelectedPacket, sends_frame: bool) -> None:
        """Send a packet of a file on the interface that the user chooses.

        Without an Ethernet header, the route decides, or the user chooses an interface without link
        headers.
        """

        def interfaces() -> Interfaces:
            methods = self.service.interfaces()
            if sends_frame:
                return {name: found for name, found in methods.items() if found is not None}
            bare = {name: found for name, found in methods.items() if found is SendMethod.PACKET}
            return {BY_ROUTE: None, **bare}

        def send(chosen: tuple[str, SendMethod | None] | None) -> None:
            if chosen is not None:
                self._resent_on, method = chosen
                self._resend_on(selected, self._resent_on, method)

        current = self._resent_on or self.panel.form.state.settings.interface
        title = f"Send packet {selected.packet.number:,} on"
        self._workspace.app.push_screen(SendInterface(title, interfaces, current), send)

    def _resend_on(
        self, selected: SelectedPacket, interface: str, verbatim: SendMethod | None
    ) -> None:
        """Send a packet again; `verbatim` is the method that sends verbatim on `interface`."""
        packet = selected.packet
        again: Resent | None = None
        with self._workspace.panels.guard(packet.number):
            again = resent(selected.layers(), packet.link_type, verbatim)
        if again is None:
            return
        if again.refusal:
            self._warn(f"packet {packet.number:,} is not sent: {again.refusal}")
        else:
            self._send_again(packet.number, again, interface if again.method.is_verbatim else "")

    def _send_again(self, number: int, again: Resent, interface: str) -> None:
        is_same = again.method is SendMethod.LINK and not again.notes
        self._order(
            Order(
                packets=(again.data,),
                method=again.method,
                interface=interface,
                description=f"packet {number}, {'unchanged' if is_same else 'again'}",
                notes=again.notes,
            )
        )
        self._workspace.show_side_beside("forge")

    def stop(self) -> bool:
        """Send no more packets. Return False if nothing is being sent."""
        self._waits_for_routes = False
        is_sending = self.is_sending
        if is_sending:
            self.service.stop()
        return is_sending

    def close(self) -> bool:
        """Stop sending: see `stop`."""
        return self.stop()

    def copy_choices(self) -> list[tuple[str, str]]:
        """Return the packet in the form as commands, expressions, and bytes."""
        settings = self.panel.form.state.settings
        plan = ONCE if settings.errors() else settings.plan
        verbatim = settings.method.is_verbatim
        return recipe_choices(self.panel.evaluation, self.panel.interface, plan, verbatim=verbatim)

    def _order(self, order: Order) -> None:
        if self.service.send(order):
            self._resend_notice.watch(order)
        else:
            self._warn("the previous send is not finished; esc stops it")

    def _warn(self, message: str) -> None:
        self.panel.notify(message, severity="warning")
