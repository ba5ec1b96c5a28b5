"""The last stage: final products with the WCS that won, its way into the FLT files, headerlets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from astrodriz_core.decide.selection import select_wcs
from astrodriz_core.records.common import Stage, WcsOrigin
from astrodriz_core.records.drizzling import ProductRecord
from astrodriz_core.records.run import StageOutcome, StageRecord
from astrodriz_io.drizzling.combination import Combination
from astrodriz_io.products.exposures import finish_exposures, write_checksums
from astrodriz_io.products.product import write_product
from astrodriz_io.run.context import StageContext, by_rootname
from astrodriz_io.run.record import not_tried
from astrodriz_io.run.state import FinalProducts, FinishedRun, SolvedRun, grow
from astrodriz_io.storage.places import beside
from astrodriz_io.verifying.combination import verify_combination
from astrodriz_io.wcs.distortion import exposure_wcs
from astrodriz_io.wcs.headerlet_files import copy_wcs, write_headerlet, write_new_solutions

__all__ = [
    "COMPANIONS",
    "FINAL",
    "HeaderStamp",
    "deliver",
    "final_stage",
    "header_stamp",
    "write_headerlets",
]

FINAL, COMPANIONS = "final", "companions"
"""Names of the combinations that a replay repeats for the last stage; a run makes only the second of them there."""


@frozen
class HeaderStamp:
    """What the headers of products and exposures say of the run.

    Attributes
    ----------
    origin : WcsOrigin
        Where the WCS in use comes from.
    moment : str
        When the run began, ``yyyy-mm-ddThh:mm:ss`` in UTC. Every date that is written is this one, so that a replay
        on another day gives the same files.
    not_tried : tuple of str
        Stages that could not do all of their work because a service did not answer.
    """

    origin: WcsOrigin
    moment: str
    not_tried: tuple[str, ...] = ()

    @property
    def date(self) -> str:
        """``yyyy-mm-dd``."""
        return self.moment[:10]


def header_stamp(origin: WcsOrigin, started: str, stages: Sequence[StageRecord]) -> HeaderStamp:
    """What headers say of a run that began at a time (ISO 8601, UTC), from the records of its stages."""
    return HeaderStamp(origin, started[:19], tuple(text.partition(":")[0] for text in not_tried(stages)))


def final_stage(run: SolvedRun) -> FinishedRun:
    """Write the products of the WCS that won, bring it into the FLT files, and write headerlets."""
    selection = select_wcs(run.stages)
    stamp = header_stamp(selection.chosen, run.moment, run.stages)
    copies, current = run.exposures.copies, run.current
    product = run.association.product
    final = deliver(run.context, current.files, current.combination, copies.companions, product, stamp)
    return grow(
        run,
        FinishedRun,
        stages=(*run.stages, _record(run, final, stamp)),
        selection=selection,
        final=final,
        headerlets=write_headerlets(copies.flt, stamp) if run.settings.headerlets else (),
    )


def deliver(
    context: StageContext,
    files: Sequence[Path],
    combination: Combination,
    companions: Sequence[Path],
    product: str,
    stamp: HeaderStamp,
) -> FinalProducts:
    """Write the products, and finish the exposures.

    Parameters
    ----------
    context : StageContext
        Of the run.
    files : sequence of Path
        The deciding exposures, with the WCS that won; FLC files give a DRC, others a DRZ.
    combination : Combination
        Of them: the one that was verified.
    companions : sequence of Path
        The FLT files where the deciding exposures are FLC files; they take over the WCS and get a
        product of their own. Empty otherwise.
    product : str
        Root of the products' names.
    stamp : HeaderStamp
        For the headers.
    """
    delivered = [_finish(context, combination, files, f"{product}_{_suffix(files)}.fits", stamp)]
    companion_combination = None
    if companions:
        for deciding, companion in zip(files, companions, strict=True):
            copy_wcs(deciding, companion)
        companion_combination = context.combine(companions, COMPANIONS)
        delivered.append(_finish(context, companion_combination, companions, f"{product}_drz.fits", stamp))
    return FinalProducts(
        products=tuple(record for record, _ in delivered),
        files=tuple(file for _, file in delivered),
        companions=companion_combination,
    )


def _record(run: SolvedRun, final: FinalProducts, stamp: HeaderStamp) -> StageRecord:
    """What was verified is delivered, and the product of the companions is verified now."""
    current, companions = run.current, final.companions
    return StageRecord(
        stage=Stage.FINAL,
        outcome=StageOutcome.DONE,
        reason=f"made with the {stamp.origin.value} WCS",
        wcs=tuple(exposure_wcs(file) for file in current.files),
        drizzle=current.combination.record,
        verification=current.verification,
        companions=companions.record if companions is not None else None,
        companions_verification=verify_combination(companions, run.settings.policy) if companions is not None else None,
    )


def _suffix(exposures: Sequence[Path]) -> str:
    """Suffix of the product of FLC files, or of others."""
    return "drc" if all(exposure.stem.lower().endswith("_flc") for exposure in exposures) else "drz"


def write_headerlets(exposures: Sequence[Path], stamp: HeaderStamp) -> tuple[Path, ...]:
    """Write the WCS in use of every exposure as ``<exposure>_flt_hlet.fits`` beside it, and the solutions made for it.

    A bare FLC, which has no FLT, gives ``<exposure>_flc_hlet.fits``.
    """
    written: list[Path] = []
    for exposure in exposures:
        path = beside(exposure, f"{exposure.stem}_hlet.fits")
        written += (write_headerlet(exposure, path, moment=stamp.moment), *write_new_solutions(exposure))
    return tuple(written)


def _finish(
    context: StageContext, combination: Combination, files: Sequence[Path], name: str, stamp: HeaderStamp
) -> tuple[ProductRecord, Path]:
    roots = by_rootname(files)
    context.flag(files, combination)
    finish_exposures(roots, combination, stamp.date, stamp.not_tried)
    path = context.workspace.place(name)
    product = write_product(combination, path, stamp.moment)
    for file in files:
        write_checksums(file, stamp.moment)
    return product, path
