"""The README: every command that it shows is accepted, and every option that it names exists."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import rich_click as click

from app.cli.arguments import rawscope
from app.cli.main import run
from tests.app.cli.test_commands import every_command
from tests.app.made import SYN, capture_of
from tests.helpers.support import ROOT

README = (ROOT / "README.md").read_text()
RESET = SYN[:47] + b"\x04" + SYN[48:]  # the flags, for an example with a filter
BLOCK = re.compile(r"^```\w*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCKS = BLOCK.findall(README)
OPTION = re.compile(r"(?<![\w-])--?[a-zA-Z][\w.-]*")
# Options of other programs: of setpriv in the command under "Permissions", and parts of a name.
OTHERS = {
    "--reuid", "--regid", "--init-groups", "--inh-caps", "--ambient-caps", "--bounding-set",
    "--no-new-privs", "-u", "-g", "-v", "-all", "-U", "-w", "-pri", "-cfi", "-proto", "-N",
}  # fmt: skip


def examples() -> Iterator[str]:
    """Yield the commands of rawscope in the README's code blocks, without their explanations."""
    for block in BLOCKS:
        for line in block.splitlines():
            if line.startswith("rawscope"):
                yield re.split(r" {2,}| > ", line)[0]


def options() -> set[str]:
    """Return every option of every command."""
    context = click.Context(rawscope)
    found: set[str] = set()
    for words in every_command():
        command = rawscope.get_command(context, words[0]) if words else rawscope
        assert command is not None
        for parameter in command.get_params(click.Context(command)):
            found |= {*parameter.opts, *parameter.secondary_opts}
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with the files that the examples name."""
    for name in ("trace.pcap", "trace.pcapng"):
        capture_of(tmp_path / name, [SYN, RESET])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


def test_the_readme_has_examples_of_every_command() -> None:
    shown = {line.split()[1] for line in examples() if len(line.split()) > 1}
    assert {words[0] for words in every_command() if words} <= shown


@pytest.mark.parametrize("line", examples())
def test_every_example_is_accepted(line: str, folder: Path) -> None:
    """It is parsed as when it runs; `click.UsageError` names what is wrong."""
    _, *words = shlex.split(line)
    context = rawscope.make_context("rawscope", list(words))
    if context._protected_args:
        name, command, rest = rawscope.resolve_command(
            context, [*context._protected_args, *context.args]
        )
        assert command is not None
        command.make_context(name, rest, parent=context)


@pytest.mark.parametrize(
    "line",
    [
        line
        for line in examples()
        if re.search(r" dump -r|--dry-run| fields| interfaces", line) and " -w " not in line
    ],
)
def test_an_example_that_changes_nothing_works(
    line: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, *words = shlex.split(line)
    assert run([{"veth0": "lo"}.get(word, word) for word in words]) == 0
    assert capsys.readouterr().out


def test_every_option_of_the_readme_exists() -> None:
    """In code, in a block or in a line."""
    code = [*BLOCKS, *re.findall(r"`([^`\n]+)`", BLOCK.sub("", README))]
    named = {option for text in code for option in OPTION.findall(text)}
    assert not named - options() - OTHERS


def test_the_links_of_the_readme_lead_somewhere() -> None:
    headings = {
        re.sub(r"[^a-z0-9 -]", "", heading.lower()).strip().replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", README, re.MULTILINE)
    }
    for target in re.findall(r"\]\(([^)]+)\)", README):
        if target.startswith("#"):
            assert target[1:] in headings, target
        else:
            assert (ROOT / target).exists(), target
