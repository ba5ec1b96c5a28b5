"""What an exposure is, and what that means for it."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrodriz_core.instruments.observation import (
    CONSEQUENCES,
    Condition,
    Consequence,
    Observation,
    ObservationHeader,
    classify_observation,
)

PLAIN = ObservationHeader(
    instrument="WFC3",
    exposure_time=100.0,
    filters=("F140W",),
    observation_type="IMAGING",
    image_type="EXT",
    target="NGC-1",
    scan_type="N",
    guiding="FINE",
    charge_injection="NONE",
    drizzle_switch="PERFORM",
    n_good_pixels=1000,
)
conditions = st.lists(st.sampled_from(Condition), unique=True).map(tuple)


def test_a_plain_image_has_no_condition() -> None:
    observation = classify_observation(PLAIN)
    assert observation == Observation(())
    assert observation.can_be_combined
    assert observation.can_be_aligned


@pytest.mark.parametrize(
    ("change", "condition"),
    [
        ({"exposure_time": 0.0}, Condition.ZERO_EXPOSURE_TIME),
        ({"exposure_time": 1e-6}, Condition.ZERO_EXPOSURE_TIME),
        ({"exposure_time": float("nan")}, Condition.ZERO_EXPOSURE_TIME),
        ({"exposure_time": -1.0}, Condition.ZERO_EXPOSURE_TIME),
        ({"n_good_pixels": 0}, Condition.NO_GOOD_PIXELS),
        ({"observation_type": "SPECTROSCOPIC"}, Condition.NOT_IMAGING),
        ({"observation_type": "CORONAGRAPHIC"}, Condition.NOT_IMAGING),
        ({"filters": ("G102",)}, Condition.GRISM),
        ({"filters": ("CLEAR1L", "G800L")}, Condition.GRISM),
        ({"filters": ("PR110L",)}, Condition.PRISM),
        ({"filters": ("BLOCK1",)}, Condition.BLOCKED),
        ({"moving_target": True}, Condition.MOVING_TARGET),
        ({"scan_type": "C"}, Condition.SCAN),
        ({"scan_type": "D"}, Condition.SCAN),
        ({"target": "DARK-NM"}, Condition.CALIBRATION_TARGET),
        ({"target": "TUNGSTEN"}, Condition.CALIBRATION_TARGET),
        ({"target": "EARTH-CALIB"}, Condition.CALIBRATION_TARGET),
        ({"charge_injection": "CONT"}, Condition.CHARGE_INJECTION),
        ({"drizzle_switch": "OMIT"}, Condition.NOT_TO_BE_DRIZZLED),
        ({"drizzle_switch": "SKIPPED"}, Condition.NOT_TO_BE_DRIZZLED),
        ({"filters": ()}, Condition.NO_FILTER),
        ({"guiding": "FINE/GYRO"}, Condition.UNGUIDED),
        ({"guiding": "COARSE"}, Condition.UNGUIDED),
        ({"quality": "GSFAIL"}, Condition.GUIDING_FAILED),
        ({"quality": "LOCKLOST;TDF-DOWN AT START"}, Condition.GUIDING_FAILED),
    ],
)
def test_each_condition(change: dict[str, Any], condition: Condition) -> None:
    observation = classify_observation(attrs.evolve(PLAIN, **change))
    assert observation.conditions == (condition,)
    consequence = CONSEQUENCES[condition]
    assert observation.can_be_combined is (consequence is not Consequence.LEFT_OUT)
    assert observation.can_be_aligned is (consequence is Consequence.COMPROMISED)
    assert condition.value in observation.reasons[0]


@pytest.mark.parametrize("filters", [("F606W", "CLEAR2L"), ("POL0V",), ("FR914M",), ("N/A",)])
def test_other_filters_are_images(filters: tuple[str, ...]) -> None:
    assert classify_observation(attrs.evolve(PLAIN, filters=filters)).conditions == ()


@pytest.mark.parametrize(("image_type", "expected"), [("EXT", False), ("FLAT", True)])
def test_wfpc2_needs_the_image_type_as_well(image_type: str, expected: bool) -> None:
    header = attrs.evolve(PLAIN, instrument="WFPC2", target="INTFLAT", image_type=image_type)
    assert (Condition.CALIBRATION_TARGET in classify_observation(header).conditions) is expected


def test_missing_keywords_fulfil_nothing() -> None:
    assert classify_observation(ObservationHeader("NICMOS", 10.0, ("F160W",))).conditions == ()


def test_several_conditions_keep_the_order_of_the_enum() -> None:
    header = attrs.evolve(PLAIN, exposure_time=0.0, filters=("G141",), guiding="GYROS")
    expected = (Condition.ZERO_EXPOSURE_TIME, Condition.GRISM, Condition.UNGUIDED)
    assert classify_observation(header).conditions == expected


def test_every_condition_has_a_consequence_and_is_explained_in_words_of_its_own() -> None:
    assert set(CONSEQUENCES) == set(Condition)
    # Two with the same value would be one member, whose second name nobody would see.
    assert list(Condition.__members__) == [condition.name for condition in Condition]


@given(conditions)
def test_what_cannot_be_combined_cannot_be_aligned(found: tuple[Condition, ...]) -> None:
    observation = Observation(found)
    assert observation.can_be_combined or not observation.can_be_aligned
    assert len(observation.reasons) == len(found)


@given(conditions, st.sampled_from(Condition))
def test_another_condition_never_makes_an_exposure_better(found: tuple[Condition, ...], more: Condition) -> None:
    before, after = Observation(found), Observation((*found, more))
    assert before.can_be_combined >= after.can_be_combined
    assert before.can_be_aligned >= after.can_be_aligned


def test_whether_an_image_shows_the_sky_is_asked_of_its_conditions() -> None:
    assert Observation((Condition.CHARGE_INJECTION, Condition.NOT_TO_BE_DRIZZLED)).unverifiable is None
    spectrum = Observation((Condition.NOT_IMAGING, Condition.GRISM, Condition.UNGUIDED)).unverifiable
    assert spectrum == f"{Condition.NOT_IMAGING.value}; {Condition.GRISM.value}"


@given(conditions)
def test_an_image_that_cannot_be_verified_cannot_be_aligned(found: tuple[Condition, ...]) -> None:
    observation = Observation(found)
    assert observation.unverifiable is None or not observation.can_be_aligned
