"""The errors of astrodriz: one base, one class for each thing that the reader of the message can do next.

Every error carries its facts as fields; nobody has to parse a message. A check that fails is a record
and not an error: an exception means that no decision could be reached.
"""

from __future__ import annotations

__all__ = [
    "AlignmentError",
    "AstrodrizError",
    "CatalogError",
    "DatabaseError",
    "DifferentInputError",
    "InputError",
    "LockedError",
    "MeasurementError",
    "MissingFilesError",
    "NoViableDataError",
    "RecordError",
    "ReferenceFileError",
    "ResourceError",
    "StorageError",
    "UsageError",
]


_LONGEST = 3000
"""Characters of a message; a name or a value may have as many as somebody wrote."""


class AstrodrizError(Exception):
    """Base of every error that astrodriz raises on purpose.

    Attributes
    ----------
    problem : str
        What is wrong, in one sentence.
    where : str
        The file (and extension or keyword) concerned, by its name without folders; may be empty.
    remedy : str
        What the user can do about it; may be empty.
    """

    def __init__(self, problem: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(printable(problem))
        self.problem = printable(problem)
        self.where = printable(where)
        self.remedy = printable(remedy)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f" {self.remedy}" if self.remedy else ""
        return f"{place}{self.problem}{advice}"

    def __reduce__(self) -> tuple[object, ...]:
        # Subclasses have arguments of their own, which `args` does not hold; the fields hold everything.
        return _without_init, (type(self), self.args), self.__dict__


def printable(text: str) -> str:
    r"""The text in one line that every terminal and every file can take.

    What cannot be printed, such as the parts of file names that are not UTF-8, is written as Python escapes it. Of
    a text of more than 3000 characters the middle is left out.

    Examples
    --------
    >>> print(printable("caf\udce9 a\tb"))
    caf\udce9 a b
    """
    line = " ".join(text.split())
    if len(line) > _LONGEST:
        half = _LONGEST // 2
        line = f"{line[:half]} ({len(line) - 2 * half} characters are left out) {line[-half:]}"
    return line if line.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


def _without_init(kind: type[AstrodrizError], arguments: tuple[object, ...]) -> AstrodrizError:
    return kind.__new__(kind, *arguments)


class UsageError(AstrodrizError):
    """The call itself is wrong: an unknown option, a bad value of a setting."""


class InputError(AstrodrizError):
    """An input file is damaged, or does not say what an HST exposure or association has to say."""


class MissingFilesError(InputError):
    """Files that the association names are not in the folder.

    Attributes
    ----------
    files : tuple of str
        The name of every missing file.
    """

    def __init__(self, problem: str, *, files: tuple[str, ...], where: str = "", remedy: str = "") -> None:
        super().__init__(problem, where=where, remedy=remedy)
        self.files = files


class DifferentInputError(InputError):
    """A file is not the one that the record of a run names.

    Attributes
    ----------
    expected, found : str
        SHA-256 in the record and of the file, hexadecimal.
    """

    def __init__(self, problem: str, *, expected: str, found: str, where: str = "", remedy: str = "") -> None:
        super().__init__(problem, where=where, remedy=remedy)
        self.expected = expected
        self.found = found


class RecordError(InputError):
    """The record of a run does not fit its schema.

    Attributes
    ----------
    places : tuple of str
        What is wrong, and where, for each mistake: ``record.stages[2].wcs[0]`` and the like.
    """

    def __init__(self, problem: str, *, places: tuple[str, ...] = (), where: str = "", remedy: str = "") -> None:
        super().__init__(problem, where=where, remedy=remedy)
        self.places = places


class NoViableDataError(AstrodrizError):
    """Every exposure was left out for a stated reason, so there is nothing to combine."""


class ReferenceFileError(AstrodrizError):
    """A calibration reference file (IDCTAB, NPOLFILE, D2IMFILE, MDRIZTAB) cannot be found or read."""


class StorageError(AstrodrizError):
    """Reading or writing failed in the file system: no space, no permission, an I/O error."""


class ResourceError(AstrodrizError):
    """The memory of the machine, or what of it the process may take, is not enough."""


class LockedError(AstrodrizError):
    """Another run holds this association in this folder."""


class MeasurementError(AstrodrizError):
    """A pure function was given arrays that it cannot measure (shapes that differ, a bad parameter)."""


class DatabaseError(AstrodrizError):
    """The astrometry database or the guide star service gave no usable answer."""


class CatalogError(AstrodrizError):
    """An astrometric catalogue gave no usable answer."""


class AlignmentError(AstrodrizError):
    """No fit of the exposures to each other or to a catalogue could be made."""
