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
from attrs import evolve

from astrodriz_core.align.fitting import LinearTransform
from astrodriz_core.align.linking import link_exposures
from astrodriz_core.align.merging import merge_sources
from astrodriz_core.align.relative import judge_relative, registration_change
from astrodriz_core.align.relative_solution import solve_relative
from astrodriz_core.parameters.alignment import AlignmentParameters, FitParameters, alignment_parameters
from astrodriz_core.records.astrometry import (
    AlignmentOutcome,
    AposterioriRecord,
    CatalogProvenance,
    FitAttempt,
    FitQuality,
    RelativeFit,
)
from astrodriz_io.align.catalog_fits import Attempt, RegisteredAssociation, is_good, try_catalogs
from astrodriz_io.align.exposure_sources import AssociationSources, find_association_sources
from astrodriz_io.catalogs.files import Catalog
from astrodriz_io.inputs.exposures import Exposure, read_exposure
from astrodriz_io.runtime.library_warnings import library_warnings
from astrodriz_io.wcs.fit_writing import write_fit

__all__ = ["align"]

logger = logging.getLogger(__name__)


MISALIGNED_PIXELS = 0.1
"""Exposures closer to each other than this are well aligned (published); they need no relative fit by itself."""

UNTIMED = (AlignmentOutcome.NOT_ALIGNABLE, "no exposure tells when it began (EXPSTART), to place a catalogue's stars")
"""How the stage ends where no exposure has a time: stars move, and positions of 2016 are not those of the day."""

CLEARLY = 5.0
"""A misalignment has to be so many times its error before exposures are moved without a catalogue to confirm it."""


@library_warnings()
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
    attempts, asked = try_catalogs(association, catalogs, chosen.fit)
    record = _conclude(association, attempts, asked)
    return evolve(record, warnings=(*_untimed(exposures), *record.warnings))


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
) -> RegisteredAssociation:
    """Fit the exposures to each other, and merge their sources."""
    pixel = sources.pixel_arcsec
    links = link_exposures(sources.exposures, parameters.fit, pixel)
    solution = solve_relative(sources.exposures, links, parameters.fit.clip_sigma)
    registration = registration_change(sources.exposures, links, parameters.fit.clip_sigma)
    transforms, record = judge_relative(tuple(e.rootname for e in exposures), solution, registration)
    transforms, record = _with_companions(exposures, sources, transforms, record)
    return RegisteredAssociation(
        files=tuple(e.path for e in exposures),
        sources=sources,
        relative_transforms=transforms,
        relative=record,
        merged=merge_sources(sources.exposures, links, transforms),
        epoch=_epoch(exposures),
        pixel_arcsec=pixel,
    )


def _epoch(exposures: Sequence[Exposure]) -> float | None:
    """Mean start of the exposures that tell one, decimal year; None where none does."""
    starts = [exposure.start for exposure in exposures if exposure.start is not None]
    return float(Time(np.mean(starts), format="mjd").decimalyear) if starts else None


def _untimed(exposures: Sequence[Exposure]) -> tuple[str, ...]:
    """What is done without the start of exposures whose headers do not tell it."""
    names = [exposure.path.name for exposure in exposures if exposure.start is None]
    if not names:
        return ()
    done = "the epoch of the catalogue is that of the others"
    if len(names) == len(exposures):
        done = "the epoch to which the positions of a catalogue have to be moved is not known"
    return (f"EXPSTART is missing in {', '.join(names)}: {done}",)


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
        nearest, why = _nearest(exposures, i, direct)
        moved[i] = transforms[nearest]
        reason = f"cannot be aligned itself: takes the correction of {exposures[nearest].rootname}, {why}"
        records[i] = evolve(records[i], reason=reason)
    return tuple(moved), evolve(record, exposures=tuple(records))


def _nearest(exposures: Sequence[Exposure], index: int, others: Sequence[int]) -> tuple[int, str]:
    """The nearest in time of some exposures to one, or in the list where a time is missing; and which of the two."""
    times = [exposure.start for exposure in exposures]
    own, known = times[index], {j: start for j in others if (start := times[j]) is not None}
    if own is None or len(known) < len(others):
        return min(others, key=lambda j: abs(j - index)), "the nearest in the list, since EXPSTART is missing"
    return min(known, key=lambda j: abs(known[j] - own)), "the nearest in time"


def _conclude(
    association: RegisteredAssociation, attempts: Sequence[Attempt], asked: Sequence[CatalogProvenance]
) -> AposterioriRecord:
    """Write the good fit with the lowest RMS, or say why there is none."""
    records = tuple(tried.record for tried in attempts)
    good = [i for i, record in enumerate(records) if is_good(record)]
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
        outcome, reason = _failure(records, asked) if association.epoch is not None else UNTIMED
        return _relative_only(association, evolve(record, outcome=outcome, reason=reason))
    best = min(good, key=lambda i: _rms(records[i]))
    transform = attempts[best].transform or LinearTransform.identity()
    written = write_fit(
        association.files,
        association.sources.plane,
        tuple(transform.after(relative) for relative in association.relative_transforms),
        records[best],
        association.relative,
    )
    return evolve(
        record,
        outcome=AlignmentOutcome.ALIGNED,
        reason=records[best].reason,
        chosen=best,
        wcsnames=written.wcsnames,
        warnings=written.warnings,
    )


def _relative_only(association: RegisteredAssociation, record: AposterioriRecord) -> AposterioriRecord:
    """Without a good fit to a catalogue, bring together exposures that are clearly apart; else leave them."""
    change = association.relative.registration
    limit = MISALIGNED_PIXELS * association.pixel_arcsec * 1000.0
    if change is None or change.before_mas < max(limit, CLEARLY * change.error_mas):
        return record
    if change.after_mas > change.before_mas / 2:
        return record
    plane, transforms = association.sources.plane, association.relative_transforms
    written = write_fit(association.files, plane, transforms, None, association.relative)
    reason = (
        f"the exposures were {change.before_mas:.1f} mas from each other, now {change.after_mas:.1f} mas; "
        f"not fitted to a catalogue: {record.reason}"
    )
    return evolve(
        record,
        outcome=AlignmentOutcome.ALIGNED_RELATIVELY,
        reason=reason,
        wcsnames=written.wcsnames,
        warnings=written.warnings,
    )


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
