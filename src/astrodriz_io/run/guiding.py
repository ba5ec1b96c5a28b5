"""The guiding check of ``-v``: trailed exposures are left out, and then nothing is aligned."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from attrs import evolve, frozen

from astrodriz_core.decide.guiding import decide_guiding
from astrodriz_core.instruments.dq import good_pixels
from astrodriz_core.measure.images import DrizzledImage
from astrodriz_core.measure.tangent import pixel_side_arcsec
from astrodriz_core.records.verification import GuidingCheck
from astrodriz_core.verify.guiding import check_guiding, unknown_guiding
from astrodriz_io.fits.arrays import read_dq, read_sci
from astrodriz_io.inputs.exposures import read_exposure
from astrodriz_io.run.settings import Settings
from astrodriz_io.verifying.combination import verification_parameters
from astrodriz_io.wcs.distortion import exposure_wcs

__all__ = ["GuidingResult", "find_trailed_exposures"]

logger = logging.getLogger(__name__)


@frozen
class GuidingResult:
    """What the check found, and what follows from it.

    Attributes
    ----------
    checks : tuple of GuidingCheck
        One for each exposure; empty where the check was not asked for.
    left_out : frozenset of str
        Rootnames of exposures that take no further part.
    settings : Settings
        With both alignment stages off where `decide_guiding` says so.
    warnings : tuple of str
        For the record.
    """

    checks: tuple[GuidingCheck, ...]
    left_out: frozenset[str]
    settings: Settings
    warnings: tuple[str, ...]


def find_trailed_exposures(files: Sequence[Path], settings: Settings) -> GuidingResult:
    """Look for trailed sources in every exposure, if the settings ask for it.

    Spectra, and exposures that are trailed on purpose, are not judged.

    Raises
    ------
    NoViableDataError
        Every exposure is trailed, and the settings do not force a product.
    """
    if not settings.verify_guiding:
        return GuidingResult((), frozenset(), settings, ())
    checks = tuple(_check(file) for file in files)
    decision = decide_guiding(checks, force=settings.force, force_alignment=settings.force_alignment)
    if not decision.may_align:
        settings = evolve(settings, apply_apriori=False, compute_aposteriori=False)
    for warning in decision.warnings:
        logger.warning("%s", warning)
    return GuidingResult(checks, decision.left_out, settings, decision.warnings)


def _check(file: Path) -> GuidingCheck:
    exposure = read_exposure(file)
    if exposure.observation.unverifiable is not None:
        return unknown_guiding(exposure.rootname, exposure.observation.unverifiable)
    detector, extver = exposure.description, exposure.chips[0].extver
    flags = read_dq(file, extver)
    image = DrizzledImage(
        name=exposure.rootname,
        sci=read_sci(file, extver),
        wht=good_pixels(flags, detector.good_bits).astype(np.float32),
        exptime=exposure.exposure_time,
        saturated=(flags & detector.saturation_bits) != 0,
    )
    # Pixels are larger than the detector's where they were added up.
    pixel = pixel_side_arcsec(exposure_wcs(file).chips[0].cd)
    return check_guiding(image, verification_parameters(detector, pixel))
