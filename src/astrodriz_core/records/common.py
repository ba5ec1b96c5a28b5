"""Words and small records that every room of astrodriz shares."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from attrs import frozen

__all__ = ["STAGE_ORIGINS", "ChipWcs", "ExposureWcs", "Stage", "Verdict", "WcsOrigin", "combination_title"]


class Stage(Enum):
    """The stages of a run, in their order."""

    INITIALISE = "initialise"
    DISTORTION = "distortion"
    DEFAULT = "default products"
    A_PRIORI = "a priori"
    A_POSTERIORI = "a posteriori"
    FINAL = "final products"


class Verdict(Enum):
    """What a policy concludes from the measurements of one product."""

    ALIGNED = "aligned"
    MISALIGNED = "misaligned"
    UNDETERMINED = "undetermined"
    """Too little in the images to say, which is not the same as good."""


class WcsOrigin(Enum):
    """Where a WCS comes from; the later ones are preferred when they hold."""

    PIPELINE_DEFAULT = "pipeline default"
    A_PRIORI = "a priori"
    A_POSTERIORI = "a posteriori"


STAGE_ORIGINS: Mapping[Stage, WcsOrigin] = {
    Stage.DEFAULT: WcsOrigin.PIPELINE_DEFAULT,
    Stage.A_PRIORI: WcsOrigin.A_PRIORI,
    Stage.A_POSTERIORI: WcsOrigin.A_POSTERIORI,
}
"""The stages that make a WCS."""


def combination_title(name: str) -> str:
    """What a record calls the combination of a name; a stage's has the name of its member of `Stage`, in lower case."""
    return f"the {name} combination"


@frozen
class ChipWcs:
    """The linear part of one chip's WCS, as the header has it.

    Attributes
    ----------
    extver : int
        EXTVER of the SCI extension.
    crval : tuple of float
        Sky position of the reference pixel, ICRS degrees.
    crpix : tuple of float
        Reference pixel, 1-based as in FITS.
    cd : tuple of tuple of float
        CD matrix, ``((CD1_1, CD1_2), (CD2_1, CD2_2))``, degrees for each pixel.
    naxis : tuple of int
        NAXIS1, NAXIS2.
    wcsname : str
        WCSNAME of the primary WCS; empty where the header has none.
    """

    extver: int
    crval: tuple[float, float]
    crpix: tuple[float, float]
    cd: tuple[tuple[float, float], tuple[float, float]]
    naxis: tuple[int, int]
    wcsname: str


@frozen
class ExposureWcs:
    """The WCS of every chip of one exposure at one stage."""

    rootname: str
    chips: tuple[ChipWcs, ...]
