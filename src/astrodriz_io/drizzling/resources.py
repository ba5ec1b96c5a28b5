"""What the drizzle steps work with, beside the exposures and the parameters: none of it changes what they make."""

from __future__ import annotations

import math
from collections.abc import Iterable

from attrs import field, frozen

from astrodriz_io.drizzling.chips import DrizzleExposure
from astrodriz_io.drizzling.store import ImageStore
from astrodriz_io.drizzling.undistorted import UndistortedPixels
from astrodriz_io.runtime.progress import ProgressReporter, SilentProgress
from astrodriz_io.runtime.workers import Workers

__all__ = ["DrizzleResources"]


@frozen(eq=False)
class DrizzleResources:
    """Room for images, and who works and who is told.

    Attributes
    ----------
    store : ImageStore
        Where intermediate images go.
    undistorted : UndistortedPixels
        Where the pixels of chips lie without distortion; shared by all combinations of a run, and by default one
        combination's own, in memory.
    progress : ProgressReporter
        Told of every chip; by default nobody is.
    workers : Workers
        Who works, on how many chips at a time; by default one thread. The result does not depend on it.
    """

    store: ImageStore
    undistorted: UndistortedPixels = field(factory=lambda: UndistortedPixels(None))
    progress: ProgressReporter = field(factory=SilentProgress)
    workers: Workers = field(factory=Workers)

    def separable_work(self, exposures: Iterable[DrizzleExposure]) -> int | None:
        """Pixels of the exposures, where other processes can get at the images; None where these are in memory."""
        chips = (chip for exposure in exposures for chip in exposure.chips)
        return None if self.store.in_memory else sum(math.prod(chip.chip.shape) for chip in chips)
