"""Hypothesis strategies for tests of this package and of programs that build on it, and small synthetic images.

Needs the extra ``test``; nothing else of the package imports it.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Sequence
from enum import Enum
from typing import Any

import attrs
import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from astrodriz_core.arrays import Array, Image, Mask, Positions
from astrodriz_core.combine.pixmap import TanWcs
from astrodriz_core.measure.images import DrizzledImage, VerificationParameters
from astrodriz_core.parameters.drizzle import DrizzleParameters
from astrodriz_core.records.common import ChipWcs
from astrodriz_core.records.run import SCHEMA_VERSION, RunRecord, StageRecord
from astrodriz_core.units import ARCSEC_PER_DEGREE

__all__ = [
    "PARAMETERS",
    "StarExposure",
    "chip_wcses",
    "dq_arrays",
    "images",
    "records",
    "run_records",
    "star_association",
    "star_field",
    "star_places",
    "tan_wcses",
]

PARAMETERS = VerificationParameters(log_sigma_pix=1.5, pixel_scale_arcsec=0.05, psf_fwhm_pix=2.2)
"""How to measure on the images of `star_association`."""

STAR_SIGMA = 0.95
"""Standard deviation of the stars, pixels."""

EXPTIME = 100.0
"""Seconds of each exposure, which are its weight."""

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
MANY = 2
"""Members of a tuple at the most: records are wide and deep, and two show what is repeated."""

SIMPLE: dict[object, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: st.integers(-(2**53), 2**53),
    float: NUMBERS,
    str: TEXTS,
    type(None): st.none(),
    # Its fields are validated beyond their types.
    DrizzleParameters: st.just(DrizzleParameters()),
}

DQ_TYPES = tuple(np.dtype(kind) for kind in ("i2", "u2", "i4", "u4", ">i2", ">i4", "u1"))
"""Types that DQ arrays have in files, in memory, and in between."""


def records(cls: type, **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Instances of a frozen record, or of any attrs class of such fields.

    Parameters
    ----------
    cls : type
        The class; its fields are drawn by their types: finite numbers, short texts, tuples of at most two members.
    **given : SearchStrategy
        For the fields of these names, instead.

    Returns
    -------
    SearchStrategy
        The records need not make sense: a verdict may contradict its checks.
    """
    hints = typing.get_type_hints(cls)
    drawn = {field.name: _values(hints[field.name]) for field in attrs.fields(cls) if field.name not in given}
    return st.builds(cls, **drawn, **given)


def run_records() -> st.SearchStrategy[RunRecord]:
    """Run records of the present version, with one stage at the most: it alone has some two hundred fields."""
    stages = st.lists(records(StageRecord), max_size=1).map(tuple)
    return records(RunRecord, schema_version=st.just(SCHEMA_VERSION), stages=stages)


def _values(annotation: Any) -> st.SearchStrategy[Any]:
    """Values of one annotation, as records may have it."""
    if annotation in SIMPLE:
        return SIMPLE[annotation]
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*map(_values, parts))
    if origin is tuple and parts[-1] is Ellipsis:
        return st.lists(_values(parts[0]), max_size=MANY).map(tuple)
    if origin is tuple:
        return st.tuples(*map(_values, parts))
    return st.sampled_from(annotation) if issubclass(annotation, Enum) else records(annotation)


def images(
    *, least: int = 1, most: int = 12, value: float = 1e4, holes: bool = True, double: bool = False
) -> st.SearchStrategy[Image]:
    """Images of float32 or float64, shape (ny, nx).

    Parameters
    ----------
    least, most : int
        Pixels on each axis.
    value : float
        Largest absolute value.
    holes : bool
        Let some pixels be NaN or infinite.
    double : bool
        Draw images of float64.
    """
    finite = st.floats(-value, value, allow_subnormal=False, width=64 if double else 32)
    elements = finite | st.sampled_from([np.nan, np.inf, -np.inf]) if holes else finite
    shapes = npst.array_shapes(min_dims=2, max_dims=2, min_side=least, max_side=most)
    return npst.arrays(np.float64 if double else np.float32, shapes, elements=elements)


def dq_arrays(*, most: int = 6) -> st.SearchStrategy[NDArray[np.integer[Any]]]:
    """DQ arrays of every type that they come in, of one or two dimensions, with any bits.

    Parameters
    ----------
    most : int
        Pixels on each axis.
    """
    shapes = npst.array_shapes(max_dims=2, max_side=most)
    return st.sampled_from(DQ_TYPES).flatmap(lambda dtype: npst.arrays(dtype, shapes))


@st.composite
def tan_wcses(draw: st.DrawFn, *, nearest_pole: float = 1.0) -> TanWcs:
    """Plain tangent planes of square pixels of 0.02 to 0.3 arcsec, east to the left of north.

    Parameters
    ----------
    nearest_pole : float
        Distance of the tangent point from the celestial poles, at the least, degrees.
    """
    ra = draw(st.floats(0.0, 360.0, exclude_max=True))
    dec = draw(st.floats(nearest_pole - 90.0, 90.0 - nearest_pole))
    scale = draw(st.floats(0.02, 0.3)) / ARCSEC_PER_DEGREE
    angle = np.radians(draw(st.floats(-180.0, 180.0)))
    crpix = draw(st.tuples(st.floats(1.0, 4096.0), st.floats(1.0, 4096.0)))
    cos, sin = scale * float(np.cos(angle)), scale * float(np.sin(angle))
    return TanWcs(crval=(ra, dec), crpix=crpix, cd=((-cos, sin), (sin, cos)))


@st.composite
def chip_wcses(draw: st.DrawFn, *, nearest_pole: float = 1.0) -> ChipWcs:
    """Records of the linear WCS of chips: `tan_wcses` with a size, an EXTVER and a WCSNAME.

    Parameters
    ----------
    nearest_pole : float
        See `tan_wcses`.
    """
    plane = draw(tan_wcses(nearest_pole=nearest_pole))
    naxis = draw(st.tuples(st.integers(1, 4096), st.integers(1, 4096)))
    name = draw(st.sampled_from(["", "OPUS", "IDC_a1b2c", "IDC_a1b2c-HSC30", "IDC_a1b2c-FIT_REL_GAIAeDR3"]))
    return ChipWcs(draw(st.integers(1, 4)), plane.crval, plane.crpix, plane.cd, naxis, name)


def star_field(shape: tuple[int, int], places: Positions, fluxes: Array, sigma: float) -> Array:
    """Image of Gaussian stars.

    Parameters
    ----------
    shape : tuple of int
        (ny, nx).
    places : ndarray of float64, shape (N, 2)
        x and y, 0-based.
    fluxes : ndarray of float64, shape (N,)
        The sum over all pixels of each star.
    sigma : float
        Standard deviation, pixels.

    Returns
    -------
    ndarray of float64, shape (ny, nx)
    """
    y, x = np.arange(shape[0]), np.arange(shape[1])
    gx = np.exp(-0.5 * ((x - places[:, :1]) / sigma) ** 2)
    gy = np.exp(-0.5 * ((y - places[:, 1:]) / sigma) ** 2)
    return np.asarray(np.einsum("n,ny,nx->yx", fluxes / (2 * np.pi * sigma**2), gy, gx))


def star_places(shape: tuple[int, int], rng: np.random.Generator, spacing: int = 16) -> Positions:
    """Places of stars that do not overlap: one in each cell of a grid, at a random phase of the pixel.

    Parameters
    ----------
    shape : tuple of int
        (ny, nx) of the image; a cell at each edge stays free.
    rng : numpy.random.Generator
    spacing : int
        Side of a cell, pixels.

    Returns
    -------
    ndarray of float64, shape (N, 2)
        x and y, 0-based.
    """
    ny, nx = (size // spacing - 2 for size in shape)
    grid = np.stack(np.meshgrid(np.arange(nx), np.arange(ny)), axis=-1).reshape(-1, 2) + 1.5
    return np.asarray(grid * spacing + rng.uniform(-2, 2, grid.shape))


@attrs.frozen
class StarExposure:
    """How one exposure of `star_association` differs from the others.

    Attributes
    ----------
    offset : tuple of float
        x and y by which its stars are displaced, pixels.
    rotation_deg : float
        Rotation about the centre.
    star_sigma : float
        Standard deviation of its stars, pixels.
    """

    offset: tuple[float, float] = (0.0, 0.0)
    rotation_deg: float = 0.0
    star_sigma: float = STAR_SIGMA


def star_association(
    exposures: Sequence[StarExposure | tuple[float, float]],
    *,
    seed: int = 0,
    shape: tuple[int, int] = (160, 176),
    noise: float = 1.0,
    cosmic_rays: int = 0,
) -> tuple[DrizzledImage, tuple[DrizzledImage, ...]]:
    """A product and its exposures: the same stars in all, with noise and cosmic rays.

    The product is the median of the exposures; a hit pixel is flagged in its exposure.

    Parameters
    ----------
    exposures : sequence of StarExposure or (float, float)
        How each exposure differs; a pair is its offset.
    seed : int
        Of the random numbers.
    shape : tuple of int
        (ny, nx) of all images.
    noise : float
        Standard deviation of a pixel.
    cosmic_rays : int
        Pixels that are hit in each exposure.

    Returns
    -------
    product : DrizzledImage
    exposures : tuple of DrizzledImage
    """
    rng = np.random.default_rng(seed)
    places = star_places(shape, rng)
    fluxes = 10 ** rng.uniform(2.8, 4.0, len(places))
    singles = []
    for index, each in enumerate(exposures):
        exposure = each if isinstance(each, StarExposure) else StarExposure(each)
        image = star_field(shape, _displaced(places, exposure, shape), fluxes, exposure.star_sigma)
        image += rng.normal(0, noise, shape)
        hit = np.zeros(shape, bool)
        hit.flat[rng.choice(image.size, cosmic_rays, replace=False)] = True
        image[hit] += rng.uniform(50, 900, hit.sum())
        singles.append(_drizzled(f"exposure{index}", image, EXPTIME, hit))
    product = np.median([single.sci for single in singles], axis=0)
    return _drizzled("product", product, EXPTIME * len(singles), None), tuple(singles)


def _displaced(places: Positions, exposure: StarExposure, shape: tuple[int, int]) -> Positions:
    turn = np.deg2rad(exposure.rotation_deg)
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    centre = np.array([shape[1], shape[0]]) / 2
    return np.asarray((places - centre) @ matrix + centre + np.array(exposure.offset))


def _drizzled(name: str, image: Image, exptime: float, hit: Mask | None) -> DrizzledImage:
    weight = np.full(image.shape, exptime, np.float32)
    return DrizzledImage(name, image.astype(np.float32), weight, exptime, cosmic_rays=hit)
