"""What a module offers in `__all__` is used by the sources; vulture looks no further than that list."""

import ast
from collections.abc import Iterator
from pathlib import Path

import astrodriz_core
from astrodriz_io.cli import COMMANDS

SOURCES = Path(astrodriz_core.__file__).parents[1]

OFFERED = {
    "astrodriz_core.instruments.dq.DQ_FLAGS": "docs/inside.md offers it",
    "astrodriz_core.instruments.dq.explain_dq": "docs/inside.md offers it",
    "astrodriz_core.solutions.wcsnames.rank_preferred": "docs/inside.md offers it",
    "astrodriz_io.align.apriori.propose_apriori": "a plan that nothing is written of, for runs that only plan",
    "astrodriz_io.cli.astrodriz": "main.py takes it by its name",
    "astrodriz_io.cli.runastrodriz": "main.py takes it by its name",
    "astrodriz_io.main.astrodriz": "pyproject.toml makes the command of it",
    "astrodriz_io.main.runastrodriz": "pyproject.toml makes the command of it",
    "astrodriz_io.runtime.worker.serve": "workers.py starts processes that do nothing else",
    "astrodriz_io.pipeline.process": "programs written for drizzlepac import it from there",
    "astrodriz_io.wcs.headers.restore_wcs": "benchmarks start from the WCS that it brings back",
}
"""What the sources do not use themselves, and who does."""


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(SOURCES).with_suffix("").parts)


def offered(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            yield from ast.literal_eval(node.value)


def used(module: str, tree: ast.Module) -> Iterator[str]:
    """Names with their modules that this one imports, and its own that it reads."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield f"{module}.{node.id}"


def unused(sources: dict[str, str]) -> set[str]:
    trees = {module: ast.parse(source) for module, source in sources.items()}
    reached = {name for module, tree in trees.items() for name in used(module, tree)}
    return {f"{module}.{name}" for module in trees for name in offered(trees[module])} - reached


def test_every_name_that_a_module_offers_is_used_or_somebody_is_named_who_does():
    modules = {dotted(path): path.read_text(encoding="utf-8") for path in SOURCES.glob("astrodriz*/**/*.py")}
    assert len(modules) > 200
    # What a package passes on, the facade, and what is for tests, is for others; cli.py takes commands by their names.
    outside = ("astrodriz.", "astrodriz_core.testing.", "astrodriz_io.commands.")
    inside = {name for name in unused(modules) if not name.startswith(outside) and "__init__" not in name}
    # What cli.py takes by its name from each module of a command.
    commands = {
        f"astrodriz_io.commands.{name}.{part}"
        for name in COMMANDS
        for part in ("add_arguments", "act", "NEEDS", "EXAMPLES", "HAS_RESULT", "VERBOSE")
    }
    assert inside - set(OFFERED) - commands == set()


def test_a_name_that_only_its_list_has_is_found():
    sources = {"one": '__all__ = ["f", "g", "h"]\ndef g(): ...\ndef f(): g()', "two": "from one import f"}
    assert unused(sources) == {"one.h"}
