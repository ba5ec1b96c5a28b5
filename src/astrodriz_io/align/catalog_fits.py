"""Fits of an association to one catalogue after the other, each attempt judged."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from attrs import frozen

from astrodriz_core.align.absolute import CatalogPositions, FittedCatalog, fit_catalog
from astrodriz_core.align.consistency import check_consistency
from astrodriz_core.align.fit_quality import GAIN_CHECKS, check_fit, check_gain, fit_quality
from astrodriz_core.align.fitting import LinearTransform
from astrodriz_core.align.merging import MergedSources
from astrodriz_core.errors import AlignmentError, CatalogError
from astrodriz_core.parameters.alignment import FitParameters
from astrodriz_core.records.astrometry import CatalogProvenance, FitAttempt, FitQuality, MatchMethod, RelativeFit
from astrodriz_io.align.exposure_sources import AssociationSources
from astrodriz_io.catalogs.files import Catalog, CatalogRows, Footprint

__all__ = ["Attempt", "RegisteredAssociation", "is_good", "try_catalogs"]

logger = logging.getLogger(__name__)


@frozen(eq=False)
class RegisteredAssociation:
    """The exposures after the relative fit.

    Attributes
    ----------
    files : tuple of Path
    sources : AssociationSources
    relative_transforms : tuple of LinearTransform
        The relative correction of each exposure.
    relative : RelativeFit
    merged : MergedSources
    epoch : float or None
        Decimal year; None where no exposure tells its time.
    pixel_arcsec : float
    """

    files: tuple[Path, ...]
    sources: AssociationSources
    relative_transforms: tuple[LinearTransform, ...]
    relative: RelativeFit
    merged: MergedSources
    epoch: float | None
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


def try_catalogs(
    association: RegisteredAssociation, catalogs: Sequence[Catalog], parameters: FitParameters
) -> tuple[list[Attempt], list[CatalogProvenance]]:
    """Fit to one catalogue after the other until a fit is as good as can be and better than the WCS before.

    None is asked where the epoch is not known: stars move, and a catalogue without its epoch is no reference.

    Returns
    -------
    attempts : list of Attempt
        Two for each catalogue that has rows in the field.
    asked : list of CatalogProvenance
        Every catalogue that was asked, also those that gave no answer.
    """
    attempts: list[Attempt] = []
    asked: list[CatalogProvenance] = []
    if association.epoch is None:
        return attempts, asked
    for catalog in catalogs:
        rows, provenance = _query(catalog, association, association.epoch, parameters)
        asked.append(provenance)
        if rows is None or len(rows) < parameters.min_catalog_sources:
            continue
        attempts += [_attempt(association, catalog.name, rows, method, parameters) for method in MatchMethod]
        if any(is_good(tried.record) and tried.record.quality is FitQuality.VALID for tried in attempts):
            break
    return attempts, asked


def _query(
    catalog: Catalog, association: RegisteredAssociation, epoch: float, parameters: FitParameters
) -> tuple[CatalogPositions | None, CatalogProvenance]:
    """Rows of a catalogue that may lie on the exposures."""
    plane, corners = association.sources.plane, association.sources.corners
    search = parameters.absolute_search_pixels * association.pixel_arcsec
    radius = (float(np.hypot(*corners.reshape(-1, 2).T).max()) + search) / 3600.0
    footprint = Footprint(plane.ra, plane.dec, radius)
    try:
        rows = catalog.query(footprint, epoch)
    except CatalogError as error:
        logger.warning("%s: %s", catalog.name, str(error))
        unknown = CatalogProvenance(catalog.name, None, 0, None, epoch, None, 0, problem=str(error))
        return None, unknown
    return _positions(rows, association), rows.provenance


def _positions(rows: CatalogRows, association: RegisteredAssociation) -> CatalogPositions:
    """Rows in the tangent plane."""
    plane = association.sources.plane
    xy = plane.project(rows.positions.ra, rows.positions.dec)
    return CatalogPositions(xy, rows.positions.sigma / 1000.0, np.asarray(rows.mag))


def _attempt(
    association: RegisteredAssociation,
    name: str,
    catalog: CatalogPositions,
    method: MatchMethod,
    parameters: FitParameters,
) -> Attempt:
    """Match and fit one catalogue in one way, and judge the result."""
    try:
        fitted = fit_catalog(association.merged, catalog, method, parameters, association.pixel_arcsec)
    except AlignmentError as error:
        record = FitAttempt(name, method, 0, None, FitQuality.NOT_VALID, (), None, str(error))
        return Attempt(record, None)
    whole = tuple(fitted.transform.after(first) for first in association.relative_transforms)
    consistency = check_consistency(
        association.sources.exposures, whole, catalog, association.pixel_arcsec, parameters.tolerance_pixels
    )
    checks = (*check_fit(fitted.evidence, parameters), consistency)
    quality = fit_quality(checks, fitted.evidence, parameters)
    gain = check_gain(fitted.evidence, fitted.holdout, association.relative.registration)
    failed = [check.reason for check in (*checks, *gain) if not check.passed]
    record = FitAttempt(
        catalog=name,
        method=method,
        candidates=fitted.candidates,
        fit=fitted.record,
        quality=quality,
        checks=(*checks, *gain),
        holdout=fitted.holdout,
        reason=" ".join(failed) or _success(fitted),
    )
    return Attempt(record, fitted.transform)


def _success(fitted: FittedCatalog) -> str:
    fit = fitted.record
    return f"{fit.matches} matches, {fit.geometry.value}, RMS {fit.rms_mas:.2f} mas."


def is_good(attempt: FitAttempt) -> bool:
    """Whether a fit is valid, and better than the WCS before."""
    better = all(check.passed for check in attempt.checks if check.name in GAIN_CHECKS)
    return attempt.quality is not FitQuality.NOT_VALID and better
