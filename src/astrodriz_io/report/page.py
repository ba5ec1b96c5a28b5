"""The report of a run: one page that needs no other file, written from the record and the product's arrays."""

from __future__ import annotations

import base64
from importlib.resources import files
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from astrodriz_core.records.drizzling import OutputFrame
from astrodriz_core.records.run import RunRecord
from astrodriz_io.report.alignment import (
    alignment_section,
    checks_section,
    guiding_section,
    stages_section,
)
from astrodriz_io.report.astrometry import aposteriori_section, apriori_section, choice_section
from astrodriz_io.report.headline import headline
from astrodriz_io.report.html import Html, element, escaped, join, section, significant
from astrodriz_io.report.previews import Picture, product_picture, weight_picture
from astrodriz_io.report.provenance import drizzling_section, provenance_section
from astrodriz_io.storage.disk import as_bytes

__all__ = ["ProductArrays", "report_page", "write_report"]

STYLE_SHEET = "report.css"

CONTENT_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""Forbids the page to load or run anything, whatever a name in a header may hold."""

LINKS = {
    "product": "Product",
    "stages": "Stages",
    "alignment": "Alignment",
    "checks": "Checks",
    "choice": "WCS",
    "apriori": "A priori",
    "aposteriori": "A posteriori",
    "drizzling": "Drizzling",
    "provenance": "Provenance",
}


class ProductArrays(Protocol):
    """What the report shows of a product: its grid, its image and weights, the unit of the image."""

    @property
    def frame(self) -> OutputFrame:
        """The grid."""

    @property
    def sci(self) -> NDArray[np.float32]:
        """Image, shape (ny, nx)."""

    @property
    def wht(self) -> NDArray[np.float32]:
        """Weights, shape (ny, nx)."""

    @property
    def units(self) -> str:
        """Value of BUNIT."""


def write_report(record: RunRecord, product: ProductArrays | None, path: Path) -> None:
    """Write the report of a run.

    Parameters
    ----------
    record : RunRecord
        Complete.
    product : ProductArrays or None
        Arrays of the product of the deciding exposures; they are only read. None where there is none.
    path : Path
        Of the page; replaced if it exists.
    """
    # A file name that is not UTF-8 reaches Python as surrogates, which cannot be encoded again.
    path.write_bytes(as_bytes(report_page(record, product)))


def report_page(record: RunRecord, product: ProductArrays | None) -> str:
    """The page as text; the same record and arrays give the same text.

    Every text of the record is escaped, because records hold names from headers that anybody may have written.
    """
    head = element("head", Html('<meta charset="utf-8">'), *_metadata(), _title(record), _style())
    body = element(
        "body",
        element("a", "Skip to the report", href="#main", class_="skip"),
        element("main", headline(record), _navigation(), *_sections(record, product), id="main"),
        element("footer", _footer(record)),
    )
    return f'<!DOCTYPE html>\n<html lang="en">\n{head}\n{body}\n</html>\n'


def _metadata() -> tuple[Html, ...]:
    return (
        Html(f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_POLICY}">'),
        Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Html('<meta name="color-scheme" content="light dark">'),
    )


def _title(record: RunRecord) -> Html:
    return element("title", f"{record.root}: astrodriz run report")


def _style() -> Html:
    text = files("astrodriz_io").joinpath("data", STYLE_SHEET).read_text(encoding="utf-8")
    return element("style", Html(text))


def _navigation() -> Html:
    links = (element("li", element("a", text, href=f"#{name}")) for name, text in LINKS.items())
    return element("nav", element("ul", *links), aria_label="Sections")


def _sections(record: RunRecord, product: ProductArrays | None) -> tuple[Html, ...]:
    return (
        _product_section(record, product),
        stages_section(record),
        alignment_section(record),
        checks_section(record),
        guiding_section(record.guiding),
        choice_section(record),
        apriori_section(record),
        aposteriori_section(record),
        drizzling_section(record),
        provenance_section(record),
    )


def _product_section(record: RunRecord, product: ProductArrays | None) -> Html:
    if product is None:
        names = ", ".join(made.filename for made in record.products)
        text = f"This page was made without a look at {names}." if names else "No product was made."
        return section("product", "Product", element("p", text, class_="empty"))
    image = product_picture(product.sci, product.wht, product.frame)
    weights = weight_picture(product.wht)
    return section(
        "product",
        "Product",
        element(
            "div",
            _figure(image, "The combined image", _image_caption(image, product.units), "image"),
            _figure(weights, "The weight map", _weight_caption(weights), "weights"),
            class_="pictures",
        ),
    )


def _figure(picture: Picture, text: str, caption: str, kind: str) -> Html:
    source = "data:image/png;base64," + base64.b64encode(picture.png).decode("ascii")
    size = f'width="{picture.width}" height="{picture.height}"'
    image = Html(f'<img src="{source}" {size} alt="{escaped(f"{text}. {caption}")}">')
    return element("figure", image, element("figcaption", element("strong", f"{text}. "), caption), class_=kind)


def _image_caption(picture: Picture, units: str) -> str:
    return (
        f"Asinh stretch from {significant(picture.low, 3)} to {significant(picture.high, 3)} {units}. "
        f"{_reduction(picture)} Arrows point to north and east."
    )


def _weight_caption(picture: Picture) -> str:
    return f"Black is 0, white is {significant(picture.high)}. {_reduction(picture)}"


def _reduction(picture: Picture) -> str:
    if picture.factor == 1:
        return "Every pixel of the product is shown."
    return f"One pixel is the mean of {picture.factor} by {picture.factor} pixels of the product."


def _footer(record: RunRecord) -> Html:
    version = next((package.version for package in record.software if package.name == "astrodriz"), "")
    link = element("code", f"{record.root}_decisions.json")
    return join((f"astrodriz {version}. All of this stands, to be read by programs, in ", link, "."))
