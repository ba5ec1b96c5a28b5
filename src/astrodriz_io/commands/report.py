"""``astrodriz report``: the report page of a run, made again from its record."""

from __future__ import annotations

import argparse
from pathlib import Path

from astrodriz_core.errors import UsageError
from astrodriz_core.tell.verdict import last_line
from astrodriz_io.commands.answer import Answer
from astrodriz_io.commands.common_options import Examples
from astrodriz_io.commands.run_result import run_result
from astrodriz_io.record_files.record import read_record
from astrodriz_io.report.page import write_report
from astrodriz_io.report.stored_product import read_stored_product
from astrodriz_io.runtime.progress import ProgressReporter
from astrodriz_io.storage.names import ENDINGS
from astrodriz_io.storage.places import place
from astrodriz_io.storage.replacing import replacing

__all__ = ["EXAMPLES", "act", "add_arguments", "execute_report"]


EXAMPLES: Examples = (
    (
        "astrodriz report ie6d07030_decisions.json -o page.html",
        "pictures come from the product beside the record",
    ),
    ("astrodriz report ie6d07030_decisions.json --overwrite", "replace the page that the run has left"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``astrodriz report`` to its parser."""
    parser.add_argument("record", type=Path, help="<root>_decisions.json; pictures come from the product beside it")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE",
                        help="the page (default: <root>_report.html beside the record)")  # fmt: skip
    parser.add_argument("--overwrite", action="store_true", help="replace a page that is there already")


def execute_report(arguments: argparse.Namespace) -> Answer:
    """Write the page that the command line asks for.

    Raises
    ------
    UsageError
        The page is there already, and the command line does not say that it may be replaced.
    StorageError
        The page cannot be written.
    AstrodrizError
        As for `astrodriz_io.record_files.record.read_record`.
    """
    record, folder = read_record(arguments.record), arguments.record.parent
    page: Path = arguments.output or place(folder, f"{record.root}{ENDINGS['report']}")
    there = page.exists()
    if there and not arguments.overwrite:
        remedy = "Give another one with -o, or say --overwrite to replace it."
        raise UsageError("There is a file of this name already.", where=page.name, remedy=remedy)
    product, problem = read_stored_product(record, folder)
    with replacing(page) as draft:
        write_report(record, product, draft)
    lines = (
        f"{'Replaced' if there else 'Wrote'} {page}.",
        *((f"It has no pictures of the product: {problem}.",) if problem else ()),
        last_line(record, page.name),
    )
    return Answer(lines, result=lambda: {**run_result(record), "page": str(page), "without_pictures": problem or None})


def act(arguments: argparse.Namespace, _: ProgressReporter) -> Answer:
    """Write the page, and tell the verdict that stands in it."""
    return execute_report(arguments)
