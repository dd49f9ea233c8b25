"""The first ``vlan`` in a capture filter, for frames whose tag the kernel has removed.

Network cards and the kernel take the outermost VLAN tag out of a frame and keep it beside the
frame, in ``struct sk_buff``. A program for such a frame finds the tag by two loads of metadata:
SKF_AD_VLAN_TAG_PRESENT and SKF_AD_VLAN_TAG. libpcap writes these loads only for a live handle,
which takes a privilege. `with_removed_tag` writes them into the text instead, as byte expressions
at the offsets that stand for metadata: libpcap then compiles the rest as for a frame without that
tag, which it is. Only the outermost tag is removed, so further ``vlan`` keywords stay.

As in libpcap, the keyword means the outer frame only until ``geneve`` or ``vxlan``.

Source: pcap-filter(7); libpcap, scanner.l, grammar.y and gen_vlan_bpf_extensions in gencode.c.
"""

from __future__ import annotations

import re

from core.capture.bpf import SKF_AD_OFF, SKF_AD_VLAN_TAG, SKF_AD_VLAN_TAG_PRESENT

VLAN_ID_MASK = 0xFFF

_WORD = re.compile(r"\\[^ !()\n\t]+|[A-Za-z0-9](?:[-_.A-Za-z0-9]*[.A-Za-z0-9])?")  # scanner.l
_NUMBER = re.compile(r"\s*(0[xX][0-9A-Fa-f]+|[0-9]+)(?![-_.A-Za-z0-9])")
_OPEN = re.compile(r"\s*\(")
_CLOSE = re.compile(r"\s*\)")
_INNER = ("geneve", "vxlan")  # the keywords that follow mean the packet inside


def with_removed_tag(text: str) -> str | None:
    """Return the filter for a frame whose outermost tag was removed; None if it is the same."""
    for word in _WORD.finditer(text):
        if word.group() in _INNER:
            return None
        if word.group() == "vlan":
            number, end = _number_after(text, word.end())
            return f"{text[: word.start()]}({_test(number)}){text[end:]}"
    return None


def _test(number: str) -> str:
    if number:
        return f"ether[{SKF_AD_OFF + SKF_AD_VLAN_TAG:#x}:2] & {VLAN_ID_MASK:#x} = {number}"
    return f"ether[{SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT:#x}:1] = 1"


def _number_after(text: str, at: int) -> tuple[str, int]:
    """Return the number after ``vlan``, which may be in parentheses, and where it ends."""
    depth, position = 0, at
    while found := _OPEN.match(text, position):
        depth, position = depth + 1, found.end()
    number = _NUMBER.match(text, position)
    if number is None:
        return "", at
    position = number.end()
    for _ in range(depth):
        closing = _CLOSE.match(text, position)
        if closing is None:
            return "", at
        position = closing.end()
    return number.group(1), position
