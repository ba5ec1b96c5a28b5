"""Which exposures have something to give to a combination, and why the others have not."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from astrodriz_core.combine.pixmap import TangentPlane, apply_homography, tangent_plane_homography
from astrodriz_core.combine.polygons import convex_overlap
from astrodriz_core.errors import NoViableDataError
from astrodriz_core.instruments.dq import good_pixels
from astrodriz_core.instruments.observation import Condition
from astrodriz_core.parameters.drizzle import DrizzleParameters
from astrodriz_core.records.drizzling import ExcludedExposure, ExclusionReason
from astrodriz_io.drizzling.chips import DrizzleChip, DrizzleExposure, tangent_plane
from astrodriz_io.inputs.exposures import Exposure

__all__ = ["excluded_by_header", "nothing_left", "unusable_exposures", "viable_exposures"]


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
    excluded = unusable_exposures(exposures, parameters)
    names = {each.rootname for each in excluded}
    viable = tuple(exposure for exposure in exposures if exposure.rootname not in names)
    if not viable:
        raise nothing_left(excluded)
    return viable, excluded


def unusable_exposures(
    exposures: Sequence[DrizzleExposure], parameters: DrizzleParameters
) -> tuple[ExcludedExposure, ...]:
    """The exposures that have nothing to give, with their reasons; parameters as for `viable_exposures`."""
    excluded = [defect for exposure in exposures if (defect := _defect(exposure, parameters)) is not None]
    defective = {each.rootname for each in excluded}
    sound = [exposure for exposure in exposures if exposure.rootname not in defective]
    together = _largest_group(sound)
    apart = f"it overlaps none of the exposures that are combined ({', '.join(each.rootname for each in together)})"
    alone = (exposure for exposure in sound if exposure not in together)
    return (*excluded, *(ExcludedExposure(each.rootname, ExclusionReason.NO_OVERLAP, apart) for each in alone))


def excluded_by_header(exposure: Exposure) -> ExcludedExposure | None:
    """The reason that an exposure's headers give to leave it out, if they do."""
    conditions = exposure.observation.conditions
    if Condition.ZERO_EXPOSURE_TIME in conditions:
        detail = f"EXPTIME is {exposure.exposure_time:g} s"
        return ExcludedExposure(exposure.rootname, ExclusionReason.NO_EXPOSURE_TIME, detail)
    if Condition.NO_GOOD_PIXELS in conditions:
        detail = "NGOODPIX is 0 on all chips together"
        return ExcludedExposure(exposure.rootname, ExclusionReason.NO_GOOD_PIXELS, detail)
    return None


def nothing_left(excluded: Sequence[ExcludedExposure], where: str = "") -> NoViableDataError:
    """The error of a run or a combination that no exposure is left of."""
    listed = "; ".join(f"{each.rootname}: {each.detail}" for each in excluded)
    return NoViableDataError(f"No exposure can be combined ({listed}).", where=where)


def _defect(exposure: DrizzleExposure, parameters: DrizzleParameters) -> ExcludedExposure | None:
    """Why an exposure by itself has nothing to give."""
    by_header = excluded_by_header(exposure.exposure)
    if by_header is not None:
        return by_header
    pixels = sum(math.prod(chip.chip.shape) for chip in exposure.chips)
    if not any(np.isfinite(chip.sci()).any() for chip in exposure.chips):
        detail = f"none of its {pixels} pixels has a usable value"
        return ExcludedExposure(exposure.rootname, ExclusionReason.NOT_FINITE, detail)
    if not any(good_pixels(chip.dq(), parameters.final_bits).any() for chip in exposure.chips):
        detail = f"each of its {pixels} pixels is flagged in DQ"
        return ExcludedExposure(exposure.rootname, ExclusionReason.ALL_FLAGGED, detail)
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
