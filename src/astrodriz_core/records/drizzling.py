"""Records of the drizzle run: which exposures went in, their sky, their cosmic rays, the frame and the product."""

from __future__ import annotations

from enum import Enum

from attrs import frozen

from astrodriz_core.names import ChipKey
from astrodriz_core.units import ARCSEC_PER_DEGREE

__all__ = [
    "ChipSky",
    "CosmicRayCount",
    "DrizzleRecord",
    "ExcludedExposure",
    "ExclusionReason",
    "MaskDigest",
    "OutputFrame",
    "ProductRecord",
    "StaticMaskCount",
]


class ExclusionReason(Enum):
    """Why an exposure takes no part in the combination."""

    NO_EXPOSURE_TIME = "EXPTIME is zero"
    NO_GOOD_PIXELS = "NGOODPIX is zero"
    ALL_FLAGGED = "every pixel is flagged in DQ"
    NOT_FINITE = "no pixel has a finite value"
    NO_OVERLAP = "it overlaps none of the other exposures"


@frozen
class ExcludedExposure:
    """An exposure that was left out, with its reason and the figure behind it."""

    rootname: str
    reason: ExclusionReason
    detail: str


@frozen
class OutputFrame:
    """The grid of a product: a tangent plane without distortion.

    Attributes
    ----------
    shape : tuple of int
        (ny, nx) of the product.
    crval, crpix, cd
        As in the FITS header: ICRS degrees, 1-based pixels, degrees for each pixel.
    """

    shape: tuple[int, int]
    crval: tuple[float, float]
    crpix: tuple[float, float]
    cd: tuple[tuple[float, float], tuple[float, float]]

    @property
    def pixel_scale_arcsec(self) -> float:
        """Side of a pixel, from the area that the CD matrix spans."""
        (a, b), (c, d) = self.cd
        return float(abs(a * d - b * c) ** 0.5 * ARCSEC_PER_DEGREE)


@frozen
class ChipSky:
    """Sky background subtracted from one chip, in the units of its SCI array."""

    rootname: str
    extver: int
    value: float
    units: str

    @property
    def key(self) -> ChipKey:
        """Which chip it is."""
        return ChipKey(self.rootname, self.extver)


@frozen
class MaskDigest:
    """A mask of one chip, by its content; its pixels are in the sidecar file of the record.

    Attributes
    ----------
    shape : tuple of int
        (ny, nx).
    sha256 : str
        Digest of the bits, row by row, eight to a byte, the first pixel in the highest bit.
    """

    shape: tuple[int, int]
    sha256: str


@frozen
class StaticMaskCount:
    """Pixels of one chip that the static mask holds to be bad; `mask` says which."""

    chip: str
    pixels: int
    mask: MaskDigest | None = None


@frozen
class CosmicRayCount:
    """Pixels of one chip that were flagged as cosmic rays (DQ 4096); `mask` says which."""

    rootname: str
    extver: int
    pixels: int
    fraction: float
    mask: MaskDigest | None = None

    @property
    def key(self) -> ChipKey:
        """Which chip it is."""
        return ChipKey(self.rootname, self.extver)


@frozen
class ProductRecord:
    """One product file of the run."""

    filename: str
    suffix: str
    exposures: tuple[str, ...]
    exptime: float
    units: str
    sha256: str


@frozen
class DrizzleRecord:
    """One combination of the exposures: everything that was measured on the way.

    `frame` is the common grid of the single-drizzled images, `product_frame` that of the product.
    """

    exposures: tuple[str, ...]
    excluded: tuple[ExcludedExposure, ...]
    frame: OutputFrame
    sky: tuple[ChipSky, ...]
    static_mask: tuple[StaticMaskCount, ...]
    cosmic_rays: tuple[CosmicRayCount, ...]
    cosmic_rays_from: str
    product_frame: OutputFrame | None = None
