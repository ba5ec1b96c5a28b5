"""Whether the frames of a combination can be filled: asked before anything long is done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from attrs import frozen

from astrodriz_core.arrays import Array
from astrodriz_core.combine.polygons import convex_overlap
from astrodriz_core.errors import AstrodrizError, InputError, RecordError, ResourceError, UsageError
from astrodriz_core.parameters.choices import FrameRequest
from astrodriz_core.records.drizzling import OutputFrame
from astrodriz_io.drizzling.chips import DrizzleChip, DrizzleExposure
from astrodriz_io.drizzling.frame import drizzle_margin, padded_frame
from astrodriz_io.drizzling.resample import CHIPS_IN_PLANE
from astrodriz_io.drizzling.store import ImageStore
from astrodriz_io.runtime.capacity import available_memory, size_in_words

__all__ = ["FrameUse", "check_frames", "product_use", "separate_use"]

LARGEST_SIDE = 2**31 - 1
"""Pixels; the ``drizzle`` package counts them in 32 bits."""

IMAGES, CONTEXT = 8, 4
"""Bytes of a pixel in science and weight image, and in one plane of the context image."""

MEDIAN, FLAGS = 4, 2
"""Bytes of a pixel in the median, and in the masks of saturated pixels and cosmic rays of one exposure."""

SHAPING_PARTS = ("scale", "outnx", "outny", "crpix1", "crpix2", "rot", "refimage")
PLACING_PARTS = ("ra", "dec", "crpix1", "crpix2", "refimage", "outnx", "outny", "scale", "rot")
"""Parts of a request that decide how large a frame is, and where it lies."""


@frozen
class FrameUse:
    """A frame, and what it takes to fill it.

    Attributes
    ----------
    purpose : str
        What it is for, in words.
    frame : OutputFrame
        The frame.
    margin : int
        Pixels that drizzling adds on each side.
    memory, disk : int
        Bytes for each pixel that are certainly needed in memory, and in the folder of scratch files.
    prefix : str
        How the parameters that ask for it begin.
    request : FrameRequest or None
        What the user asked for.
    """

    purpose: str
    frame: OutputFrame
    margin: int
    memory: int
    disk: int
    prefix: str
    request: FrameRequest | None

    @property
    def pixels(self) -> int:
        """How many pixels it has, with its margin."""
        ny, nx = padded_frame(self.frame, self.margin).shape
        return ny * nx

    def given(self, parts: Iterable[str]) -> str:
        """Those of the parts that the user gave, as names of parameters."""
        return ", ".join(f"{self.prefix}{part}" for part in parts if getattr(self.request, part, None) is not None)

    def __str__(self) -> str:
        ny, nx = self.frame.shape
        margin = f", {self.margin} more on each side," if self.margin else ""
        return f"the frame of {self.purpose} has {nx} x {ny} pixels{margin}"


def product_use(
    frame: OutputFrame, exposures: Sequence[DrizzleExposure], *, context: bool, request: FrameRequest | None
) -> FrameUse:
    """What the product takes: its arrays while they are added up, and the file that they go to."""
    chips = _chips(exposures)
    size = IMAGES + CONTEXT * -(-len(chips) // CHIPS_IN_PLANE) * context
    return FrameUse("the product", frame, drizzle_margin(frame, chips), size, size, "final_", request)


def separate_use(
    frame: OutputFrame, exposures: Sequence[DrizzleExposure], *, in_memory: bool, request: FrameRequest | None
) -> FrameUse:
    """What the single-drizzled images take: one that is made, the masks of all, and all images where they are kept."""
    kept = IMAGES * len(exposures)
    memory = IMAGES + MEDIAN + FLAGS * len(exposures) + kept * in_memory
    disk, margin = 0 if in_memory else kept, drizzle_margin(frame, _chips(exposures))
    return FrameUse("the separate images", frame, margin, memory, disk, "driz_sep_", request)


def check_frames(
    uses: Iterable[FrameUse], exposures: Sequence[DrizzleExposure], store: ImageStore, *, recorded: bool = False
) -> None:
    """Refuse frames that touch no exposure, and those for which there is no room.

    Parameters
    ----------
    uses : iterable of FrameUse
        All frames of one combination; their needs are added up.
    exposures : sequence of DrizzleExposure
        What is to be drizzled.
    store : ImageStore
        Where the scratch files go.
    recorded : bool
        Whether the frames are those of a record, and nobody asks for them now.

    Raises
    ------
    InputError
        The frame that follows from the exposures touches none of them.
    RecordError
        Such a frame is recorded.
    UsageError
        The user asked for such a frame; the message says how many pixels it has, what they need and what there is.
    ResourceError
        The frame follows from the exposures, and the machine cannot hold it.
    """
    memory, disk = available_memory(), store.free_space()
    for use in uses:
        if not any(_touches(use.frame, chip) for chip in _chips(exposures)):
            problem = f"the frame of {use.purpose} touches none of the exposures, {_place(exposures[0])}."
            raise _recorded(problem) if recorded else _misplaced(use, problem, exposures)
        for problem in _shortages(use, memory, disk):
            raise _recorded(problem) if recorded else _refused(use, problem, SHAPING_PARTS)
        memory = None if memory is None else memory - use.pixels * use.memory
        disk = None if disk is None else disk - use.pixels * use.disk


def _shortages(use: FrameUse, memory: int | None, disk: int | None) -> Iterator[str]:
    if max(use.frame.shape) > LARGEST_SIDE:
        yield f"{use}; a side can have no more than {LARGEST_SIDE}."
    for kind, each, there in (("memory", use.memory, memory), ("scratch space", use.disk, disk)):
        if there is not None and use.pixels * each > there:
            needed = size_in_words(use.pixels * each)
            yield f"{use} and needs {needed} of {kind} at least; {size_in_words(there)} are available."


def _recorded(problem: str) -> RecordError:
    places = ("record.stages.drizzle.product_frame",)
    return RecordError(f"In the record, {problem}", places=places, remedy="Give the record that the run wrote.")


def _misplaced(use: FrameUse, problem: str, exposures: Iterable[DrizzleExposure]) -> AstrodrizError:
    """The user's parameters put it there, or the exposures themselves do."""
    if use.given(PLACING_PARTS):
        return _refused(use, problem, PLACING_PARTS)
    where = ", ".join(exposure.exposure.path.name for exposure in exposures)
    return InputError(problem, where=where, remedy="Check the WCS and the distortion in the headers.")


def _refused(use: FrameUse, problem: str, parts: Iterable[str]) -> AstrodrizError:
    if given := use.given(parts):
        return UsageError(problem, where=given, remedy="Change these parameters.")
    remedy = f"Give {use.prefix}scale, or {use.prefix}outnx and {use.prefix}outny, or take a machine with more of it."
    return ResourceError(problem, remedy=remedy)


def _chips(exposures: Iterable[DrizzleExposure]) -> tuple[DrizzleChip, ...]:
    return tuple(chip for exposure in exposures for chip in exposure.chips)


def _place(exposure: DrizzleExposure) -> str:
    """Where an exposure is, in words."""
    ra, dec = exposure.chips[0].wcs.wcs.crval
    return f"the first of which lies at ra {ra:.6f}, dec {dec:.6f}"


def _touches(frame: OutputFrame, chip: DrizzleChip) -> bool:
    """Whether any part of a chip lies in a frame."""
    ny, nx = chip.chip.shape
    x, y = np.array([-0.5, nx - 0.5, nx - 0.5, -0.5]), np.array([-0.5, -0.5, ny - 0.5, ny - 0.5])
    outline = np.stack(chip.positions(x, y, frame), axis=1)
    return bool(np.isfinite(outline).all()) and len(convex_overlap(outline, _corners(frame))) > 0


def _corners(frame: OutputFrame) -> Array:
    ny, nx = frame.shape
    return np.array([(-0.5, -0.5), (nx - 0.5, -0.5), (nx - 0.5, ny - 0.5), (-0.5, ny - 0.5)])
