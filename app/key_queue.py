"""Delivers typed keys one at a time, each after the one before has taken effect.

Facts about Textual. The application forwards a key to the widget that has the focus at that
moment. The key is handled later, when the widget's message queue gets to it. If nothing there
wants it, it bubbles from queue to queue up to the application, whose bindings may then open a
dialog. So of ``:103``, typed in one burst, all four keys are forwarded to the packet table
before the first one opens the dialog, and the digits are lost.

The queue therefore holds a key back until the one before it has taken effect. To learn when,
a *probe* follows the key through the same queues: it is posted to the same widget right
behind the key, then to the widget's parent, and so on up to the application. Message queues
are first in, first out, so the probe arrives after the key and after what the key posted on its
way. A second round catches messages that the first one set off (a field posts that it was
submitted, and the dialog closes on that). When the top screen changed meanwhile, another round
through the new screen waits until it is mounted and has given the focus to one of its widgets.

A probe is lost if the widget that it visits is removed at that moment, and a handler may block.
Therefore the queue holds no key back for longer than `PATIENCE_S` after the last delivery: a key
that the user presses again always gets through.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from textual import events
from textual.app import App, ReturnType
from textual.dom import DOMNode
from textual.message_pump import MessagePump

PATIENCE_S = 2.0
ROUNDS = 2  # after a key; see above
LINE_FEED = "ctrl+j"  # enter, typed before the terminal was in raw mode: termios(3), ICRNL

TypedEvent = events.Key | events.Paste


class KeyQueue:
    """Holds typed events back until the ones before have taken effect.

    `deliver` hands an event to Textual's own dispatch. Everything runs in the application's
    message pump, except for the probes, which run in the pump of the widget that they visit.
    """

    def __init__(
        self,
        app: App[Any],
        deliver: Callable[[TypedEvent], Awaitable[None]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._deliver = deliver
        self._clock = clock
        self._waiting: deque[TypedEvent] = deque()
        self._delivery = 0  # how many events were delivered; probes of an earlier one are void
        self._delivered_s: float | None = None  # None while no event is taking effect
        self._is_held = False

    async def put(self, event: TypedEvent) -> None:
        """Deliver an event now, or after the events that were typed before it."""
        if self._is_held and isinstance(event, events.Key) and event.key == LINE_FEED:
            event = events.Key("enter", "\r")
        self._waiting.append(event)
        delivered_s = self._delivered_s
        if delivered_s is None or self._clock() - delivered_s >= PATIENCE_S:
            await self._deliver_next()

    def hold(self) -> None:
        """Queue all events until `release`."""
        self._is_held = True

    async def release(self) -> None:
        """Deliver the events that were typed since `hold`."""
        self._is_held = False
        if self._delivered_s is None:
            await self._deliver_next()

    async def _deliver_next(self) -> None:
        if not self._waiting or self._is_held:
            self._delivered_s = None
            return
        event = self._waiting.popleft()
        self._delivery += 1
        self._delivered_s = self._clock()
        target = self._focus  # before the delivery, which may move it
        await self._deliver(event)
        self._send_probe(target, self._delivery, ROUNDS)

    @property
    def _focus(self) -> MessagePump:
        """The widget that gets the next key."""
        return self._app.focused or self._app.screen

    def _send_probe(self, pump: MessagePump, delivery: int, rounds: int) -> None:
        screen = self._app.screen
        self._visit(pump, lambda: self._arrive(screen, delivery, rounds))

    def _visit(self, pump: MessagePump, arrive: Callable[[], Awaitable[None]]) -> None:
        """Pass the probe through the queue of `pump` and of everything above it."""
        if pump is self._app:
            self._app.call_later(arrive)
            return
        above = (pump.parent if isinstance(pump, DOMNode) else None) or self._app
        if not pump.call_later(self._visit, above, arrive):  # it is closing
            self._visit(above, arrive)

    async def _arrive(self, screen: MessagePump, delivery: int, rounds: int) -> None:
        """Send the probe through another round, or deliver the next event."""
        if delivery != self._delivery:
            return
        if self._app.screen is not screen:
            self._send_probe(self._app.screen, delivery, ROUNDS)
        elif rounds > 1:
            self._send_probe(self._focus, delivery, rounds - 1)
        else:
            await self._deliver_next()


class OrderedKeysApp(App[ReturnType]):
    """An application whose typed keys are handled strictly one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.key_queue = KeyQueue(self, self.deliver_key)

    async def deliver_key(self, event: events.Event) -> None:
        """Handle a typed key, or pasted text."""
        await super().on_event(event)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            await self.key_queue.put(event)
        else:
            await super().on_event(event)
