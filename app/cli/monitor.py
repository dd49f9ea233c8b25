"""``rawscope``: check the terminal, start the engine, then show the monitor.

The engine's thread starts before Textual is imported (about a quarter of a second of processor
time), so that packets are already in the store when the first frame is painted. Reading a file
starts only after the imports: if it ran beside them, each of their many small reads would wait
for the interpreter lock, and a large file took seconds longer to appear.

When the terminal closes or a signal arrives, an orderly exit may still block. Two threads make
sure that the process ends anyway: one waits for the terminal to hang up, and the signal handler
starts the other.

With ``-r -`` the capture comes on descriptor 0, where Textual reads the keyboard. The
monitor moves the pipe to another descriptor and opens the terminal in its place.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from app.cli.output import CommandError, print_message
from app.cli.packet_source import PacketSource
from app.cli.recording_options import Recording, plan_of, refusals

if TYPE_CHECKING:
    from app.monitor import Monitor
    from core.analysis.programs.program_watch import ProgramWatch
    from core.engine.engine import Engine
    from core.forge.host import ForgeHost
    from core.recording.recorder import Recorder
    from core.store.snapshot import Snapshot


# The time for an orderly end after the terminal is gone, and after a signal. The latter plus
# `app.terminal.driver.ABANDON_S` (0.6) is less than the two seconds that a signal may take.
_GRACE_S = 1.0
_SIGNAL_GRACE_S = 1.2


def run_monitor(source: PacketSource, demo: bool, display_filter: str, recording: Recording) -> int:
    """Show the monitor until the user quits, at first with a filter if it is not empty.

    Raise `CommandError` without a terminal, and if the file of a recording cannot be created.
    """
    try:
        check_screen()
    except CommandError:
        _check_files(source.files)  # a file that cannot be read is the first thing to correct
        raise
    files: list[str | int] = [*source.files]
    if "-" in files:
        files[files.index("-")] = take_capture_from_stdin()
    else:
        check_keyboard()
    gc.disable()  # saves a seventh of the time of the imports, which make no garbage
    from core.engine.capture_end import CaptureEnd
    from core.engine.engine import Engine
    from core.net.sockets import LOCAL_SOCKETS
    from core.store.packet_store import PacketStore
    from core.wire.model.decode_rules import NO_RULES

    store = PacketStore(decode_rules=source.decode_rules or NO_RULES)
    engine = Engine(store, LOCAL_SOCKETS)
    recorder = _recorder(source, recording) if recording.file else None
    engine.start()
    over = threading.Event()
    try:
        if recorder is not None:
            engine.record(recorder)
        if source.interfaces:
            end = CaptureEnd(recording.packets, recording.seconds)
            engine.capture(source.capture_options(), end)
        status = _show(engine, source, files, demo, over, display_filter)
    finally:
        engine.close()
        over.set()
        are_whole = _report_recordings(engine)
    return status if are_whole else status or 1


def _show(
    engine: Engine,
    source: PacketSource,
    files: Sequence[str | int],
    demo: bool,
    over: threading.Event,
    display_filter: str,
) -> int:
    from app.monitor import Monitor
    from core.engine.snapshot import EngineState

    if files:
        engine.open_file(*files, follows=source.follows)
    with contextlib.ExitStack() as stack:
        if demo:
            from app.demo.traffic import Demo

            stack.enter_context(Demo(engine.echo))
        chosen = bool(source.interfaces or files)

        def end_soon(number: signal.Signals) -> None:
            threading.Thread(
                target=_end_after_signal, args=(number, monitor, over), daemon=True
            ).start()

        options = source.capture_options()
        monitor = Monitor(
            engine,
            _forge_host,
            options=options,
            choose=not chosen,
            on_signal=end_soon,
            display_filter=display_filter,
            programs=_program_watch,
        )
        gc.freeze()  # so that the first collection does not visit all modules: see `app.gc_policy`
        gc.enable()
        threading.Thread(target=_end_with_terminal, args=(over,), daemon=True).start()
        monitor.run()
    failure = monitor.failure or engine.failure
    if failure is not None:
        raise failure
    last = engine.snapshot()
    if last.state is EngineState.FAILED:  # repeated on stderr, where the user can copy it
        raise CommandError(last.message)
    faults = monitor.bridge.faults
    if faults.first is not None:
        raise CommandError(f"{faults.message}; --debug shows where") from faults.first
    return monitor.return_code or 0


def _report_recordings(engine: Engine) -> bool:
    """Print what each recording has saved. Return False if one of them lost packets."""
    if not engine.recordings:
        return True
    from core.recording.summary import summary

    begun = [state for state in engine.recordings if state.files]
    lines = [summary(state) for state in begun]
    for line, _is_whole in lines:
        print_message(f"rawscope: {line}")
    last = engine.snapshot()
    if lines and last.received:
        counts = f"{last.received:,} received by filter, {last.dropped:,} dropped by kernel"
        print_message(f"rawscope: {counts}")
    return all(is_whole for _line, is_whole in lines)


def _recorder(source: PacketSource, recording: Recording) -> Recorder:
    """Create the file of a recording, if there are interfaces to record. Raise `CommandError`."""
    from core.capture.options import ANY
    from core.capture.packet_socket import find_link
    from core.capture.source import CaptureError
    from core.recording.recorder import Recorder

    try:
        for name in source.interfaces:
            if name != ANY:
                find_link(name)
    except CaptureError as error:
        raise CommandError(str(error)) from error
    with refusals(recording.file):
        return Recorder(plan_of(recording))


def _forge_host() -> ForgeHost:
    """Return the host for sending; imported with the forge panel."""
    from core.forge.host import ForgeHost
    from core.net.sockets import LOCAL_SOCKETS

    return ForgeHost(LOCAL_SOCKETS)


def _program_watch(captured: Callable[[], tuple[Snapshot, bool]]) -> ProgramWatch:
    """Return what finds the programs of captured packets."""
    from core.analysis.programs.program_watch import ProgramWatch

    return ProgramWatch(captured)


def _end_with_terminal(over: threading.Event) -> None:
    """Wait for the terminal to hang up; end the process if it still runs after a delay."""
    terminal = select.poll()
    terminal.register(2, 0)  # POLLHUP is always reported
    terminal.poll()
    if not over.wait(_GRACE_S):
        os._exit(128 + signal.SIGHUP)


def _end_after_signal(number: signal.Signals, monitor: Monitor, over: threading.Event) -> None:
    """End the process if it still runs after a delay, even if the terminal cannot be restored.

    The kernel releases the engine's sockets and memory.
    """
    if over.wait(_SIGNAL_GRACE_S):
        return
    try:
        monitor.abandon_terminal()
    finally:
        os._exit(128 + number)


def _check_files(paths: Sequence[str]) -> None:
    """Raise `CommandError` if one of the files is missing or no capture. Open no pipe."""
    from core.files.formats import FileError
    from core.files.merging import open_captures

    for path in paths:
        is_checked = os.path.isfile(path) or os.path.isdir(path) or not os.path.exists(path)
        if path != "-" and is_checked:
            try:
                open_captures([path]).close()
            except FileError as error:
                raise CommandError(str(error)) from error


def check_screen() -> None:
    """Raise `CommandError` if the monitor cannot be drawn.

    Both output streams must be terminals: Textual draws on stderr, and a redirected stdout means
    that the user wants text.
    """
    for descriptor, name in ((1, "standard output"), (2, "standard error")):
        if not os.isatty(descriptor):
            raise CommandError(
                f"the monitor needs a terminal and {name} is not one; "
                "'rawscope dump' prints packets as text"
            )
    if os.environ.get("TERM", "") in ("", "dumb"):
        raise CommandError(
            "this terminal cannot draw a screen (TERM is "
            f"{os.environ.get('TERM') or 'not set'}); 'rawscope dump' prints packets as text"
        )


def check_keyboard() -> None:
    """Raise `CommandError` if the monitor cannot read the keyboard."""
    if not os.isatty(0):
        raise CommandError(
            "standard input is not a terminal, so the monitor cannot read the keyboard; "
            "to read a capture from it add '-r -'"
        )


def take_capture_from_stdin() -> int:
    """Replace descriptor 0 by the terminal; return a duplicate of the original descriptor.

    Raise `CommandError` if standard input is a terminal, or if no terminal can be opened.
    """
    if os.isatty(0):
        raise CommandError("'-r -' reads a capture from standard input: pipe one in")
    try:
        keyboard = os.open("/dev/tty", os.O_RDWR)
    except OSError as error:
        raise CommandError(
            f"cannot open the keyboard: /dev/tty: {error.strerror}; "
            "'rawscope dump -r -' needs no keyboard"
        ) from error
    capture = os.dup(0)
    os.dup2(keyboard, 0)
    os.close(keyboard)
    return capture
