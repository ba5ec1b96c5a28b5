"""The product part of the report: pictures of the image and of the weights."""

from __future__ import annotations

from typing import Protocol

from astrodriz_core.arrays import Float32Image
from astrodriz_core.records.drizzling import OutputFrame
from astrodriz_core.records.run import RunRecord
from astrodriz_io.report.parts import Image, Images, Section, empty_section
from astrodriz_io.report.previews import Picture, product_picture, weight_picture
from astrodriz_io.report.wording import significant

__all__ = ["ProductArrays", "product_section"]


class ProductArrays(Protocol):
    """What the report shows of a product: its grid, its image and weights, the unit of the image."""

    @property
    def frame(self) -> OutputFrame:
        """The grid of the product."""

    @property
    def sci(self) -> Float32Image:
        """Image, shape (ny, nx)."""

    @property
    def wht(self) -> Float32Image:
        """Weights, shape (ny, nx)."""

    @property
    def units(self) -> str:
        """Value of BUNIT."""


def product_section(record: RunRecord, product: ProductArrays | None) -> Section:
    """The pictures of the product, or why there are none."""
    if product is not None:
        return Section("product", "Product", (Images((_combined(product), _weights(product))),))
    names = ", ".join(made.filename for made in record.products)
    text = f"This page was made without a look at {names}." if names else "No product was made."
    return empty_section("product", "Product", text)


def _combined(product: ProductArrays) -> Image:
    picture = product_picture(product.sci, product.wht, product.frame)
    caption = (
        f"Asinh stretch from {significant(picture.low, 3)} to {significant(picture.high, 3)} {product.units}. "
        f"{_reduction(picture)} Arrows point to north and east."
    )
    return Image("image", "The combined image", caption, picture.png, picture.width, picture.height)


def _weights(product: ProductArrays) -> Image:
    picture = weight_picture(product.wht)
    caption = f"Black is 0, white is {significant(picture.high)}. {_reduction(picture)}"
    return Image("weights", "The weight map", caption, picture.png, picture.width, picture.height)


def _reduction(picture: Picture) -> str:
    if picture.factor == 1:
        return "Every pixel of the product is shown."
    return f"One pixel is the mean of {picture.factor} by {picture.factor} pixels of the product."
