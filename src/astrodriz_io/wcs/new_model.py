"""Solutions that were made with a distortion model which is about to be replaced."""

from __future__ import annotations

from astropy.io import fits

from astrodriz_core.records.common import WcsOrigin
from astrodriz_core.solutions.wcsnames import parse_wcsname
from astrodriz_io.fits.files import keyword_text
from astrodriz_io.wcs.alternates import alternate_keys
from astrodriz_io.wcs.attached import attach_headerlet
from astrodriz_io.wcs.headerlets import idctab_root, make_headerlet
from astrodriz_io.wcs.headers import science_extensions

__all__ = ["keep_before_new_model"]

KEEPER = "kept by astrodriz"
"""AUTHOR of a headerlet that was made only to keep somebody's solution."""


def keep_before_new_model(hdulist: fits.HDUList, stem: str) -> tuple[str, ...]:
    """Keep alternates as HDRLET extensions where the header names another IDCTAB than the one that was applied.

    An alternate has no distortion of its own, and stwcs takes all of them away when the model changes. A headerlet
    holds both. Those of the calibration are left to stwcs, which makes them anew.

    Parameters
    ----------
    hdulist : HDUList
        Opened for update, with the former distortion model.
    stem : str
        Stem of the file's name; it begins the HDRNAME.

    Returns
    -------
    tuple of str
        Names of the alternates that were kept.

    Raises
    ------
    InputError
        No headerlet can be made of one.
    """
    extensions = science_extensions(hdulist)
    # What has neither is refused by stwcs, which comes next.
    if not extensions or "IDCTAB" not in hdulist[0].header:
        return ()
    first = hdulist[extensions[0]].header
    wanted, applied = hdulist[0].header, keyword_text(first, "IDCTAB")
    if not applied or idctab_root(wanted) == idctab_root(first):
        return ()
    named = wanted["IDCTAB"]
    # A headerlet names the model of the primary header.
    wanted["IDCTAB"] = applied
    kept = []
    for key in alternate_keys(first):
        name = str(first[f"WCSNAME{key}"]).strip()
        if parse_wcsname(name).origin is not WcsOrigin.PIPELINE_DEFAULT:
            text = "alternate WCS of a former distortion model"
            made = make_headerlet(hdulist, f"{stem}_{name}", author=KEEPER, description=text, key=key)
            attach_headerlet(hdulist, made)
            kept.append(name)
    wanted["IDCTAB"] = named
    return tuple(kept)
