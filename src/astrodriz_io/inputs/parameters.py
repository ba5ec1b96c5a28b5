"""The drizzle parameters of a run, layer on layer: table, pipeline, file, option; and who set what.

The table is the MDRIZTAB that the exposures name, or the bundled one where there is none. The rules of the
pipeline change the table; a TOML file and single options of the user come on top.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import resources
from itertools import accumulate
from pathlib import Path
from typing import Any

from attrs import fields, frozen

from astrodriz_core.errors import InputError, MissingFilesError, ReferenceFileError, UsageError
from astrodriz_core.parameters.drizzle import DrizzleParameters, changed_parameters, with_values
from astrodriz_core.parameters.rules import PipelineOverride, pipeline_overrides, single_exposure_overrides
from astrodriz_core.parameters.values import as_text
from astrodriz_core.records.run import ParameterSource
from astrodriz_io.inputs.exposures import Exposure
from astrodriz_io.inputs.mdriztab import read_mdriztab
from astrodriz_io.inputs.named_table import NamedTable, named_mdriztab
from astrodriz_io.inputs.reference_folders import ReferenceFolders
from astrodriz_io.inputs.references import ResolvedReference

__all__ = [
    "BundledSelection",
    "ResolvedParameters",
    "bundled_parameters",
    "drizzle_parameters",
]

_POST_FLASH = 56239.1246
"""MJD of 2012-11-08T02:59:15, from which WFC3/UVIS exposures are post-flashed."""

_VARIANT_RULES: Mapping[str, tuple[str, Callable[[BundledSelection], bool]]] = {
    "grism": ("WFC3/IR", lambda wanted: bool({"G102", "G141"} & set(wanted.filters))),
    "blue": ("ACS/SBC", lambda wanted: bool({"F115LP", "F122M"} & set(wanted.filters))),
    "pre2012": ("WFC3/UVIS", lambda wanted: wanted.start is not None and wanted.start < _POST_FLASH),
}

_DEEPEST = 100
_BRACKETS = re.compile(r"[][{}]")
_TOML_REMEDY = "Give a file of lines such as final_pixfrac = 0.8."

_DATED = ("WFC3/UVIS",)
"""Detectors whose row depends on the date."""


@frozen
class BundledSelection:
    """What selects a row of the bundled table.

    Attributes
    ----------
    detector : str
        Name of the detector, such as ``WFC3/IR``.
    n_exposures : int
        Number of exposures to be combined.
    filters : tuple of str
        Optical elements.
    start : float or None
        EXPSTART of the first exposure, MJD.
    """

    detector: str
    n_exposures: int
    filters: tuple[str, ...] = ()
    start: float | None = None


@frozen
class ResolvedParameters:
    """The parameters of a run and where they come from.

    Attributes
    ----------
    parameters : DrizzleParameters
        What holds.
    sources : tuple of ParameterSource
        For each parameter that a layer set, the layer that had the last word; the others have AstroDrizzle's
        defaults.
    table : str
        The table in words, with its row.
    bundled : bool
        Whether that was the bundled table, which a trailer has to say.
    mdriztab : ResolvedReference or None
        The MDRIZTAB.
    ignored : tuple of str
        Columns of the MDRIZTAB that name no drizzle parameter.
    warnings : tuple of str
        Why the bundled table holds, and what the choice of the row could not rest on.
    """

    parameters: DrizzleParameters
    sources: tuple[ParameterSource, ...]
    table: str
    bundled: bool
    mdriztab: ResolvedReference | None
    ignored: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@frozen
class _Layers:
    """Parameters, and the layer that set each, while the layers are put on one another."""

    parameters: DrizzleParameters
    sources: Mapping[str, str]

    def with_layer(self, values: Mapping[str, object], source: str) -> _Layers:
        """Put values on top; a bad one is told with its source."""
        try:
            after = with_values(self.parameters, values)
        except UsageError as failure:
            raise UsageError(failure.problem, where=source, remedy=failure.remedy) from failure
        implied = (name for name, _ in changed_parameters(self.parameters, after))
        return _Layers(after, {**self.sources, **dict.fromkeys((*implied, *values), source)})

    def with_rules(self, overridden: DrizzleParameters, changes: Sequence[PipelineOverride]) -> _Layers:
        """Put what the pipeline decided on top."""
        reasons = {change.name: f"pipeline: {change.reason}" for change in changes}
        return _Layers(overridden, {**self.sources, **reasons})


@frozen
class _Table:
    """What the table gives: the first layer, the table in words, and what is told of it."""

    layers: _Layers
    name: str
    reference: ResolvedReference | None
    ignored: tuple[str, ...]
    warnings: tuple[str, ...]


def drizzle_parameters(
    exposures: Sequence[Exposure],
    folders: ReferenceFolders,
    *,
    parameter_file: Path | None = None,
    overrides: Sequence[tuple[str, str]] = (),
) -> ResolvedParameters:
    """Find out the parameters for a set of exposures.

    Parameters
    ----------
    exposures : sequence of Exposure
        Exposures of one detector and filter. Those that cannot be combined do not count, unless none can.
    folders : ReferenceFolders
        Where MDRIZTAB lies.
    parameter_file : Path, optional
        TOML file of parameters, as `parameters_to_toml` writes it; may hold only some.
    overrides : sequence of (str, str), optional
        Single parameters by name, on top of everything.

    Returns
    -------
    ResolvedParameters
        Table, then rules of the pipeline, then file, then single ones. The steps that need a second exposure
        stay off for a single one, whatever the file says.

    Raises
    ------
    UsageError
        A file or an option has an unknown name or a bad value.
    InputError, MissingFilesError
        The parameter file cannot be read.
    ReferenceFileError
        The MDRIZTAB is damaged or has bad values. One that cannot be found is no error: the bundled table
        takes its place.
    """
    used = [exposure for exposure in exposures if exposure.observation.can_be_combined] or list(exposures)
    chosen = _table_layer(used, folders)
    start = chosen.layers.parameters
    overridden, changes = pipeline_overrides(start, [exposure.exposure_time for exposure in used])
    layers = chosen.layers.with_rules(overridden, changes)
    if parameter_file is not None:
        layers = layers.with_layer(_read_toml(parameter_file), f"file {parameter_file.name}")
    for name, value in overrides:
        layers = layers.with_layer({name: value}, f"option -p {name}")
    if len(used) == 1:
        layers = layers.with_rules(*single_exposure_overrides(layers.parameters))
    return ResolvedParameters(
        parameters=layers.parameters,
        sources=_as_sources(layers),
        table=chosen.name,
        bundled=chosen.reference is None,
        mdriztab=chosen.reference,
        ignored=chosen.ignored,
        warnings=chosen.warnings,
    )


def bundled_parameters(selection: BundledSelection) -> tuple[DrizzleParameters, str]:
    """Parameters of the bundled table.

    Parameters
    ----------
    selection : BundledSelection
        Detector, number of exposures, filters, date.

    Returns
    -------
    DrizzleParameters
        The parameters of the row with the largest number of exposures that is not above the one given.
    str
        Name of the row, such as ``WFC3/IR any_n4``.

    Raises
    ------
    UsageError
        The table does not know the detector; the message lists those it knows.
    """
    values, row = _bundled_values(selection)
    return with_values(DrizzleParameters(), values), row


def _table_layer(exposures: Sequence[Exposure], folders: ReferenceFolders) -> _Table:
    named = named_mdriztab(exposures, folders)
    if named.reference is None:
        return _bundled_table_layer(exposures, named)
    found = read_mdriztab(named.reference.path, exposures[0].filters, len(exposures))
    table = f"MDRIZTAB {named.reference.name}, row {found.row}"
    try:
        layers = _Layers(DrizzleParameters(), {}).with_layer(_frame_as_given(dict(found.values)), table)
    except UsageError as failure:
        raise ReferenceFileError(failure.problem, where=table, remedy=failure.remedy) from failure
    return _Table(layers, table, named.reference, found.ignored, named.warnings)


def _bundled_table_layer(exposures: Sequence[Exposure], named: NamedTable) -> _Table:
    first = exposures[0]
    selection = BundledSelection(first.description.name, len(exposures), first.filters, first.start)
    values, row = _bundled_values(selection)
    table = f"bundled table, {row}"
    warnings = [f"{named.missing}; the drizzle parameters are those of the {table}", *named.warnings]
    if first.start is None and selection.detector in _DATED:
        warnings.append(f"{first.path.name} has no EXPSTART; its row of the bundled table is one for recent exposures")
    return _Table(_Layers(DrizzleParameters(), {}).with_layer(values, table), table, None, (), tuple(warnings))


def _frame_as_given(values: Mapping[str, object]) -> dict[str, object]:
    """Let a table's frame stay off unless it is switched on, as AstroDrizzle understands its tables."""
    return {"driz_sep_wcs": "no", "final_wcs": "no", **values}


def _bundled_values(selection: BundledSelection) -> tuple[dict[str, object], str]:
    table = _bundled_table()
    rows = table.get(selection.detector)
    if rows is None or selection.detector == "common":
        known = ", ".join(name for name in table if name != "common")
        problem = f"there are no bundled parameters for {selection.detector!r}."
        raise UsageError(problem, remedy=f"Known detectors: {known}.")
    row = _bundled_row(rows, selection)
    return {**table["common"], **rows[row]}, f"{selection.detector} {row}"


@cache
def _bundled_table() -> Mapping[str, Mapping[str, Any]]:
    text = resources.files("astrodriz_io").joinpath("data/drizzle_parameters.toml").read_text("utf-8")
    return tomllib.loads(text)


def _bundled_row(rows: Mapping[str, object], selection: BundledSelection) -> str:
    variants = [
        variant
        for variant, (detector, holds) in _VARIANT_RULES.items()
        if detector == selection.detector and holds(selection)
    ]
    for variant in (*variants, "any"):
        limits = {int(row.removeprefix(f"{variant}_n")): row for row in rows if row.startswith(f"{variant}_n")}
        fitting = [limit for limit in limits if limit <= selection.n_exposures]
        if fitting:
            return limits[max(fitting)]
    raise UsageError(f"The number of exposures is {selection.n_exposures}.", remedy="Give 1 or more.")


def _read_toml(path: Path) -> dict[str, object]:
    try:
        text = path.read_text("utf-8")
        # Python's reader of TOML calls itself for each, and the interpreter itself complains at its limit.
        if _nesting(text) > _DEEPEST:
            raise InputError(f"more than {_DEEPEST} brackets are open at once.", where=path.name, remedy=_TOML_REMEDY)
        return tomllib.loads(text)
    except FileNotFoundError as failure:
        raise MissingFilesError(f"File {path.name} not found.", files=(path.name,)) from failure
    except (OSError, ValueError) as failure:
        raise InputError(f"cannot be read as TOML ({failure}).", where=path.name, remedy=_TOML_REMEDY) from failure


def _nesting(text: str) -> int:
    """How many brackets are open at once, at most; those in texts count too, of which parameters have few."""
    steps = [1 if bracket in "[{" else -1 for bracket in _BRACKETS.findall(text)]
    return max(accumulate(steps), default=0)


def _as_sources(layers: _Layers) -> tuple[ParameterSource, ...]:
    """In the order of the record, so that equal runs have equal records."""
    return tuple(
        ParameterSource(item.name, as_text(getattr(layers.parameters, item.name)), layers.sources[item.name])
        for item in fields(DrizzleParameters)
        if item.name in layers.sources
    )
