"""What the verification is given: drizzled images on one grid, and how to measure on them."""

from __future__ import annotations

import numpy as np
from attrs import field, frozen
from attrs.validators import ge, gt

from astrodriz_core.arrays import Image, Mask
from astrodriz_core.errors import MeasurementError

__all__ = [
    "DrizzledImage",
    "VerificationParameters",
    "check_common_grid",
]


@frozen(eq=False)
class DrizzledImage:
    """One drizzled image of an association: a single exposure, or the combination of all.

    Arrays may be memory maps; they are read in strips and cut-outs and never written.

    Attributes
    ----------
    name : str
        Rootname of the exposure, or name of the product.
    sci : numpy.ndarray, shape (ny, nx), float
        Science image, any flux unit that is proportional to counts per second. NaN or a fill value
        where there is no coverage.
    wht : numpy.ndarray, shape (ny, nx), float
        Weight image; 0 (or NaN) where nothing was drizzled.
    exptime : float
        Exposure time in seconds.
    cosmic_rays : numpy.ndarray of bool, shape (ny, nx), optional
        Pixels touched by detector pixels that were flagged as cosmic rays in this exposure. The
        science image is not cleaned of them.
    saturated : numpy.ndarray of bool, shape (ny, nx), optional
        Pixels touched by saturated detector pixels.
    """

    name: str
    sci: Image
    wht: Image
    exptime: float
    cosmic_rays: Mask | None = None
    saturated: Mask | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns."""
        ny, nx = self.sci.shape
        return ny, nx

    def covered(self, window: tuple[slice, slice] = (slice(None), slice(None))) -> Mask:
        """Pixels of the window with positive weight and a finite value."""
        return (self.wht[window] > 0) & np.isfinite(self.sci[window])


@frozen
class VerificationParameters:
    """How the images of one detector are to be measured.

    Attributes
    ----------
    log_sigma_pix : float
        Standard deviation of the Laplacian of Gaussian of the focus index, output pixels.
    pixel_scale_arcsec : float
        Size of an output pixel.
    psf_fwhm_pix : float
        Full width at half maximum of the drizzled point spread function, output pixels.
    erosion_iterations : int
        How far, in pixels counted along rows and columns, the focus index stays away from pixels
        without coverage and from saturated ones. 8 is the published value.
    search_radius_arcsec : float
        Largest offset between two exposures that is searched for. A lost guide star moves an
        exposure by an arcsecond or two at most before the exposure is trailed beyond use.
    """

    log_sigma_pix: float = field(validator=gt(0.0))
    pixel_scale_arcsec: float = field(validator=gt(0.0))
    psf_fwhm_pix: float = field(validator=gt(0.0))
    erosion_iterations: int = field(default=8, validator=ge(0))
    search_radius_arcsec: float = field(default=2.0, validator=gt(0.0))

    @property
    def search_radius_pix(self) -> float:
        """Search radius in output pixels."""
        return self.search_radius_arcsec / self.pixel_scale_arcsec


def check_common_grid(images: tuple[DrizzledImage, ...]) -> tuple[int, int]:
    """Shape that all images share.

    Raises
    ------
    MeasurementError
        If there is no image, or an array is not two-dimensional, or shapes differ.
    """
    if not images:
        raise MeasurementError("There is no single-drizzled image to measure.")
    shape = images[0].sci.shape
    for image in images:
        planes = (image.sci, image.wht, image.cosmic_rays, image.saturated)
        wrong = [plane.shape for plane in planes if plane is not None and plane.shape != shape]
        if wrong or len(shape) != 2:
            raise MeasurementError(
                f"The images are not on one grid: {wrong[0] if wrong else shape} against {shape}.",
                where=image.name,
                remedy="Drizzle the product and all exposures onto the same output frame.",
            )
    return images[0].shape
