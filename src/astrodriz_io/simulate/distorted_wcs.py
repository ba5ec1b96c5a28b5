"""The WCS that stwcs makes of an exposure's header and the simulator's reference files.

stwcs looks for ``iref$name`` through environment variables, so the working copy, which lives in memory
only, names its reference files by absolute path; the headers that are written keep the archive's form.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits
from stwcs import updatewcs
from stwcs.wcsutil import HSTWCS

from astrodriz_core.records.common import ChipWcs
from astrodriz_io.wcs.stwcs_calls import quiet_stwcs

__all__ = ["as_chip_wcs", "hst_wcs", "put_linear_wcs", "updated_copy"]


def updated_copy(headers: fits.HDUList, references: Path, keywords: dict[str, str]) -> fits.HDUList:
    """Return a copy of an exposure's headers with the WCS and distortion that updatewcs gives them.

    Parameters
    ----------
    headers : HDUList
        Primary and SCI headers, with data of the right shape (any type).
    references : Path
        Folder of the reference files.
    keywords : dict of str to str
        IDCTAB, NPOLFILE, D2IMFILE as the header has them, with ``variable$``.
    """
    copy = fits.HDUList([hdu.copy() for hdu in headers])
    for keyword, value in keywords.items():
        path = value if value == "N/A" else str(references / value.split("$")[1])
        copy[0].header[keyword] = (path, "")
    with quiet_stwcs(str(copy[0].header["ROOTNAME"])):
        updatewcs.updatewcs(copy, use_db=False, checkfiles=False)
    _restore_names(copy, keywords)
    return copy


def _restore_names(hdus: fits.HDUList, keywords: dict[str, str]) -> None:
    """Put the archive's names of the reference files back, in place."""
    hdus[0].header.update(keywords)
    recorded = {"IDCTAB": "IDCTAB", "NPOLEXT": "NPOLFILE", "D2IMEXT": "D2IMFILE"}
    for hdu in hdus[1:]:
        for name, keyword in recorded.items():
            if name in hdu.header:
                hdu.header[name] = keywords[keyword]


def hst_wcs(updated: fits.HDUList, extver: int) -> HSTWCS:
    """Return the whole WCS of a chip, distortion included, of a copy that `updated_copy` made."""
    return HSTWCS(updated, ext=("SCI", extver))


def as_chip_wcs(wcs: HSTWCS, extver: int, name: str) -> ChipWcs:
    """Return the linear part of a WCS as a record."""
    cd = tuple((float(row[0]), float(row[1])) for row in wcs.wcs.cd)
    return ChipWcs(
        extver=extver,
        crval=(float(wcs.wcs.crval[0]), float(wcs.wcs.crval[1])),
        crpix=(float(wcs.wcs.crpix[0]), float(wcs.wcs.crpix[1])),
        cd=(cd[0], cd[1]),
        naxis=(int(wcs.pixel_shape[0]), int(wcs.pixel_shape[1])),
        wcsname=name,
    )


def put_linear_wcs(wcs: HSTWCS, linear: ChipWcs) -> HSTWCS:
    """Return the same distortion with another linear part; `wcs` is changed and returned."""
    wcs.wcs.crval = np.array(linear.crval)
    wcs.wcs.cd = np.array(linear.cd)
    wcs.wcs.set()
    return wcs
