"""Independent streams of random numbers, so that the same seed gives the same data in any order of work."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

__all__ = ["Purpose", "stream"]


class Purpose(IntEnum):
    """What a stream of random numbers is for."""

    STARS = 1
    GALAXIES = 2
    CATALOGUE = 3
    POINTING = 4
    BAD_PIXELS = 5
    NOISE = 6
    COSMIC_RAYS = 7


def stream(seed: int, purpose: Purpose, exposure: int = 0, chip: int = 0) -> np.random.Generator:
    """Return the generator of one purpose, exposure and chip; different ones are independent."""
    return np.random.default_rng([seed, int(purpose), exposure, chip])
