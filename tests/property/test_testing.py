"""The strategies that other programs may use give what they promise."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from astrodriz_core.instruments.dq import good_pixels
from astrodriz_core.records.common import ChipWcs
from astrodriz_core.testing import chip_wcses, dq_arrays, images, run_records
from astrodriz_core.verify.focus import focus_index
from astrodriz_io.record_files.mistakes import mistakes
from astrodriz_io.record_files.record import dump_record
from astrodriz_io.record_files.schema import record_schema


@given(images(least=2, most=5, value=7.0))
def test_images_have_the_sizes_values_and_holes_that_were_asked_for(image):
    assert image.dtype == np.float32
    assert all(2 <= side <= 5 for side in image.shape)
    assert np.abs(image[np.isfinite(image)]).max(initial=0.0) <= 7.0


@given(images(most=20), st.floats(0.5, 2.0))
def test_images_with_holes_have_a_finite_focus_index(image, sigma):
    peak = focus_index(image, sigma)
    assert peak is None or np.isfinite(peak.value)


@given(dq_arrays())
def test_dq_arrays_can_be_interpreted(dq):
    assert good_pixels(dq, 0).sum() == (dq == 0).sum()


@given(chip_wcses())
def test_chips_have_a_wcs_of_square_pixels_of_a_common_scale(chip: ChipWcs):
    east, north = np.array(chip.cd).T
    assert np.isclose(east @ north, 0.0, atol=1e-20)
    assert 0.019 < np.hypot(*east) * 3600.0 < 0.301
    assert np.linalg.det(chip.cd) < 0


@settings(max_examples=5, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(run_records())
def test_run_records_fit_the_schema(record):
    assert mistakes(json.loads(dump_record(record)), record_schema()) == ()
