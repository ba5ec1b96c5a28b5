"""Everything that is measured of one product and its exposures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from attrs import frozen

from astrodriz_core.arrays import Mask
from astrodriz_core.errors import MeasurementError
from astrodriz_core.measure.footprint import coverage_map, maximum_overlap, overlap_region, usable_everywhere
from astrodriz_core.measure.images import DrizzledImage, VerificationParameters, check_common_grid
from astrodriz_core.records.verification import (
    AlignmentMeasurements,
    ExposureSharpness,
    OverlapRegion,
    Registration,
    SimilarityMeasurements,
)
from astrodriz_core.verify.correlation import correlate_with_others
from astrodriz_core.verify.drizzlepac import drizzlepac_numbers
from astrodriz_core.verify.each import Each
from astrodriz_core.verify.focus import focus_measurements
from astrodriz_core.verify.matching import share_sources
from astrodriz_core.verify.registration import register, unmeasured
from astrodriz_core.verify.scan import ExposureScan, ProductScan, scan_exposure, scan_product
from astrodriz_core.verify.sharpness import exposure_sharpness, focus_distribution
from astrodriz_core.verify.similarity import exposure_similarity, similarity_measurements
from astrodriz_core.verify.source_table import SourceMeasurements, measure_sources, without_spikes
from astrodriz_core.verify.sources import Peaks

__all__ = ["measure_alignment"]

#: Offsets with a larger error than this are measured by cross-correlation as well; the better one counts.
LARGEST_SOURCE_SIGMA_PIX = 0.03


def measure_alignment(
    product: DrizzledImage,
    exposures: Sequence[DrizzledImage],
    parameters: VerificationParameters,
    unverifiable: Mapping[str, str] | None = None,
    each: Each = map,
) -> AlignmentMeasurements:
    """Measure how well the exposures of one product are aligned with each other.

    Parameters
    ----------
    product : DrizzledImage
        The combination, cleaned of cosmic rays as well as may be.
    exposures : sequence of DrizzledImage
        One single-drizzled image for each exposure, on the grid of the product, not cleaned.
    parameters : VerificationParameters
        How to measure images of this detector.
    unverifiable : mapping of str to str, optional
        Exposures whose offsets are not measured, because their images do not show sources as they are on the sky,
        with the reason.
    each : callable, optional
        Called as `map` is, with what is to be done with every exposure: a function of a module, or a
        `functools.partial` of one, so that it may be called in another process.

    Returns
    -------
    AlignmentMeasurements
        What could not be measured is None, with the reason where one is due.

    Raises
    ------
    MeasurementError
        If there are fewer than two exposures, or the images are not on one grid.
    """
    singles = tuple(exposures)
    if len(singles) < 2:
        raise MeasurementError("The alignment of fewer than two exposures cannot be measured.", where=product.name)
    check_common_grid((product, *singles))
    names = [single.name for single in singles]
    walk = _walk(product, singles, parameters, each)
    peaks = [without_spikes(*pair, parameters) for pair in zip(singles, walk.peaks, strict=True)]
    shared = share_sources(peaks, parameters)
    sources = measure_sources(product, singles, shared, parameters)
    registered = register(names, sources.table, shared.offsets, parameters)
    return AlignmentMeasurements(
        product=product.name,
        pixel_scale_arcsec=parameters.pixel_scale_arcsec,
        region=walk.region,
        focus=focus_measurements(
            [product.name, *names],
            [walk.product.peak, *(scan.peak for scan in walk.exposures)],
            parameters.log_sigma_pix,
            focus_distribution(sources.product_peaks, sources.peaks),
        ),
        similarity=_similarity(singles, walk.exposures),
        registration=_but_for(unverifiable or {}, _with_correlation(registered, singles, walk, parameters)),
        sharpness=_sharpness(names, sources),
        drizzlepac=drizzlepac_numbers(product, singles, parameters, each),
    )


def _but_for(unverifiable: Mapping[str, str], registered: tuple[Registration, ...]) -> tuple[Registration, ...]:
    """The offsets less those of exposures whose images have none."""
    return tuple(
        unmeasured(record.rootname, unverifiable[record.rootname]) if record.rootname in unverifiable else record
        for record in registered
    )


@frozen(eq=False)
class Walk:
    """What one walk over each image gives."""

    region: OverlapRegion | None
    product: ProductScan
    exposures: tuple[ExposureScan, ...]

    @property
    def peaks(self) -> tuple[Peaks, ...]:
        """Find the peaks of every exposure."""
        return tuple(scan.peaks for scan in self.exposures)


def _walk(
    product: DrizzledImage, singles: tuple[DrizzledImage, ...], parameters: VerificationParameters, each: Each
) -> Walk:
    """Walk over the product and over every exposure."""
    coverage = coverage_map(singles)
    usable = usable_everywhere((product, *singles), parameters.erosion_iterations)
    seen = scan_product(product, usable, parameters)

    region = overlap_region(coverage)

    def overlap(single: DrizzledImage) -> Mask:
        count = region.n_exposures if region is not None else 0
        return maximum_overlap(coverage, single.covered() & product.covered(), count)

    pairs = ((single, overlap(single)) for single in singles)
    return Walk(region, seen, tuple(each(partial(_scan, product, seen, usable, parameters), pairs)))


def _scan(
    product: DrizzledImage,
    seen: ProductScan,
    usable: Mask,
    parameters: VerificationParameters,
    pair: tuple[DrizzledImage, Mask],
) -> ExposureScan:
    """Walk over one exposure, which comes with its region of overlap."""
    exposure, region = pair
    return scan_exposure(exposure, product, seen, usable, region, parameters)


def _similarity(singles: tuple[DrizzledImage, ...], scans: tuple[ExposureScan, ...]) -> SimilarityMeasurements:
    """Similarity of every exposure, its Hamming distance scaled by the exposure time over the longest."""
    longest = max(single.exptime for single in singles)
    weights = [single.exptime / longest if longest > 0 else 1.0 for single in singles]
    return similarity_measurements(
        [
            exposure_similarity(single.name, scan.difference, weight)
            for single, scan, weight in zip(singles, scans, weights, strict=True)
        ]
    )


def _with_correlation(
    registered: tuple[Registration, ...],
    singles: tuple[DrizzledImage, ...],
    walk: Walk,
    parameters: VerificationParameters,
) -> tuple[Registration, ...]:
    """Offsets from sources; where these are too few, those from cross-correlation if they are better."""
    poor = [i for i, record in enumerate(registered) if _error(record) > LARGEST_SOURCE_SIGMA_PIX]
    if not poor or walk.region is None:
        return registered
    correlated = correlate_with_others(singles, poor, walk.region, walk.product.sources, parameters)
    return tuple(min(record, correlated.get(index, record), key=_error) for index, record in enumerate(registered))


def _error(registration: Registration) -> float:
    """Standard error of an offset; infinite where there is none."""
    return np.inf if registration.sigma_pix is None else registration.sigma_pix


def _sharpness(names: Sequence[str], sources: SourceMeasurements) -> tuple[ExposureSharpness, ...]:
    """Measure the sharpness of every exposure."""
    records = []
    for index, name in enumerate(names):
        flagged = sources.flagged[:, index]
        known = flagged[np.isfinite(flagged)]
        fraction = float(known.mean()) if known.size else None
        records.append(exposure_sharpness(name, index, sources.concentrations, fraction))
    return tuple(records)
