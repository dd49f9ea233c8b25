"""No test waits for a fixed time, and none gives up after a short one.

The test finds in the syntax of the tests' files, except for `tests/bench`:

- sleeps, and pilot pauses of a given length;
- timeouts, joins and waits with their own number of seconds instead of `PATIENCE_S`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.support import ROOT
from tests.helpers.waiting import until

WAITERS = {"waiting.py", "idle.py"}  # modules that may sleep
FILES = [
    path
    for path in sorted((ROOT / "tests").rglob("*.py"))
    if "bench" not in path.parts and path.name not in WAITERS
]
# the index of the number of seconds among the arguments
SECONDS = {
    "sleep": 0, "pause": 0, "join": 0, "wait": 0, "communicate": 0, "settimeout": 0, "result": 0,
    "timeout": 0, "create_connection": 1, "wait_for": 1, "key": 2, "select": 3,
}  # fmt: skip
AT_ONCE = 0
LEAST_S = 60


def seconds(call: ast.Call) -> float | None:
    """Return the number of seconds that a call waits at most, if the source gives it."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    place = SECONDS.get(name)
    given = [one.value for one in call.keywords if one.arg in ("timeout", "timeout_s")]
    if place is not None and len(call.args) > place:
        given.append(call.args[place])
    for value in given:
        if isinstance(value, ast.Constant) and type(value.value) in (int, float):
            return float(value.value)
    return None


def impatient(source: str) -> Iterator[str]:
    """Yield each call that waits for a fixed time, with its line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            waits_s = seconds(node)
            if waits_s is not None and waits_s != AT_ONCE and waits_s < LEAST_S:
                yield f"line {node.lineno}: {ast.unparse(node)}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT / "tests")))
def test_tests_wait_for_conditions(path: Path) -> None:
    assert list(impatient(path.read_text())) == []


@pytest.mark.parametrize(
    "text",
    [
        "time.sleep(0.1)", "sleep(2)", "await asyncio.sleep(0.01)", "await pilot.pause(0.5)",
        "thread.join(10)", "process.wait(20)", "process.communicate(timeout=3)", "event.wait(5)",
        "run(command, timeout=30)", "client.settimeout(5)", "create_connection(address, 10)",
        "terminal.wait_for(b'? help', 10)", "select.select([made], [], [], 5)",
        "asyncio.timeout(10)",
    ],
)  # fmt: skip
def test_every_kind_of_wait_is_found(text: str) -> None:
    assert list(impatient(f"async def test():\n    {text}"))


@pytest.mark.parametrize(
    "text",
    [
        "await pilot.pause()", "await asyncio.sleep(0)", "', '.join(names)", "thread.join()",
        "thread.join(PATIENCE_S)", "client.settimeout(None)", "select.select([made], [], [], 0)",
        "run(command, timeout=120)",
    ],
)  # fmt: skip
def test_nothing_else_is_found(text: str) -> None:
    assert not list(impatient(f"async def test():\n    {text}"))


def test_until_returns_the_result_of_the_condition() -> None:
    found = iter((None, [], [3]))
    assert until(lambda: next(found)) == [3]


def test_until_fails_with_the_state_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.helpers.waiting.PATIENCE_S", 0.0)
    with pytest.raises(AssertionError, match="rain did not come true in 0 s; instead: sunshine"):
        until(lambda: False, "rain", lambda: "sunshine")
