"""``astrodriz explain``: why the WCS of a run won."""

from __future__ import annotations

import argparse
from pathlib import Path

from astrodriz_core.tell.explain import explain
from astrodriz_io.commands.answer import Answer
from astrodriz_io.record_files.record import read_record
from astrodriz_io.runtime.progress import ProgressReporter

__all__ = ["act", "add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the argument of ``astrodriz explain`` to its parser."""
    parser.add_argument("record", type=Path, help="<root>_decisions.json")


def act(arguments: argparse.Namespace, _: ProgressReporter) -> Answer:
    """Explain a record; errors as for `astrodriz_io.record_files.record.read_record`."""
    return Answer(explain(read_record(arguments.record)))
