"""Hypothesis strategies and small synthetic images that the tests share."""

from __future__ import annotations

import types
import typing
from collections.abc import Sequence
from enum import Enum
from typing import Any

import attrs
import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from astrodriz_core.measure.images import DrizzledImage, VerificationParameters

PARAMETERS = VerificationParameters(log_sigma_pix=1.5, pixel_scale_arcsec=0.05, psf_fwhm_pix=2.2)
STAR_SIGMA = 0.95
"""Standard deviation of the stars, pixels."""

SCALARS: dict[object, st.SearchStrategy[Any]] = {
    float: st.floats(allow_nan=False, allow_infinity=False),
    int: st.integers(-(2**31), 2**31),
    bool: st.booleans(),
    str: st.text(max_size=12),
}


def records(cls: type) -> st.SearchStrategy[Any]:
    """Any instance of a frozen record, its fields drawn by their types."""
    hints = typing.get_type_hints(cls)
    return st.builds(cls, **{field.name: values(hints[field.name]) for field in attrs.fields(cls)})


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type that a record may hold."""
    if hint in SCALARS:
        return SCALARS[hint]
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return st.one_of(*(st.none() if part is type(None) else values(part) for part in inner))
    if origin is tuple and inner[-1] is Ellipsis:
        return st.lists(values(inner[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*map(values, inner))
    if issubclass(hint, Enum):
        return st.sampled_from(hint)
    return records(hint)


def star_field(
    shape: tuple[int, int], places: NDArray[np.float64], fluxes: NDArray[np.float64], sigma: float
) -> NDArray[np.float64]:
    """Image of Gaussian stars at 0-based places (x, y)."""
    y, x = np.arange(shape[0]), np.arange(shape[1])
    gx = np.exp(-0.5 * ((x - places[:, :1]) / sigma) ** 2)
    gy = np.exp(-0.5 * ((y - places[:, 1:]) / sigma) ** 2)
    return np.einsum("n,ny,nx->yx", fluxes / (2 * np.pi * sigma**2), gy, gx)


def star_places(shape: tuple[int, int], rng: np.random.Generator, spacing: int = 16) -> NDArray[np.float64]:
    """Places of stars that do not overlap: one in each cell of a grid, at a random phase of the pixel."""
    ny, nx = (size // spacing - 2 for size in shape)
    grid = np.stack(np.meshgrid(np.arange(nx), np.arange(ny)), axis=-1).reshape(-1, 2) + 1.5
    return grid * spacing + rng.uniform(-2, 2, grid.shape)


def star_association(
    offsets: Sequence[tuple[float, float]],
    *,
    seed: int = 0,
    shape: tuple[int, int] = (160, 176),
    noise: float = 1.0,
    rotations_deg: Sequence[float] = (),
    widths: Sequence[float] = (),
    cosmic_rays: int = 0,
    sky: float = 0.0,
    exptimes: Sequence[float] = (),
) -> tuple[DrizzledImage, tuple[DrizzledImage, ...]]:
    """A product and its exposures: the same stars, displaced by `offsets`, with noise and cosmic rays.

    The product is the median of the exposures; a hit pixel is flagged in its exposure.
    """
    rng = np.random.default_rng(seed)
    places = star_places(shape, rng)
    fluxes = 10 ** rng.uniform(2.8, 4.0, len(places))
    centre = np.array([shape[1], shape[0]]) / 2
    images, flags = [], []
    for index, offset in enumerate(offsets):
        turn = np.deg2rad(rotations_deg[index]) if rotations_deg else 0.0
        matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        moved = (places - centre) @ matrix + centre + np.array(offset)
        image = star_field(shape, moved, fluxes, widths[index] if widths else STAR_SIGMA)
        image += rng.normal(0, noise, shape) + sky
        hit = np.zeros(shape, bool)
        hit.flat[rng.choice(image.size, cosmic_rays, replace=False)] = True
        image[hit] += rng.uniform(50, 900, hit.sum())
        images.append(image.astype(np.float32))
        flags.append(hit)
    times = list(exptimes) or [100.0] * len(images)
    singles = tuple(
        DrizzledImage(f"exposure{i}", image, np.full(shape, times[i], np.float32), times[i], cosmic_rays=flag)
        for i, (image, flag) in enumerate(zip(images, flags, strict=True))
    )
    product = np.median(images, axis=0).astype(np.float32)
    return DrizzledImage("product", product, np.full(shape, sum(times), np.float32), sum(times)), singles
