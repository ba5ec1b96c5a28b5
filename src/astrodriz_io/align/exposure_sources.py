"""Sources of the exposures of an association, in one tangent plane."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from attrs import evolve, frozen

from astrodriz_core.align.linking import ExposurePositions
from astrodriz_core.align.sources import ChipImage, Sources, find_sources
from astrodriz_core.arrays import Array
from astrodriz_core.errors import MeasurementError
from astrodriz_core.measure.tangent import TangentPlane, pixel_side_arcsec, sky_centre
from astrodriz_core.parameters.alignment import SourceParameters
from astrodriz_core.records.astrometry import ChipSources, ExposureSources, SourceCounts
from astrodriz_io.fits.arrays import read_dq, read_err, read_sci
from astrodriz_io.fits.files import open_fits
from astrodriz_io.inputs.exposures import Exposure
from astrodriz_io.runtime.parallel import ordered_map
from astrodriz_io.wcs.motion import chip_wcs

__all__ = ["AssociationSources", "find_association_sources"]

logger = logging.getLogger(__name__)


@frozen(eq=False)
class AssociationSources:
    """What was found in the exposures.

    Attributes
    ----------
    plane : TangentPlane
        Tangent to the centre of the association.
    exposures : tuple of ExposurePositions
        One for each file, in order; without sources for an exposure that cannot be aligned.
    records : tuple of ExposureSources
    corners : ndarray of float, shape (chips, 4, 2)
        Corners of all chips in the plane, arcsec.
    pixel_arcsec : float
        Size of the largest pixels of all chips, for lengths that are given in pixels.
    """

    plane: TangentPlane
    exposures: tuple[ExposurePositions, ...]
    records: tuple[ExposureSources, ...]
    corners: Array
    pixel_arcsec: float


@frozen(eq=False)
class _Found:
    """Sources of one chip, on the sky."""

    ra: Array
    dec: Array
    sources: Sources
    pixel_arcsec: float
    corners: Array


def find_association_sources(
    exposures: Sequence[Exposure], parameters: Sequence[SourceParameters], threads: int = 1
) -> AssociationSources:
    """Find the sources of every exposure that can be aligned.

    Parameters
    ----------
    exposures : sequence of Exposure
    parameters : sequence of SourceParameters
        Of each exposure, as its detector has them; each chip is searched with its own size of a pixel.
    threads : int
        Exposures that are searched at a time; the result does not depend on it.

    Raises
    ------
    InputError
        An exposure cannot be read.
    """
    pairs = list(zip(exposures, parameters, strict=True))
    searched = list(ordered_map(lambda pair: _exposure(*pair), pairs, threads))
    found, records = [chips for chips, _ in searched], [record for _, record in searched]
    corners = np.concatenate([chip.corners for chips in found for chip in chips])
    plane = TangentPlane(*sky_centre(corners[:, 0], corners[:, 1]))
    positions = tuple(_positions(e.rootname, chips, plane) for e, chips in zip(exposures, found, strict=True))
    return AssociationSources(
        plane=plane,
        exposures=positions,
        records=tuple(records),
        corners=plane.project(*corners.T).reshape(-1, 4, 2),
        pixel_arcsec=max(chip.pixel_arcsec for chips in found for chip in chips),
    )


def _exposure(exposure: Exposure, parameters: SourceParameters) -> tuple[list[_Found], ExposureSources]:
    """All chips of an exposure; an exposure that cannot be aligned keeps its corners alone."""
    observation = exposure.observation
    usable = observation.can_be_combined and observation.can_be_aligned
    chips = [_chip(exposure, chip.extver, parameters, search=usable) for chip in exposure.chips]
    records = tuple(ChipSources(chip.extver, counts) for chip, (_, counts) in zip(exposure.chips, chips, strict=True))
    skipped = None if usable else "; ".join(observation.reasons)
    return [found for found, _ in chips], ExposureSources(exposure.rootname, records if usable else (), skipped)


def _chip(
    exposure: Exposure, extver: int, parameters: SourceParameters, *, search: bool
) -> tuple[_Found, SourceCounts]:
    """Sources of one chip, on the sky by its whole WCS."""
    path = exposure.path
    with open_fits(path) as hdulist:
        wcs = chip_wcs(hdulist, ("SCI", extver), path.name)
        corners = np.asarray(wcs.calc_footprint(), dtype=float)
        pixel = pixel_side_arcsec(wcs.wcs.cd)
        own = evolve(parameters, pixel_arcsec=pixel)
        sources, counts = Sources.none(), SourceCounts.none(own.fallback_fwhm)
        if search:
            dq = read_dq(path, extver).astype(np.int32)
            try:
                sources, counts = find_sources(ChipImage(read_sci(path, extver), read_err(path, extver), dq), own)
            except MeasurementError as error:
                logger.warning("%s[SCI,%d]: no sources: %s", path.name, extver, str(error))
        ra, dec = wcs.all_pix2world(sources.x, sources.y, 0)
    return _Found(np.asarray(ra), np.asarray(dec), sources, pixel, corners), counts


def _positions(rootname: str, chips: Sequence[_Found], plane: TangentPlane) -> ExposurePositions:
    """Sources of all chips of one exposure in the tangent plane."""
    with np.errstate(divide="ignore", invalid="ignore"):
        mag = [-2.5 * np.log10(chip.sources.flux) for chip in chips]
    return ExposurePositions(
        rootname=rootname,
        xy=np.concatenate([plane.project(chip.ra, chip.dec) for chip in chips]),
        sigma=np.concatenate([chip.sources.sigma * chip.pixel_arcsec for chip in chips]),
        mag=np.concatenate(mag),
    )
