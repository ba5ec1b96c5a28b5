"""What a stage made of an exposure, so that it can be made again from the untouched file.

A FITS file is a row of units, each a header and data. A run changes headers, adds small tables, and sets one
bit in the flags; the pixels stay. So a state keeps every header, the data that are new, and says of the rest
that they are those of the untouched file.
"""

from __future__ import annotations

from enum import Enum

from attrs import frozen

__all__ = ["DataSource", "ExposureState", "HduState"]


class DataSource(Enum):
    """Where the data of one unit of a file come from."""

    INPUT = "untouched exposure"
    """Those of the extension of the same name and version, byte for byte."""
    FLAGGED = "untouched exposure, cosmic rays flagged"
    """The same, but for DQ bit 4096, which is that of a mask."""
    STORED = "sidecar"
    NONE = "none"


@frozen
class HduState:
    """One unit of a file.

    Attributes
    ----------
    name : str
        EXTNAME; PRIMARY for the first.
    version : int
        EXTVER.
    header : str
        SHA-256 of the bytes of the header.
    source : DataSource
        Where its data come from.
    content : str or None
        SHA-256 of the stored data, or of the bits of the mask (as in `MaskDigest`); None for the other sources.
    """

    name: str
    version: int
    header: str
    source: DataSource
    content: str | None


@frozen
class ExposureState:
    """All units of an exposure's file, in order."""

    units: tuple[HduState, ...]
