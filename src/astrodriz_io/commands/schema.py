"""``astrodriz schema``: the JSON schema of the record, as ``docs/decisions.schema.json`` has it."""

from __future__ import annotations

import argparse
import json

from astrodriz_io.commands.answer import Answer
from astrodriz_io.record_files.schema import record_schema
from astrodriz_io.runtime.progress import ProgressReporter

__all__ = ["act", "add_arguments", "schema_lines"]


def schema_lines() -> tuple[str, ...]:
    """Lines of the schema's JSON text."""
    return tuple(json.dumps(record_schema(), indent=1, ensure_ascii=False).splitlines())


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are none."""


def act(arguments: argparse.Namespace, progress: ProgressReporter) -> Answer:
    """Print the schema."""
    return Answer(schema_lines())
