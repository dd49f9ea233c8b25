"""Runs a classic BPF program as the kernel does, on bytes and metadata of a frame."""

from __future__ import annotations

from collections.abc import Mapping

from core.capture.bpf import SKF_AD_OFF, SKF_NET_OFF, Program

_SIZES = {0x00: 4, 0x08: 2, 0x10: 1}  # BPF_W, BPF_H, BPF_B


def run(
    program: Program, frame: bytes = b"", metadata: Mapping[int, int] = {}, network: int = 0
) -> int:
    """Return the result of a program. `metadata` is by SKF_AD_*; `network` is an offset."""
    accumulator = index = at = 0
    memory = [0] * 16

    def load(offset: int, size: int) -> int | None:
        if SKF_AD_OFF <= offset < 1 << 32:
            return metadata.get(offset - SKF_AD_OFF, 0)
        if offset >= SKF_NET_OFF:
            offset = offset - SKF_NET_OFF + network
        data = frame[offset : offset + size]
        return int.from_bytes(data, "big") if len(data) == size else None

    while True:
        code, true, false, constant = program[at]
        at += 1
        kind, mode, size = code & 0x07, code & 0xE0, _SIZES.get(code & 0x18, 0)
        operand = index if code & 0x08 else constant
        if kind == 0x00 and mode in (0x20, 0x40):
            loaded = load(constant + (index if mode == 0x40 else 0), size)
            if loaded is None:
                return 0
            accumulator = loaded
        elif kind == 0x00:
            choices = {0x00: constant, 0x60: memory[constant & 15], 0x80: len(frame)}
            accumulator = choices[mode]
        elif kind == 0x01 and mode == 0xA0:
            loaded = load(constant, 1)
            if loaded is None:
                return 0
            index = (loaded & 0x0F) * 4
        elif kind == 0x01:
            index = {0x00: constant, 0x60: memory[constant & 15], 0x80: len(frame)}[mode]
        elif kind in (0x02, 0x03):
            memory[constant] = accumulator if kind == 0x02 else index
        elif kind == 0x04:
            accumulator = {
                0x00: accumulator + operand,
                0x10: accumulator - operand,
                0x40: accumulator | operand,
                0x50: accumulator & operand,
                0x60: accumulator << min(operand, 32),
                0x70: accumulator >> min(operand, 32),
            }[code & 0xF0] & 0xFFFFFFFF
        elif kind == 0x05 and code & 0xF0 == 0x00:
            at += constant
        elif kind == 0x05:
            holds = {
                0x10: accumulator == operand,
                0x20: accumulator > operand,
                0x30: accumulator >= operand,
                0x40: bool(accumulator & operand),
            }[code & 0xF0]
            at += true if holds else false
        elif kind == 0x06:
            return constant
        elif code & 0xF8 == 0x00:
            index = accumulator
        else:
            accumulator = index
