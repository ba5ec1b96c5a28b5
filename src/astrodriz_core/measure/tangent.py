"""The tangent plane in which exposures and catalogues are compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen

from astrodriz_core.arrays import Array
from astrodriz_core.units import ARCSEC_PER_DEGREE

__all__ = ["TangentPlane", "pixel_side_arcsec", "sky_centre", "unit_vectors"]


@frozen
class TangentPlane:
    """Gnomonic projection about one point of the sky.

    Plane coordinates are arcsec, the first toward the east, the second toward the north at the tangent point.

    Attributes
    ----------
    ra, dec : float
        The tangent point, ICRS degrees.
    """

    ra: float
    dec: float

    def project(self, ra: Array, dec: Array) -> Array:
        """Plane coordinates, shape (N, 2), of sky positions in degrees; NaN beyond 90 degrees."""
        v = unit_vectors(np.asarray(ra, dtype=np.float64), np.asarray(dec, dtype=np.float64))
        axes = _axes(self.ra, self.dec)
        depth = v @ axes[2]
        with np.errstate(divide="ignore", invalid="ignore"):
            plane = (v @ axes[:2].T) / np.where(depth > 0, depth, np.nan)[:, None]
        return np.asarray(np.rad2deg(plane) * ARCSEC_PER_DEGREE)


def pixel_side_arcsec(cd: Array | Sequence[Sequence[float]]) -> float:
    """Side of a square pixel with the area that a CD matrix spans, arcsec; 0 where the matrix is singular."""
    return float(np.sqrt(abs(np.linalg.det(cd)))) * ARCSEC_PER_DEGREE


def unit_vectors(ra: Array, dec: Array) -> Array:
    """Unit vectors, shape (N, 3), to sky positions in degrees."""
    a, d = np.deg2rad(ra), np.deg2rad(dec)
    return np.stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)], axis=-1)


def sky_centre(ra: Array, dec: Array) -> tuple[float, float]:
    """Right ascension and declination, degrees, of the mean direction of some positions."""
    x, y, z = unit_vectors(np.asarray(ra), np.asarray(dec)).mean(axis=0)
    return float(np.rad2deg(np.arctan2(y, x)) % 360.0), float(np.rad2deg(np.arctan2(z, np.hypot(x, y))))


def _axes(ra: float, dec: float) -> Array:
    """Unit vectors to the east, to the north, and to the tangent point, as rows."""
    a, d = np.deg2rad(ra), np.deg2rad(dec)
    return np.array(
        [
            [-np.sin(a), np.cos(a), 0.0],
            [-np.sin(d) * np.cos(a), -np.sin(d) * np.sin(a), np.cos(d)],
            [np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)],
        ]
    )
