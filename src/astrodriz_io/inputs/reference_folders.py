"""The folders of calibration reference files, as the environment names them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from astrodriz_core.errors import UsageError

__all__ = ["REFERENCE_VARIABLES", "ReferenceFolders"]


REFERENCE_VARIABLES: Mapping[str, str] = {
    "iref": "wfc3",
    "jref": "acs",
    "nref": "nicmos",
    "oref": "stis",
    "uref": "wfpc2",
}
"""Variable of each instrument's references, and the name of its folder in a CRDS cache."""


@frozen
class ReferenceFolders:
    """The folders in which reference files are looked for; read from the environment once.

    Attributes
    ----------
    variables : tuple of (str, Path)
        The reference variables that are set, by lower-case name, with their folders.
    crds : Path or None
        Value of CRDS_PATH.
    beside : Path or None
        Folder of the exposures, which is searched first for a name without a variable; None takes that in which each
        file lies.
    """

    variables: tuple[tuple[str, Path], ...] = ()
    crds: Path | None = None
    beside: Path | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> ReferenceFolders:
        """Take iref, jref, nref, oref, uref and CRDS_PATH from a mapping; empty values count as unset.

        Relative folders are understood from the current folder at this moment, and stay there.

        Raises
        ------
        UsageError
            A value begins with the home of a user whom the system does not know, or holds a NUL.
        """
        given = {name: environment[name] for name in (*REFERENCE_VARIABLES, "CRDS_PATH") if environment.get(name)}
        folders = {name: _folder(name, value) for name, value in given.items()}
        crds = folders.pop("CRDS_PATH", None)
        return cls(variables=tuple(folders.items()), crds=crds)

    def candidates(self, variable: str) -> tuple[Path, ...]:
        """Folders to look in for a file of `variable`, the variable's own first, then the CRDS cache."""
        own = tuple(folder for name, folder in self.variables if name == variable)
        if self.crds is None:
            return own
        cache = self.crds / "references" / "hst"
        return (*own, cache / REFERENCE_VARIABLES[variable], cache, self.crds)


def _folder(variable: str, value: str) -> Path:
    try:
        found = Path(value).expanduser().absolute()
    except RuntimeError as failure:
        problem = f"{value!r} is the home of a user whom this system does not know."
        raise UsageError(problem, where=variable, remedy="Give the whole path of the folder.") from failure
    if "\0" in value:
        raise UsageError(f"{value!r} is no folder.", where=variable, remedy="Give the whole path of the folder.")
    return found
