"""What follows from the times of exposures: their epoch, and which follows which where one cannot be aligned itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from astropy.time import Time
from attrs import evolve

from astrodriz_core.align.fitting import LinearTransform
from astrodriz_core.records.astrometry import ExposureSources, RelativeFit

__all__ = ["LONG_YEARS", "far_apart_in_time", "lend_corrections", "mean_epoch", "untimed"]

LONG_YEARS = 1.0
"""In so many years a star of the field moves by some milliarcseconds, as much as a fit is good for."""

DAYS_IN_YEAR = 365.25

Starts = Sequence[float | None]
"""EXPSTART of each exposure, MJD; None where it has none."""


def mean_epoch(starts: Starts) -> float | None:
    """Mean start of the exposures that tell one, decimal year; None where none does."""
    known = [start for start in starts if start is not None]
    return float(Time(np.mean(known), format="mjd").decimalyear) if known else None


def untimed(names: Sequence[str], starts: Starts) -> tuple[str, ...]:
    """What is done without the start of exposures that do not tell it, for the record; empty where all do.

    Parameters
    ----------
    names : sequence of str
        Of their files.
    starts : sequence of float or None
    """
    lacking = [name for name, start in zip(names, starts, strict=True) if start is None]
    if not lacking:
        return ()
    done = "the epoch of the catalogue is that of the others"
    if len(lacking) == len(names):
        done = "the epoch to which the positions of a catalogue have to be moved is not known"
    return (f"EXPSTART is missing in {', '.join(lacking)}: {done}",)


def far_apart_in_time(starts: Starts) -> tuple[str, ...]:
    """What to know of exposures of different years, for the record; empty where the first is near the last.

    One epoch is that of all: catalogue positions are moved to the mean, and the stars' own motion in between is taken
    for a motion of the exposures.
    """
    known = [start for start in starts if start is not None]
    years = (max(known) - min(known)) / DAYS_IN_YEAR if known else 0.0
    if years <= LONG_YEARS:
        return ()
    return (f"the exposures began within {years:.1f} years: positions of the catalogue are those of their mean epoch",)


def lend_corrections(
    sources: Sequence[ExposureSources], starts: Starts, transforms: Sequence[LinearTransform], record: RelativeFit
) -> tuple[tuple[LinearTransform, ...], RelativeFit]:
    """Let exposures that cannot be aligned, such as grism ones, take the correction of the nearest one in time.

    It is the nearest in the list where a time is missing. Where no exposure has a correction of its own, nothing is
    lent.

    Parameters
    ----------
    sources : sequence of ExposureSources
        One for each exposure; those that were skipped cannot be aligned.
    starts : sequence of float or None
    transforms : sequence of LinearTransform
        Of the relative fit.
    record : RelativeFit

    Returns
    -------
    transforms : tuple of LinearTransform
    record : RelativeFit
        With the reason of each correction that was lent.
    """
    own = [i for i, exposure in enumerate(record.exposures) if exposure.matches > 0]
    moved, exposures = list(transforms), list(record.exposures)
    for i, source in enumerate(sources):
        if source.skipped is None or not own:
            continue
        nearest, why = _nearest(starts, i, own)
        moved[i] = transforms[nearest]
        reason = f"cannot be aligned itself: takes the correction of {sources[nearest].rootname}, {why}"
        exposures[i] = evolve(exposures[i], reason=reason)
    return tuple(moved), evolve(record, exposures=tuple(exposures))


def _nearest(starts: Starts, index: int, others: Sequence[int]) -> tuple[int, str]:
    """The nearest in time of some exposures to one, or in the list where a time is missing; and which of the two."""
    own, known = starts[index], {j: start for j in others if (start := starts[j]) is not None}
    if own is None or len(known) < len(others):
        return min(others, key=lambda j: abs(j - index)), "the nearest in the list, since EXPSTART is missing"
    return min(known, key=lambda j: abs(known[j] - own)), "the nearest in time"
