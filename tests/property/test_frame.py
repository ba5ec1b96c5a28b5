"""The output frame: square pixels, changed as asked, covering what it covered."""

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from astrodriz_core.combine.frame import adjust_frame, frame_orientation, square_cd
from astrodriz_core.combine.pixmap import TanWcs, apply_homography, tangent_plane_homography
from astrodriz_core.parameters.choices import FrameRequest
from astrodriz_core.records.drizzling import OutputFrame

NOTHING = FrameRequest(
    refimage=None, rot=None, scale=None, outnx=None, outny=None, ra=None, dec=None, crpix1=None, crpix2=None
)
FRAME = OutputFrame(shape=(400, 300), crval=(53.0, -27.7), crpix=(150.0, 200.0), cd=square_cd(0.128, 30.0))


@given(scale=st.floats(0.01, 1.0), orientation=st.floats(-179.9, 179.9))
def test_square_cd_has_the_scale_and_orientation_it_was_made_with(scale, orientation):
    frame = evolve(FRAME, cd=square_cd(scale, orientation))
    assert frame.pixel_scale_arcsec == pytest.approx(scale, rel=1e-12)
    assert frame_orientation(frame) == pytest.approx(orientation, abs=1e-9)
    assert np.linalg.det(np.array(frame.cd)) < 0, "east is to the left of north"


def test_no_request_leaves_the_frame_as_it_is():
    assert adjust_frame(FRAME, NOTHING) == FRAME


def test_half_the_scale_doubles_the_size():
    frame = adjust_frame(FRAME, evolve(NOTHING, scale=0.064))
    assert frame.shape == (800, 600)
    assert frame.crpix == pytest.approx((299.0, 399.0))


def test_a_given_size_is_centred_on_the_reference_position():
    frame = adjust_frame(FRAME, evolve(NOTHING, outnx=101, outny=51))
    assert frame.shape == (51, 101)
    assert frame.crpix == (51.0, 26.0)


def test_a_given_position_and_reference_pixel_are_taken():
    frame = adjust_frame(FRAME, evolve(NOTHING, ra=10.0, dec=20.0, crpix1=3.0, crpix2=4.0))
    assert (frame.crval, frame.crpix) == ((10.0, 20.0), (3.0, 4.0))


@given(rotation=st.floats(-179.0, 179.0), scale=st.floats(0.05, 0.4))
def test_a_turned_frame_still_covers_the_old_one(rotation, scale):
    frame = adjust_frame(FRAME, evolve(NOTHING, rot=rotation, scale=scale))
    assert frame_orientation(frame) == pytest.approx(rotation, abs=1e-9)
    ny, nx = FRAME.shape
    x, y = np.array([0, nx - 1, 0, nx - 1]), np.array([0, 0, ny - 1, ny - 1])
    u, v = apply_homography(tangent_plane_homography(_plane(FRAME), _plane(frame)), x, y)
    height, width = frame.shape
    assert np.all((u > -1.0) & (u < width) & (v > -1.0) & (v < height))


def _plane(frame):
    return TanWcs(crval=frame.crval, crpix=frame.crpix, cd=frame.cd)
