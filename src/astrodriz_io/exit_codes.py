"""Exit codes of the command line: one table, by what the reader of the message can do next."""

from __future__ import annotations

from collections.abc import Mapping

from astrodriz_core.errors import (
    AstrodrizError,
    InputError,
    LockedError,
    NoViableDataError,
    ReferenceFileError,
    StorageError,
    UsageError,
)
from astrodriz_core.records.common import Verdict

__all__ = ["EXIT_DONE", "EXIT_INTERNAL", "EXIT_INTERRUPTED", "VERDICT_CODES", "exit_code"]

EXIT_DONE = 0
EXIT_INTERNAL = 70
"""An error that is no `AstrodrizError`: a defect of the program (EX_SOFTWARE of sysexits.h)."""

EXIT_INTERRUPTED = 130
"""Ended by Ctrl-C; what a shell gives for it."""

VERDICT_CODES: Mapping[Verdict, int] = {Verdict.ALIGNED: 0, Verdict.MISALIGNED: 3, Verdict.UNDETERMINED: 4}
"""Of ``astrodriz verify``."""

ERROR_CODES: tuple[tuple[type[AstrodrizError], int], ...] = (
    (UsageError, 2),
    (InputError, 5),
    (NoViableDataError, 6),
    (ReferenceFileError, 7),
    (StorageError, 8),
    (LockedError, 9),
)


def exit_code(error: AstrodrizError) -> int:
    """The code for an error; that of a defect where the class has none of its own."""
    return next((code for kind, code in ERROR_CODES if isinstance(error, kind)), EXIT_INTERNAL)
