"""Run records made by hand, complete and with values such as a real run gives; judged by the real rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
from attrs import evolve
from example_measurements import BAD_OFFSETS, FRAME, ROOTS, measurements

from astrodriz_core.decide.keep import judge_stage
from astrodriz_core.decide.selection import select_wcs
from astrodriz_core.parameters.choices import FitGeometry
from astrodriz_core.parameters.drizzle import DrizzleParameters
from astrodriz_core.records.astrometry import (
    AbsoluteFit,
    AlignmentOutcome,
    AposterioriRecord,
    AprioriExposure,
    AprioriOutcome,
    AprioriRecord,
    CatalogProvenance,
    Check,
    ChipSources,
    ExposureSources,
    FitAttempt,
    FitQuality,
    HoldOut,
    MatchMethod,
    OfferedSolution,
    PsfOrigin,
    RegistrationChange,
    RelativeExposure,
    RelativeFit,
    SolutionOrigin,
    SourceCounts,
)
from astrodriz_core.records.common import STAGE_ORIGINS, ChipWcs, ExposureWcs, Stage, Verdict
from astrodriz_core.records.drizzling import (
    ChipSky,
    CosmicRayCount,
    DrizzleRecord,
    ExcludedExposure,
    ExclusionReason,
    ProductRecord,
    StaticMaskCount,
)
from astrodriz_core.records.run import (
    SCHEMA_VERSION,
    FileDigest,
    ParameterSource,
    RunOutcome,
    RunRecord,
    SettingsRecord,
    SoftwareVersion,
    StageOutcome,
    StageRecord,
)
from astrodriz_core.records.verification import (
    AlignmentMeasurements,
    CheckOutcome,
    Policy,
    ProductComparison,
    Quantity,
    Verification,
)
from astrodriz_core.records.verification import Check as PictureCheck
from astrodriz_core.verify.verification import judge

IDC, HSC, GAIA = "IDC_w3m18525i", "IDC_w3m18525i-HSC30", "IDC_w3m18525i-FIT_REL_GAIAeDR3"
SHA = "0123456789abcdef" * 4


def association_record(
    *,
    before: AlignmentMeasurements | None = None,
    after: AlignmentMeasurements | None = None,
    excluded: tuple[ExcludedExposure, ...] = (),
) -> RunRecord:
    """The run of an association: the a priori WCS misaligns it and is turned down; the rules say what else stays.

    Parameters
    ----------
    before, after : AlignmentMeasurements, optional
        With the pipeline-default WCS, and with the fit to Gaia; by default well aligned.
    excluded : tuple of ExcludedExposure
        Exposures left out.
    """
    drizzle = drizzle_record(ROOTS, excluded)
    first = judge(before or measurements())
    default = StageRecord(Stage.DEFAULT, StageOutcome.DONE, first.reason, wcs(IDC), drizzle, first)
    bad = _tried(Stage.A_PRIORI, HSC, evolve(drizzle, cosmic_rays_from="the a_priori combination"),
                 judge(measurements(BAD_OFFSETS)), first)  # fmt: skip
    fitted = _tried(Stage.A_POSTERIORI, GAIA, evolve(drizzle, cosmic_rays_from="the a_posteriori combination"),
                    judge(after or measurements()), first)  # fmt: skip
    made = (default, evolve(bad, apriori=apriori()), evolve(fitted, aposteriori=aposteriori()))
    selection = select_wcs(made)
    standing = next(stage for stage in made if STAGE_ORIGINS[stage.stage] is selection.chosen)
    return evolve(
        omitted_record(),
        outcome=RunOutcome.DONE,
        detector="WFC3/IR",
        filter_name="F140W",
        inputs=tuple(FileDigest(f"{root}_flt.fits", SHA) for root in ROOTS),
        references=(FileDigest("w3m18525i_idc.fits", SHA),),
        parameters=DrizzleParameters(),
        parameter_sources=(ParameterSource("driz_cr_snr", "5.0 4.0", "MDRIZTAB w_mdz.fits, row 3"),),
        stages=(
            StageRecord(Stage.DISTORTION, StageOutcome.DONE, f"pipeline-default WCS: {IDC}", wcs(IDC)),
            *made,
            _final(standing),
        ),
        selection=selection,
        products=(ProductRecord("iabc01010_drz.fits", "drz", ROOTS, 3246.9, "ELECTRONS/S", SHA),),
        files=("iabc01010_drz.fits", "iabc01010_decisions.json", "iabc01010.tra"),
        warnings=("no MDRIZTAB was found",),
    )


def _tried(
    stage: Stage, name: str, drizzle: DrizzleRecord, verification: Verification, default: Verification
) -> StageRecord:
    """An alignment stage with the outcome that the rules give it."""
    compared = comparison()
    decision = judge_stage(verification, compared, default, default)
    outcome = StageOutcome.KEPT if decision.keep else StageOutcome.REVERTED
    return StageRecord(stage, outcome, decision.reason, wcs(name), drizzle, verification, compared)


def _final(standing: StageRecord) -> StageRecord:
    """The last stage, which delivers what an earlier one made and verified."""
    reason = f"made with the {STAGE_ORIGINS[standing.stage].value} WCS"
    return StageRecord(
        Stage.FINAL, StageOutcome.DONE, reason, standing.wcs, standing.drizzle, standing.verification
    )  # fmt: skip


def comparison() -> ProductComparison:
    """A product that is the default product, moved."""
    check = PictureCheck(Quantity.PRODUCT_SIMILARITY, None, CheckOutcome.PASSED, 0.02, 1.0, 0.98, True,
                         "similarity index 0.020 to default product, limit 1")  # fmt: skip
    return ProductComparison("stage product", "default product", 0.1, -0.1, 0.004, 0.01, 90, 0.05, 0.02,
                             Verdict.ALIGNED, check)  # fmt: skip


def singleton_record() -> RunRecord:
    """The run of one exposure: nothing to verify, no solution, no catalogue within reach, no cosmic rays."""
    drizzle = evolve(drizzle_record(ROOTS[:1], ()), cosmic_rays=())
    alone = "one exposure has nothing to be aligned to"
    default = StageRecord(Stage.DEFAULT, StageOutcome.DONE, alone, wcs(IDC)[:1], drizzle)
    given = association_record()
    return evolve(
        given,
        root=ROOTS[0],
        product=ROOTS[0],
        inputs=given.inputs[:1],
        stages=(
            evolve(given.stages[0], wcs=wcs(IDC)[:1]),
            default,
            StageRecord(Stage.A_PRIORI, StageOutcome.SKIPPED, "a priori solutions are switched off"),
            StageRecord(Stage.A_POSTERIORI, StageOutcome.SKIPPED, "the catalogue gave no answer"),
            _final(default),
        ),
        selection=select_wcs([default]),
        products=(evolve(given.products[0], filename=f"{ROOTS[0]}_drz.fits", exposures=ROOTS[:1]),),
        files=(f"{ROOTS[0]}_drz.fits", f"{ROOTS[0]}_decisions.json", f"{ROOTS[0]}.tra"),
        warnings=(),
    )


def omitted_record() -> RunRecord:
    """The run that DRIZCORR switched off."""
    return RunRecord(
        schema_version=SCHEMA_VERSION,
        root="iabc01010",
        product="iabc01010",
        outcome=RunOutcome.OMITTED,
        started="2026-01-02T03:04:05+00:00",
        detector="",
        filter_name="",
        settings=SettingsRecord(
            False, False, True, True, True, False, False, False, Policy.CALIBRATED, "gaia.ecsv", None, None,
            (("final_scale", "0.06"),),
        ),
        software=(SoftwareVersion("astrodriz", "0.1.0"), SoftwareVersion("numpy", "2.0.0")),
        inputs=(), references=(), parameters=None, parameter_sources=(), guiding=(), stages=(), selection=None,
        products=(), files=("iabc01010_decisions.json", "iabc01010.tra"), warnings=(),
    )  # fmt: skip


def wcs(name: str) -> tuple[ExposureWcs, ...]:
    """The WCS of every exposure under one WCSNAME."""
    chip = ChipWcs(1, FRAME.crval, (64.0, 64.0), FRAME.cd, (128, 128), name)
    return tuple(ExposureWcs(root, (chip,)) for root in ROOTS)


def drizzle_record(roots: tuple[str, ...], excluded: tuple[ExcludedExposure, ...]) -> DrizzleRecord:
    """One combination."""
    return DrizzleRecord(
        exposures=roots,
        excluded=excluded,
        frame=FRAME,
        sky=tuple(ChipSky(root, 1, 0.0676, "ELECTRONS/S") for root in roots),
        static_mask=(StaticMaskCount("chip 1 (128 x 128)", 88),),
        cosmic_rays=tuple(CosmicRayCount(root, 1, 98, 98 / 128**2) for root in roots),
        cosmic_rays_from="the default combination",
    )


def left_out() -> ExcludedExposure:
    """An exposure without exposure time."""
    return ExcludedExposure("iabc01aeq", ExclusionReason.NO_EXPOSURE_TIME, "EXPTIME is 0")


def apriori() -> AprioriRecord:
    """What the a priori stage did."""
    check = Check("reach", 0.0045, 0.05, True, "distance from the target, degrees: 0.0045, at most 0.05")
    good = OfferedSolution(HSC, f"hlet_{HSC}", SolutionOrigin.DATABASE, True, (check,))
    poor = OfferedSolution("OPUS", "hlet_OPUS", SolutionOrigin.EMBEDDED, False, (), "made for another IDCTAB")
    exposures = tuple(AprioriExposure(r, IDC, HSC, HSC, (good, poor), 300.9, 188.6, 0.004) for r in ROOTS)
    return AprioriRecord(AprioriOutcome.APPLIED, "HSC30", "every exposure has it", exposures, 0.3)


def aposteriori() -> AposterioriRecord:
    """What the a posteriori stage did: a fit to Gaia, after one that failed."""
    counts = SourceCounts(261, 222, 0, 9, 20, 8, 14, 2.0, 7, PsfOrigin.IMAGE)
    fit = AbsoluteFit(FitGeometry.RSHIFT, 49, 1, -12.8, 6.7, 0.0, 1.0, 0.0, 0.9, 0.9, None, None, 7.7, 7.9)
    change = RegistrationChange(1.9, 0.2, 0.5)
    rms = Check("RMS within limit", 11.1, 150.0, True, "RMS 11.1 mas, at most 150 mas.")
    good = FitAttempt("GAIAeDR3", MatchMethod.HISTOGRAM, 50, fit, FitQuality.VALID, (rms,),
                      HoldOut(5, 49, 18.5, 11.1, 6.4), "49 matches, rshift, RMS 11.1 mas.")  # fmt: skip
    none = FitAttempt("GAIAeDR3", MatchMethod.DEFAULT, 0, None, FitQuality.NOT_VALID, (), None, "no match")
    moved = tuple(
        RelativeExposure(r, 170, -0.1, 2.8, 0.0002, 0.34, 0.0004, 65.7, 0.94, False, "significant") for r in ROOTS
    )
    return AposterioriRecord(
        outcome=AlignmentOutcome.ALIGNED,
        reason=good.reason,
        sources=tuple(ExposureSources(root, (ChipSources(1, counts),)) for root in ROOTS),
        catalogs=(CatalogProvenance("GAIAeDR3", "file gaia.ecsv", 65, SHA, 2009.755, 2016.0, 65),),
        relative=RelativeFit(moved, 242, 1.9, 0.2, 0.5, change, "3 of 4 exposures are off their place."),
        attempts=(none, good),
        chosen=1,
        wcsnames=(GAIA,) * len(ROOTS),
    )


def with_texts(record: Any, change: Callable[[str], str]) -> Any:
    """The same record with every text in it changed."""
    if isinstance(record, str):
        return change(record)
    if isinstance(record, tuple):
        return tuple(with_texts(item, change) for item in record)
    if attrs.has(type(record)) and not isinstance(record, DrizzleParameters):
        names = [field.name for field in attrs.fields(type(record))]
        return evolve(record, **{name: with_texts(getattr(record, name), change) for name in names})
    return record
