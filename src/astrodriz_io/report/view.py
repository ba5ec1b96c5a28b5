"""Everything that the report of a run tells, as plain values without a word of HTML."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from astrodriz_core.records.run import RunRecord
from astrodriz_io.report.again import again_section
from astrodriz_io.report.alignment import alignment_section, checks_section, guiding_sections, stages_section
from astrodriz_io.report.astrometry import aposteriori_section, apriori_section, choice_section
from astrodriz_io.report.headline import Headline, headline
from astrodriz_io.report.parts import Section
from astrodriz_io.report.product import ProductArrays, product_section
from astrodriz_io.report.provenance import drizzling_section, provenance_section
from astrodriz_io.report.whole import whole_section

__all__ = ["LINKS", "Report", "report_view"]

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
    "again": "Again",
    "record": "Record",
}
"""The sections that the page links to, and the words of the links."""


@frozen
class Report:
    """All that the page tells.

    Attributes
    ----------
    title : str
        Title of the window.
    headline : Headline
    sections : tuple of Section
    version : str
        Version of astrodriz; empty where the record does not tell.
    record_name : str
        The file where all of this stands for programs.
    """

    title: str
    headline: Headline
    sections: tuple[Section, ...]
    version: str
    record_name: str


def report_view(record: RunRecord, product: ProductArrays | None, story: Section | None = None) -> Report:
    """What the report of a run tells.

    Parameters
    ----------
    record : RunRecord
        Complete.
    product : ProductArrays or None
        Arrays of the product of the deciding exposures; they are only read. None where there is none.
    story : Section or None
        What is known of the run beside its record, to be told first.
    """
    return Report(
        title=f"{record.root}: astrodriz run report",
        headline=headline(record),
        sections=(*((story,) if story is not None else ()), *_sections(record, product)),
        version=next((package.version for package in record.software if package.name == "astrodriz"), ""),
        record_name=f"{record.root}_decisions.json",
    )


def _sections(record: RunRecord, product: ProductArrays | None) -> Iterator[Section]:
    yield product_section(record, product)
    yield stages_section(record)
    yield alignment_section(record)
    yield checks_section(record)
    yield from guiding_sections(record.guiding)
    yield choice_section(record)
    yield apriori_section(record)
    yield aposteriori_section(record)
    yield drizzling_section(record)
    yield provenance_section(record)
    yield again_section(record)
    yield whole_section(record)
