"""Catalogue positions at the epoch of an exposure."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from astrodriz_core.arrays import Array, Indices, Mask
from astrodriz_core.measure.tangent import unit_vectors
from astrodriz_core.units import MAS_PER_DEGREE

__all__ = ["CatalogColumns", "MovedPositions", "move_to_epoch"]


MAS_TO_RADIANS = float(np.deg2rad(1.0 / MAS_PER_DEGREE))

FEW_MOTIONS = 3
"""Fewer known proper motions than this say nothing about the unknown ones."""


@frozen(eq=False)
class CatalogColumns:
    """Rows of a catalogue at its own epochs; NaN where a value is unknown, all arrays of shape (N,).

    Attributes
    ----------
    ra, dec : ndarray of float
        ICRS degrees.
    mag : ndarray of float
    sigma : ndarray of float
        Position error along one axis, mas.
    pmra, pmdec : ndarray of float
        Proper motion, mas/yr; pmra with the cosine of the declination in it.
    pm_sigma : ndarray of float
        Its error along one axis, mas/yr.
    epoch : ndarray of float
        Decimal years of the positions.
    """

    ra: Array
    dec: Array
    mag: Array
    sigma: Array
    pmra: Array
    pmdec: Array
    pm_sigma: Array
    epoch: Array

    def __len__(self) -> int:
        return len(self.ra)

    def select(self, index: Mask | Indices) -> CatalogColumns:
        """Those rows that `index` names."""
        columns = (self.ra, self.dec, self.mag, self.sigma, self.pmra, self.pmdec, self.pm_sigma, self.epoch)
        return CatalogColumns(*(column[index] for column in columns))


@frozen(eq=False)
class MovedPositions:
    """Positions at one epoch, arrays of shape (N,).

    Attributes
    ----------
    ra, dec : ndarray of float
        ICRS degrees.
    sigma : ndarray of float
        Error along one axis, mas, that of the motion included.
    moved : ndarray of bool
        True where the proper motion and the epoch of the position are known.
    """

    ra: Array
    dec: Array
    sigma: Array
    moved: Mask


def move_to_epoch(columns: CatalogColumns, epoch: float) -> MovedPositions:
    """Move positions along their proper motions.

    The motion is a straight line in the tangent direction, which differs from a great circle by less than a
    microarcsecond over decades. The error of the motion times the years is added in quadrature. A source without
    a known motion stays where it is; where others have one, the RMS of theirs stands in for its error, because a
    star whose motion is unknown may move like the rest.

    Parameters
    ----------
    columns : CatalogColumns
        Is not changed.
    epoch : float
        Decimal year.
    """
    known = np.isfinite(columns.pmra) & np.isfinite(columns.pmdec) & np.isfinite(columns.epoch)
    years = np.where(np.isfinite(columns.epoch), epoch - columns.epoch, 0.0)
    east, north = (np.where(known, pm, 0.0) * years * MAS_TO_RADIANS for pm in (columns.pmra, columns.pmdec))
    a, d = np.deg2rad(columns.ra), np.deg2rad(columns.dec)
    zero = np.zeros_like(a)
    to_east = np.stack([-np.sin(a), np.cos(a), zero], axis=-1)
    to_north = np.stack([-np.sin(d) * np.cos(a), -np.sin(d) * np.sin(a), np.cos(d)], axis=-1)
    x, y, z = (unit_vectors(columns.ra, columns.dec) + east[:, None] * to_east + north[:, None] * to_north).T
    typical = _typical_motion(columns, known)
    motion_error = np.where(known, np.nan_to_num(columns.pm_sigma), typical)
    still = ~known | (years == 0)
    return MovedPositions(
        ra=np.where(still, columns.ra, np.rad2deg(np.arctan2(y, x)) % 360.0),
        dec=np.where(still, columns.dec, np.rad2deg(np.arctan2(z, np.hypot(x, y)))),
        sigma=np.hypot(columns.sigma, motion_error * years),
        moved=known,
    )


def _typical_motion(columns: CatalogColumns, known: Mask) -> float:
    """RMS along one axis of the known proper motions, mas/yr; 0 where there are too few."""
    if known.sum() < FEW_MOTIONS:
        return 0.0
    return float(np.sqrt(np.mean((columns.pmra[known] ** 2 + columns.pmdec[known] ** 2) / 2)))
