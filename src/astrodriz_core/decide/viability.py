"""Which exposures have nothing to give to a combination, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import frozen

from astrodriz_core.errors import NoViableDataError
from astrodriz_core.instruments.observation import Condition
from astrodriz_core.records.drizzling import ExcludedExposure, ExclusionReason

__all__ = ["PixelContent", "excluded_by_header", "excluded_by_place", "largest_group", "nothing_left"]


@frozen
class PixelContent:
    """What the pixels of an exposure have in them, all chips together.

    Attributes
    ----------
    pixels : int
        How many there are.
    any_finite : bool
        Whether one has a finite value.
    any_good : bool
        Whether one has only flags that count as good.
    """

    pixels: int
    any_finite: bool
    any_good: bool

    def defect(self, rootname: str) -> ExcludedExposure | None:
        """Why an exposure with these pixels has nothing to give; None where it has."""
        if not self.any_finite:
            detail = f"none of its {self.pixels} pixels has a usable value"
            return ExcludedExposure(rootname, ExclusionReason.NOT_FINITE, detail)
        if not self.any_good:
            detail = f"each of its {self.pixels} pixels is flagged in DQ"
            return ExcludedExposure(rootname, ExclusionReason.ALL_FLAGGED, detail)
        return None


def excluded_by_header(rootname: str, conditions: Sequence[Condition], exposure_time: float) -> ExcludedExposure | None:
    """The reason that an exposure's headers give to leave it out, if they do.

    Parameters
    ----------
    rootname : str
    conditions : sequence of Condition
        From its headers.
    exposure_time : float
        Seconds.
    """
    if Condition.ZERO_EXPOSURE_TIME in conditions:
        return ExcludedExposure(rootname, ExclusionReason.NO_EXPOSURE_TIME, f"EXPTIME is {exposure_time:g} s")
    if Condition.NO_GOOD_PIXELS in conditions:
        return ExcludedExposure(rootname, ExclusionReason.NO_GOOD_PIXELS, "NGOODPIX is 0 on all chips together")
    return None


def excluded_by_place(rootnames: Sequence[str], overlap: Callable[[int, int], bool]) -> tuple[ExcludedExposure, ...]:
    """The exposures that do not hang together with the most others; arguments as for `largest_group`."""
    together = largest_group(len(rootnames), overlap)
    names = ", ".join(rootnames[i] for i in together)
    apart = f"it overlaps none of the exposures that are combined ({names})"
    return tuple(
        ExcludedExposure(rootname, ExclusionReason.NO_OVERLAP, apart)
        for i, rootname in enumerate(rootnames)
        if i not in together
    )


def largest_group(count: int, overlap: Callable[[int, int], bool]) -> tuple[int, ...]:
    """The most exposures that hang together by overlaps, in order.

    Of several groups as large, that of the earliest exposure.

    Parameters
    ----------
    count : int
        How many exposures there are.
    overlap : callable
        Whether two of them, by their indices, see the same sky; the first one is the later one.
    """
    groups: list[list[int]] = []
    for index in range(count):
        joined = [group for group in groups if any(overlap(index, member) for member in group)]
        groups = [group for group in groups if group not in joined]
        groups.append([*(member for group in joined for member in group), index])
    largest = max(groups, key=_size_and_place, default=[])
    return tuple(sorted(largest))


def _size_and_place(group: list[int]) -> tuple[int, int]:
    return len(group), -min(group)


def nothing_left(excluded: Sequence[ExcludedExposure], where: str = "") -> NoViableDataError:
    """The error of a run or a combination that no exposure is left of."""
    listed = "; ".join(f"{each.rootname}: {each.detail}" for each in excluded)
    return NoViableDataError(f"No exposure can be combined ({listed}).", where=where)
