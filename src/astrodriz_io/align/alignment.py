"""The a posteriori stage: the exposures fitted to each other, then all together to one catalogue.

The exposures are measured, `astrodriz_core.decide.alignment` makes a plan of it, and the plan is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from attrs import evolve

from astrodriz_core.align.attempts import RegisteredExposures
from astrodriz_core.align.linking import link_exposures
from astrodriz_core.align.merging import merge_sources
from astrodriz_core.align.relative import judge_relative, registration_change
from astrodriz_core.align.relative_solution import solve_relative
from astrodriz_core.decide.alignment import AlignmentEvidence, AlignmentPlan, plan_alignment, plan_without_fit
from astrodriz_core.decide.epoch import far_apart_in_time, lend_corrections, mean_epoch, untimed
from astrodriz_core.parameters.alignment import (
    AlignmentParameters,
    FitParameters,
    alignment_parameters,
    common_fit,
)
from astrodriz_core.records.astrometry import AposterioriRecord
from astrodriz_io.align.catalog_fits import try_catalogs
from astrodriz_io.align.exposure_sources import AssociationSources, find_association_sources
from astrodriz_io.catalogs.files import Catalog
from astrodriz_io.inputs.exposures import Exposure, read_exposure
from astrodriz_io.runtime.library_warnings import library_warnings
from astrodriz_io.wcs.fit_writing import write_alignment

__all__ = ["align", "parameters_of", "propose_alignment"]


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
        FLT or FLC files that this run may change, of any detectors, filters and visits that see the same sky.
    catalogs : sequence of Catalog
        In the order of preference. The later ones are asked as long as no fit has the best quality.
    parameters : AlignmentParameters or None
        For all exposures. None takes for each exposure those of its detector, and for the fit `common_fit` of them.
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
    plan = propose_alignment(files, catalogs, parameters, ignore_cosmic_rays=ignore_cosmic_rays, threads=threads)
    notes = write_alignment(files, plan)
    return evolve(plan.record, warnings=(*plan.record.warnings, *notes))


@library_warnings()
def propose_alignment(
    files: Sequence[Path],
    catalogs: Sequence[Catalog],
    parameters: AlignmentParameters | None = None,
    *,
    ignore_cosmic_rays: bool = False,
    threads: int = 1,
) -> AlignmentPlan:
    """Measure everything that `align` measures, and say what it would do; no file is changed.

    Parameters are those of `align`.

    Raises
    ------
    InputError
        An exposure cannot be read.
    """
    exposures = [read_exposure(path) for path in files]
    chosen = [parameters or parameters_of(exposure) for exposure in exposures]
    found = [evolve(each.sources, ignore_cosmic_ray_bit=ignore_cosmic_rays) for each in chosen]
    sources, fit = find_association_sources(exposures, found, threads), common_fit(chosen)
    unfit = plan_without_fit(sources.records, [len(each) for each in sources.exposures], fit)
    if unfit is not None:
        return unfit
    plan = plan_alignment(_evidence(exposures, sources, catalogs, fit))
    return evolve(plan, record=evolve(plan.record, warnings=_told_of_times(exposures)))


def parameters_of(exposure: Exposure) -> AlignmentParameters:
    """The alignment parameters of the detector of an exposure."""
    return alignment_parameters(exposure.description.instrument, exposure.description.detector)


def _told_of_times(exposures: Sequence[Exposure]) -> tuple[str, ...]:
    starts = [exposure.start for exposure in exposures]
    return (*untimed([exposure.path.name for exposure in exposures], starts), *far_apart_in_time(starts))


def _evidence(
    exposures: Sequence[Exposure], sources: AssociationSources, catalogs: Sequence[Catalog], parameters: FitParameters
) -> AlignmentEvidence:
    """Fit the exposures to each other, then to one catalogue after the other."""
    starts = [exposure.start for exposure in exposures]
    registered, epoch = _registered(starts, sources, parameters), mean_epoch(starts)
    attempts, asked = try_catalogs(registered, sources, epoch, catalogs, parameters)
    return AlignmentEvidence(
        plane=sources.plane,
        sources=sources.records,
        wcsnames=tuple(exposure.chips[0].wcsname for exposure in exposures),
        relative=registered.relative,
        transforms=registered.transforms,
        pixel_arcsec=sources.pixel_arcsec,
        epoch=epoch,
        asked=asked,
        attempts=attempts,
    )


def _registered(
    starts: Sequence[float | None], sources: AssociationSources, parameters: FitParameters
) -> RegisteredExposures:
    """Fit the exposures to each other, and merge their sources."""
    links = link_exposures(sources.exposures, parameters, sources.pixel_arcsec)
    solution = solve_relative(sources.exposures, links, parameters.clip_sigma)
    change = registration_change(sources.exposures, links, parameters.clip_sigma)
    transforms, record = judge_relative(tuple(each.rootname for each in sources.exposures), solution, change)
    transforms, record = lend_corrections(sources.records, starts, transforms, record)
    return RegisteredExposures(
        exposures=sources.exposures,
        transforms=transforms,
        relative=record,
        merged=merge_sources(sources.exposures, links, transforms),
        pixel_arcsec=sources.pixel_arcsec,
    )
