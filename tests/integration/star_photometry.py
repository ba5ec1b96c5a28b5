"""Fluxes and positions of the simulated stars in a product, against the truth."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import Row, Table
from astropy.wcs import WCS
from attrs import frozen
from numpy.typing import NDArray
from photutils.aperture import CircularAperture, aperture_photometry
from photutils.centroids import centroid_com, centroid_sources
from scipy.ndimage import distance_transform_edt

from astrodriz import SimulatedAssociation
from astrodriz_io.simulate.detectors import detector_model
from astrodriz_io.simulate.psf import encircled_energy, psf_table
from astrodriz_io.simulate.truth import ChipTruth, load_truth

APERTURE_ARCSEC = 0.5
LEAST_APERTURE, LARGEST_APERTURE = 6.0, 12.0
"""Radius, and its limits in pixels of the product: large enough that their size does not matter, and no larger than
the stars are apart."""
SKY_PART = 0.2
"""The sky is measured in this part of the pixels, those that are farthest from every star."""
CENTROID_BOX = 9


@frozen(eq=False)
class StarComparison:
    """Stars of a product that lie wholly on it.

    Attributes
    ----------
    flux : ndarray, shape (n,)
        Measured flux over the true one in electrons/s.
    offset : ndarray, shape (n, 2)
        Measured less true position, pixels of the product.
    """

    flux: NDArray[np.float64]
    offset: NDArray[np.float64]


def compare_stars(product: Path, association: SimulatedAssociation) -> StarComparison:
    """Measure the stars of a product of exposures in whose headers the pointing is right."""
    stars = Table.read(association.sources)
    with fits.open(product) as hdus:
        image, weight, wcs = hdus["SCI"].data, hdus["WHT"].data, WCS(hdus["SCI"].header)
    xy = wcs.wcs_world2pix(np.column_stack([stars["ra"], stars["dec"]]), 0)
    side = 3600.0 * np.sqrt(np.abs(np.linalg.det(wcs.wcs.cd)))
    radius = float(np.clip(APERTURE_ARCSEC / side, LEAST_APERTURE, LARGEST_APERTURE))
    covered = weight > 0
    inside = distance_transform_edt(np.pad(_filled(covered), 1))[1:-1, 1:-1]
    whole = np.array([_at(inside, place) > radius + 1 for place in xy])
    image = np.where(covered, image, 0.0)
    distance = _distance(image.shape, xy)
    image = image - np.median(image[covered & (distance > np.quantile(distance[covered], 1.0 - SKY_PART))])
    apertures = CircularAperture(xy[whole], radius)
    flux = np.array(aperture_photometry(image, apertures)["aperture_sum"])
    centroids = np.stack(
        centroid_sources(image, *xy[whole].T, box_size=CENTROID_BOX, centroid_func=centroid_com), axis=-1
    )
    expected = _expected(association, stars[whole], radius * side)
    return StarComparison(flux / expected, centroids - xy[whole])


def _filled(covered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The covered region without the holes that single bad pixels leave."""
    rows = np.logical_or.accumulate(covered, 0) & np.logical_or.accumulate(covered[::-1], 0)[::-1]
    columns = np.logical_or.accumulate(covered, 1) & np.logical_or.accumulate(covered[:, ::-1], 1)[:, ::-1]
    return rows & columns


def _at(image: NDArray[np.float64], place: NDArray[np.float64]) -> float:
    x, y = np.rint(place).astype(int)
    return float(image[y, x]) if 0 <= y < image.shape[0] and 0 <= x < image.shape[1] else 0.0


def _distance(shape: tuple[int, int], xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of every pixel from the nearest star."""
    y, x = np.indices(shape)
    return np.min([np.hypot(x - star[0], y - star[1]) for star in xy], axis=0)


def _expected(association: SimulatedAssociation, stars: Table, radius_arcsec: float) -> NDArray[np.float64]:
    """Electrons/s of each star within the aperture, by the point spread function of the chip that sees it."""
    truth = load_truth(association.truth)
    model = detector_model(truth.detector)
    filter_ = model.filters[truth.filter]
    energies = []
    for star in (stars[index] for index in range(len(stars))):
        chip = min(truth.exposures[0].chips, key=partial(_off_chip, star=star))
        number = next(known.number for known in model.chips if known.extver == chip.true.extver)
        scale = model.idctab.row(number).scale
        core, _ = psf_table(filter_.pivot, filter_.width, scale, model.electronics.diffusion)
        chip_side = 3600.0 * np.sqrt(np.abs(np.linalg.det(chip.true.cd)))
        energies.append(encircled_energy(core, radius_arcsec / chip_side))
    return np.array(energies) * 10.0 ** (-0.4 * (np.array(stars["mag"]) - truth.zero_point))


def _off_chip(chip: ChipTruth, star: Row) -> float:
    """How far outside a chip a star lies, pixels; negative inside."""
    linear = WCS(naxis=2)
    linear.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    linear.wcs.crval, linear.wcs.crpix, linear.wcs.cd = chip.true.crval, chip.true.crpix, chip.true.cd
    place = linear.wcs_world2pix([[star["ra"], star["dec"]]], 0)[0]
    return float(np.max(np.abs(place - np.array(chip.true.naxis) / 2) - np.array(chip.true.naxis) / 2))
