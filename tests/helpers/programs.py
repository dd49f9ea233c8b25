"""Find programs that tests start without `require_peer`, in the source of the tests.

A test may spell out the first word of a command only if it is one of `EVERYWHERE`. Any other
program must come from a call such as ``require_peer("tcpdump")``. So must a parameter, since its
function does not know the value. The check follows variables, displays, ``*``, the command after a
prefix that is not spelled out (``*network.inside(…)``), ``ip netns exec``, ``env``, ``setpriv``,
``unshare`` and ``sh -c``, and Python programs in strings. It does not follow attributes and return
values. CI finds those by a run without the programs (``.ci/newcomer``).
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterable, Iterator, Sequence

EVERYWHERE = frozenset({"cat", "cp", "env", "exec", "set", "sh", "trap", "true"})  # coreutils, dash
STARTERS = frozenset({
    "subprocess.run", "subprocess.Popen", "subprocess.call", "subprocess.check_call",
    "subprocess.check_output", "asyncio.create_subprocess_exec",
    "os.execv", "os.execve", "os.execvp", "os.execvpe", "os.posix_spawn", "os.posix_spawnp",
})  # fmt: skip
SHELLS = frozenset({"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"})
BEFORE_A_COMMAND = frozenset({"env", "setpriv", "unshare"})
PARAMETER = ast.Constant("a parameter")
ANYTHING = ast.Constant(...)  # any number of words

Function = ast.FunctionDef | ast.AsyncFunctionDef
Scope = dict[str, list[ast.expr]]


def faults(source: str) -> list[str]:
    """Return each program, with its line, that this source starts without `require_peer`."""
    finder = _Finder()
    tree = ast.parse(source)
    finder.visit_body(tree.body, {})
    return finder.found


def _assigned(statements: Iterable[ast.AST]) -> Iterator[tuple[str, ast.expr]]:
    """Yield each assigned name with its value, outside of inner functions."""
    for node in statements:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            continue
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, node.value
                elif isinstance(target, ast.Tuple):
                    known = isinstance(node.value, ast.Tuple)
                    values = node.value.elts if known else [ANYTHING] * len(target.elts)
                    pairs = zip(target.elts, values, strict=False)
                    yield from (
                        (one.id, value) for one, value in pairs if isinstance(one, ast.Name)
                    )
        yield from _assigned(ast.iter_child_nodes(node))


def _parameters(node: Function) -> Iterator[tuple[str, ast.expr]]:
    """Yield the parameters; for tests and fixtures, pytest supplies the values."""
    fixture = any("fixture" in ast.unparse(one) for one in node.decorator_list)
    value = ANYTHING if fixture or node.name.startswith("test_") else PARAMETER
    arguments = node.args
    for one in (*arguments.posonlyargs, *arguments.args, arguments.vararg, *arguments.kwonlyargs):
        if one is not None:
            yield one.arg, value


class _Finder(ast.NodeVisitor):
    def __init__(self) -> None:
        self.found: list[str] = []
        self._scopes: list[Scope] = []

    def visit_body(self, body: Sequence[ast.AST], scope: Scope) -> None:
        """Visit the statements of a module or function."""
        for name, value in _assigned(body):
            scope.setdefault(name, []).append(value)
        self._scopes.append(scope)
        for node in body:
            self.visit(node)
        self._scopes.pop()

    def visit_FunctionDef(self, node: Function) -> None:
        self.visit_body(node.body, {name: [value] for name, value in _parameters(node)})

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_Call(self, node: ast.Call) -> None:
        name = ast.unparse(node.func)
        named = [one.value for one in node.keywords if one.arg == "args"]
        given = named or node.args
        if name in SHELLS:
            self._judge_text(node.lineno, node.args[0])
        elif name in STARTERS and given:
            is_list = name.startswith("subprocess.")
            for words in self._argv(given[0]) if is_list else self._joined(given):
                self._judge(node.lineno, words)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        """Visit a Python program that is passed to another interpreter as a string."""
        if isinstance(node.value, str) and "subprocess" in node.value and "\n" in node.value:
            with contextlib.suppress(SyntaxError):
                self.found += [f"{node.lineno}, in a program: {one}" for one in faults(node.value)]

    def _values(self, name: str) -> list[ast.expr]:
        """Return all values assigned to a name in the innermost scope that has it."""
        for scope in reversed(self._scopes):
            if name in scope:
                return scope[name]
        return [ANYTHING]

    def _argv(self, node: ast.expr) -> list[list[ast.expr]]:
        """Return the words of an expression that is a command, one list for each possible value."""
        match node:
            case ast.List(elts) | ast.Tuple(elts):
                return self._joined(elts)
            case ast.Name(name):
                return [words for value in self._values(name) for words in self._argv(value)]
            case ast.Call(ast.Name("list" | "tuple"), [only]):
                return self._argv(only)
            case ast.BinOp(left, ast.Add(), right):
                return self._joined([ast.Starred(left), ast.Starred(right)])
            case ast.IfExp(_, one, other):
                return [*self._argv(one), *self._argv(other)]
        return [[PARAMETER if node is PARAMETER else ANYTHING]]

    def _joined(self, elements: Sequence[ast.expr]) -> list[list[ast.expr]]:
        found: list[list[ast.expr]] = [[]]
        for one in elements:
            parts = self._argv(one.value) if isinstance(one, ast.Starred) else self._word(one)
            found = [before + part for before in found for part in parts]
        return found

    def _word(self, node: ast.expr) -> list[list[ast.expr]]:
        match node:
            case ast.Name(name):
                return [one for value in self._values(name) for one in self._word(value)]
            case ast.IfExp(_, one, other):
                return [*self._word(one), *self._word(other)]
            case ast.Subscript(ast.Name(name)) if PARAMETER in self._values(name):
                return [[PARAMETER]]
        return [[node]]

    def _judge(self, line: int, words: Sequence[ast.expr]) -> None:
        """Record faults of the program that these words start, and of the one after a prefix."""
        if not words:
            return
        head, *rest = words
        name = _text(head)
        if head is PARAMETER:
            self.found.append(f"{line}: a parameter")
        elif name and name not in EVERYWHERE and not name.startswith(("-", "{}")):
            self.found.append(f"{line}: {name}")
        if head is ANYTHING:
            self._judge(line, rest)
        elif [_text(one) for one in rest[:2]] == ["netns", "exec"]:
            self._judge(line, rest[3:])
        elif name == "sh" and rest and _text(rest[0]) == "-c":
            self._judge_text(line, rest[1])
        elif name in BEFORE_A_COMMAND or _asked(head) in BEFORE_A_COMMAND:
            while rest and (_text(rest[0]).startswith("-") or "=" in _text(rest[0])):
                rest = rest[1:]
            self._judge(line, rest)

    def _judge_text(self, line: int, node: ast.expr) -> None:
        """Do the same for the first word of a shell command line."""
        self._judge(line, [ast.Constant(one) for one in _text(node).split()[:1]])


def _text(node: ast.expr) -> str:
    """Return the literal text of a string, ``{}`` for each replacement field; empty if none."""
    match node:
        case ast.Constant(str(text)):
            return text
        case ast.JoinedStr(parts):
            return "".join(
                _text(part) if isinstance(part, ast.Constant) else "{}" for part in parts
            )
    return ""


def _asked(node: ast.expr) -> str:
    """Return the program that a call of `tests.helpers.support` requires, if it is spelled out."""
    match node:
        case ast.Call(ast.Name("require_unshare")):
            return "unshare"
        case ast.Call(ast.Name("require_peer"), [name]):
            return _text(name)
    return ""
