"""The MDRIZTAB that exposures name, or why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import frozen

from astrodriz_core.errors import ReferenceFileError
from astrodriz_io.fits.files import primary_text
from astrodriz_io.inputs.exposures import Exposure
from astrodriz_io.inputs.reference_folders import REFERENCE_VARIABLES, ReferenceFolders
from astrodriz_io.inputs.references import NOT_GIVEN, ResolvedReference, resolve_reference

__all__ = ["NamedTable", "named_mdriztab"]


@frozen
class NamedTable:
    """What became of the MDRIZTAB in the headers.

    Attributes
    ----------
    reference : ResolvedReference or None
        The table of the first exposure; None where it names none, or one that cannot be had.
    missing : str or None
        Why there is no table: the exposure, what it names, and where that was looked for, without folders of this
        machine.
    warnings : tuple of str
        Other exposures that name another table.
    """

    reference: ResolvedReference | None
    missing: str | None = None
    warnings: tuple[str, ...] = ()


def named_mdriztab(exposures: Sequence[Exposure], folders: ReferenceFolders) -> NamedTable:
    """Find the MDRIZTAB that the first of some exposures names.

    Parameters
    ----------
    exposures : sequence of Exposure
        At least one.
    folders : ReferenceFolders
        Where to look.
    """
    values = {exposure.path: _value(exposure) for exposure in exposures}
    first = exposures[0].path
    warnings = tuple(_others(first, values))
    try:
        reference = resolve_reference(values[first], "MDRIZTAB", first.name, folders, beside=first.parent)
    except ReferenceFileError:
        return NamedTable(None, f"{first.name} {_not_found(values[first], folders)}", warnings)
    if reference is None:
        return NamedTable(None, f"{first.name} names no MDRIZTAB", warnings)
    return NamedTable(reference, None, warnings)


def _value(exposure: Exposure) -> str:
    return primary_text(exposure.path, "MDRIZTAB")


def _others(first: Path, values: dict[Path, str]) -> Iterator[str]:
    """Exposures whose table is not that of the first one, which holds for all."""
    for path, value in values.items():
        if _plain(value) != _plain(values[first]):
            yield (
                f"{path.name} names the MDRIZTAB {value or 'N/A'}, {first.name} names {values[first] or 'N/A'}; "
                f"what {first.name} names holds for all"
            )


def _plain(value: str) -> str:
    return "" if value.upper() in NOT_GIVEN else value.rpartition("$")[2]


def _not_found(value: str, folders: ReferenceFolders) -> str:
    """What is wrong with a table that cannot be had; folders are told by the names of their variables."""
    variable, dollar, _ = value.partition("$")
    if dollar and variable.lower() not in REFERENCE_VARIABLES:
        return f"names the MDRIZTAB {value}, which is not behind one of the variables {', '.join(REFERENCE_VARIABLES)}"
    wanted = (variable.lower(),) if dollar else tuple(REFERENCE_VARIABLES)
    places = [f"the folder of {name}" for name, _ in folders.variables if name in wanted]
    places += ["the CRDS cache"] if folders.crds is not None else []
    places += [] if dollar else ["the folder of the exposure"]
    nowhere = f"nowhere: neither {' nor '.join((*wanted, 'CRDS_PATH'))} is set"
    return f"names the MDRIZTAB {value}, which was not found (looked in {', '.join(places) or nowhere})"
