"""Alignment parameters of each detector.

The values are the published ones of the archive's alignment of HST exposures; where ours differ, the
comment beside them says why. Lengths are pixels of the detector unless the name says otherwise.
"""

from __future__ import annotations

from enum import Enum

from attrs import evolve, field, frozen

from astrodriz_core.errors import MeasurementError
from astrodriz_core.records.astrometry import FitGeometry

__all__ = [
    "AlignmentParameters",
    "BackgroundEstimator",
    "FitParameters",
    "SourceParameters",
    "alignment_parameters",
]

PUBLISHED_PSF_FWHM_ARCSEC = 0.13
"""FWHM of the PSF, arcsec, that stands in where an image has too few stars to measure it."""

GOOD_BITS_CCD = 1360
"""Data quality bits of a CCD that leave a pixel usable: 1024 sink, 256 saturated, 64 warm, 16 hot."""

GOOD_BITS_IR = 512
"""Data quality bit of WFC3/IR that leaves a pixel usable: 512 blob."""


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
        Nominal size of a pixel, arcsec.
    psf_fwhm_arcsec : float
        FWHM that stands in where the image does not give one.
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
    good_bits : int
        Data quality bits that do not mask a pixel for detection.
    saturation_bits : int
        Data quality bits that say saturated; a source with one in its core is left out.
    cosmic_ray_bits : int
        Data quality bits that say cosmic ray.
    harmless_bits : int
        Data quality bits that may lie in the core of a source without biasing its centroid.
    ignore_cosmic_ray_bit : bool
        Take no notice of bit 4096. With a misplaced exposure the cosmic-ray step flags the cores of
        stars, and honouring its flags would hide the very sources that put the exposure right.
    """

    pixel_arcsec: float
    psf_fwhm_arcsec: float = PUBLISHED_PSF_FWHM_ARCSEC
    box_size: int = 27
    filter_size: int = 3
    background: BackgroundEstimator = BackgroundEstimator.MEDIAN
    nsigma: float = 3.0
    max_sources: int = 250
    good_bits: int = GOOD_BITS_CCD
    saturation_bits: int = 256 | 2048
    cosmic_ray_bits: int = 4096 | 8192
    harmless_bits: int = 1024
    ignore_cosmic_ray_bit: bool = False

    @property
    def fallback_fwhm(self) -> float:
        """FWHM in pixels that stands in where the image does not give one."""
        return self.psf_fwhm_arcsec / self.pixel_arcsec


MIN_MATCHES = (
    (FitGeometry.GENERAL, 25),
    (FitGeometry.RSCALE, 12),
    (FitGeometry.RSHIFT, 6),
    (FitGeometry.SHIFT, 3),
)
"""The fewest matches for each geometry, the richest geometry first. 25 and 12 are the published figures;
6 and 3 leave at least 9 and 4 degrees of freedom."""


@frozen
class FitParameters:
    """How exposures are matched and fitted, to each other and to a catalogue.

    Attributes
    ----------
    geometry : FitGeometry
        The richest geometry of the absolute fit.
    relative_geometry : FitGeometry
        The richest geometry of the relative fit.
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
    max_chance_probability : float
        Greatest probability that the matches came about by chance.
    folds : int
        Parts of the matches that are left out in turn.
    """

    geometry: FitGeometry = FitGeometry.RSCALE
    relative_geometry: FitGeometry = FitGeometry.RSHIFT
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
    max_chance_probability: float = 1e-4
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


_WIDE = FitParameters(absolute_search_pixels=400.0)
_CCD = SourceParameters(pixel_arcsec=0.05)
_LARGE_CCD = evolve(_CCD, background=BackgroundEstimator.SEXTRACTOR)

DETECTORS: dict[tuple[str, str], AlignmentParameters] = {
    ("ACS", "WFC"): AlignmentParameters(evolve(_LARGE_CCD, max_sources=500), _WIDE),
    ("ACS", "HRC"): AlignmentParameters(evolve(_CCD, pixel_arcsec=0.026, box_size=13)),
    ("ACS", "SBC"): AlignmentParameters(evolve(_CCD, pixel_arcsec=0.032, box_size=13, good_bits=0)),
    ("WFC3", "UVIS"): AlignmentParameters(evolve(_LARGE_CCD, pixel_arcsec=0.04), _WIDE),
    ("WFC3", "IR"): AlignmentParameters(
        SourceParameters(
            pixel_arcsec=0.1283,
            box_size=13,
            good_bits=GOOD_BITS_IR,
            saturation_bits=256,
            harmless_bits=GOOD_BITS_IR,
        )
    ),
    ("WFPC2", "PC"): AlignmentParameters(evolve(_CCD, pixel_arcsec=0.0455, box_size=13)),
}
"""Parameters by (INSTRUME, DETECTOR)."""


def alignment_parameters(instrument: str, detector: str) -> AlignmentParameters:
    """Alignment parameters of a detector.

    Parameters
    ----------
    instrument, detector : str
        INSTRUME and DETECTOR as in the header, in any case. WFPC2 has no DETECTOR in the sense of the
        others; every value is taken as its PC.

    Raises
    ------
    MeasurementError
        There is no entry for this detector.
    """
    key = (instrument.strip().upper(), detector.strip().upper())
    found = DETECTORS.get(("WFPC2", "PC") if key[0] == "WFPC2" else key)
    if found is None:
        known = ", ".join("/".join(pair) for pair in DETECTORS)
        raise MeasurementError(f"There are no alignment parameters for {'/'.join(key)}; there are for {known}.")
    return found
