"""Offset of one exposure from the others by cross-correlation, for fields with few compact sources.

The images are filtered with the Laplacian of Gaussian, which takes away the sky and keeps every edge that
the point spread function allows, cosmic rays and missing pixels are set to 0, and values are clipped so
that no single star decides. Blocks of the overlap are correlated one by one: their sum gives the offset,
and leaving out each in turn its error.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import fft
from scipy.interpolate import RectBivariateSpline

from astrodriz_core.arrays import Array, Image, Mask
from astrodriz_core.measure.images import DrizzledImage, VerificationParameters
from astrodriz_core.measure.laplacian import laplacian_of_gaussian
from astrodriz_core.measure.robust import MEDIAN_ABSOLUTE
from astrodriz_core.records.verification import OverlapRegion, Registration, RegistrationMethod
from astrodriz_core.verify.calibration import small_sample_factor
from astrodriz_core.verify.scan import contaminated
from astrodriz_core.verify.sources import background_level, parabola_top, response_noise

__all__ = ["correlate_with_others", "filtered_window", "offset_from_blocks"]

#: Side of a block, pixels.
BLOCK = 128
#: The overlap is cut down to this side around its centre, which bounds time and memory.
LARGEST_SIDE = 1536
#: Filtered values are clipped at this many times their noise.
CLIP_SIGMA = 20.0
#: Lags on either side of the peak that the sub-pixel offset is interpolated from.
PEAK_LAGS = 5
#: The peak of the correlation stands this many standard deviations above the rest of the map.
DETECTION_SIGMA = 7.0
#: Steps of a pixel on which the interpolated peak is looked for.
FINE_STEPS = 20
#: Error that leaving out blocks does not show (undersampling, distortion), pixels.
CORRELATION_SYSTEMATIC_PIX = 0.01
#: Blocks that see both images, at least, for an error from leaving each out.
FEWEST_BLOCKS = 4


def correlate_with_others(
    exposures: Sequence[DrizzledImage],
    wanted: Sequence[int],
    region: OverlapRegion,
    sources: Mask,
    parameters: VerificationParameters,
) -> dict[int, Registration]:
    """Offsets of some exposures, each against the combination of all others.

    Parameters
    ----------
    exposures : sequence of DrizzledImage
        All single-drizzled images.
    wanted : sequence of int
        The exposures to measure.
    region : OverlapRegion
        Where they overlap.
    sources : numpy.ndarray of bool, shape (ny, nx)
        Sources of the product: flagged pixels there are not taken for cosmic rays.
    parameters : VerificationParameters
        How to measure.

    Returns
    -------
    dict of int to Registration
        Without those exposures for which no offset stands out within the search radius. The others are
        combined by their median, of two by their mean, so that of three one may be off its place.
    """
    window = _central_window(region)
    cleaned = np.array([filtered_window(image, window, sources, parameters) for image in exposures])
    reach = int(np.ceil(min(parameters.search_radius_pix, BLOCK // 2 - PEAK_LAGS)))
    records = {}
    for index in wanted:
        others = np.median(np.delete(cleaned, index, axis=0), axis=0)
        found = _offset_in_two_steps(exposures[index], others, window, sources, reach, parameters)
        if found is not None:
            records[index] = _record(exposures[index].name, *found, parameters.pixel_scale_arcsec)
    return records


def _offset_in_two_steps(
    exposure: DrizzledImage,
    others: Image,
    window: tuple[slice, slice],
    sources: Mask,
    reach: int,
    parameters: VerificationParameters,
) -> tuple[tuple[float, float], float, int] | None:
    """First with every pixel, then without the cosmic rays that lie off the sources at that offset.

    In an exposure that is off its place the sources themselves are flagged, off the sources of the
    product; only their offset tells them from cosmic rays.
    """
    first = offset_from_blocks(filtered_window(exposure, window, None, parameters), others, reach)
    if first is None:
        return None
    dx, dy = (round(value) for value in first[0])
    moved = np.roll(sources, (dy, dx), axis=(0, 1))
    return offset_from_blocks(filtered_window(exposure, window, moved, parameters), others, reach)


def _record(name: str, offset: tuple[float, float], sigma: float, n_blocks: int, scale_arcsec: float) -> Registration:
    """Record of one correlation."""
    return Registration(
        rootname=name,
        dx_pix=offset[0],
        dy_pix=offset[1],
        dx_arcsec=offset[0] * scale_arcsec,
        dy_arcsec=offset[1] * scale_arcsec,
        sigma_pix=float(np.hypot(sigma, CORRELATION_SYSTEMATIC_PIX)),
        rotation_deg=None,
        rotation_sigma_deg=None,
        lever_arm_pix=None,
        n_sources=n_blocks,
        method=RegistrationMethod.CROSS_CORRELATION,
        reason="",
    )


def _central_window(region: OverlapRegion) -> tuple[slice, slice]:
    """Bounding box of the overlap, cut down around its centre."""
    return (
        _central_part(region.y_start, region.y_stop),
        _central_part(region.x_start, region.x_stop),
    )


def _central_part(start: int, stop: int) -> slice:
    """Middle `LARGEST_SIDE` pixels of a range."""
    excess = max(stop - start - LARGEST_SIDE, 0) // 2
    return slice(start + excess, stop - excess)


def filtered_window(
    image: DrizzledImage,
    window: tuple[slice, slice],
    sources: Mask | None,
    parameters: VerificationParameters,
) -> Image:
    """LoG response in units of its noise, clipped; 0 where pixels are missing and, with `sources`, where
    flagged pixels lie off them.
    """
    level = background_level(image)
    covered = image.covered(window)
    pixels = np.where(covered, image.sci[window], level).astype(np.float32)
    spoiled = np.zeros_like(covered)
    if sources is not None:
        spoiled = contaminated(_window_of(image, window), sources[window])
    pixels[spoiled] = level
    response = -laplacian_of_gaussian(pixels, parameters.log_sigma_pix)
    noise = response_noise(response, covered)
    if not noise > 0 or not np.isfinite(noise):
        return np.zeros_like(response)
    response = np.clip(response / np.float32(noise), -CLIP_SIGMA, CLIP_SIGMA)
    response[~covered | spoiled] = 0
    return np.asarray(response)


def _window_of(image: DrizzledImage, window: tuple[slice, slice]) -> DrizzledImage:
    """The image in a window."""
    planes = (None if plane is None else plane[window] for plane in (image.cosmic_rays, image.saturated))
    return DrizzledImage(image.name, image.sci[window], image.wht[window], image.exptime, *planes)


def offset_from_blocks(image: Image, reference: Image, reach: int) -> tuple[tuple[float, float], float, int] | None:
    """Offset of an image against a reference, its standard error, and the number of blocks.

    Parameters
    ----------
    image, reference : numpy.ndarray, shape (ny, nx)
        Filtered images of mean about 0; 0 where nothing is known.
    reach : int
        Largest offset along one axis, pixels.

    Returns
    -------
    tuple or None
        ``(dx, dy), sigma, n_blocks``; sigma is that of one axis, from leaving out each block in turn. None
        where no peak of the correlation stands out, it lies at the edge of the search, or fewer than
        `FEWEST_BLOCKS` blocks have data.
    """
    maps = _block_correlations(image, reference, reach + PEAK_LAGS)
    if len(maps) < FEWEST_BLOCKS:
        return None
    total = maps.sum(0)
    spread = float(np.median(np.abs(total - np.median(total)))) / MEDIAN_ABSOLUTE
    inner = total[PEAK_LAGS:-PEAK_LAGS, PEAK_LAGS:-PEAK_LAGS]
    y, x = np.unravel_index(np.argmax(inner), inner.shape)
    if inner[y, x] - np.median(total) <= DETECTION_SIGMA * spread:
        return None
    cut = maps[:, y : y + 2 * PEAK_LAGS + 1, x : x + 2 * PEAK_LAGS + 1]
    best = _peak_place(cut.sum(0))
    without = np.array([_peak_place(cut.sum(0) - block) for block in cut])
    dx, dy = float(x - reach + best[0]), float(y - reach + best[1])
    return (dx, dy), _jackknife_error(without), len(cut)


def _jackknife_error(without: Array) -> float:
    """Standard error along one axis from the results without each block, shape (n, 2).

    Where few blocks decide, it is as uncertain as one from so few; their effective number is twice
    (sum of squares)^2 / sum of fourth powers, which is n for normal deviations along two axes.
    """
    number = len(without)
    squares = ((without - without.mean(0)) ** 2).sum(1)
    error = float(np.sqrt((number - 1) / number * squares.sum() / 2))
    fourth = float((squares**2).sum())
    effective = min(2 * float(squares.sum()) ** 2 / fourth, number) if fourth > 0 else number
    return error * small_sample_factor(effective)


def _block_correlations(image: Image, reference: Image, lags: int) -> Array:
    """Correlation of each block at lags from -lags to +lags, shape (n_blocks, 2 lags + 1, 2 lags + 1)."""
    size = fft.next_fast_len(BLOCK + lags, real=True)
    take = np.r_[-lags : lags + 1]
    maps = []
    for y in range(0, image.shape[0], BLOCK):
        for x in range(0, image.shape[1], BLOCK):
            one, other = (plane[y : y + BLOCK, x : x + BLOCK] for plane in (image, reference))
            if one.any() and other.any():
                spectrum = fft.rfft2(one, (size, size)) * np.conj(fft.rfft2(other, (size, size)))
                maps.append(fft.irfft2(spectrum, (size, size))[np.ix_(take, take)])
    return np.array(maps, np.float64)


def _peak_place(correlation: Array) -> Array:
    """Place (x, y) of the maximum near the middle of a small map, from the middle.

    A quintic spline is read on a fine grid, and a parabola along each axis gives the rest.
    """
    lags = np.arange(-PEAK_LAGS, PEAK_LAGS + 1)
    fine = np.arange(-FINE_STEPS, FINE_STEPS + 1) / FINE_STEPS
    values = RectBivariateSpline(lags, lags, correlation, kx=5, ky=5)(fine, fine)
    y, x = np.unravel_index(np.argmax(values[1:-1, 1:-1]), (len(fine) - 2, len(fine) - 2))
    x_step = parabola_top(values[y + 1, x : x + 3])
    y_step = parabola_top(values[y : y + 3, x + 1])
    return np.array([fine[x + 1] + x_step / FINE_STEPS, fine[y + 1] + y_step / FINE_STEPS])
