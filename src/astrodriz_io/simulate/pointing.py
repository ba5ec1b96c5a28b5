"""Where each exposure points: what its header says, and where it really looks.

The header's WCS (as updatewcs makes it) carries a pointing error that all exposures share, a small
scatter, and what the spec misaligns. The truth follows from it by a rigid rotation of the sky, so that
the error is known exactly.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits
from attrs import evolve, field, frozen
from scipy.spatial.transform import Rotation
from stwcs.wcsutil import HSTWCS

from astrodriz_core.arrays import Array
from astrodriz_core.records.common import ChipWcs
from astrodriz_core.units import ARCSEC_PER_DEGREE
from astrodriz_io.simulate.detectors import SimulatedChip
from astrodriz_io.simulate.distorted_wcs import as_chip_wcs, hst_wcs, put_linear_wcs, updated_copy
from astrodriz_io.simulate.headers import ImageStatistics, Schedule, primary_header, schedule, sci_header
from astrodriz_io.simulate.random_streams import Purpose, stream
from astrodriz_io.simulate.references import reference_keywords
from astrodriz_io.simulate.spec import SimulationSpec
from astrodriz_io.simulate.sphere import carry, move_linear_wcs, sky_motion, to_sky, to_vector

__all__ = ["PointedExposure", "PointingError", "plan_exposures", "true_hst_wcs", "turned_chip"]

NO_STATISTICS = ImageStatistics(0, 0.0, 0.0, 0.0)


@frozen
class PointingError:
    """How the truth of an exposure differs from its header.

    Attributes
    ----------
    east_arcsec, north_arcsec : float
        Where a star really is, less where the header has it, at the middle of the field.
    roll_deg : float
        The true sky is turned by it, east of north.
    common_arcsec : tuple of float
        The part of the shift that all exposures share, (east, north).
    relative_pix : tuple of float
        The part that is this exposure's own, pixels east and north.
    """

    east_arcsec: float
    north_arcsec: float
    roll_deg: float
    common_arcsec: tuple[float, float]
    relative_pix: tuple[float, float]


@frozen
class PointedExposure:
    """One exposure with its WCS.

    Attributes
    ----------
    when : Schedule
    error : PointingError
    blur_pix : float
    default, true : tuple of ChipWcs
        What updatewcs makes of the header, and the truth, for each chip in the order of EXTVER.
    updated : HDUList
        Headers after updatewcs, with empty data; for the distortion that both share.
    """

    when: Schedule
    error: PointingError
    blur_pix: float
    default: tuple[ChipWcs, ...]
    true: tuple[ChipWcs, ...]
    updated: fits.HDUList = field(eq=False, repr=False)


def plan_exposures(spec: SimulationSpec, references: Path) -> tuple[PointedExposure, ...]:
    """Return every exposure of the association with its headers' WCS and its true WCS.

    Parameters
    ----------
    spec : SimulationSpec
    references : Path
        Folder of the detector's reference files.
    """
    start = _guess(spec)
    probe = _updated(spec, schedule(spec, 0), start, references)
    centre = _field_centre([hst_wcs(probe, chip.extver) for chip in spec.chips])
    axes = _detector_axes(hst_wcs(probe, spec.reference_chip.extver))
    return tuple(_plan(spec, index, start, centre, axes, references) for index in range(spec.exposures))


def true_hst_wcs(exposure: PointedExposure, extver: int) -> HSTWCS:
    """Return the true WCS of a chip with its distortion."""
    linear = next(chip for chip in exposure.true if chip.extver == extver)
    return put_linear_wcs(hst_wcs(exposure.updated, extver), linear)


def _plan(
    spec: SimulationSpec,
    index: int,
    start: tuple[ChipWcs, ...],
    centre: Array,
    axes: Array,
    references: Path,
) -> PointedExposure:
    """Point one exposure at the target with its dither, and find its default and true WCS."""
    when = schedule(spec, index)
    east, north = axes @ np.array(when.postarg)
    place = sky_motion(spec.target, (east, north), 0.0) * carry(centre, np.array(spec.target))
    pointed = tuple(turned_chip(chip, place) for chip in start)
    updated = _updated(spec, when, pointed, references)
    name = str(updated["SCI", 1].header["WCSNAME"])
    default = tuple(as_chip_wcs(hst_wcs(updated, chip.extver), chip.extver, name) for chip in spec.chips)
    error = _pointing_error(spec, index)
    motion = sky_motion(spec.target, (error.east_arcsec, error.north_arcsec), error.roll_deg)
    true = tuple(evolve(turned_chip(chip, motion), wcsname="TRUTH") for chip in default)
    blur = dict(spec.blur).get(index, 0.0)
    return PointedExposure(when, error, blur, default, true, updated)


def turned_chip(chip: ChipWcs, motion: Rotation) -> ChipWcs:
    """Return the chip's WCS after a rotation of the sky."""
    crval, cd = move_linear_wcs(chip.crval, np.array(chip.cd), motion)
    rows = tuple((float(row[0]), float(row[1])) for row in cd)
    return evolve(chip, crval=crval, cd=(rows[0], rows[1]))


def _guess(spec: SimulationSpec) -> tuple[ChipWcs, ...]:
    """Return a WCS to start from: every chip's reference point on the target; updatewcs does the rest."""
    return tuple(_guessed_chip(spec, chip) for chip in spec.chips)


def _guessed_chip(spec: SimulationSpec, chip: SimulatedChip) -> ChipWcs:
    row = spec.model.idctab.row(chip.number)
    x0, y0, nx, ny = chip.cut(spec.size)
    scale = row.scale / ARCSEC_PER_DEGREE
    return ChipWcs(
        extver=chip.extver,
        crval=spec.target,
        crpix=(row.xref - x0, row.yref - y0),
        cd=((-scale, 0.0), (0.0, scale)),
        naxis=(nx, ny),
        wcsname="",
    )


def _updated(spec: SimulationSpec, when: Schedule, wcs: tuple[ChipWcs, ...], references: Path) -> fits.HDUList:
    """Headers of an exposure after updatewcs."""
    hdus = fits.HDUList([fits.PrimaryHDU(header=primary_header(spec, when, spec.model.flt_suffix))])
    for chip, linear in zip(spec.chips, wcs, strict=True):
        header = sci_header(spec, when, chip, linear, NO_STATISTICS)
        if "DATE-OBS" in header:  # of STIS; astropy would warn of a missing MJD-OBS
            header["MJD-OBS"] = np.floor(when.start_mjd)
        empty = np.zeros(linear.naxis[::-1], dtype=np.uint8)
        hdus.append(fits.ImageHDU(empty, header, name="SCI", ver=chip.extver))
    return updated_copy(hdus, references, reference_keywords(spec.model))


def _field_centre(chips: list[HSTWCS]) -> Array:
    """Sky position, degrees, of the mean of the chips' middles."""
    middles = [chip.all_pix2world(np.array([chip.pixel_shape]) / 2.0, 0)[0] for chip in chips]
    centre: Array = to_sky(np.mean(to_vector(np.array(middles)), axis=0))
    return centre


def _detector_axes(reference: HSTWCS) -> Array:
    """Columns: unit vectors (east, north) along the x and y axis of the reference chip."""
    cd = np.array(reference.wcs.cd)
    axes: Array = cd / np.linalg.norm(cd, axis=0)
    return axes


def _pointing_error(spec: SimulationSpec, index: int) -> PointingError:
    """Return common error, scatter and misalignment of one exposure."""
    scale = spec.model.idctab.row(spec.reference_chip.number).scale
    rng = stream(spec.seed, Purpose.POINTING, index)
    own = rng.normal(0.0, spec.jitter_pix, 2)
    direction = rng.uniform(0.0, 2.0 * np.pi)
    own += dict(spec.misalign).get(index, 0.0) * np.array([np.cos(direction), np.sin(direction)])
    angle = np.deg2rad(spec.pointing_pa_deg)
    common = (float(spec.pointing_arcsec * np.sin(angle)), float(spec.pointing_arcsec * np.cos(angle)))
    east, north = (float(shared + pixels * scale) for shared, pixels in zip(common, own, strict=True))
    return PointingError(east, north, spec.roll_deg, common, (float(own[0]), float(own[1])))
