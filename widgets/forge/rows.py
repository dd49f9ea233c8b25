"""The rows of the forge form, made from a draft's evaluation and the settings. No drawing.

No field is named here. The inputs are those of `core.forge.compose.evaluation`, in its order, under
a heading for each layer; the choices of layers are the kinds of `core.forge.compose.layer_kinds` by
their position. The key of a row that is not a field of a header begins with `CONTROL`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import Evaluation
from core.forge.compose.form_field import FormField, Origin
from core.forge.compose.layer_kinds import KINDS
from core.forge.values import SendMethod
from core.wire.model.field import Span
from core.wire.model.kind import Kind
from core.wire.model.text import safe
from core.wire.protocol import LayerPosition
from widgets.forge.layers import LAYER_CHOICES, layer_names
from widgets.forge.settings import (
    COUNT,
    INTERVAL,
    OF_NUMBERS,
    OF_WHOLE_NUMBERS,
    RATE,
    SendSettings,
)

CONTROL = ":"
PACKET, LAYERS, METHOD, INTERFACE = ":packet", ":layers", ":method", ":interface"
PAYLOAD_SECTION, SEND_SECTION, SEND = ":section.payload", ":section.send", ":send"
NONE = "none"
BY_ROUTE = "by route"
METHODS = {
    SendMethod.IP: "The kernel writes length, header checksum, and a zero id or source",
    SendMethod.SYSTEM: "A plain raw socket: the kernel writes the whole IP header",
    SendMethod.LINK: "A packet socket: the frame is sent as it is, link header included",
}
_METHOD_NAMES = {
    SendMethod.IP: "IP_HDRINCL",
    SendMethod.SYSTEM: "system",
    SendMethod.LINK: "verbatim",
}
_BARE_HINT = "A packet socket: the packet is sent as it is, without a link header"


class RowKind(Enum):
    """The kind of a row: the edits that it offers."""

    HEADING = "heading"  # opened and closed
    CHOICE = "choice"  # one of a few
    FLAG = "flag"  # switched, or typed
    TEXT = "text"  # typed
    BUTTON = "button"  # pressed


@dataclass(frozen=True, slots=True)
class FormRow:
    """One line of the form. Texts that do not apply are empty.

    `text` is what the user typed, `shown` the value that counts if that is nothing; `error` is one
    sentence about the text. `name`, for the explanation, is Wireshark's name of the field. `chosen`
    is an index of `choices`, -1 for none. `errors` counts the rows with an error under a heading.
    `characters` are those that can be typed; all if it is empty.
    """

    key: str
    kind: RowKind
    label: str
    text: str = ""
    shown: str = ""
    meaning: str = ""
    error: str = ""
    hint: str = ""
    name: str = ""
    level: int = 0
    span: Span | None = None
    origin: Origin | None = None
    choices: tuple[str, ...] = ()
    chosen: int = -1
    is_open: bool = True
    errors: int = 0
    characters: str = ""

    @property
    def is_set(self) -> bool:
        """True if a flag is set in the bytes."""
        return self.shown == "1"

    @property
    def explanation(self) -> str:
        """Name, label, range, meaning, and origin in one line."""
        label = self.label if self.name else ""
        origin = self.origin.value if self.origin and not self.text else ""
        parts = [self.name, label, self.hint, self.meaning, origin]
        return " · ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class HostInfo:
    """The facts about this host that the form shows.

    `interfaces` are its names, `route_interface` the one that the route uses; `trouble` is the
    reason why this host cannot reach the destination, or empty; `bare` are the interfaces without
    link headers (tun, WireGuard).
    """

    interfaces: tuple[str, ...] = ()
    route_interface: str = ""
    trouble: str = ""
    bare: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, methods: Mapping[str, SendMethod | None], route_interface: str, trouble: str
    ) -> HostInfo:
        """Return the facts; `methods` says by interface which method sends verbatim there."""
        bare = (name for name, method in methods.items() if method is SendMethod.PACKET)
        return cls(tuple(methods), route_interface, trouble, frozenset(bare))

    def verbatim_method(self, interface: str) -> SendMethod:
        """Return the method that sends verbatim on an interface; the route's if it is empty."""
        is_bare = (interface or self.route_interface) in self.bare
        return SendMethod.PACKET if is_bare else SendMethod.LINK


def form_rows(
    evaluation: Evaluation,
    settings: SendSettings,
    closed: Collection[str] = (),
    packets: tuple[int, int] = (0, 1),
    host: HostInfo = HostInfo(),
) -> tuple[FormRow, ...]:
    """Return every visible row.

    `closed` has the keys of closed headings; `packets` is the index of the shown draft and the
    number of drafts.
    """
    rows: list[FormRow] = []
    index, count = packets
    if count > 1:
        numbers = tuple(str(number + 1) for number in range(count))
        rows.append(
            FormRow(PACKET, RowKind.CHOICE, "Packet", choices=numbers, chosen=index,
                    hint=f"{count} packets are sent in this order · fragments of one datagram "
                    "share their addresses")
        )  # fmt: skip
    rows += _layer_rows(evaluation.draft, settings.method)
    rows += _method_rows(settings, host)
    for key, title, fields in _sections(evaluation):
        rows += _section(key, title, [_field_row(field) for field in fields], closed)
    rows += _section(SEND_SECTION, "Sending", _send_rows(settings), closed)
    rows.append(_button(settings, count))
    return tuple(rows)


def _layer_rows(draft: Draft, method: SendMethod) -> Iterator[FormRow]:
    for key, (place, label) in LAYER_CHOICES.items():
        if place is LayerPosition.LINK and method is not SendMethod.LINK:
            continue
        names = layer_names(place)
        titles = tuple(KINDS[name].title if name else NONE for name in names)
        here = [name for name in draft.layers if KINDS[name].place is place]
        chosen = names.index(here[-1] if here else "")
        yield FormRow(key, RowKind.CHOICE, label, choices=titles, chosen=chosen,
                      hint="← and → choose")  # fmt: skip
    yield FormRow(
        LAYERS,
        RowKind.TEXT,
        "Layers",
        text="/".join(draft.layers),
        hint=f"outermost first: any of {', '.join(KINDS)}",
    )


def _method_rows(settings: SendSettings, host: HostInfo) -> Iterator[FormRow]:
    methods = tuple(METHODS)
    is_bare = settings.method is SendMethod.PACKET
    chosen_method = SendMethod.LINK if is_bare else settings.method
    yield FormRow(
        METHOD,
        RowKind.CHOICE,
        "Send method",
        choices=tuple(_METHOD_NAMES[method] for method in methods),
        chosen=methods.index(chosen_method),
        hint=_BARE_HINT if is_bare else METHODS[chosen_method],
    )
    if settings.method.is_verbatim:
        names = tuple(safe(name) for name in host.interfaces)
        route = host.route_interface
        first = f"{BY_ROUTE} ({safe(route)})" if route else BY_ROUTE
        chosen = 0
        if settings.interface in host.interfaces:
            chosen = host.interfaces.index(settings.interface) + 1
        yield FormRow(INTERFACE, RowKind.CHOICE, "Interface", choices=(first, *names),
                      chosen=chosen, hint="sends the packet")  # fmt: skip


def _sections(evaluation: Evaluation) -> Iterator[tuple[str, str, list[FormField]]]:
    """Yield key, title, and fields of each layer, then of the payload behind them."""
    for index, name in enumerate(evaluation.draft.layers):
        fields = [field for field in evaluation.fields if field.layer == index]
        yield f"{CONTROL}layer.{index}", KINDS[name].title, fields
    yield PAYLOAD_SECTION, "Payload", [field for field in evaluation.fields if field.layer < 0]


def _section(
    key: str, title: str, rows: Sequence[FormRow], closed: Collection[str]
) -> Iterator[FormRow]:
    """Yield a heading, and the rows below it if it is open."""
    is_open = key not in closed
    starts = [row.span.start for row in rows if row.span is not None]
    stops = [row.span.stop for row in rows if row.span is not None]
    yield FormRow(
        key,
        RowKind.HEADING,
        title,
        span=Span(min(starts), max(stops)) if starts else None,
        is_open=is_open,
        errors=sum(bool(row.error) for row in rows),
        hint="← closes, → opens",
    )
    if is_open:
        yield from rows


def _field_row(field: FormField) -> FormRow:
    is_flag = field.slot is not None and field.slot.field.kind is Kind.FLAG
    shown = field.shown
    if field.layer < 0 and field.value:
        assert isinstance(field.value, bytes)
        shown = f"{len(field.value)} byte" + "s" * (len(field.value) != 1)
    return FormRow(
        field.key,
        RowKind.FLAG if is_flag else RowKind.TEXT,
        field.label,
        text=field.text,
        shown=shown,
        meaning=shown if field.layer < 0 else field.meaning,
        error=field.error,
        hint=field.hint,
        name=field.key,
        level=field.level,
        span=field.span,
        origin=field.origin,
    )


def _send_rows(settings: SendSettings) -> list[FormRow]:
    errors = settings.errors()
    rows = []
    for key, label, hint, characters in (
        (COUNT, "Count", "packets to send", OF_WHOLE_NUMBERS),
        (RATE, "Rate", "packets a second", OF_NUMBERS),
        (INTERVAL, "Interval", "seconds between packets", OF_NUMBERS),
    ):
        rows.append(
            FormRow(
                key,
                RowKind.TEXT,
                label,
                text=settings.text(key),
                shown=settings.shown(key),
                error=errors.get(key, ""),
                hint=hint,
                characters=characters,
            )
        )
    return rows


def _button(settings: SendSettings, drafts: int) -> FormRow:
    """Return the last row, which sends; it says how many packets, and how fast."""
    words = "Send"
    if not settings.errors():
        plan = settings.plan
        packets = plan.count * drafts
        words = f"Send {packets:,} packet{'s' * (packets != 1)}"
        if packets > 1 and plan.rate is not None:
            words += f" at {plan.rate:,g}/s"
    return FormRow(
        SEND, RowKind.BUTTON, words, hint="enter or a click sends, and ctrl+s from every row"
    )
