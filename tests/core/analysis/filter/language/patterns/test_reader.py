"""The translation of PCRE2's syntax: the same matches as tshark, and what is refused."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.filter.language.patterns.byte_escapes import PatternError
from core.analysis.filter.language.patterns.compilation import compile_pattern
from core.analysis.filter.language.patterns.reader import DEPTH, PatternReader
from tests.app.made import capture_of
from tests.core.analysis.filter.language.patterns.pcre2_cases import (
    ONLY_HERE,
    PATTERNS,
    REFUSED_HERE,
    SUBJECTS,
)
from tests.core.decode.frames import udp_frame
from tests.helpers.support import require_lua_tshark
from tests.helpers.waiting import PATIENCE_S

TAPS = """
local number = 0
for line in io.lines(os.getenv("RAWSCOPE_FILTERS")) do
  number = number + 1
  local mine = number
  local is_valid, tap = pcall(Listener.new, "frame", line)
  if is_valid then function tap.packet(pinfo) print(mine .. " " .. pinfo.number) end
  else print(mine .. " refused") end
end
"""


def quoted(pattern: bytes) -> str:
    """Return a pattern as a string of the filter language."""
    plain = set(range(0x20, 0x7F)) - set(b'"\\')
    return '"' + "".join(chr(code) if code in plain else f"\\x{code:02x}" for code in pattern) + '"'


def matches_of_tshark(patterns: Iterable[bytes], folder: Path) -> list[set[int] | None]:
    """Return the subjects in which each pattern matches; None for a pattern that it refuses."""
    capture = capture_of(folder / "subjects.pcap", [udp_frame(each) for each in SUBJECTS])
    script, table = folder / "taps.lua", folder / "filters"
    script.write_text(TAPS)
    table.write_text("".join(f"udp.payload matches {quoted(each)}\n" for each in patterns))
    done = subprocess.run(
        [require_lua_tshark(), "-n", "-q", "-X", f"lua_script:{script}", "-r", capture],
        env={**os.environ, "RAWSCOPE_FILTERS": str(table)},
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    found: list[set[int] | None] = [set() for _ in patterns]
    for line in done.stdout.splitlines():
        pattern, packet = line.split()
        if packet == "refused":
            found[int(pattern) - 1] = None
        else:
            matched = found[int(pattern) - 1]
            assert matched is not None
            matched.add(int(packet) - 1)
    return found


def matches_here(pattern: bytes) -> set[int] | None:
    """Return the subjects in which a pattern matches; None for one that is refused."""
    try:
        compiled = compile_pattern(pattern)
    except ValueError:
        return None
    return {index for index, subject in enumerate(SUBJECTS) if compiled.search(subject)}


def refusal_of(pattern: bytes) -> str | None:
    """Return the reason why a pattern is refused, or None."""
    try:
        compile_pattern(pattern)
    except ValueError as error:
        return str(error) or "no reason"
    return None


@pytest.mark.corpus
def test_patterns_match_what_they_match_in_tshark(tmp_path: Path) -> None:
    assert len(PATTERNS) > 300
    expected = matches_of_tshark(PATTERNS, tmp_path)
    different = {}
    for pattern, wanted in zip(PATTERNS, expected, strict=True):
        found = matches_here(pattern)
        if pattern in REFUSED_HERE:
            assert (found, wanted is None) == (None, False), pattern
        elif pattern in ONLY_HERE:
            assert (found is None, wanted) == (False, None), pattern
        elif found != wanted:
            different[pattern] = found, wanted
    assert different == {}, "(only here, only in tshark)"
    assert sum(wanted is None for wanted in expected) > 50
    assert sum(bool(wanted) for wanted in expected) > 200


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (b"(*COMMIT)a", "verbs such as (*COMMIT) are not supported at position 0"),
        (b"a(?R)?b", "only a group that ends before it can be called here at position 1"),
        (rb"\p{Greek}", r"\p takes a general category here, as in \p{Lu} at position 0"),
        (rb"\u0041", r"the escape \u is not supported at position 0"),
        (rb"\x{100}", r"\x{100} is more than one byte at position 0"),
        (rb"\400", r"\400 is more than one byte at position 0"),
        (b"a**", "a quantifier follows nothing that can be repeated at position 2"),
        (b"a{70000}", "a quantifier is at most 65535 at position 1"),
        (b"[a-\\d]", "a class cannot be the end of a range at position 1"),
        (b"x[[:foo:]]", "there is no class [:foo:] at position 2"),
        (b"[:alpha:]", "a class such as [:alpha:] belongs into a set: [[:alpha:]] at position 0"),
        (b"(" * 50 + b"a" + b")" * 50, "more than 40 groups are inside each other at position 40"),
        (b"(?:a{300}){400}", "too many repeated groups are inside each other at position 15"),
        (b"(?<n>a)(?<n>b)", "two groups have the name n at position 7"),
    ],
)
def test_refused_patterns_have_a_reason(pattern: bytes, reason: str) -> None:
    with pytest.raises(PatternError) as caught:
        PatternReader(pattern).read()
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("opening", "closing"),
    [("(", ")"), ("(?:a|", ")"), ("(?=", ")"), ("(?>", ")"), ("(?|", ")"), ("(?(?=a)", ")"),
     ("(?-i:a", ")"), ("(?:", ")+"), ("(?:", "){2}"), ("(", ")?"), ("(*atomic:", ")*")],
)  # fmt: skip
def test_the_deepest_patterns_are_compiled_or_refused(opening: str, closing: str) -> None:
    """Repeated groups inside each other end earlier: `regex` needs too long for them."""
    for depth in (1, 8, DEPTH, DEPTH + 1):
        pattern = f"{opening * depth}b{closing * depth}".encode()
        is_refused = refusal_of(pattern) is not None
        assert is_refused <= (depth > 8)
        assert is_refused >= (depth > DEPTH)


WORDS = st.sampled_from(
    ["a", "B", "(", ")", "(?", "(?:", "(?i)", "(?-i:", "(?|", "(?<n>", "(?P<", "[", "]", "^", "[^",
     "-", "\\", "\\Q", "\\E", "\\1", "\\g{1}", "\\g<1>", "\\x", "\\x41", "\\o{7}", "\\c", "\\d",
     "\\p{L}", "[:alpha:]", "{", "{2}", "{,3}", "{1,2}", "}", "*", "+", "?", "|", ".", "$", "#",
     " ", "é",
     "(?x)", "(?#", "(*", "(?(1)", "(?(DEFINE)", "(?=", "(?<=", "\\K", "\\R", "\\X", "\n"]
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(WORDS, max_size=10).map("".join).map(str.encode) | st.binary(max_size=16))
def test_any_pattern_is_compiled_or_refused(pattern: bytes) -> None:
    if refusal_of(pattern) is None:
        compile_pattern(pattern).search(b"aaB-[&\n", timeout=PATIENCE_S)
