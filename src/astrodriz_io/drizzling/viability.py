"""Which exposures have something to give to a combination, and why the others have not."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from astrodriz_core.arrays import Array
from astrodriz_core.combine.pixmap import TanWcs, apply_homography, tangent_plane_homography
from astrodriz_core.combine.polygons import convex_overlap
from astrodriz_core.decide.viability import PixelContent, excluded_by_header, excluded_by_place, nothing_left
from astrodriz_core.instruments.dq import good_pixels
from astrodriz_core.parameters.drizzle import DrizzleParameters
from astrodriz_core.records.drizzling import ExcludedExposure
from astrodriz_io.drizzling.chips import DrizzleChip, DrizzleExposure, tangent_plane
from astrodriz_io.inputs.exposures import Exposure

__all__ = ["header_defect", "unusable_exposures", "viable_exposures"]


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
    apart = excluded_by_place(
        [exposure.rootname for exposure in sound], lambda one, other: _overlap(sound[one], sound[other])
    )
    return (*excluded, *apart)


def header_defect(exposure: Exposure) -> ExcludedExposure | None:
    """Why the headers of an exposure say that it has nothing to give; None where they do not."""
    return excluded_by_header(exposure.rootname, exposure.observation.conditions, exposure.exposure_time)


def _defect(exposure: DrizzleExposure, parameters: DrizzleParameters) -> ExcludedExposure | None:
    """Why an exposure by itself has nothing to give."""
    by_header = header_defect(exposure.exposure)
    return by_header if by_header is not None else _content(exposure, parameters).defect(exposure.rootname)


def _content(exposure: DrizzleExposure, parameters: DrizzleParameters) -> PixelContent:
    return PixelContent(
        pixels=sum(math.prod(chip.chip.shape) for chip in exposure.chips),
        any_finite=any(np.isfinite(chip.pixels.sci()).any() for chip in exposure.chips),
        any_good=any(good_pixels(chip.pixels.dq(), parameters.final_bits).any() for chip in exposure.chips),
    )


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


def _outline(chip: DrizzleChip, plane: TanWcs) -> Array:
    """Outer corners of a chip on a tangent plane, pixels, shape (4, 2); NaN behind the plane."""
    ny, nx = chip.chip.shape
    x, y = chip.wcs.pix2foc(np.array([-0.5, nx - 0.5, nx - 0.5, -0.5]), np.array([-0.5, -0.5, ny - 0.5, ny - 0.5]), 0)
    homography = tangent_plane_homography(tangent_plane(chip.wcs), plane)
    return np.stack(apply_homography(homography, x, y), axis=1)
