"""``astrodriz schema``: the JSON schema of the record, as ``docs/decisions.schema.json`` has it."""

from __future__ import annotations

import argparse
import json

from astrodriz_io.commands.answer import Answer
from astrodriz_io.record_files.schema import record_schema
from astrodriz_io.runtime.progress import ProgressReporter

__all__ = ["act", "add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are none."""


def act(arguments: argparse.Namespace, progress: ProgressReporter) -> Answer:
    """Print the JSON text of the schema."""
    return Answer(json.dumps(record_schema(), indent=1, ensure_ascii=False).splitlines())
