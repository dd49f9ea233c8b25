"""The monitor: the Textual application around the main screen.

The main screen shows the packets and handles most keys; the engine captures; the bridge connects
the two. This module handles what concerns the program as a whole: the theme, the keymap, the
command palette, help, the laboratory, painting through `app.terminal`, signals, and the exit.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, cast

from rich.console import RenderableType
from textual import events
from textual._compositor import CompositorUpdate
from textual.command import Provider
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.filter import LineFilter
from textual.screen import Screen
from textual.theme import Theme

from app.action_commands import ActionProvider
from app.bridge import Bridge, MakeProgramWatch
from app.brief_notice import BriefNotice
from app.clipboard import NOTICE_S, ClipboardAccess
from app.config.config_file import load
from app.config.config_writer import ConfigWriter
from app.config.filter_history import FilterHistory
from app.config.paths import Paths
from app.config.theme import read_theme, remember_theme
from app.key_queue import OrderedKeysApp
from app.keymap import KeyContext
from app.screens.capture_controller import CaptureController
from app.screens.dialogs.dialog import Confirm
from app.screens.dialogs.palette import Palette
from app.screens.dialogs.too_small import SMALLEST
from app.screens.main import MainScreen
from app.screens.quit_advice import quit_advice
from app.screens.side_panels import SIDE_PANELS
from app.terminal.driver import TerminalDriver
from app.terminal.layout_hold import LayoutHold
from app.terminal.printable_filter import with_printable_filter
from app.textual_bindings import bindings
from app.themes import DEFAULT, DEFAULT_VARIABLES, THEMES
from core.capture.options import CaptureOptions
from core.capture.ssh_sessions import SshSession, find_ssh_sessions
from core.engine.engine import Engine
from core.net.interfaces import InterfaceInfo, list_interfaces

# With half a millisecond, a key takes effect within 10 ms beside a worker that runs Python, instead
# of 20 ms with the default of 5 ms. The worker's throughput stays the same. (Both were measured.)
SWITCH_INTERVAL_S = 0.0005


if TYPE_CHECKING:
    from app.screens.lab import Results
    from core.forge.host import ForgeHost
    from core.forge.service import ForgeService

LAB_IS_SEEN = "lo is captured, which slows the measurement: its packets are in the table, too"


class Monitor(OrderedKeysApp[None]):
    """The full-screen program on a running engine.

    `forge_host` returns the host for sending; it is called when the forge panel is first needed.
    `options` are the options of captures that the user starts on the screen. `choose` opens the
    interface chooser at the start, for a program started without an interface or file. `paths` are
    the user's files. `on_signal` is called with a signal that ends the program, before the exit.
    `environment` tells what the terminal can do. `programs` makes what finds the programs of
    captured packets; without it they have none.
    """

    TITLE = "rawscope"
    CSS_PATH = "styles/monitor.tcss"
    BINDINGS = bindings(KeyContext.PROGRAM)
    HORIZONTAL_BREAKPOINTS = [  # for screens without their own
        (0, "-thin"),
        (SMALLEST[0], "-cramped"),
        (60, "-roomy"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (SMALLEST[1], "-high")]

    def __init__(
        self,
        engine: Engine,
        forge_host: Callable[[], ForgeHost],
        *,
        options: CaptureOptions | None = None,
        choose: bool = False,
        paths: Paths | None = None,
        interfaces: Callable[[], Sequence[InterfaceInfo]] = list_interfaces,
        clock: Callable[[], float] = time.monotonic,
        time_of_day: Callable[[], str] = lambda: time.strftime("%H:%M:%S"),
        on_signal: Callable[[signal.Signals], None] = lambda number: None,
        environment: Mapping[str, str] = os.environ,
        display_filter: str = "",
        ssh_sessions: Callable[[], Sequence[SshSession]] = find_ssh_sessions,
        programs: MakeProgramWatch | None = None,
    ) -> None:
        super().__init__()
        self._display_filter = display_filter
        self._clipboard_access = ClipboardAccess.of(environment)
        self._on_signal = on_signal
        self.bridge = Bridge(engine, options or CaptureOptions(()), clock, time_of_day, programs)
        self._paths = paths or Paths.of_user()
        self._config = load(self._paths.config)
        self._config_writer = ConfigWriter(self._paths.config, self._report_unsaved)
        self._lab: Results | None = None  # of the laboratory's last whole run
        self._forge_host, self._clock = forge_host, clock
        self._choose = choose
        self._layout_hold = LayoutHold(self)
        self._brief_notice = BriefNotice(self)
        self.capture = CaptureController(
            self,
            self.bridge,
            FilterHistory(self._paths.state, "capture_filters"),
            interfaces,
            ssh_sessions,
            self._config.keys,
        )
        for theme in THEMES:
            self.register_theme(theme)
        self.set_keymap(self._config.keys)
        self.key_queue.hold()  # until `on_main_screen_ready`

    @cached_property
    def forge_service(self) -> ForgeService:
        """The service that sends packets; imported with the forge panel."""
        from core.forge.service import ForgeService

        return ForgeService(
            self._paths.state_folder,
            self._forge_host(),
            self.bridge.analysis_thread,
            audit=self._config.forge.audit,
            clock=self._clock,
        )

    def get_default_screen(self) -> Screen[None]:
        screen = MainScreen(
            self.bridge,
            self.capture,
            SIDE_PANELS,
            self._clipboard_access,
            self._config,
            self._config_writer.change,
            FilterHistory(self._paths.state),
        )
        if self._display_filter:
            screen.filter.begin_with(self._display_filter)
        return screen

    async def on_main_screen_ready(self, _event: MainScreen.Ready) -> None:
        if isinstance(self._driver, TerminalDriver):
            self._driver.right_of_way = self.bridge.right_of_way
            self._driver.is_arranging = self._layout_hold.is_arranging
        await self.key_queue.release()
        if not self._choose:
            self.run_worker(self.capture.offer_session())

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return DEFAULT_VARIABLES

    def get_driver_class(self) -> type[Driver]:
        """Return Textual's choice; on a Linux terminal, `TerminalDriver`."""
        chosen = super().get_driver_class()
        return TerminalDriver if chosen is LinuxDriver else chosen

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Pass a painted update to the driver, which writes it when the terminal is ready."""
        driver = self._driver
        if not isinstance(driver, TerminalDriver) or not isinstance(renderable, CompositorUpdate):
            super()._display(screen, renderable)
        elif self._running and not self._closed and not self._batch_count:
            driver.synchronized = self._sync_available
            self._layout_hold.note_paint(screen)
            cursor = screen.outer_size.clamp_offset(self.cursor_position)
            driver.paint(renderable, screen._compositor.size, cursor)
            self.post_display_hook()

    def on_resize(self, event: events.Resize) -> None:
        """Paint the whole screen: a terminal that changes its size moves its contents."""
        if isinstance(self._driver, TerminalDriver):
            self._driver.repaint(event.size)

    def action_redraw(self) -> None:
        """Paint the whole screen again."""
        if isinstance(self._driver, TerminalDriver):
            self._driver.redraw()

    @property
    def may_follow(self) -> bool:
        """True if the terminal is ready for changes that no key caused."""
        return not isinstance(self._driver, TerminalDriver) or self._driver.may_follow

    @property
    def is_typing(self) -> bool:
        """True while the user presses keys, one soon after the other."""
        return isinstance(self._driver, TerminalDriver) and self._driver.is_typing

    def get_line_filters(self) -> Sequence[LineFilter]:
        return with_printable_filter(super().get_line_filters())

    def on_mount(self) -> None:
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        if "TEXTUAL_THEME" not in os.environ:
            wanted = read_theme(self._paths.state)
            self.theme = wanted if wanted in self.available_themes else DEFAULT
        self.theme_changed_signal.subscribe(self, self._remember)
        self.app_resume_signal.subscribe(self, lambda _: self.refresh())
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            loop.add_signal_handler(number, self._leave_by_signal, number)
        for complaint in self._config.complaints:
            self.notify(
                complaint, severity="warning", title="Configuration", timeout=10, markup=False
            )
        if self._choose:
            self.capture.choose_interfaces()

    def _leave_by_signal(self, number: signal.Signals) -> None:
        """Exit in order, which restores the terminal; do not ask, because nobody may answer."""
        self._on_signal(number)
        self.exit(return_code=128 + number)

    def _remember(self, theme: Theme) -> None:
        problem = remember_theme(self._paths.state, theme.name)
        if problem:
            self.notify(problem, severity="warning", markup=False)

    def _report_unsaved(self, words: str) -> None:
        """Report a setting that could not be saved. Any thread may call it: it posts a message."""
        self.notify(words, severity="warning", title="Configuration", markup=False)

    def _handle_exception(self, error: Exception) -> None:
        """Ignore errors during the exit, which removes widgets one after the other."""
        if not self._exit:
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """Close the screen and print nothing; the caller of `run` reads `failure`.

        Textual would print a traceback with all local variables, including bytes from the wire.
        """
        self._close_messages_no_wait()

    def abandon_terminal(self) -> None:
        """Restore the terminal from another thread, just before the process ends."""
        if isinstance(self._driver, TerminalDriver):
            self._driver.abandon()

    @property
    def failure(self) -> Exception | None:
        """The internal error that ended the program, if one did."""
        return self._exception

    # -- screens and dialogs over the main screen ----------------------------------------------

    def action_command_palette(self) -> None:
        """Show the actions; Textual's own commands (``App.COMMANDS``) are not among them."""
        if not isinstance(self.screen, Palette):
            # Textual calls it to make a provider, as it would call the class.
            provider = cast(type[Provider], partial(ActionProvider, keys=self._config.keys))
            # Textual knows the palette by its id.
            palette = Palette(
                [lambda: provider],
                placeholder="find an action: resend, stop capture, copy …",
                id="--command-palette",
            )
            self.push_screen(palette)

    def action_help(self) -> None:
        from app.screens.dialogs.help import Help

        self.push_screen(Help(self._config.keys, self._paths))

    def action_lab(self) -> None:
        from app.screens.lab import LabScreen  # takes a tenth of a second

        def keep(results: Results | None) -> None:
            self._lab = results

        note = LAB_IS_SEEN if self.bridge.sees_loopback else ""
        self.push_screen(LabScreen(before=self._lab, note=note), keep)

    def action_help_quit(self) -> None:
        """Copy selected text for ctrl+c; without any, name the keys that quit or end what runs."""
        if selected := self.screen.get_selected_text():
            self.copy_to_clipboard(selected)
            return
        advice = quit_advice(self.screen, self._config.keys)
        self._brief_notice.show(advice, title="ctrl+c does not quit")

    async def deliver_key(self, event: events.Event) -> None:
        self._brief_notice.remove()
        await super().deliver_key(event)

    def copy_to_clipboard(self, text: str) -> None:
        """Send text to the terminal's clipboard, and say how; ctrl+v pastes it into inputs here."""
        is_refused = bool(self._clipboard_access.refusal)
        if is_refused:
            self._clipboard = text
        else:
            super().copy_to_clipboard(text)
        self.notify(
            self._clipboard_access.notice(len(text)),
            severity="warning" if is_refused else "information",
            timeout=NOTICE_S,
            markup=False,
        )

    def action_suspend_process(self) -> None:
        """Stop all processes of the shell's job, as the terminal's own ^z does.

        Restore the terminal first, because the shell uses it as soon as the job stops. Without a
        job-control shell the job continues: the kernel does not stop an orphaned process group,
        which no process could continue (setpgid(2)).
        """
        with self.suspend():
            handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            os.kill(0, signal.SIGTSTP)
            signal.signal(signal.SIGTSTP, handler)

    async def action_quit(self) -> None:
        """Quit; ask first if packets would be lost. A second key quits without an answer."""
        if isinstance(self.screen, Confirm):
            self.exit()
        else:
            self.capture.unless_lost("Leave", self.exit)

    def on_unmount(self) -> None:
        self.bridge.close()
        self._config_writer.close()
        if "forge_service" in self.__dict__:
            self.forge_service.close()
