"""Painting the sky on a chip through its true WCS: expected electrons, before anything random."""

from __future__ import annotations

import numpy as np
from astropy.wcs import WCS
from attrs import field, frozen
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from astrodriz_core.arrays import Array, Float32Image
from astrodriz_core.measure.robust import FWHM_PER_SIGMA
from astrodriz_core.units import ARCSEC_PER_DEGREE
from astrodriz_io.simulate.psf import PsfTable, psf_table
from astrodriz_io.simulate.sources import Galaxies, Stars
from astrodriz_io.simulate.spec import SimulationSpec

__all__ = ["PixelGeometry", "expected_electrons", "pixel_geometry"]

MARGIN_PIX = 120
"""Sources so far outside a chip still put light on it."""
BRIGHT_ELECTRONS = 3e5
"""Stars above this are painted with their far wings."""
GALAXY_REACH = 6.0
"""Galaxies end at so many half-light radii, where less than 0.1 % of the light is beyond."""
MAX_GALAXY_HALF = 80
FINE_SAMPLES = 3.0
MAX_FINE_SAMPLES = 7
"""A scale length is sampled so often, and a pixel at most so often along each axis."""
EXPONENTIAL_HALF_LIGHT = 1.67835
"""Half-light radius of an exponential disk over its scale length."""
GAUSSIAN_CORE_FWHM = 1.02
"""Full width at half maximum of the telescope's core, in wavelength over aperture."""


@frozen(eq=False)
class PixelGeometry:
    """Where sources fall on a chip.

    Attributes
    ----------
    index : ndarray of int, shape (n,)
        Which of the sources come near the chip.
    xy : ndarray, shape (n, 2)
        Their 0-based pixel positions.
    jacobian : ndarray, shape (n, 2, 2)
        Arcsec east and north for one pixel along x and y: ``[:, 0, 1]`` is east for y.
    area : ndarray, shape (n,)
        Sky area of the pixel over that of the nominal scale.
    """

    index: NDArray[np.int64] = field(repr=False)
    xy: Array = field(repr=False)
    jacobian: Array = field(repr=False)
    area: Array = field(repr=False)


def pixel_geometry(wcs: WCS, sky_deg: Array, scale_arcsec: float) -> PixelGeometry:
    """Return position, local scale and area for the sources that come near a chip.

    Parameters
    ----------
    wcs : WCS
        With distortion, and `pixel_shape` set.
    sky_deg : ndarray, shape (n, 2)
    scale_arcsec : float
        Nominal pixel scale, which has the relative area 1.
    """
    index = _near(wcs.wcs_world2pix(sky_deg, 0), wcs.pixel_shape, 2.0)
    xy = wcs.all_world2pix(sky_deg[index], 0, quiet=True) if index.size else np.empty((0, 2))
    kept = _near(xy, wcs.pixel_shape, 1.0)
    index, xy = index[kept], xy[kept]
    jacobian = _jacobian(wcs, xy)
    area = np.abs(np.linalg.det(jacobian)) / scale_arcsec**2
    return PixelGeometry(index, xy, jacobian, area)


def _near(xy: Array, shape: tuple[int, int], margins: float) -> NDArray[np.int64]:
    """Return the indices of positions on the chip or within so many margins of it."""
    margin = margins * MARGIN_PIX
    inside = np.all((xy > -margin) & (xy < np.array(shape) + margin), axis=1)
    return np.flatnonzero(inside)


def _jacobian(wcs: WCS, xy: Array) -> Array:
    """Arcsec east and north for a pixel along x and y, shape (n, 2, 2), by central differences."""
    if not len(xy):
        return np.empty((0, 2, 2))
    columns = []
    for step in (np.array([0.5, 0.0]), np.array([0.0, 0.5])):
        high, low = wcs.all_pix2world(xy + step, 0), wcs.all_pix2world(xy - step, 0)
        east = ((high[:, 0] - low[:, 0] + 180.0) % 360.0 - 180.0) * np.cos(np.deg2rad(low[:, 1]))
        columns.append(ARCSEC_PER_DEGREE * np.stack([east, high[:, 1] - low[:, 1]], axis=-1))
    return np.stack(columns, axis=-1)


def expected_electrons(
    spec: SimulationSpec, wcs: WCS, stars: Stars, galaxies: Galaxies, blur_pix: float
) -> Float32Image:
    """Return the expected electrons of a flat-fielded exposure, sky included, shape (ny, nx).

    Flat-fielding makes an even sky even, so that the flux of a source comes out larger where the pixels
    are smaller: it is divided by the relative area of the pixel, and drizzling puts it right.

    Parameters
    ----------
    spec : SimulationSpec
    wcs : WCS
        True WCS of the chip, with distortion.
    stars : Stars
    galaxies : Galaxies
    blur_pix : float
        Sigma of a Gaussian that blurs all of it; 0 for none.
    """
    nx, ny = wcs.pixel_shape
    scale = _chip_scale(wcs)
    image = np.zeros((ny, nx), dtype=np.float32)
    _add_galaxies(image, spec, wcs, galaxies, scale)
    _add_stars(image, spec, wcs, stars, scale)
    if blur_pix > 0:
        image = gaussian_filter(image, blur_pix)
    return image + np.float32(_sky_electrons(spec, scale))


def _sky_electrons(spec: SimulationSpec, scale: float) -> float:
    """Electrons of the sky in a pixel of a chip: as its area goes, on chips of different scales."""
    reference = spec.model.idctab.row(spec.model.reference_chip.number).scale
    return spec.filter_model.sky * spec.exposure_time * (scale / reference) ** 2


def _chip_scale(wcs: WCS) -> float:
    """Nominal pixel scale of the chip, from its distortion model."""
    return float(wcs.idcscale)


def _electrons(spec: SimulationSpec, magnitude: Array) -> Array:
    """Electrons in the exposure of sources of a magnitude."""
    flux: Array = 10.0 ** (-0.4 * (magnitude - spec.filter_model.zero_point))
    return flux * spec.exposure_time


def _add_stars(image: Float32Image, spec: SimulationSpec, wcs: WCS, stars: Stars, scale: float) -> None:
    """Add the stars in place."""
    geometry = pixel_geometry(wcs, stars.sky, scale)
    filter_ = spec.filter_model
    core, wings = psf_table(filter_.pivot, filter_.width, scale, spec.model.electronics.diffusion)
    flux = _electrons(spec, stars.magnitude[geometry.index]) / geometry.area
    for (x, y), electrons in zip(geometry.xy, flux, strict=True):
        _add_star(image, float(x), float(y), float(electrons), wings if electrons > BRIGHT_ELECTRONS else core)


def _add_star(image: Float32Image, x: float, y: float, electrons: float, table: PsfTable) -> None:
    """Add one star in place, as far as it lies on the image."""
    ix, iy = round(x), round(y)
    rows, columns, inner = _overlap(image.shape, ix, iy, table.half)
    if inner is not None:
        image[rows, columns] += np.float32(electrons) * table.image(x - ix, y - iy)[inner]


def _overlap(shape: tuple[int, ...], ix: int, iy: int, half: int) -> tuple[slice, slice, tuple[slice, slice] | None]:
    """Slices of the image and of a stamp around (ix, iy) where they overlap; None where they do not."""
    y0, y1 = max(iy - half, 0), min(iy + half + 1, shape[0])
    x0, x1 = max(ix - half, 0), min(ix + half + 1, shape[1])
    if y1 <= y0 or x1 <= x0:
        return slice(0), slice(0), None
    inner = slice(y0 - iy + half, y1 - iy + half), slice(x0 - ix + half, x1 - ix + half)
    return slice(y0, y1), slice(x0, x1), inner


def _add_galaxies(image: Float32Image, spec: SimulationSpec, wcs: WCS, galaxies: Galaxies, scale: float) -> None:
    """Add the galaxies in place: exponential disks, smoothed by the core of the PSF."""
    geometry = pixel_geometry(wcs, galaxies.sky, scale)
    if not geometry.index.size:
        return
    flux = _electrons(spec, galaxies.magnitude[geometry.index])
    layer = np.zeros_like(image)
    for row, source in enumerate(geometry.index):
        shape = _sky_ellipse(galaxies, int(source)) @ geometry.jacobian[row]
        _add_disk(layer, geometry.xy[row], shape, flux[row] / geometry.area[row])
    image += gaussian_filter(layer, _core_sigma_pix(spec, scale))


def _sky_ellipse(galaxies: Galaxies, source: int) -> Array:
    """Matrix (2, 2) from arcsec east and north to scale lengths along major and minor axis."""
    angle = np.deg2rad(galaxies.angle_deg[source])
    length = galaxies.radius_arcsec[source] / EXPONENTIAL_HALF_LIGHT
    turn = np.array([[np.sin(angle), np.cos(angle)], [np.cos(angle), -np.sin(angle)]])
    matrix: Array = turn / (length * np.array([[1.0], [galaxies.axis_ratio[source]]]))
    return matrix


def _add_disk(layer: Float32Image, xy: Array, shape: Array, electrons: float) -> None:
    """Add ``exp(-r)`` in place, r in scale lengths by the matrix `shape` (2, 2) from pixels."""
    lengths_pix = 1.0 / np.linalg.norm(shape, axis=1)
    half = min(int(np.ceil(GALAXY_REACH * EXPONENTIAL_HALF_LIGHT * lengths_pix.max())), MAX_GALAXY_HALF)
    ix, iy = round(float(xy[0])), round(float(xy[1]))
    rows, columns, inner = _overlap(layer.shape, ix, iy, half)
    if inner is None:
        return
    fine = int(np.clip(np.ceil(FINE_SAMPLES / lengths_pix.min()), 1, MAX_FINE_SAMPLES))
    offset = (np.arange((2 * half + 1) * fine) + 0.5) / fine - 0.5 - half
    dx, dy = offset - (xy[0] - ix), offset - (xy[1] - iy)
    major = shape[0, 0] * dx[None, :] + shape[0, 1] * dy[:, None]
    minor = shape[1, 0] * dx[None, :] + shape[1, 1] * dy[:, None]
    profile = np.exp(-np.hypot(major, minor))
    pixels = profile.reshape(2 * half + 1, fine, 2 * half + 1, fine).sum(axis=(1, 3))
    layer[rows, columns] += (electrons / pixels.sum() * pixels[inner]).astype(np.float32)


def _core_sigma_pix(spec: SimulationSpec, scale: float) -> float:
    """Sigma of the Gaussian that stands for the PSF when galaxies are smoothed, pixels."""
    airy = (
        GAUSSIAN_CORE_FWHM
        * spec.filter_model.pivot
        * 1e-10
        / 2.4
        / np.deg2rad(1.0 / ARCSEC_PER_DEGREE)
        / scale
        / FWHM_PER_SIGMA
    )
    return float(np.hypot(airy, spec.model.electronics.diffusion))
