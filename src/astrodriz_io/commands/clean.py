"""``astrodriz clean``: what dead runs have left in a folder."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from astrodriz_core.errors import UsageError, printable
from astrodriz_io.commands.answer import Answer
from astrodriz_io.commands.common_options import Examples
from astrodriz_io.runtime.progress import ProgressReporter
from astrodriz_io.storage.cleaning import Leftover, LeftoverKind, find_leftovers, remove_leftovers

__all__ = ["EXAMPLES", "act", "add_arguments", "execute_clean"]


EXAMPLES: Examples = (
    ("astrodriz clean data", "list what is left; changes nothing"),
    ("astrodriz clean --remove data", "remove it"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``astrodriz clean`` to its parser."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="folder of the inputs, or a newpath")
    parser.add_argument("--remove", action="store_true", help="remove it (default: list it and change nothing)")


def execute_clean(arguments: argparse.Namespace, found: list[Leftover]) -> Iterator[str]:
    """Do what the command line asks for; gives the lines for the terminal as they come.

    Parameters
    ----------
    arguments : Namespace
        From the command line.
    found : list of Leftover
        Receives what is listed or removed.

    Raises
    ------
    UsageError
        There is no such folder.
    StorageError
        Something cannot be read or removed.
    """
    folder: Path = arguments.folder
    if not folder.is_dir():
        raise UsageError("There is no such folder.", where=folder.name, remedy="Give the folder of the inputs.")
    if arguments.remove:
        yield from _removed(folder, found)
    else:
        found += find_leftovers(folder)
        yield from _listed(folder, found)


def _listed(folder: Path, leftovers: Sequence[Leftover]) -> Iterator[str]:
    dead = [each for each in leftovers if each.holder is None]
    yield from (_line(each, "in use" if each.holder is not None else "") for each in leftovers)
    for holder in sorted({each.holder for each in leftovers if each.holder is not None}):
        yield f"In use by {holder}."
    if dead:
        yield f"Nothing has been changed. To remove what dead runs have left: astrodriz clean --remove {folder}"
    else:
        yield "Nothing is left of dead runs."


def _removed(folder: Path, found: list[Leftover]) -> Iterator[str]:
    for leftover, what in remove_leftovers(folder):
        found.append(leftover)
        yield _line(leftover, what)
    yield "Nothing is left of dead runs."


def _line(leftover: Leftover, what: str) -> str:
    size = "" if leftover.kind is LeftoverKind.LOCK else f", {leftover.size / 1e6:.1f} MB"
    return printable(f"{leftover.path.name}: {leftover.kind.value}{size}{f': {what}' if what else ''}")


def act(arguments: argparse.Namespace, _: ProgressReporter) -> Answer:
    """List or remove; each line comes when its leftover has been dealt with."""
    found: list[Leftover] = []
    lines = execute_clean(arguments, found)
    return Answer(lines, result=lambda: {"removed": arguments.remove, "leftovers": [*map(_tree, found)]})


def _tree(leftover: Leftover) -> Mapping[str, Any]:
    return {
        "name": printable(leftover.path.name),
        "kind": leftover.kind.value,
        "root": leftover.root,
        "bytes": leftover.size,
        "holder": leftover.holder,
    }
