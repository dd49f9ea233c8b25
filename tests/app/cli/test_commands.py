"""The choice between a command and a file, and the help of every command."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import rich_click as click

from app.cli.arguments import rawscope
from app.cli.main import run
from app.cli.packet_source import PacketSource
from tests.app.made import SYN, capture_of
from tests.helpers.process.forked_commands import run_commands
from tests.helpers.support import ROOT
from tests.helpers.waiting import PATIENCE_S

Capture = pytest.CaptureFixture[str]


def every_command() -> list[list[str]]:
    """Return the words of every command, at any depth; ``[]`` is the program itself."""

    def inside(group: click.Group, words: list[str]) -> Iterator[list[str]]:
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            yield [*words, name]
            if isinstance(command, click.Group):
                yield from inside(command, [*words, name])

    return [[], *inside(rawscope, [])]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[PacketSource]:
    """Return the list of sources that the monitor would show."""
    shown: list[PacketSource] = []
    monkeypatch.setattr("app.cli.monitor.run_monitor", lambda source, *_: shown.append(source))
    return shown


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with some files."""
    for name in ("trace.pcap", "dump", "-odd.pcap"):
        capture_of(tmp_path / name, [SYN])
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "file"),
    [
        (["trace.pcap"], "trace.pcap"),
        (["./dump"], "./dump"),
        (["-r", "dump"], "dump"),
        (["--", "-odd.pcap"], "-odd.pcap"),
        (["-"], "-"),
        (["--debug", "trace.pcap"], "trace.pcap"),
        (["trace.pcap", "--debug"], "trace.pcap"),
        (["."], "."),
    ],
)
def test_a_file_opens_as_with_r(
    words: list[str], file: str, folder: Path, opened: list[PacketSource]
) -> None:
    assert run(words) == 0
    assert [source.files for source in opened] == [(file,)]


def test_a_name_of_a_command_is_the_command(
    folder: Path, opened: list[PacketSource], capsys: Capture
) -> None:
    assert run(["dump"]) == 2
    assert "give -i IFACE or -r FILE" in capsys.readouterr().err
    assert not opened


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["trace.pcap", "dump"], "a command comes first: 'rawscope dump …'; './dump' is a file"),
        (["trace.pcap", "other.pcap"], "opens one file: 'trace.pcap' or 'other.pcap'"),
        (["trace.pcap", "-r", "dump"], "-r and 'trace.pcap' each name a file"),
        (["-Y", "ip.ttl == 300", "trace.pcap"], "-Y, column 11: 300 is too large for ip.ttl"),
        (["-r", "dump", "trace.pcap"], "-r and 'trace.pcap' each name a file"),
        (["trace.pcap", "-i", "lo"], "-i captures, and a file is read"),
        (["--demo", "trace.pcap"], "--demo watches loopback"),
        (["dmup", "-r", "trace.pcap"], "no such command; the nearest command is 'dump'"),
        (["interfces", "--json"], "the nearest command is 'interfaces'"),
        (["nofile"], "'nofile': no such file, and no such command; see"),
        (["none.pcap"], "'none.pcap': no such file, and no such command; see"),
        (["lo"], "to capture on that interface: 'rawscope -i lo'"),
        ([""], "'': no such file"),
    ],
)
def test_any_other_word_says_what_to_do(
    words: list[str], says: str, folder: Path, opened: list[PacketSource], capsys: Capture
) -> None:
    assert run(words) == 2
    out, err = capsys.readouterr()
    marked = 2 if "-Y" in words else 0  # the filter, and the place in it
    assert (out, err.count("\n")) == ("", 1 + marked)
    assert says in err
    assert not opened


def test_help_to_a_full_disk_fails_as_data_does(tmp_path: Path) -> None:
    commands = [[*command, "--help"] for command in every_command()]
    for words, ended in zip(
        commands, run_commands(commands, tmp_path, stdout="/dev/full"), strict=True
    ):
        assert ended.status == 1, words
        assert ended.error == b"rawscope: standard output: No space left on device\n", words


@pytest.mark.parametrize("option", ["--version", "-V"])
@pytest.mark.parametrize("redirected", ["> /dev/full", ">&-", "| exec true"])
def test_the_version_reports_a_failed_write(option: str, redirected: str) -> None:
    """A reader that closes the pipe does not make the command fail."""
    script = f'env "$@" {redirected}; echo $? >&2'
    done = subprocess.run(
        ["sh", "-c", script, "sh", sys.executable, "-m", "app", option],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=PATIENCE_S,
    )  # fmt: skip
    *messages, status = done.stderr.splitlines()
    if "true" in redirected:
        assert (messages, status) == ([], "0")
    else:
        assert len(messages) == 1
        assert messages[0].startswith("rawscope: standard output")
        assert status == "1"


def test_every_command_prints_its_help_through_the_checked_output() -> None:
    """Also a command that is added later."""
    context = click.Context(rawscope)
    for words in every_command():
        command = rawscope.get_command(context, words[0]) if words else rawscope
        assert command is not None
        option = command.get_help_option(context)
        assert option is not None
        assert option.callback is not None
        assert option.callback.__module__ == "app.cli.commands", words


@pytest.mark.parametrize(
    ("words", "completed"), [("du", "dump"), ("none.pcap ", ""), ("dump --js", "--json")]
)
def test_a_shell_completes_words(words: str, completed: str) -> None:
    """A word before the cursor that names no file is not an error then."""
    line = f"rawscope {words}"
    done = subprocess.run(
        [sys.executable, "-c", "from app.cli.main import run; run([])"], cwd=ROOT,
        env={**os.environ, "_RAWSCOPE_COMPLETE": "bash_complete", "COMP_WORDS": line,
             "COMP_CWORD": str(line.count(" "))},
        capture_output=True, text=True, check=False, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.stderr == ""
    assert completed in done.stdout


def test_the_help_names_the_file_and_the_configuration(capsys: Capture) -> None:
    assert run(["--help"]) == 0
    words = " ".join(capsys.readouterr().out.split())
    assert "[FILE | COMMAND" in words
    assert "~/.config/rawscope/config.toml" in words
