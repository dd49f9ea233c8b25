"""Print the largest files, functions, and classes: ``python -m tests.sizes``.

Only `tests/test_project.py` enforces anything: the number of a class's methods, together with those
of its bases in this project. Files want to stay under 300 lines, functions under 40, and classes
under 20 methods of their own; a larger one is probably two things.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.support import ROOT

FOLDERS = ("app", "core", "widgets")
FILE_LINES, FUNCTION_LINES, OWN_METHODS, ALL_METHODS = 300, 40, 20, 40
SHOWN = 15  # of each kind
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class ClassSize:
    """A class by its module and name, its own methods, and its bases in this project."""

    name: str  # ``widgets.lines.line_view.LineView``
    methods: frozenset[str]
    bases: tuple[str, ...]


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Yield every module of the project: its dotted name, and its syntax tree."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield name.removesuffix(".__init__"), ast.parse(path.read_text())


def class_sizes(sources: Iterable[tuple[str, ast.Module]]) -> dict[str, ClassSize]:
    """Return every class, also those inside of others, by its full name."""
    return {size.name: size for name, tree in sources for size in _classes_of(name, tree)}


def all_methods(name: str, sizes: Mapping[str, ClassSize]) -> frozenset[str]:
    """Return the names of a class's methods and of those of its bases in this project."""
    size = sizes.get(name)
    if size is None:
        return frozenset()
    return size.methods.union(*(all_methods(base, sizes) for base in size.bases))


def _classes_of(module: str, tree: ast.Module) -> Iterator[ClassSize]:
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    known = {node.name: f"{module}.{node.name}" for node in classes}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            known |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
    for node in classes:
        methods = frozenset(one.name for one in node.body if isinstance(one, Function))
        bases = (known.get(_base_name(base), "") for base in node.bases)
        yield ClassSize(f"{module}.{node.name}", methods, tuple(base for base in bases if base))


def _base_name(base: ast.expr) -> str:
    """Return ``Screen`` for ``Screen`` and for ``Screen[None]``."""
    base = base.value if isinstance(base, ast.Subscript) else base
    return base.id if isinstance(base, ast.Name) else ""


def function_lines(module: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the number of lines and the full name of every function and method."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef):
            continue
        owner = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
        for one in node.body:
            if isinstance(one, Function):
                yield (one.end_lineno or 0) - one.lineno + 1, f"{module}.{owner}{one.name}"


def _print(title: str, limit: int, sizes: Iterable[tuple[int, str]]) -> None:
    largest = sorted(sizes, reverse=True)
    above = sum(size > limit for size, _ in largest)
    print(f"{title}: {above} of {len(largest)} above {limit}")
    for size, name in largest[:SHOWN]:
        print(f"  {size:5}  {name}")


def main() -> None:
    """Print the largest files, functions, and classes."""
    sources = list(modules())
    paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    lines = ((_line_count(path), str(path.relative_to(ROOT))) for path in paths)
    _print("lines of files", FILE_LINES, lines)
    functions = (size for name, tree in sources for size in function_lines(name, tree))
    _print("lines of functions", FUNCTION_LINES, functions)
    sizes = class_sizes(sources)
    own = ((len(size.methods), name) for name, size in sizes.items())
    _print("own methods of classes", OWN_METHODS, own)
    every = ((len(all_methods(name, sizes)), name) for name in sizes)
    _print("methods of classes with their bases", ALL_METHODS, every)


def _line_count(path: Path) -> int:
    return path.read_text().count("\n")


if __name__ == "__main__":
    main()
