"""``astrodriz info``: what an input is and has, and what a run would do with it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import asdict

from astrodriz_core.sentences import counted, some_of
from astrodriz_io.commands.answer import Answer
from astrodriz_io.commands.common_options import Examples
from astrodriz_io.commands.setting_arguments import add_setting_arguments, settings_from_arguments
from astrodriz_io.run.settings import settings_from_environment
from astrodriz_io.runtime.progress import ProgressReporter

if TYPE_CHECKING:
    from astrodriz_io.run.info import ExposureInfo, InputInfo, SolutionInfo

__all__ = ["EXAMPLES", "NEEDS", "act", "add_arguments", "describe_info"]

NEEDS = ("astrodriz_io.run.info",)
"""Loaded when the command line has been understood, which then takes no second."""

EXAMPLES: Examples = (
    ("astrodriz info ie6d07030_asn.fits", "exposures, solutions, reference files, and what a run would take"),
    ("astrodriz info --catalog gaia.ecsv -g --json ie6d07030_asn.fits", "with options of a run, for a program"),
)

MINUTE = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``astrodriz info`` to its parser: those of a run that change what it would do."""
    parser.add_argument("input", type=Path, help="<root>_asn.fits, <root>_raw.fits, or a _flt.fits or _flc.fits")
    names = ("force", "in_memory", "headerlets", "num_cores", "compute_aposteriori", "catalog", "headerlet_folder")
    add_setting_arguments(parser, *names, "parameter_file", "parameter_overrides")


def describe_info(found: InputInfo) -> Iterator[str]:
    """Lines for the user."""
    detector = " ".join(word for word in (found.detector, found.filters) if word)
    yield f"{found.input}: {found.kind}, product {found.product}, {detector}"
    for exposure in found.exposures:
        yield from _exposure(exposure)
    if found.companions:
        yield f"Beside them {counted(found.companions, 'FLT file', 'FLT files')}, which get the WCS of the FLC files."
    yield f"Drizzle parameters: {found.parameters}"
    yield from (f"Warning: {warning}" for warning in found.warnings)
    yield "A run would do:"
    yield from (f"  {stage}" for stage in found.stages)
    yield last_line(found)


def _exposure(exposure: ExposureInfo) -> Iterator[str]:
    yield f"  {exposure.file}  {exposure.target}  {exposure.start or 'no start'}  {exposure.exptime:.1f} s"
    yield from (f"    {remark}" for remark in exposure.remarks)
    yield from (
        f"    {each.place:<12} {each.wcsname or '-':<34} {each.kind}{_fit(each)}" for each in exposure.solutions
    )
    for reference in exposure.references:
        yield f"    {reference.keyword:<12} {reference.name:<34} {reference.problem or 'found'}"


def _fit(solution: SolutionInfo) -> str:
    matches = "" if solution.matches is None else f", {counted(solution.matches, 'match', 'matches')}"
    return "" if solution.rms_mas is None else f"{matches}, {solution.rms_mas:.1f} mas rms"


def last_line(found: InputInfo) -> str:
    """What it is, what is missing, and what a run would take, in a line."""
    seconds = sum(exposure.exptime for exposure in found.exposures)
    number = counted(len(found.exposures), "exposure", "exposures")
    missing = f"missing are {some_of(found.missing)}" if found.missing else "all reference files are found"
    cost = f"about {_duration(found.estimate.cpu_seconds)} of one core and {found.estimate.memory_bytes / 1e9:.1f} GB"
    return f"{number}, {seconds:.1f} s; {missing}; by estimate a run takes {cost} of memory. Nothing was changed."


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 2 * MINUTE else f"{seconds / MINUTE:.0f} minutes"


def _result(found: InputInfo) -> Mapping[str, Any]:
    return {**asdict(found), "missing": list(found.missing)}


def act(arguments: argparse.Namespace, _: ProgressReporter) -> Answer:
    """Look at the input, and say what is there and what a run would take."""
    from astrodriz_io.run.info import info

    settings, _notes = settings_from_environment(settings_from_arguments(arguments), os.environ)
    found = info(arguments.input, settings)
    return Answer(describe_info(found), result=lambda: _result(found))
