"""The product of all chips of a combination, in this process or another."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from astrodriz_core.arrays import Float32Image, Mask
from astrodriz_core.errors import InputError
from astrodriz_io.drizzling.placed import PlacedChip
from astrodriz_io.drizzling.resample import add_chip, new_drizzle, without_margin
from astrodriz_io.drizzling.store import Room

__all__ = ["ProductTask", "WeightedChip", "drizzle_product"]


@frozen(eq=False)
class WeightedChip:
    """A chip, and what each of its pixels weighs in a product.

    Attributes
    ----------
    placed : PlacedChip
        On the frame with its margin.
    cosmic_rays : ndarray of bool, or None
        Pixels that are left out. A mask that would leave no pixel of the chip is not applied.
    weight : float32, or None
        Of every good pixel; None where the ERR array gives it.
    """

    placed: PlacedChip
    cosmic_rays: Mask | None
    weight: np.float32 | None

    def signal(self, bits: int | None) -> tuple[Float32Image, Float32Image]:
        """Rate, electrons/s, and weight of every pixel."""
        rate, good = self.placed.signal(bits)
        if self.cosmic_rays is not None:
            clean = good & ~self.cosmic_rays
            good = clean if clean.any() else good
        weight = self._errors() if self.weight is None else np.full(rate.shape, self.weight)
        weight[~good] = 0
        return rate, weight

    def _errors(self) -> Float32Image:
        """Inverse variance of the rate in an output pixel, from the ERR array; 0 where ERR is not positive."""
        pixels = self.placed.pixels
        native = pixels.err()
        if native is None:
            raise InputError(
                "the file has no ERR extension, which final_wht_type ERR needs.",
                where=pixels.path.name,
                remedy="Take final_wht_type EXP or IVM.",
            )
        error = native * np.float32(self.placed.rate_per_unit)
        usable = np.isfinite(error) & (error > 0)
        variance = np.where(usable, error, np.float32(1)) ** 2 * np.float32(self.placed.scale_ratio**4)
        return np.where(usable, 1 / variance, np.float32(0))


@frozen(eq=False)
class ProductTask:
    """What is drizzled together, and where the product goes.

    Attributes
    ----------
    chips : tuple of WeightedChip
        All chips, in order.
    shape : tuple of int
        (ny, nx) of the frame with its margin.
    margin : int
        Pixels on each side that are cut off at the end.
    kernel : str
        Name of the kernel.
    pixfrac : float
        Side of the drop, in detector pixels.
    bits : int or None
        DQ bits that do not make a pixel bad.
    per_unit : float32
        Electrons/s in one unit of the product.
    empty : float
        Value of pixels without data.
    sci, wht : Room
        For the product, without the margin.
    ctx : Room or None
        For its context image, shape (planes, ny, nx).
    """

    chips: tuple[WeightedChip, ...]
    shape: tuple[int, int]
    margin: int
    kernel: str
    pixfrac: float
    bits: int | None
    per_unit: np.float32
    empty: float
    sci: Room
    wht: Room
    ctx: Room | None


def drizzle_product(task: ProductTask) -> None:
    """Drizzle all chips together, in their order, and put the product into its rooms."""
    drizzle = new_drizzle(task.shape, task.kernel, None, len(task.chips), context=task.ctx is not None)
    for chip in task.chips:
        rate, weight = chip.signal(task.bits)
        add_chip(drizzle, chip.placed, rate, weight, chip.placed.pixel_map(), task.pixfrac)
    sci, wht = without_margin(drizzle.out_img, task.margin), without_margin(drizzle.out_wht, task.margin)
    sci /= task.per_unit
    sci[wht == 0] = task.empty
    task.sci.put(sci)
    task.wht.put(wht)
    if task.ctx is not None:
        task.ctx.put(without_margin(drizzle.out_ctx, task.margin))
