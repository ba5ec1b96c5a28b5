"""Where exceptions of the libraries become errors about the input, nothing of ours is called: it may have a defect."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "astrodriz_io"
MODULES = sorted(SOURCE.rglob("*.py"))
GUARDS = frozenset({"reading", "stwcs_call", "failing_as_input", "_reading_table"})
"""Context managers that turn what a library raises into an error of astrodriz."""

LISTS = frozenset({"FITS_FAILURES", "STWCS_FAILURES", "ASTROQUERY_FAILURES"})
"""Lists of what the libraries raise, built-in exceptions among them."""

SLIPS = frozenset({"KeyError", "TypeError", "AttributeError", "LookupError", "AssertionError", "NameError"})
"""What a slip of the pen raises; where it is caught, nothing of ours may run either."""

KNOWN = {"record_files/record.py": {"migrate"}}
"""Records of older schema versions, which have no schema any more to be looked at by before they are brought up."""

NOT_FROM_INPUT = frozenset({"MemoryError", "Exception", "BaseException"})


def _guarded_blocks(tree: ast.Module) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.With) and any(_called(item.context_expr) in GUARDS for item in node.items):
            yield node.body
        if isinstance(node, ast.Try) and any(_names(handler.type) & (LISTS | SLIPS) for handler in node.handlers):
            yield node.body


def _own_names(tree: ast.Module) -> set[str]:
    """Functions and classes of a module, and what it takes from others of astrodriz."""
    own = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("astrodriz"):
            own |= {alias.asname or alias.name for alias in node.names}
    return own | {"self"}


def _callbacks(tree: ast.Module) -> set[str]:
    """Names of arguments that are functions: what they do is ours too."""
    arguments = (node for node in ast.walk(tree) if isinstance(node, ast.arg) and node.annotation is not None)
    return {argument.arg for argument in arguments if "Callable" in ast.unparse(argument.annotation or argument)}


def _called(node: ast.expr) -> str:
    """The name that a call begins with: ``fits`` of ``fits.open(path)``."""
    while isinstance(node, (ast.Call, ast.Attribute, ast.Subscript)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _names(node: ast.AST | None) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} if node is not None else set()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_guarded_blocks_call_nothing_of_ours(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    own = (_own_names(tree) | _callbacks(tree)) - GUARDS - KNOWN.get(str(path.relative_to(SOURCE)), set())
    found = [
        f"line {call.lineno}: {ast.unparse(call.func)}"
        for block in _guarded_blocks(tree)
        for statement in block
        for call in ast.walk(statement)
        if isinstance(call, ast.Call) and _called(call.func) in own
    ]
    assert not found, found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_list_of_failures_holds_what_no_input_can_cause(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
        if isinstance(target, ast.Name) and target.id.endswith("_FAILURES"):
            assert not _names(node.value) & NOT_FROM_INPUT


def test_there_are_guarded_blocks_to_look_at() -> None:
    assert sum(len(list(_guarded_blocks(ast.parse(path.read_text("utf-8"))))) for path in MODULES) > 15
