"""Whether the WCS of an alignment stage replaces the one before it."""

from __future__ import annotations

from attrs import frozen

from astrodriz_core.records.common import Verdict
from astrodriz_core.records.verification import ProductComparison, Verification

__all__ = ["KeepDecision", "judge_stage"]


@frozen
class KeepDecision:
    """The verdict on one stage, with its reason."""

    keep: bool
    reason: str


def judge_stage(
    verification: Verification | None, comparison: ProductComparison | None, before: Verification | None
) -> KeepDecision:
    """Decide whether the products made with a new WCS let it stay.

    Parameters
    ----------
    verification : Verification or None
        Of the product made with the new WCS; None for a single exposure, which has nothing to be aligned to.
    comparison : ProductComparison or None
        That product against the pipeline-default one; None where none was made.
    before : Verification or None
        Of the pipeline-default product.

    Returns
    -------
    KeepDecision
        Kept unless the new product is misaligned, or is another picture than a default product that was
        itself well aligned. A default product that is misaligned is no standard to compare with. Where the
        images have too little in them to say, the new WCS stays, because nothing speaks against it.
    """
    if verification is not None and verification.verdict is Verdict.MISALIGNED:
        return KeepDecision(False, f"the new product is misaligned: {verification.reason}")
    standard_holds = before is None or before.verdict is not Verdict.MISALIGNED
    if comparison is not None and standard_holds and comparison.verdict is Verdict.MISALIGNED:
        return KeepDecision(False, f"it differs from the default product: {comparison.check.reason}")
    if verification is None:
        return KeepDecision(True, "one exposure has nothing to be aligned to")
    return KeepDecision(True, verification.reason)
