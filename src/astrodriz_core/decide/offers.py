"""What becomes of each a priori solution that is offered for an exposure: attached, refused, or a candidate.

A candidate is a solution that nothing speaks against; the others keep in `OfferedSolution.refused` what does.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, frozen

from astrodriz_core.names import Rootname
from astrodriz_core.records.astrometry import FitCheck, OfferedSolution, SolutionOrigin
from astrodriz_core.records.common import WcsOrigin
from astrodriz_core.sentences import joined
from astrodriz_core.solutions.wcsnames import parse_wcsname, rank_a_priori

__all__ = [
    "GUIDE_STARS_IN_GAIA_FRAME",
    "Recipient",
    "judge_checks",
    "judge_content",
    "judge_kind",
    "judge_name",
    "needs_guide_stars",
    "rank_candidates",
    "was_pointed_with_gaia",
]

GUIDE_STARS_IN_GAIA_FRAME = 58027.0
"""MJD of 2017-10-01: from then on the telescope is pointed with Gaia's positions, so that the pipeline-default
WCS is what the guide star correction would give, and only the name changes."""


@frozen
class Recipient:
    """The exposure for which solutions are offered.

    Attributes
    ----------
    rootname : str
        Lower case.
    idctab : str
        Root of its distortion file; empty for none.
    all_wcs : bool
        Whether it gets also the solutions of other distortion files as extensions.
    """

    rootname: Rootname
    idctab: str
    all_wcs: bool = False

    def has_distortion_of(self, idctab: str) -> bool:
        """Whether this is the root of its own distortion file, in any case."""
        return idctab.lower() == self.idctab.lower()

    @property
    def other_distortion(self) -> str:
        """What is said of solutions for another distortion file."""
        return f"it has another distortion file than {self.idctab or 'none'}"


def judge_name(offer: OfferedSolution, recipient: Recipient) -> OfferedSolution:
    """Refuse by its name alone, before it is fetched, a solution for another distortion file.

    Those that the exposure carries already are looked into whatever they are called, as are all with ``all_wcs``.
    """
    named = parse_wcsname(offer.wcsname).idctab
    wanted = recipient.all_wcs or offer.origin is SolutionOrigin.EMBEDDED
    if wanted or named is None or recipient.has_distortion_of(named):
        return offer
    return evolve(offer, refused=recipient.other_distortion)


def judge_content(offer: OfferedSolution, rootname: str, idctab: str, recipient: Recipient) -> OfferedSolution:
    """Attach a solution to the exposure that it is meant for.

    Parameters
    ----------
    offer : OfferedSolution
    rootname : str
        The exposure that the headerlet names, lower case.
    idctab : str
        Root of its distortion file.
    recipient : Recipient

    Returns
    -------
    OfferedSolution
        Refused where it is meant for another exposure. Attached where it has the distortion file of this one, is
        there already or is OPUS, with ``all_wcs`` always; but with another distortion file it is no candidate.
    """
    if rootname != recipient.rootname:
        return evolve(offer, refused=f"it is meant for {rootname}")
    refused = None if recipient.has_distortion_of(idctab) else recipient.other_distortion
    there = offer.origin is SolutionOrigin.EMBEDDED
    attached = refused is None or recipient.all_wcs or there or offer.wcsname.upper() == "OPUS"
    return evolve(offer, attached=attached, refused=refused)


def judge_kind(offer: OfferedSolution) -> OfferedSolution:
    """Refuse as primary WCS what is no a priori solution; a posteriori ones are never applied here."""
    name = parse_wcsname(offer.wcsname)
    if offer.refused is not None or name.family is not None:
        return offer
    fitted = name.origin is WcsOrigin.A_POSTERIORI
    return evolve(offer, refused="it is an a posteriori solution" if fitted else "it is no a priori solution")


def judge_checks(offer: OfferedSolution, checks: tuple[FitCheck, ...]) -> OfferedSolution:
    """Refuse a solution that fails a check of `astrodriz_core.solutions.ranking.check_solution`."""
    failed = [check.reason for check in checks if not check.passed]
    return evolve(offer, checks=checks, refused=f"refused: {joined(failed)}" if failed else None)


def rank_candidates(offered: Sequence[OfferedSolution], best: str | None) -> tuple[int, ...]:
    """Indices of the candidates in the order of preference.

    The one that the source calls the best comes first, then the order is that of `rank_a_priori`.

    Parameters
    ----------
    offered : sequence of OfferedSolution
    best : str or None
    """
    candidates = [i for i, offer in enumerate(offered) if offer.refused is None]
    names = rank_a_priori([offered[i].wcsname for i in candidates])
    ordered = sorted(candidates, key=lambda i: names.index(offered[i].wcsname))
    return tuple(sorted(ordered, key=lambda i: offered[i].wcsname != best))


def needs_guide_stars(offered: Sequence[OfferedSolution]) -> bool:
    """Whether a new solution is made from guide stars: where no other is a candidate."""
    return all(offer.refused is not None for offer in offered)


def was_pointed_with_gaia(start: float | None) -> bool:
    """Whether an exposure that began then, MJD, needs no offset of its guide stars; False where the time is unknown."""
    return start is not None and start >= GUIDE_STARS_IN_GAIA_FRAME
