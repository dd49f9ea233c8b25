"""Sums of many ranges at once, compared with the sum of each range."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.wire.checksum import batch_checksums
from core.wire.checksum.batch_checksums import add_folded, crc32c_many, header_sums, ones_sums
from core.wire.checksum.packet_checksums import crc32c, ones_sum


def _array(data: bytes) -> np.ndarray:
    return np.frombuffer(data, dtype=np.uint8)


@settings(deadline=None)
@given(
    st.binary(min_size=1, max_size=300),
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), max_size=30),
)
def test_sums_agree_with_one_by_one(data, ends):
    """Any ranges, in any order, overlapping or empty."""
    pairs = [sorted((min(a, len(data)), min(b, len(data)))) for a, b in ends]
    starts = np.array([a for a, _ in pairs], dtype=np.int64)
    lengths = np.array([b - a for a, b in pairs], dtype=np.int64)
    expected = [ones_sum(data[a:b]) for a, b in pairs]
    assert ones_sums(_array(data), starts, lengths).tolist() == expected


def test_every_start_and_length_of_words_full_of_ones():
    """All ones and all zeros are the two values of zero; both must stay as they are."""
    data = b"\x00" * 24 + b"\xff" * 24 + bytes(range(16))
    pairs = [(a, b) for a in range(len(data)) for b in range(a, len(data) + 1)]
    starts = np.array([a for a, _ in pairs])
    lengths = np.array([b - a for a, b in pairs])
    expected = [ones_sum(data[a:b]) for a, b in pairs]
    assert ones_sums(_array(data), starts, lengths).tolist() == expected


def test_ranges_beyond_one_slice(monkeypatch):
    """Slices are cut between ranges, also if ranges run backward or one is longer than a slice."""
    monkeypatch.setattr(batch_checksums, "SLICE", 64)
    data = np.random.default_rng(1).integers(0, 256, 5_000, dtype=np.uint8)
    starts = np.concatenate([np.arange(1, 4_000, 37), np.arange(4_000, 0, -53), [3]])
    lengths = np.concatenate([np.full(len(starts) - 1, 51), [4_997]])
    expected = [ones_sum(data[a : a + n].tobytes()) for a, n in zip(starts, lengths, strict=True)]
    assert ones_sums(data, starts, lengths).tolist() == expected


def test_headers_of_mixed_lengths():
    """5 to 15 words, from every alignment."""
    data = np.random.default_rng(2).integers(0, 256, 400, dtype=np.uint8)
    starts = np.arange(300)
    words = 5 + starts % 11
    expected = [ones_sum(data[a : a + 4 * n].tobytes()) for a, n in zip(starts, words, strict=True)]
    assert header_sums(data, starts, words).tolist() == expected


def test_no_ranges():
    """An empty batch has empty results."""
    none = np.zeros(0, dtype=np.int64)
    data = _array(b"abcd")
    assert ones_sums(data, none, none).shape == (0,)
    assert header_sums(data, none, none).shape == (0,)
    assert crc32c_many(data, none, none, 8).shape == (0,)


def test_adding_folded_sums_carries_around():
    """0xFFFF + 1 is 1, and only zeros add up to zero."""
    values = add_folded(np.array([0xFFFF, 0, 0xFFFF, 0x12345]), np.array([1, 0, 0, 0]))
    assert values.tolist() == [1, 0, 0xFFFF, 0x2346]


@settings(deadline=None)
@given(st.lists(st.binary(min_size=12, max_size=70) | st.binary(max_size=8), max_size=12))
def test_crc_agrees_with_one_by_one(parts):
    """The field's four bytes count as zero, whatever they hold."""
    lengths = np.array([len(part) for part in parts], dtype=np.int64)
    starts = np.cumsum(lengths) - lengths
    zeroed = [part[:8] + bytes(4) + part[12:] if len(part) > 8 else part for part in parts]
    result = crc32c_many(_array(b"".join(parts) + b"end"), starts, lengths, 8)
    assert result.byteswap().tolist() == [crc32c(part) for part in zeroed]


def test_crc_of_long_ranges_beside_short_ones():
    """Lengths around the borders of the pieces of a range."""
    lengths = np.array([252, 255, 256, 257, 260, 0, 511, 512, 513, 12, 5003, 60_000])
    generator = np.random.default_rng(7)
    parts = [generator.bytes(length) for length in lengths]
    starts = np.cumsum(lengths) - lengths
    zeroed = [part[:8] + bytes(4) + part[12:] if part else part for part in parts]
    result = crc32c_many(_array(b"".join(parts)), starts, lengths, 8)
    assert result.byteswap().tolist() == [crc32c(part) for part in zeroed]


def test_a_long_packet_costs_its_pieces(monkeypatch):
    """One jumbogram among short packets must not delay a screen, as 15,000 rounds did."""
    rounds: list[int] = []
    advance = batch_checksums._advance
    monkeypatch.setattr(
        batch_checksums, "_advance", lambda *given: rounds.append(1) or advance(*given)
    )
    crc32c_many(_array(bytes(60_000)), np.array([0]), np.array([60_000]), 8)
    assert len(rounds) < 400


def test_crc_of_the_known_string():
    """RFC 3720 appendix B.4 and every CRC catalog: 0xE3069283 for the nine digits."""
    result = crc32c_many(_array(b"123456789"), np.array([0]), np.array([9]), 400)
    assert result.tolist() == [0xE3069283]
