"""Numbers with thousands of digits are rejected without a traceback, wherever a number is accepted.

`int` raises ValueError for more than 4,300 digits, even if all of them are digits.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import rich_click as click

from app.cli.arguments import rawscope
from app.cli.main import run
from app.cli.send.field_options import field_options
from app.config.config_file import load
from app.config.paths import Paths
from app.config.theme import read_theme
from app.screens.dialogs.add_listener import _port_problem
from app.screens.go_to_target import Moment, TargetContext, TargetError, parse_target
from widgets.forge.settings import COUNT, INTERVAL, RATE, SendSettings

Capture = pytest.CaptureFixture[str]
DIGITS = "9" * (sys.get_int_max_str_digits() + 1)
TEXTS = (DIGITS, f"-{DIGITS}", f"+{DIGITS}", f"0x{DIGITS}", f"1.{DIGITS}", f"1e{DIGITS}")


def _commands() -> dict[str, click.Command]:
    root = click.Context(rawscope)
    found: dict[str, click.Command] = {"": rawscope}
    for name in rawscope.list_commands(root):
        command = rawscope.get_command(root, name)
        assert command is not None
        found[name] = command
    return found


COMMANDS = _commands()
OPTIONS = [
    (name, option)
    for name, command in COMMANDS.items()
    for option in command.params
    if isinstance(option, click.Option) and not option.is_flag
]
FIELDS = set(field_options())
NUMBERS = (click.IntRange, click.FloatRange)


def _says_what_is_wrong(capsys: Capture) -> None:
    """Return True if no error is an internal one, which names its exception's class."""
    err = capsys.readouterr().err
    assert "ValueError" not in err
    assert "--debug" not in err
    assert "Traceback" not in err


def test_the_options_are_found() -> None:
    assert sum(isinstance(option.type, NUMBERS) for _, option in OPTIONS) > 12
    assert {option.opts[0] for _, option in OPTIONS} >= {"-i", "--link", "-c", "--port"}


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:3])
@pytest.mark.parametrize(("name", "option"), OPTIONS, ids=lambda each: str(each))
def test_every_option_of_the_command_line(name: str, option: click.Option, text: str) -> None:
    """This covers options that click parses; the test below covers those that commands parse."""
    flag = option.opts[0]
    arguments = [f"{flag}={text}"] if flag.startswith("--") else [flag + text]
    try:
        COMMANDS[name].make_context(name or "rawscope", arguments)
    except click.ClickException:
        return
    assert not isinstance(option.type, click.IntRange)
    assert not isinstance(option.type, click.FloatRange) or text.startswith("1.")


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:3])
@pytest.mark.parametrize(
    "arguments",
    [
        ["-i"],
        ["dump", "-i"],
        ["replay", "-r", "/dev/null", "--link"],
        ["send", "--dry-run", "--eth.type", "1", "--link"],
        ["send", "--dry-run", "--layers", "ip,udp", "--payload"],
        ["send", "--dry-run", "--ip.ttl=1", "--set"],
        ["echo", "--bind"],
        ["iolab", "--model"],
        ["interfaces"],
        ["fields"],
    ],
    ids=" ".join,
)
def test_numbers_that_commands_parse(arguments: list[str], text: str, capsys: Capture) -> None:
    value = f"ip.id={text}" if arguments[-1] == "--set" else text
    if arguments[-1] == "--set":
        assert run([*arguments, value]) == 2
    else:
        assert run([*arguments, value]) in (0, 1, 2)
    _says_what_is_wrong(capsys)


@pytest.mark.parametrize("key", sorted(FIELDS))
def test_every_field(key: str, capsys: Capture) -> None:
    for text in TEXTS:
        assert run(["send", "--dry-run", f"--{key}={text}"]) in (0, 2)  # the body may be any text
    _says_what_is_wrong(capsys)


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:3])
def test_the_dialogs(text: str, tmp_path: Path) -> None:
    try:
        assert isinstance(parse_target(text, TargetContext(1, 10, 0, "", 0, 1)), Moment)
    except TargetError:
        assert text != f"1.{DIGITS}"  # a time: its fraction may have any length
    assert _port_problem(text)
    for key in (COUNT, RATE, INTERVAL):
        settings = SendSettings().with_text(key, text)
        assert settings.errors() or settings.plan.count == 1


@pytest.mark.parametrize(
    "content", [*(f"a = {text}" for text in TEXTS), "a = " + "[" * 100_000], ids=lambda c: c[:7]
)
def test_the_files(content: str, tmp_path: Path) -> None:
    """The configuration reports its mistake in one line; a bad state file is ignored."""
    paths = Paths(tmp_path / "config.toml", tmp_path / "state.json")
    paths.config.write_text(content)
    paths.state.write_text(content.replace("a = ", '{"theme": ') + "}")
    config = load(paths.config)
    assert config.keys == {}
    assert read_theme(paths.state) == ""
    assert all("\n" not in line for line in config.complaints)
    assert len(config.complaints) == 1
