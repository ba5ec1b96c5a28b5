"""Alignment parameters of each detector.

The values are the published ones of the archive's alignment of HST exposures; where ours differ, the
comment beside them says why. Lengths are pixels of the detector unless the name says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from math import hypot

from attrs import evolve, field, frozen

from astrodriz_core.instruments.detectors import DetectorDescription, DetectorKind, detector_description
from astrodriz_core.parameters.choices import FitGeometry

__all__ = [
    "CATALOG_ORDER",
    "AlignmentParameters",
    "BackgroundEstimator",
    "FitParameters",
    "SourceParameters",
    "alignment_parameters",
    "catalog_order",
    "common_fit",
]

CATALOG_ORDER = ("GAIAeDR3", "GAIADR3", "GAIADR2", "GAIADR1", "GSC242", "2MASS")
"""Catalogues, the most accurate one first; what is asked of a source that says itself which of them it has."""

PIXEL_FWHM = 0.68
"""FWHM, in pixels, of the Gaussian with the variance of a pixel, by which it widens the PSF of the telescope."""

NARROWEST_FWHM = 1.5
"""Pixels. No star is narrower once it is spread over pixels."""

RAMP_FLAGS = 8192 | 2048 | 1024
"""Bits of WFC3/IR that leave a pixel good: a cosmic ray that calwf3 took out of the ramp, signal in the zero read, not
used."""

COSMIC_RAY_BITS = 4096 | 8192
"""Cosmic rays found by a drizzle run and by the calibration of CR-SPLIT exposures."""

SINK_PIXEL = 1024
"""The one of the bits that leave a CCD pixel usable that does not displace a centroid; hot and warm pixels do."""


class BackgroundEstimator(Enum):
    """What a background box is summed up by."""

    MEDIAN = "median"
    SEXTRACTOR = "sextractor"


@frozen
class SourceParameters:
    """How sources are found on one chip.

    Attributes
    ----------
    pixel_arcsec : float
        Size of a pixel, arcsec: nominal, until it is replaced by that of the chip that is searched.
    good_bits : int
        Data quality bits that do not mask a pixel for detection.
    saturation_bits : int
        Data quality bits that say saturated; a source with one in its core is left out.
    harmless_bits : int
        Data quality bits that may lie in the core of a source without biasing its centroid.
    psf_fwhm_arcsec : float
        FWHM of the detector's PSF, by which stars are told from galaxies and cosmic rays, and which stands in where
        the image does not give one.
    cosmic_ray_bits : int
        Data quality bits that say cosmic ray.
    box_size : int
        Side of a background box.
    filter_size : int
        Boxes over which the background is median filtered.
    background : BackgroundEstimator
        What sums up a box.
    nsigma : float
        Threshold of the smoothed image in units of the scatter of the background.
    max_sources : int
        The brightest so many sources of each chip are kept.
    ignore_cosmic_ray_bit : bool
        Take no notice of bit 4096. With a misplaced exposure the cosmic-ray step flags the cores of
        stars, and honouring its flags would hide the very sources that put the exposure right.
    deblend : bool
        Take every peak of a segment for a source. Off, as published: neighbours pull each other's centroids.
    """

    pixel_arcsec: float
    good_bits: int
    saturation_bits: int
    harmless_bits: int
    psf_fwhm_arcsec: float
    cosmic_ray_bits: int = COSMIC_RAY_BITS
    box_size: int = 13
    filter_size: int = 3
    background: BackgroundEstimator = BackgroundEstimator.MEDIAN
    nsigma: float = 3.0
    max_sources: int = 250
    ignore_cosmic_ray_bit: bool = False
    deblend: bool = False

    @property
    def fallback_fwhm(self) -> float:
        """FWHM in pixels, on this chip, that stands in where the image does not give one."""
        return max(hypot(self.psf_fwhm_arcsec / self.pixel_arcsec, PIXEL_FWHM), NARROWEST_FWHM)


MIN_MATCHES = (
    (FitGeometry.GENERAL, 25),
    (FitGeometry.RSCALE, 12),
    (FitGeometry.RSHIFT, 6),
    (FitGeometry.SHIFT, 3),
)
"""The fewest matches for each geometry, the richest geometry first. 25 and 12 are the published figures;
6 and 3 leave at least 9 and 4 degrees of freedom."""


MAX_CHANCE = 1e-6
"""The radius of the matches is chosen after the fact, which the bound on the probability leaves out: of 1500
catalogues of noise it fell below 1e-2, 1e-3 and 1e-4 for 18, 4 and 1."""


@frozen
class FitParameters:
    """How exposures are matched and fitted, to each other and to a catalogue.

    Attributes
    ----------
    geometry : FitGeometry
        The richest geometry of the absolute fit.
    min_matches : tuple of (FitGeometry, int)
        The fewest matches for each geometry, the richest first.
    relative_search_pixels, absolute_search_pixels : float
        Half the side of the window in which an offset is searched.
    tolerance_pixels : float
        Greatest distance of a match.
    default_search_pixels : float
        Half the side of the window of the offset where the present WCS is taken to be nearly right: with few
        catalogue sources less can come about by chance in it.
    max_rms_mas : float
        A fit with a smaller RMS has quality 1.
    rms_limit_mas : float
        A fit with a greater RMS is not valid.
    min_catalog_sources : int
        Fewer rows than this in the field: no fit is tried.
    min_image_sources : int
        Fewer sources than this in an exposure: it takes no part in the matching.
    clip_sigma : float
        Residuals beyond so many robust standard deviations are left out.
    max_link_chance_probability : float
        Greatest probability that the shared sources of two exposures came about by chance.
    max_chance_probability : float
        Greatest probability that the matches came about by chance.
    folds : int
        Parts of the matches that are left out in turn.
    """

    geometry: FitGeometry = FitGeometry.RSCALE
    min_matches: tuple[tuple[FitGeometry, int], ...] = MIN_MATCHES
    relative_search_pixels: float = 125.0
    absolute_search_pixels: float = 250.0
    tolerance_pixels: float = 2.0
    default_search_pixels: float = 10.0
    max_rms_mas: float = 20.0
    rms_limit_mas: float = 150.0
    min_catalog_sources: int = 3
    min_image_sources: int = 4
    clip_sigma: float = 3.5
    max_link_chance_probability: float = 1e-4
    max_chance_probability: float = MAX_CHANCE
    folds: int = 5


@frozen
class AlignmentParameters:
    """Everything that aligning the exposures of one detector needs to know.

    Attributes
    ----------
    sources : SourceParameters
    fit : FitParameters
    catalogs : tuple of str
        Names of the catalogues in the order in which they are tried.
    """

    sources: SourceParameters
    fit: FitParameters = field(factory=FitParameters)
    catalogs: tuple[str, ...] = ("GAIAeDR3", "GSC242", "2MASS")


WIDE_SEARCH = FitParameters(absolute_search_pixels=400.0)
"""For detectors with small pixels and large fields."""


@frozen
class _Departure:
    """What is published for one detector in place of the values for all."""

    box_size: int = 13
    background: BackgroundEstimator = BackgroundEstimator.MEDIAN
    max_sources: int = 250
    fit: FitParameters = FitParameters()


DEPARTURES = {
    "ACS/WFC": _Departure(27, BackgroundEstimator.SEXTRACTOR, 500, WIDE_SEARCH),
    "WFC3/UVIS": _Departure(27, BackgroundEstimator.SEXTRACTOR, 500, WIDE_SEARCH),
}
"""Published parameters by detector, where they differ."""


def alignment_parameters(instrument: str, detector: str) -> AlignmentParameters:
    """Alignment parameters of a detector.

    Parameters
    ----------
    instrument, detector : str
        INSTRUME and DETECTOR (NICMOS: CAMERA) as in the header, in any case.

    Raises
    ------
    InputError
        The detector is not known.
    """
    description = detector_description(instrument, detector)
    departure = DEPARTURES.get(description.name, _Departure())
    good, harmless = _usable_bits(description)
    sources = SourceParameters(
        pixel_arcsec=description.other_pixel_scale_arcsec or description.pixel_scale_arcsec,
        good_bits=good,
        saturation_bits=description.saturation_bits,
        harmless_bits=harmless,
        psf_fwhm_arcsec=description.psf_fwhm_arcsec,
        cosmic_ray_bits=COSMIC_RAY_BITS & ~harmless,
        box_size=departure.box_size,
        background=departure.background,
        max_sources=departure.max_sources,
    )
    return AlignmentParameters(sources, departure.fit)


def common_fit(parameters: Sequence[AlignmentParameters]) -> FitParameters:
    """How exposures of several detectors are matched and fitted together.

    Lengths count in the largest pixels of them all, whose detector's parameters are taken, with windows as wide on the
    sky as the widest of any detector. Exposures of one detector have the parameters of that.

    Parameters
    ----------
    parameters : sequence of AlignmentParameters
        Of each exposure, or of each detector; one at least.
    """
    coarsest = max(parameters, key=lambda each: each.sources.pixel_arcsec)
    largest = coarsest.sources.pixel_arcsec
    shares = [(each.fit, each.sources.pixel_arcsec / largest) for each in parameters]
    return evolve(
        coarsest.fit,
        relative_search_pixels=max(fit.relative_search_pixels * share for fit, share in shares),
        absolute_search_pixels=max(fit.absolute_search_pixels * share for fit, share in shares),
        default_search_pixels=max(fit.default_search_pixels * share for fit, share in shares),
    )


def catalog_order(parameters: Sequence[AlignmentParameters]) -> tuple[str, ...]:
    """Every catalogue that any detector asks, once each, those of the first one first."""
    return tuple(dict.fromkeys(name for each in parameters for name in each.catalogs))


def _usable_bits(description: DetectorDescription) -> tuple[int, int]:
    """Bits that do not mask a pixel, and those of them that may lie in the core of a source."""
    good = description.good_bits
    if description.kind is DetectorKind.CCD and good & SINK_PIXEL:
        return good, SINK_PIXEL
    ramp = RAMP_FLAGS if description.name == "WFC3/IR" else 0
    return good | ramp, (good | ramp) & ~description.saturation_bits
