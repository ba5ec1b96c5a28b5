"""What the a posteriori stage makes of its measurements: which catalogue is asked, which fit is written."""

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from astrodriz_core.align.attempts import Attempt
from astrodriz_core.align.fit_quality import GAIN_CHECKS
from astrodriz_core.align.fitting import LinearTransform
from astrodriz_core.decide.alignment import (
    CLEARLY,
    LEAST_GAIN,
    MISALIGNED_PIXELS,
    AlignmentEvidence,
    are_clearly_apart,
    is_better,
    methods_to_try,
    next_catalogue,
    plan_alignment,
    plan_without_fit,
)
from astrodriz_core.decide.epoch import LONG_YEARS, far_apart_in_time, lend_corrections, mean_epoch, untimed
from astrodriz_core.measure.tangent import TangentPlane
from astrodriz_core.parameters.alignment import FitParameters, alignment_parameters, catalog_order, common_fit
from astrodriz_core.parameters.choices import FitGeometry
from astrodriz_core.records.astrometry import (
    AbsoluteFit,
    AlignmentOutcome,
    CatalogProvenance,
    ExposureSources,
    FitAttempt,
    FitCheck,
    FitQuality,
    MatchMethod,
    RegistrationChange,
    RelativeExposure,
    RelativeFit,
)
from astrodriz_core.testing import records

few = settings(max_examples=40, deadline=None)

PLANE = TangentPlane(150.0, 2.0)
PIXEL = 0.13
TOGETHER = RegistrationChange(before_mas=1.0, after_mas=1.0, error_mas=1.0)
APART = RegistrationChange(before_mas=200.0, after_mas=2.0, error_mas=1.0)
VALID = [quality for quality in FitQuality if quality is not FitQuality.NOT_VALID]


def shifted(east):
    return LinearTransform(np.eye(2), np.array([east, 0.0]))


def fit(rms):
    return AbsoluteFit(FitGeometry.SHIFT, 9, 0, 0.0, 0.0, 0.0, 1.0, 0.0, None, None, None, None, rms, 0.0)


def attempted(rms, quality=FitQuality.VALID, gains=True, reason=""):
    checks = tuple(FitCheck(name, None, None, gains or name != GAIN_CHECKS[1], "") for name in GAIN_CHECKS)
    text = reason or f"{rms} mas"
    return FitAttempt("GAIAeDR3", MatchMethod.DEFAULT, 9, fit(rms), quality, checks, None, text)


def exposure(rootname, matches=9):
    return RelativeExposure(rootname, matches, 0.0, 0.0, None, 1.0, None, 4.0, 0.5, False, "")


def evidence(*attempts, change=TOGETHER, count=2, asked=(), epoch=2016.0):
    roots = [f"root{i}" for i in range(count)]
    return AlignmentEvidence(
        plane=PLANE,
        sources=tuple(ExposureSources(root, ()) for root in roots),
        wcsnames=tuple(f"IDC_abc{i}" for i in range(count)),
        relative=RelativeFit(tuple(map(exposure, roots)), 9, 1.0, 1.0, 1.0, change, ""),
        transforms=tuple(shifted(0.1 * i) for i in range(count)),
        pixel_arcsec=PIXEL,
        epoch=epoch,
        asked=asked,
        attempts=tuple(Attempt(record, shifted(1.0)) for record in attempts),
    )


ATTEMPTS = st.builds(attempted, st.floats(0.1, 99.0), st.sampled_from(list(FitQuality)), st.booleans())


@few
@given(st.lists(ATTEMPTS, max_size=6), st.integers(0, 5), st.integers(0, 5), st.none() | st.floats(1990.0, 2030.0))
def test_catalogues_are_asked_in_their_order_until_a_fit_is_better_and_of_quality_1(attempts, offered, asked, epoch):
    index = next_catalogue(offered, asked, attempts, epoch)
    settled = any(is_better(one) and one.quality is FitQuality.VALID for one in attempts)
    assert index == (asked if asked < offered and epoch is not None and not settled else None)


@pytest.mark.parametrize(
    ("attempt", "enough"),
    [
        (attempted(1.0), True),
        (attempted(1.0, FitQuality.COMPROMISED), False),
        (attempted(30.0, FitQuality.LARGE_RMS), False),
        (attempted(1.0, gains=False), False),
        (attempted(1.0, FitQuality.NOT_VALID), False),
    ],
)
def test_only_the_best_quality_that_gains_something_ends_the_search(attempt, enough):
    assert (next_catalogue(3, 1, [attempt], 2016.0) is None) is enough


@given(st.integers(0, 10), st.integers(0, 10))
def test_a_catalogue_with_too_few_rows_is_passed_over(rows, least):
    methods = methods_to_try(rows, FitParameters(min_catalog_sources=least))
    assert methods == (tuple(MatchMethod) if rows >= least else ())


@few
@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=4))
def test_a_fit_is_tried_where_the_richest_of_the_exposures_that_can_be_aligned_has_enough_sources(exposures):
    sources = [ExposureSources(f"r{i}", (), "grism" if skipped else None) for i, (_, skipped) in enumerate(exposures)]
    plan = plan_without_fit(sources, [count for count, _ in exposures], FitParameters())
    usable = [count for count, skipped in exposures if not skipped]
    if max(usable, default=0) >= FitParameters().min_image_sources:
        assert plan is None
        return
    assert plan.record.outcome is (AlignmentOutcome.TOO_FEW_SOURCES if usable else AlignmentOutcome.NOT_ALIGNABLE)
    assert plan.record.reason
    assert plan.record.sources == tuple(sources)
    assert (plan.transforms, plan.record.wcsnames, plan.plane) == ((), (), None)


@few
@given(st.lists(ATTEMPTS, max_size=6))
def test_the_better_fit_with_the_lowest_rms_is_written_and_no_other_ever(attempts):
    plan = plan_alignment(evidence(*attempts))
    better = [one for one in attempts if is_better(one)]
    if not better:
        assert plan.record.chosen is None
        assert plan.transforms == ()
        return
    assert plan.record.outcome is AlignmentOutcome.ALIGNED
    assert plan.attempt.fit.rms_mas == min(one.fit.rms_mas for one in better)
    assert plan.attempt in better
    assert plan.record.reason == plan.attempt.reason


def test_of_fits_with_the_same_rms_the_first_is_taken():
    assert plan_alignment(evidence(attempted(2.0), attempted(1.0), attempted(1.0))).record.chosen == 1


def test_every_exposure_is_moved_by_its_relative_correction_and_then_by_the_fit():
    plan = plan_alignment(evidence(attempted(1.0), count=3))
    assert [transform.shift[0] for transform in plan.transforms] == pytest.approx([1.0, 1.1, 1.2])
    assert plan.plane == PLANE


@pytest.mark.parametrize(("count", "kind"), [(1, "IMG"), (2, "REL")])
def test_the_names_tell_distortion_file_kind_of_fit_and_catalogue(count, kind):
    names = plan_alignment(evidence(attempted(1.0), count=count)).record.wcsnames
    assert names == tuple(f"IDC_abc{i}-FIT_{kind}_GAIAeDR3" for i in range(count))


@few
@given(st.lists(ATTEMPTS, max_size=4), st.booleans(), st.booleans())
def test_exposures_clearly_apart_are_brought_together_where_no_fit_is_better(attempts, apart, timed):
    given_ = evidence(*attempts, change=APART if apart else TOGETHER, epoch=2016.0 if timed else None)
    plan = plan_alignment(given_)
    if any(map(is_better, attempts)):
        assert plan.record.outcome is AlignmentOutcome.ALIGNED
        return
    assert (plan.record.outcome is AlignmentOutcome.ALIGNED_RELATIVELY) is apart
    assert bool(plan.transforms) is bool(plan.record.wcsnames) is apart
    if apart:
        assert plan.transforms == given_.transforms
        assert all(name.endswith("-FIT_REL_NONE") for name in plan.record.wcsnames)
        assert plan.attempt is None


@few
@given(st.floats(0.0, 100.0), st.floats(0.0, 100.0), st.floats(0.0, 10.0), st.floats(0.01, 0.2))
def test_apart_is_beyond_a_tenth_of_a_pixel_and_five_errors_and_at_least_halved(before, after, error, pixel):
    change = RegistrationChange(before, after, error)
    beyond = before >= MISALIGNED_PIXELS * pixel * 1000.0 and before >= CLEARLY * error
    assert are_clearly_apart(change, pixel) is (beyond and after <= before / LEAST_GAIN)


@few
@given(
    st.floats(0.0, 100.0),
    st.floats(0.0, 100.0),
    st.floats(0.0, 10.0),
    st.floats(0.0, 50.0),
)
def test_the_farther_apart_exposures_are_and_the_more_is_gained_the_sooner_they_are_moved(before, after, error, more):
    change = RegistrationChange(before, after, error)
    if are_clearly_apart(change, PIXEL):
        assert are_clearly_apart(RegistrationChange(before + more, after, error), PIXEL)
        assert are_clearly_apart(RegistrationChange(before, after / (1 + more), error), PIXEL)


def test_a_single_exposure_without_a_fit_stays_where_it_is():
    assert plan_alignment(evidence(change=None, count=1)).transforms == ()


def answered(rows):
    return CatalogProvenance("GAIAeDR3", "file", rows, None, 2016.0, None, 0)


SILENT = CatalogProvenance("GSC242", None, 0, None, 2016.0, None, 0, problem="status 500")


@pytest.mark.parametrize(
    ("attempts", "asked", "outcome", "reason"),
    [
        ([attempted(9.0, gains=False), attempted(2.0, gains=False)], [], AlignmentOutcome.NOT_BETTER, "2.0 mas"),
        (
            [attempted(1.0, FitQuality.NOT_VALID, reason="a"), attempted(1.0, FitQuality.NOT_VALID, reason="b")] * 2,
            [],
            AlignmentOutcome.NO_VALID_FIT,
            "a; b",
        ),
        ([], [answered(2), SILENT], AlignmentOutcome.TOO_FEW_CATALOG_SOURCES, "field: GAIAeDR3: 2"),
        ([], [SILENT], AlignmentOutcome.NO_CATALOG, "GSC242: status 500"),
        ([], [], AlignmentOutcome.NO_CATALOG, "no catalogue was given"),
        (
            [],
            [evolve(SILENT, name="2MASS", problem="no answer."), SILENT],
            AlignmentOutcome.NO_CATALOG,
            "2MASS: no answer; GSC242: status 500",
        ),
    ],
)
def test_without_a_better_fit_the_outcome_says_how_far_the_stage_came(attempts, asked, outcome, reason):
    record = plan_alignment(evidence(*attempts, asked=tuple(asked))).record
    assert record.outcome is outcome
    assert record.reason.endswith(reason)
    told = [f"{catalog.name}: {(catalog.problem or '').rstrip('.')}" for catalog in asked if catalog.problem]
    assert (record.not_tried or "").split("; ") == (told or [""])


def test_without_any_time_the_exposures_cannot_be_aligned():
    assert plan_alignment(evidence(epoch=None)).record.outcome is AlignmentOutcome.NOT_ALIGNABLE


@few
@given(st.lists(ATTEMPTS, max_size=3), st.lists(records(CatalogProvenance), max_size=3).map(tuple))
def test_the_record_keeps_every_attempt_and_every_catalogue_in_order(attempts, asked):
    record = plan_alignment(evidence(*attempts, asked=asked)).record
    assert record.attempts == tuple(attempts)
    assert record.catalogs == asked


STARTS = st.lists(st.none() | st.floats(50000.0, 60000.0), min_size=1, max_size=5)


@few
@given(STARTS)
def test_the_epoch_is_the_mean_of_the_times_that_are_known_and_every_missing_one_is_told(starts):
    known = [start for start in starts if start is not None]
    names = [f"{i}.fits" for i in range(len(starts))]
    epoch = mean_epoch(starts)
    assert (epoch is None) is (not known)
    if known:
        assert epoch == pytest.approx(2000.0 + (np.mean(known) - 51544.5) / 365.25, abs=0.01)
    told = " ".join(untimed(names, starts))
    assert all((name in told) is (start is None) for name, start in zip(names, starts, strict=True))


@few
@given(st.lists(st.tuples(st.booleans(), st.floats(50000.0, 60000.0)), min_size=1, max_size=6))
def test_an_exposure_that_cannot_be_aligned_takes_the_correction_of_the_nearest_in_time(exposures):
    roots = [f"r{i}" for i in range(len(exposures))]
    starts = [start for _, start in exposures]
    sources = [ExposureSources(r, (), "grism" if skip else None) for r, (skip, _) in zip(roots, exposures, strict=True)]
    record = RelativeFit(
        tuple(exposure(r, 0 if skip else 9) for r, (skip, _) in zip(roots, exposures, strict=True)),
        9, 1.0, 1.0, 1.0, None, "",
    )  # fmt: skip
    transforms = [shifted(float(i)) for i in range(len(roots))]
    moved, told = lend_corrections(sources, starts, transforms, record)
    own = [i for i, (skip, _) in enumerate(exposures) if not skip]
    for i, (skip, start) in enumerate(exposures):
        lender = int(moved[i].shift[0])
        if not skip or not own:
            assert (lender, told.exposures[i].reason) == (i, "")
            continue
        assert lender in own
        assert abs(starts[lender] - start) == min(abs(starts[j] - start) for j in own)
        assert roots[lender] in told.exposures[i].reason


def test_where_a_time_is_missing_the_nearest_in_the_list_lends_its_correction():
    sources = [ExposureSources("a", ()), ExposureSources("b", ()), ExposureSources("c", (), "grism")]
    record = RelativeFit((exposure("a"), exposure("b"), exposure("c", 0)), 9, 1.0, 1.0, 1.0, None, "")
    moved, told = lend_corrections(sources, [3.0, None, 3.0], [shifted(float(i)) for i in range(3)], record)
    assert moved[2].shift[0] == 1.0
    assert "nearest in the list" in told.exposures[2].reason


@few
@given(STARTS)
def test_exposures_of_different_years_are_told_of(starts):
    known = [start for start in starts if start is not None]
    years = (max(known) - min(known)) / 365.25 if known else 0.0
    told = far_apart_in_time(starts)
    assert bool(told) is (years > LONG_YEARS)
    assert not told or f"{years:.1f} years" in told[0]


DETECTORS = st.sampled_from(
    [("WFC3", "IR"), ("WFC3", "UVIS"), ("ACS", "WFC"), ("ACS", "HRC"), ("WFPC2", ""), ("STIS", "CCD"), ("NICMOS", "2")]
).map(lambda names: alignment_parameters(*names))


@given(DETECTORS, st.integers(1, 5))
def test_exposures_of_one_detector_are_fitted_with_its_own_parameters(detector, count):
    assert common_fit([detector] * count) == detector.fit
    assert catalog_order([detector] * count) == detector.catalogs


@given(st.lists(DETECTORS, min_size=1, max_size=4))
def test_exposures_of_several_detectors_are_searched_as_widely_as_any_of_them_asks(detectors):
    fit = common_fit(detectors)
    largest = max(each.sources.pixel_arcsec for each in detectors)
    for name in ("relative_search_pixels", "absolute_search_pixels", "default_search_pixels"):
        asked = [getattr(each.fit, name) * each.sources.pixel_arcsec for each in detectors]
        assert getattr(fit, name) * largest == pytest.approx(max(asked))
    assert fit == common_fit(detectors[::-1])
    assert set(catalog_order(detectors)) == {name for each in detectors for name in each.catalogs}
