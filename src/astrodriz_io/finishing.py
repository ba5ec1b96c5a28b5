"""The last stage: final products with the WCS that won, its way into the FLT files, headerlets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from astrodriz_core.records.common import Stage, WcsOrigin
from astrodriz_core.records.drizzling import ProductRecord
from astrodriz_core.records.run import StageOutcome, StageRecord
from astrodriz_io.distortion import exposure_wcs
from astrodriz_io.drizzling.combination import Combination
from astrodriz_io.outputs.exposures import finish_exposures, write_cosmic_rays
from astrodriz_io.outputs.headerlets import copy_wcs, write_headerlet
from astrodriz_io.outputs.products import write_product
from astrodriz_io.stages import StageContext, Standing, by_rootname

__all__ = ["FinalNote", "FinalProducts", "final_stage", "write_headerlets"]


@frozen
class FinalNote:
    """What the headers of products and exposures say of the run.

    Attributes
    ----------
    date : str
        ``yyyy-mm-dd``.
    not_tried : tuple of str
        Stages that could not do all of their work because a service did not answer.
    """

    date: str
    not_tried: tuple[str, ...] = ()


@frozen(eq=False)
class FinalProducts:
    """What the last stage left in the workspace.

    Attributes
    ----------
    products : tuple of ProductRecord
        DRZ and DRC.
    files : tuple of Path
        Their files.
    combination : Combination
        That of the deciding exposures.
    record : StageRecord
        Of the stage.
    """

    products: tuple[ProductRecord, ...]
    files: tuple[Path, ...]
    combination: Combination
    record: StageRecord


def final_stage(
    context: StageContext, standing: Standing, companions: Sequence[Path], product: str, note: FinalNote
) -> FinalProducts:
    """Find cosmic rays afresh with the WCS that won, and write the products.

    Parameters
    ----------
    context : StageContext
        Of the run.
    standing : Standing
        The WCS that won.
    companions : sequence of Path
        The FLT files where the deciding exposures are FLC files; they take over the WCS and get a
        product of their own. Empty otherwise.
    product : str
        Root of the products' names.
    note : FinalNote
        For the headers.
    """
    # What was combined with the pipeline default is already what would be made again here.
    if standing.origin is WcsOrigin.PIPELINE_DEFAULT:
        combination = standing.combination
    else:
        combination = context.combine(standing.files, "final")
    suffix = "drc" if companions else "drz"
    made = [_finish(context, combination, standing.files, f"{product}_{suffix}.fits", note)]
    if companions:
        for deciding, companion in zip(standing.files, companions, strict=True):
            copy_wcs(deciding, companion)
        own = context.combine(companions, "companions")
        made.append(_finish(context, own, companions, f"{product}_drz.fits", note))
    return FinalProducts(
        products=tuple(record for record, _ in made),
        files=tuple(file for _, file in made),
        combination=combination,
        record=StageRecord(
            stage=Stage.FINAL,
            outcome=StageOutcome.DONE,
            reason=f"made with the {standing.origin.value} WCS",
            wcs=tuple(exposure_wcs(file) for file in standing.files),
            drizzle=combination.record,
        ),
    )


def write_headerlets(exposures: Sequence[Path]) -> tuple[Path, ...]:
    """Write the WCS in use of every FLT as ``<exposure>_flt_hlet.fits`` beside it."""
    return tuple(write_headerlet(exposure, exposure.with_name(f"{exposure.stem}_hlet.fits")) for exposure in exposures)


def _finish(
    context: StageContext, combination: Combination, files: Sequence[Path], name: str, note: FinalNote
) -> tuple[ProductRecord, Path]:
    roots = by_rootname(files)
    write_cosmic_rays(roots, combination.cosmic_rays)
    finish_exposures(roots, combination, note.date, note.not_tried)
    path = context.workspace.folder / name
    return write_product(combination, path, note.date), path
