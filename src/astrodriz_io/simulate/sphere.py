"""Rigid motions of the sky as 3 x 3 rotations, and what they do to the WCS of a chip.

A pointing error moves the whole sky without deforming it, so truth and header differ by one rotation
of the celestial sphere. Vectors are unit vectors in the ICRS.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from astrodriz_core.arrays import Array
from astrodriz_core.units import ARCSEC_PER_DEGREE

__all__ = ["carry", "east_north", "move_linear_wcs", "sky_motion", "to_sky", "to_vector"]


def to_vector(sky_deg: Array) -> Array:
    """Return unit vectors (..., 3) of sky positions (..., 2) in degrees."""
    ra, dec = np.moveaxis(np.deg2rad(np.asarray(sky_deg, dtype=np.float64)), -1, 0)
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)


def to_sky(vectors: Array) -> Array:
    """Return sky positions (..., 2), degrees, ra in [0, 360), of vectors (..., 3) of any length."""
    x, y, z = np.moveaxis(vectors, -1, 0)
    ra = np.rad2deg(np.arctan2(y, x)) % 360.0
    return np.stack([ra, np.rad2deg(np.arctan2(z, np.hypot(x, y)))], axis=-1)


def east_north(sky_deg: Array) -> tuple[Array, Array]:
    """Return unit vectors (..., 3) that point east and north at the positions; at a pole, as ra says."""
    ra, dec = np.moveaxis(np.deg2rad(np.asarray(sky_deg, dtype=np.float64)), -1, 0)
    east = np.stack([-np.sin(ra), np.cos(ra), np.zeros_like(ra)], axis=-1)
    north = np.stack([-np.sin(dec) * np.cos(ra), -np.sin(dec) * np.sin(ra), np.cos(dec)], axis=-1)
    return east, north


def sky_motion(about_deg: tuple[float, float], shift_arcsec: tuple[float, float], roll_deg: float) -> Rotation:
    """Return the rotation of the sky that turns about a point and then carries that point elsewhere.

    Parameters
    ----------
    about_deg : tuple of float
        The point, ICRS degrees.
    shift_arcsec : tuple of float
        How far it moves, (east, north), along a great circle.
    roll_deg : float
        Turn about the point beforehand, degrees from north to east.
    """
    about = np.array(about_deg, dtype=np.float64)
    centre = to_vector(about)
    east, north = east_north(about)
    shift = np.deg2rad(np.array(shift_arcsec) / ARCSEC_PER_DEGREE)
    axis = np.cross(centre, shift[0] * east + shift[1] * north)
    return Rotation.from_rotvec(axis) * Rotation.from_rotvec(-np.deg2rad(roll_deg) * centre)


def carry(start_deg: Array, end_deg: Array) -> Rotation:
    """Return the rotation of the sky that carries one position (degrees) to another by the shortest way."""
    start, end = to_vector(start_deg), to_vector(end_deg)
    axis = np.cross(start, end)
    sine = float(np.linalg.norm(axis))
    angle = np.arctan2(sine, float(start @ end))
    return Rotation.from_rotvec(axis * (angle / sine) if sine > 0 else np.zeros(3))


def move_linear_wcs(crval_deg: tuple[float, float], cd: Array, motion: Rotation) -> tuple[tuple[float, float], Array]:
    """Return CRVAL and CD after a rotation of the sky; the pixel grid stays as it is.

    Parameters
    ----------
    crval_deg : tuple of float
        Right ascension and declination of the reference pixel, degrees.
    cd : ndarray, shape (2, 2)
        CD matrix, degrees for each pixel; row 0 is east.
    motion : Rotation
        The rotation.

    Returns
    -------
    crval_deg : tuple of float
    cd : ndarray, shape (2, 2)
        The columns, as tangent vectors of the sphere, turned and taken apart into east and north again.
    """
    old_east, old_north = east_north(np.array(crval_deg))
    moved = to_sky(motion.apply(to_vector(np.array(crval_deg))))
    new_east, new_north = east_north(moved)
    carried = motion.apply(np.stack([old_east, old_north]))
    turn = np.array([[new_east @ carried[0], new_east @ carried[1]], [new_north @ carried[0], new_north @ carried[1]]])
    return (float(moved[0]), float(moved[1])), turn @ cd
