"""``astrodriz diff``: what changed between two runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from astrodriz_core.tell.diff import describe_changes, diff
from astrodriz_io.commands.answer import Answer
from astrodriz_io.record_files.record import read_record
from astrodriz_io.runtime.progress import ProgressReporter
from astrodriz_io.terminal.exit_codes import EXIT_DIFFERENT, EXIT_DONE

__all__ = ["act", "add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``astrodriz diff`` to its parser."""
    parser.add_argument("first", type=Path, help="<root>_decisions.json of one run")
    parser.add_argument("second", type=Path, help="that of another run")
    parser.add_argument("--all", dest="everything", action="store_true", help="list every change, however many")


def act(arguments: argparse.Namespace, _: ProgressReporter) -> Answer:
    """Compare two records; the exit code tells whether anything changed. Errors are those of `read_record`."""
    changes = diff(read_record(arguments.first), read_record(arguments.second))
    lines = describe_changes(changes, everything=arguments.everything)
    return Answer(lines, EXIT_DIFFERENT if lines else EXIT_DONE)
