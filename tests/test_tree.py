"""The tests mirror the tree: ``tests/app/cli/test_output.py`` tests ``app/cli/output.py``.

A test file of another name has a *theme*: a promise that several modules keep together. This module
lists these files with their themes, so that a reader who misses a mirror knows where else to
search. The files directly in ``tests`` have a theme, too; those in ``tests/helpers`` test the
helper of the same name.
``tests/live`` (real packets) and ``tests/snapshots`` (pictures) run the whole program and mirror
nothing.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.support import ROOT

TESTS = ROOT / "tests"
MIRRORS = ("app", "core", "screenshots", "widgets")
WHOLE_PROGRAM = ("live", "snapshots")
THEMES = {
    "test_readme.py": "the commands, options, and links of the README",
    "core/analysis/test_held_memory.py": "what follow and reassembly hold, measured",
    "core/analysis/filter/language/test_messages.py": "wrong filters, and the message of each",
    "core/analysis/filter/test_fields_against_tshark.py": "every field, compared with tshark",
    "core/analysis/names/test_saved_names.py": "names in saved files",
    "core/engine/test_decode_rules.py": "two engines with rules of -d of their own",
    "core/analysis/follow/test_tshark.py": "streams of shared captures, compared with tshark",
    "core/analysis/flows/test_captures.py": "flows of shared captures, compared with tshark",
    "core/analysis/statistics/test_captures.py": "shared captures, compared with tshark",
    "core/analysis/tcp/test_captures.py": "shared captures, compared with tshark",
    "core/analysis/reassembly/test_tshark.py": "fragments of all kinds, compared with tshark",
    "app/cli/dump/test_times.py": "time columns of captures without usable times",
    "app/cli/test_encodings.py": "every command, with streams that cannot show every character",
    "app/cli/test_many_interfaces.py": "a file with 70,000 interface descriptions",
    "app/cli/test_process.py": "the command line as a process: imports, pipes, signals, exit",
    "app/cli/test_stuck_reader.py": "a signal ends dump although its reader takes nothing",
    "app/test_interrupted_start.py": "ctrl+c while the program starts",
    "app/screens/forge/test_new_user.py": "packets made by Enter alone, and by the mouse alone",
    "app/screens/saving/test_new_user.py": "a filtered capture, marked packets saved, by keys",
    "app/screens/test_dialog_hints.py": "the keys that dialogs name",
    "app/screens/table/test_names.py": "names in place of addresses, by a key",
    "app/screens/test_pause.py": "memory and counters of a paused view",
    "app/test_key_counts.py": "tasks of a new user, and the keys that Wireshark takes for them",
    "app/test_monitor_terminal.py": "the monitor as a process on a real terminal",
    "app/test_paint_rate.py": "how often Textual may paint",
    "app/test_analysis_off_screen.py": "no scan of many packets on the UI thread",
    "app/test_redraw.py": "the redraw key, and terminals with few columns",
    "app/test_whole_frames.py": "every frame on the terminal: layouts in one step, whole tables",
    "app/test_screen_never_waits.py": "the screen waits for no other process",
    "app/test_startup.py": "what is imported before the first rows appear",
    "app/test_terminal_restored.py": "every exit restores the terminal",
    "core/analysis/filter/test_against_tshark.py": "hundreds of filters against tshark",
    "core/analysis/filter/test_any_filter.py": "arbitrary texts, long, deep, and wrong",
    "core/analysis/filter/test_wireshark_cases.py": "the filters of Wireshark's tests",
    "core/analysis/filter/values/test_occurrences.py": "every occurrence, with tshark",
    "core/decode/test_outermost.py": "columns of packets with several headers of one protocol",
    "core/echo/test_faults.py": "network faults on real sockets",
    "core/echo/test_queue.py": "fairness between edge-triggered clients",
    "core/echo/test_switches.py": "level and edge triggering as epoll(7) describes them",
    "core/echo/test_urgent.py": "TCP urgent data",
    "core/files/test_following.py": "files that grow while they are read",
    "core/files/test_fuzz.py": "arbitrary bytes in every file reader",
    "core/files/test_long_blocks.py": "blocks with millions of options",
    "core/files/test_oracle.py": "the shared captures against tshark",
    "core/files/writing/test_round_trip.py": "copies of captures have all that was read",
    "core/forge/compose/test_properties.py": "building any values, reading any text",
    "core/forge/review/test_forge_confirmation.py": "the questions before an order is sent",
    "core/forge/transmit/test_rewrite_any_frame.py": "rewriting mutated frames of every link",
    "core/forge/transmit/test_tcprewrite.py": "rewritten frames against tcprewrite and tshark",
    "core/wire/link/test_hanging_fields.py": "fields whose meaning depends on another field",
    "core/wire/present/test_readings.py": "row, record, detail tree and text of one packet",
    "core/wire/test_every_prefix.py": "every prefix of every header",
    "core/wire/test_names.py": "field names are Wireshark's",
    "core/wire/test_oracle.py": "the shared captures against tshark",
    "test_caches.py": "every cache is bounded",
    "test_clock.py": "steps of the wall clock",
    "test_corpus.py": "dump against tshark",
    "test_fuzz_run.py": "python -m tests.fuzz",
    "test_language.py": "plain American English",
    "test_project.py": "wheel, README, lock, imports, sizes of classes",
    "test_signals.py": "signals in programs that tests start",
    "test_tree.py": "this rule",
    "widgets/test_any_size.py": "terminals of any size",
    "widgets/test_packet_table_held.py": "a held table whose packets the store evicts",
    "widgets/test_row_colors.py": "color rules in the packet table",
}


def every_test() -> list[str]:
    """Return the path of each test file, relative to ``tests``."""
    return sorted(str(path.relative_to(TESTS)) for path in TESTS.rglob("test_*.py"))


def mirrored(test: str) -> Path:
    """Return the path of the module (``.py``) that a test of this name mirrors."""
    path = Path(test)
    top = ROOT if path.parts[0] in MIRRORS else TESTS
    return top / path.with_name(path.name.removeprefix("test_"))


def mirrors(test: str) -> bool:
    """Return True if the module exists, or the package of that name that the test is in."""
    module = mirrored(test)
    package = module.parent if module.stem == module.parent.name else module.with_suffix("")
    return module.is_file() or (package / "__init__.py").is_file()


@pytest.mark.parametrize("test", every_test())
def test_each_test_file_mirrors_a_module_or_has_a_theme(test: str) -> None:
    if Path(test).parts[0] not in WHOLE_PROGRAM:
        assert mirrors(test) or test in THEMES, (
            f"tests/{test}: there is no {mirrored(test).relative_to(ROOT)}; "
            "rename the test, or give its theme in tests/test_tree.py"
        )


def test_each_theme_belongs_to_a_file_that_mirrors_nothing() -> None:
    files = set(every_test())
    assert [test for test in THEMES if test not in files or mirrors(test)] == []
