"""A fit written into the headers of the exposures, in the keywords of the archive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import stwcs
from astropy import __version__ as astropy_version
from astropy.io import fits

from astrodriz_core.decide.alignment import AlignmentPlan
from astrodriz_core.records.astrometry import AbsoluteFit, RelativeExposure, RelativeFit
from astrodriz_core.solutions.wcsnames import wcs_type
from astrodriz_core.units import MAS_PER_DEGREE
from astrodriz_io.wcs.attached import attach_own, remove_duplicates
from astrodriz_io.wcs.headerlets import AUTHOR, make_headerlet
from astrodriz_io.wcs.headers import (
    edit_together,
    remove_fit_keywords,
    science_extensions,
)
from astrodriz_io.wcs.motion import chip_wcs, moved_chip, reference_plane, write_moved_chip
from astrodriz_io.wcs.primary import keep_primary
from astrodriz_io.wcs.wcscorr_table import update_wcscorr

__all__ = ["write_alignment"]


def write_alignment(files: Sequence[Path], plan: AlignmentPlan) -> tuple[str, ...]:
    """Move the WCS of every exposure as planned, and record the fit in its headers; all files are written, or none.

    The former primary WCS is kept as an alternate, and the new one is attached as an HDRLET extension too. Nothing is
    done where the plan moves nothing.

    Parameters
    ----------
    files : sequence of Path
        In the order of the plan.
    plan : AlignmentPlan

    Returns
    -------
    tuple of str
        Where a solution that others made has the HDRNAME of the new one: both names.
    """
    if not plan.transforms or plan.plane is None:
        return ()
    reference = reference_plane(plan.plane)
    notes: list[str] = []

    def edit(index: int, hdulist: fits.HDUList) -> None:
        path, hdrname = files[index], f"{files[index].stem}_{plan.record.wcsnames[index]}-hlet.fits"
        keep_primary(hdulist, path.stem)
        extensions = science_extensions(hdulist)
        moved = [moved_chip(chip_wcs(hdulist, e, path.name), reference, plan.transforms[index]) for e in extensions]
        for extension, chip in zip(extensions, moved, strict=True):
            header = hdulist[extension].header
            remove_fit_keywords(header)
            write_moved_chip(header, chip)
            _write_fit(header, plan, index, hdrname)
        _write_versions(hdulist[0].header)
        update_wcscorr(hdulist)
        attached = _attach(hdulist, hdrname, plan.catalog)
        if attached != hdrname:
            notes.append(f"{path.name}: another solution has the HDRNAME {hdrname}; the fit is called {attached}")

    edit_together(files, edit)
    return tuple(notes)


def _write_fit(header: fits.Header, plan: AlignmentPlan, index: int, hdrname: str) -> None:
    """What the archive writes about the solution of one exposure."""
    _write_name(header, plan.record.wcsnames[index], hdrname, plan.catalog)
    if plan.attempt is not None and plan.attempt.fit is not None:
        _write_figures(header, plan.attempt.fit)
    if plan.record.relative is not None:
        _write_relative(header, plan.record.relative.exposures[index], plan.record.relative)


def _write_name(header: fits.Header, name: str, hdrname: str, catalog: str) -> None:
    """What the archive writes to name a solution."""
    header["WCSNAME"] = (name, "Coordinate system title")
    header["WCSTYPE"] = wcs_type(name)
    header["CATALOG"] = (catalog, "astrometric catalogue of the WCS fit")
    header["HDRNAME"] = (hdrname, "headerlet of this solution")


def _write_figures(header: fits.Header, fit: AbsoluteFit) -> None:
    """What the archive writes about a fit."""
    header["RMS_RA"] = (fit.rms_ra_mas, "RMS in RA of WCS fit(mas)")
    header["RMS_DEC"] = (fit.rms_dec_mas, "RMS in DEC of WCS fit(mas)")
    header["CRDER1"] = (fit.rms_ra_mas / MAS_PER_DEGREE, "RMS in RA of WCS fit(deg)")
    header["CRDER2"] = (fit.rms_dec_mas / MAS_PER_DEGREE, "RMS in DEC of WCS fit(deg)")
    header["NMATCHES"] = (fit.matches, "matches of the WCS fit")
    header["FITGEOM"] = (fit.geometry.value, "geometry of the WCS fit")


def _write_relative(header: fits.Header, own: RelativeExposure, relative: RelativeFit) -> None:
    """What the archive writes about the fit of the exposures to each other."""
    if own.matches == 0:
        return
    geometry = "rshift" if own.rotation_applied else "shift"
    error = own.error_mas or 0.0
    reference = relative.exposures[int(np.argmin([e.fraction for e in relative.exposures]))].rootname
    header["RELGEOM"] = (geometry if own.fraction else "N/A", "geometry of the relative fit")
    header["RELMATCH"] = (own.matches, "number of matches for relative fit")
    header["RELRMS_R"] = (error, "error in RA of relative WCS fit(mas)")
    header["RELRMS_D"] = (error, "error in DEC of relative WCS fit(mas)")
    header["RELREFIM"] = (reference, "exposure that moved least in the relative fit")


def _write_versions(header: fits.Header) -> None:
    header["UPWCSVER"] = (stwcs.__version__, "Version of STWCS used to update the WCS")
    header["PYWCSVER"] = (astropy_version, "Version of PYWCS used to update the WCS")


def _attach(hdulist: fits.HDUList, hdrname: str, catalog: str) -> str:
    """The new solution as an HDRLET extension, in place of those of earlier runs; the HDRNAME that it has there."""
    headerlet = make_headerlet(hdulist, hdrname, author=AUTHOR, description=f"fit to {catalog}")
    attached = attach_own(hdulist, headerlet)
    for extension in science_extensions(hdulist):
        hdulist[extension].header["HDRNAME"] = attached
    remove_duplicates(hdulist)
    return attached
