"""``astrodriz explain``: why the WCS of a run won."""

from __future__ import annotations

import argparse
from pathlib import Path

from astrodriz_core.tell.explain import explain
from astrodriz_io.commands.answer import Answer
from astrodriz_io.commands.common_options import Examples
from astrodriz_io.commands.run_result import run_result
from astrodriz_io.record_files.record import read_record
from astrodriz_io.runtime.progress import ProgressReporter

__all__ = ["EXAMPLES", "act", "add_arguments"]


EXAMPLES: Examples = (
    ("astrodriz explain ie6d07030_decisions.json", "what was tried, measured, and chosen"),
    ("astrodriz explain -q ie6d07030_decisions.json", "the verdict alone, in one line"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the argument of ``astrodriz explain`` to its parser."""
    parser.add_argument("record", type=Path, help="<root>_decisions.json")


def act(arguments: argparse.Namespace, _: ProgressReporter) -> Answer:
    """Explain a record; errors as for `astrodriz_io.record_files.record.read_record`."""
    record = read_record(arguments.record)
    lines = explain(record)
    return Answer(lines, result=lambda: {**run_result(record), "explanation": list(lines)})
