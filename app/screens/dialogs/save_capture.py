"""The dialog that saves packets to a capture file. Imported on first use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Input, RadioSet, Static

from app.screens.dialogs.choices import Choices, OneOf, Switched
from app.screens.dialogs.dialog import Confirm, Dialog, Hint, while_open
from app.screens.dialogs.open_file import PathCompletion
from app.screens.saving.packet_ranges import PacketRanges, RangeError, parse_ranges
from core.decode.batch import FileBlock
from core.files.byte_order import SECRETS
from core.files.writing.encoder import CannotWriteError, InterfaceCounts
from core.files.writing.packing import is_classic, with_ending
from core.files.writing.saving import (
    CanceledError,
    SaveProgress,
    SaveRequest,
    reason,
    save,
)
from core.store.filtered_view import NumberRange
from core.store.packet_remark import PacketRemark
from core.store.snapshot import Snapshot
from core.wire.model.text import safe

HINT = "enter saves · tab, arrows: packets, format · .gz, .zst compress"
CLASSIC_HINT = "classic pcap keeps no comments, names, or directions · esc closes"
PROGRAMS = "with the programs of flows, as comments"
_ALL, _SHOWN, _MARKED, _RANGE = range(4)
_PROGRESS_S = 0.1


@dataclass(frozen=True, slots=True)
class Savable:
    """The packets that can be saved. `shown` are those that pass the filter, None without one.

    `remarks` returns what is known of the programs of packets, None if nothing is. `names` returns
    blocks with the names that the packets told.
    """

    snapshot: Snapshot
    name: str
    shown: NumberRange | None = None
    shown_count: int = 0
    marked: PacketRanges = field(default_factory=lambda: PacketRanges([]))
    counts: Sequence[InterfaceCounts] = ()
    remarks: Callable[[NumberRange | None], Mapping[int, PacketRemark]] | None = None
    names: Callable[[], Sequence[FileBlock]] | None = None

    @property
    def held(self) -> int:
        """The number of packets in memory."""
        return self.snapshot.count - self.snapshot.evicted


@dataclass(frozen=True, slots=True)
class SavedFile:
    """A file that was written: the number of its packets, and which they are; None for all."""

    path: Path
    packets: int
    numbers: NumberRange | None
    keeps_comments: bool


class SaveCapture(Dialog[SavedFile]):
    """Ask which packets to save, in which format, and where; save them, and return the file.

    An existing file is replaced only after a question. What cannot be saved stays in the dialog,
    with the reason. While a thread saves, escape cancels it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "save", "Save")]
    title_text = "Save packets"

    def __init__(self, savable: Savable) -> None:
        super().__init__()
        self._savable = savable
        self._progress: SaveProgress | None = None  # of the save that runs

    def compose_body(self) -> ComposeResult:
        savable = self._savable
        with Horizontal(classes="dialog-row"):
            yield Static("file", classes="dialog-label")
            path = Input(savable.name, placeholder="path of a file", compact=True, id="path")
            path.cursor_blink = False
            path.suggester = PathCompletion()
            yield path
        with Choices(compact=True, id="which"):
            yield OneOf(f"all {savable.held:,} packets", value=True, compact=True)
            is_filtered = savable.shown is not None
            shown = f"{savable.shown_count:,}" if is_filtered else "no filter is set"
            yield OneOf(f"shown by the filter: {shown}", compact=True, disabled=not is_filtered)
            marked = len(savable.marked)
            yield OneOf(f"marked (◆): {marked:,}", compact=True, disabled=not marked)
            yield OneOf("these numbers:", compact=True)
        numbers = Input(placeholder="10-200,300", compact=True, id="numbers")
        numbers.cursor_blink = False
        yield numbers
        with Horizontal(classes="dialog-row"):
            yield Static("format", classes="dialog-label")
            with Choices(compact=True, id="format"):
                yield OneOf("pcapng", value=True, compact=True)
                yield OneOf("classic pcap", compact=True)
        if self._savable.remarks is not None:
            yield Switched(PROGRAMS, value=True, compact=True, id="programs")
        if self._has_secrets:
            yield Switched("with the file's decryption secrets", compact=True, id="secrets")
        with Horizontal(classes="dialog-buttons"):
            yield Button("Save", id="save", compact=True)
        yield Hint(HINT)

    def on_mount(self) -> None:
        self.query_one("#path").focus()
        self.set_interval(_PROGRESS_S, self._show_progress)

    def on_unmount(self) -> None:
        if self._progress is not None:
            self._progress.cancel()

    @property
    def _has_secrets(self) -> bool:
        return any(block.kind == SECRETS for block in self._savable.snapshot.blocks)

    @property
    def _path(self) -> Input:
        return self.query_one("#path", Input)

    @property
    def _which(self) -> int:
        return self.query_one("#which", RadioSet).pressed_index

    # -- choices -----------------------------------------------------------------------------------

    @on(Input.Changed, "#numbers")
    def choose_numbers(self, event: Input.Changed) -> None:
        """Typing numbers chooses them. Report an error that no further character can correct."""
        if not event.value:
            self._show("")
            return
        list(self.query_one("#which").query(OneOf))[_RANGE].value = True
        try:
            self._ranges()
        except RangeError as error:
            self._show("" if error.is_incomplete else str(error))
        else:
            self._show("")

    @on(RadioSet.Changed, "#which")
    def ask_for_numbers(self) -> None:
        if self._which == _RANGE and not self.query_one("#numbers", Input).value:
            self.query_one("#numbers").focus()

    @on(RadioSet.Changed, "#format")
    def change_ending(self) -> None:
        """Change the ending of the file's name with the format."""
        typed = self._path.value
        wants_classic = self.query_one("#format", RadioSet).pressed_index == 1
        if is_classic(typed) != wants_classic:
            self._path.value = with_ending(typed, ".pcap" if wants_classic else ".pcapng")
        self._show("")

    @on(Input.Changed, "#path")
    def change_format(self, event: Input.Changed) -> None:
        """Change the format with the ending of the file's name."""
        formats = list(self.query_one("#format").query(OneOf))
        formats[is_classic(event.value)].value = True
        if not self.query_one(Hint).has_refused(event.value):
            self._show("")

    @on(Switched.Changed, "#secrets")
    def warn_of_secrets(self, event: Switched.Changed) -> None:
        problem = "anyone with this file can decrypt its traffic" if event.value else ""
        self._show(problem)

    def _show(self, problem: str) -> None:
        classic = self.query_one("#format", RadioSet).pressed_index == 1
        self.query_one(Hint).show(problem, CLASSIC_HINT if classic else HINT)

    def _ranges(self) -> PacketRanges:
        snapshot = self._savable.snapshot
        text = self.query_one("#numbers", Input).value
        return parse_ranges(text, snapshot.first, snapshot.count)

    def _numbers(self) -> NumberRange | None:
        """Return the chosen packets, None for all. Raise `RangeError`."""
        match self._which:
            case 1:
                return self._savable.shown
            case 2:
                return self._savable.marked
            case 3:
                return self._ranges()
        return None

    # -- saving ------------------------------------------------------------------------------------

    def on_input_submitted(self) -> None:
        self.action_save()

    def on_button_pressed(self) -> None:
        self.action_save()

    def action_save(self) -> None:
        """Save, or show what is missing. While a save runs, start no other one."""
        self._save(replace=False)

    def action_cancel(self) -> None:
        if self._progress is not None:
            self._progress.cancel()
        else:
            self.dismiss(None)

    def _save(self, *, replace: bool) -> None:
        hint, typed = self.query_one(Hint), self._path.value
        if self._progress is not None:
            return
        try:
            numbers = self._numbers()
        except RangeError as error:
            hint.show(str(error))
            self.query_one("#numbers").focus()
            return
        if not typed.strip():
            hint.show("type the path of a file")
            return
        try:
            path = Path(typed).expanduser()
        except RuntimeError:  # no home folder
            hint.refuse(typed, "not saved: this is not a path")
            return
        has_programs = self._savable.remarks is not None
        programs = has_programs and self.query_one("#programs", Switched).value
        secrets = self._has_secrets and self.query_one("#secrets", Switched).value
        request = SaveRequest(
            path,
            self._savable.snapshot,
            numbers,
            is_classic=self.query_one("#format", RadioSet).pressed_index == 1,
            keeps_secrets=secrets,
            counts=self._savable.counts if numbers is None else (),
            remarks=self._savable.remarks if programs else None,
            names=self._savable.names if numbers is None else None,
        )
        self._progress = SaveProgress()
        work = self._try(request, self._progress, replace=replace)
        self.run_worker(while_open(self, work))
        self._show_progress()

    async def _try(self, request: SaveRequest, progress: SaveProgress, *, replace: bool) -> None:
        """Save, and close the dialog; else show why not, or ask."""
        hint, typed = self.query_one(Hint), self._path.value
        try:
            await asyncio.to_thread(save, request, progress, replace=replace)
        except FileExistsError:
            self._show("")
            question = f"{safe(typed)} exists."
            self.app.push_screen(Confirm(question, yes="Replace it", no="Keep it"), self._answered)
        except CanceledError:
            hint.refuse(typed, "canceled: nothing was saved")
        except CannotWriteError as error:
            hint.refuse(typed, f"not saved: {safe(str(error))}")
        except OSError as error:
            hint.refuse(typed, f"not saved: {reason(error)}")
        except ValueError:  # a NUL
            hint.refuse(typed, "not saved: this is not a path")
        else:
            file = SavedFile(
                request.path.absolute(),
                progress.saved,
                request.numbers,
                keeps_comments=not request.is_classic,
            )
            if self.is_current:
                self.dismiss(file)
            else:  # a question is in front, as that whether to quit
                hint.show("", f"saved to {safe(str(file.path))}")
        finally:
            self._progress = None

    def _answered(self, is_sure: bool | None) -> None:
        if is_sure:
            self._save(replace=True)

    def _show_progress(self) -> None:
        if self._progress is not None:
            words = f"saving … {self._progress.part:.0%} · esc cancels"
            self.query_one(Hint).show("", words)
