"""Every cache is bounded, so that neither a run of weeks nor a hostile capture fills one.

The test finds in the syntax of `app`, `core` and `widgets`:

- ``functools.cache`` and ``lru_cache`` without a limit, as decorators and as functions;
- ``LRUCache`` without a limit;
- mappings used as a cache: the same function looks up a key in one and stores under it. It must
  compare the length of such a mapping (``len(self._kept) >= ...``) or trim it where it is filled,
  unless the mapping is listed here with the reason why it is bounded.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from core.forge.transmit import encapsulation
from core.forge.transmit.encapsulation import Encapsulation
from core.net import host_addresses
from core.net.host_addresses import HostAddresses
from core.wire.network.tunnels import GRE, optional_table
from core.wire.transport.tcp import FLAG_BITS, TCP, flag_text
from tests.helpers.scripted_forge import ETH0
from tests.helpers.support import ROOT

TRIMMING_FUNCTIONS = {"_forget_oldest"}
FUNCTION_CACHES = {"cache", "lru_cache"}
# file and mapping: why the mapping is bounded
BOUNDED_OTHERWISE = {
    ("app/config/config_writer.py", "self._waiting"): "sections of the configuration file",
    ("core/analysis/analysis_thread.py", "self._waiting"): "the analyzers of the program",
    ("core/analysis/analysis_thread.py", "self._used_s"): "the analyzers that wait",
    ("core/analysis/filter/fields/catalog.py", "self._fields"): "fields of the header tables",
    ("core/analysis/filter/language/patterns/group_numbers.py", "self._names"): (
        "names of groups in a pattern, whose length is bounded"
    ),
    ("core/analysis/filter/values/chunk_headers.py", "self._known"): "protocols, in one chunk",
    ("core/analysis/filter/values/chunk_headers.py", "self._walked"): "protocols, in one chunk",
    ("core/analysis/filter/evaluation/operand_columns.py", "self._read"): "operands, in one chunk",
    ("core/analysis/filter/evaluation/evaluation.py", "self._searched"): "patterns, in one chunk",
    ("core/analysis/filter/language/expression_checker.py", "self._own_types"): (
        "operands of a filter, whose length is bounded"
    ),
    ("core/analysis/filter/values/header_list.py", "self._families"): "protocols, in one chunk",
    ("core/analysis/filter/values/application_fields.py", "self._found"): "readers, in one chunk",
    ("core/analysis/filter/values/column_texts.py", "self._found"): "columns, of one chunk",
    ("core/analysis/filter/values/header_list.py", "self._places"): "header tables, in one chunk",
    ("core/analysis/filter/values/header_words.py", "self._kept"): "headers, in one chunk",
    ("core/analysis/filter/values/option_places.py", "self._found"): "protocols, in one chunk",
    ("core/analysis/filter/values/packet_levels.py", "self._counts"): "protocols, in one chunk",
    ("core/analysis/filter/values/packet_levels.py", "self._mapped"): "headers, in one chunk",
    ("core/store/annotations.py", "self._found"): "kinds of analyses, of one store",
    ("core/analysis/flows/table.py", "self._columns"): "names of columns",
    ("core/analysis/tcp/memory.py", "self._unacked"): "segments; `bound` forgets what is too much",
    ("core/capture/inet.py", "self._numbers"): "names that an administrator gave one interface",
    ("core/capture/session.py", "self._ended"): "interfaces of one capture",
    ("app/cli/dump/json_columns.py", "self.shapes"): "emptied when it has SHAPES shapes",
    ("app/cli/dump/json_shapes.py", "_RUN_TEXTS"): "runs of fields of the header tables",
    ("app/terminal/cells.py", "self._numbers"): "one number for each cell style of the theme",
    ("core/echo/shutdown.py", "self._complete_since_s"): "clients of a server that is ending",
    ("core/forge/review/capture_review.py", "self._targets"): "kinds of frames end at MOST_KINDS",
    ("core/forge/export/tool_command.py", "self.covered"): "headers of one packet",
    ("core/net/host_addresses.py", "self._links"): "names of interfaces, for one examination",
    ("core/forge/journal/audit.py", "self._interfaces"): "interfaces of one order",
    ("core/store/interface_numbers.py", "self._shared"): "numbers end at INTERFACES",
    ("widgets/echo/client_rows.py", "self._words"): "lines of one table, emptied with the next",
    ("widgets/flows/flow_rows.py", "self._words"): "lines of one listing, emptied with the next",
    ("widgets/lines/component_styles.py", "self._styles"): "names of a widget's component classes",
    ("widgets/packets/columns.py", "self.fields"): "columns of the table",
}
FILES = sorted(path for room in ("app", "core", "widgets") for path in (ROOT / room).rglob("*.py"))


def _name(node: ast.AST) -> str:
    """Return ``cache`` for ``cache``, ``functools.cache``, and a call of either."""
    if isinstance(node, ast.Call):
        return _name(node.func)
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _limit(call: ast.Call) -> ast.expr | None:
    given = [one.value for one in call.keywords if one.arg == "maxsize"] + call.args[:1]
    return given[0] if given else None


def endless_function_caches(tree: ast.AST) -> Iterator[str]:
    """Yield caches of functions, and `LRUCache` objects, without a limit."""
    limited = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node) in FUNCTION_CACHES | {"LRUCache"}:
            limit = _limit(node)
            is_none = isinstance(limit, ast.Constant) and limit.value is None
            if _name(node) != "cache" and limit is not None and not is_none:
                limited.add(node.func)
            else:
                yield f"line {node.lineno}: {ast.unparse(node)}"
                limited.add(node.func)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and node not in limited:
            is_outer = isinstance(node, ast.Attribute) or isinstance(node.ctx, ast.Load)
            if is_outer and _name(node) in FUNCTION_CACHES:
                yield f"line {node.lineno}: {ast.unparse(node)}"


def _mapping(node: ast.expr, names: set[str]) -> str:
    """Return the name of a mapping that is an attribute of `self` or of a module; else empty."""
    text = ast.unparse(node)
    of_self = isinstance(node, ast.Attribute) and text.startswith("self.")
    return text if of_self or text in names else ""


def endless_mappings(tree: ast.Module) -> Iterator[str]:
    """Yield unbounded mappings that outlive a call and that one function reads and fills.

    A mapping is unbounded if its length is nowhere compared and it is nowhere trimmed.
    """
    names = {
        target.id
        for node in tree.body
        for target in (
            node.targets if isinstance(node, ast.Assign)
            else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if isinstance(target, ast.Name)
    }  # fmt: skip
    caches, bounded = set(), set()
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        looked, filled = set(), set()
        for node in ast.walk(function):
            if isinstance(node, ast.Compare):
                for side in (node.left, *node.comparators):
                    for call in ast.walk(side):
                        if isinstance(call, ast.Call) and _name(call) == "len":
                            bounded.add(ast.unparse(call.args[0]))
                if any(isinstance(one, ast.In | ast.NotIn) for one in node.ops):
                    looked |= {_mapping(one, names) for one in node.comparators}
            elif isinstance(node, ast.Call):
                if _name(node) in TRIMMING_FUNCTIONS:
                    bounded.add(ast.unparse(node.args[0]))
                if isinstance(node.func, ast.Attribute):
                    owner = _mapping(node.func.value, names)
                    if node.func.attr == "get":
                        looked.add(owner)
                    elif node.func.attr == "setdefault":
                        looked.add(owner)
                        filled.add(owner)
            elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
                filled.add(_mapping(node.value, names))
        caches |= looked & filled - {""}
    limited = {
        ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and isinstance(node.value, ast.Call)
        and _name(node.value) == "LRUCache"
    }
    yield from sorted(caches - bounded - limited)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_cache_is_bounded(path) -> None:
    tree = ast.parse(path.read_text())
    place = str(path.relative_to(ROOT))
    assert list(endless_function_caches(tree)) == []
    known = {name for file, name in BOUNDED_OTHERWISE if file == place}
    assert set(endless_mappings(tree)) == known


def test_every_reason_belongs_to_an_existing_file() -> None:
    assert {file for file, _ in BOUNDED_OTHERWISE} <= {str(one.relative_to(ROOT)) for one in FILES}


def test_cached_answers_of_the_kernel_are_bounded(monkeypatch) -> None:
    """A file may name any number of destinations."""
    monkeypatch.setattr(host_addresses, "_MOST_KINDS", 10)
    monkeypatch.setattr(encapsulation, "_MOST_KEPT", 10)
    machine, frames = HostAddresses(), Encapsulation(ETH0)
    monkeypatch.setattr(frames, "_looked_up", lambda destination: destination[:6])
    for number in range(25):
        address = bytes((127, 0, 0, number))
        machine.kind(address)
        assert frames._address(address * 2) == (address * 2)[:6]
        assert len(machine._kinds) <= 10
        assert len(frames._found) <= 10


@pytest.mark.parametrize(
    "text",
    [
        "@cache\ndef f(a): ...", "@functools.cache\ndef f(a): ...", "@lru_cache\ndef f(a): ...",
        "@lru_cache(maxsize=None)\ndef f(a): ...", "@lru_cache(None)\ndef f(a): ...",
        "@lru_cache()\ndef f(a): ...", "g = cache(f)", "g = lru_cache(maxsize=None)(f)",
        "kept = LRUCache()", "kept = LRUCache(None)",
    ],
)  # fmt: skip
def test_every_kind_of_endless_function_cache_is_found(text: str) -> None:
    assert list(endless_function_caches(ast.parse(text)))


@pytest.mark.parametrize(
    "text",
    ["@lru_cache(maxsize=8)\ndef f(a): ...", "g = lru_cache(8)(f)", "kept = LRUCache(SIZE)",
     "from functools import cached_property"],
)  # fmt: skip
def test_no_other_function_cache_is_found(text: str) -> None:
    assert not list(endless_function_caches(ast.parse(text)))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("def f(self, k):\n if k not in self.a:\n  self.a[k] = 1\n return self.a[k]", ["self.a"]),
        ("def f(self, k):\n v = self.a.get(k)\n self.a[k] = v", ["self.a"]),
        ("def f(self, k):\n return self.a.setdefault(k, 1)", ["self.a"]),
        ("A = {}\ndef f(k):\n if k in A: return A[k]\n A[k] = 1", ["A"]),
        ("A: dict[int, int] = {}\ndef f(k):\n if k in A: return A[k]\n A[k] = 1", ["A"]),
        ("def f(self, k):\n if len(self.a) > 9: self.a.clear()\n self.a.setdefault(k, 1)", []),
        ("def f(self, k):\n self.a.setdefault(k, 1)\n _forget_oldest(self.a, 9)", []),
        ("def f(k):\n a = {}\n a.setdefault(k, 1)", []),
    ],
)
def test_mappings_used_as_caches_are_found(text: str, found: list[str]) -> None:
    assert list(endless_mappings(ast.parse(text))) == found


def test_caches_of_header_fields_hold_every_value_of_the_field() -> None:
    """No capture defeats a cache, and none makes one grow."""
    bits = TCP["flags"].field.bits
    assert flag_text.cache_info().maxsize == 1 << bits
    assert all(mask < 1 << bits for mask in FLAG_BITS.values())
    versions = range(1 << GRE["flags.version"].field.bits)
    switches = (False, True)
    keys = [
        (a, b, c, version, d)
        for a in switches for b in switches for c in switches for d in switches
        for version in versions
    ]  # fmt: skip
    for key in keys:
        optional_table(*key)
    assert optional_table.cache_info().maxsize == len(keys)
