"""Every command in processes with standard streams that cannot show every character.

Data in a pipe is UTF-8 in any locale. Help and messages have the encoding of the stream.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.cli.test_commands import every_command
from tests.app.made import capture_of, udp_frame
from tests.bench.terminal import Terminal
from tests.helpers.process.forked_commands import Ended, run_commands
from tests.helpers.support import ROOT, is_thorough
from tests.helpers.waiting import PATIENCE_S

C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
LOCALES = {
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "locale-C": C_LOCALE,
}
NAME = "zürich-→-東京"  # of a file, a field, and a draft
DNS_QUERY = bytes.fromhex("000001000001000000000000") + b"\x0d" + "zürich→東".encode()


def check_readable(ended: Ended, locale: str, data: bool) -> None:
    """Check that no character failed, and that every stream has its encoding."""
    assert b"UnicodeEncodeError" not in ended.error
    assert b"UnicodeDecodeError" not in ended.error
    assert b"Traceback" not in ended.error
    encoding = "ascii" if locale == "locale-C" else locale
    ended.error.decode(encoding)
    ended.out.decode("utf-8" if data else encoding)


COMMANDS = [
    (["--version"], 0),
    (["fields"], 0),
    (["interfaces"], 0),
    (["interfaces", "--json"], 0),
    (["dump", "-r", f"{NAME}.pcap"], 0),
    (["dump", "-r", f"{NAME}.pcap", "--hex"], 0),
    (["dump", "-r", f"{NAME}.pcap", "--json"], 0),
    (["dump", "-r", f"{NAME}.pcap", "--fields", "frame.number,ip.src"], 0),
    (["send", "--ip.dst", "127.0.0.1", "--payload", NAME, "--dry-run"], 0),
    ([NAME], 2),
    (["fields", NAME], 1),
    (["dump", "-r", NAME], 1),
    (["dump", "-i", NAME], 1),
    (["dump", "-r", "x", "--fields", NAME], 2),
    (["send", "--draft", NAME], 2),
    (["send", "--ip.dst", NAME], 2),
    (["send", "--ip.dst", "127.0.0.1", "--payload", f"@{NAME}"], 2),
    (["replay", NAME, "--link", "lo"], 1),
    (["replay", f"{NAME}.pcap", "--link", NAME], 1),
    (["echo", "--bind", NAME], 2),
    (["iolab", "--models", NAME], 2),
    ([f"{NAME}.pcap"], 1),
    (["dump", "-r", NAME, "--debug"], 1),
]


def environment_of(locale: str, folder: Path) -> dict[str, str]:
    home = {"XDG_STATE_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    return {**home, **LOCALES[locale]}


def capture_in(folder: Path) -> str:
    frames = [udp_frame(DNS_QUERY, 53), udp_frame(NAME.encode())]
    return capture_of(folder / f"{NAME}.pcap", frames)


@pytest.mark.parametrize("locale", LOCALES)
def test_the_help_of_every_command(locale: str, tmp_path: Path) -> None:
    commands = [[*command, "--help"] for command in every_command()]
    done = run_commands(commands, tmp_path, environment_of(locale, tmp_path))
    for words, ended in zip(commands, done, strict=True):
        assert (ended.status, ended.error) == (0, b""), words
        assert b"Usage:" in ended.out, words
        check_readable(ended, locale, data=False)
        if locale != "latin-1":
            assert ended.out.isascii(), words


@pytest.mark.parametrize("locale", LOCALES)
def test_output_and_errors_of_every_command(locale: str, tmp_path: Path) -> None:
    """Each in one of the locales; in all of them in a thorough run."""
    capture_in(tmp_path)
    first = 0 if is_thorough() else list(LOCALES).index(locale)
    commands = COMMANDS[first :: 1 if is_thorough() else len(LOCALES)]
    words = [words for words, _ in commands]
    done = run_commands(words, tmp_path, environment_of(locale, tmp_path))
    for (command, status), ended in zip(commands, done, strict=True):
        assert ended.status == status, (command, ended.error)
        if "--debug" not in command:
            check_readable(ended, locale, data=True)
            assert (ended.error.count(b"\n") == 1) or not status, command


@pytest.mark.parametrize("locale", LOCALES)
def test_a_process_of_its_own(locale: str, tmp_path: Path) -> None:
    """A whole start of the interpreter, without `run_commands`."""
    command = [sys.executable, "-m", "app", "dump", "-r", capture_in(tmp_path)]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment_of(locale, tmp_path)},
        capture_output=True, check=False, timeout=PATIENCE_S,
    )  # fmt: skip
    ended = Ended(done.returncode, done.stdout, done.stderr)
    assert (ended.status, ended.error, ended.out.count(b"\n")) == (0, b"", 2)
    check_readable(ended, locale, data=True)


@pytest.mark.parametrize("locale", LOCALES)
def test_lines_of_packets_on_a_terminal_have_its_encoding(
    locale: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = capture_of(tmp_path / "one.pcap", [udp_frame(b"x")])
    for name, value in LOCALES[locale].items():
        monkeypatch.setenv(name, value)
    terminal = Terminal([sys.executable, "-m", "app", "dump", "-r", path], 100, 30, ROOT)
    try:
        terminal.wait_for(b"127.0.0.1 > 127.0.0.1", PATIENCE_S)
    finally:
        terminal.close()
