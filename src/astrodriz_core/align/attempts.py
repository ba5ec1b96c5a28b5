"""One attempt to fit an association to one catalogue in one way: matched, fitted, checked, its quality told."""

from __future__ import annotations

from attrs import frozen

from astrodriz_core.align.absolute import CatalogPositions, FittedCatalog, fit_catalog
from astrodriz_core.align.consistency import check_consistency
from astrodriz_core.align.fit_quality import check_fit, check_gain, fit_quality
from astrodriz_core.align.fitting import LinearTransform
from astrodriz_core.align.linking import ExposurePositions
from astrodriz_core.align.merging import MergedSources
from astrodriz_core.errors import AlignmentError
from astrodriz_core.parameters.alignment import FitParameters
from astrodriz_core.records.astrometry import FitAttempt, FitQuality, MatchMethod, RelativeFit

__all__ = ["Attempt", "RegisteredExposures", "attempt_fit"]


@frozen(eq=False, kw_only=True)
class RegisteredExposures:
    """The exposures after the relative fit.

    Attributes
    ----------
    exposures : tuple of ExposurePositions
        Their sources, as they were before it.
    transforms : tuple of LinearTransform
        The relative correction of each exposure.
    relative : RelativeFit
    merged : MergedSources
    pixel_arcsec : float
        Size of a pixel, for lengths that are given in pixels.
    """

    exposures: tuple[ExposurePositions, ...]
    transforms: tuple[LinearTransform, ...]
    relative: RelativeFit
    merged: MergedSources
    pixel_arcsec: float


@frozen(eq=False)
class Attempt:
    """One attempt and what it would do.

    Attributes
    ----------
    record : FitAttempt
    transform : LinearTransform or None
        From the exposures, relative corrections applied, to the catalogue; None where no fit was possible.
    """

    record: FitAttempt
    transform: LinearTransform | None


def attempt_fit(
    registered: RegisteredExposures,
    name: str,
    catalog: CatalogPositions,
    method: MatchMethod,
    parameters: FitParameters,
) -> Attempt:
    """Match and fit one catalogue in one way, and judge the result.

    Parameters
    ----------
    registered : RegisteredExposures
    name : str
        Name of the catalogue.
    catalog : CatalogPositions
        Those rows that may lie on the exposures.
    method : MatchMethod
    parameters : FitParameters

    Returns
    -------
    Attempt
        With quality `FitQuality.NOT_VALID` and the reason where there are too few matches for any geometry.
    """
    try:
        fitted = fit_catalog(registered.merged, catalog, method, parameters, registered.pixel_arcsec)
    except AlignmentError as error:
        return Attempt(FitAttempt(name, method, 0, None, FitQuality.NOT_VALID, (), None, str(error)), None)
    whole = tuple(fitted.transform.after(first) for first in registered.transforms)
    consistency = check_consistency(
        registered.exposures, whole, catalog, registered.pixel_arcsec, parameters.tolerance_pixels
    )
    checks = (*check_fit(fitted.evidence, parameters), consistency)
    gain = check_gain(fitted.evidence, fitted.holdout, registered.relative.registration)
    failed = [check.reason for check in (*checks, *gain) if not check.passed]
    record = FitAttempt(
        catalog=name,
        method=method,
        candidates=fitted.candidates,
        fit=fitted.record,
        quality=fit_quality(checks, fitted.evidence, parameters),
        checks=(*checks, *gain),
        holdout=fitted.holdout,
        reason=" ".join(failed) or _success(fitted),
    )
    return Attempt(record, fitted.transform)


def _success(fitted: FittedCatalog) -> str:
    fit = fitted.record
    return f"{fit.matches} matches, {fit.geometry.value}, RMS {fit.rms_mas:.2f} mas."
