"""Recognize the format of a capture file by its first bytes, never by its name.

A pcap file starts with a 32-bit magic number in the byte order of the host that captured; all later
numbers in the file have the same order. A pcapng file starts with the type of a Section Header
Block, which reads the same in both byte orders; the byte order follows 8 bytes later
(draft-ietf-opsawg-pcapng §4.1). Either may be compressed with gzip or zstd.

For some other formats, the first bytes are known too, so the error can name the format and a
program that converts it.
"""

from __future__ import annotations

import struct

PCAPNG_MAGIC = b"\x0a\x0d\x0d\x0a"
GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
ZSTD_SKIPPABLE = b"\x2a\x4d\x18"  # bytes 1-3 of a skippable frame; byte 0 is 0x50-0x5f
MAGIC_BYTES = 4

PCAP_MAGICS = (
    MICROSECONDS := 0xA1B2C3D4,
    NANOSECONDS := 0xA1B23C4D,
    MODIFIED := 0xA1B2CD34,  # Kuznetzov's patches: longer record headers
    IXIA_NANOSECONDS := 0x1C0001AC,  # four more bytes after the file header
    IXIA_MICROSECONDS := 0x1C0001AB,
)

_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"\x7fELF", "an ELF program"),
    (b"BZh", "a bzip2 file: unpack it with bzip2 -dk first"),
    (b"\xfd7zXZ", "an xz file: unpack it with xz -dk first"),
    (b"\x04\x22\x4d\x18", "an lz4 file: unpack it with lz4 -d first"),
    (b"PK\x03\x04", "a zip archive: unpack it with unzip first"),
    (b"snoop\0", "a Solaris snoop file: convert it with editcap -F pcapng first"),
    (b"RTSS", "a NetMon file: convert it with editcap -F pcapng first"),
    (b"GMBU", "a NetMon file: convert it with editcap -F pcapng first"),
)


class FileError(Exception):
    """A file cannot be read as a capture. The text is one line: file, cause, and next step."""


class RefusalError(Exception):
    """The bytes are not a readable capture. The text is the reason, without the file name."""


def compression_of(head: bytes) -> str:
    """Return ``"gzip"``, ``"zstd"`` or ``""``, judged by at least the first 4 bytes."""
    if head.startswith(GZIP_MAGIC):
        return "gzip"
    if head.startswith(ZSTD_MAGIC):
        return "zstd"
    if head[1:4] == ZSTD_SKIPPABLE and head[0] >> 4 == 5:
        return "zstd"
    return ""


def format_of(head: bytes) -> str:
    """Return ``"pcap"``, ``"pcapng"`` or ``""``, judged by at least the first 4 bytes."""
    if head.startswith(PCAPNG_MAGIC):
        return "pcapng"
    return "pcap" if pcap_magic(head) else ""


def pcap_magic(head: bytes) -> tuple[int, str] | None:
    """Return the pcap magic number and its byte order (``"<"`` or ``">"``), or None."""
    for order in "<>":
        (magic,) = struct.unpack_from(order + "I", head)
        if magic in PCAP_MAGICS:
            return magic, order
    return None


def refusal(head: bytes, compression: str) -> RefusalError:
    """Return the error for bytes that are not a capture, as specific as the bytes allow."""
    where = f" inside {compression}" if compression else ""
    if not head:
        return RefusalError(
            f"the file is empty{where}; nothing was captured, or nothing was written yet"
        )
    if len(head) < MAGIC_BYTES:
        return RefusalError(
            f"only {len(head)} bytes long{where}, too short for a pcap or pcapng header"
        )
    for magic, what in _OTHERS:
        if head.startswith(magic):
            return RefusalError(f"not a pcap/pcapng file{where} but {what}")
    if not any(head):
        return RefusalError(
            f"not a pcap/pcapng file{where}: it begins with zeros, so it was created but not "
            "written (power loss?); fetch or capture the file again"
        )
    if _is_text(head):
        return RefusalError(
            f"not a pcap/pcapng file{where} but text; give a file that tcpdump -w wrote"
        )
    return RefusalError(
        f"not a pcap/pcapng file{where}: it starts with {head[:4].hex(' ')}; "
        "convert it with editcap -F pcapng if it is another capture format"
    )


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.end < len(head) - 3:
            return False
        text = head[: error.start].decode("utf-8")
    return all(char.isprintable() or char in "\t\r\n\f" for char in text)
