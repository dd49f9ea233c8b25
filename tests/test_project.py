"""The project as a whole: its wheel, README, lock, imports, and the sizes of its classes."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections import Counter
from itertools import groupby, pairwise
from operator import attrgetter
from pathlib import Path

import pytest

from app.action_search import in_order
from app.textual_bindings import key_label
from screenshots.make import PICTURES, take
from tests.app.made import SYN, capture_of
from tests.bench.terminal import Terminal
from tests.helpers.support import ROOT
from tests.helpers.waiting import PATIENCE_S
from tests.sizes import ALL_METHODS, all_methods, class_sizes, modules

README = ROOT / "README.md"
MOST_MODULES = 22  # of one folder
IMPORTED = re.compile(r"^ *(from [\w.]+ import (?:\([^)]*\)|.*))", re.MULTILINE)
KEYS = re.compile(r"(?<=-->\n).*?(?=<!-- end of keys -->)", re.DOTALL)


def project() -> dict[str, object]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_the_lock_covers_every_dependency() -> None:
    """Every direct dependency has its exact version in the lock, and no host is named there."""
    lock = (ROOT / "requirements-dev.lock").read_text()
    locked = {line.split("==")[0].lower() for line in lock.splitlines() if "==" in line}
    metadata = project()["project"]
    asked = [*metadata["dependencies"], *metadata["optional-dependencies"]["dev"]]  # type: ignore[index]
    names = {re.split(r"[<>=]", one)[0].lower() for one in asked}
    assert {name.replace("_", "-") for name in names} <= {name.replace("_", "-") for name in locked}
    assert "://" not in lock


def test_each_name_is_imported_from_the_module_that_defines_it() -> None:
    """No module passes on what it imports: one import path for each name."""
    imports = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): {
            (one.asname or one.name, node.module)
            for statement in IMPORTED.findall(path.read_text())
            for node in ast.parse(statement).body
            if isinstance(node, ast.ImportFrom)
            for one in node.names
        }
        for folder in ("app", "core", "widgets", "tests", "screenshots")
        for path in (ROOT / folder).rglob("*.py")
    }
    assert ("KeyQueue", "app.key_queue") in imports["tests.app.test_key_queue"]
    passed_on = {
        f"{module}: {name} from {source}"
        for module, names in imports.items()
        for name, source in names
        if source in imports and dict(imports[source]).get(name, source) != source
    }
    assert not passed_on


def test_core_alone_imports_neither_textual_nor_rich() -> None:
    """Every module of core, in a process of its own."""
    modules = sorted(
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "core").rglob("*.py")
        if path.name != "__init__.py"
    )
    code = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n"
        "print(*{'textual', 'rich', 'click'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *modules],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.stdout.split() == []


def test_no_class_has_too_many_methods() -> None:
    """A class cut in slices by inheritance counts as one. ``python -m tests.sizes`` lists all."""
    sizes = class_sizes(modules())
    counts = {name: len(all_methods(name, sizes)) for name in sizes}
    above = {name: count for name, count in counts.items() if count > ALL_METHODS}
    assert above == {}


def test_no_folder_has_too_many_modules() -> None:
    """A reader finds a module by the names of the folders."""
    paths = [
        path.relative_to(ROOT)
        for folder in ("app", "core", "widgets", "tests")
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "__init__.py"
    ]
    counts = Counter(str(path.parent) for path in paths)
    assert {folder: count for folder, count in counts.items() if count > MOST_MODULES} == {}


def test_methods_of_bases_count_once() -> None:
    """Also of bases imported under another name, and of bases with parameters."""
    sources = {
        "widgets.base": "class Base(Screen[None]):\n def a(self): ...\n def b(self): ...",
        "widgets.own": "from widgets.base import Base as View\n"
        "class Own(View[int]):\n def b(self): ...\n async def c(self): ...\n"
        " class Message: ...\n",
    }
    sizes = class_sizes((name, ast.parse(text)) for name, text in sources.items())
    assert all_methods("widgets.own.Own", sizes) == {"a", "b", "c"}
    assert all_methods("widgets.own.Message", sizes) == frozenset()


def keys_table() -> str:
    """Return the keys of `app.keymap` in the form of the README."""
    lines = []
    for group, actions in groupby(in_order(), attrgetter("group")):
        lines += ["", f"| {group.value} | | in `config.toml` |", "|---|---|---|"]
        for action in actions:
            keys = " ".join(f"`{key}`" for key in key_label(action.keys).split())
            keys = keys.replace("|", r"\|")  # it ends a cell, even in code
            lines.append(f"| {keys} | {action.help} | `{action.name}` |")
    return "\n".join(lines).lstrip("\n") + "\n\n"


def test_the_readme_shows_all_keys() -> None:
    """``python -m tests.test_project`` writes the table again."""
    found = KEYS.search(README.read_text())
    assert found
    assert found[0] == keys_table()


def test_the_readme_shows_pictures_that_exist() -> None:
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", README.read_text())
    assert pictures
    for picture in pictures:
        assert (ROOT / picture).is_file(), picture


async def test_a_picture_of_the_readme_can_be_drawn(tmp_path: Path) -> None:
    """Draw the one that needs most of the scripted capture: a packet is sent, and a reply comes."""
    (tmp_path / "config.toml").write_text("[forge]\naudit = false\n")
    (forge,) = (picture for picture in PICTURES if picture[0] == "forge")
    assert "RST, ACK" in (await take(tmp_path, tmp_path, *forge)).read_text().replace("&#160;", " ")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the checkout, without the files that tests and tools leave in it."""
    source = tmp_path_factory.mktemp("source")
    for name in ("app", "core", "widgets", "pyproject.toml", "README.md", "LICENSE"):
        subprocess.run(["cp", "-r", ROOT / name, source], check=True)
    return source


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel, without a network."""
    target = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index",
         "--no-build-isolation", "--wheel-dir", target, source],
        cwd=target, check=True, timeout=PATIENCE_S, capture_output=True,
    )  # fmt: skip
    return next(target.glob("rawscope-*.whl"))


def test_the_wheel_holds_code_styles_and_types(source: Path, wheel: Path) -> None:
    """All of it, and nothing else."""
    names = set(zipfile.ZipFile(wheel).namelist())
    there = {
        str(path.relative_to(source))
        for top in ("app", "core", "widgets")
        for path in (source / top).rglob("*")
        if path.suffix in (".py", ".tcss", ".xz") or path.name == "py.typed"
    }
    assert {"app/py.typed", "core/py.typed", "widgets/py.typed"} <= there
    assert any(name.endswith(".tcss") for name in there)
    assert {name for name in names if ".dist-info/" not in name} == there


def test_the_wheel_runs_where_it_is_installed(wheel: Path, tmp_path: Path) -> None:
    """Its console script, headless and on a screen, away from the checkout."""
    place = tmp_path / "installed"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index",
         "--no-warn-script-location", "--target", place, wheel],
        check=True, timeout=PATIENCE_S, capture_output=True,
    )  # fmt: skip
    path = capture_of(tmp_path / "one.pcap", [SYN])
    script = str(place / "bin" / "rawscope")
    done = subprocess.run(
        [script, "dump", "-r", path, "--fields", "tcp.flags.syn"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(place)},
        capture_output=True, text=True, check=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.stdout == "true\n"
    screen = Terminal(["env", f"PYTHONPATH={place}", script, "-r", path], 120, 36, tmp_path)
    try:
        screen.wait_for(b"[SYN]", PATIENCE_S)
    finally:
        screen.close()


if __name__ == "__main__":
    README.write_text(KEYS.sub(lambda _: keys_table(), README.read_text(), count=1))


def test_the_changelog_has_whole_lists_of_short_lines() -> None:
    lines = (ROOT / "CHANGELOG.md").read_text().splitlines()
    assert [line for line in lines if len(line) > 100] == []
    after_a_gap = [new for old, new in pairwise(lines) if not old and new.startswith("- ")]
    assert after_a_gap == []
