"""What a run that was stopped has left, and how that is told where it ends."""

from __future__ import annotations

from enum import Enum

__all__ = ["CRASH_REPORT", "Aftermath", "aftermath_of", "cause_of"]


CRASH_REPORT = "Crash report:"
"""Begin of the note, on an error, that names the file."""


class Aftermath(Enum):
    """What holds for the user's folder after a run was stopped."""

    UNTOUCHED = "The exposures are as they were."
    COMPLETE = "All results are in place: the run had done its work."
    HALF_WAY = "Some results are in place: the next run in this folder, or astrodriz clean, ends or undoes that."


def aftermath_of(error: BaseException) -> Aftermath:
    """What an error that has left a run says of the user's folder; untouched where it says nothing."""
    notes = getattr(error, "__notes__", ())
    return next((each for each in Aftermath if each.value in notes), Aftermath.UNTOUCHED)


def cause_of(error: BaseException) -> str:
    """Class and message of an exception that is no `AstrodrizError`; its notes are not part of it."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
