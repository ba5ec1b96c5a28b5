"""Grammar that sentences of every room need: number of a noun, and several findings in one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["SHOWN", "capitalised", "counted", "ended", "joined", "listed", "some_of", "uncapitalised"]

SHOWN = 3
"""Exposures that a sentence names before it only counts them."""


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


def listed(names: Sequence[str]) -> str:
    """Put names into a row: "a", "a and b", "a, b and c"; empty where there are none."""
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else "".join(names)


def capitalised(words: str) -> str:
    """Give words a capital letter at their beginning, as a sentence has it; the others stay as they are."""
    return f"{words[:1].upper()}{words[1:]}"


def uncapitalised(sentence: str) -> str:
    """Take the capital letter from a sentence that goes on another one; a name at its beginning keeps its own.

    Examples
    --------
    >>> uncapitalised("There is 1 match"), uncapitalised("GAIAeDR3 gave no answer")
    ('there is 1 match', 'GAIAeDR3 gave no answer')
    """
    first = sentence.partition(" ")[0]
    return f"{sentence[:1].lower()}{sentence[1:]}" if first.isalpha() and first.istitle() else sentence


def some_of(names: Sequence[str]) -> str:
    """Put the first of many names into a row, and how many more there are."""
    shown = names if len(names) <= SHOWN + 1 else names[:SHOWN]
    more = len(names) - len(shown)
    return listed((*shown, f"{more} more") if more else shown)
