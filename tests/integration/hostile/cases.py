"""A case of the structured fuzzer: which field of which sound file is wrong in which way, and how deep it is read."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from attrs import evolve, field, frozen

__all__ = ["Case", "Mutation", "Place", "Source", "draw", "smaller"]

HOW_MANY = (1, 1, 1, 2, 3)
"""Mutations of a case; most have one, since a second often hides the first."""


@frozen
class Place:
    """A field that can be wrong: a card of a header, a cell of a row, a branch of a tree, an option."""

    file: str
    name: str

    def __str__(self) -> str:
        return f"{self.file} {self.name}"


@frozen
class Mutation:
    """What is wrong with one field; `seed` settles what the way leaves open."""

    place: Place
    how: str
    seed: int = 0

    def __str__(self) -> str:
        return f"{self.place}: {self.how}"

    @property
    def chance(self) -> random.Random:
        """Random numbers of this mutation alone, so that it stays the same without the others."""
        return random.Random(self.seed)


@frozen
class Case:
    """Mutations of one source, and how deep it is read."""

    source: str
    depth: str
    mutations: tuple[Mutation, ...]
    seed: int | None = field(default=None, eq=False)

    def __str__(self) -> str:
        return f"{self.source}, {self.depth}: {'; '.join(map(str, self.mutations))}"


class Source(Protocol):
    """One kind of input, with all that can be wrong with it.

    Attributes
    ----------
    name : str
        Its name in the tables.
    weight : float
        How often it is drawn.
    depths : mapping of str to float
        How deep it is read, and how often.
    places : sequence of Place
        Every field that can be wrong.
    names_files : bool
        Whether a user names files by it, which may then lie anywhere.
    """

    @property
    def name(self) -> str: ...
    @property
    def weight(self) -> float: ...
    @property
    def depths(self) -> Mapping[str, float]: ...
    @property
    def places(self) -> Sequence[Place]: ...
    @property
    def names_files(self) -> bool: ...

    def hows(self, place: Place) -> Sequence[str]:
        """What can be wrong with a field."""
        ...

    def files(self, case: Case) -> Mapping[str, bytes]:
        """The files of a case by name, for the folder of the case."""
        ...

    def act(self, case: Case, folder: Path) -> None:
        """Read them as a user's command does, as deep as the case says."""
        ...

    def may_change(self, case: Case) -> Sequence[str]:
        """Files that a success replaces."""
        ...

    def told(self, case: Case) -> Sequence[str]:
        """Words of which a message has to hold one; none where there is no file to name."""
        ...


def draw(
    sources: Sequence[Source], chance: random.Random, seed: int | None = None, *, depths: Collection[str] | None = None
) -> Case:
    """One case; the same random numbers give the same one. With `depths`, one of these where the source has it."""
    source = _weighted({one.name: one.weight for one in sources}, chance)
    chosen = next(one for one in sources if one.name == source)
    wanted = {depth: weight for depth, weight in chosen.depths.items() if depths is None or depth in depths}
    depth = _weighted(wanted or chosen.depths, chance)
    mutations = [_mutation(chosen, chance) for _ in range(chance.choice(HOW_MANY))]
    # Two mutations of one place would undo each other.
    by_place = {mutation.place: mutation for mutation in mutations}
    return Case(source, depth, tuple(by_place.values()), seed)


def smaller(case: Case) -> Iterator[Case]:
    """The case without one of its mutations, for each of them."""
    for left_out in case.mutations if len(case.mutations) > 1 else ():
        yield evolve(case, mutations=tuple(one for one in case.mutations if one is not left_out))


def _weighted(weights: Mapping[str, float], chance: random.Random) -> str:
    """One of some names. Made of whole numbers, which Hypothesis can make smaller."""
    thousandths = chance.randrange(round(1000 * sum(weights.values())))
    for name, weight in weights.items():
        thousandths -= round(1000 * weight)
        if thousandths < 0:
            return name
    return name


def _mutation(source: Source, chance: random.Random) -> Mutation:
    place = chance.choice(source.places)
    return Mutation(place, chance.choice(source.hows(place)), chance.randrange(1 << 30))
