"""``astrodriz demo``: a simulated association with a misplaced pointing, processed, and scored against the truth."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from astrodriz_io.commands.answer import Answer
from astrodriz_io.commands.common_options import Examples
from astrodriz_io.commands.run import describe_run
from astrodriz_io.commands.simulate import describe_association, describe_score
from astrodriz_io.run.pipeline import process
from astrodriz_io.runtime.progress import ProgressReporter
from astrodriz_io.simulate import SimulationSpec, score_wcs, simulate_association
from astrodriz_io.storage.places import place

__all__ = ["EXAMPLES", "act", "add_arguments", "execute_demo"]

POINTING_ARCSEC = 0.35
"""Common error of the header WCS in the demonstration: a typical one before Gaia guide stars."""

ROLL_DEG = 0.004


EXAMPLES: Examples = (
    ("astrodriz demo out", "about half a minute"),
    ("astrodriz demo out --detector ACS/WFC --seed 3", "with two chips for each exposure"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``astrodriz demo`` to its parser."""
    parser.add_argument("folder", metavar="OUTDIR", type=Path, help="folder that receives everything")
    parser.add_argument("--detector", default="WFC3/IR", help="detector (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of everything random (default %(default)s)")


def execute_demo(arguments: argparse.Namespace, progress: ProgressReporter) -> Iterator[str]:
    """Simulate, process and score; yields the lines for the user as they become known."""
    progress.stage("Simulate four dithered exposures")
    spec = SimulationSpec(
        detector=arguments.detector,
        exposures=4,
        seed=arguments.seed,
        pointing_arcsec=POINTING_ARCSEC,
        roll_deg=ROLL_DEG,
    )
    association = simulate_association(arguments.folder.absolute(), spec)
    yield from describe_association(association)
    before = score_wcs(association.truth, association.folder)
    environment = {name: str(folder) for name, folder in association.environment.items()}
    record = process(
        association.input,
        make_manifest=True,
        catalog=association.catalogue,
        headerlet_folder=association.headerlets,
        environment=environment,
        progress=progress,
    )
    after = score_wcs(association.truth, association.folder)
    yield ""
    yield from describe_run(record)
    yield ""
    yield "Files:"
    yield from (f"  {place(association.folder, name)}" for name in record.files)
    yield ""
    yield "WCS against the truth before:"
    yield from (f"  {line}" for line in describe_score(before))
    yield "WCS against the truth after:"
    yield from (f"  {line}" for line in describe_score(after))


def act(arguments: argparse.Namespace, progress: ProgressReporter) -> Answer:
    """Demonstrate, and say how far the WCS was off before and after."""
    return Answer(tuple(execute_demo(arguments, progress)))
