"""Coordinate maps from the pixels of a distorted chip to the pixels of an output frame, exactly.

The WCS of an HST chip is a distortion (detector pixel to undistorted pixel) followed by a tangent plane
projection; an output frame is a tangent plane projection alone. Between two tangent planes the map is
a homography, nine numbers, so only the distortion has to be evaluated for each pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from astrodriz_core.arrays import Array
from astrodriz_core.errors import MeasurementError

__all__ = [
    "TanWcs",
    "apply_homography",
    "coordinate_map",
    "tangent_plane_homography",
    "undistorted_pixels",
]

Undistort: TypeAlias = Callable[[Array, Array], tuple[ArrayLike, ArrayLike]]

BLOCK_PIXELS = 2**20
"""Pixels of a map that are computed at a time; bounds the memory beside the map itself to some 50 MB."""


@frozen
class TanWcs:
    """A gnomonic (TAN) projection without distortion, as the FITS header has it.

    Attributes
    ----------
    crval : tuple of float
        Sky position of the tangent point, degrees.
    crpix : tuple of float
        Its pixel, 1-based as in FITS.
    cd : tuple of tuple of float
        CD matrix, ``((CD1_1, CD1_2), (CD2_1, CD2_2))``, degrees for each pixel.
    lonpole : float
        LONPOLE, degrees; 180 is the default of FITS but for a tangent point at a celestial pole.
    """

    crval: tuple[float, float]
    crpix: tuple[float, float]
    cd: tuple[tuple[float, float], tuple[float, float]]
    lonpole: float = 180.0


def tangent_plane_homography(first: TanWcs, second: TanWcs) -> Array:
    """Homography from the pixels of one tangent plane to those of another one.

    A pixel (x, y), 0-based, of `first` lies in the direction ``d = R1 A1 (x, y, 1)``, where A1 gives
    the gnomonic coordinates in radians and the columns of R1 are east, north and the tangent point. The
    homography is ``A2^-1 R2^T R1 A1`` (Calabretta & Greisen 2002, A&A 395, 1077, sections 5.1.3 and 2.3).

    Parameters
    ----------
    first, second : TanWcs
        From, and to.

    Returns
    -------
    ndarray of float64, shape (3, 3)
        To be used with `apply_homography`. Its sign carries which half of the sky is in front of the
        second plane: do not rescale it by a negative number.

    Raises
    ------
    MeasurementError
        The CD matrix of one of the two is singular.
    """
    try:
        to_second = np.linalg.inv(_plane_from_pixel(second))
    except np.linalg.LinAlgError as error:
        raise MeasurementError("the CD matrix of the output frame is singular") from error
    rotation = _axes(second).T @ _axes(first)
    homography: Array = to_second @ rotation @ _plane_from_pixel(first)
    return homography


def apply_homography(homography: Array, x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
    """Pixels of the second plane for pixels of the first one.

    Parameters
    ----------
    homography : ndarray, shape (3, 3)
        From `tangent_plane_homography`.
    x, y : array_like
        Pixels of the first plane, 0-based, of one shape.

    Returns
    -------
    x, y : ndarray of float64
        Pixels of the second plane, 0-based, of the same shape. NaN where the input is NaN and for
        directions 90 degrees or more from the second tangent point.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    u, v, w = (row[0] * x + row[1] * y + row[2] for row in homography)
    depth = np.where(w > 0.0, w, np.nan)
    return u / depth, v / depth


def undistorted_pixels(shape: tuple[int, int], undistort: Undistort, border: int = 0) -> Array:
    """Where the pixels of a chip lie without its distortion; the same under every pointing and every frame.

    Parameters
    ----------
    shape : tuple of int
        (ny, nx) of the chip.
    undistort : callable
        The distortion: takes x and y of detector pixels, 0-based, 1-D arrays of the same length, and
        gives x and y of the undistorted pixels, 0-based. ``lambda x, y: wcs.pix2foc(x, y, 0)`` of astropy.
    border : int
        Pixels beyond each edge of the chip that are taken too.

    Returns
    -------
    ndarray of float64, shape (2, ny + 2 border, nx + 2 border)
        x and y, 0-based. It is made in blocks of rows.
    """
    ny, nx = (side + 2 * border for side in shape)
    result = np.empty((2, ny, nx))
    for start, stop in _blocks(ny, nx):
        y, x = np.mgrid[start:stop, :nx].reshape(2, -1).astype(np.float64) - border
        for axis, values in enumerate(undistort(x, y)):
            result[axis, start:stop] = np.reshape(values, (stop - start, nx))
    return result


def coordinate_map(undistorted: Array, homography: Array) -> Array:
    """Map of all pixels of a chip into an output frame.

    Parameters
    ----------
    undistorted : ndarray of float64, shape (2, ny, nx)
        From `undistorted_pixels`.
    homography : ndarray, shape (3, 3)
        From `tangent_plane_homography`, with the tangent plane of the chip's WCS as the first one.

    Returns
    -------
    ndarray of float64, shape (ny, nx, 2)
        x and y, 0-based, in the output frame of each pixel; NaN as in `apply_homography`. It is made in
        blocks of rows.
    """
    _, ny, nx = undistorted.shape
    result = np.empty((ny, nx, 2))
    for start, stop in _blocks(ny, nx):
        for axis, values in enumerate(apply_homography(homography, *undistorted[:, start:stop])):
            result[start:stop, :, axis] = values
    return result


def _blocks(ny: int, nx: int) -> Iterator[tuple[int, int]]:
    """First row, and the one after the last, of blocks of some `BLOCK_PIXELS`."""
    rows = max(1, BLOCK_PIXELS // max(nx, 1))
    return ((start, min(start + rows, ny)) for start in range(0, ny, rows))


def _axes(plane: TanWcs) -> Array:
    """Give the unit vectors of both axes and of the tangent point, as the columns of a rotation."""
    ra, dec = np.radians(plane.crval)
    east = np.array([-np.sin(ra), np.cos(ra), 0.0])
    north = np.array([-np.sin(dec) * np.cos(ra), -np.sin(dec) * np.sin(ra), np.cos(dec)])
    tangent = np.array([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
    turn = np.radians(plane.lonpole - 180.0)
    cos, sin = np.cos(turn), np.sin(turn)
    return np.stack([cos * east - sin * north, cos * north + sin * east, tangent], axis=1)


def _plane_from_pixel(plane: TanWcs) -> Array:
    """Matrix from (x, y, 1), 0-based pixels, to gnomonic coordinates in radians."""
    linear = np.radians(plane.cd)
    origin = -linear @ (np.asarray(plane.crpix) - 1.0)
    return np.array([[*linear[0], origin[0]], [*linear[1], origin[1]], [0.0, 0.0, 1.0]])
