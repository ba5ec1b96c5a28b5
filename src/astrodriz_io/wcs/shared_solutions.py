"""Solutions that one file of an exposure carries, given to another file of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from astropy.io import fits

from astrodriz_io.fits.files import keyword_text, open_fits
from astrodriz_io.wcs.attached import attach_headerlet, attached_headerlets, not_attached
from astrodriz_io.wcs.headers import edit_together

__all__ = ["attach_all", "keep_solutions"]


def keep_solutions(sources: Sequence[Path], targets: Sequence[Path]) -> tuple[str, ...]:
    """Attach the solutions that some exposures carry to others, whose primary WCS stays.

    Parameters
    ----------
    sources : sequence of Path
        The same exposures as `targets`: copies with which a stage was tried, or FLT files beside FLC files. They
        are not changed.
    targets : sequence of Path
        Those that lack solutions are changed, all or none.

    Returns
    -------
    tuple of str
        What was renamed, for the record.
    """
    lacking = [_lacking(source, target) for source, target in zip(sources, targets, strict=True)]
    notes: list[str] = []

    def attach(index: int, hdulist: fits.HDUList) -> None:
        notes.extend(attach_all(hdulist, lacking[index], targets[index].name))

    if any(lacking):
        edit_together(targets, attach)
    return tuple(notes)


def attach_all(hdulist: fits.HDUList, headerlets: Sequence[fits.HDUList], file_name: str) -> tuple[str, ...]:
    """Attach those of some headerlets whose solution an exposure lacks.

    Returns
    -------
    tuple of str
        For each one whose HDRNAME another solution has: both names, for the record.
    """
    notes = []
    for headerlet in headerlets:
        wanted = keyword_text(headerlet[0].header, "HDRNAME")
        name = attach_headerlet(hdulist, headerlet)
        if name != wanted and keyword_text(headerlet[0].header, "HDRNAME") == name:
            notes.append(f"{file_name}: another solution has the HDRNAME {wanted}; this one is kept as {name}")
    return tuple(notes)


def _lacking(source: Path, target: Path) -> list[fits.HDUList]:
    """Solutions that one exposure has and another has not."""
    with open_fits(source) as ours, open_fits(target) as theirs:
        return not_attached([headerlet for _, headerlet in attached_headerlets(ours)], theirs)
