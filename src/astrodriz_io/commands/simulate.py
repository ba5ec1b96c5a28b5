"""``astrodriz simulate``: an association with a known truth, for demonstrations and tests."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from astrodriz_core.errors import UsageError
from astrodriz_io.commands.answer import Answer
from astrodriz_io.commands.common_options import Examples
from astrodriz_io.runtime.progress import ProgressReporter
from astrodriz_io.simulate import (
    FieldKind,
    SimulatedAssociation,
    SimulationSpec,
    WcsScore,
    detector_names,
    simulate_association,
)

__all__ = [
    "EXAMPLES",
    "act",
    "add_arguments",
    "association_result",
    "describe_association",
    "describe_score",
    "execute_simulate",
    "spec_from_arguments",
]


EXAMPLES: Examples = (
    ("astrodriz simulate sim --detector ACS/WFC --size 512", "four small ACS exposures"),
    ("astrodriz simulate sim --exposures 6 --misalign 2:1.5", "six exposures, the third of them 1.5 pixels off"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``astrodriz simulate`` to its parser."""
    text = {field: _default(field) for field in ("exposures", "seed", "pointing_arcsec", "roll_deg")}
    parser.add_argument("folder", metavar="OUTDIR", type=Path, help="folder that receives the files")
    parser.add_argument("--detector", default="WFC3/IR", help=f"one of {', '.join(detector_names())}")
    parser.add_argument("--filter", help="filter (default: the detector's usual one)")
    parser.add_argument("--exposures", type=int, help=f"number of exposures (default {text['exposures']})")
    parser.add_argument("--seed", type=int, help=f"seed of everything random (default {text['seed']})")
    parser.add_argument("--exptime", type=float, metavar="SECONDS", help="exposure time")
    kinds = [kind.value for kind in FieldKind]
    parser.add_argument("--field", choices=kinds, help="what the sky holds (default sparse)")
    parser.add_argument("--stars", type=int, metavar="N", help="number of stars (default: density of the field)")
    parser.add_argument("--galaxies", type=int, metavar="N", help="number of galaxies (default: the same)")
    parser.add_argument("--size", type=int, metavar="PIXELS", help="simulate only a cut of each chip")
    parser.add_argument("--subarray", action="store_true", help="the cut is a subarray: one chip, LTV1 and LTV2")
    parser.add_argument("--singleton", action="store_true", help="one exposure without an association table")
    _add_error_arguments(parser, text)


def _add_error_arguments(parser: argparse.ArgumentParser, text: dict[str, object]) -> None:
    """Add the options that make the headers wrong."""
    errors = parser.add_argument_group("errors of the headers")
    errors.add_argument(
        "--pointing", type=float, metavar="ARCSEC", help=f"common error (default {text['pointing_arcsec']})"
    )
    errors.add_argument("--roll", type=float, metavar="DEG", help=f"common error (default {text['roll_deg']})")
    errors.add_argument("--jitter", type=float, metavar="PIXELS", help="scatter of the exposures, rms on each axis")
    errors.add_argument(
        "--misalign",
        action="append",
        default=[],
        metavar="I:PIXELS",
        help="move exposure I (from 0); repeatable",
    )
    errors.add_argument(
        "--blur", action="append", default=[], metavar="I:PIXELS", help="blur exposure I (from 0); repeatable"
    )


def _default(field: str) -> object:
    """Default of a field of the spec."""
    return getattr(SimulationSpec(), field)


def execute_simulate(arguments: argparse.Namespace) -> SimulatedAssociation:
    """Simulate what the command line asks for, and return where it lies.

    Raises
    ------
    UsageError
        An option has a value that makes no sense.
    StorageError
        The folder cannot be written to.
    """
    return simulate_association(arguments.folder.absolute(), spec_from_arguments(arguments))


OPTIONS: dict[str, str] = {
    "detector": "detector",
    "filter": "filter",
    "exposures": "exposures",
    "seed": "seed",
    "exptime": "exptime",
    "stars": "stars",
    "galaxies": "galaxies",
    "size": "size",
    "pointing": "pointing_arcsec",
    "roll": "roll_deg",
    "jitter": "jitter_pix",
}
"""Options that go to a field of the spec as they are; those not given leave its default."""


def spec_from_arguments(arguments: argparse.Namespace) -> SimulationSpec:
    """Return the spec that the command line asks for; errors as for `execute_simulate`."""
    given = {field: getattr(arguments, option) for option, field in OPTIONS.items()}
    values = {field: value for field, value in given.items() if value is not None}
    if arguments.singleton:
        values.setdefault("exposures", 1)
    return SimulationSpec(
        **values,
        sky=FieldKind(arguments.field or FieldKind.SPARSE.value),
        subarray=arguments.subarray,
        singleton=arguments.singleton,
        misalign=tuple(_index_and_pixels("--misalign", text) for text in arguments.misalign),
        blur=tuple(_index_and_pixels("--blur", text) for text in arguments.blur),
    )


def _index_and_pixels(option: str, text: str) -> tuple[int, float]:
    """Read ``I:PIXELS``."""
    index, _, pixels = text.partition(":")
    try:
        return int(index), float(pixels)
    except ValueError as failure:
        remedy = f"Write it as in {option} 1:0.5 (the second exposure, half a pixel)."
        raise UsageError(f"{option} {text!r} is not INDEX:PIXELS.", remedy=remedy) from failure


def describe_association(association: SimulatedAssociation) -> tuple[str, ...]:
    """Return lines for the user: what was written, and how to process it."""
    settings = " ".join(f"{name}={folder}" for name, folder in association.environment.items())
    return (
        f"{len(association.rootnames)} exposures in {association.folder}: {', '.join(association.rootnames)}",
        f"reference files: export {settings}",
        f"reference catalogue: {association.catalogue}",
        f"a priori solutions: {association.headerlets}",
        f"truth, for scoring only: {association.truth}, {association.sources}",
        f"process with: runastrodriz {association.input}",
    )


def describe_score(score: WcsScore) -> tuple[str, ...]:
    """Return lines for the user: how far each exposure, and all of them, are from the truth."""
    exposures = (
        f"{exposure.rootname}  {exposure.wcsname:<40s} "
        f"east {exposure.east_mas:+9.2f} mas  north {exposure.north_mas:+9.2f} mas"
        for exposure in score.exposures
    )
    absolute, relative = score.absolute_rms_mas, score.relative_rms_mas
    return (*exposures, f"absolute {absolute:.2f} mas rms, between exposures {relative:.3f} mas rms")


def act(arguments: argparse.Namespace, _: ProgressReporter) -> Answer:
    """Simulate, and say where it lies."""
    association = execute_simulate(arguments)
    return Answer(describe_association(association), result=partial(association_result, association))


def association_result(association: SimulatedAssociation) -> Mapping[str, Any]:
    """Where the files are, for programs."""
    return {
        "input": str(association.input),
        "rootnames": list(association.rootnames),
        "environment": {name: str(folder) for name, folder in association.environment.items()},
        "catalog": str(association.catalogue),
        "headerlets": str(association.headerlets),
        "truth": str(association.truth),
    }
