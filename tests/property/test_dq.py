"""Good pixels from DQ bits, in every form that the parameters take."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from astrodriz_core.errors import UsageError
from astrodriz_core.instruments.detectors import DETECTORS
from astrodriz_core.instruments.dq import (
    ASTRODRIZZLE_COSMIC_RAY,
    DQ_FLAGS,
    explain_dq,
    good_pixels,
    interpret_bits,
)
from astrodriz_core.testing import dq_arrays


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (528, 528),
        ("528", 528),
        ("16,512", 528),
        ("16+512", 528),
        ("16|512", 528),
        (" 16, 512 ", 528),
        ("~4", ~4),
        ("~(4,16)", ~20),
        (0, 0),
        ("0", 0),
        (65535, 65535),
        ("INDEF", None),
        ("None", None),
        ("", None),
        (None, None),
        (-5, -5),
    ],
)
def test_forms_of_bits(value: str | int | None, expected: int | None) -> None:
    assert interpret_bits(value) == expected


@pytest.mark.parametrize("value", ["sixteen", "16;512", "16,17", "4~", "(4", True, "1.5", 1.5])
def test_other_forms_are_refused(value: object) -> None:
    with pytest.raises(UsageError, match="does not name DQ bits"):
        interpret_bits(value)  # type: ignore[arg-type]


def test_known_answers() -> None:
    dq = np.array([[0, 16, 512, 528], [4, 20, 4096, 1]], dtype=np.int16)
    expected = np.array([[True, True, True, True], [False, False, False, False]])
    np.testing.assert_array_equal(good_pixels(dq, 528), expected)
    np.testing.assert_array_equal(good_pixels(dq, 0), dq == 0)
    np.testing.assert_array_equal(good_pixels(dq, ~4), (dq & 4) == 0)


@given(dq_arrays())
def test_no_mask_and_all_bits_accept_every_pixel(dq: np.ndarray) -> None:
    assert good_pixels(dq, None).all()
    assert good_pixels(dq, -1).all()
    assert good_pixels(dq, None).shape == dq.shape


@given(npst.arrays(np.int16, 8))
def test_sixteen_good_bits_accept_every_16_bit_pixel(dq: np.ndarray) -> None:
    assert good_pixels(dq, 65535).all()


@given(dq_arrays(), st.integers(-(2**16), 2**16))
def test_a_pixel_is_good_when_no_other_bit_is_set(dq: np.ndarray, bits: int) -> None:
    width = 8 * dq.dtype.itemsize
    unsigned = [int(value) % 2**width for value in dq.ravel()]
    expected = [value & ~bits & (2**width - 1) == 0 for value in unsigned]
    assert good_pixels(dq, bits).ravel().tolist() == expected


@given(dq_arrays(), st.integers(0, 65535), st.integers(0, 65535))
def test_more_good_bits_never_lose_a_pixel(dq: np.ndarray, bits: int, more: int) -> None:
    assert not (good_pixels(dq, bits) & ~good_pixels(dq, bits | more)).any()


@given(dq_arrays(), st.none() | st.integers(-(2**16), 2**16))
def test_the_array_is_not_changed(dq: np.ndarray, bits: int | None) -> None:
    before = dq.copy()
    dq.flags.writeable = False
    good_pixels(dq, bits)
    assert dq.tobytes() == before.tobytes()


def test_empty_array_gives_an_empty_mask() -> None:
    assert good_pixels(np.zeros((0, 3), np.int16), 4).shape == (0, 3)


@pytest.mark.parametrize("detector", sorted(DQ_FLAGS))
def test_flags_are_single_bits_in_order_each_explained(detector: str) -> None:
    flags = DQ_FLAGS[detector]
    bits = [flag.bit for flag in flags]
    assert bits == sorted(set(bits))
    assert all(bit.bit_count() == 1 for bit in bits)
    assert all(flag.name and flag.explanation.endswith(".") for flag in flags)
    assert ASTRODRIZZLE_COSMIC_RAY in bits


def test_every_detector_has_flags_and_its_special_bits_are_among_them() -> None:
    assert set(DQ_FLAGS) == set(DETECTORS)
    for name, description in DETECTORS.items():
        known = sum(flag.bit for flag in DQ_FLAGS[name])
        assert known & description.saturation_bits == description.saturation_bits


def test_a_value_is_explained_bit_by_bit() -> None:
    flags = DQ_FLAGS["ACS/WFC"]
    assert [flag.name for flag in explain_dq(256 + 2048, flags)] == ["saturated", "A-to-D saturation"]
    assert explain_dq(0, flags) == ()
