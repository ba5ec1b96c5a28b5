"""``astrodriz schema``: the JSON schema of the record, as ``docs/decisions.schema.json`` has it."""

from __future__ import annotations

import argparse
import json

from astrodriz_io.commands.answer import Answer
from astrodriz_io.commands.common_options import Examples
from astrodriz_io.record_files.schema import record_schema
from astrodriz_io.runtime.progress import ProgressReporter

__all__ = ["EXAMPLES", "HAS_RESULT", "act", "add_arguments"]


HAS_RESULT = False
"""What it prints is for programs already."""

EXAMPLES: Examples = (
    ("astrodriz schema > decisions.schema.json", "keep it for a program that reads records"),
    ("astrodriz schema", "print it"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are none."""


def act(arguments: argparse.Namespace, progress: ProgressReporter) -> Answer:
    """Print the JSON text of the schema."""
    return Answer(json.dumps(record_schema(), indent=1, ensure_ascii=False).splitlines())
