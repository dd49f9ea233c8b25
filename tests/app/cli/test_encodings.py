"""Every command as a process, with standard streams that cannot show every character.

Data in a pipe is UTF-8 in any locale. Help and messages have the encoding of the stream.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.app.cli.test_commands import every_command
from tests.app.made import capture_of, udp_frame
from tests.bench.terminal import Terminal
from tests.helpers.support import ROOT
from tests.helpers.waiting import PATIENCE_S

C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
LOCALES = {
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "locale-C": C_LOCALE,
}
NAME = "zürich-→-東京"  # of a file, a field, and a draft
DNS_QUERY = bytes.fromhex("000001000001000000000000") + b"\x0d" + "zürich→東".encode()


def run(
    words: Sequence[str], locale: str, folder: Path, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run a command in this locale, with its files in `folder`."""
    home = {"XDG_STATE_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **home, **LOCALES[locale]}
    return subprocess.run(
        [sys.executable, "-m", "app", *words], cwd=folder, env=environment, input=stdin,
        capture_output=True, check=False, timeout=PATIENCE_S,
    )  # fmt: skip


def check_readable(done: subprocess.CompletedProcess[bytes], locale: str, data: bool) -> None:
    """Check that no character failed, and that every stream has its encoding."""
    assert b"UnicodeEncodeError" not in done.stderr
    assert b"UnicodeDecodeError" not in done.stderr
    assert b"Traceback" not in done.stderr
    encoding = "ascii" if locale == "locale-C" else locale
    done.stderr.decode(encoding)
    done.stdout.decode("utf-8" if data else encoding)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("command", every_command(), ids=lambda words: " ".join(words) or "-")
def test_the_help_of_every_command(command: list[str], locale: str, tmp_path: Path) -> None:
    done = run([*command, "--help"], locale, tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"Usage:" in done.stdout
    check_readable(done, locale, data=False)
    if locale != "latin-1":
        assert done.stdout.isascii()


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(
    ("words", "status"),
    [
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
    ],
    ids=lambda one: " ".join(one).replace(NAME, "NAME") if isinstance(one, list) else "",
)
def test_output_and_errors_of_every_command(
    words: list[str], status: int, locale: str, tmp_path: Path
) -> None:
    capture_of(tmp_path / f"{NAME}.pcap", [udp_frame(DNS_QUERY, 53), udp_frame(NAME.encode())])
    done = run(words, locale, tmp_path)
    assert done.returncode == status, done.stderr
    if "--debug" not in words:
        check_readable(done, locale, data=True)
        assert (done.stderr.count(b"\n") == 1) or not status


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
