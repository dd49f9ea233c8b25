"""The row of one packet in the table: addresses, protocol, and Info.

The Info line describes the innermost layer outside of a quoted packet, or the application's bytes
if one of the small readers knows them. It always says what ended the dissection, and all text from
bytes passes through `core.wire.model.text.safe`.

A protocol's Info function gets complete headers only, so each of its fields has a value. This
module describes a header that was cut, or that contradicts itself, in the same way for every
protocol.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from core.wire.application import payload_info
from core.wire.checksum.packet_checksums import OFFLOADED_QUESTION, is_doubted
from core.wire.model.dissection import Cause, Dissection, Layer, Stop, Verdict
from core.wire.model.text import safe
from core.wire.present.fragment_rows import reassembled_text
from core.wire.protocol import Info, SequenceBase
from core.wire.registry import PROTOCOLS


@dataclass(frozen=True, slots=True)
class Summary:
    """One row's texts, safe to print.

    `cause` is why the dissection ended early, if it did. `failed` is True if rawscope could not
    describe the packet.
    """

    source: str
    destination: str
    protocol: str
    info: str
    cause: Cause = Cause.NONE
    failed: bool = False


WRONG = frozenset({Verdict.BAD, Verdict.ILLEGAL})

INFO: dict[str, tuple[str, Info]] = {  # layer name: shown name, Info line
    protocol.name: (protocol.shown, protocol.info)
    for protocol in PROTOCOLS
    if protocol.info is not None
}
RELATIVE_INFO = {
    protocol.name: protocol.relative_info
    for protocol in PROTOCOLS
    if protocol.relative_info is not None
}


def summarize(dissection: Dissection, base: SequenceBase | None = None) -> Summary:
    """Return the row of one packet. `base` makes sequence numbers relative, and marks Info."""
    layer = _subject(dissection)
    source, destination = _addresses(dissection)
    if layer is None:
        protocol, info = "Data", f"{len(dissection.data)} bytes"
    else:
        protocol, info = _describe(layer, dissection, base)
        if _is_first_fragment(layer):
            info += " (first fragment)"
        info += reassembled_text(dissection)
    if base is not None and base.mark:
        info = f"{base.mark} {info}"
    cause = Cause.NONE
    if dissection.stop is not None:
        cause = dissection.stop.cause
        info = f"{info} [{_stop_text(dissection.stop)}]"
    return Summary(source, destination, protocol, safe(info), cause)


def failed_summary(dissection: Dissection | None, words: str) -> Summary:
    """Return the row of a packet that rawscope failed to describe (`core.wire.present.faults`).

    It has the packet's addresses if they can be read.
    """
    source = destination = ""
    if dissection is not None:
        with suppress(Exception):  # what failed once may fail again
            source, destination = _addresses(dissection)
    return Summary(source, destination, "–", words, failed=True)


def _describe(layer: Layer, dissection: Dissection, base: SequenceBase | None) -> tuple[str, str]:
    """Return protocol and Info: the application's if it is known, else the layer's."""
    application = payload_info.describe(dissection, layer)
    if application is not None:
        return application.name, application.text
    protocol, write = INFO[layer.name]
    if not layer.is_complete:
        text = _incomplete_text(layer, dissection.data)
    elif base is not None and layer.name in RELATIVE_INFO:
        text = RELATIVE_INFO[layer.name](layer, dissection, base)
    else:
        text = write(layer, dissection)
    return protocol, text


def _incomplete_text(layer: Layer, data: bytes) -> str:
    """Describe a cut or contradictory header by the fields that it has: ports, or a type."""
    if "srcport" in layer.tables[0]:
        ports = (layer.number(data, key) for key in ("srcport", "dstport"))
        return " → ".join("?" if port is None else str(port) for port in ports)
    for key in ("type", "opcode"):
        slot = layer.tables[0].get(key)
        if slot is not None and layer.holds(slot):
            meaning = slot.meaning(slot.number(data, layer.offset))
            if meaning:
                return meaning
    return layer.title


def _is_first_fragment(layer: Layer) -> bool:
    """Return True if only the first fragment of the layer's datagram is here.

    A fragment header itself says which fragment it begins.
    """
    return layer.fragment and layer.name not in _FRAGMENT_HEADERS


_FRAGMENT_HEADERS = frozenset(
    protocol.name for protocol in PROTOCOLS if protocol.is_fragment_header
)


def _subject(dissection: Dissection) -> Layer | None:
    """Return the innermost layer that is not quoted."""
    for layer in reversed(dissection.layers):
        if not layer.quoted:
            return layer
    return None


def _addresses(dissection: Dissection) -> tuple[str, str]:
    layer, keys = shown_addresses(dissection)
    if layer is None:
        return "", ""
    source, destination = (_text(layer, dissection.data, key) for key in keys)
    return source, destination


def shown_addresses(dissection: Dissection) -> tuple[Layer | None, tuple[str, str]]:
    """Return the layer whose addresses the row shows, and their names inside its tables.

    It is the innermost layer, not quoted, that has both. If none has, it is the outermost link
    header that tells the source alone; the name of the destination is then empty.
    """
    for layer in reversed(dissection.layers):
        if not layer.quoted and layer.name in _ADDRESSED:
            keys = _ADDRESSED[layer.name]
            if all(_text(layer, dissection.data, key) for key in keys):
                return layer, keys
    for name, key in _SOURCES.items():
        link = dissection.layer(name)
        if link is not None:
            return link, (key, "")
    return None, ("", "")


_ADDRESSED = {
    protocol.name: protocol.addresses
    for protocol in PROTOCOLS
    if protocol.addresses is not None and all(protocol.addresses) and protocol.shows_addresses
}
_SOURCES = {
    protocol.name: protocol.addresses[0]
    for protocol in PROTOCOLS
    if protocol.addresses is not None and not all(protocol.addresses)
}


def _text(layer: Layer, data: bytes, key: str) -> str:
    for table in layer.tables:
        slot = table.get(key)
        if slot is not None:
            return slot.text(slot.read(data, layer.offset)) if layer.holds(slot) else ""
    return ""


def wrong_checksums(dissection: Dissection) -> tuple[str, ...]:
    """Return ``bad tcp checksum`` for each sum that is wrong, or is missing where it must not be.

    It is ``bad ip checksum, offloaded?`` if the sum was most likely left to the network card.
    """
    return tuple(
        wrong_text(check.verdict, layer.name)
        + (f", {OFFLOADED_QUESTION}" if is_doubted(check) else "")
        for layer in dissection.layers
        for check in layer.checks
        if check.verdict in WRONG
    )


def datagram_verdict(dissection: Dissection) -> Verdict:
    """Return the verdict on the outermost checksum in a datagram that the packet completes."""
    piece = dissection.piece
    if piece is None or piece.datagram is None:
        return Verdict.NONE
    checks = (
        check.verdict
        for layer in dissection.layers
        if layer.offset >= piece.at
        for check in layer.checks
    )
    return next(checks, Verdict.NONE)


def wrong_text(verdict: Verdict, name: str) -> str:
    """Return ``bad tcp checksum`` for the protocol `name`."""
    return f"{verdict.word} {name} checksum"


def _stop_text(stop: Stop) -> str:
    if stop.cause is Cause.TRUNCATED:
        return f"cut short by the snap length at byte {stop.offset}: {stop.layer} {stop.reason}"
    return f"malformed at byte {stop.offset}: {stop.layer} {stop.reason}"
