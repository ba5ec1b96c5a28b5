"""The product of a run as it lies on the disk, for a page that is made again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from astrodriz_core.decide.selection import standing_stage
from astrodriz_core.records.drizzling import OutputFrame
from astrodriz_core.records.run import RunRecord
from astrodriz_io.fits.arrays import read_header, read_sci, read_wht
from astrodriz_io.storage.digests import sha256_of
from astrodriz_io.storage.places import place

__all__ = ["StoredProduct", "read_stored_product"]


@frozen(eq=False)
class StoredProduct:
    """What the report shows of a product; see `astrodriz_io.report.product.ProductArrays`."""

    frame: OutputFrame
    sci: NDArray[np.float32]
    wht: NDArray[np.float32]
    units: str


def read_stored_product(record: RunRecord, folder: Path) -> tuple[StoredProduct | None, str]:
    """The deciding product of a run from a folder, if it lies there as the run left it.

    Parameters
    ----------
    record : RunRecord
        Names the product and its SHA-256.
    folder : Path
        Where the product is looked for.

    Returns
    -------
    product : StoredProduct or None
        None where it cannot be shown.
    problem : str
        Why it cannot; empty where it can.

    Raises
    ------
    InputError
        The file is the one of the run, and damaged all the same.
    """
    stage = standing_stage(record)
    frame = stage.drizzle.product_frame if stage is not None and stage.drizzle is not None else None
    if not record.products or frame is None:
        return None, "the run made no product"
    made = record.products[0]
    path = place(folder, made.filename)
    if not path.is_file():
        return None, f"{made.filename} does not lie beside the record"
    if sha256_of(path) != made.sha256:
        return None, f"{made.filename} is not as the run left it"
    units = str(read_header(path, "SCI").get("BUNIT", ""))
    return StoredProduct(frame, read_sci(path, 1), read_wht(path), units), ""
