"""Headerlet files of the WCS in use, and a solution carried from the FLC of an exposure to its FLT."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from astropy.io import fits

from astrodriz_core.errors import InputError
from astrodriz_io.fits.files import header_rootname, keyword_text, open_fits
from astrodriz_io.fits.header_cards import LENIENT
from astrodriz_io.storage.disk import storage_errors
from astrodriz_io.storage.places import beside
from astrodriz_io.storage.replacing import replacing
from astrodriz_io.wcs.alternates import copy_alternates
from astrodriz_io.wcs.attached import attach_headerlet, attached_headerlets, detach, is_own
from astrodriz_io.wcs.headerlets import AUTHOR, content_hash, make_headerlet, same_distortion
from astrodriz_io.wcs.headers import (
    FIT_KEYWORDS,
    RELATIVE_KEYWORDS,
    edit_together,
    primary_wcsname,
    remove_fit_keywords,
    science_extensions,
)
from astrodriz_io.wcs.linear_terms import copy_linear_terms
from astrodriz_io.wcs.primary import keep_primary
from astrodriz_io.wcs.stwcs_calls import quiet_stwcs
from astrodriz_io.wcs.wcscorr_table import update_wcscorr

__all__ = ["copy_wcs", "write_headerlet", "write_new_solutions"]

logger = logging.getLogger(__name__)

FILE_NAME = re.compile(r"[\w-]+", re.ASCII)
"""A WCSNAME that may be part of the name of a file."""

GUIDE_STAR_OFFSET = "D_RA"
"""Keyword of a headerlet that was made from guide star offsets."""


def write_headerlet(
    exposure: Path, path: Path, *, description: str = "WCS of the final products", moment: str | None = None
) -> Path:
    """Write the primary WCS of an exposure as a headerlet file.

    Parameters
    ----------
    exposure : Path
        FLT or FLC; is not changed.
    path : Path
        The file to be written; it appears complete, under this name.
    description : str
        DESCRIP of the headerlet.
    moment : str, optional
        DATE of the headerlet, ``yyyy-mm-ddThh:mm:ss``; by default now.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    InputError
        The exposure has no WCS of which a headerlet can be made.
    StorageError
        The file cannot be written.
    """
    with open_fits(exposure) as hdulist, quiet_stwcs(exposure.name):
        science = hdulist[science_extensions(hdulist)[0]].header
        default = f"{exposure.stem}_{primary_wcsname(hdulist)}-hlet.fits"
        name = keyword_text(science, "HDRNAME") or default
        headerlet = make_headerlet(hdulist, name, author=AUTHOR, description=description)
        if moment is not None:
            headerlet[0].header["DATE"] = moment
        _write(headerlet, path)
    return path


def write_new_solutions(exposure: Path) -> tuple[Path, ...]:
    """Write the a priori solutions that were made from guide star offsets, as an archive of them.

    Parameters
    ----------
    exposure : Path
        FLT or FLC that has them as HDRLET extensions; is not changed.

    Returns
    -------
    tuple of Path
        ``<exposure>_<WCSNAME>_hlet.fits`` beside the exposure; none for most exposures.
    """
    written = []
    with open_fits(exposure) as hdulist, quiet_stwcs(exposure.name):
        for _, headerlet in attached_headerlets(hdulist):
            header = headerlet[0].header
            name = keyword_text(header, "WCSNAME")
            if keyword_text(header, "AUTHOR") == AUTHOR and GUIDE_STAR_OFFSET in header and FILE_NAME.fullmatch(name):
                written.append(beside(exposure, f"{exposure.stem}_{name}_hlet.fits"))
                _write(headerlet, written[-1])
    return tuple(written)


def copy_wcs(source: Path, target: Path) -> None:
    """Give one exposure of a pair the WCS solutions of the other.

    The target takes over the primary WCS, its name and the figures of its fit, and gains the alternates and HDRLET
    extensions that it lacks. It keeps its former primary WCS as an alternate, its other alternates, its own OPUS one,
    and the HDRLET extensions that no run made; those of earlier runs go.

    Parameters
    ----------
    source : Path
        FLC with the solution; is not changed.
    target : Path
        FLT of the same exposure, with the same distortion model applied; replaced when complete.

    Raises
    ------
    InputError
        The two are not the same exposure, or their chips or distortion models differ.
    """
    with open_fits(source) as have:

        def edit(_: int, hdulist: fits.HDUList) -> None:
            _check_pair(have, hdulist, source.name, target.name)
            extensions = science_extensions(hdulist)
            if primary_wcsname(hdulist) != primary_wcsname(have):
                keep_primary(hdulist, target.stem)
            for name in copy_alternates(have, hdulist, extensions):
                logger.warning("%s: no letter is left for the alternate WCS %s of %s", target.name, name, source.name)
            for extension in extensions:
                _copy_primary(have[extension].header, hdulist[extension].header)
            _copy_headerlets(have, hdulist)
            update_wcscorr(hdulist)

        edit_together([target], edit)


def _write(headerlet: fits.HDUList, path: Path) -> None:
    with storage_errors(path.name), replacing(path) as draft:
        headerlet.writeto(draft, output_verify=LENIENT)


def _check_pair(source: fits.HDUList, target: fits.HDUList, source_name: str, target_name: str) -> None:
    """Refuse files that are not two versions of one exposure with one distortion model."""
    same = header_rootname(source[0].header, source_name) == header_rootname(target[0].header, target_name)
    if not same or science_extensions(source) != science_extensions(target):
        raise InputError(f"it is not the same exposure as {source_name}.", where=target_name)
    if not same_distortion(source, target):
        remedy = "Apply the same distortion model to both first."
        raise InputError(f"its distortion model is not that of {source_name}.", where=target_name, remedy=remedy)


def _copy_primary(source: fits.Header, target: fits.Header) -> None:
    remove_fit_keywords(target)
    copy_linear_terms(source, target)
    for keyword in ("ORIENTAT", "WCSNAME", *FIT_KEYWORDS, *RELATIVE_KEYWORDS):
        if keyword in source:
            target[keyword] = (source[keyword], source.comments[keyword])


def _copy_headerlets(source: fits.HDUList, target: fits.HDUList) -> None:
    """The HDRLET extensions of the source in the place of those of earlier runs; what others made stays."""
    theirs = [headerlet for _, headerlet in attached_headerlets(source)]
    contents = {content_hash(headerlet) for headerlet in theirs}
    attached = list(attached_headerlets(target))
    detach(target, [index for index, own in attached if is_own(own) or content_hash(own) in contents])
    for headerlet in theirs:
        attach_headerlet(target, headerlet)
