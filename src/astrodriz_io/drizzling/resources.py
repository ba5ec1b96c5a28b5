"""What the drizzle steps work with, beside the exposures and the parameters: none of it changes what they make."""

from __future__ import annotations

from attrs import field, frozen

from astrodriz_io.drizzling.store import ImageStore
from astrodriz_io.drizzling.undistorted import UndistortedPixels
from astrodriz_io.runtime.progress import ProgressReporter, SilentProgress

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
    threads : int
        How many chips are worked on at a time; the result does not depend on it.
    """

    store: ImageStore
    undistorted: UndistortedPixels = field(factory=lambda: UndistortedPixels(None))
    progress: ProgressReporter = field(factory=SilentProgress)
    threads: int = 1
