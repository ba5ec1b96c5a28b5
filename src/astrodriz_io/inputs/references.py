"""Where calibration reference files lie: our own reading of ``jref$``, ``iref$`` and CRDS_PATH.

Only the references that a drizzle run needs are resolved. The value of a keyword is data from a file
and is trusted with nothing: a known variable and a plain file name, or it is refused.
"""

from __future__ import annotations

import re
from pathlib import Path

from astropy.io import fits
from attrs import field, frozen

from astrodriz_core.errors import ReferenceFileError
from astrodriz_io.fits.files import keyword_text
from astrodriz_io.inputs.reference_folders import REFERENCE_VARIABLES, ReferenceFolders
from astrodriz_io.storage.places import place

__all__ = [
    "DISTORTION_KEYWORDS",
    "NOT_GIVEN",
    "ResolvedReference",
    "distortion_references",
    "resolve_reference",
    "used_keywords",
]


DISTORTION_KEYWORDS: tuple[str, ...] = ("IDCTAB", "NPOLFILE", "D2IMFILE", "OFFTAB", "DGEOFILE", "ODGEOFIL")
"""Primary header keywords that name parts of the distortion model; the last three only for WFPC2."""

_KEYWORDS = frozenset({*DISTORTION_KEYWORDS, "MDRIZTAB"})
NOT_GIVEN = frozenset({"", "N/A", "NONE", "INDEF"})
"""Values by which a header says that there is no file, in upper case."""

_VALUE = re.compile(r"(?:(?P<variable>[A-Za-z0-9_]+)\$)?(?P<name>[A-Za-z0-9][A-Za-z0-9_.+-]{0,80})")


@frozen
class ResolvedReference:
    """A reference file that was found.

    Attributes
    ----------
    keyword : str
        Keyword of the primary header that names it.
    name : str
        File name.
    path : Path
        Where it lies.
    """

    keyword: str
    name: str
    path: Path = field(eq=False)


def resolve_reference(
    value: str, keyword: str, exposure: str, folders: ReferenceFolders, *, beside: Path | None = None
) -> ResolvedReference | None:
    """Find the file that a reference keyword names.

    Parameters
    ----------
    value : str
        Value of the keyword: ``iref$name``, or ``name`` alone.
    keyword : str
        IDCTAB, NPOLFILE, D2IMFILE, MDRIZTAB, OFFTAB or DGEOFILE.
    exposure : str
        Name of the exposure's file, for the message of an error.
    folders : ReferenceFolders
        Where to look.
    beside : Path, optional
        Folder that is searched first for a name without a variable.

    Returns
    -------
    ResolvedReference or None
        None where the header names no file (blank, N/A, NONE, INDEF).

    Raises
    ------
    ReferenceFileError
        The value is not a plain file name after a known variable, or the file is in none of the folders.
    """
    text = value.strip()
    if text.upper() in NOT_GIVEN:
        return None
    where = f"{exposure}: {keyword}"
    variable, name = _parsed(text, keyword, where)
    places = _places(variable, folders, folders.beside or beside)
    for folder in places:
        path = place(folder, name)
        if path.is_file():
            return ResolvedReference(keyword, name, path)
    raise _not_found(name, variable, places, where)


def distortion_references(
    header: fits.Header, exposure: str, folders: ReferenceFolders, *, beside: Path | None = None
) -> tuple[ResolvedReference, ...]:
    """Find every file of the distortion model that a primary header names.

    Parameters
    ----------
    header : astropy.io.fits.Header
        Primary header of a FLT or FLC.
    exposure : str
        Name of the file, for the message of an error.
    folders : ReferenceFolders
        Where to look.
    beside : Path, optional
        Folder that is searched first for names without a variable.

    Returns
    -------
    tuple of ResolvedReference
        In the order of `DISTORTION_KEYWORDS`; empty where the header names none. OFFTAB and DGEOFILE
        count for WFPC2 alone: other headers still carry the names of files that nothing uses any more.
        For WFPC2 stwcs makes the D2IMFILE itself, from the DGEOFILE (ODGEOFIL, once it has).

    Raises
    ------
    ReferenceFileError
        A file is named that cannot be found, or must not be looked for.
    """
    found = (
        resolve_reference(keyword_text(header, keyword), keyword, exposure, folders, beside=beside)
        for keyword in used_keywords(header)
    )
    return tuple(reference for reference in found if reference is not None)


def used_keywords(header: fits.Header) -> tuple[str, ...]:
    """Keywords that name the files of the distortion model, for the instrument of a primary header."""
    if keyword_text(header, "INSTRUME").upper() != "WFPC2":
        return ("IDCTAB", "NPOLFILE", "D2IMFILE")
    made = [keyword for keyword in ("DGEOFILE", "ODGEOFIL") if keyword_text(header, keyword).upper() not in NOT_GIVEN]
    return ("IDCTAB", "NPOLFILE", "OFFTAB", made[0] if made else "D2IMFILE")


def _parsed(text: str, keyword: str, where: str) -> tuple[str | None, str]:
    match = _VALUE.fullmatch(text)
    variable = match["variable"].lower() if match and match["variable"] else None
    if keyword not in _KEYWORDS or match is None or ".." in text or variable not in {None, *REFERENCE_VARIABLES}:
        known = ", ".join(f"{name}$" for name in REFERENCE_VARIABLES)
        problem = f"{text!r} is not the name of a reference file."
        raise ReferenceFileError(problem, where=where, remedy=f"Give a plain file name after one of {known}.")
    return variable, match["name"]


def _places(variable: str | None, folders: ReferenceFolders, beside: Path | None) -> tuple[Path, ...]:
    if variable is not None:
        return folders.candidates(variable)
    everywhere = (place for name in REFERENCE_VARIABLES for place in folders.candidates(name))
    return tuple(dict.fromkeys((*([beside] if beside else []), *everywhere)))


def _not_found(name: str, variable: str | None, places: tuple[Path, ...], where: str) -> ReferenceFileError:
    looked = ", ".join(str(place) for place in places) or "no folder: the variables are not set"
    variables = variable or ", ".join(REFERENCE_VARIABLES)
    remedy = f"Set {variables} to the folder that holds it, or CRDS_PATH to a CRDS cache."
    return ReferenceFileError(f"{name} was not found (looked in {looked}).", where=where, remedy=remedy)
