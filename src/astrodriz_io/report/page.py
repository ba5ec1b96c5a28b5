"""The report of a run: one page that needs no other file, written from the record and the product's arrays."""

from __future__ import annotations

from pathlib import Path

from astrodriz_core.records.run import RunRecord
from astrodriz_io.report.parts import Section
from astrodriz_io.report.product import ProductArrays
from astrodriz_io.report.rendering import render
from astrodriz_io.report.view import report_view
from astrodriz_io.storage.disk import as_bytes

__all__ = ["report_page", "write_report"]


def write_report(record: RunRecord, product: ProductArrays | None, path: Path, story: Section | None = None) -> None:
    """Write the report of a run.

    Parameters
    ----------
    record : RunRecord
        Complete.
    product : ProductArrays or None
        Arrays of the product of the deciding exposures; they are only read. None where there is none.
    path : Path
        Where the page is written; it is replaced if it exists.
    story : Section or None
        What is known of the run beside its record, to be told first.
    """
    # A file name that is not UTF-8 reaches Python as surrogates, which cannot be encoded again.
    path.write_bytes(as_bytes(report_page(record, product, story)))


def report_page(record: RunRecord, product: ProductArrays | None, story: Section | None = None) -> str:
    """The page as text; the same record, arrays and story give the same text."""
    return render(report_view(record, product, story))
