"""A priori solutions, as the astrometry database serves them: headerlets, and which of them is best."""

from __future__ import annotations

import json
from pathlib import Path

from astropy.io import fits
from attrs import frozen
from stwcs.wcsutil import headerlet

from astrodriz_core.records.common import ChipWcs
from astrodriz_io.simulate.headers import WRITTEN, linear_wcs_cards
from astrodriz_io.simulate.pointing import PointedExposure, turned_chip
from astrodriz_io.simulate.spec import SimulationSpec
from astrodriz_io.simulate.sphere import sky_motion

__all__ = ["write_simulated_headerlets"]


@frozen
class Solution:
    """A kind of a priori solution: what it still gets wrong.

    Attributes
    ----------
    tag : str
        Ends its WCSNAME.
    residual_arcsec : tuple of float
        Error that remains, (east, north).
    corrects_roll : bool
    """

    tag: str
    residual_arcsec: tuple[float, float]
    corrects_roll: bool


AUTHOR = "astrodriz simulate"

SOLUTIONS: tuple[Solution, ...] = (
    Solution("GSC240", (0.040, -0.030), corrects_roll=False),
    Solution("HSC30", (0.012, -0.009), corrects_roll=True),
)
"""From the worst to the best; sizes are those of the archive's solutions."""


def write_simulated_headerlets(folder: Path, spec: SimulationSpec, exposures: tuple[PointedExposure, ...]) -> None:
    """Write the a priori headerlets of all exposures, and ``best.json`` with the name of the best of each.

    Parameters
    ----------
    folder : Path
        Existing folder; files are named ``<rootname>_<tag>_hlet.fits``.
    spec : SimulationSpec
    exposures : tuple of PointedExposure
    """
    for exposure in exposures:
        for solution in SOLUTIONS:
            path = folder / f"{exposure.when.rootname}_{solution.tag}_hlet.fits"
            _headerlet(spec, exposure, solution).writeto(path, overwrite=True)
    best = {exposure.when.rootname: _wcsname(exposure, SOLUTIONS[-1]) for exposure in exposures}
    (folder / "best.json").write_text(json.dumps(best, indent=1) + "\n", encoding="utf-8")


def _wcsname(exposure: PointedExposure, solution: Solution) -> str:
    """WCSNAME of a solution, on top of the distortion model of the exposure."""
    return f"{exposure.default[0].wcsname}-{solution.tag}"


def _headerlet(spec: SimulationSpec, exposure: PointedExposure, solution: Solution) -> headerlet.Headerlet:
    """Headerlet of an exposure with the WCS of a solution."""
    name = _wcsname(exposure, solution)
    copy = fits.HDUList([hdu.copy() for hdu in exposure.updated])
    for chip in _solved(spec, exposure, solution):
        header = copy["SCI", chip.extver].header
        header.update(linear_wcs_cards(chip))
        header["WCSNAME"] = name
    made: headerlet.Headerlet = headerlet.create_headerlet(
        copy,
        hdrname=f"{exposure.when.rootname}_{spec.model.flt_suffix}_{name}",
        wcsname=name,
        wcskey=" ",
        author=AUTHOR,
        descrip=f"a priori, {solution.tag}",
        logging=False,
    )
    made[0].header["DATE"] = WRITTEN
    return made


def _solved(spec: SimulationSpec, exposure: PointedExposure, solution: Solution) -> tuple[ChipWcs, ...]:
    """Return the chips' WCS by a solution: it corrects the common error, not each exposure's own."""
    common, wrong = exposure.error.common_arcsec, solution.residual_arcsec
    roll = exposure.error.roll_deg if solution.corrects_roll else 0.0
    motion = sky_motion(spec.target, (common[0] + wrong[0], common[1] + wrong[1]), roll)
    return tuple(turned_chip(chip, motion) for chip in exposure.default)
