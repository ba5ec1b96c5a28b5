"""From a combination to the verdict on its alignment: arrays go to the core, records come back."""

from __future__ import annotations

from functools import partial

from attrs import evolve

from astrodriz_core.instruments.detectors import DetectorDescription
from astrodriz_core.measure.images import DrizzledImage, VerificationParameters
from astrodriz_core.records.verification import Policy, ProductComparison, Verification
from astrodriz_core.verify.comparison import compare_products
from astrodriz_core.verify.each import Each
from astrodriz_core.verify.measurement import measure_alignment
from astrodriz_core.verify.verification import judge
from astrodriz_io.drizzling.combination import Combination
from astrodriz_io.drizzling.final import drizzle_together
from astrodriz_io.inputs.exposure_sets import common_detector

__all__ = ["compare_with_default", "verification_parameters", "verify_combination"]


def verification_parameters(detector: DetectorDescription, pixel_arcsec: float) -> VerificationParameters:
    """How images of this detector with pixels of this size are measured."""
    return VerificationParameters(
        log_sigma_pix=detector.log_sigma_pixels,
        pixel_scale_arcsec=pixel_arcsec,
        psf_fwhm_pix=detector.psf_fwhm_arcsec / pixel_arcsec,
    )


def verify_combination(combination: Combination, policy: Policy) -> Verification | None:
    """Measure and judge the alignment of a combination; None where there is one exposure only.

    The alignment of spectra and trailed images is undetermined: positions in them are not those of sources.
    """
    if len(combination.singles) < 2:
        return None
    unverifiable = _unverifiable(combination)
    measured = measure_alignment(
        product_image(combination), combination.singles, _parameters(combination), unverifiable, _each(combination)
    )
    return judge(measured, policy, unverifiable)


def _each(combination: Combination) -> Each:
    """What calls the functions of the measurement, in the processes of the run."""
    resources = combination.inputs.resources
    keep = partial(resources.store.put, "verification")
    return partial(resources.workers.map, pixels=combination.inputs.separable_work, keep=keep)


def compare_with_default(combination: Combination, default: Combination) -> ProductComparison:
    """The product of a stage against the pipeline-default product.

    Their frames follow the exposures' own WCSs and may differ by a row or a column, which is cut off.
    """
    images = (product_image(combination), product_image(default))
    ny, nx = (min(image.shape[axis] for image in images) for axis in (0, 1))
    product, reference = (
        evolve(image, name=name, sci=image.sci[:ny, :nx], wht=image.wht[:ny, :nx])
        for image, name in zip(images, ("stage product", "default product"), strict=True)
    )
    return compare_products(product, reference, _parameters(combination))


def product_image(combination: Combination) -> DrizzledImage:
    """The product in electrons/s on the common grid, as the verification takes it."""
    inputs, final = combination.inputs, combination.final
    if final.frame != inputs.frame:
        final = drizzle_together(inputs, inputs.frame, combination.cosmic_rays)
    return DrizzledImage(
        name="product", sci=final.sci * final.electron_rate_per_unit, wht=final.wht, exptime=final.exptime
    )


def _unverifiable(combination: Combination) -> dict[str, str]:
    """Exposures whose images do not show sources as they are on the sky, with the reason."""
    found = {each.rootname: each.exposure.observation.unverifiable for each in combination.inputs.exposures}
    return {rootname: reason for rootname, reason in found.items() if reason is not None}


def _parameters(combination: Combination) -> VerificationParameters:
    detector = common_detector([each.exposure for each in combination.inputs.exposures])
    return verification_parameters(detector, combination.inputs.frame.pixel_scale_arcsec)
