"""Checksums of one packet: the Internet's one's complement sum (RFC 1071), and CRC-32C.

The sum
-------
A header's 16-bit words are added with end-around carry; the field holds the complement, so that a
correct packet, field included, sums to 0xFFFF. Since 2**16 leaves 1 when divided by 0xFFFF, the
folded sum of a string of words is the big-endian number they form, modulo 0xFFFF (with 0xFFFF,
never 0, for a non-zero multiple). One `int.from_bytes` and one division replace a loop over words.

Transport checksums also cover a pseudo-header: the addresses (the *final* destination, also under a
source route or a routing header), the protocol and the length (RFC 9293 §3.1, RFC 8200 §8.1). A
sender that leaves the work to the network card writes only the pseudo-header's sum, not
complemented, into the field: with the length if the card sends one packet, without it if the card
cuts the packet into segments and knows their lengths better (Windows' large send offload, Linux'
TSO drivers).

Which source decides
--------------------
1. If the sum over the whole segment is right, it is `GOOD`, whatever the kernel says.
2. Otherwise, if the kernel says "not filled in yet" (TP_STATUS_CSUMNOTREADY), it is `OFFLOADED`,
   also where bytes are missing.
3. Otherwise, a field that holds exactly the pseudo-header's partial sum, with the length or without
   it, is `OFFLOADED`.
4. Otherwise it is `BAD`, or `UNVERIFIED` if it could not be computed.

`BAD` means "computed and different", also if the sum was most likely left to the card but nothing
proves it: no verdict is a guess. The reason expresses the doubt and asks "offloaded?" (`doubt`) for

* an IPv4 header checksum or a CRC-32C of 0 in a frame that this host sent, or may have sent. In a
  file that has no directions, as no classic pcap file has, that is any frame;
* an IPv4 header checksum of 0 beside a total length that was left to the card;
* a CRC-32C of 0 on a loopback interface, where Linux never computes it;
* any transport sum in a packet whose length was left to the card
  (`core.wire.network.unset_length`): a card that writes the length writes the sum.

The kernel's "valid" (TP_STATUS_CSUM_VALID) never makes a verdict: on a veth pair it only means that
nobody needs to check, and a wrong sum travels with it. The reason mentions it.
"""

from __future__ import annotations

from core.wire.link.linux_cooked import SENT_BY_US
from core.wire.model.dissection import Check, PacketFlag, Verdict
from core.wire.model.field import BytesLike, PlacedField
from core.wire.model.walk import Walk

ALL_ONES = 0xFFFF
OFFLOADED_QUESTION = "offloaded?"  # in the reason of a wrong sum that may not be an error
_ARPHRD_LOOPBACK = 772  # the hardware type in cooked captures (linux/if_arp.h)
_LOOPBACK_4 = 127  # the first byte of an address (RFC 1122 §3.2.1.3)
_LOOPBACK_6 = bytes(15) + b"\x01"  # RFC 4291 §2.5.3


def ones_sum(data: BytesLike, start: int = 0) -> int:
    """Return the folded one's complement sum of 16-bit words, added to `start` (0–0xFFFF).

    An odd last byte counts as a word's high half (RFC 1071 §4.1).
    """
    number = int.from_bytes(data, "big")
    if len(data) % 2:
        number <<= 8
    number += start
    return number % ALL_ONES or (ALL_ONES if number else 0)


def internet_checksum(data: BytesLike, start: int = 0) -> int:
    """Return the checksum of `data`, whose field is zero; `start` is a pseudo-header's sum."""
    return ones_sum(data, start) ^ ALL_ONES


def pseudo_header_sum(source: bytes, destination: bytes, protocol: int, length: int) -> int:
    """Return the folded sum of the pseudo-header, for 4-byte and 16-byte addresses."""
    return ones_sum(source + destination + length.to_bytes(4, "big") + protocol.to_bytes(2, "big"))


_CASTAGNOLI = 0x82F63B78  # CRC-32C's polynomial, its bits reversed


def _crc32c_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (_CASTAGNOLI if value & 1 else 0)
        table.append(value)
    return tuple(table)


CRC32C_TABLE = _crc32c_table()  # the remainder after each byte


def crc32c(data: BytesLike) -> int:
    """Return the Castagnoli CRC (RFC 9260 appendix A) as the number in the header's field.

    The protocol sends the CRC's bytes in reversed order, so the field read as a big-endian number
    is the byte-swapped CRC; this function returns the swapped form.
    """
    crc = 0xFFFFFFFF
    table = CRC32C_TABLE
    for byte in bytes(data):
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return int.from_bytes((crc ^ 0xFFFFFFFF).to_bytes(4, "little"), "big")


def judge(slot: PlacedField, stored: int, data: BytesLike, pseudo: int = 0) -> Check:
    """Return `GOOD` or `BAD` by the sum over `data`, field included, and the `pseudo` sum."""
    total = ones_sum(data, pseudo)
    if total == ALL_ONES:
        return Check(slot, Verdict.GOOD, stored)
    return Check(slot, Verdict.BAD, corrected(stored, total))


def corrected(stored: int, total: int) -> int:
    """Return the right value of a field whose value `stored` led to the sum `total`."""
    shifted = stored + (total ^ ALL_ONES)
    return (shifted & ALL_ONES) + (shifted >> 16)


def unverified(walk: Walk, slot: PlacedField, reason: str) -> Check:
    """Return the check of a sum that cannot be computed; the kernel may still know about it."""
    if walk.flags & PacketFlag.CHECKSUM_NOT_READY and not walk.quoted:
        return Check(slot, Verdict.OFFLOADED, reason="the kernel had not filled it in yet")
    if walk.flags & PacketFlag.CHECKSUM_VALID and not walk.quoted:
        reason += "; the kernel had accepted it"
    return Check(slot, Verdict.UNVERIFIED, reason=reason)


def obstacle(walk: Walk, stop: int) -> str:
    """Return why a sum up to `stop` cannot be computed here, or an empty string."""
    if walk.quoted:
        return "quoted in an ICMP error, which need not quote all of it"
    if walk.fragment:
        return "a fragment: the sum covers the whole datagram"
    if stop > walk.stop:
        return f"its length goes past what {walk.limited_by} allows"
    if stop > walk.captured:
        return "cut short by the snap length"
    return ""


def check_transport(walk: Walk, slot: PlacedField, offset: int, stop: int, protocol: int) -> Check:
    """Return the verdict on a checksum with a pseudo-header, of the segment ``offset`` to `stop`.

    `protocol` is the pseudo-header's.
    """
    reason = obstacle(walk, stop)
    if not reason and walk.endpoints is None:
        reason = "no addresses for the pseudo-header"
    if reason or walk.endpoints is None:
        return unverified(walk, slot, reason)
    stored = slot.number(walk.data, offset)
    ends = walk.endpoints
    bare = pseudo_header_sum(ends.source, ends.destination, protocol, 0)
    pseudo = ones_sum((stop - offset).to_bytes(4, "big"), bare)
    check = judge(slot, stored, walk.data[offset:stop], pseudo)
    if check.verdict is Verdict.GOOD:
        return check
    if walk.flags & PacketFlag.CHECKSUM_NOT_READY:
        return Check(slot, Verdict.OFFLOADED, reason="the kernel had not filled it in yet")
    if stored in (pseudo, bare):
        reason = "holds only the pseudo-header's partial sum"
        reason += "" if stored == pseudo else ", without the length"
        return Check(slot, Verdict.OFFLOADED, check.expected, reason)
    if walk.length_unset:
        reason = (
            "the length was left to the network card, so most likely this sum was too: "
            + OFFLOADED_QUESTION
        )
        return check._replace(reason=reason)
    return check


def check_message(walk: Walk, slot: PlacedField, offset: int) -> Check:
    """Return the verdict on a sum over all bytes from `offset` on, without a pseudo-header."""
    if reason := obstacle(walk, walk.stop):
        return unverified(walk, slot, reason)
    return judge(slot, slot.number(walk.data, offset), walk.data[offset : walk.stop])


def is_doubted(check: Check) -> bool:
    """Return True if the reason of a wrong sum asks whether it was left to the network card."""
    return OFFLOADED_QUESTION in check.reason


def doubt(walk: Walk, stored: int, *, skips_loopback: bool = False) -> str:
    """Return why a wrong sum was most likely left to the network card, or an empty string.

    That holds for a field of 0 in a frame that this host sent; see the module's text.
    `skips_loopback` is True if the kernel does not compute the sum on a loopback interface.
    """
    reason = "" if stored else _doubt_of_zero(walk, skips_loopback)
    return f"{reason} ({OFFLOADED_QUESTION})" if reason else ""


def _doubt_of_zero(walk: Walk, skips_loopback: bool) -> str:
    if walk.length_unset:
        return "0, and the length was left to the network card: so was the sum"
    if skips_loopback and _is_on_loopback(walk):
        return "0: not computed on a loopback interface"
    match _direction(walk):
        case PacketFlag.INBOUND:
            return ""
        case PacketFlag.OUTBOUND:
            return "0 in a frame that this host sent: left to the network card"
    return "0: left to the network card if the capturing host sent it"


def _direction(walk: Walk) -> int:
    """Return INBOUND, OUTBOUND, or 0 if neither the file nor the frame has the direction."""
    if walk.flags & PacketFlag.OURS:
        return PacketFlag.OUTBOUND
    if known := walk.flags & PacketFlag.DIRECTION_MASK:
        return known
    kind = walk.layers[0].number(walk.data, "pkttype") if walk.layers else None
    if kind is None:
        return 0
    return PacketFlag.OUTBOUND if kind == SENT_BY_US else PacketFlag.INBOUND


def _is_on_loopback(walk: Walk) -> bool:
    """Return True if the link header or the addresses are those of a loopback interface."""
    link = walk.layers[0]
    ends = [link.number(walk.data, key) for key in ("dst", "src")] if link.name == "eth" else []
    if link.name == "null" or ends == [0, 0]:
        return True
    if link.number(walk.data, "hatype") == _ARPHRD_LOOPBACK:
        return True
    source = walk.endpoints.source if walk.endpoints else b""
    return source == _LOOPBACK_6 or (len(source) == 4 and source[0] == _LOOPBACK_4)
