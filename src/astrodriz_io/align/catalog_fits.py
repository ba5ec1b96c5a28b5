"""Fits of an association to one catalogue after the other, as long as the rule asks for the next one."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from attrs import frozen

from astrodriz_core.align.absolute import CatalogPositions
from astrodriz_core.align.attempts import Attempt, RegisteredExposures, attempt_fit
from astrodriz_core.decide.alignment import methods_to_try, next_catalogue
from astrodriz_core.errors import CatalogError
from astrodriz_core.measure.tangent import TangentPlane
from astrodriz_core.parameters.alignment import FitParameters
from astrodriz_core.records.astrometry import CatalogProvenance
from astrodriz_core.units import ARCSEC_PER_DEGREE, MAS_PER_ARCSEC
from astrodriz_io.align.exposure_sources import AssociationSources
from astrodriz_io.catalogs.files import Catalog, CatalogRows, Footprint

__all__ = ["try_catalogs"]

logger = logging.getLogger(__name__)


@frozen(eq=False)
class _Question:
    """What every catalogue is asked for: a cone, at an epoch."""

    plane: TangentPlane
    footprint: Footprint
    epoch: float


def try_catalogs(
    registered: RegisteredExposures,
    sources: AssociationSources,
    epoch: float | None,
    catalogs: Sequence[Catalog],
    parameters: FitParameters,
) -> tuple[tuple[Attempt, ...], tuple[CatalogProvenance, ...]]:
    """Fit to one catalogue after the other, until `next_catalogue` asks for no more.

    Returns
    -------
    attempts : tuple of Attempt
        One for each catalogue and each of `methods_to_try`.
    asked : tuple of CatalogProvenance
        Every catalogue that was asked, also those that gave no answer.
    """
    attempts: list[Attempt] = []
    asked: list[CatalogProvenance] = []
    footprint = _footprint(sources, parameters.absolute_search_pixels * registered.pixel_arcsec)
    while (index := _next(catalogs, asked, attempts, epoch)) is not None and epoch is not None:
        catalog = catalogs[index]
        rows, provenance = _query(catalog, _Question(sources.plane, footprint, epoch))
        asked.append(provenance)
        for method in methods_to_try(len(rows), parameters):
            attempts.append(attempt_fit(registered, catalog.name, rows, method, parameters))
    return tuple(attempts), tuple(asked)


def _next(
    catalogs: Sequence[Catalog], asked: Sequence[CatalogProvenance], attempts: Sequence[Attempt], epoch: float | None
) -> int | None:
    return next_catalogue(len(catalogs), len(asked), [attempt.record for attempt in attempts], epoch)


def _footprint(sources: AssociationSources, search: float) -> Footprint:
    """The cone that holds all exposures, with so many arcseconds around them."""
    radius = (float(np.hypot(*sources.corners.reshape(-1, 2).T).max()) + search) / ARCSEC_PER_DEGREE
    return Footprint(sources.plane.ra, sources.plane.dec, radius)


def _query(catalog: Catalog, question: _Question) -> tuple[CatalogPositions, CatalogProvenance]:
    """Rows of a catalogue that may lie on the exposures; none where it gives no answer."""
    try:
        rows = catalog.query(question.footprint, question.epoch)
    except CatalogError as error:
        logger.warning("%s: %s", catalog.name, str(error))
        unknown = CatalogProvenance(catalog.name, None, 0, None, question.epoch, None, 0, problem=str(error))
        return CatalogPositions(np.zeros((0, 2)), np.zeros(0), np.zeros(0)), unknown
    return _positions(rows, question.plane), rows.provenance


def _positions(rows: CatalogRows, plane: TangentPlane) -> CatalogPositions:
    """Rows in the tangent plane."""
    xy = plane.project(rows.positions.ra, rows.positions.dec)
    return CatalogPositions(xy, rows.positions.sigma / MAS_PER_ARCSEC, np.asarray(rows.mag))
