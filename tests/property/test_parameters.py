"""The drizzle parameters: reading of values, limits, and the rules of the pipeline."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrodriz_core.errors import UsageError
from astrodriz_core.parameters.choices import CombineType, SkyMethod
from astrodriz_core.parameters.drizzle import (
    DrizzleParameters,
    FrameRequest,
    Kernel,
    Units,
    WeightScale,
    WeightType,
    changed_parameters,
    with_values,
)
from astrodriz_core.parameters.rules import pipeline_overrides, single_exposure_overrides
from astrodriz_core.parameters.values import as_text

NAMES = [attribute.name for attribute in attrs.fields(DrizzleParameters)]
DEFAULT = DrizzleParameters()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("static", "yes", True),
        ("static", "True", True),
        ("static", "off", False),
        ("static", False, False),
        ("static_sig", "3.5", 3.5),
        ("static_sig", 3, 3.0),
        ("skyupper", "INDEF", None),
        ("skyupper", "None", None),
        ("skyupper", float("nan"), None),
        ("skyupper", "-1e3", -1000.0),
        ("skyclip", "5", 5),
        ("skyclip", 5.0, 5),
        ("final_outnx", -2147483647, None),
        ("final_outnx", "100", 100),
        ("combine_nsigma", "4 3", (4.0, 3.0)),
        ("combine_nsigma", "4,3", (4.0, 3.0)),
        ("combine_nsigma", [4, 3.5], (4.0, 3.5)),
        ("final_bits", "16,512", 528),
        ("final_bits", 65535, 65535),
        ("final_bits", "INDEF", None),
        ("final_bits", "~4", -5),
        ("skymethod", "globalmin+match", SkyMethod.GLOBALMIN_MATCH),
        ("final_kernel", "SQUARE", Kernel.SQUARE),
        ("final_wht_type", "ivm", WeightType.IVM),
        ("final_units", Units.COUNTS, Units.COUNTS),
        ("final_wt_scl", "expsq", WeightScale.EXPSQ),
        ("final_refimage", " ref.fits ", "ref.fits"),
        ("final_refimage", "", None),
    ],
)
def test_values_are_read(name: str, value: object, expected: object) -> None:
    parameters = with_values(DEFAULT, {name: value})
    assert getattr(parameters, name) == expected
    assert type(getattr(parameters, name)) is type(expected)


@pytest.mark.parametrize(
    ("name", "value", "good"),
    [
        ("static", "maybe", "yes or no"),
        ("static_sig", "wide", "a number of at least 0"),
        ("static_sig", -1, "a number of at least 0"),
        ("static_sig", float("inf"), "a number of at least 0"),
        ("static_sig", True, "a number of at least 0"),
        ("final_pixfrac", 1.5, "at most 1"),
        ("blot_sinscl", 0, "at least 0.001"),
        ("skyclip", 2.5, "a whole number of at least 0 and at most 1000"),
        ("skyclip", -1, "a whole number of at least 0 and at most 1000"),
        ("stepsize", 0, "a whole number of at least 1 and at most 2147483647"),
        ("final_scale", 0, "a number of at least 0.0001 and at most 60, or INDEF"),
        ("final_outnx", 0, "a whole number of at least 1 and at most 2147483647, or INDEF"),
        ("final_scale", 1e-9, "at least 0.0001"),
        ("final_scale", "1e9", "at most 60"),
        ("final_scale", float("inf"), "at most 60"),
        ("final_rot", 361, "at most 360"),
        ("final_ra", -361, "at least -360"),
        ("final_dec", 90.1, "at most 90"),
        ("final_crpix1", 1e8, "at most 10000000"),
        ("driz_sep_scale", 1e-300, "at least 0.0001"),
        ("skylsigma", 0, "above 0"),
        ("skywidth", 1e-9, "at least 0.001"),
        ("skyclip", 10**6, "at most 1000"),
        ("combine_grow", 10**9, "at most 1000"),
        ("driz_cr_grow", 10**9, "at most 1000"),
        ("driz_cr_snr", "1e38 3", "at most 1e+06"),
        ("blot_skyval", 1e300, "at most 1e+30"),
        ("final_fillval", -1e300, "at least -1e+30"),
        ("resetbits", 2**40, "DQ bits"),
        ("combine_nsigma", "4", "two numbers"),
        ("combine_nsigma", "4 3 2", "two numbers"),
        ("combine_nsigma", "-4 3", "two numbers"),
        ("combine_nsigma", 4, "two numbers"),
        ("final_bits", "many", "DQ bits"),
        ("final_kernel", "tophat", "one of square, point, turbo, gaussian, lanczos3"),
        ("combine_type", "best", "minmed"),
        ("final_refimage", 3, "a text"),
    ],
)
def test_bad_values_are_refused_with_the_good_ones(name: str, value: object, good: str) -> None:
    with pytest.raises(UsageError) as caught:
        with_values(DEFAULT, {name: value})
    assert name in str(caught.value)
    assert good in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(10**400, id="400"),
        pytest.param(2**100000, id="30000"),
        pytest.param(-(10**5000), id="-5000"),
        pytest.param("9" * 400, id="text"),
    ],
)
@pytest.mark.parametrize("name", ["final_scale", "skyclip", "final_outnx", "final_bits", "static_sig"])
def test_numbers_of_thousands_of_digits_are_refused_in_a_short_message(name: str, value: object) -> None:
    with pytest.raises(UsageError, match=name) as caught:
        with_values(DEFAULT, {name: value})
    assert len(caught.value.problem) < 100


def test_a_record_holds_no_number_that_is_none() -> None:
    for name in ("final_scale", "skyupper", "static_sig", "final_ra"):
        for value in (float("nan"), float("inf"), float("-inf")):
            bad: dict[str, Any] = {name: value}
            with pytest.raises(UsageError, match=name):
                DrizzleParameters(**bad)


def test_limits_hold_for_direct_construction_as_well() -> None:
    with pytest.raises(UsageError, match="final_pixfrac"):
        DrizzleParameters(final_pixfrac=2.0)
    with pytest.raises(UsageError, match="final_kernel"):
        DrizzleParameters(final_kernel="square")  # type: ignore[arg-type]


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        with_values(DEFAULT, {"driz_cr_snrr": "3 2"})
    assert "Did you mean driz_cr_snr" in str(caught.value)
    assert all(name in str(caught.value) for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_value_is_read_back_from_its_text(name: str) -> None:
    value = getattr(DEFAULT, name)
    assert getattr(with_values(DEFAULT, {name: as_text(value)}), name) == value


def test_frame_is_asked_for_only_where_it_is_switched_on() -> None:
    assert DEFAULT.final_frame is None
    assert DrizzleParameters(final_scale=0.06).final_frame is None
    frame = DrizzleParameters(final_wcs=True, final_scale=0.06, final_outnx=10).final_frame
    assert frame == FrameRequest(None, None, 0.06, 10, None, None, None, None, None)
    separate = DrizzleParameters(driz_sep_wcs=True, driz_sep_ra=10.0, driz_sep_dec=-5.0).separate_frame
    assert separate == FrameRequest(None, None, None, None, None, 10.0, -5.0, None, None)
    assert DEFAULT.separate_frame is None


def test_part_of_a_frame_switches_it_on_unless_the_layer_says_otherwise() -> None:
    assert with_values(DEFAULT, {"final_rot": 0}).final_wcs
    assert not with_values(DEFAULT, {"final_rot": 0}).driz_sep_wcs
    assert with_values(DEFAULT, {"driz_sep_scale": 0.1}).driz_sep_wcs
    assert not with_values(DEFAULT, {"final_rot": 0, "final_wcs": "no"}).final_wcs
    assert not with_values(DEFAULT, {"final_rot": "INDEF"}).final_wcs


def test_changes_are_told_by_name_and_text() -> None:
    after = with_values(DEFAULT, {"final_pixfrac": 0.8, "skyupper": 3, "static": "no"})
    assert changed_parameters(DEFAULT, after) == (
        ("static", "no"),
        ("skyupper", "3.0"),
        ("final_pixfrac", "0.8"),
    )
    assert changed_parameters(after, after) == ()


def test_pipeline_sets_kernel_and_fill_values() -> None:
    table = with_values(
        DEFAULT, {"driz_sep_kernel": "square", "final_fillval": 0, "resetbits": 0, "stepsize": 1, "crbit": 64}
    )
    parameters, overrides = pipeline_overrides(table, [100.0, 100.0])
    assert parameters.driz_sep_kernel is Kernel.TURBO
    assert (parameters.driz_sep_fillval, parameters.final_fillval) == (0.0, None)
    assert (parameters.crbit, parameters.resetbits, parameters.stepsize) == (4096, 4096, 10)
    assert {override.name for override in overrides} == {
        "driz_sep_kernel",
        "driz_sep_fillval",
        "final_fillval",
        "crbit",
        "resetbits",
        "stepsize",
    }
    assert all(override.reason for override in overrides)


@pytest.mark.parametrize(
    ("times", "median"), [((100.0, 200.0), False), ((100.0, 200.1), True), ((0.0, 100.0, 150.0), False)]
)
def test_exposure_times_decide_on_the_median(times: tuple[float, ...], median: bool) -> None:
    table = with_values(DEFAULT, {"combine_type": "minmed", "combine_nhigh": 1})
    parameters, _ = pipeline_overrides(table, times)
    expected = (CombineType.MEDIAN, 0) if median else (CombineType.MINMED, 1)
    assert (parameters.combine_type, parameters.combine_nhigh) == expected


@given(st.lists(st.floats(1, 1e4), min_size=1, max_size=6), st.floats(0.01, 100))
def test_rule_depends_on_ratios_alone(times: list[float], factor: float) -> None:
    longest, shortest = max(times), min(times)
    if abs(longest / shortest - 2) < 1e-9:
        return
    scaled = pipeline_overrides(DEFAULT, [seconds * factor for seconds in times])[0]
    assert scaled == pipeline_overrides(DEFAULT, times)[0]


@given(st.lists(st.floats(0, 1e4), max_size=6))
def test_overrides_are_what_changed_and_a_second_time_nothing_does(times: list[float]) -> None:
    parameters, overrides = pipeline_overrides(DEFAULT, times)
    assert dict(changed_parameters(DEFAULT, parameters)) == {o.name: o.value for o in overrides}
    assert pipeline_overrides(parameters, times) == (parameters, ())


@pytest.mark.parametrize(
    ("method", "expected"),
    [("match", SkyMethod.LOCALMIN), ("globalmin+match", SkyMethod.GLOBALMIN), ("globalmin", SkyMethod.GLOBALMIN)],
)
def test_one_exposure_needs_no_second_one(method: str, expected: SkyMethod) -> None:
    parameters, overrides = pipeline_overrides(with_values(DEFAULT, {"skymethod": method}), [100.0])
    off = (parameters.static, parameters.median, parameters.blot, parameters.driz_cr, parameters.driz_separate)
    assert not any(off)
    assert parameters.skymethod is expected
    assert parameters.skysub
    assert parameters.driz_combine
    assert "one exposure" in {o.name: o.reason for o in overrides}["driz_cr"]
    assert single_exposure_overrides(parameters) == (parameters, ())
