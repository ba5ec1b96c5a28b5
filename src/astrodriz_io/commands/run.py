"""``runastrodriz`` and ``astrodriz run``: one association or single exposure through all stages."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path

from astrodriz_core.records.run import RunRecord
from astrodriz_io.commands.answer import Answer
from astrodriz_io.commands.setting_arguments import add_setting_arguments, settings_from_arguments
from astrodriz_io.record_files.trailer import summary
from astrodriz_io.run.settings import settings_from_environment
from astrodriz_io.runtime.progress import ProgressReporter

__all__ = ["NEEDS", "act", "add_arguments", "describe_run", "execute_run"]

NEEDS = ("astrodriz_io.run.pipeline",)
"""Loaded when the command line has been understood, which then takes no second."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the documented flags of runastrodriz, and the options that astrodriz has beside them."""
    parser.add_argument("input", type=Path, help="<root>_asn.fits, <root>_raw.fits, or a _flt.fits or _flc.fits")
    add_setting_arguments(parser)


def execute_run(
    arguments: argparse.Namespace, progress: ProgressReporter, environment: Mapping[str, str] | None = None
) -> RunRecord:
    """Run what the command line asks for; errors as for `astrodriz_io.run.pipeline.process`."""
    from astrodriz_io.run.pipeline import run_association

    settings, notes = settings_from_environment(
        settings_from_arguments(arguments), os.environ if environment is None else environment
    )
    return run_association(arguments.input, settings, progress, notes)


def describe_run(record: RunRecord) -> tuple[str, ...]:
    """Lines for the user: the WCS of each exposure, why, the verdicts, the products."""
    return summary(record)


def act(arguments: argparse.Namespace, progress: ProgressReporter) -> Answer:
    """Run, and say which WCS won and what was made."""
    return Answer(describe_run(execute_run(arguments, progress)))
