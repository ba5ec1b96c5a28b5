"""Policies: from measurements to verdicts, and the records that hold them."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import cattrs
import numpy as np
import pytest
from cattrs.preconf.json import make_converter
from golden.record_drizzlepac import CASES, EXPTIMES, digest, images
from hypothesis import given, settings
from hypothesis import strategies as st

from astrodriz_core.measure.images import DrizzledImage, VerificationParameters
from astrodriz_core.records.common import Verdict
from astrodriz_core.records.verification import (
    AlignmentMeasurements,
    CheckOutcome,
    GuidingCheck,
    Policy,
    ProductComparison,
    Quantity,
    Registration,
    Verification,
)
from astrodriz_core.testing import PARAMETERS, StarExposure, records, star_association
from astrodriz_core.verify.calibration import CALIBRATION
from astrodriz_core.verify.drizzlepac import (
    absolute_sum_similarity,
    drizzlepac_hamming_distance,
    drizzlepac_numbers,
    positive_response_mask,
)
from astrodriz_core.verify.measurement import measure_alignment
from astrodriz_core.verify.policies import detectable_offset, judge_calibrated, judge_documented, judge_drizzlepac
from astrodriz_core.verify.registration import unmeasured
from astrodriz_core.verify.verification import judge, worst_exposure

GOLDEN = json.loads((Path(__file__).parent / "golden" / "drizzlepac_3_11.json").read_text())
JSON = make_converter()


@pytest.fixture(scope="module")
def aligned() -> AlignmentMeasurements:
    return measure_alignment(*star_association([(0, 0)] * 4, cosmic_rays=60), PARAMETERS)


def with_offset(measurements: AlignmentMeasurements, index: int, **changes) -> AlignmentMeasurements:
    registration = list(measurements.registration)
    registration[index] = attrs.evolve(registration[index], **changes)
    return attrs.evolve(measurements, registration=tuple(registration))


def verdict(measurements: AlignmentMeasurements) -> Verdict:
    return judge_calibrated(measurements).verdict


@pytest.mark.parametrize("cls", [Verification, ProductComparison, GuidingCheck])
def test_records_are_frozen_and_round_trip_through_json(cls):
    @settings(max_examples=30)
    @given(records(cls))
    def check(record):
        assert JSON.loads(JSON.dumps(record), cls) == record
        assert cattrs.structure(cattrs.unstructure(record), cls) == record
        assert hash(record) == hash(JSON.loads(JSON.dumps(record), cls))
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(record, attrs.fields(cls)[0].name, None)

    check()


def test_a_real_verification_round_trips_through_strict_json(aligned):
    record = judge(aligned)
    text = json.dumps(JSON.unstructure(record), allow_nan=False)
    assert JSON.structure(json.loads(text), Verification) == record


@pytest.mark.parametrize("policy", Policy)
def test_every_policy_accepts_an_aligned_association(aligned, policy):
    if policy is Policy.DOCUMENTED:
        value = aligned.focus.exposures[0].value
        middle = attrs.evolve(aligned.focus.product, value=np.mean([e.value for e in aligned.focus.exposures]))
        aligned = attrs.evolve(aligned, focus=attrs.evolve(aligned.focus, product=middle))
        assert value is not None
    record = judge(aligned, policy)
    assert record.policy is policy
    assert record.verdict is Verdict.ALIGNED
    assert [result.policy for result in record.policies] == list(Policy)
    assert record.checks == next(r.checks for r in record.policies if r.policy is policy)


@pytest.mark.parametrize("offset", [0.15, 0.3, 1.0, 3.0])
def test_the_calibrated_policy_names_the_exposure_that_is_off(offset):
    dx, dy = offset * np.cos(0.7), offset * np.sin(0.7)
    found = judge(measure_alignment(*star_association([(0, 0), (dx, dy), (0, 0), (0, 0)]), PARAMETERS))
    assert found.verdict is Verdict.MISALIGNED
    assert found.worst.rootname == "exposure1"
    assert found.worst.offset_pix == pytest.approx(offset, abs=0.02)
    assert not found.worst.ambiguous
    deciding = next(r for r in found.policies if r.policy is Policy.CALIBRATED)
    assert deciding.misaligned == ("exposure1",)
    assert "exposure1" in found.reason


def test_of_two_exposures_that_disagree_both_are_suspect():
    found = judge(measure_alignment(*star_association([(0, 0), (0.5, 0)]), PARAMETERS))
    assert found.verdict is Verdict.MISALIGNED
    assert found.worst.ambiguous
    assert found.policies[-1].misaligned == ("exposure0", "exposure1")


def test_a_blurred_exposure_is_degraded_and_not_misaligned():
    blurred = star_association([(0, 0), (0, 0), StarExposure(star_sigma=1.38), (0, 0)])
    found = judge(measure_alignment(*blurred, PARAMETERS))
    assert found.degraded == ("exposure2",)
    assert found.verdict is Verdict.ALIGNED


def test_a_rotated_exposure_is_misaligned():
    turned = star_association([(0, 0)] * 3 + [StarExposure(rotation_deg=0.15)], shape=(240, 256))
    found = judge(measure_alignment(*turned, PARAMETERS))
    assert found.verdict is Verdict.MISALIGNED
    failed = [c for c in found.checks if c.outcome is CheckOutcome.FAILED]
    assert {c.quantity for c in failed} == {Quantity.ROTATION}
    assert {c.rootname for c in failed} == {"exposure3"}


@pytest.mark.parametrize("off", [0.0, 3.0])
def test_exposures_that_do_not_show_the_sky_are_undetermined_by_every_policy(off):
    images = star_association([(0, 0), (off, 0), (0, 0), (0, 0)])
    spectrum = {"exposure1": "a grism disperses every source into a spectrum"}
    found = judge(measure_alignment(*images, PARAMETERS, spectrum), unverifiable=spectrum)
    assert {result.verdict for result in found.policies} == {Verdict.UNDETERMINED}
    assert found.reason == "exposure1: a grism disperses every source into a spectrum"
    assert [r.dx_pix is None for r in found.measurements.registration] == [False, True, False, False]
    assert all(result.misaligned == () for result in found.policies)
    assert found.worst is None or found.worst.rootname != "exposure1"


def test_an_empty_field_is_undetermined_and_says_so():
    rng = np.random.default_rng(3)
    ones = np.ones((120, 120), np.float32)
    product, *singles = (
        DrizzledImage(f"image{i}", rng.normal(size=(120, 120)).astype(np.float32), ones, 1.0) for i in range(4)
    )
    found = judge(measure_alignment(product, singles, PARAMETERS))
    assert found.verdict is Verdict.UNDETERMINED
    assert "sources" in found.reason
    assert found.worst is None


@given(st.floats(0, 5), st.floats(0, 5))
def test_a_larger_offset_never_makes_a_better_verdict(aligned, one, more):
    near = with_offset(aligned, 1, dx_pix=one, dy_pix=0.0)
    far = with_offset(aligned, 1, dx_pix=one + more, dy_pix=0.0)
    if verdict(near) is Verdict.MISALIGNED:
        assert verdict(far) is Verdict.MISALIGNED


@given(st.floats(0, 5), st.floats(0, 6.3))
def test_the_direction_of_an_offset_does_not_matter(aligned, length, angle):
    along = with_offset(aligned, 2, dx_pix=length, dy_pix=0.0)
    turned = with_offset(aligned, 2, dx_pix=length * np.cos(angle), dy_pix=length * np.sin(angle))
    margins = [
        next(
            c.margin
            for c in judge_calibrated(m).checks
            if c.quantity is Quantity.REGISTRATION and c.rootname == "exposure2"
        )
        for m in (along, turned)
    ]
    assert margins[0] == pytest.approx(margins[1], abs=1e-9)


def test_the_limit_grows_with_the_error_until_nothing_can_be_said(aligned):
    limits = []
    for sigma in (0.001, 0.005, 0.01):
        check = judge_calibrated(with_offset(aligned, 0, dx_pix=0.0, dy_pix=0.0, sigma_pix=sigma)).checks[0]
        assert check.outcome is CheckOutcome.PASSED
        limits.append(check.threshold)
    assert limits == sorted(limits)
    unsure = with_offset(aligned, 0, dx_pix=0.0, dy_pix=0.0, sigma_pix=0.1)
    assert verdict(unsure) is Verdict.UNDETERMINED
    assert "cannot be excluded" in judge_calibrated(unsure).reason
    assert verdict(with_offset(aligned, 0, dx_pix=2.0, sigma_pix=0.1)) is Verdict.MISALIGNED


def drawn(
    measurements: AlignmentMeasurements, number: int, sigma: float, jitter: float, rng, extra: float = 0.0
) -> AlignmentMeasurements:
    """Offsets of exposures that scatter, measured with an error; the last is displaced by `extra`."""
    places = rng.normal(0, jitter, (number, 2))
    places[-1] += extra * np.array([0.6, 0.8])
    offsets = (places - places.mean(0)) * number / (number - 1)
    offsets += (1 if number > 2 else np.array([[1], [-1]])) * rng.normal(0, sigma, (number if number > 2 else 1, 2))
    template = attrs.evolve(measurements.registration[0], rotation_deg=None, sigma_pix=sigma)
    registration = tuple(attrs.evolve(template, dx_pix=float(x), dy_pix=float(y)) for x, y in offsets)
    return attrs.evolve(measurements, registration=registration, sharpness=())


@pytest.mark.parametrize(("number", "sigma"), [(2, 0.003), (4, 0.003), (4, 0.02), (8, 0.01)])
def test_good_exposures_raise_as_many_false_alarms_as_are_allowed(aligned, number, sigma):
    rng = np.random.default_rng(number)
    trials = 4000
    alarms = sum(
        verdict(drawn(aligned, number, sigma, CALIBRATION.jitter_pix, rng)) is Verdict.MISALIGNED for _ in range(trials)
    )
    allowed = CALIBRATION.false_alarm_rate * trials
    assert allowed / 2 < alarms < allowed + 3 * np.sqrt(allowed)


@pytest.mark.parametrize(("number", "sigma"), [(2, 0.003), (3, 0.01), (4, 0.003), (4, 0.02), (8, 0.03)])
def test_an_exposure_off_by_the_smallest_offset_is_seldom_called_aligned(aligned, number, sigma):
    rng = np.random.default_rng(number)
    trials = 2000
    off = (
        drawn(aligned, number, sigma, CALIBRATION.usual_jitter_pix, rng, extra=CALIBRATION.smallest_offset_pix)
        for _ in range(trials)
    )
    missed = sum(verdict(measured) is Verdict.ALIGNED for measured in off)
    assert missed < 0.1 * trials


@pytest.mark.parametrize(
    ("length", "expected"), [(0.07, Verdict.ALIGNED), (0.084, Verdict.UNDETERMINED), (0.095, Verdict.MISALIGNED)]
)
def test_what_neither_fails_nor_excludes_the_smallest_offset_is_undetermined(aligned, length, expected):
    pair = tuple(
        attrs.evolve(record, rotation_deg=None, sigma_pix=0.003, dx_pix=sign * length, dy_pix=0.0)
        for record, sign in zip(aligned.registration, (1, -1), strict=False)
    )
    result = judge_calibrated(attrs.evolve(aligned, registration=pair, sharpness=()))
    assert result.verdict is expected
    assert ("an offset of 0.1 pixel cannot be excluded" in result.reason) == (expected is Verdict.UNDETERMINED)


@pytest.mark.parametrize(("number", "sigma"), [(2, 0.003), (4, 0.003), (4, 0.02), (8, 0.01)])
def test_the_offset_that_is_said_to_be_found_is_found_nine_times_in_ten(aligned, number, sigma):
    rng = np.random.default_rng(number)
    good = drawn(aligned, number, sigma, CALIBRATION.jitter_pix, rng)
    offset = detectable_offset(good)
    found = np.mean([verdict(pulled(good, offset, sigma, rng)) is Verdict.MISALIGNED for _ in range(1000)])
    assert found > 0.87


def pulled(measurements: AlignmentMeasurements, offset: float, sigma: float, rng) -> AlignmentMeasurements:
    """The last exposure off the others by an offset; the others where they are."""
    number = len(measurements.registration)
    places = np.array([(r.dx_pix, r.dy_pix) for r in measurements.registration]) * (number - 1) / number
    places[-1] = places[:-1].mean(0) + offset * np.array([0.6, 0.8])
    offsets = (places - places.mean(0)) * number / (number - 1)
    offsets[-1] += rng.normal(0, sigma, 2)
    if number == 2:
        offsets[0] = -offsets[1]
    moved = tuple(
        attrs.evolve(r, dx_pix=float(x), dy_pix=float(y))
        for r, (x, y) in zip(measurements.registration, offsets, strict=True)
    )
    return attrs.evolve(measurements, registration=moved)


def test_an_offset_that_stands_out_from_exposures_that_agree_has_a_lower_limit(aligned):
    close, loose = (spread(aligned, scatter) for scatter in (0.0, 0.02))
    assert judge_calibrated(close).checks[0].threshold < judge_calibrated(loose).checks[0].threshold


def test_two_against_two_do_not_excuse_each_other(aligned):
    for offset in (0.2, 1.0, 3.0):
        assert verdict(spread(aligned, offset / 2)) is Verdict.MISALIGNED


def spread(measurements: AlignmentMeasurements, half: float) -> AlignmentMeasurements:
    """Four exposures, two on either side of the middle."""
    template = attrs.evolve(measurements.registration[0], rotation_deg=None, sigma_pix=0.003, dy_pix=0.0)
    offsets = np.array([1, 1, -1, -1]) * half * 4 / 3
    registration = tuple(attrs.evolve(template, dx_pix=float(x)) for x in offsets)
    return attrs.evolve(measurements, registration=registration, sharpness=())


def test_the_reason_of_an_aligned_verdict_tells_what_would_have_been_found(aligned):
    offset = detectable_offset(aligned)
    assert f"{offset:.2f} pixel" in judge_calibrated(aligned).reason
    assert detectable_offset(with_offset(aligned, 1, sigma_pix=0.02)) > offset
    assert detectable_offset(with_offset(aligned, 1, dx_pix=None, dy_pix=None, sigma_pix=None)) is None


def test_every_check_says_how_far_it_is_from_its_threshold(aligned):
    for result in judge(aligned).policies:
        for check in result.checks:
            assert check.reason
            if check.outcome is not CheckOutcome.UNDETERMINED:
                assert (check.margin >= 0) == (check.outcome is CheckOutcome.PASSED)


def test_documented_focus_check_wants_the_product_within_the_range_of_the_exposures(aligned):
    values = [exposure.value for exposure in aligned.focus.exposures]
    for value, expected in ((min(values), "passed"), (0.9 * min(values), "failed"), (1.1 * max(values), "failed")):
        product = attrs.evolve(aligned.focus.product, value=value)
        changed = attrs.evolve(aligned, focus=attrs.evolve(aligned.focus, product=product))
        assert judge_documented(changed).checks[0].outcome is CheckOutcome(expected)


def test_documented_similarity_must_be_below_one(aligned):
    for index, expected in ((0.999, "passed"), (1.0, "failed"), (None, "undetermined")):
        similarity = attrs.evolve(aligned.similarity, index=index)
        changed = attrs.evolve(aligned, similarity=similarity)
        assert judge_documented(changed).checks[1].outcome is CheckOutcome(expected)


def test_rotation_counts_towards_the_worst_exposure_where_it_is_significant(aligned):
    turned = with_offset(
        aligned, 0, dx_pix=0.3, dy_pix=0.4, rotation_deg=0.1, rotation_sigma_deg=0.001, lever_arm_pix=1000.0
    )
    assert worst_exposure(turned).offset_pix == pytest.approx(np.hypot(0.5, np.deg2rad(0.1) * 1000))
    unsure = with_offset(
        aligned, 0, dx_pix=0.3, dy_pix=0.4, rotation_deg=0.1, rotation_sigma_deg=0.1, lever_arm_pix=1000.0
    )
    assert worst_exposure(unsure).offset_pix == pytest.approx(0.5)


def test_nothing_measured_has_no_worst_exposure(aligned):
    blind = tuple(unmeasured(r.rootname, "nothing") for r in aligned.registration)
    assert worst_exposure(attrs.evolve(aligned, registration=blind)) is None
    assert isinstance(blind[0], Registration)


@pytest.mark.parametrize("name", CASES)
def test_drizzlepac_numbers_are_those_of_version_3_11(name):
    case, golden = CASES[name], GOLDEN[name]
    product, singles = images(**case)
    if digest(product, singles) != golden["sha256"]:
        pytest.fail("The random stream of numpy has changed: record the golden values anew.")
    parameters = VerificationParameters(case["sigma"], 0.05, 2.2)
    exposures = tuple(
        DrizzledImage(f"e{i}", single, (single != 0).astype(np.float32), exptime)
        for i, (single, exptime) in enumerate(zip(singles, EXPTIMES, strict=True))
    )
    combined = DrizzledImage("p", product, np.isfinite(product).astype(np.float32), sum(EXPTIMES))
    numbers = drizzlepac_numbers(combined, exposures, parameters)
    assert numbers.product_focus == pytest.approx(golden["product_focus"], rel=1e-6)
    assert numbers.focus_mean == pytest.approx(golden["focus_mean"], rel=1e-6)
    assert numbers.focus_sigma == pytest.approx(golden["focus_sigma"], rel=1e-6)
    assert [e.focus for e in numbers.exposures] == pytest.approx(golden["focus"], rel=1e-6)
    assert [e.distance for e in numbers.exposures] == pytest.approx(golden["distance"], rel=1e-6)
    assert [e.similarity for e in numbers.exposures] == pytest.approx(golden["similarity"], rel=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_drizzlepac_policy_concludes_what_version_3_11_does(name, aligned):
    case, golden = CASES[name], GOLDEN[name]
    product, singles = images(**case)
    parameters = VerificationParameters(case["sigma"], 0.05, 2.2)
    exposures = tuple(
        DrizzledImage(f"e{i}", s, np.ones_like(s), t) for i, (s, t) in enumerate(zip(singles, EXPTIMES, strict=True))
    )
    numbers = drizzlepac_numbers(DrizzledImage("p", product, np.ones_like(product), 1.0), exposures, parameters)
    result = judge_drizzlepac(attrs.evolve(aligned, drizzlepac=numbers))
    distance, focus = result.checks
    assert (distance.outcome is CheckOutcome.PASSED) == golden["overlap_verified"]
    assert (focus.outcome is CheckOutcome.PASSED) == golden["focus_verified"]
    assert not focus.decisive


def test_drizzlepac_similarity_does_not_see_a_pure_shift():
    numbers = [
        measure_alignment(*star_association([(0, 0), (0, 0), (shift, 0)], noise=0.3), PARAMETERS)
        for shift in (0.0, 2.0)
    ]
    blind = [m.drizzlepac.exposures[2].similarity for m in numbers]
    ours = [m.similarity.exposures[2].mean_squared_error for m in numbers]
    assert blind[1] < 0.05
    assert ours[1] > 0.5
    assert ours[0] < 0.01


def test_drizzlepac_blank_exposure_has_no_distance():
    product, singles = star_association([(0, 0), (0, 0)])
    blank = attrs.evolve(singles[1], sci=np.zeros(product.shape, np.float32))
    first, second = drizzlepac_numbers(product, (singles[0], blank), PARAMETERS).exposures
    assert first.distance is not None
    assert second.distance is None
    assert second.hamming is None


def test_images_without_pixels_have_no_drizzlepac_numbers():
    empty = np.zeros((0, 0), np.float32)
    assert drizzlepac_hamming_distance(empty, empty) is None
    assert absolute_sum_similarity(empty, empty) is None


def test_a_blank_image_has_no_source_mask():
    assert not positive_response_mask(np.zeros((20, 20), np.float32)).any()


def test_drizzlepac_policy_without_any_distance_is_undetermined(aligned):
    numbers = aligned.drizzlepac
    blank = tuple(attrs.evolve(exposure, distance=None) for exposure in numbers.exposures)
    measured = attrs.evolve(aligned, drizzlepac=attrs.evolve(numbers, exposures=blank))
    assert judge_drizzlepac(measured).verdict is Verdict.UNDETERMINED
