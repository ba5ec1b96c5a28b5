"""Measure the verification on association files that another program builds, with all that verify does to them.

    python benchmarks/verification_files.py BUILDER RECIPE STORE [--aligned 40] [--off 0.1:40 0.2:20] [--blurred 20]

BUILDER   a Python program, ``BUILDER RECIPE FOLDER --seed N --jitter PIXELS [--misalign INDEX:PIXELS]
          [--blur INDEX:PIXELS]``, that writes the exposures of an association with its table, the reference
          files in ``refs/jref`` and ``refs/iref``, and ``truth.json`` with the error of every exposure;
          or a folder that it has filled, of good exposures
STORE     the file that `verification_rates` reads; what it holds already is not measured again

The exposure that is off, or blurred, is another one in every association.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from astropy.io import fits
from attrs import evolve

from associations import Truth
from astrodriz import AlignmentMeasurements, Policy, drizzle_parameters
from astrodriz_core.records.drizzling import OutputFrame
from astrodriz_io.drizzling.combination import combine_exposures
from astrodriz_io.drizzling.resources import DrizzleResources
from astrodriz_io.drizzling.store import ImageStore
from astrodriz_io.inputs.exposures import read_exposure
from astrodriz_io.inputs.reference_folders import ReferenceFolders
from astrodriz_io.verifying.combination import verify_combination
from astrodriz_io.wcs.distortion import apply_distortion
from verification_cases import ALIGNED, BLURRED, Case, Outcome, Situation, append, read_store

#: Exposures of every association.
NUMBER = 4


def build(builder: Path, case: Case, folder: Path) -> None:
    """Have the files of a case written, or copy those that there are."""
    if builder.is_dir():
        left_out = shutil.ignore_patterns("headerlets", "*_raw.fits")
        shutil.copytree(builder, folder, ignore=left_out, dirs_exist_ok=True)
        return
    situation, index = case.situation, case.seed % NUMBER
    command = [sys.executable, builder, case.camera, folder, "--seed", case.seed, "--jitter", situation.jitter_pix]
    if situation.offset_pix:
        command += ["--misalign", f"{index}:{situation.offset_pix}"]
    if situation.blur_pix:
        command += ["--blur", f"{index}:{situation.blur_pix}"]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"The builder failed on {case.name}:\n{done.stderr[-2000:]}")


def measure_files(case: Case, folder: Path) -> Outcome:
    """Measure the association in a folder; its files are changed."""
    truth = json.loads((folder / "truth.json").read_text())
    names = [exposure["root"] for exposure in truth["exposures"]]
    ending = "flc" if (folder / f"{names[0]}_flc.fits").exists() else "flt"
    files = [folder / f"{name}_{ending}.fits" for name in names]
    references = ReferenceFolders(tuple((key, folder / "refs" / key) for key in ("iref", "jref")))
    start = time.process_time()
    apply_distortion(files, references)
    places = np.array([pointing(path) for path in files])
    parameters = drizzle_parameters([read_exposure(path) for path in files], references).parameters
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        combination = combine_exposures(
            tuple(files),
            evolve(parameters, final_wcs=False),
            DrizzleResources(ImageStore(Path(scratch))),
        )
        verification = verify_combination(combination, Policy.CALIBRATED)
        frame = combination.inputs.frame
        del combination
    if verification is None:
        raise SystemExit(f"Nothing to verify in {case.name}.")
    seconds = round(time.process_time() - start, 3)
    errors = dict(zip(names, header_errors(truth, places), strict=True))
    return Outcome(case, _truth(truth, errors, frame, verification.measurements), verification.measurements, seconds)


def pointing(path: Path) -> tuple[float, float]:
    """Right ascension and declination of the reference pixel of the first chip, degrees."""
    header = fits.getheader(path, ("SCI", 1))
    return header["CRVAL1"], header["CRVAL2"]


def header_errors(truth: dict, places: np.ndarray) -> np.ndarray:
    """What each WCS is off by at one place in the sky, true minus told, shape (n, 2), degrees to the east and north.

    Besides the scatter there is the error of the roll, which is the same for all; but each exposure turns about its
    own reference point, so that with the dither between two of them it becomes a displacement.
    """
    scatter = np.array([exposure["relative_error_pix"] for exposure in truth["exposures"]]) * truth["pixel_arcsec"]
    rolls = np.deg2rad([exposure["roll_error_deg"] for exposure in truth["exposures"]])
    dithers = (places - places[0]) * [np.cos(np.deg2rad(places[0, 1])), 1.0]
    return scatter / 3600 - rolls[:, None] * dithers[:, ::-1] * [1, -1]


def _truth(truth: dict, errors: dict[str, np.ndarray], frame: OutputFrame, measured: AlignmentMeasurements) -> Truth:
    """Offsets of the sources in the output frame; they lie where the header's error takes them, reversed."""
    told = {exposure["root"]: exposure for exposure in truth["exposures"]}
    ordered = [told[record.rootname] for record in measured.registration]
    sky = -np.array([errors[record.rootname] for record in measured.registration])
    offsets = sky @ np.linalg.inv(np.array(frame.cd)).T
    blurs = tuple(float(exposure["blur_pix"]) for exposure in ordered)
    return Truth(tuple((float(x), float(y)) for x, y in offsets), (0.0,) * len(ordered), blurs)


def outcomes(builder: Path, cases: list[Case], folder: Path | None) -> Iterator[Outcome]:
    """Build and measure one case after the other."""
    for case in cases:
        with tempfile.TemporaryDirectory(dir=folder) as name:
            build(builder, case, Path(name))
            yield measure_files(case, Path(name))


def main() -> None:
    """Measure what is asked for and is not yet in the store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("builder", type=Path)
    parser.add_argument("recipe")
    parser.add_argument("store", type=Path)
    parser.add_argument("--aligned", type=int, default=40)
    parser.add_argument("--off", nargs="*", default=["0.1:40", "0.2:20"], metavar="PIXELS:NUMBER")
    parser.add_argument("--blurred", type=int, default=20)
    parser.add_argument("--seed", type=int, default=100, help="of the first association of each kind")
    parser.add_argument("--folder", type=Path, help="where the files are built and removed again")
    options = parser.parse_args()
    wanted = {ALIGNED: options.aligned, BLURRED: options.blurred}
    for text in options.off:
        pixels, number = text.split(":")
        wanted[Situation(offset_pix=float(pixels))] = int(number)
    if options.builder.is_dir():
        wanted = {Situation(): 1}
    done = {outcome.case.name for outcome in read_store(options.store)}
    cases = [
        Case(options.recipe, "", NUMBER, situation, 0, options.seed + i)
        for situation, number in wanted.items()
        for i in range(number)
    ]
    waiting = [case for case in cases if case.name not in done]
    append(options.store, outcomes(options.builder.resolve(), waiting, options.folder))


if __name__ == "__main__":
    main()
