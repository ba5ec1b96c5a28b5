"""How far the WCS that stands in exposures' headers is from the truth of a simulation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits
from attrs import frozen
from stwcs.wcsutil import HSTWCS

from astrodriz_core.arrays import Array
from astrodriz_core.errors import MissingFilesError
from astrodriz_core.units import MAS_PER_DEGREE
from astrodriz_io.simulate.truth import AssociationTruth, ChipTruth, ExposureTruth, load_truth

__all__ = ["ExposureScore", "WcsScore", "score_wcs"]

SUFFIXES = ("flc", "flt", "cal")
"""Files that may hold an exposure's WCS; the first that is there is scored."""


@frozen
class ExposureScore:
    """How far one exposure is from the truth.

    Attributes
    ----------
    rootname : str
    wcsname : str
        Name of the WCS; where updatewcs has not been run yet, the default that it will give.
    east_mas, north_mas : float
        Mean of header less truth over a grid on all chips.
    rms_mas : float
        Root mean square length of the same differences.
    """

    rootname: str
    wcsname: str
    east_mas: float
    north_mas: float
    rms_mas: float


@frozen
class WcsScore:
    """How far an association is from the truth.

    Attributes
    ----------
    exposures : tuple of ExposureScore
    absolute_rms_mas : float
        Root mean square of the differences from the truth.
    relative_rms_mas : float
        Root mean square of what remains when the mean of all exposures is taken away at each point of
        the grid: how far the exposures are from each other. 0 for a single exposure.
    """

    exposures: tuple[ExposureScore, ...]
    absolute_rms_mas: float
    relative_rms_mas: float


def score_wcs(truth_file: Path, folder: Path) -> WcsScore:
    """Compare the primary WCS of exposures with the truth.

    Parameters
    ----------
    truth_file : Path
        ``truth.json`` of the simulation.
    folder : Path
        Holds the exposures, FLC or else FLT; they may have been processed or not.

    Returns
    -------
    WcsScore

    Raises
    ------
    InputError
        `truth_file` is not the truth of a simulation.
    MissingFilesError
        An exposure is not in the folder.
    """
    truth = load_truth(truth_file)
    names_and_offsets = [_exposure_offsets(exposure, folder) for exposure in truth.exposures]
    return _score(truth, [name for name, _ in names_and_offsets], np.array([o for _, o in names_and_offsets]))


def _score(truth: AssociationTruth, names: list[str], offsets: Array) -> WcsScore:
    """Summarise offsets of shape (exposures, points, 2), mas."""
    exposures = tuple(
        ExposureScore(
            exposure.rootname,
            name,
            float(own[:, 0].mean()),
            float(own[:, 1].mean()),
            _rms(own),
        )
        for exposure, name, own in zip(truth.exposures, names, offsets, strict=True)
    )
    return WcsScore(exposures, _rms(offsets), _rms(offsets - offsets.mean(axis=0)))


def _rms(offsets: Array) -> float:
    """Root mean square length of vectors (..., 2)."""
    return float(np.sqrt((offsets**2).sum(axis=-1).mean()))


def _exposure_offsets(exposure: ExposureTruth, folder: Path) -> tuple[str, Array]:
    """WCSNAME, and header less truth for all points of all chips, mas, shape (points, 2)."""
    with fits.open(_file_of(exposure.rootname, folder)) as hdus:
        skies = [_header_sky(hdus, chip) for chip in exposure.chips]
        name = str(hdus["SCI", 1].header.get("WCSNAME", "")) or exposure.chips[0].default.wcsname
    offsets = [_offset_mas(sky, chip.true_sky) for sky, chip in zip(skies, exposure.chips, strict=True)]
    return name, np.vstack(offsets)


def _file_of(rootname: str, folder: Path) -> Path:
    """File of an exposure."""
    names = tuple(f"{rootname}_{suffix}.fits" for suffix in SUFFIXES)
    for name in names:
        if (folder / name).is_file():
            return folder / name
    problem = f"none of {', '.join(names)} is in the folder."
    raise MissingFilesError(problem, files=names, where=folder.name, remedy="Give the folder of the exposures.")


def _header_sky(hdus: fits.HDUList, chip: ChipTruth) -> Array:
    """Sky positions of the chip's grid by its header; by the default WCS where it has no distortion yet."""
    header = hdus["SCI", chip.true.extver].header
    header.remove("DATE-OBS", ignore_missing=True)  # of STIS; astropy would warn of a missing MJD-OBS
    if "A_ORDER" not in header:
        return np.array(chip.default_sky)
    sky: Array = HSTWCS(hdus, ext=("SCI", chip.true.extver)).all_pix2world(np.array(chip.pixels), 0)
    return sky


def _offset_mas(sky: Array, truth: tuple[tuple[float, float], ...]) -> Array:
    """Offsets east and north, mas."""
    true = np.array(truth)
    east = ((sky[:, 0] - true[:, 0] + 180.0) % 360.0 - 180.0) * np.cos(np.deg2rad(true[:, 1]))
    return np.stack([east, sky[:, 1] - true[:, 1]], axis=-1) * MAS_PER_DEGREE
