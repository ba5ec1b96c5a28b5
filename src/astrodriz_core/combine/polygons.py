"""Polygons on a detector: which pixels lie inside one, and where two convex ones overlap."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from astrodriz_core.arrays import Array, Indices, Mask, Positions
from astrodriz_core.errors import MeasurementError

__all__ = ["convex_overlap", "polygon_mask"]


def polygon_mask(vertices: ArrayLike, shape: tuple[int, int]) -> Mask:
    """Pixels whose centres lie inside a polygon.

    Parameters
    ----------
    vertices : array_like, shape (n, 2)
        (x, y) of the vertices, 0-based pixels with integers at pixel centres, in either sense of
        rotation, closed or not. They may lie outside the array. Where the outline crosses itself, a
        point is inside if a ray from it crosses the outline an odd number of times.
    shape : tuple of int
        (ny, nx) of the mask.

    Returns
    -------
    ndarray of bool, [y, x]
        True inside. A pixel centre exactly on the outline is inside at the left and lower side only, so
        that polygons side by side share no pixel. Fewer than three vertices: all False.

    Raises
    ------
    MeasurementError
        The vertices are not an (n, 2) array of finite numbers.
    """
    points = _check_vertices(vertices)
    ny, nx = shape
    crossings = np.zeros((ny, nx + 1), dtype=bool)
    for start, end in zip(points, np.roll(points, -1, axis=0), strict=True):
        rows, x = _crossings(start, end, ny)
        crossings[rows, np.clip(np.ceil(x), 0, nx).astype(np.intp)] ^= True
    return np.logical_xor.accumulate(crossings, axis=1)[:, :nx]


def convex_overlap(first: ArrayLike, second: ArrayLike) -> Positions:
    """Intersection of two convex polygons, by the algorithm of Sutherland and Hodgman (1974).

    Parameters
    ----------
    first, second : array_like, shape (n, 2)
        (x, y) of the vertices in any common plane, in either sense of rotation, not closed.

    Returns
    -------
    ndarray of float64, shape (m, 2)
        Vertices of the intersection, in the sense of rotation of `first`; empty (0, 2) where the
        polygons do not overlap.

    Raises
    ------
    MeasurementError
        The vertices are not an (n, 2) array of finite numbers.
    """
    polygon, window = _check_vertices(first), _check_vertices(second)
    if _signed_area(window) < 0.0:
        window = window[::-1]
    for start, end in zip(window, np.roll(window, -1, axis=0), strict=True):
        polygon = _cut(polygon, start, end)
    return polygon if len(polygon) > 2 else np.empty((0, 2))


def _check_vertices(vertices: ArrayLike) -> Positions:
    points = np.asarray(vertices, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise MeasurementError(f"a polygon needs finite (x, y) vertices, not an array of shape {points.shape}")
    return points


def _crossings(start: Positions, end: Positions, ny: int) -> tuple[Indices, Array]:
    """Rows that an edge crosses, each row centre once, and the x where it does."""
    (x0, y0), (x1, y1) = (start, end) if start[1] <= end[1] else (end, start)
    rows = np.arange(max(int(np.ceil(y0)), 0), min(int(np.ceil(y1)), ny))
    if rows.size == 0:
        return rows, np.empty(0)
    return rows, x0 + (rows - y0) * (x1 - x0) / (y1 - y0)


def _signed_area(polygon: Positions) -> float:
    x, y = polygon[:, 0], polygon[:, 1]
    return float(0.5 * np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def _cut(polygon: Positions, start: Positions, end: Positions) -> Positions:
    """Part of a polygon to the left of the line from `start` to `end`."""
    if len(polygon) == 0:
        return polygon
    edge = end - start
    height = edge[0] * (polygon[:, 1] - start[1]) - edge[1] * (polygon[:, 0] - start[0])
    kept: list[Positions] = []
    for index, point in enumerate(polygon):
        previous, before, here = polygon[index - 1], height[index - 1], height[index]
        if (before > 0.0) != (here > 0.0):
            kept.append(previous + (point - previous) * before / (before - here))
        if here > 0.0:
            kept.append(point)
    return np.array(kept).reshape(-1, 2)
