"""Grammar that sentences of every room need: number of a noun, and several findings in one sentence."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["counted", "ended", "joined"]


def counted(count: int, singular: str, plural: str) -> str:
    """Write a number with its noun: "1 match", "2 matches", "0 matches"."""
    return f"{count} {singular if count == 1 else plural}"


def joined(findings: Iterable[str]) -> str:
    """Put findings into one sentence, with semicolons between them.

    Each is told once and loses the full stop at its end, for the sentence may go on; empty where there are none.
    """
    return "; ".join(dict.fromkeys(finding.rstrip(".") for finding in findings))


def ended(sentence: str) -> str:
    """Give a sentence the one full stop at its end, whether it had one or not."""
    return f"{sentence.rstrip('.')}."
