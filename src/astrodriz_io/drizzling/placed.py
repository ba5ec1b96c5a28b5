"""One chip at its place on a frame: all that it takes to resample it, and nothing that cannot go to another process.

The WCS has done its part when a chip is placed. What is left is a homography, and arrays that are read from
the file of the exposure or mapped.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from astrodriz_core.arrays import Array, Float32Image, Mask
from astrodriz_core.combine.pixmap import coordinate_map
from astrodriz_core.instruments.dq import good_pixels
from astrodriz_io.fits.arrays import read_dq, read_err, read_sci

__all__ = ["INNER", "KERNEL_REACH", "MAP_BORDER", "ChipPixels", "PlacedChip"]

MAP_BORDER = 1
"""Pixels beyond the edges of a chip in the maps for drizzling. The ``drizzle`` package takes the corners of
pixels from the centres around them, and would have to extrapolate at the edges: wrong by 1e-4 pixel."""

INNER = (slice(MAP_BORDER, -MAP_BORDER), slice(MAP_BORDER, -MAP_BORDER))
"""The chip itself in an array that has the border of the maps."""

KERNEL_REACH = 4.0
"""Pixels of a chip from whose centre the widest kernel, Gaussian or Lanczos, still puts flux, rounded up."""

LARGEST_SIGNAL = 1e12
"""No pixel of a detector gives so many counts or electrons; squares of it are still numbers in single precision."""


@frozen
class ChipPixels:
    """The arrays of one chip, read from its file when they are asked for.

    Attributes
    ----------
    path : Path
        FLC or FLT file.
    extver : int
        EXTVER of the chip.
    reset_bits : int
        DQ bits that are taken as not set, whatever the file says.
    """

    path: Path
    extver: int
    reset_bits: int

    def sci(self) -> Float32Image:
        """SCI array in native units; NaN where the value is infinite or larger than a detector can give."""
        image = read_sci(self.path, self.extver)
        image[np.abs(image) > LARGEST_SIGNAL] = np.nan
        return image

    def err(self) -> Float32Image | None:
        """ERR array in native units; None where the file has none."""
        return read_err(self.path, self.extver)

    def dq(self) -> NDArray[np.unsignedinteger]:
        """DQ array without the bits that are reset, such as the cosmic rays of an earlier drizzle run."""
        flags = read_dq(self.path, self.extver)
        return flags & flags.dtype.type(np.iinfo(flags.dtype).max & ~self.reset_bits)


@frozen(eq=False)
class PlacedChip:
    """A chip, and where its pixels lie on a frame.

    Attributes
    ----------
    pixels : ChipPixels
        Its arrays.
    exptime : float
        Exposure time, s.
    electrons_per_unit : float
        Factor from SCI to electrons collected in the exposure.
    rate_per_unit : float
        Factor from SCI to electrons/s.
    sky : float
        Sky to subtract, in the units of SCI.
    static : ndarray of bool, or None
        Static mask, True = bad.
    undistorted : ndarray of float64, shape (2, ny + 2, nx + 2)
        Where its pixels, and `MAP_BORDER` beyond its edges, lie without its distortion.
    homography : ndarray of float64, shape (3, 3)
        From there to the pixels of the frame.
    scale_ratio : float
        Side of a pixel of the frame over the side of the chip's undistorted pixel.
    """

    pixels: ChipPixels
    exptime: float
    electrons_per_unit: float
    rate_per_unit: float
    sky: float
    static: Mask | None
    undistorted: Array
    homography: Array
    scale_ratio: float

    def pixel_map(self) -> Array:
        """Position on the frame of the pixels of the chip and of `MAP_BORDER` beyond its edges, (ny + 2, nx + 2, 2)."""
        return coordinate_map(self.undistorted, self.homography)

    def signal(self, bits: int | None) -> tuple[Float32Image, Mask]:
        """Sky-subtracted image in electrons/s, and its good pixels.

        The image is 0 where a pixel has no value. Good are pixels with a value, with no DQ bit outside `bits`, and
        not in the static mask either.
        """
        image = self.pixels.sci()
        good = good_pixels(self.pixels.dq(), bits) & np.isfinite(image)
        if self.static is not None:
            good &= ~self.static
        rate: Float32Image = (image - np.float32(self.sky)) * np.float32(self.rate_per_unit)
        rate[np.isnan(rate)] = 0
        return rate, good
