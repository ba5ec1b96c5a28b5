"""``astrodriz diff``: what changed between two runs."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from astrodriz_core.tell.diff import Change, describe_changes, diff, difference_sentence
from astrodriz_io.commands.answer import Answer
from astrodriz_io.commands.common_options import Examples
from astrodriz_io.record_files.record import read_record
from astrodriz_io.runtime.progress import ProgressReporter
from astrodriz_io.terminal.exit_codes import EXIT_DIFFERENT, EXIT_DONE

__all__ = ["EXAMPLES", "act", "add_arguments"]


EXAMPLES: Examples = (
    ("astrodriz diff old/ie6d07030_decisions.json new/ie6d07030_decisions.json", "by topic, twenty lines each"),
    ("astrodriz diff --all old/ie6d07030_decisions.json new/ie6d07030_decisions.json", "every change"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``astrodriz diff`` to its parser."""
    parser.add_argument("first", type=Path, help="<root>_decisions.json of one run")
    parser.add_argument("second", type=Path, help="that of another run")
    parser.add_argument("--all", dest="everything", action="store_true", help="list every change, however many")


def act(arguments: argparse.Namespace, _: ProgressReporter) -> Answer:
    """Compare two records; the exit code tells whether anything changed. Errors are those of `read_record`."""
    first, second = read_record(arguments.first), read_record(arguments.second)
    changes = diff(first, second)
    lines = (*describe_changes(changes, everything=arguments.everything), difference_sentence(first, second, changes))
    code = EXIT_DIFFERENT if changes else EXIT_DONE
    return Answer(lines, code, result=lambda: {"different": bool(changes), "changes": [*map(_tree, changes)]})


def _tree(change: Change) -> Mapping[str, str]:
    return {"topic": change.topic.value, "place": change.place, "before": change.before, "after": change.after}
