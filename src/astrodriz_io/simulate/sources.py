"""The sky of a simulated field: stars and galaxies with positions and magnitudes."""

from __future__ import annotations

import numpy as np
from attrs import field, frozen

from astrodriz_core.arrays import Array
from astrodriz_core.units import ARCSEC_PER_DEGREE
from astrodriz_io.simulate.random_streams import Purpose, stream
from astrodriz_io.simulate.spec import FIELDS, FieldPreset, SimulationSpec
from astrodriz_io.simulate.sphere import east_north, to_sky, to_vector

__all__ = ["Galaxies", "Stars", "make_galaxies", "make_stars"]

GALAXY_FAINTEST = 0.5
GALAXY_BRIGHTEST = 7.0
GALAXY_SCALE = 1.6
"""Galaxy magnitudes, as those of stars in `FieldPreset`."""

MEDIAN_RADIUS_ARCSEC = 0.18
"""Median scale of the effective radius of galaxies, arcsec."""


@frozen(eq=False)
class Stars:
    """Stars: right ascension and declination (ICRS degrees, shape (n, 2)) and AB magnitudes (n,)."""

    sky: Array = field(repr=False)
    magnitude: Array = field(repr=False)


@frozen(eq=False)
class Galaxies:
    """Galaxies with exponential profiles.

    Attributes
    ----------
    sky : ndarray, shape (n, 2)
        Right ascension and declination, ICRS degrees.
    magnitude : ndarray, shape (n,)
        AB magnitude of the whole galaxy.
    radius_arcsec : ndarray, shape (n,)
        Half-light radius along the major axis.
    axis_ratio : ndarray, shape (n,)
    angle_deg : ndarray, shape (n,)
        Position angle of the major axis, degrees east of north.
    """

    sky: Array = field(repr=False)
    magnitude: Array = field(repr=False)
    radius_arcsec: Array = field(repr=False)
    axis_ratio: Array = field(repr=False)
    angle_deg: Array = field(repr=False)


def make_stars(spec: SimulationSpec, corners_deg: Array) -> Stars:
    """Return the stars of a field.

    Parameters
    ----------
    spec : SimulationSpec
    corners_deg : ndarray, shape (n, 2)
        Corners of all chips of all exposures, ICRS degrees; the field is the box around them.
    """
    preset = FIELDS[spec.sky]
    rng = stream(spec.seed, Purpose.STARS)
    box = _bounding_box(spec, corners_deg)
    if preset.spacing_pix is None:
        number = _number(spec.stars, preset.stars_per_arcmin2, preset.least_stars, box)
        sky = _scatter(spec, box, number, rng)
    else:
        sky = _grid(spec, box, preset.spacing_pix, rng)[: spec.stars]
    brighter = _truncated_exponential(preset.faint, preset.bright, preset.scale, len(sky), rng)
    if preset.central_star is not None:
        sky = np.vstack([sky, np.array([spec.target])])
        brighter = np.append(brighter, preset.central_star)
    return Stars(sky, spec.filter_model.zero_point - brighter)


def make_galaxies(spec: SimulationSpec, corners_deg: Array) -> Galaxies:
    """Return the galaxies of a field; parameters as for `make_stars`."""
    preset: FieldPreset = FIELDS[spec.sky]
    rng = stream(spec.seed, Purpose.GALAXIES)
    box = _bounding_box(spec, corners_deg)
    number = _number(spec.galaxies, preset.galaxies_per_arcmin2, preset.least_galaxies, box)
    brighter = _truncated_exponential(GALAXY_FAINTEST, GALAXY_BRIGHTEST, GALAXY_SCALE, number, rng)
    return Galaxies(
        sky=_scatter(spec, box, number, rng),
        magnitude=spec.filter_model.zero_point - brighter,
        radius_arcsec=MEDIAN_RADIUS_ARCSEC * rng.lognormal(0.0, 0.5, number),
        axis_ratio=rng.uniform(0.3, 1.0, number),
        angle_deg=rng.uniform(0.0, 180.0, number),
    )


def _bounding_box(spec: SimulationSpec, corners_deg: Array) -> Array:
    """Least and largest offset from the target, arcsec: ((east, north), (east, north))."""
    east, north = east_north(np.array(spec.target))
    vectors = to_vector(corners_deg)
    offsets = np.rad2deg(np.stack([vectors @ east, vectors @ north], axis=-1)) * ARCSEC_PER_DEGREE
    return np.stack([offsets.min(axis=0), offsets.max(axis=0)])


def _number(wanted: int | None, per_arcmin2: float, least: int, box: Array) -> int:
    """Return the number of sources: what the spec asks for, or the density, but not less than `least`."""
    area_arcmin2 = float(np.prod((box[1] - box[0]) / 60.0))
    return max(round(per_arcmin2 * area_arcmin2), least) if wanted is None else wanted


def _scatter(spec: SimulationSpec, box: Array, number: int, rng: np.random.Generator) -> Array:
    """Positions spread evenly over the box."""
    return _at_offsets(spec, rng.uniform(box[0], box[1], (number, 2)))


def _grid(spec: SimulationSpec, box: Array, spacing_pix: float, rng: np.random.Generator) -> Array:
    """Positions near the points of a grid over the box, in a random order, each in another place of its pixel."""
    pixel = spec.model.idctab.row(spec.reference_chip.number).scale
    spacing = spacing_pix * pixel
    axes = [np.arange(low + spacing / 2.0, high, spacing) for low, high in box.T]
    points = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
    return _at_offsets(spec, rng.permutation(points) + rng.uniform(-pixel, pixel, points.shape))


def _at_offsets(spec: SimulationSpec, offsets_arcsec: Array) -> Array:
    """Sky positions, degrees, of offsets (east, north) from the target."""
    east, north = east_north(np.array(spec.target))
    offsets = np.deg2rad(offsets_arcsec / ARCSEC_PER_DEGREE)
    return to_sky(to_vector(np.array(spec.target)) + offsets[:, :1] * east + offsets[:, 1:] * north)


def _truncated_exponential(faint: float, bright: float, scale: float, number: int, rng: np.random.Generator) -> Array:
    """Magnitudes brighter than the zero point, exponential from `faint` on, none beyond `bright`."""
    most = -np.expm1(-(bright - faint) / scale)
    magnitudes: Array = faint - scale * np.log1p(-most * rng.uniform(size=number))
    return magnitudes
