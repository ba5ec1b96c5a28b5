"""Exit codes of the command line: one table, by what the reader of the message can do next."""

from __future__ import annotations

from collections.abc import Mapping

from astrodriz_core.errors import (
    AlignmentError,
    AstrodrizError,
    CatalogError,
    DatabaseError,
    InputError,
    LockedError,
    MeasurementError,
    NoViableDataError,
    ReferenceFileError,
    ResourceError,
    StorageError,
    UsageError,
)
from astrodriz_core.records.common import Verdict

__all__ = ["EXIT_DIFFERENT", "EXIT_DONE", "EXIT_INTERNAL", "VERDICT_CODES", "exit_code"]

EXIT_DONE = 0
EXIT_DIFFERENT = 1
"""``astrodriz diff``, as diff(1), and ``astrodriz replay`` have found differences."""

EXIT_INTERNAL = 70
"""An error that is no `AstrodrizError`: a defect of the program (EX_SOFTWARE of sysexits.h)."""

VERDICT_CODES: Mapping[Verdict, int] = {Verdict.ALIGNED: 0, Verdict.MISALIGNED: 3, Verdict.UNDETERMINED: 4}
"""What ``astrodriz verify`` ends with."""

ERROR_CODES: tuple[tuple[type[AstrodrizError], int], ...] = (
    (UsageError, 2),
    (InputError, 5),
    (MeasurementError, 5),
    (NoViableDataError, 6),
    (AlignmentError, 6),
    (ReferenceFileError, 7),
    (CatalogError, 7),
    (DatabaseError, 7),
    (StorageError, 8),
    (LockedError, 9),
    (ResourceError, 10),
)
"""A class stands for its subclasses too; every class of `astrodriz_core.errors` but the base is found here."""


def exit_code(error: AstrodrizError) -> int:
    """The code for an error; that of a defect for the bare base class."""
    return next((code for kind, code in ERROR_CODES if isinstance(error, kind)), EXIT_INTERNAL)
