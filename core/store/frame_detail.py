"""The first row of the detail tree: what the capture recorded about a frame besides its bytes.

Times are UTC with nine decimals, exactly as the source gave them. A time that cannot be right is
shown too, with a warning. Differences to other packets may be negative, because clocks step back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from core.store.captured_packet import CapturedPacket
from core.wire.link.link_types import link_type_name
from core.wire.model.dissection import PacketFlag, is_timed
from core.wire.model.text import safe
from core.wire.present.detail_row import Row, Severity

_SECOND_NS = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIRECTIONS: dict[int, str] = {
    PacketFlag.INBOUND: "inbound",
    PacketFlag.OUTBOUND: "outbound",
}
_RECEPTIONS = {1: "unicast", 2: "multicast", 3: "broadcast", 4: "promiscuous"}


def frame_row(
    packet: CapturedPacket,
    first_timestamp_ns: int | None,
    previous_timestamp_ns: int | None,
    comments: Sequence[str] = (),
) -> Row:
    """Return the row ``Frame 12: 74 bytes``, with times, lengths, interface, flags and comments.

    `first_timestamp_ns` is the time of packet 1, `previous_timestamp_ns` that of the packet before;
    each is None if unknown.
    """
    children = (
        *(_field("comment", "Comment", safe(text), raw=text) for text in comments),
        *_time_rows(packet, first_timestamp_ns, previous_timestamp_ns),
        *_length_rows(packet),
        _interface_row(packet.interface.name),
        _field("encap_type", "Link type", link_type_name(packet.link_type)),
        *_flag_rows(packet.flags),
    )
    return Row(
        "frame",
        f"Frame {packet.number}",
        _length_text(packet) + (", ¶ commented" if comments else ""),
        severity=max(row.severity for row in children),
        children=children,
        is_layer=True,
        field="frame.number",
        raw=packet.number,
    )


def time_text(timestamp_ns: int) -> str:
    """Return ``2023-11-14 22:13:20.123456789`` in UTC, or seconds since 1970."""
    seconds, fraction = divmod(timestamp_ns, _SECOND_NS)
    try:
        moment = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return f"{seconds}.{fraction:09d} s after 1970"
    return f"{moment:%Y-%m-%d %H:%M:%S}.{fraction:09d}"


def date_text(second: int, *, utc: bool, fraction_ns: int | None = None) -> str:
    """Return a time by ISO 8601, ``2014-03-06T13:34:49.416000000Z``, or seconds since 1970.

    A local time ends with the offset of its zone (``+0100``). Without `fraction_ns`, the digits
    after the point are left out.
    """
    fraction = "" if fraction_ns is None else f"{fraction_ns:09d}"
    try:
        moment = _EPOCH + timedelta(seconds=second)
        if not utc:
            moment = moment.astimezone()
    except (OverflowError, ValueError):
        return f"{second}.{fraction}"
    zone = "Z" if utc else moment.strftime("%z")
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{fraction}{zone}"


def seconds_text(duration_ns: int, decimals: int = 9) -> str:
    """Return a signed duration in seconds, ``-0.000123``, cut (not rounded) to `decimals`."""
    sign = "-" if duration_ns < 0 else ""
    seconds, fraction = divmod(abs(duration_ns), _SECOND_NS)
    return f"{sign}{seconds}.{fraction // 10 ** (9 - decimals):0{decimals}d}"


def seconds_texts(durations_ns: NDArray[np.int64], decimals: int = 9) -> list[str]:
    """Return `seconds_text` of many durations (n,)."""
    seconds, fraction = np.divmod(np.abs(durations_ns), _SECOND_NS)
    fraction //= 10 ** (9 - decimals)
    form = f"%d.%0{decimals}d"
    texts = [form % pair for pair in zip(seconds.tolist(), fraction.tolist(), strict=True)]
    for index in np.flatnonzero(durations_ns < 0).tolist():
        texts[index] = f"-{texts[index]}"
    return texts


def frame_headline(number: int, length: int) -> str:
    """Return ``Frame 12: 74 bytes``, with the length on the wire."""
    return f"Frame {number}: {length} bytes"


def _field(
    name: str,
    label: str,
    value: str,
    meaning: str = "",
    severity: Severity = Severity.NONE,
    raw: int | str | None = None,
) -> Row:
    """Return the row of a field; without a value `raw`, filters have no name for it."""
    key = f"frame.{name}"
    field = "" if raw is None else key
    return Row(key, label, value, meaning, severity=severity, field=field, raw=raw)


def _interface_row(name: str) -> Row:
    return _field("interface_name", "Interface", safe(name) or "unnamed", raw=name or None)


def _time_rows(packet: CapturedPacket, first: int | None, previous: int | None) -> Iterator[Row]:
    if not is_timed(packet.timestamp_ns, packet.flags):
        yield _field("time_utc", "Arrival time", "–", "the file does not record it")
        return
    text = f"{time_text(packet.timestamp_ns)} UTC"
    if packet.flags & PacketFlag.TIME_INVALID:
        remark = "the sub-second part is out of range: shown as stored"
        yield _field(
            "time_utc", "Arrival time", text, remark, Severity.WARNING, packet.timestamp_ns
        )
    else:
        yield _field("time_utc", "Arrival time", text, raw=packet.timestamp_ns)
    for name, label, before in (
        ("time_delta", "Since the previous packet", previous),
        ("time_relative", "Since the first packet", first),
    ):
        if before is not None:
            duration = packet.timestamp_ns - before
            yield _field(name, label, f"{seconds_text(duration)} s", raw=duration)


def _length_rows(packet: CapturedPacket) -> Iterator[Row]:
    length = packet.original_length
    yield _field("len", "Length on the wire", f"{length} bytes", raw=length)
    captured = packet.captured_length
    missing = length - captured
    remark, severity = "", Severity.NONE
    if packet.flags & PacketFlag.LENGTH_INVALID or missing < 0:
        remark, severity = "more bytes than were on the wire", Severity.WARNING
    elif missing:
        remark, severity = f"cut short by the snap length: {missing} missing", Severity.NOTE
    yield _field("cap_len", "Captured", f"{captured} bytes", remark, severity, captured)


def _length_text(packet: CapturedPacket) -> str:
    if packet.original_length == packet.captured_length:
        return f"{packet.captured_length} bytes"
    return f"{packet.original_length} bytes on the wire, {packet.captured_length} captured"


def _flag_rows(flags: int) -> Iterator[Row]:
    direction = _DIRECTIONS.get(flags & PacketFlag.DIRECTION_MASK)
    if flags & PacketFlag.OURS:
        yield _field("direction", "Direction", "outbound", "↗ sent by rawscope", raw="outbound")
    elif direction:
        yield _field("direction", "Direction", direction, raw=direction)
    reception = _RECEPTIONS.get((flags & PacketFlag.RECEPTION_MASK) >> PacketFlag.RECEPTION_SHIFT)
    if reception:
        yield _field("reception", "Received as", reception)
    check_sequence = (flags & PacketFlag.FCS_MASK) >> PacketFlag.FCS_SHIFT
    if check_sequence:
        yield _field("fcs_length", "Check sequence at the end", f"{check_sequence} bytes")
    if flags & PacketFlag.CHECKSUM_NOT_READY:
        remark = "the kernel left the transport checksum to the network card"
        yield _field("checksum_state", "Kernel state", "checksum not filled in yet", remark)
    elif flags & PacketFlag.CHECKSUM_VALID:
        yield _field("checksum_state", "Kernel state", "checksum accepted")
    if flags & PacketFlag.SEGMENTED:
        yield _field("segmented", "Kernel state", "not yet cut into segments")
    if flags & PacketFlag.VLAN_RESTORED:
        yield _field("vlan_restored", "VLAN tag", "removed by the kernel, restored by rawscope")
