"""How well exposures agree with each other, in the words of an astronomer."""

from __future__ import annotations

from astrodriz_core.decide.selection import misalignment_mas
from astrodriz_core.records.common import Verdict
from astrodriz_core.records.verification import CheckOutcome, Policy, Verification
from astrodriz_core.sentences import SHOWN, ended, listed, some_of, uncapitalised

__all__ = ["agreement", "offset_words"]


def agreement(verification: Verification) -> str:
    """How well exposures agree with each other, in a sentence."""
    return _SENTENCES[verification.verdict](verification)


def _aligned(verification: Verification) -> str:
    offset = offset_words(*misalignment_mas(verification))
    if verification.policy is Policy.CALIBRATED and offset:
        return f"Exposures agree to {offset}."
    return f"Exposures are aligned by policy {verification.policy.value}; largest offset {offset or 'not measured'}."


def _misaligned(verification: Verification) -> str:
    off = next(r.misaligned for r in verification.policies if r.policy is verification.policy)
    offset = offset_words(*misalignment_mas(verification))
    if verification.policy is not Policy.CALIBRATED or verification.worst is None:
        return ended(f"Exposures are NOT aligned, by policy {verification.policy.value}: {verification.reason}")
    if verification.worst.ambiguous and len(off) > 1:
        return f"Exposures are NOT aligned: {listed(off)} are {offset} apart, and nothing tells which is off."
    if off == (verification.worst.rootname,):
        return f"Exposures are NOT aligned: {off[0]} is {offset} off the others."
    return f"Exposures are NOT aligned: {some_of(off)} are off by up to {offset}."


def _undetermined(verification: Verification) -> str:
    return ended(f"Alignment undetermined: {_open(verification)}")


_SENTENCES = {
    Verdict.ALIGNED: _aligned,
    Verdict.MISALIGNED: _misaligned,
    Verdict.UNDETERMINED: _undetermined,
}


def _open(verification: Verification) -> str:
    """What could not be checked; once where it is the same for several exposures."""
    checks = [c for c in verification.checks if c.decisive and c.outcome is CheckOutcome.UNDETERMINED]
    bare = {check.reason.removeprefix(f"{check.rootname}: ").rstrip(".") for check in checks}
    if len(bare) == 1 < len(checks):
        return uncapitalised(bare.pop())
    more = f"; and {len(checks) - SHOWN} more" if len(checks) > SHOWN else ""
    return "; ".join(check.reason.rstrip(".") for check in checks[:SHOWN]) + more


def offset_words(value: float | None, error: float | None) -> str:
    """A length with its error; empty where it was not measured."""
    if value is None:
        return ""
    return f"{value:.1f} +- {error:.1f} mas" if error is not None else f"{value:.1f} mas"
