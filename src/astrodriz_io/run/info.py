"""What is known of an input before a run: exposures, WCS solutions, reference files, parameters, what would be done."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from math import hypot
from pathlib import Path
from tempfile import TemporaryDirectory

from astropy.io import fits
from astropy.time import Time
from attrs import evolve, frozen

from astrodriz_core.errors import ReferenceFileError
from astrodriz_core.tell.kinds import solution_words
from astrodriz_io.fits.files import keyword_number, keyword_text, open_fits
from astrodriz_io.inputs.association import Association, read_association
from astrodriz_io.inputs.exposures import Exposure, read_exposure
from astrodriz_io.inputs.parameters import drizzle_parameters
from astrodriz_io.inputs.reference_folders import ReferenceFolders
from astrodriz_io.inputs.references import resolve_reference, used_keywords
from astrodriz_io.inputs.wfpc2 import write_wfpc2_flt
from astrodriz_io.run.estimate import COMBINATIONS, Estimate, estimate_run
from astrodriz_io.run.settings import Settings, settings_from_environment
from astrodriz_io.runtime.library_warnings import library_warnings
from astrodriz_io.storage.disk import storage_errors
from astrodriz_io.storage.places import place
from astrodriz_io.wcs.alternates import alternate_keys
from astrodriz_io.wcs.attached import attached_headerlets
from astrodriz_io.wcs.distortion import exposure_wcs

__all__ = ["ExposureInfo", "InputInfo", "ReferenceInfo", "SolutionInfo", "info"]


@frozen
class SolutionInfo:
    """A WCS solution that an exposure has; `rms_mas` and `matches` are those of a fit, None where none is told."""

    place: str
    wcsname: str
    kind: str
    rms_mas: float | None
    matches: int | None


@frozen
class ReferenceInfo:
    """A reference file that an exposure names; `problem` says why it cannot be used, None where it is found."""

    keyword: str
    name: str
    problem: str | None


@frozen
class ExposureInfo:
    """One deciding exposure; times are UTC, None where the header has none; `remarks` say what is unusual."""

    file: str
    rootname: str
    target: str
    start: str | None
    exptime: float
    remarks: tuple[str, ...]
    solutions: tuple[SolutionInfo, ...]
    references: tuple[ReferenceInfo, ...]


@frozen
class InputInfo:
    """What is known of an input.

    Attributes
    ----------
    input, kind, product : str
        Name of the file, what it is, root of its product.
    detector, filters : str
        Of the first exposure.
    exposures : tuple of ExposureInfo
        Those that decide: FLC files, else FLT files.
    companions : int
        FLT files beside FLC files.
    parameters : str
        The table of drizzle parameters in words, with its row.
    warnings : tuple of str
        What a run would warn of in the parameters.
    stages : tuple of str
        What a run would do; only why not, where DRIZCORR switches it off.
    estimate : Estimate
        What that takes.
    """

    input: str
    kind: str
    product: str
    detector: str
    filters: str
    exposures: tuple[ExposureInfo, ...]
    companions: int
    parameters: str
    warnings: tuple[str, ...]
    stages: tuple[str, ...]
    estimate: Estimate

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of reference files that cannot be used, once each."""
        named = (each for exposure in self.exposures for each in exposure.references if each.problem is not None)
        return tuple(dict.fromkeys(each.name for each in named))


@library_warnings()
def info(input_file: str | os.PathLike[str], settings: Settings | None = None) -> InputInfo:
    """Look at an input without changing anything; its folder need not be writable, and nothing is locked.

    Parameters
    ----------
    input_file : path
        Whatever `process` takes.
    settings : Settings, optional
        What the user asks for; by default what the environment of the process says.

    Raises
    ------
    MissingFilesError
        Files of the input are missing.
    InputError
        One is damaged.
    UsageError
        The parameters that are asked for cannot be read.
    """
    settings = settings or settings_from_environment(Settings(), os.environ)[0]
    association = read_association(Path(input_file), force=settings.force)
    folders = evolve(settings.references, beside=association.folder)
    with ExitStack() as held:
        files = tuple(_files(association, held))
        exposures = tuple(map(read_exposure, files))
        resolved = drizzle_parameters(
            exposures, folders, parameter_file=settings.parameter_file, overrides=settings.parameter_overrides
        )
        return InputInfo(
            input=association.input_name,
            kind=association.kind.value,
            product=association.product,
            detector=exposures[0].description.name,
            filters=",".join(exposures[0].filters),
            exposures=tuple(_exposure(exposure, folders) for exposure in exposures),
            companions=len(association.flt) if association.flc else 0,
            parameters=resolved.table,
            warnings=resolved.warnings,
            stages=tuple(_stages(association, settings)),
            estimate=estimate_run(
                [exposure_wcs(file) for file in files],
                combinations=_combinations(association, settings),
                threads=settings.num_cores,
                in_memory=settings.in_memory,
            ),
        )


def _files(association: Association, held: ExitStack) -> Iterator[Path]:
    """The deciding exposures; one of WFPC2 that a run would make is made in a temporary folder."""
    for name in association.deciding:
        path = association.path(name)
        if path.is_file():
            yield path
        else:
            with storage_errors("the temporary folder"):
                scratch = held.enter_context(TemporaryDirectory(prefix="astrodriz_"))
            yield _made_flt(association, name, Path(scratch))


def _made_flt(association: Association, name: str, scratch: Path) -> Path:
    """The FLT of a WFPC2 exposure, made of its image and, where there are any, its flags."""
    member = next(each for each in association.members if each.flt == name)
    parts = [association.path(part) for part in (member.c0m, member.c1m) if part is not None]
    flt = place(scratch, name)
    write_wfpc2_flt(parts[0], parts[1] if len(parts) > 1 else None, flt)
    return flt


def _exposure(exposure: Exposure, folders: ReferenceFolders) -> ExposureInfo:
    with open_fits(exposure.path) as hdulist:
        solutions = tuple(_solutions(hdulist, exposure.chips[0].extver))
        references = tuple(_references(hdulist[0].header, exposure.path.name, folders))
    conditions = tuple(condition.value for condition in exposure.observation.conditions)
    return ExposureInfo(
        file=exposure.path.name,
        rootname=exposure.rootname,
        target=exposure.target,
        start=None if exposure.start is None else str(Time(exposure.start, format="mjd").isot)[:19],
        exptime=exposure.exposure_time,
        remarks=conditions,
        solutions=solutions,
        references=references,
    )


def _solutions(hdulist: fits.HDUList, extver: int) -> Iterator[SolutionInfo]:
    header = hdulist["SCI", extver].header
    yield _solution("primary", keyword_text(header, "WCSNAME"), header)
    for key in alternate_keys(header):
        yield _solution(f"alternate {key}", keyword_text(header, f"WCSNAME{key}"), fits.Header())
    for index, headerlet in attached_headerlets(hdulist):
        primary = headerlet[0].header
        yield _solution(f"HDRLET {hdulist[index].ver}", keyword_text(primary, "WCSNAME"), primary)


def _solution(where: str, wcsname: str, header: fits.Header) -> SolutionInfo:
    ra, dec = (keyword_number(header, keyword) for keyword in ("RMS_RA", "RMS_DEC"))
    matches = keyword_number(header, "NMATCHES") or keyword_number(header, "NMATCH")
    return SolutionInfo(
        place=where,
        wcsname=wcsname,
        kind=solution_words(wcsname),
        rms_mas=hypot(ra, dec) if ra and dec else None,
        matches=int(matches) if matches else None,
    )


def _references(header: fits.Header, file: str, folders: ReferenceFolders) -> Iterator[ReferenceInfo]:
    for keyword in (*used_keywords(header), "MDRIZTAB"):
        value = keyword_text(header, keyword)
        try:
            found = resolve_reference(value, keyword, file, folders)
        except ReferenceFileError as error:
            yield ReferenceInfo(keyword, value, error.problem)
            continue
        if found is not None:
            yield ReferenceInfo(keyword, found.name, None)


def _stages(association: Association, settings: Settings) -> Iterator[str]:
    if not association.to_be_drizzled:
        yield from (f"nothing: {switch}" for switch in association.switched_off_by)
        return
    yield "pipeline-default WCS by the distortion model"
    yield "default products, and how well they are aligned"
    if settings.apply_apriori:
        source = _place(settings.headerlet_folder, "the astrometry database")
        yield f"a priori solutions, from the exposures and {source}"
    if settings.compute_aposteriori:
        source = _place(settings.catalog, "Gaia, by the catalogue service")
        yield f"a fit of the exposures to each other and to {source}"
    yield "final products, headerlets, record, report" if settings.headerlets else "final products, record, report"


def _place(local: Path | None, otherwise: str) -> str:
    return otherwise if local is None else local.name


def _combinations(association: Association, settings: Settings) -> int:
    switched_off: Sequence[bool] = (not settings.apply_apriori, not settings.compute_aposteriori)
    return COMBINATIONS - sum(switched_off) + bool(association.flc)
