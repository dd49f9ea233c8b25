"""Hooks and settings for all tests."""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

from tests.helpers.idle import use_exact_idle
from tests.helpers.isolation import leave_network
from tests.helpers.process.frozen import freeze, keep_frozen, note_changes
from tests.helpers.process.shared_styles import share_styles
from tests.helpers.support import captures_dir, require_capture

STOPPING = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGTSTP)
SCREEN_SIZE = ("COLUMNS", "LINES")

# drawing the first text builds tables of all of Unicode, which may take seconds
settings.register_profile("rawscope", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("rawscope")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose marker needs what this host lacks, before its fixtures are set up."""
    if item.get_closest_marker("corpus"):
        captures_dir()
    if item.get_closest_marker("live"):
        require_capture()


def pytest_configure(config: pytest.Config) -> None:
    """Give this process (each worker of a parallel run) its own network and default signals.

    Under nohup(1), SIGHUP is ignored, and every program that a test starts would inherit that:
    tests that end a program with SIGHUP would wait until they time out. The first process of a
    parallel run imports readline, which sets COLUMNS=80 and LINES=24 for the workers; every program
    would prefer them to the size of its own pty.
    """
    leave_network()
    use_exact_idle()
    share_styles()
    note_changes()
    for name in SCREEN_SIZE:
        os.environ.pop(name, None)
    for number in STOPPING:
        if signal.getsignal(number) is signal.SIG_IGN:
            keyboard = number is signal.SIGINT
            signal.signal(number, signal.default_int_handler if keyboard else signal.SIG_DFL)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an ``async def`` test in its own event loop; leave other tests to pytest."""
    if not inspect.iscoroutinefunction(pyfuncitem.function):
        return None
    wanted = inspect.signature(pyfuncitem.function).parameters
    asyncio.run(pyfuncitem.function(**{name: pyfuncitem.funcargs[name] for name in wanted}))
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """After each test and its fixtures, freeze long-lived objects again."""
    done = yield
    keep_frozen()
    return done


def pytest_collection_finish() -> None:
    """Exempt modules and tests from garbage collection."""
    freeze()
