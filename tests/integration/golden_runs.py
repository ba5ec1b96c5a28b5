"""Real runs of every outcome, and the records that they left: what tests of reports, trailers and words begin with.

``python tests/integration/golden_runs.py [NAME ...]`` makes them again, after a change of what a run decides.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.table import Table
from attrs import field, frozen
from whole_runs import run

from astrodriz import RunRecord, SimulatedAssociation, SimulationSpec, read_record, simulate_association
from astrodriz_io.simulate import FieldKind

FOLDER = Path(__file__).parent / "records" / "golden"


@frozen
class GoldenRun:
    """One run: what is simulated, what is done to its files, and how it is called."""

    spec: SimulationSpec
    spoil: Callable[[SimulatedAssociation], None] = lambda association: None
    options: Mapping[str, Any] = field(factory=dict)


def misplace_a_solution(association: SimulatedAssociation) -> None:
    """Move every a priori solution of the second exposure 0.3 arcsec north."""
    for path in association.headerlets.glob(f"{association.rootnames[1]}_*_hlet.fits"):
        with fits.open(path, mode="update") as hdus:
            for hdu in hdus:
                if "CRVAL2" in hdu.header:
                    hdu.header["CRVAL2"] += 0.3 / 3600.0


def scatter_the_catalogue(association: SimulatedAssociation) -> None:
    """Put catalogue sources at random in the place of the true ones."""
    table = Table.read(association.catalogue)
    random = np.random.default_rng(5)
    for name in ("ra", "dec"):
        low, high = table[name].min(), table[name].max()
        table[name] = random.uniform(low, high, len(table))
    table.write(association.catalogue, overwrite=True)


def switch_off(association: SimulatedAssociation) -> None:
    """Say DRIZCORR = OMIT in every file that has it."""
    for path in (*association.raw, *association.flt):
        fits.setval(path, "DRIZCORR", value="OMIT")


def close_the_shutter(association: SimulatedAssociation) -> None:
    """Say that the third exposure has no exposure time."""
    fits.setval(association.flt[2], "EXPTIME", value=0.0)


def trail(association: SimulatedAssociation) -> None:
    """Smear the third exposure by eight pixels."""
    with fits.open(association.flt[2], mode="update") as hdus:
        image = hdus["SCI"].data
        hdus["SCI"].data = np.mean([np.roll(image, step, axis=1) for step in range(8)], axis=0).astype(image.dtype)


def add_hot_pixels(exposures: Iterable[Path]) -> None:
    """Give exposures of 256 x 256 pixels the same 160 hot pixels, of which no flag tells."""
    random = np.random.default_rng(5)
    places, values = random.uniform(10, 246, (160, 2)), 10 ** random.uniform(1, 2, 160)
    y, x = np.mgrid[:256, :256]
    spots = sum(v * np.exp(-((x - p) ** 2 + (y - q) ** 2) / 0.32) for (p, q), v in zip(places, values, strict=True))
    for path in exposures:
        with fits.open(path, mode="update") as hdus:
            hdus["SCI"].data += spots.astype(np.float32)


IR = SimulationSpec(detector="WFC3/IR", size=256)

GOLDEN_RUNS: Mapping[str, GoldenRun] = {
    "aligned": GoldenRun(IR),
    "aligned-acs": GoldenRun(SimulationSpec(detector="ACS/WFC", size=256, sky=FieldKind.CROWDED, exposures=3)),
    "mended": GoldenRun(SimulationSpec(detector="WFC3/IR", size=256, misalign=((2, 2.0),))),
    "misaligned": GoldenRun(
        SimulationSpec(detector="WFC3/IR", size=256, misalign=((2, 2.0),)),
        options={"align_to_gaia": False, "headerlet_folder": None},
    ),
    "apriori-reverted": GoldenRun(IR, misplace_a_solution, {"align_to_gaia": False}),
    "aposteriori-reverted": GoldenRun(
        SimulationSpec(detector="WFC3/IR", size=256, sky=FieldKind.CROWDED, stars=80),
        lambda association: add_hot_pixels(association.flt),
        {"headerlet_folder": None, "parameter_overrides": {"driz_cr": "no"}},
    ),
    "no-service": GoldenRun(IR, options={"catalog": None, "headerlet_folder": None}),
    "no-fit": GoldenRun(IR, scatter_the_catalogue),
    "single": GoldenRun(SimulationSpec(detector="WFC3/IR", size=256, exposures=1, singleton=True)),
    "omitted": GoldenRun(IR, switch_off),
    "trailed": GoldenRun(IR, trail, {"do_verify_guiding": True}),
    "excluded": GoldenRun(IR, close_the_shutter),
    "undetermined": GoldenRun(
        SimulationSpec(detector="WFC3/IR", size=256, sky=FieldKind.FAINT, exposures=2, stars=3, galaxies=2)
    ),
}


@cache
def golden_record(name: str) -> RunRecord:
    """The record that a run left."""
    return read_record(FOLDER / f"{name}.json")


def make(name: str) -> None:
    """Run a case, and keep its record."""
    case = GOLDEN_RUNS[name]
    with TemporaryDirectory() as scratch:
        association = simulate_association(Path(scratch) / "sky", case.spec)
        case.spoil(association)
        record = run(association, Path(scratch) / "run", **case.options)
        FOLDER.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(scratch) / "run" / f"{record.root}_decisions.json", FOLDER / f"{name}.json")


if __name__ == "__main__":
    for chosen in sys.argv[1:] or GOLDEN_RUNS:
        make(chosen)
