"""Pictures of the product and its weights for the report: reduced, stretched, with directions and a scale."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from functools import partial

import numpy as np
from astropy.stats import mad_std
from astropy.visualization import AsinhStretch, BaseStretch, ImageNormalize, LinearStretch
from attrs import frozen
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from astrodriz_core.arrays import Array, Float32Image
from astrodriz_core.records.drizzling import OutputFrame
from astrodriz_io.report.svg import FONT

__all__ = ["Picture", "product_picture", "reduced", "weight_picture"]

LONGEST_SIDE = 900
"""The longest side of a picture, in its pixels."""

SHORTEST_LONG_SIDE = 450
"""A small product is enlarged to this, so that the directions can be read."""

DARKEST_SIGMA, LINEAR_SIGMA, BRIGHTEST_PERCENTILE = -2.0, 3.0, 99.7
"""The stretch: from so many sigma off the sky, linear over so many, to this percentile."""

LEAST_RANGE_SIGMA = 20.0
"""The stretch spans at least this, or noise alone would look like a field of stars."""

SCALE_STEPS_ARCSEC = tuple(step * 10.0**power for power in range(-2, 3) for step in (1, 2, 5))
LARGEST_SCALE_PART = 0.25
"""Part of the width that the scale bar may take."""

DOTS_PER_INCH = 100


@frozen
class Picture:
    """A PNG image with what a caption needs to say of it.

    Attributes
    ----------
    png : bytes
    width, height : int
        Pixels of the image.
    factor : int
        Product pixels along the side of one pixel, of which it shows the mean.
    low, high : float
        Values shown as black and as white.
    """

    png: bytes
    width: int
    height: int
    factor: int
    low: float
    high: float


def product_picture(sci: Float32Image, wht: Float32Image, frame: OutputFrame) -> Picture:
    """Picture of a product with an asinh stretch, arrows to north and east, and a scale bar.

    Parameters
    ----------
    sci, wht : ndarray, shape (ny, nx)
        The product; pixels without weight or that are not finite are left transparent.
    frame : OutputFrame
        Its grid.
    """
    image, factor = _covered(sci, wht, LONGEST_SIDE)
    low, high, softening = _stretch(image)
    draw = partial(_draw_directions, shape=image.shape, frame=frame, factor=factor)
    return _picture(image, (low, high), AsinhStretch(softening), factor, draw)


def weight_picture(wht: Float32Image) -> Picture:
    """Picture of the weights on a linear scale from 0."""
    image, factor = _covered(wht, wht, LONGEST_SIDE // 2)
    known = image[np.isfinite(image)]
    high = float(known.max()) if known.size else 1.0
    return _picture(image, (0.0, high), LinearStretch(), factor, lambda axes: None)


def reduced(image: Float32Image, factor: int) -> Float32Image:
    """Mean of the finite pixels of each block of ``factor`` by ``factor``; NaN where there are none.

    Rows and columns that fill no block make a smaller one at the upper and right edge. Memory beside the
    result is that of `factor` rows.
    """
    ny, nx = image.shape
    columns = np.arange(0, nx, factor)
    return np.stack([_reduced_rows(image[y : y + factor], columns) for y in range(0, ny, factor)])


def _reduced_rows(rows: Float32Image, columns: NDArray[np.int64]) -> Float32Image:
    good = np.isfinite(rows)
    count = np.add.reduceat(good.sum(axis=0), columns)
    total = np.add.reduceat(np.where(good, rows, 0.0).sum(axis=0, dtype=np.float64), columns)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def _covered(image: Float32Image, wht: Float32Image, longest: int) -> tuple[Float32Image, int]:
    """The image reduced to a longest side, NaN where nothing contributed, and the factor."""
    factor = max(1, math.ceil(max(image.shape) / longest))
    small, covered = reduced(image, factor), reduced(wht, factor) > 0
    return np.where(covered, small, np.float32(np.nan)), factor


def _stretch(image: Float32Image) -> tuple[float, float, float]:
    """Values for black and white, and the softening of the asinh as a part of the range."""
    known = image[np.isfinite(image)].astype(np.float64)
    if not known.size:
        return 0.0, 1.0, 1.0
    sky, sigma = float(np.median(known)), float(mad_std(known))
    sigma = sigma or float(known.std()) or 1.0
    low = sky + DARKEST_SIGMA * sigma
    high = max(float(np.percentile(known, BRIGHTEST_PERCENTILE)), low + LEAST_RANGE_SIGMA * sigma)
    return low, high, min(1.0, LINEAR_SIGMA * sigma / (high - low))


def _picture(
    image: Float32Image,
    limits: tuple[float, float],
    stretch: BaseStretch,
    factor: int,
    draw: Callable[[Axes], None],
) -> Picture:
    """The image alone, edge to edge, and what `draw` puts onto it."""
    ny, nx = image.shape
    enlarged = max(1, math.ceil(SHORTEST_LONG_SIDE / max(ny, nx))) if factor == 1 else 1
    width, height = max(1, nx * enlarged), max(1, ny * enlarged)
    figure = Figure(figsize=(width / DOTS_PER_INCH, height / DOTS_PER_INCH), dpi=DOTS_PER_INCH, facecolor="none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    shades = colormaps["gray"].with_extremes(bad=(0, 0, 0, 0))
    # Not clipped, or pixels outside the field would be as white as the brightest stars.
    norm = ImageNormalize(vmin=limits[0], vmax=limits[1], stretch=stretch, clip=False)
    axes.imshow(image, cmap=shades, norm=norm, origin="lower", interpolation="nearest", aspect="auto")
    draw(axes)
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})
    return Picture(buffer.getvalue(), width, height, factor, *limits)


def _draw_directions(axes: Axes, shape: tuple[int, int], frame: OutputFrame, factor: int) -> None:
    ny, nx = shape
    length = 0.08 * min(ny, nx)
    start = np.array([nx - 2.2 * length, 2.2 * length])
    for label, direction in zip("NE", _north_east(frame), strict=True):
        tip = start + length * direction
        _arrow(axes, start, tip)
        _label(axes, start + 1.45 * length * direction, label)
    _draw_scale(axes, shape, frame.pixel_scale_arcsec * factor)


def _north_east(frame: OutputFrame) -> tuple[Array, Array]:
    """Unit vectors to the north and to the east in pixels, (x, y)."""
    to_pixels = np.linalg.inv(np.array(frame.cd))
    north, east = to_pixels @ (0.0, 1.0), to_pixels @ (1.0, 0.0)
    return north / np.hypot(*north), east / np.hypot(*east)


def _arrow(axes: Axes, start: Array, tip: Array) -> None:
    arrow: dict[str, object] = {"arrowstyle": "-|>", "color": "white", "linewidth": 1.6, "shrinkA": 0, "shrinkB": 0}
    arrow["path_effects"] = [withStroke(linewidth=3.6, foreground="black")]
    axes.annotate("", xy=(tip[0], tip[1]), xytext=(start[0], start[1]), arrowprops=arrow)


def _draw_scale(axes: Axes, shape: tuple[int, int], scale: float) -> None:
    """Bar of a round length; none on a picture too small for the shortest."""
    ny, nx = shape
    fitting = [step for step in SCALE_STEPS_ARCSEC if step / scale <= LARGEST_SCALE_PART * nx]
    if not fitting:
        return
    length, x, y = fitting[-1] / scale, 0.04 * nx, 0.05 * ny
    outline = [withStroke(linewidth=4.5, foreground="black")]
    axes.plot((x, x + length), (y, y), color="white", linewidth=2.5, path_effects=outline, scalex=False, scaley=False)
    _label(axes, np.array([x, y + 0.03 * ny]), _length(fitting[-1]), align="left")


def _length(arcsec: float) -> str:
    return f"{arcsec / 60:g} arcmin" if arcsec >= 60 and arcsec % 60 == 0 else f"{arcsec:g} arcsec"


def _label(axes: Axes, place: Array, text: str, align: str = "center") -> None:
    outline = [withStroke(linewidth=3, foreground="black")]
    axes.text(
        place[0], place[1], text, color="white", fontsize=11, fontfamily=FONT, usetex=False, ha=align, va="center",
        path_effects=outline,
    )  # fmt: skip
