"""Which exposures have something to give to a combination, and why the others have not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from astrodriz_core.combine.pixmap import TangentPlane, apply_homography, tangent_plane_homography
from astrodriz_core.combine.polygons import convex_overlap
from astrodriz_core.dq import good_pixels
from astrodriz_core.errors import NoViableDataError
from astrodriz_core.parameters import DrizzleParameters
from astrodriz_core.records.drizzling import ExcludedExposure, ExclusionReason
from astrodriz_io.drizzling.chips import DrizzleChip, DrizzleExposure, tangent_plane

__all__ = ["viable_exposures"]


def viable_exposures(
    exposures: Sequence[DrizzleExposure], parameters: DrizzleParameters
) -> tuple[tuple[DrizzleExposure, ...], tuple[ExcludedExposure, ...]]:
    """Exposures with something to give, and the others with their reasons.

    Parameters
    ----------
    exposures : sequence of DrizzleExposure
        The candidates.
    parameters : DrizzleParameters
        For the DQ bits that count as good in the product.

    Raises
    ------
    NoViableDataError
        None is left; the message says why each was left out.
    """
    excluded = [(exposure, reason) for exposure in exposures if (reason := _defect(exposure, parameters)) is not None]
    sound = [exposure for exposure in exposures if exposure not in {each for each, _ in excluded}]
    together = _largest_group(sound)
    excluded += [(exposure, ExclusionReason.NO_OVERLAP) for exposure in sound if exposure not in together]
    records = tuple(ExcludedExposure(each.rootname, reason, reason.value) for each, reason in excluded)
    if not together:
        listed = "; ".join(f"{each.rootname}: {each.detail}" for each in records)
        raise NoViableDataError(f"No exposure can be combined ({listed}).")
    return tuple(together), records


def _defect(exposure: DrizzleExposure, parameters: DrizzleParameters) -> ExclusionReason | None:
    """Why an exposure by itself has nothing to give."""
    if exposure.exptime <= 0:
        return ExclusionReason.NO_EXPOSURE_TIME
    if all(chip.chip.n_good_pixels == 0 for chip in exposure.chips):
        return ExclusionReason.NO_GOOD_PIXELS
    if not any(np.isfinite(chip.sci()).any() for chip in exposure.chips):
        return ExclusionReason.NOT_FINITE
    if not any(good_pixels(chip.dq(), parameters.final_bits).any() for chip in exposure.chips):
        return ExclusionReason.ALL_FLAGGED
    return None


def _largest_group(exposures: Sequence[DrizzleExposure]) -> list[DrizzleExposure]:
    """The most exposures that hang together by overlaps; the group of the first one where several are as large."""
    groups: list[list[DrizzleExposure]] = []
    for exposure in exposures:
        joined = [group for group in groups if any(_overlap(exposure, member) for member in group)]
        groups = [group for group in groups if group not in joined]
        groups.append([*(member for group in joined for member in group), exposure])
    chosen = max(groups, key=len, default=[])
    return [exposure for exposure in exposures if exposure in chosen]


def _overlap(first: DrizzleExposure, second: DrizzleExposure) -> bool:
    """Whether any chip of one exposure sees sky that a chip of the other one sees."""
    plane = tangent_plane(first.chips[0].wcs)
    outlines = [[_outline(chip, plane) for chip in exposure.chips] for exposure in (first, second)]
    return any(
        len(convex_overlap(one, two)) > 0
        for one in outlines[0]
        for two in outlines[1]
        if np.isfinite(one).all() and np.isfinite(two).all()
    )


def _outline(chip: DrizzleChip, plane: TangentPlane) -> NDArray[np.float64]:
    """Outer corners of a chip on a tangent plane, pixels, shape (4, 2); NaN behind the plane."""
    ny, nx = chip.chip.shape
    x, y = chip.wcs.pix2foc(np.array([-0.5, nx - 0.5, nx - 0.5, -0.5]), np.array([-0.5, -0.5, ny - 0.5, ny - 0.5]), 0)
    homography = tangent_plane_homography(tangent_plane(chip.wcs), plane)
    return np.stack(apply_homography(homography, x, y), axis=1)
