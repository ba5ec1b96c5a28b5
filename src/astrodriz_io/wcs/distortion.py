"""The pipeline-default WCS: distortion model of the reference files applied to private copies by stwcs.

stwcs finds reference files through environment variables; here they are found by our own resolver.
"""

from __future__ import annotations

import contextlib
import math
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from itertools import product
from pathlib import Path

from astropy.io import fits
from attrs import frozen
from stwcs import updatewcs as stwcs_updatewcs

from astrodriz_core.errors import InputError
from astrodriz_core.names import file_name
from astrodriz_core.records.common import ChipWcs, ExposureWcs
from astrodriz_io.fits.arrays import image_shape
from astrodriz_io.fits.files import header_rootname, keyword_text, open_fits, open_units, reading
from astrodriz_io.fits.header_cards import LENIENT
from astrodriz_io.fits.scan import check_counts_of_file
from astrodriz_io.inputs.reference_folders import ReferenceFolders
from astrodriz_io.inputs.references import DISTORTION_KEYWORDS, NOT_GIVEN, ResolvedReference, distortion_references
from astrodriz_io.storage.digests import sha256_of
from astrodriz_io.storage.disk import storage_errors
from astrodriz_io.storage.places import place
from astrodriz_io.storage.replacing import replacing
from astrodriz_io.wcs.new_model import keep_before_new_model
from astrodriz_io.wcs.stwcs_calls import STWCS_FAILURES, quiet_stwcs
from astrodriz_io.wcs.telescope_wcs import exact_telescope_wcs

__all__ = [
    "DistortionOutcome",
    "DistortionResult",
    "ReferenceUsed",
    "apply_distortion",
    "exposure_wcs",
]

_REFERENCE_KEYWORDS = (*DISTORTION_KEYWORDS, "NPOLEXT", "D2IMEXT")
"""Keywords that name a reference file; the last two are stwcs's notes of what it has applied."""


_SIP_ORDERS = ("A_ORDER", "B_ORDER", "AP_ORDER", "BP_ORDER")
_MAX_SIP_ORDER = 9
"""Greatest order of the SIP convention (Shupe et al. 2005); its keywords have one digit for each power."""

_OTHER_AXES = re.compile(r"(CTYPE|CUNIT|CRVAL|CRPIX|CDELT|CROTA|CNAME)[3-9]|(CD|PC)([03-9]_\d|\d_[03-9])|PC[12]_[12]")
"""Keywords of a third axis, or of a PC matrix, which FITS does not allow beside a CD matrix (Paper I, 2.1.2)."""

_BINNINGS = (2, 3, 4)
"""Pixels along each axis that WFC3/UVIS, STIS and WFPC2 can add up (the instruments' handbooks)."""


class DistortionOutcome(Enum):
    """What became of an exposure."""

    APPLIED = "distortion model applied"
    NO_MODEL = "the header names no IDCTAB: the WCS stays linear"


@frozen
class ReferenceUsed:
    """A reference file, by name and content.

    Attributes
    ----------
    keyword : str
        IDCTAB, NPOLFILE, D2IMFILE, OFFTAB or DGEOFILE.
    name : str
        File name.
    sha256 : str
        Hash of its bytes, hexadecimal.
    """

    keyword: str
    name: str
    sha256: str


@frozen
class DistortionResult:
    """The pipeline-default WCS of one exposure and where it comes from.

    Attributes
    ----------
    file_name : str
        Name of the exposure's file.
    outcome : DistortionOutcome
        Whether there was a model to apply.
    wcsname : str
        ``IDC_<root of IDCTAB>``; empty where there is no model.
    wcs : ExposureWcs
        The WCS that stands in the file now.
    references : tuple of ReferenceUsed
        The files of the model.
    kept : tuple of str
        Alternates of a former distortion model, which are HDRLET extensions now.
    """

    file_name: str
    outcome: DistortionOutcome
    wcsname: str
    wcs: ExposureWcs
    references: tuple[ReferenceUsed, ...]
    kept: tuple[str, ...] = ()


def apply_distortion(files: Sequence[Path], folders: ReferenceFolders) -> tuple[DistortionResult, ...]:
    """Give exposures the WCS of the current distortion model, without any database.

    Each file ends as ``stwcs.updatewcs.updatewcs(file, use_db=False)`` would leave it with the reference
    variables set, but for the distortion of binned exposures, which stwcs gets wrong. It is replaced in one
    step when it is complete, so a failure leaves it as it was.

    Parameters
    ----------
    files : sequence of Path
        FLT or FLC files that this run may change.
    folders : ReferenceFolders
        Where reference files lie.

    Returns
    -------
    tuple of DistortionResult
        One for each file, in the same order.

    Raises
    ------
    ReferenceFileError
        A reference file that a header names is not in any of the folders; nothing has been changed, since
        all files are resolved before the first is touched.
    InputError
        stwcs cannot work with the exposure or with a reference file.
    StorageError
        The file system refuses to read or write.
    """
    resolved = [_resolve(path, folders) for path in files]
    hashes = {reference.path: _checked_hash(reference) for found in resolved for reference in found}
    return tuple(_apply_to_one(path, found, hashes) for path, found in zip(files, resolved, strict=True))


def exposure_wcs(path: Path) -> ExposureWcs:
    """Linear part of the primary WCS of every chip, as the headers have it.

    Parameters
    ----------
    path : Path
        FLT or FLC.

    Returns
    -------
    ExposureWcs
        One `ChipWcs` for each SCI extension, in the order of the file.

    Raises
    ------
    InputError
        A chip lacks CRVAL, CRPIX or a CD matrix, has a number that is not finite, a CD matrix that
        cannot be inverted, or keywords of other axes; the message names file, extension and keyword.
    """
    with open_fits(path) as hdulist:
        rootname = header_rootname(hdulist[0].header, path.name)
        chips = tuple(_chip_wcs(hdu, path.name) for hdu in hdulist[1:] if hdu.name == "SCI")
    return ExposureWcs(rootname=rootname, chips=chips)


@frozen
class _NamedCard:
    """A card that named a reference file, as it was, and the name that it has meanwhile."""

    header: fits.Header
    keyword: str
    value: str
    comment: str
    private_name: str


def _resolve(path: Path, folders: ReferenceFolders) -> tuple[ResolvedReference, ...]:
    # Where the WCS is unusable stwcs would take defaults for what it cannot read, and say nothing.
    exposure_wcs(path)
    with open_units(path) as units:
        return distortion_references(next(units).header, path.name, folders, beside=path.parent)


def _checked_hash(reference: ResolvedReference) -> str:
    """Hash of a reference file that promises nothing which would keep stwcs busy without end."""
    check_counts_of_file(reference.path)
    return sha256_of(reference.path)


def _apply_to_one(
    path: Path, references: tuple[ResolvedReference, ...], hashes: Mapping[Path, str]
) -> DistortionResult:
    kept = _update(path, references)
    wcs = exposure_wcs(path)
    has_model = _has_model(references)
    return DistortionResult(
        file_name=path.name,
        outcome=DistortionOutcome.APPLIED if has_model else DistortionOutcome.NO_MODEL,
        wcsname=wcs.chips[0].wcsname if has_model else "",
        wcs=wcs,
        references=tuple(
            ReferenceUsed(reference.keyword, reference.name, hashes[reference.path]) for reference in references
        ),
        kept=kept,
    )


def _update(path: Path, references: tuple[ResolvedReference, ...]) -> tuple[str, ...]:
    """Let stwcs work on a copy in a private folder beside the file, and rename the copy when it is whole.

    Returns the names of the alternates that had to become HDRLET extensions.
    """
    with storage_errors(path.name), replacing(path) as working:
        shutil.copyfile(path, working)
        # stwcs refuses an HDUList that could not be written back.
        with reading(path.name):
            hdulist = fits.open(working, mode="update", do_not_scale_image_data=True)
        try:
            kept = keep_before_new_model(hdulist, path.stem)
            with _private_references(hdulist, references), quiet_stwcs(path.name), exact_telescope_wcs(hdulist):
                _run_stwcs(hdulist, path.name)
            if _has_model(references):
                _correct_binned_sip(hdulist)
        finally:
            # Cards that nothing here uses may be as odd as they like.
            with reading(path.name):
                hdulist.close(output_verify=LENIENT)
    return kept


@contextlib.contextmanager
def _private_references(hdulist: fits.HDUList, references: tuple[ResolvedReference, ...]) -> Iterator[None]:
    """Let every header name its reference files by plain paths while the block runs, then as before.

    stwcs expands ``$``, parentheses, ``~`` and commas in file names, so a user's folder can break it; a
    private folder of links cannot. A file that stwcs made itself keeps its bare name.
    """
    with tempfile.TemporaryDirectory(prefix="astrodriz-") as private:
        for reference in references:
            _link(reference.path, place(Path(private), reference.name))
        originals = _name_privately(hdulist, Path(private))
        try:
            yield
        finally:
            _name_as_before(hdulist, originals)


def _name_privately(hdulist: fits.HDUList, private: Path) -> list[_NamedCard]:
    exposure = Path(hdulist.filename() or "").name
    originals = []
    for header, keyword in _reference_cards(hdulist):
        value, comment = header[keyword], header.comments[keyword]
        name = str(private / file_name(str(value).split("$")[-1].strip(), f"{exposure}: {keyword}"))
        originals.append(_NamedCard(header, keyword, value, comment, name))
        # Without its comment, because the two together may be longer than a card.
        header[keyword] = (name, "")
    return originals


def _name_as_before(hdulist: fits.HDUList, originals: list[_NamedCard]) -> None:
    """Put values and comments back; where spellings of one file differ, the primary header's counts."""
    values = {card.private_name: card.value for card in reversed(originals)}
    for header, keyword in _reference_cards(hdulist):
        header[keyword] = values.get(header[keyword], Path(header[keyword]).name)
    for card in originals:
        if card.keyword in card.header:
            card.header.comments[card.keyword] = card.comment


def _reference_cards(hdulist: fits.HDUList) -> Iterator[tuple[fits.Header, str]]:
    """Every card that names a reference file, those of the primary header first."""
    for hdu in hdulist:
        for keyword in _REFERENCE_KEYWORDS:
            value = hdu.header.get(keyword)
            if isinstance(value, str) and value.strip().upper() not in NOT_GIVEN:
                yield hdu.header, keyword


def _link(target: Path, link: Path) -> None:
    if link.exists():
        return
    try:
        link.symlink_to(target.absolute())
    except OSError:  # Windows lets only some users make links.
        shutil.copyfile(target, link)


def _run_stwcs(hdulist: fits.HDUList, file_name: str) -> None:
    try:
        stwcs_updatewcs.updatewcs([hdulist], use_db=False, checkfiles=False)
    except STWCS_FAILURES as failure:
        problem = f"the distortion model cannot be applied ({type(failure).__name__}: {failure})."
        remedy = "Check the WCS keywords of the exposure and its IDCTAB, NPOLFILE and D2IMFILE."
        raise InputError(problem, where=file_name, remedy=remedy) from failure


def _has_model(references: tuple[ResolvedReference, ...]) -> bool:
    return any(reference.keyword == "IDCTAB" for reference in references)


def _correct_binned_sip(hdulist: fits.HDUList) -> None:
    """Put right, in place, what stwcs makes of a distortion model where pixels were added up on readout.

    A term of order n in pixels becomes b**(n - 1) times as large where b pixels are added up. stwcs takes b
    for every order, so that the terms from the third order on are too small.
    """
    area_mode = keyword_text(hdulist[0].header, "MODE").upper() == "AREA"
    for hdu in hdulist[1:]:
        binning = 2 if area_mode else hdu.header.get("BINAXIS1", 1)
        if hdu.name == "SCI" and binning in _BINNINGS:
            for keyword, order in _sip_terms(hdu.header):
                term = hdu.header[keyword] * float(binning) ** (order - 2)
                if not math.isfinite(term):
                    raise InputError("the distortion term is not finite.", where=f"[{hdu.name},{hdu.ver}]: {keyword}")
                hdu.header[keyword] = term


def _sip_terms(header: fits.Header) -> Iterator[tuple[str, int]]:
    """Keyword and order of every forward term that a header has."""
    for axis, p, q in product("AB", range(_MAX_SIP_ORDER + 1), range(_MAX_SIP_ORDER + 1)):
        keyword = f"{axis}_{p}_{q}"
        if p + q >= 2 and isinstance(header.get(keyword), float):
            yield keyword, p + q


def _refuse_other_axes(header: fits.Header, where: str) -> None:
    """Refuse keywords that make wcslib see another WCS than the one of CRVAL, CRPIX and CD of two axes."""
    others = [keyword for keyword in header if _OTHER_AXES.fullmatch(keyword)]
    if others:
        problem = "the WCS of an image has two axes and a CD matrix; this does not belong to it."
        raise InputError(problem, where=f"{where}: {others[0]}", remedy="Remove the card.")


def _chip_wcs(hdu: fits.ImageHDU, file_name: str) -> ChipWcs:
    header = hdu.header
    shape = image_shape(hdu)

    def number(keyword: str) -> float:
        value = header.get(keyword)
        if not isinstance(value, (int, float)) or not math.isfinite(value):
            where = f"{file_name}[SCI,{hdu.ver}]: {keyword}"
            raise InputError("the WCS is incomplete: the header gives no number.", where=where)
        return float(value)

    _refuse_other_axes(header, f"{file_name}[SCI,{hdu.ver}]")
    for keyword in _SIP_ORDERS:
        order = header.get(keyword, 0)
        if order not in range(_MAX_SIP_ORDER + 1):
            where = f"{file_name}[SCI,{hdu.ver}]: {keyword}"
            raise InputError(f"{order!r} is no order of a SIP polynomial (0 to {_MAX_SIP_ORDER}).", where=where)
    cd = (number("CD1_1"), number("CD1_2")), (number("CD2_1"), number("CD2_2"))
    if cd[0][0] * cd[1][1] == cd[0][1] * cd[1][0]:
        where = f"{file_name}[SCI,{hdu.ver}]: CD1_1, CD1_2, CD2_1, CD2_2"
        raise InputError("the CD matrix is singular: it maps the image onto a line.", where=where)
    return ChipWcs(
        extver=hdu.ver,
        crval=(number("CRVAL1"), number("CRVAL2")),
        crpix=(number("CRPIX1"), number("CRPIX2")),
        cd=cd,
        naxis=(0, 0) if shape is None else (shape[1], shape[0]),
        wcsname=keyword_text(header, "WCSNAME"),
    )
