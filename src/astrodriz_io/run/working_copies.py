"""The exposures of a run as working copies in its workspace, after they were checked."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from astropy.io import fits
from attrs import evolve, frozen

from astrodriz_core.decide.viability import nothing_left
from astrodriz_core.errors import MissingFilesError
from astrodriz_core.parameters.drizzle import DrizzleParameters
from astrodriz_core.records.drizzling import ExcludedExposure
from astrodriz_core.records.run import FileDigest
from astrodriz_io.drizzling.chips import load_exposure
from astrodriz_io.drizzling.viability import header_defect, unusable_exposures
from astrodriz_io.fits.files import reading
from astrodriz_io.fits.header_cards import check_cards_of_files
from astrodriz_io.inputs.association import Association, Member, raw_idctab
from astrodriz_io.inputs.exposure_sets import check_distinct, check_pair, check_same_configuration
from astrodriz_io.inputs.exposures import Exposure, read_exposure
from astrodriz_io.inputs.wfpc2 import write_wfpc2_flt
from astrodriz_io.storage.digests import sha256_of
from astrodriz_io.storage.disk import storage_errors
from astrodriz_io.storage.places import place
from astrodriz_io.storage.workspace import Workspace
from astrodriz_io.wcs.earlier_runs import forget_earlier_runs
from astrodriz_io.wcs.shared_solutions import keep_solutions

__all__ = ["WorkingCopies", "find_untouched", "take_working_copies", "without_unusable"]

logger = logging.getLogger(__name__)

Item = TypeVar("Item")


@frozen(eq=False)
class WorkingCopies:
    """Working copies of the exposures.

    Attributes
    ----------
    deciding : tuple of Path
        FLC files, or FLT files where there are no FLC files.
    companions : tuple of Path
        The FLT files beside FLC files.
    exposures : tuple of Exposure
        Metadata of the deciding files.
    digests : tuple of FileDigest
        Of all files as the user has them.
    warnings : tuple of str
        For the record: exposures that are to be looked at.
    untouched : mapping
        By the name of each working copy: the file as it was before the run changed anything.
    excluded : tuple of ExcludedExposure
        The exposures that take no part.
    """

    deciding: tuple[Path, ...]
    companions: tuple[Path, ...]
    exposures: tuple[Exposure, ...]
    digests: tuple[FileDigest, ...]
    warnings: tuple[str, ...]
    untouched: Mapping[str, Path]
    excluded: tuple[ExcludedExposure, ...]

    @property
    def all(self) -> tuple[Path, ...]:
        """Every working copy."""
        return (*self.deciding, *self.companions)

    @property
    def flt(self) -> tuple[Path, ...]:
        """The FLT files."""
        return self.companions or self.deciding

    def without(self, rootnames: frozenset[str]) -> WorkingCopies:
        """The copies less those of some exposures."""
        kept = [exposure.rootname not in rootnames for exposure in self.exposures]
        return evolve(
            self,
            deciding=_where(kept, self.deciding),
            companions=_where(kept, self.companions) if self.companions else (),
            exposures=_where(kept, self.exposures),
        )


def take_working_copies(association: Association, space: Workspace, *, reset_idctab: bool) -> WorkingCopies:
    """Copy the exposures into the workspace, and leave out those that cannot be combined.

    Parameters
    ----------
    association : Association
        Where the exposures are. WFPC2 exposures without a FLT get one made from their c0m and c1m.
    space : Workspace
        Receives the copies.
    reset_idctab : bool
        Give the copies the IDCTAB of their RAW files.

    Raises
    ------
    NoViableDataError
        No exposure can be combined; the message says why each cannot.
    InputError
        The exposures differ in detector or filter, or one is damaged.
    """
    sources = {name: _source(association, member, name) for member, name in _files(association)}
    check_cards_of_files(path for parts in sources.values() for path in parts)
    copies = {name: _copy(path, name, space) for name, path in sources.items()}
    exposures = _checked_exposures(association, copies)
    excluded = tuple(defect for exposure in exposures if (defect := header_defect(exposure)) is not None)
    usable = [exposure.observation.can_be_combined for exposure in exposures]
    if not any(usable):
        raise nothing_left(excluded, association.input_name)
    check_same_configuration(_where(usable, exposures))
    companions = association.flt if association.flc else ()
    taken = WorkingCopies(
        deciding=_where(usable, [copies[name] for name in association.deciding]),
        companions=_where(usable, [copies[name] for name in companions]) if companions else (),
        exposures=_where(usable, exposures),
        digests=_digests([association.path(association.input_name), *(p for pair in sources.values() for p in pair)]),
        warnings=(
            *_conditions(_where(usable, exposures)),
            *(f"{name} is left aside: not every exposure has an FLC" for name in association.lone_flc),
        ),
        untouched={name: _untouched(source, copies[name], space) for name, source in sources.items()},
        excluded=excluded,
    )
    earlier = forget_earlier_runs(taken.all)
    # What the FLT carries is offered to the stages, which work with the FLC.
    shared = keep_solutions(taken.companions, taken.deciding) if taken.companions else ()
    taken = evolve(taken, warnings=(*taken.warnings, *earlier, *shared))
    for warning in taken.warnings:
        logger.warning("%s", warning)
    _tell(excluded)
    if reset_idctab:
        _reset_idctab(association, taken.all)
    return taken


def _checked_exposures(association: Association, copies: Mapping[str, Path]) -> list[Exposure]:
    """The deciding exposures, after all exposures have been read and compared."""
    read = {name: read_exposure(path) for name, path in copies.items()}
    for member in association.members if association.flc else ():
        if member.flt in read and member.flc in read:
            check_pair(read[member.flt], read[member.flc])
    deciding = [read[name] for name in association.deciding]
    check_distinct(deciding)
    return deciding


def without_unusable(copies: WorkingCopies, parameters: DrizzleParameters) -> WorkingCopies:
    """The copies less those of exposures whose pixels, or whose place on the sky, give nothing to the product.

    Parameters
    ----------
    copies : WorkingCopies
        With the pipeline-default WCS.
    parameters : DrizzleParameters
        For the DQ bits that count as good.

    Raises
    ------
    NoViableDataError
        None is left; the message says why each was left out.
    """
    loaded = [load_exposure(path, resetbits=parameters.resetbits) for path in copies.deciding]
    unusable = unusable_exposures(loaded, parameters)
    excluded = (*copies.excluded, *unusable)
    _tell(unusable)
    if len(unusable) == len(copies.deciding):
        raise nothing_left(excluded)
    return evolve(copies.without(frozenset(each.rootname for each in unusable)), excluded=excluded)


def _tell(excluded: Iterable[ExcludedExposure]) -> None:
    for each in excluded:
        logger.warning("%s is left out: %s", each.rootname, each.detail)


def _files(association: Association) -> Iterable[tuple[Member, str]]:
    """Every exposure file that takes part, with its member."""
    for member in association.members:
        for name in (member.flt, member.flc if association.flc else None):
            if name is not None:
                yield member, name


def _source(association: Association, member: Member, name: str) -> tuple[Path, ...]:
    """What the working copy is made from: the file itself, or WFPC2's image and flags."""
    if member.c0m is None or association.path(name).exists():
        return (association.path(name),)
    return tuple(association.path(part) for part in (member.c0m, member.c1m) if part is not None)


def _copy(source: tuple[Path, ...], name: str, space: Workspace) -> Path:
    if source[0].name == name:
        return space.adopt(source[0])
    return _make_flt(source, space.place(name))


def _make_flt(source: tuple[Path, ...], flt: Path) -> Path:
    """Make the FLT of a WFPC2 exposure from its image and, where there are any, its flags."""
    write_wfpc2_flt(source[0], source[1] if len(source) > 1 else None, flt)
    return flt


def _untouched(source: tuple[Path, ...], copy: Path, space: Workspace) -> Path:
    """The user's file, or a copy of what was made in its place."""
    if source[0].name == copy.name:
        return source[0]
    with storage_errors(copy.name):
        return Path(shutil.copyfile(copy, place(space.untouched, copy.name)))


def find_untouched(folder: Path, name: str, space: Workspace) -> Path:
    """An exposure as the user has it, for a replay; one of WFPC2 is made from its c0m and c1m as in the run.

    Parameters
    ----------
    folder : Path
        Where the files of the run lie.
    name : str
        Of the working copy.
    space : Workspace
        Receives what has to be made.

    Raises
    ------
    MissingFilesError
        The folder has neither the file nor what it is made from.
    """
    path = place(folder, name)
    if path.is_file():
        return path
    parts = {path.name.lower(): path for path in folder.iterdir()}
    root = name.lower().removesuffix("_flt.fits")
    source = tuple(parts[f"{root}_{part}.fits"] for part in ("c0m", "c1m") if f"{root}_{part}.fits" in parts)
    if not source or "c0m" not in source[0].name.lower():
        raise MissingFilesError(f"File {name} not found.", files=(name,))
    return _make_flt(source, place(space.untouched, name))


def _conditions(exposures: Sequence[Exposure]) -> tuple[str, ...]:
    return tuple(
        f"{exposure.rootname}: {condition.value}"
        for exposure in exposures
        for condition in exposure.observation.conditions
    )


def _digests(paths: Iterable[Path]) -> tuple[FileDigest, ...]:
    return tuple(FileDigest(path.name, sha256_of(path)) for path in dict.fromkeys(paths))


def _reset_idctab(association: Association, copies: Iterable[Path]) -> None:
    """Give the working copies the IDCTAB of their RAW files."""
    for copy in copies:
        idctab = raw_idctab(association, read_exposure(copy).rootname)
        if idctab is not None:
            with reading(f"{copy.name}: IDCTAB"):
                fits.setval(copy, "IDCTAB", value=idctab)


def _where(kept: Sequence[bool], items: Sequence[Item]) -> tuple[Item, ...]:
    return tuple(item for keep, item in zip(kept, items, strict=True) if keep)
