"""Which capture format a file is, told by its first bytes, never by its name.

A pcap file starts with a 32-bit magic number written in the byte order of the machine that
captured, so its order says how every later number reads. A pcapng file starts with the type
of a Section Header Block, a palindrome, and says its byte order 8 bytes later
(draft-ietf-opsawg-pcapng §4.1). Either may be wrapped in gzip or zstd.

Files that are none of these are named where their first bytes tell what they are, so that
the message can say what to do instead.
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
    """A file that cannot be read as a capture: one line with object, cause and next step."""


class RefusalError(Exception):
    """Why the bytes are no capture that can be read; the reader adds the file's name."""


def compression_of(head: bytes) -> str:
    """``"gzip"``, ``"zstd"`` or ``""``, from at least the first 4 bytes."""
    if head.startswith(GZIP_MAGIC):
        return "gzip"
    if head.startswith(ZSTD_MAGIC):
        return "zstd"
    if head[1:4] == ZSTD_SKIPPABLE and head[0] >> 4 == 5:
        return "zstd"
    return ""


def format_of(head: bytes) -> str:
    """``"pcap"``, ``"pcapng"`` or ``""``, from at least the first 4 bytes."""
    if head.startswith(PCAPNG_MAGIC):
        return "pcapng"
    return "pcap" if pcap_magic(head) else ""


def pcap_magic(head: bytes) -> tuple[int, str] | None:
    """The pcap magic number and the byte order (``"<"`` or ``">"``) it is written in, or None."""
    for order in "<>":
        (magic,) = struct.unpack_from(order + "I", head)
        if magic in PCAP_MAGICS:
            return magic, order
    return None


def refuse(head: bytes, compression: str) -> RefusalError:
    """The refusal for bytes that are no capture, as exactly as the bytes allow."""
    where = f" inside {compression}" if compression else ""
    if not head:
        return RefusalError(
            f"the file is empty{where}; nothing was captured, or it is not written yet"
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
            f"not a pcap/pcapng file{where} but text; give what tcpdump -w or dumpcap -w wrote"
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
