"""Change settings of ``config.toml`` that the user changed on the screen, and keep all the rest.

The file is the user's: comments, order, and blank lines stay (tomlkit). It is replaced as a whole
by `PrivateFolder`, or not at all. rawscope never overwrites a file that it cannot read, and refuses
a change that would alter another section. A symbolic link of this user to the file is followed,
since people keep such files in a repository; its target is checked like the file itself.

Writing waits for the disk and for other rawscope processes, so `ConfigWriter` does it in a thread.
tomlkit is imported with the first change.
"""

from __future__ import annotations

import errno
import os
import stat
import tomllib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, TypeAlias

from app.config.config_file import MOST_BYTES, one_line
from core.files.private_folder import PrivateFolder
from core.files.trusted_path import refusal, user_name

Value: TypeAlias = "str | bool | int | Sequence[Value] | Mapping[str, Value]"
Changes: TypeAlias = "Mapping[str, Value | None]"
"""New values of settings by name; None removes a setting, so its default applies."""

_MOST_LINKS = 8
_LINE_LENGTH = 100  # of a list; a longer one has an item per line


class ConfigWriter:
    """Changes the configuration file at `path` in a thread of its own.

    The thread calls `failed` with one line of text for each change that could not be saved.
    """

    def __init__(self, path: Path, failed: Callable[[str], None]) -> None:
        self._path, self._failed = path, failed
        self._thread = ThreadPoolExecutor(1, "rawscope config")  # starts with the first change
        self._lock = Lock()
        self._waiting: dict[str, dict[str, Value | None]] = {}

    def change(self, section: str, changes: Changes) -> None:
        """Save settings of a section soon. Changes that wait for the disk are written as one.

        Do nothing after `close`.
        """
        with self._lock:
            is_first = not self._waiting
            self._waiting.setdefault(section, {}).update(changes)
        if is_first:
            with suppress(RuntimeError):  # closed
                self._thread.submit(self._write)

    def close(self) -> None:
        """Wait until all changes are saved."""
        self._thread.shutdown()

    def _write(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        for section, changes in waiting.items():
            try:
                change_section(self._path, section, changes)
            except OSError as error:
                self._failed(f"{self._path}: {one_line(error)}; [{section}] is not saved")


def change_section(path: Path, section: str, changes: Changes) -> None:
    """Change settings of one section of the file, which is made if it is missing.

    Raise `OSError` with a sentence if the file cannot be read or written; then nothing changes.
    """
    path = _followed(path)
    with PrivateFolder(path.parent, create=True) as folder, folder.locked():
        text = _text_of(folder, path.name)
        changed = changed_text(text, section, changes)
        if changed != text:
            folder.replace(path.name, changed.encode())


def changed_text(text: str, section: str, changes: Changes) -> str:
    """Return the text of a configuration file with other settings in one section.

    Raise `OSError` if the text is not valid TOML, or if `section` is not a table in it.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    before = _parsed(text)
    wanted = _merged(before, section, changes)
    if wanted == before:
        return text
    try:
        document = tomlkit.parse(text if section in before else _with_section(text, section))
        table: Any = document[section]
        for name, value in changes.items():
            if value is not None:
                table[name] = _item(value)
            elif name in table:
                del table[name]
        changed = tomlkit.dumps(document)
    except TOMLKitError as error:
        raise OSError(errno.EILSEQ, f"it cannot be changed: {one_line(error)}") from error
    if _parsed(changed) != wanted:
        raise OSError(errno.EILSEQ, f"[{section}] cannot be changed without changing the rest")
    return changed


def _with_section(text: str, section: str) -> str:
    """Return the text with an empty section at its end, after a blank line."""
    text = text.rstrip("\r\n")
    return f"{text}\n\n[{section}]\n" if text else f"[{section}]\n"


def _item(value: Value) -> Any:
    """Return a value as tomlkit writes it: a mapping and a short list on one line."""
    import tomlkit

    if isinstance(value, Mapping):
        pairs = tomlkit.inline_table()
        for name, each in value.items():
            pairs[name] = _item(each)
        return pairs
    if isinstance(value, Sequence) and not isinstance(value, str):
        items = tomlkit.array()
        items.extend(_item(each) for each in value)
        return items.multiline(len(items.as_string()) > _LINE_LENGTH)
    if isinstance(value, str) and ('"' in value or "\\" in value):
        has_escapes = "'" in value or not value.isprintable()
        return value if has_escapes else tomlkit.string(value, literal=True)
    return value


def _merged(before: dict[str, Any], section: str, changes: Changes) -> dict[str, Any]:
    """Return the content of a file after the changes."""
    table = before.get(section, {})
    if not isinstance(table, dict):
        raise OSError(errno.EILSEQ, f"[{section}] must be a table: correct the file first")
    removed = {name for name, value in changes.items() if value is None}
    settings = table | {name: _plain(value) for name, value in changes.items()}
    kept = {name: value for name, value in settings.items() if name not in removed}
    return before if kept == table else before | {section: kept}


def _plain(value: Value | None) -> Any:
    """Return a value with the types that reading the file gives it."""
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(each) for each in value]
    return value


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        words = f"it is not valid TOML ({one_line(error)}): correct it first"
        raise OSError(errno.EILSEQ, words) from error


def _text_of(folder: PrivateFolder, name: str) -> str:
    """Return the text of the file; empty if it is missing. Raise `OSError`."""
    try:
        content = folder.read(name, MOST_BYTES + 1)
    except FileNotFoundError:
        return ""
    if len(content) > MOST_BYTES:
        raise OSError(errno.EFBIG, f"it is longer than {MOST_BYTES:,} bytes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise OSError(errno.EILSEQ, "it is not valid UTF-8: correct it first") from error


def _followed(path: Path) -> Path:
    """Return the path of the file itself, where `path` is a symbolic link of this user or of root.

    Nobody else can change such a link, since its folder is checked, too. Raise `OSError`.
    """
    for _ in range(_MOST_LINKS):
        with suppress(FileNotFoundError), PrivateFolder(path.parent) as folder:
            status = folder.status(path.name)
            if stat.S_ISLNK(status.st_mode):
                if status.st_uid not in (0, os.geteuid()):
                    owner = user_name(status.st_uid)
                    raise refusal(path.name, f"is a symbolic link of {owner}")
                path = path.parent / os.readlink(folder.path_of(path.name))
                continue
        return path
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
