"""``astrodriz parameters``: the drizzle parameters in force, as TOML that can be fed back."""

from __future__ import annotations

import argparse

from astrodriz_core.parameters.rules import pipeline_overrides
from astrodriz_io.commands.answer import Answer
from astrodriz_io.commands.common_options import Examples
from astrodriz_io.inputs.parameters import BundledSelection, bundled_parameters
from astrodriz_io.inputs.parameters_toml import parameters_to_toml
from astrodriz_io.runtime.progress import ProgressReporter

__all__ = ["EXAMPLES", "HAS_RESULT", "act", "add_arguments"]

SECONDS = 1.0
"""Exposure time; only the ratio of the longest to the shortest matters."""


HAS_RESULT = False
"""What it prints is for programs already."""

EXAMPLES: Examples = (
    ("astrodriz parameters --detector ACS/WFC --exposures 4", "the parameters for four ACS exposures"),
    ("astrodriz parameters --detector WFC3/UVIS --filter F225W", "those that depend on the filter too"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``astrodriz parameters`` to its parser."""
    parser.add_argument("--detector", default="WFC3/IR", help="detector (default %(default)s)")
    parser.add_argument("--exposures", type=int, default=4, help="number of exposures (default %(default)s)")
    parser.add_argument("--filter", default="", help="filter, where the parameters depend on it")


def act(arguments: argparse.Namespace, _: ProgressReporter) -> Answer:
    """Print the TOML file: what a run would take without an MDRIZTAB, a file and single parameters.

    Raises
    ------
    UsageError
        The detector has no bundled parameters; the message lists those that have.
    """
    filters = (arguments.filter,) if arguments.filter else ()
    selection = BundledSelection(arguments.detector, arguments.exposures, filters, None)
    bundled, row = bundled_parameters(selection)
    effective, changes = pipeline_overrides(bundled, (SECONDS,) * arguments.exposures)
    head = f"Bundled table, {row}, for exposures that are equally long, with the rules of the pipeline:"
    changed = (f"{change.name} = {change.value}: {change.reason}" for change in changes)
    return Answer(parameters_to_toml(effective, (head, *changed)).splitlines())
