"""Masks come back from their bits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from astrodriz_core.combine.masks import pack_mask, unpack_mask
from astrodriz_core.errors import MeasurementError

MASKS = arrays.arrays(bool, st.tuples(st.integers(0, 20), st.integers(0, 20)))


@given(mask=MASKS)
def test_a_mask_comes_back_from_its_bits(mask):
    before = mask.copy()
    back = unpack_mask(pack_mask(mask), mask.shape)
    np.testing.assert_array_equal(back, mask)
    np.testing.assert_array_equal(mask, before)
    assert back.dtype == bool


def test_the_first_pixel_is_the_highest_bit():
    assert pack_mask(np.array([[True, False, False], [False, False, False], [False, True, True]])) == b"\x81\x80"


@given(mask=MASKS, more=st.integers(1, 3))
def test_bits_for_another_shape_are_refused(mask, more):
    with pytest.raises(MeasurementError):
        unpack_mask(pack_mask(mask) + bytes(more), mask.shape)
