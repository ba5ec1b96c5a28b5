"""Is an a priori solution sane enough to be tried, and which family do all exposures share?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from attrs import field, frozen

from astrodriz_core.measure.tangent import unit_vectors
from astrodriz_core.records.astrometry import FitCheck
from astrodriz_core.records.common import ChipWcs

__all__ = ["SipTerms", "SolutionTerms", "check_solution", "common_solutions", "separation_deg"]

REACH_DEG = 0.05
"""A reference point farther than this from the target is suspect (published)."""

SCALE_TOLERANCE = 5e-3
"""Relative. Distortion models of one detector differ by a few parts in ten thousand."""

SKEW_TOLERANCE_DEG = 0.1
"""The same for the angle between the axes."""

DISTORTION_TOLERANCE_PIX = 0.1
"""At the corner of a chip that is farthest from CRPIX. The distortion of one IDCTAB differs by hundredths of a pixel
between versions of the software (on binned exposures); a term that is lost moves that corner by tens of pixels."""

ROTATION_TOLERANCE_DEG = 1.0
"""Rolls of the telescope are known to a few hundredths of a degree."""


@frozen
class SipTerms:
    """The SIP polynomials of a chip: coefficients by the powers (p, q) of the offsets from CRPIX along x and y.

    A term that is left out is 0. One above the order of its polynomial is left out, since none is looked at there.

    Attributes
    ----------
    a, b : mapping of (int, int) to float
        Terms of the displacement along x and along y, pixels.
    """

    a: Mapping[tuple[int, int], float] = field(factory=dict)
    b: Mapping[tuple[int, int], float] = field(factory=dict)


@frozen
class SolutionTerms:
    """What is checked of a solution, chip by chip in the order of the exposure.

    Attributes
    ----------
    chips : tuple of ChipWcs
    sip : tuple of SipTerms
    """

    chips: tuple[ChipWcs, ...]
    sip: tuple[SipTerms, ...]


def check_solution(
    solution: SolutionTerms, default: SolutionTerms, target: tuple[float, float] | None
) -> tuple[FitCheck, ...]:
    """Checks that a solution has to pass before it may become primary.

    Parameters
    ----------
    solution : SolutionTerms
    default : SolutionTerms
        The WCS of the exposure before; what the solution is compared with. Its chips have their sizes.
    target : tuple of float or None
        RA_TARG and DEC_TARG, degrees. Where the WCS before is itself out of reach of it (a parallel exposure), or
        there is none, the reference point before stands in.

    Returns
    -------
    tuple of FitCheck
        Only the first two where one of them fails: the others would have nothing to measure.
    """
    basic = (_check_chips(solution, default), _check_finite(solution))
    if not all(check.passed for check in basic):
        return basic
    pairs = list(zip(solution.chips, default.chips, strict=True))
    scale = max(abs(_scale(new) / _scale(old) - 1) for new, old in pairs)
    skew = max(abs(_wrapped(_skew(new) - _skew(old))) for new, old in pairs)
    turn = max(abs(_wrapped(_orientation(new) - _orientation(old))) for new, old in pairs)
    return (
        *basic,
        _check_reach(solution, default, target),
        _at_most("scale", scale, SCALE_TOLERANCE, "change of the pixel scale, relative"),
        _at_most("skew", skew, SKEW_TOLERANCE_DEG, "change of the angle between the axes, degrees"),
        _at_most("rotation", turn, ROTATION_TOLERANCE_DEG, "change of the orientation, degrees"),
        _check_sip(solution, default),
    )


def common_solutions(ranked: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Families that every exposure can have, the preferred one first.

    Parameters
    ----------
    ranked : mapping of str to sequence of str
        For each exposure the families of its acceptable solutions, in its order of preference.
    """
    lists = list(ranked.values())
    if not lists:
        return ()
    return tuple(family for family in lists[0] if all(family in other for other in lists[1:]))


def separation_deg(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Angle between two sky positions in degrees."""
    u, v = unit_vectors(np.array([a[0], b[0]]), np.array([a[1], b[1]]))
    return float(np.rad2deg(2 * np.arcsin(min(1.0, float(np.linalg.norm(u - v)) / 2))))


def _check_chips(solution: SolutionTerms, default: SolutionTerms) -> FitCheck:
    ours, theirs = [c.extver for c in default.chips], [c.extver for c in solution.chips]
    text = f"chips {theirs} of {ours}"
    return FitCheck("all chips", float(len(theirs)), float(len(ours)), ours == theirs, text)


def _check_finite(solution: SolutionTerms) -> FitCheck:
    numbers = [n for c in solution.chips for n in (*c.crval, *c.crpix, *c.cd[0], *c.cd[1])]
    sensible = all(map(math.isfinite, numbers)) and all(abs(c.crval[1]) <= 90 for c in solution.chips)
    solvable = sensible and all(_determinant(c) != 0 for c in solution.chips)
    return FitCheck("finite", None, None, solvable, "every term is a number and the CD matrix can be inverted")


def _check_reach(solution: SolutionTerms, default: SolutionTerms, target: tuple[float, float] | None) -> FitCheck:
    def distance(terms: SolutionTerms, place: tuple[float, float]) -> float:
        return min(separation_deg(chip.crval, place) for chip in terms.chips)

    where, place = "target", target
    if place is None or distance(default, place) > REACH_DEG:
        where, place = "reference point before", default.chips[0].crval
    return _at_most("reach", distance(solution, place), REACH_DEG, f"distance from the {where}, degrees")


def _check_sip(solution: SolutionTerms, default: SolutionTerms) -> FitCheck:
    differences = [
        _sip_difference(ours, old, chip)
        for ours, old, chip in zip(solution.sip, default.sip, default.chips, strict=True)
    ]
    if not all(map(math.isfinite, differences)):
        return FitCheck("SIP complete", None, None, False, "one of the distortion terms is not a number")
    what = "difference of the distortion terms in the farthest corner, pixels"
    return _at_most("SIP complete", max(differences), DISTORTION_TOLERANCE_PIX, what)


def _sip_difference(ours: SipTerms, old: SipTerms, chip: ChipWcs) -> float:
    """By how many pixels the distortions of two solutions differ at most in any corner; infinite where a term is."""
    x, y = (max(abs(1 - crpix), abs(size - crpix)) for crpix, size in zip(chip.crpix, chip.naxis, strict=True))
    return math.hypot(_polynomial_difference(ours.a, old.a, x, y), _polynomial_difference(ours.b, old.b, x, y))


def _polynomial_difference(
    ours: Mapping[tuple[int, int], float], old: Mapping[tuple[int, int], float], x: float, y: float
) -> float:
    """Sum of what the differing terms amount to at offsets x and y, whatever their signs."""
    terms = ours.keys() | old.keys()
    return sum(abs(ours.get((p, q), 0.0) - old.get((p, q), 0.0)) * x**p * y**q for p, q in sorted(terms))


def _at_most(name: str, value: float, limit: float, what: str) -> FitCheck:
    return FitCheck(name, value, limit, value <= limit, f"{what}: {value:.3g}, at most {limit:g}")


def _determinant(chip: ChipWcs) -> float:
    return chip.cd[0][0] * chip.cd[1][1] - chip.cd[0][1] * chip.cd[1][0]


def _scale(chip: ChipWcs) -> float:
    return math.sqrt(abs(_determinant(chip)))


def _orientation(chip: ChipWcs) -> float:
    """Position angle of the y axis, degrees east of north."""
    return math.degrees(math.atan2(chip.cd[0][1], chip.cd[1][1]))


def _skew(chip: ChipWcs) -> float:
    """Angle from the x to the y axis on the sky, degrees."""
    return math.degrees(math.atan2(chip.cd[0][0], chip.cd[1][0])) - _orientation(chip)


def _wrapped(angle: float) -> float:
    """The same angle between -180 and 180 degrees."""
    return (angle + 180.0) % 360.0 - 180.0
