"""The a posteriori stage: the exposures fitted to each other, then all together to one catalogue.

Nothing is written until a fit has proved itself: on matches that were left out of it it has to be better than the
WCS before, and the exposures have to agree among themselves as well as before. Otherwise the files stay as they were
and the record says why.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from astropy.time import Time
from attrs import evolve, frozen

from astrodriz_core.astrometry.absolute import CatalogPositions, FittedCatalog, fit_catalog
from astrodriz_core.astrometry.fit_quality import check_fit, check_gain, fit_quality
from astrodriz_core.astrometry.fitting import LinearTransform
from astrodriz_core.astrometry.linking import link_exposures
from astrodriz_core.astrometry.merging import MergedSources, merge_sources
from astrodriz_core.astrometry.parameters import AlignmentParameters, FitParameters, alignment_parameters
from astrodriz_core.astrometry.relative import judge_relative, registration_change
from astrodriz_core.astrometry.relative_solution import solve_relative
from astrodriz_core.errors import AlignmentError, CatalogError
from astrodriz_core.records.astrometry import (
    AlignmentOutcome,
    AposterioriRecord,
    CatalogProvenance,
    FitAttempt,
    FitQuality,
    MatchMethod,
    RelativeFit,
)
from astrodriz_io.astrometry.catalogs import Catalog, CatalogRows, Footprint
from astrodriz_io.astrometry.exposure_sources import AssociationSources, find_association_sources
from astrodriz_io.astrometry.fit_writing import write_fit
from astrodriz_io.inputs.exposures import Exposure, read_exposure

__all__ = ["align"]

logger = logging.getLogger(__name__)


MISALIGNED_PIXELS = 0.1
"""Exposures closer to each other than this are well aligned (published); they need no relative fit by itself."""

CLEARLY = 5.0
"""A misalignment has to be so many times its error before exposures are moved without a catalogue to confirm it."""


@frozen(eq=False)
class _Association:
    """The exposures after the relative fit."""

    files: tuple[Path, ...]
    sources: AssociationSources
    relative_transforms: tuple[LinearTransform, ...]
    relative: RelativeFit
    merged: MergedSources
    epoch: float
    pixel_arcsec: float


@frozen(eq=False)
class _Tried:
    """One attempt and what it would do."""

    record: FitAttempt
    transform: LinearTransform | None


def align(
    files: Sequence[Path],
    catalogs: Sequence[Catalog],
    parameters: AlignmentParameters | None = None,
    *,
    ignore_cosmic_rays: bool = False,
    threads: int = 1,
) -> AposterioriRecord:
    """Align the exposures of an association to each other and to the first catalogue that gives a good fit.

    Parameters
    ----------
    files : sequence of Path
        FLT or FLC files that this run may change.
    catalogs : sequence of Catalog
        In the order of preference. The later ones are asked as long as no fit has the best quality.
    parameters : AlignmentParameters or None
        None takes those of the detector.
    ignore_cosmic_rays : bool
        Take no notice of DQ bit 4096, which may lie on stars if it was set with a misplaced exposure.
    threads : int
        Exposures that are searched for sources at a time.

    Returns
    -------
    AposterioriRecord
        The files were changed where it has `wcsnames`: with the outcomes ALIGNED and ALIGNED_RELATIVELY. A
        catalogue that cannot be had is a recorded outcome.

    Raises
    ------
    InputError, StorageError
        An exposure cannot be read or written; then none has been changed.
    """
    exposures = [read_exposure(path) for path in files]
    chosen = parameters or _parameters(exposures[0])
    found = evolve(chosen.sources, ignore_cosmic_ray_bit=ignore_cosmic_rays)
    sources = find_association_sources(exposures, found, threads)
    problem = _too_few(sources, chosen.fit)
    if problem is not None:
        return _ended(sources, *problem)
    association = _relative(exposures, sources, chosen)
    attempts, asked = _try_catalogs(association, catalogs, chosen.fit)
    return _conclude(association, attempts, asked)


def _parameters(exposure: Exposure) -> AlignmentParameters:
    return alignment_parameters(exposure.description.instrument, exposure.description.detector)


def _too_few(sources: AssociationSources, parameters: FitParameters) -> tuple[AlignmentOutcome, str] | None:
    """Why no fit can be tried; None where one can."""
    counts = [len(e) for e, r in zip(sources.exposures, sources.records, strict=True) if r.skipped is None]
    if not counts:
        reasons = "; ".join(dict.fromkeys(r.skipped for r in sources.records if r.skipped))
        return AlignmentOutcome.NOT_ALIGNABLE, reasons
    if max(counts) < parameters.min_image_sources:
        text = f"the richest exposure has {max(counts)} sources; {parameters.min_image_sources} are needed"
        return AlignmentOutcome.TOO_FEW_SOURCES, text
    return None


def _relative(
    exposures: Sequence[Exposure], sources: AssociationSources, parameters: AlignmentParameters
) -> _Association:
    """Fit the exposures to each other, and merge their sources."""
    pixel = parameters.sources.pixel_arcsec
    links = link_exposures(sources.exposures, parameters.fit, pixel)
    solution = solve_relative(sources.exposures, links, parameters.fit.clip_sigma)
    registration = registration_change(sources.exposures, links, parameters.fit.clip_sigma)
    transforms, record = judge_relative(tuple(e.rootname for e in exposures), solution, registration)
    transforms, record = _with_companions(exposures, sources, transforms, record)
    starts = [e.start for e in exposures if e.start is not None]
    return _Association(
        files=tuple(e.path for e in exposures),
        sources=sources,
        relative_transforms=transforms,
        relative=record,
        merged=merge_sources(sources.exposures, links, transforms),
        epoch=float(Time(np.mean(starts), format="mjd").decimalyear) if starts else 2000.0,
        pixel_arcsec=pixel,
    )


def _with_companions(
    exposures: Sequence[Exposure],
    sources: AssociationSources,
    transforms: tuple[LinearTransform, ...],
    record: RelativeFit,
) -> tuple[tuple[LinearTransform, ...], RelativeFit]:
    """Let exposures that cannot be aligned, such as grism ones, take the correction of the nearest one in time."""
    direct = [i for i, found in enumerate(record.exposures) if found.matches > 0]
    moved, records = list(transforms), list(record.exposures)
    for i, found in enumerate(sources.records):
        if found.skipped is None or not direct:
            continue
        nearest = min(direct, key=lambda j: abs((exposures[j].start or 0.0) - (exposures[i].start or 0.0)))
        moved[i] = transforms[nearest]
        reason = f"cannot be aligned itself: takes the correction of {exposures[nearest].rootname}"
        records[i] = evolve(records[i], reason=reason)
    return tuple(moved), evolve(record, exposures=tuple(records))


def _try_catalogs(
    association: _Association, catalogs: Sequence[Catalog], parameters: FitParameters
) -> tuple[list[_Tried], list[CatalogProvenance]]:
    """Fit to one catalogue after the other until a fit is as good as can be and better than the WCS before."""
    attempts: list[_Tried] = []
    asked: list[CatalogProvenance] = []
    for catalog in catalogs:
        rows, provenance = _query(catalog, association, parameters)
        asked.append(provenance)
        if rows is None or len(rows) < parameters.min_catalog_sources:
            continue
        attempts += [_attempt(association, catalog.name, rows, method, parameters) for method in MatchMethod]
        if any(_is_good(tried.record) and tried.record.quality is FitQuality.VALID for tried in attempts):
            break
    return attempts, asked


def _query(
    catalog: Catalog, association: _Association, parameters: FitParameters
) -> tuple[CatalogPositions | None, CatalogProvenance]:
    """Rows of a catalogue that may lie on the exposures."""
    plane, corners = association.sources.plane, association.sources.corners
    search = parameters.absolute_search_pixels * association.pixel_arcsec
    radius = (float(np.hypot(*corners.reshape(-1, 2).T).max()) + search) / 3600.0
    footprint = Footprint(plane.ra, plane.dec, radius)
    try:
        rows = catalog.query(footprint, association.epoch)
    except CatalogError as error:
        logger.warning("%s: %s", catalog.name, error)
        unknown = CatalogProvenance(catalog.name, "", 0, "", association.epoch, None, 0, problem=str(error))
        return None, unknown
    return _positions(rows, association), rows.provenance


def _positions(rows: CatalogRows, association: _Association) -> CatalogPositions:
    """Rows in the tangent plane."""
    plane = association.sources.plane
    xy = plane.project(rows.positions.ra, rows.positions.dec)
    return CatalogPositions(xy, rows.positions.sigma / 1000.0, np.asarray(rows.mag))


def _attempt(
    association: _Association, name: str, catalog: CatalogPositions, method: MatchMethod, parameters: FitParameters
) -> _Tried:
    """Match and fit one catalogue in one way, and judge the result."""
    try:
        fitted = fit_catalog(association.merged, catalog, method, parameters, association.pixel_arcsec)
    except AlignmentError as error:
        record = FitAttempt(name, method, 0, None, FitQuality.NOT_VALID, (), None, str(error))
        return _Tried(record, None)
    checks = check_fit(fitted.evidence, parameters)
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
    return _Tried(record, fitted.transform)


def _success(fitted: FittedCatalog) -> str:
    fit = fitted.record
    return f"{fit.matches} matches, {fit.geometry.value}, RMS {fit.rms_mas:.2f} mas."


def _is_good(attempt: FitAttempt) -> bool:
    """Valid, and better than the WCS before."""
    gain = {"held-out residual", "significant correction", "registration"}
    return attempt.quality is not FitQuality.NOT_VALID and all(c.passed for c in attempt.checks if c.name in gain)


def _conclude(
    association: _Association, attempts: Sequence[_Tried], asked: Sequence[CatalogProvenance]
) -> AposterioriRecord:
    """Write the good fit with the lowest RMS, or say why there is none."""
    records = tuple(tried.record for tried in attempts)
    good = [i for i, record in enumerate(records) if _is_good(record)]
    problems = [f"{c.name}: {c.problem}" for c in asked if c.problem]
    record = AposterioriRecord(
        outcome=AlignmentOutcome.NO_VALID_FIT,
        reason="",
        sources=association.sources.records,
        catalogs=tuple(asked),
        relative=association.relative,
        attempts=records,
        chosen=None,
        wcsnames=(),
        not_tried="; ".join(problems) or None,
    )
    if not good:
        outcome, reason = _failure(records, asked)
        return _relative_only(association, evolve(record, outcome=outcome, reason=reason))
    best = min(good, key=lambda i: _rms(records[i]))
    transform = attempts[best].transform or LinearTransform.identity()
    names = write_fit(
        association.files,
        association.sources.plane,
        tuple(transform.after(relative) for relative in association.relative_transforms),
        records[best],
        association.relative,
    )
    return evolve(record, outcome=AlignmentOutcome.ALIGNED, reason=records[best].reason, chosen=best, wcsnames=names)


def _relative_only(association: _Association, record: AposterioriRecord) -> AposterioriRecord:
    """Without a good fit to a catalogue, bring together exposures that are clearly apart; else leave them."""
    change = association.relative.registration
    limit = MISALIGNED_PIXELS * association.pixel_arcsec * 1000.0
    if change is None or change.before_mas < max(limit, CLEARLY * change.error_mas):
        return record
    if change.after_mas > change.before_mas / 2:
        return record
    plane, transforms = association.sources.plane, association.relative_transforms
    names = write_fit(association.files, plane, transforms, None, association.relative)
    reason = (
        f"the exposures were {change.before_mas:.1f} mas from each other, now {change.after_mas:.1f} mas; "
        f"not fitted to a catalogue: {record.reason}"
    )
    return evolve(record, outcome=AlignmentOutcome.ALIGNED_RELATIVELY, reason=reason, wcsnames=names)


def _rms(record: FitAttempt) -> float:
    return record.fit.rms_mas if record.fit is not None else np.inf


def _failure(records: Sequence[FitAttempt], asked: Sequence[CatalogProvenance]) -> tuple[AlignmentOutcome, str]:
    """How the stage ended without a good fit."""
    valid = [r for r in records if r.quality is not FitQuality.NOT_VALID]
    if valid:
        return AlignmentOutcome.NOT_BETTER, min(valid, key=_rms).reason
    if records:
        return AlignmentOutcome.NO_VALID_FIT, "; ".join(dict.fromkeys(r.reason for r in records))
    answered = [c for c in asked if c.problem is None]
    if answered:
        counts = ", ".join(f"{c.name}: {c.rows}" for c in answered)
        return AlignmentOutcome.TOO_FEW_CATALOG_SOURCES, f"catalogue sources in the field: {counts}"
    problems = "; ".join(f"{c.name}: {c.problem}" for c in asked) or "no catalogue was given"
    return AlignmentOutcome.NO_CATALOG, problems


def _ended(sources: AssociationSources, outcome: AlignmentOutcome, reason: str) -> AposterioriRecord:
    """The record of a stage that could not begin to fit."""
    return AposterioriRecord(outcome, reason, sources.records, (), None, (), None, ())
