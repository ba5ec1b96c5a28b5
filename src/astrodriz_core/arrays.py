"""Kinds of arrays: what one holds and how it is laid out; the type says no more than what it holds."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Float32Image", "Image", "Indices", "Mask", "Positions", "Sample", "Stack"]

Array: TypeAlias = NDArray[np.float64]
"""Numbers of any shape, in double precision."""

Positions: TypeAlias = NDArray[np.float64]
"""x and y, shape (N, 2)."""

Indices: TypeAlias = NDArray[np.intp]
"""Places in another array, or numbers of groups."""

Image: TypeAlias = NDArray[np.floating]
"""Pixels, shape (ny, nx)."""

Sample: TypeAlias = NDArray[np.floating]
"""Numbers of any shape, in any precision."""

Float32Image: TypeAlias = NDArray[np.float32]
"""Pixels in single precision, shape (ny, nx), or values that belong to them."""

Mask: TypeAlias = NDArray[np.bool_]
"""One truth value for each pixel or member, of the shape of what it selects from."""

Stack: TypeAlias = NDArray[np.float32]
"""Images on one grid, shape (n, ny, nx)."""
