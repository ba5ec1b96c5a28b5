"""What follows from the guiding check: who is left out, and whether the others are aligned."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from astrodriz_core.errors import NoViableDataError
from astrodriz_core.records.verification import GuidingCheck, GuidingOutcome

__all__ = ["GuidingDecision", "decide_guiding"]


@frozen
class GuidingDecision:
    """What a run does about badly guided exposures.

    Attributes
    ----------
    left_out : frozenset of str
        Rootnames of exposures that take no further part.
    may_align : bool
        Whether the alignment stages are tried.
    warnings : tuple of str
        For the record.
    """

    left_out: frozenset[str] = frozenset()
    may_align: bool = True
    warnings: tuple[str, ...] = ()


def decide_guiding(checks: Sequence[GuidingCheck], *, force: bool, force_alignment: bool) -> GuidingDecision:
    """Leave trailed exposures out, and align nothing after a failure.

    Where one exposure was badly guided, the pointing of none can be trusted. Exposures of which the check says
    nothing take part.

    Parameters
    ----------
    checks : sequence of GuidingCheck
        One for each exposure.
    force : bool
        Leave no exposure out.
    force_alignment : bool
        Align all the same.

    Raises
    ------
    NoViableDataError
        Every exposure is trailed, and no product is forced.
    """
    trailed = [check.rootname for check in checks if check.outcome is GuidingOutcome.TRAILED]
    if not trailed:
        return GuidingDecision()
    if len(trailed) == len(checks) and not force:
        raise NoViableDataError(
            f"The sources of every exposure are trailed ({', '.join(trailed)}).",
            remedy="Use -f to combine them all the same.",
        )
    failed = f"the guiding check failed for {', '.join(trailed)}"
    untried = "no alignment was tried, because the pointing cannot be trusted; -a forces it"
    return GuidingDecision(
        left_out=frozenset() if force else frozenset(trailed),
        may_align=force_alignment,
        warnings=(failed,) if force_alignment else (failed, untried),
    )
