"""HDRLET extensions: the WCS solutions that an exposure carries as headerlets, read, added, each kept once."""

from __future__ import annotations

import gzip
import io
import itertools
import re
import zlib
from collections.abc import Iterable, Iterator

from astropy.io import fits
from stwcs.updatewcs import utils as stwcs_utils
from stwcs.wcsutil.headerlet import Headerlet, HeaderletHDU

from astrodriz_core.errors import InputError
from astrodriz_io.fits.files import keyword_text, reading
from astrodriz_io.fits.scan import check_counts
from astrodriz_io.wcs.headerlet_check import check_headerlet
from astrodriz_io.wcs.headerlets import AUTHOR, content_hash

__all__ = [
    "attach_headerlet",
    "attach_own",
    "attached_headerlets",
    "damaged_headerlets",
    "detach",
    "is_own",
    "not_attached",
    "remove_duplicates",
]

COUNTED_NAME = re.compile(r"(?P<name>.*?)(?:-\d+)?(?P<ending>-hlet\.fits)?")
"""An HDRNAME, the counter that a name has which was taken, and the ending that the archive uses for fits."""


def attached_headerlets(hdulist: fits.HDUList) -> Iterator[tuple[int, Headerlet]]:
    """Index and headerlet of each HDRLET extension; damaged ones are passed over, see `damaged_headerlets`."""
    for index, found in _examined(hdulist):
        if not isinstance(found, InputError):
            yield index, found


def damaged_headerlets(hdulist: fits.HDUList, file_name: str) -> tuple[str, ...]:
    """What is wrong with each HDRLET extension that cannot be read, with the names of the file and extension."""
    return tuple(f"{file_name}{found}" for _, found in _examined(hdulist) if isinstance(found, InputError))


def attach_headerlet(hdulist: fits.HDUList, headerlet: fits.HDUList) -> str:
    """Append a headerlet as an HDRLET extension, unless its solution is attached already.

    stwcs finds headerlets by their HDRNAME. Where another solution has it, this one gets a counter (``-1``), in the
    headerlet that was given too.

    Returns
    -------
    str
        The HDRNAME under which the exposure has the solution.
    """
    attached = (found for _, found in attached_headerlets(hdulist))
    known = {content_hash(found): keyword_text(found[0].header, "HDRNAME") for found in attached}
    content = content_hash(headerlet)
    if content in known:
        return known[content]
    header = headerlet[0].header
    header["HDRNAME"] = _free_name(hdulist, keyword_text(header, "HDRNAME"))
    extension = HeaderletHDU.fromheaderlet(headerlet)
    versions = {hdu.ver for hdu in hdulist if isinstance(hdu, HeaderletHDU)}
    extension.header["EXTVER"] = next(count for count in itertools.count(1) if count not in versions)
    hdulist.append(extension)
    stwcs_utils.updateNEXTENDKw(hdulist)
    return str(header["HDRNAME"])


def attach_own(hdulist: fits.HDUList, headerlet: fits.HDUList) -> str:
    """Append a headerlet that this run made, in the place of those of earlier runs under its HDRNAME.

    Those that others made stay, also under that name; see `attach_headerlet`.

    Returns
    -------
    str
        The HDRNAME under which the exposure has the solution.
    """
    content, name = content_hash(headerlet), _plain_name(keyword_text(headerlet[0].header, "HDRNAME"))
    superseded = [
        index
        for index, attached in attached_headerlets(hdulist)
        if is_own(attached)
        and _plain_name(keyword_text(attached[0].header, "HDRNAME")) == name
        and content_hash(attached) != content
    ]
    detach(hdulist, superseded)
    return attach_headerlet(hdulist, headerlet)


def is_own(headerlet: fits.HDUList) -> bool:
    """Whether a run of astrodriz made the headerlet."""
    return keyword_text(headerlet[0].header, "AUTHOR") == AUTHOR


def detach(hdulist: fits.HDUList, indices: Iterable[int]) -> None:
    """Take HDRLET extensions away."""
    for index in sorted(indices, reverse=True):
        del hdulist[index]
    stwcs_utils.updateNEXTENDKw(hdulist)


def remove_duplicates(hdulist: fits.HDUList) -> tuple[str, ...]:
    """Remove HDRLET extensions whose solution is that of one before; their names are returned."""
    contents: set[str] = set()
    doubled: dict[int, str] = {}
    for index, headerlet in attached_headerlets(hdulist):
        content = content_hash(headerlet)
        if content in contents:
            doubled[index] = keyword_text(headerlet[0].header, "HDRNAME")
        contents.add(content)
    if doubled:
        detach(hdulist, doubled)
    return tuple(doubled.values())


def not_attached(headerlets: Iterable[fits.HDUList], hdulist: fits.HDUList) -> list[fits.HDUList]:
    """Those of some headerlets whose solution no HDRLET extension of an exposure has."""
    known = {content_hash(headerlet) for _, headerlet in attached_headerlets(hdulist)}
    return [headerlet for headerlet in headerlets if content_hash(headerlet) not in known]


def _examined(hdulist: fits.HDUList) -> Iterator[tuple[int, Headerlet | InputError]]:
    """Index of each HDRLET extension, and its headerlet or what is wrong with it."""
    for index, hdu in enumerate(hdulist):
        if isinstance(hdu, HeaderletHDU):
            try:
                yield index, _read(hdu, f"[{hdu.name},{hdu.ver}]")
            except InputError as error:
                yield index, error


def _read(hdu: HeaderletHDU, where: str) -> Headerlet:
    """The headerlet of an extension, whole.

    Raises
    ------
    InputError
        It is damaged, or lacks what every headerlet has.
    """
    with reading(where):
        body = io.BytesIO(bytes(hdu.data))
    _check_embedded(body, bool(hdu.header.get("COMPRESS", False)), where)
    with reading(where):
        found: Headerlet = hdu.headerlet
        found.init_attrs()
    check_headerlet(found, where)
    return found


def _check_embedded(body: io.BytesIO, compressed: bool, where: str) -> None:
    """Refuse a FITS file inside an extension that promises more than FITS allows; see `check_counts`."""
    stream = gzip.GzipFile(fileobj=body) if compressed else body
    try:
        check_counts(stream, where)
    except (OSError, EOFError, zlib.error) as error:
        problem = f"the headerlet cannot be unpacked ({error})."
        raise InputError(problem, where=where, remedy="Fetch the exposure again.") from error


def _free_name(hdulist: fits.HDUList, wanted: str) -> str:
    """The name itself, or the first one with a counter that no HDRLET extension has, be it damaged or not."""
    taken = {keyword_text(hdu.header, "HDRNAME").upper() for hdu in hdulist if isinstance(hdu, HeaderletHDU)}
    return next(name for name in _numbered(wanted) if name.upper() not in taken)


def _numbered(wanted: str) -> Iterator[str]:
    match = COUNTED_NAME.fullmatch(wanted)
    name, ending = (match["name"], match["ending"] or "") if match else (wanted, "")
    return itertools.chain((wanted,), (f"{name}-{count}{ending}" for count in itertools.count(1)))


def _plain_name(hdrname: str) -> str:
    """An HDRNAME in upper case without its counter."""
    match = COUNTED_NAME.fullmatch(hdrname.upper().replace("-HLET.FITS", "-hlet.fits"))
    return f"{match['name']}{match['ending'] or ''}" if match else hdrname.upper()
