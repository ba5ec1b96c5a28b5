"""A fit written into the headers of the exposures, in the keywords of the archive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import stwcs
from astropy import __version__ as astropy_version
from astropy.io import fits
from attrs import frozen

from astrodriz_core.align.fitting import LinearTransform
from astrodriz_core.measure.tangent import TangentPlane
from astrodriz_core.records.astrometry import AbsoluteFit, FitAttempt, RelativeFit
from astrodriz_core.solutions.wcsnames import a_posteriori_name, wcs_type
from astrodriz_io.fits.files import header_rootname
from astrodriz_io.wcs.attached import attach_own, remove_duplicates
from astrodriz_io.wcs.headerlets import AUTHOR, make_headerlet
from astrodriz_io.wcs.headers import (
    edit_together,
    primary_wcsname,
    remove_fit_keywords,
    science_extensions,
)
from astrodriz_io.wcs.motion import chip_wcs, moved_chip, reference_plane, write_moved_chip
from astrodriz_io.wcs.primary import keep_primary
from astrodriz_io.wcs.wcscorr_table import update_wcscorr

__all__ = ["WrittenFit", "write_fit"]

RELATIVE, IMAGE = "REL", "IMG"
"""Kinds of fit in a WCSNAME: exposures relatively aligned first, or a single exposure by itself."""

NO_CATALOG = "NONE"
"""Stands in a WCSNAME for the catalogue of exposures that were only fitted to each other."""

MAS_IN_DEGREE = 3.6e6


@frozen
class WrittenFit:
    """What was written into the exposures.

    Attributes
    ----------
    wcsnames : tuple of str
        WCSNAME of each exposure.
    warnings : tuple of str
        Where a solution that others made has the HDRNAME of the new one: both names.
    """

    wcsnames: tuple[str, ...]
    warnings: tuple[str, ...]


def write_fit(
    files: Sequence[Path],
    plane: TangentPlane,
    transforms: Sequence[LinearTransform],
    attempt: FitAttempt | None,
    relative: RelativeFit,
) -> WrittenFit:
    """Move the WCS of every exposure and record the fit in its headers; all files are written, or none.

    The former primary WCS is kept as an alternate, and the new one is attached as an HDRLET extension too.

    Parameters
    ----------
    files : sequence of Path
    plane : TangentPlane
        In which the transforms are.
    transforms : sequence of LinearTransform
        The whole motion of each exposure.
    attempt : FitAttempt or None
        The fit to a catalogue; None where the exposures were only fitted to each other.
    relative : RelativeFit

    Returns
    -------
    WrittenFit
    """
    reference = reference_plane(plane)
    kind = RELATIVE if len(files) > 1 else IMAGE
    catalog = attempt.catalog if attempt is not None else NO_CATALOG
    names = [""] * len(files)
    notes: list[str] = []

    def edit(index: int, hdulist: fits.HDUList) -> None:
        name = a_posteriori_name(primary_wcsname(hdulist), kind, catalog)
        path, hdrname = files[index], f"{files[index].stem}_{name}-hlet.fits"
        keep_primary(hdulist, path.stem)
        extensions = science_extensions(hdulist)
        moved = [moved_chip(chip_wcs(hdulist, e, path.name), reference, transforms[index]) for e in extensions]
        for extension, chip in zip(extensions, moved, strict=True):
            header = hdulist[extension].header
            remove_fit_keywords(header)
            write_moved_chip(header, chip)
            _write_name(header, name, hdrname, catalog)
            if attempt is not None and attempt.fit is not None:
                _write_figures(header, attempt.fit)
            _write_relative(header, header_rootname(hdulist[0].header, path.name), relative)
        _write_versions(hdulist[0].header)
        update_wcscorr(hdulist)
        attached = _attach(hdulist, hdrname, catalog)
        if attached != hdrname:
            notes.append(f"{path.name}: another solution has the HDRNAME {hdrname}; the fit is called {attached}")
        names[index] = name

    edit_together(files, edit)
    return WrittenFit(tuple(names), tuple(notes))


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
    header["CRDER1"] = (fit.rms_ra_mas / MAS_IN_DEGREE, "RMS in RA of WCS fit(deg)")
    header["CRDER2"] = (fit.rms_dec_mas / MAS_IN_DEGREE, "RMS in DEC of WCS fit(deg)")
    header["NMATCHES"] = (fit.matches, "matches of the WCS fit")
    header["FITGEOM"] = (fit.geometry.value, "geometry of the WCS fit")


def _write_relative(header: fits.Header, rootname: str, relative: RelativeFit) -> None:
    """What the archive writes about the fit of the exposures to each other."""
    own = next((e for e in relative.exposures if e.rootname == rootname), None)
    if own is None or own.matches == 0:
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
