"""Draw the rooms of the code into docs/architecture.md: ``python benchmarks/architecture_page.py``.

The order is that of the layers in pyproject.toml, which import-linter holds; the sentence is the first one of each
room's docstring; the arrows are the imports that there are. A test compares the page with the code.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"
PAGE = ROOT / "docs" / "architecture.md"
BLOCK = re.compile(r"(<!-- rooms of (\w+): begin -->\n).*?(<!-- rooms of \2: end -->)", re.DOTALL)


def drawn(text: str) -> str:
    """The page with its tables of rooms made from the code."""
    return BLOCK.sub(lambda match: f"{match[1]}{table(match[2])}\n{match[3]}", text)


def table(package: str) -> str:
    """The rooms of a package, from the upper ones to the lower ones."""
    rows = (f"| `{room}` | {sentence(package, room)} | {arrows(package, room)} |" for room in rooms(package))
    return "\n".join(("| room | what is in it | imports |", "|---|---|---|", *rows))


def rooms(package: str) -> list[str]:
    """Names of the rooms and loose modules of a package, in the order of its layers."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if package in contract.get("containers", ()))
    return [room.strip() for layer in layers for room in layer.split("|")]


def sentence(package: str, room: str) -> str:
    """The first sentence of a room's docstring, in one line."""
    doc = ast.get_docstring(ast.parse(_entrance(package, room).read_text("utf-8"))) or ""
    return doc.partition("\n\n")[0].replace("\n", " ").replace("``", "`")


def arrows(package: str, room: str) -> str:
    """The other rooms of the same package that a room imports."""
    found = set(_imported(package, room)) - {(package, room)}
    own = [f"`{name}`" for name in rooms(package) if (package, name) in found]
    return ", ".join(own) or "nothing"


def _imported(package: str, room: str) -> Iterator[tuple[str, str]]:
    folder = SOURCE / package / room
    for path in sorted(folder.rglob("*.py")) if folder.is_dir() else (folder.with_suffix(".py"),):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module is not None and node.module.startswith("astrodriz"):
                # ``from package import room`` as well as ``from package.room import name``.
                parts = [*node.module.split("."), node.names[0].name]
                yield parts[0], parts[1]


def _entrance(package: str, room: str) -> Path:
    folder = SOURCE / package / room
    return folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text("utf-8")), "utf-8")
