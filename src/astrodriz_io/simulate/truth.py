"""What no pipeline may read: the truth of a simulated association, as frozen records in ``truth.json``."""

from __future__ import annotations

import json
from pathlib import Path

import cattrs
import numpy as np
from astropy.table import Table
from attrs import frozen

from astrodriz_core.errors import InputError
from astrodriz_core.records.common import ChipWcs
from astrodriz_io.simulate.distorted_wcs import hst_wcs, put_linear_wcs
from astrodriz_io.simulate.pointing import PointedExposure
from astrodriz_io.simulate.psf import encircled_energy, psf_table
from astrodriz_io.simulate.sources import Galaxies, Stars
from astrodriz_io.simulate.spec import SimulationSpec

__all__ = [
    "AssociationTruth",
    "ChipTruth",
    "ExposureTruth",
    "association_truth",
    "chip_truth",
    "exposure_truth",
    "load_truth",
    "save_truth",
    "truth_table",
]

VERSION = 1
PHOTOMETRY_RADIUS_ARCSEC = 0.5
GRID_POINTS = 7
"""Points along each axis of the grid on which a WCS is scored."""
GRID_MARGIN = 0.05
"""Distance of its outermost points from the edge, as a part of the chip."""


@frozen
class ChipTruth:
    """The true WCS of one chip.

    Attributes
    ----------
    true, default : ChipWcs
        The truth, and what updatewcs makes of the header.
    pixels : tuple of tuple of float
        0-based (x, y) of a grid over the chip.
    true_sky, default_sky : tuple of tuple of float
        Right ascension and declination of the grid by both, with distortion, ICRS degrees.
    """

    true: ChipWcs
    default: ChipWcs
    pixels: tuple[tuple[float, float], ...]
    true_sky: tuple[tuple[float, float], ...]
    default_sky: tuple[tuple[float, float], ...]


@frozen
class ExposureTruth:
    """The truth of one exposure.

    Attributes
    ----------
    rootname : str
    error_arcsec : tuple of float
        Truth less header at the middle of the field, (east, north).
    roll_error_deg : float
        The true sky is turned by it, east of north.
    relative_error_pix : tuple of float
        The part of the shift that other exposures do not share, (east, north).
    blur_pix : float
    cosmic_ray_pixels : int
        Pixels in which a cosmic ray left charge, all chips together.
    chips : tuple of ChipTruth
        In the order of EXTVER.
    """

    rootname: str
    error_arcsec: tuple[float, float]
    roll_error_deg: float
    relative_error_pix: tuple[float, float]
    blur_pix: float
    cosmic_ray_pixels: int
    chips: tuple[ChipTruth, ...]


@frozen
class AssociationTruth:
    """The truth of an association.

    Attributes
    ----------
    version : int
    detector, filter, field : str
    seed : int
    pixel_arcsec : float
        Nominal pixel scale of the reference chip; fluxes of products in it, by `zero_point`.
    exptime : float
        Seconds.
    zero_point : float
        AB magnitude of one electron per second.
    encircled_energy : float
        Part of the light of a star within 0.5 arcsec of it in an exposure, on the reference chip.
    exposures : tuple of ExposureTruth
    """

    version: int
    detector: str
    filter: str
    field: str
    seed: int
    pixel_arcsec: float
    exptime: float
    zero_point: float
    encircled_energy: float
    exposures: tuple[ExposureTruth, ...]


def chip_truth(exposure: PointedExposure, index: int) -> ChipTruth:
    """Return the truth of a chip, by its place in the order of EXTVER."""
    default, true = exposure.default[index], exposure.true[index]
    wcs = hst_wcs(exposure.updated, default.extver)
    axes = [np.linspace(GRID_MARGIN, 1.0 - GRID_MARGIN, GRID_POINTS) * n for n in default.naxis]
    pixels = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
    default_sky = wcs.all_pix2world(pixels, 0)
    true_sky = put_linear_wcs(wcs, true).all_pix2world(pixels, 0)
    return ChipTruth(true, default, _pairs(pixels), _pairs(true_sky), _pairs(default_sky))


def _pairs(array: np.ndarray) -> tuple[tuple[float, float], ...]:
    """Array of shape (n, 2) as tuples."""
    return tuple((float(a), float(b)) for a, b in array)


def exposure_truth(exposure: PointedExposure, cosmic_ray_pixels: int) -> ExposureTruth:
    """Return the truth of an exposure."""
    error = exposure.error
    return ExposureTruth(
        rootname=exposure.when.rootname,
        error_arcsec=(error.east_arcsec, error.north_arcsec),
        roll_error_deg=error.roll_deg,
        relative_error_pix=error.relative_pix,
        blur_pix=exposure.blur_pix,
        cosmic_ray_pixels=cosmic_ray_pixels,
        chips=tuple(chip_truth(exposure, index) for index in range(len(exposure.default))),
    )


def association_truth(spec: SimulationSpec, exposures: tuple[ExposureTruth, ...]) -> AssociationTruth:
    """Return the truth of the association."""
    scale = spec.model.idctab.row(spec.reference_chip.number).scale
    filter_ = spec.filter_model
    core, _ = psf_table(filter_.pivot, filter_.width, scale, spec.model.electronics.diffusion)
    return AssociationTruth(
        version=VERSION,
        detector=spec.model.name,
        filter=spec.filter_name,
        field=spec.sky.value,
        seed=spec.seed,
        pixel_arcsec=scale,
        exptime=spec.exposure_time,
        zero_point=filter_.zero_point,
        encircled_energy=encircled_energy(core, PHOTOMETRY_RADIUS_ARCSEC / scale),
        exposures=exposures,
    )


def save_truth(path: Path, truth: AssociationTruth) -> None:
    """Write the truth as JSON."""
    path.write_text(json.dumps(cattrs.unstructure(truth), indent=1) + "\n", encoding="utf-8")


def load_truth(path: Path) -> AssociationTruth:
    """Read the truth that `save_truth` wrote.

    Raises
    ------
    InputError
        The file is missing, or not such a file.
    """
    try:
        return cattrs.structure(json.loads(path.read_text(encoding="utf-8")), AssociationTruth)
    except (OSError, ValueError, KeyError, TypeError, cattrs.BaseValidationError) as failure:
        problem = f"not the truth of a simulation ({type(failure).__name__})."
        raise InputError(
            problem, where=path.name, remedy="Give the truth.json that astrodriz simulate wrote."
        ) from failure


def truth_table(stars: Stars, galaxies: Galaxies) -> Table:
    """Return positions and magnitudes of all sources: columns kind, ra, dec, mag."""
    return Table(
        {
            "kind": ["star"] * len(stars.magnitude) + ["galaxy"] * len(galaxies.magnitude),
            "ra": np.concatenate([stars.sky[:, 0], galaxies.sky[:, 0]]),
            "dec": np.concatenate([stars.sky[:, 1], galaxies.sky[:, 1]]),
            "mag": np.concatenate([stars.magnitude, galaxies.magnitude]),
        }
    )
