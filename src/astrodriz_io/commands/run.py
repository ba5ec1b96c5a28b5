"""``runastrodriz`` and ``astrodriz run``: one association or single exposure through all stages."""

from __future__ import annotations

import argparse
import os
import textwrap
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from attrs import evolve

from astrodriz_core.records.run import RunRecord
from astrodriz_core.tell.explain import explain
from astrodriz_io.commands.answer import Answer
from astrodriz_io.commands.common_options import Examples
from astrodriz_io.commands.run_result import record_result, run_result
from astrodriz_io.commands.setting_arguments import add_setting_arguments, settings_from_arguments
from astrodriz_io.record_files.trailer import summary
from astrodriz_io.run.settings import settings_from_environment
from astrodriz_io.runtime.progress import ProgressReporter

__all__ = ["EXAMPLES", "NEEDS", "VERBOSE", "act", "add_arguments", "describe_plan", "describe_run", "execute_run"]

VERBOSE = ("--verbose",)
"""The flag -v is that of the guiding check."""

NEEDS = ("astrodriz_io.run.pipeline",)
"""Loaded when the command line has been understood, which then takes no second."""


EXAMPLES: Examples = (
    ("runastrodriz ie6d07030_asn.fits", "all stages, from the exposures to products, headerlets and report"),
    ("runastrodriz -g -n 4 j8bt06nyq_flc.fits", "one exposure, without a fit to Gaia, on four cores"),
    (
        "runastrodriz --plan -p final_pixfrac=0.8 ie6d07030_asn.fits",
        "what another drizzle parameter would do",
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the documented flags of runastrodriz, and the options that astrodriz has beside them."""
    parser.add_argument("input", type=Path, help="<root>_asn.fits, <root>_raw.fits, or a _flt.fits or _flc.fits")
    add_setting_arguments(parser)
    parser.add_argument("--plan", action="store_true", help="say what would be done; write nothing")


def execute_run(
    arguments: argparse.Namespace, progress: ProgressReporter, environment: Mapping[str, str] | None = None
) -> RunRecord:
    """Run what the command line asks for, or only plan it; errors as for `astrodriz_io.run.pipeline.process`."""
    from astrodriz_io.run.pipeline import run_association
    from astrodriz_io.run.plan import plan_association

    settings, notes = settings_from_environment(
        settings_from_arguments(arguments), os.environ if environment is None else environment
    )
    run = plan_association if arguments.plan else run_association
    return run(arguments.input, settings, progress, notes)


def describe_run(record: RunRecord) -> tuple[str, ...]:
    """Lines for the user: the WCS of each exposure, why, the verdicts, the products."""
    return summary(record)


def describe_plan(record: RunRecord) -> tuple[str, ...]:
    """Lines for the user: the files that a run would leave, what it would decide, and why."""
    files = textwrap.wrap(", ".join(record.files), 100, break_long_words=False, break_on_hyphens=False)
    return (
        "A plan; nothing was written. A run with the same settings would leave these files:",
        *(f"  {line}" for line in files),
        "and decide this:",
        "",
        # None of the files is there to look into.
        *explain(evolve(record, files=())),
    )


def act(arguments: argparse.Namespace, progress: ProgressReporter) -> Answer:
    """Run, and say which WCS won and what was made; or say what a run would do."""
    record = execute_run(arguments, progress)
    if arguments.plan:
        return Answer(describe_plan(record), result=partial(record_result, record))
    return Answer(describe_run(record), result=partial(run_result, record))
