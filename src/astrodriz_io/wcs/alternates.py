"""Alternate WCSs of an exposure, under the letters A to Z: kept exactly, each once, restored, taken away."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TypeAlias

from astropy.io import fits
from stwcs.wcsutil import altwcs

from astrodriz_core.solutions.wcsnames import without_counter
from astrodriz_io.wcs.linear_terms import LinearTerms, copy_linear_terms, linear_terms, same_terms
from astrodriz_io.wcs.stwcs_calls import stwcs_call

__all__ = [
    "TELESCOPE_KEY",
    "add_alternate",
    "alternate_key",
    "alternate_keys",
    "alternate_keywords",
    "copy_alternates",
    "free_key",
    "has_alternate",
    "remove_alternate",
    "remove_repeated_alternates",
]

Extension: TypeAlias = int | tuple[str, int]
"""Index, or name and version, of an extension."""

TELESCOPE_KEY = "O"
"""Key of the WCS with which the exposure came from the telescope; it is never replaced."""


def alternate_keys(header: fits.Header) -> list[str]:
    """Keys of the alternates that have a name, in their order, without that of the telescope's WCS."""
    return sorted(keyword[7:] for keyword in header["WCSNAME?"] if keyword[7:] != TELESCOPE_KEY)


def alternate_key(header: fits.Header, wcsname: str) -> str | None:
    """Key of the alternate WCS with a name, in any case; the last one where several have it."""
    keys = [k[7:] for k, v in header["WCSNAME?"].items() if str(v).strip().upper() == wcsname.strip().upper()]
    return max(keys, default=None)


def free_key(header: fits.Header) -> str | None:
    """The first letter that no WCS of a header has; None where all are taken."""
    free = (key for key in altwcs.available_wcskeys(header) if key != TELESCOPE_KEY)
    return next(free, None)


def has_alternate(hdulist: fits.HDUList, extensions: Sequence[Extension]) -> bool:
    """Whether the primary WCS of all these chips is an alternate already, by name and terms."""
    primary = [linear_terms(hdulist[extension].header) for extension in extensions]
    name = str(hdulist[extensions[0]].header.get("WCSNAME", ""))
    return _key_of(hdulist, extensions, name, primary) is not None


def add_alternate(hdulist: fits.HDUList, extensions: Sequence[Extension], key: str) -> None:
    """Keep the primary WCS of chips as the alternate with a free key, exactly; a name that is taken gets a counter.

    Raises
    ------
    InputError
        stwcs cannot read the WCS.
    """
    name = str(hdulist[extensions[0]].header.get("WCSNAME", "")).strip()
    with stwcs_call(hdulist):
        altwcs.archive_wcs(hdulist, extensions, key, name or None, altwcs.ArchiveMode.AUTO_RENAME)
    for extension in extensions:
        copy_linear_terms(hdulist[extension].header, hdulist[extension].header, to_key=key)


def alternate_keywords(hdulist: fits.HDUList, extension: Extension, key: str) -> list[str]:
    """Keywords, without the key, that a chip's header has of one of its alternates."""
    with stwcs_call(hdulist):
        names = altwcs.wcs_from_key(hdulist, extension, from_key=key, to_key=" ", exclude_special=False)
    header = hdulist[extension].header
    return [name for name in names if name and name + key in header]


def remove_alternate(hdulist: fits.HDUList, extension: Extension, key: str) -> None:
    """Take away an alternate of one chip."""
    for keyword in alternate_keywords(hdulist, extension, key):
        hdulist[extension].header.remove(keyword + key)


def copy_alternates(source: fits.HDUList, target: fits.HDUList, extensions: Sequence[Extension]) -> tuple[str, ...]:
    """Give an exposure the alternates of another one that it lacks, exactly; a name that is taken gets a counter.

    Returns
    -------
    tuple of str
        The names of those for which no letter is left.
    """
    first, names = source[extensions[0]].header, []
    for key in alternate_keys(first):
        name = str(first[f"WCSNAME{key}"]).strip()
        terms = [linear_terms(source[extension].header, key) for extension in extensions]
        if _key_of(target, extensions, name, terms) is None and not _copied(source, target, extensions, key, name):
            names.append(name)
    return tuple(names)


def _copied(source: fits.HDUList, target: fits.HDUList, extensions: Sequence[Extension], key: str, name: str) -> bool:
    """Copy one alternate, under its own letter if that is free; False where none is."""
    header = target[extensions[0]].header
    free = key if key in altwcs.available_wcskeys(header) else free_key(header)
    if free is None:
        return False
    wcsname = _free_name(header, name)
    for extension in extensions:
        theirs, ours = source[extension].header, target[extension].header
        for keyword in alternate_keywords(source, extension, key):
            ours[keyword + free] = (theirs[keyword + key], theirs.comments[keyword + key])
        ours[f"WCSNAME{free}"] = wcsname
    return True


def _free_name(header: fits.Header, name: str) -> str:
    """The name, or the first one with a counter that no alternate has."""
    taken = {str(value).strip().upper() for value in header["WCSNAME?"].values()}
    counted = (f"{without_counter(name)}-{count}" for count in itertools.count(1))
    return next(found for found in itertools.chain((name,), counted) if found.upper() not in taken)


def remove_repeated_alternates(hdulist: fits.HDUList, extensions: Sequence[Extension]) -> tuple[str, ...]:
    """Take away alternates that repeat one with a smaller key under its name with a counter.

    Returns
    -------
    tuple of str
        Their names.
    """
    removed = []
    for key in reversed(alternate_keys(hdulist[extensions[0]].header)):
        header = hdulist[extensions[0]].header
        name = str(header[f"WCSNAME{key}"])
        terms = [linear_terms(hdulist[extension].header, key) for extension in extensions]
        earlier = _key_of(hdulist, extensions, name, terms)
        if earlier is not None and earlier < key:
            removed.append(name)
            for extension in extensions:
                remove_alternate(hdulist, extension, key)
    return tuple(reversed(removed))


def _key_of(
    hdulist: fits.HDUList, extensions: Sequence[Extension], name: str, terms: Sequence[LinearTerms]
) -> str | None:
    """The first alternate with a name, but for its counter, that has these terms on all chips."""
    header, wanted = hdulist[extensions[0]].header, without_counter(name).upper()
    named = (k for k in alternate_keys(header) if without_counter(str(header[f"WCSNAME{k}"])).upper() == wanted)
    return next((key for key in named if _has_terms(hdulist, extensions, key, terms)), None)


def _has_terms(hdulist: fits.HDUList, extensions: Sequence[Extension], key: str, terms: Sequence[LinearTerms]) -> bool:
    found = (linear_terms(hdulist[extension].header, key) for extension in extensions)
    return all(same_terms(one, other) for one, other in zip(terms, found, strict=True))
