"""A packet as a command of hping3(8) or nping(1).

A command says the fields that its tool has an option for. Every other field is the tool's own: it
counts lengths and sums, and leaves the rest as it is by default. What the packet has otherwise, in
whatever layer, is worked out from the tables and named; so are layers, options and payloads that
the tool does not make. hping3 gives its process id as an identifier, and quotes a packet of its own
in errors.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field

from core.forge.compose.evaluation import Evaluation
from core.wire.encode.build import Built, BuiltField, DoesNotFitError, build
from core.wire.encode.packet_parts import Header, Parts
from core.wire.link.ethernet import ETHERNET
from core.wire.model.field import PlacedField
from core.wire.network import icmp
from core.wire.protocol import LayerKind

Told = tuple[str, str]  # the command, and what is missing

_TRANSPORTS = ("tcp", "udp", "icmp")
_FRAGMENT_UNIT = 8  # bytes: the field counts in them, hping3 does not
_HPING_FLAGS = {
    "fin": "-F", "syn": "-S", "reset": "-R", "push": "-P", "ack": "-A", "urg": "-U", "ece": "-X",
    "cwr": "-Y",
}  # fmt: skip
_NPING_FLAGS = {
    "fin": "fin", "syn": "syn", "reset": "rst", "push": "psh", "ack": "ack", "urg": "urg",
    "ece": "ecn", "cwr": "cwr",
}  # fmt: skip
_NPING_OPERATIONS = {1: "ARP", 2: "ARP-reply", 3: "RARP", 4: "RARP-reply"}  # it takes no number


def hping3(evaluation: Evaluation) -> Told:
    """``hping3 -c 1 -S -p 80 … 10.0.0.9``, for TCP, UDP and ICMP over IPv4."""
    built = evaluation.built
    ip = _first(built, ("ip",))
    if built is None or ip is None:
        return "", "hping3 sends IPv4 packets only"
    transport = _first(built, _TRANSPORTS, ip)
    if transport is None:
        return "", "hping3 sends TCP, UDP and ICMP here"
    command = _Command(evaluation, built, ["hping3", "-c", "1"])
    command.number(ip, "ttl", "-t")
    command.number(ip, "id", "-N")
    service = _number(ip, "dsfield")
    command.say(ip, "dsfield", *(["-o", f"{service:x}"] if service else []))
    command.flag(ip, "flags.df", "-y")
    command.flag(ip, "flags.mf", "-x")
    offset = _number(ip, "frag_offset") * _FRAGMENT_UNIT
    command.say(ip, "frag_offset", *(["-g", f"{offset}"] if offset else []))
    command.say(ip, "src", *(["-a", _text(ip, "src")] if ip.values["src"] else []))
    match transport.header.name:
        case "tcp":
            _hping_tcp(command, transport)
        case "udp":
            command.say(transport, "", "-2", "-k")
            command.number(transport, "srcport", "-s")
            command.number(transport, "dstport", "-p")
        case _:
            _hping_icmp(command, transport)
    payload = command.payload()
    if payload:
        command.words += ["-d", str(len(payload))]
        if payload.isascii() and payload.decode().isprintable():
            command.words += ["-e", payload.decode()]
        else:
            command.missing.append("the payload (write it to a file and add -E FILE)")
    command.say(ip, "dst", _text(ip, "dst"))
    return command.told()


def nping(evaluation: Evaluation, interface: str = "") -> Told:
    """``nping --tcp -p 80 --flags syn … 10.0.0.9``."""
    built = evaluation.built
    network = _first(built, ("ip", "ipv6", "arp"))
    if built is None or network is None:
        return "", "nping sends IPv4, IPv6 and ARP only"
    command = _Command(evaluation, built, ["nping", "-c", "1"])
    command.words += ["-e", interface] if interface else []
    outermost = built.places[0]
    if outermost.header.tables[0] is ETHERNET:
        command.say(outermost, "dst", "--send-eth", "--dest-mac", _text(outermost, "dst"))
        command.say(outermost, "src", "--source-mac", _text(outermost, "src"))
    if network.header.name == "arp":
        _nping_arp(command, network)
        if command.payload():
            command.missing.append("the payload")
        return command.told()
    transport = _first(built, _TRANSPORTS, network)
    if transport is None:
        return "", "nping sends TCP, UDP and ICMP here"
    _nping_network(command, network)
    if transport.header.name == "icmp":
        command.number(transport, "type", "--icmp", "--icmp-type")
        command.number(transport, "code", "--icmp-code")
        if icmp.IDENT in transport.header.tables:
            command.number(transport, "ident", "--icmp-id")
            command.number(transport, "seq", "--icmp-seq")
    else:
        command.number(transport, "srcport", f"--{transport.header.name}", "-g")
        command.number(transport, "dstport", "-p")
    if transport.header.name == "tcp":
        _nping_tcp(command, transport)
    payload = command.payload()
    command.words += ["--data", payload.hex()] if payload else []
    command.say(network, "dst", _text(network, "dst"))
    return command.told()


@dataclass(slots=True)
class _Command:
    """A command as it grows, and what it says of the packet: field names by the layer's offset."""

    evaluation: Evaluation
    built: Built
    words: list[str]
    missing: list[str] = field(default_factory=list)
    said: dict[int, set[str]] = field(default_factory=dict)

    def say(self, place: BuiltField, key: str, *words: str) -> None:
        """A field is said by these words, or by none where the tool's own value is the same."""
        self.said.setdefault(place.offset, set()).add(key)
        self.words += words

    def number(self, place: BuiltField, key: str, *words: str) -> None:
        """A field is said as a number behind these words."""
        self.say(place, key, *words, f"{_number(place, key)}")

    def flag(self, place: BuiltField, key: str, word: str) -> None:
        """A flag is said by a word, or by its absence."""
        self.say(place, key, *([word] if place.values[key] else []))

    def payload(self) -> bytes:
        """What the innermost header carries."""
        return self.built.data[self.built.payload.start : self.built.payload.stop]

    def told(self) -> Told:
        """The command, and what it leaves out."""
        left_out = list(self._left_out())
        if self.built.trailer.stop > self.built.trailer.start:
            left_out.append("the trailer")
        return shlex.join(self.words), ", ".join(dict.fromkeys(left_out + self.missing))

    def _left_out(self) -> Iterator[str]:
        """Layers, fields and options that are otherwise than the tool makes them."""
        counted = _counted(self.built)
        kinds = self.evaluation.draft.kinds()
        for index, (place, (kind, _)) in enumerate(zip(self.built.places, kinds, strict=True)):
            if place.offset not in self.said:
                yield kind.title
                continue
            right = counted[index] if counted is not None else None
            for slot in _leaves(place):
                if not self._is_said(place, slot) and not _is_its_own(place, slot, right):
                    yield slot.name
            if place.body.stop > place.body.start:
                yield _body_title(kind)

    def _is_said(self, place: BuiltField, slot: PlacedField) -> bool:
        parent = slot.parent.key if slot.parent is not None else slot.key
        return bool({slot.key, parent} & self.said[place.offset])


def _counted(built: Built) -> tuple[BuiltField, ...] | None:
    """The places of the same packet with all its lengths and sums counted; None if too long."""
    headers = []
    for place in built.places:
        header = place.header
        values = {
            key: value
            for key, value in header.values.items()
            if not header.slot(key).field.automatic
        }
        headers.append(Header(header.tables, values, header.body))
    payload = built.data[built.payload.start : built.payload.stop]
    try:
        return build(Parts(tuple(headers), payload)).places
    except DoesNotFitError:
        return None


def _is_its_own(place: BuiltField, slot: PlacedField, right: BuiltField | None) -> bool:
    """Return True if a tool writes this value without an option for the field."""
    if not slot.field.automatic:
        return place.values[slot.key] == slot.field.default
    if slot.key in place.computed:
        return True
    return right is not None and place.values[slot.key] == right.values[slot.key]


def _leaves(place: BuiltField) -> Iterator[PlacedField]:
    """The fields that have no parts."""
    for table in place.header.tables:
        yield from (slot for slot in table.slots if not slot.field.parts)


def _body_title(kind: LayerKind) -> str:
    return f"{kind.title} {kind.body.lower()}"


def _first(
    built: Built | None, names: tuple[str, ...], after: BuiltField | None = None
) -> BuiltField | None:
    """The outermost layer of one of these names, inside `after`."""
    start = after.offset + 1 if after is not None else 0
    places = built.places if built is not None else ()
    return next((one for one in places if one.offset >= start and one.header.name in names), None)


def _hping_tcp(command: _Command, place: BuiltField) -> None:
    command.say(place, "", "-k")
    for key, option in (("srcport", "-s"), ("dstport", "-p"), ("seq_raw", "-M"),
                        ("ack_raw", "-L"), ("window_size_value", "-w")):  # fmt: skip
        command.number(place, key, option)
    for key, option in _HPING_FLAGS.items():
        command.flag(place, f"flags.{key}", option)


def _hping_icmp(command: _Command, place: BuiltField) -> None:
    command.number(place, "type", "-1", "-C")
    command.number(place, "code", "-K")
    if icmp.IDENT in place.header.tables:
        command.say(place, "ident")
        command.missing.append(icmp.IDENT["ident"].name)
    elif place.values["type"] in icmp.ERRORS:
        command.missing.append("the packet that the error quotes")


def _nping_network(command: _Command, place: BuiltField) -> None:
    if place.header.name == "ipv6":
        command.number(place, "hlim", "-6", "--hop-limit")
        command.number(place, "tclass", "--traffic-class")
        command.number(place, "flow", "--flow")
    else:
        command.number(place, "ttl", "--ttl")
        command.number(place, "id", "--id")
        command.number(place, "dsfield", "--tos")
        for key, option in (("df", "--df"), ("mf", "--mf"), ("rb", "--evil")):
            command.flag(place, f"flags.{key}", option)
    command.say(place, "src", *(["-S", _text(place, "src")] if place.values["src"] else []))


def _nping_tcp(command: _Command, place: BuiltField) -> None:
    flags = [word for key, word in _NPING_FLAGS.items() if place.values[f"flags.{key}"]]
    command.say(place, "", "--flags", ",".join(flags) or "0x00")
    command.said[place.offset] |= {f"flags.{key}" for key in _NPING_FLAGS}
    command.number(place, "seq_raw", "--seq")
    command.number(place, "ack_raw", "--ack")
    command.number(place, "window_size_value", "--win")


def _nping_arp(command: _Command, place: BuiltField) -> None:
    command.say(place, "", "--arp")
    operation = _NPING_OPERATIONS.get(_number(place, "opcode"))
    if operation is not None:
        command.say(place, "opcode", "--arp-type", operation)
    for option, key in (
        ("--arp-sender-mac", "src.hw_mac"),
        ("--arp-sender-ip", "src.proto_ipv4"),
        ("--arp-target-mac", "dst.hw_mac"),
        ("--arp-target-ip", "dst.proto_ipv4"),
    ):
        command.say(place, key, option, _text(place, key))  # fmt: skip
    command.words.append(_text(place, "dst.proto_ipv4"))


def _text(place: BuiltField, key: str) -> str:
    return place.header.slot(key).text(place.values[key])


def _number(place: BuiltField, key: str) -> int:
    value = place.values[key]
    assert isinstance(value, int)
    return value
