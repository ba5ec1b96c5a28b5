"""A product and the measurements of its alignment, made by hand with values such as a real run gives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from astrodriz_core.records.drizzling import OutputFrame
from astrodriz_core.records.verification import (
    AlignmentMeasurements,
    DrizzlepacExposure,
    DrizzlepacNumbers,
    ExposureSharpness,
    ExposureSimilarity,
    FocusDistribution,
    FocusIndex,
    FocusMeasurements,
    OverlapRegion,
    Registration,
    RegistrationMethod,
    SimilarityMeasurements,
)

ROOTS = ("iabc01aaq", "iabc01abq", "iabc01acq", "iabc01adq")
DEGREES = 0.128 / 3600
FRAME = OutputFrame((120, 150), (53.1, -27.7), (75.5, 60.5), ((-DEGREES, 0.0), (0.0, DEGREES)))
GOOD_OFFSETS = ((0.004, 0.002), (-0.006, -0.008), (-0.003, -0.003), (0.005, 0.009))
BAD_OFFSETS = (*GOOD_OFFSETS[:2], (1.1, 0.9), GOOD_OFFSETS[3])


@frozen(eq=False)
class ExampleProduct:
    """Arrays of a product: noise, one star, and an edge without weight."""

    frame: OutputFrame
    sci: NDArray[np.float32]
    wht: NDArray[np.float32]
    units: str = "ELECTRONS/S"


def example_product() -> ExampleProduct:
    """The product that the records speak of."""
    ny, nx = FRAME.shape
    sci = np.random.default_rng(3).normal(0.5, 0.05, FRAME.shape).astype(np.float32)
    y, x = np.mgrid[:ny, :nx]
    sci += 50 * np.exp(-((y - 70) ** 2 + (x - 40) ** 2) / 8, dtype=np.float32)
    wht = np.full(FRAME.shape, 3200, np.float32)
    sci[:, :5], wht[:, :5] = np.nan, 0
    return ExampleProduct(FRAME, sci, wht)


def measurements(offsets: Sequence[tuple[float, float]] = GOOD_OFFSETS) -> AlignmentMeasurements:
    """Measurements of a product whose exposures lie at these offsets, in pixels."""
    names = ROOTS[: len(offsets)]
    values = [220.0 + i for i in range(len(names))]
    similar = [ExposureSimilarity(name, 0.25, 0.02, 0.02) for name in names]
    return AlignmentMeasurements(
        product="product",
        pixel_scale_arcsec=FRAME.pixel_scale_arcsec,
        region=OverlapRegion(5, 115, 10, 140, 14000, len(names)),
        focus=FocusMeasurements(
            sigma_pix=2.0,
            product=FocusIndex("product", 221.0, 70, 40, -0.1),
            exposures=tuple(FocusIndex(n, v, 70, 40, 0.5) for n, v in zip(names, values, strict=True)),
            mean=float(np.mean(values)),
            sigma=float(np.std(values)),
            sources=FocusDistribution(450, 0.99, 1.0, 1.01),
        ),
        similarity=SimilarityMeasurements(tuple(similar), 0.02),
        registration=tuple(_registration(n, *offset) for n, offset in zip(names, offsets, strict=True)),
        sharpness=tuple(ExposureSharpness(name, 0.004, 0.004, 370, 0.03) for name in names),
        drizzlepac=DrizzlepacNumbers(
            221.0, tuple(DrizzlepacExposure(n, 221.0, 0.7, 0.01, 0.02) for n in names), 221.5, 1.1
        ),
    )


def unmeasured() -> AlignmentMeasurements:
    """Measurements of images without a source: every value is missing."""
    known = measurements()
    exposures = tuple(evolve(e, value=None, y=None, x=None, z_score=None) for e in known.focus.exposures)
    return evolve(
        known,
        region=None,
        focus=FocusMeasurements(
            2.0,
            FocusIndex("product", None, None, None, None),
            exposures,
            None,
            None,
            FocusDistribution(0, None, None, None),
        ),
        similarity=SimilarityMeasurements(tuple(ExposureSimilarity(n, None, None, None) for n in ROOTS), None),
        registration=tuple(
            Registration(n, None, None, None, None, None, None, None, None, 0, None, "no source was found")
            for n in ROOTS
        ),
        sharpness=tuple(ExposureSharpness(name, None, None, 0, None) for name in ROOTS),
    )


def _registration(name: str, dx: float, dy: float) -> Registration:
    scale = FRAME.pixel_scale_arcsec
    matched = RegistrationMethod.SOURCES
    return Registration(name, dx, dy, dx * scale, dy * scale, 0.005, 0.0005, 0.0006, 400.0, 330, matched, "")
