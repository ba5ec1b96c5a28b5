"""``astrodriz demo``: a simulated association with a misplaced pointing, processed, and scored against the truth."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from attrs import asdict, frozen

from astrodriz_core.records.run import RunRecord
from astrodriz_io.commands.answer import Answer
from astrodriz_io.commands.common_options import Examples
from astrodriz_io.commands.run import describe_run
from astrodriz_io.commands.run_result import run_result
from astrodriz_io.commands.simulate import describe_association, describe_score
from astrodriz_io.commands.story import story_section
from astrodriz_io.report.page import write_report
from astrodriz_io.report.stored_product import read_stored_product
from astrodriz_io.run.pipeline import process
from astrodriz_io.runtime.progress import ProgressReporter
from astrodriz_io.simulate import SimulatedAssociation, SimulationSpec, WcsScore, score_wcs, simulate_association
from astrodriz_io.storage.names import ENDINGS
from astrodriz_io.storage.places import place
from astrodriz_io.storage.replacing import replacing

__all__ = ["EXAMPLES", "act", "add_arguments", "describe_demo", "execute_demo"]

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


@frozen
class Demonstration:
    """What was simulated, what the run made of it, and how far the WCS was off before and after."""

    association: SimulatedAssociation
    record: RunRecord
    before: WcsScore
    after: WcsScore

    @property
    def page(self) -> Path:
        """The report of the run."""
        return place(self.association.folder, f"{self.record.root}{ENDINGS['report']}")


def execute_demo(arguments: argparse.Namespace, progress: ProgressReporter) -> Demonstration:
    """Simulate, process and score; the report tells the story of the planted error."""
    progress.stage("Simulate four dithered exposures")
    spec = SimulationSpec(
        detector=arguments.detector,
        exposures=4,
        seed=arguments.seed,
        pointing_arcsec=POINTING_ARCSEC,
        roll_deg=ROLL_DEG,
    )
    association = simulate_association(arguments.folder.absolute(), spec)
    before = score_wcs(association.truth, association.folder)
    record = process(
        association.input,
        make_manifest=True,
        catalog=association.catalogue,
        headerlet_folder=association.headerlets,
        environment={name: str(folder) for name, folder in association.environment.items()},
        progress=progress,
    )
    done = Demonstration(association, record, before, score_wcs(association.truth, association.folder))
    product, _ = read_stored_product(record, association.folder)
    with replacing(done.page) as draft:
        write_report(record, product, draft, story_section(record, before, done.after))
    return done


def describe_demo(done: Demonstration) -> Iterator[str]:
    """Lines for the user; the last one names the report."""
    yield from describe_association(done.association)
    yield ""
    yield from describe_run(done.record)
    yield ""
    yield "Files:"
    yield from (f"  {place(done.association.folder, name)}" for name in done.record.files)
    yield ""
    yield "WCS against the truth before:"
    yield from (f"  {line}" for line in describe_score(done.before))
    yield "WCS against the truth after:"
    yield from (f"  {line}" for line in describe_score(done.after))
    yield ""
    yield (
        f"The headers pointed {done.before.absolute_rms_mas:.0f} mas beside the truth; "
        f"{done.after.absolute_rms_mas:.1f} mas are left. The report tells the story: {done.page}"
    )


def act(arguments: argparse.Namespace, progress: ProgressReporter) -> Answer:
    """Demonstrate, and say how far the WCS was off before and after."""
    done = execute_demo(arguments, progress)
    scores = {"before": asdict(done.before), "after": asdict(done.after)}
    return Answer(describe_demo(done), result=lambda: {**run_result(done.record), **scores, "page": str(done.page)})
