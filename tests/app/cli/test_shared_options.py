"""Options that several commands have mean the same in each of them."""

from __future__ import annotations

import pytest
import rich_click as click

from app.cli.arguments import rawscope
from app.cli.shared_options import checked_rate


def declared(option: str) -> dict[str, dict[str, object]]:
    """Return the declaration of an option, by command; ``rawscope`` is the monitor."""
    context = click.Context(rawscope)
    commands = {
        name: rawscope.get_command(context, name) for name in rawscope.list_commands(context)
    }
    return {
        name: found.to_info_dict()
        for name, command in {"rawscope": rawscope, **commands}.items()
        if command is not None
        for found in command.params
        if option in found.opts
    }


@pytest.mark.parametrize(
    ("option", "commands"),
    [
        ("--debug", {"rawscope", *rawscope.list_commands(click.Context(rawscope))}),
        ("-i", {"rawscope", "dump"}),
        ("--source", {"rawscope", "dump"}),
        ("-f", {"rawscope", "dump"}),
        ("--not-ssh", {"rawscope", "dump"}),
        ("--yes", {"send", "replay"}),
        ("--bypass", {"send", "replay"}),
        ("--no-audit", {"send", "replay"}),
    ],
)
def test_an_option_is_the_same_in_every_command(option: str, commands: set[str]) -> None:
    found = declared(option)
    assert set(found) == commands
    assert all(one == found[min(found)] for one in found.values())


def test_a_rate_is_given_per_second_or_as_an_interval() -> None:
    assert checked_rate(None) is None
    assert checked_rate(20.0) == 20.0
    assert checked_rate(None, 0.5) == 2.0


@pytest.mark.parametrize(
    ("rate", "interval", "sentence"),
    [
        (1e-9, None, "--rate 1e-09: one packet a day is the least"),
        (None, 1e9, "--interval 1000000000.0: one packet a day is the least"),
        (None, 5e-324, "--interval 5e-324: too short for a rate"),
    ],
)
def test_a_rate_has_limits(rate: float | None, interval: float | None, sentence: str) -> None:
    with pytest.raises(click.UsageError, match=sentence):
        checked_rate(rate, interval)
