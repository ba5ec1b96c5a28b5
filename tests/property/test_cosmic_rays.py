"""Cosmic rays by comparison with the blotted median."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrodriz_core.combine.cosmic_rays import (
    ChipNoise,
    CosmicRayParameters,
    CteTail,
    absolute_derivative,
    find_cosmic_rays,
)
from astrodriz_core.errors import MeasurementError

NOISE = ChipNoise(read_noise=5.0)
SKY = 75.0
SIGMA = 10.0
"""sqrt(75 + 5**2), the noise of a flat image of 75 electrons."""


def flat(shape: tuple[int, int] = (11, 13)) -> np.ndarray:
    return np.full(shape, SKY, dtype=np.float32)


def hit_at(deviation: float, *where: tuple[int, int]) -> np.ndarray:
    image = flat()
    for y, x in where:
        image[y, x] += np.float32(deviation * SIGMA)
    return image


def found(science: np.ndarray, tail: CteTail = CteTail.NONE, **parameters: Any) -> set[tuple[int, int]]:
    mask = find_cosmic_rays(science, flat(), NOISE, CosmicRayParameters(**parameters), tail)
    return {(int(y), int(x)) for y, x in np.argwhere(mask)}


@pytest.mark.parametrize(("deviation", "hits"), [(3.6, 1), (-3.6, 1), (3.4, 0), (3.1, 0)])
def test_first_threshold_in_a_flat_image(deviation: float, hits: int):
    assert len(found(hit_at(deviation, (5, 6)))) == hits


def test_second_threshold_holds_beside_a_strong_hit_only():
    science = hit_at(3.2, (5, 7), (9, 2))
    science[5, 6] += 40.0
    assert found(science) == {(5, 6), (5, 7)}


def test_strong_hit_two_pixels_away_supports_nothing():
    science = hit_at(3.2, (5, 8))
    science[5, 6] += 40.0
    assert found(science) == {(5, 6)}


def test_threshold_adds_derivative():
    blotted = flat()
    blotted[5, 6] += 100.0
    # At the neighbour (5, 7) the derivative is 100: 1.2 * 100 + 3.5 * 10 = 155.
    for extra, hit in ((150.0, False), (160.0, True)):
        science = blotted.copy()
        science[5, 7] += extra
        assert find_cosmic_rays(science, blotted, NOISE, CosmicRayParameters())[5, 7] == hit


def test_noise_knows_sky_and_gain():
    science = hit_at(3.6, (5, 6))
    assert not find_cosmic_rays(science, flat(), ChipNoise(5.0, sky=75.0), CosmicRayParameters()).any()
    # Images in counts of 4 electrons: noise sqrt(4 * 75 + 25) / 4 = 4.5, threshold 15.8.
    gained = ChipNoise(5.0, gain=4.0)
    for extra, hit in ((15.0, False), (16.5, True)):
        science = flat()
        science[5, 6] += extra
        assert find_cosmic_rays(science, flat(), gained, CosmicRayParameters()).any() == hit


def test_growth_makes_a_square():
    square = {(y, x) for y in (4, 5, 6) for x in (5, 6, 7)}
    assert found(hit_at(9.0, (5, 6)), grow=3) == square
    assert found(hit_at(9.0, (5, 6)), grow=1) == {(5, 6)}
    assert found(hit_at(9.0, (5, 6)), grow=0) == {(5, 6)}


def test_even_growth_reaches_further_towards_larger_x_and_y():
    assert found(hit_at(9.0, (5, 6)), grow=2) == {(5, 6), (5, 7), (6, 6), (6, 7)}


@pytest.mark.parametrize(
    ("tail", "rows"),
    [
        (CteTail.NONE, []),
        (CteTail.TOWARDS_LARGER_Y, [6, 7, 8]),
        (CteTail.TOWARDS_SMALLER_Y, [4, 3, 2]),
    ],
)
def test_tail_follows_the_column_away_from_the_amplifier(tail: CteTail, rows: list[int]):
    assert found(hit_at(9.0, (5, 6)), tail, ctegrow=3) == {(5, 6)} | {(row, 6) for row in rows}


def test_tail_ends_at_the_edge():
    assert found(hit_at(9.0, (0, 6)), CteTail.TOWARDS_SMALLER_Y, ctegrow=20) == {(0, 6)}
    full = found(hit_at(9.0, (0, 6)), CteTail.TOWARDS_LARGER_Y, ctegrow=99)
    assert full == {(row, 6) for row in range(11)}


def test_bad_pixels_are_neither_hit_nor_support():
    science = hit_at(3.2, (5, 7))
    science[5, 6] += 400.0
    good = np.ones(science.shape, dtype=bool)
    good[5, 6] = False
    mask = find_cosmic_rays(science, flat(), NOISE, CosmicRayParameters(), good=good)
    assert not mask.any()


@pytest.mark.parametrize("which", ["science", "blotted"])
def test_nan_is_never_a_hit(which: str):
    images: dict[str, Any] = {"science": hit_at(9.0, (2, 3)), "blotted": flat()}
    images[which][7, 7] = np.nan
    mask = find_cosmic_rays(**images, noise=NOISE, parameters=CosmicRayParameters())
    assert mask[2, 3]
    assert mask.sum() == 1


@given(seed=st.integers(0, 1000), more=st.floats(0.0, 3.0))
def test_higher_thresholds_find_no_more(seed: int, more: float):
    science = flat() + np.random.default_rng(seed).normal(0.0, 30.0, (11, 13)).astype(np.float32)
    low = find_cosmic_rays(science, flat(), NOISE, CosmicRayParameters())
    high = find_cosmic_rays(science, flat(), NOISE, CosmicRayParameters(snr=(3.5 + more, 3.0 + more)))
    assert not (high & ~low).any()


@given(seed=st.integers(0, 1000))
def test_mirrored_images_give_mirrored_masks(seed: int):
    rng = np.random.default_rng(seed)
    blotted = rng.gamma(2.0, 50.0, (11, 13)).astype(np.float32)
    science = blotted + rng.normal(0.0, 60.0, (11, 13)).astype(np.float32)
    parameters = CosmicRayParameters(grow=3, ctegrow=2)
    up = find_cosmic_rays(science, blotted, NOISE, parameters, CteTail.TOWARDS_LARGER_Y)
    down = find_cosmic_rays(science[::-1], blotted[::-1], NOISE, parameters, CteTail.TOWARDS_SMALLER_Y)
    np.testing.assert_array_equal(up, down[::-1])


def test_equal_images_have_no_cosmic_rays_and_are_not_modified():
    blotted = np.random.default_rng(4).gamma(2.0, 50.0, (9, 9)).astype(np.float32)
    before = blotted.copy()
    assert not find_cosmic_rays(blotted, blotted, NOISE, CosmicRayParameters(grow=3)).any()
    np.testing.assert_array_equal(blotted, before)


def test_different_shapes_are_errors():
    with pytest.raises(MeasurementError, match="shape"):
        find_cosmic_rays(flat(), flat((3, 3)), NOISE, CosmicRayParameters())
    with pytest.raises(MeasurementError, match="shape"):
        find_cosmic_rays(flat(), flat(), NOISE, CosmicRayParameters(), good=np.ones((2, 2), dtype=bool))


def test_derivative_is_the_largest_step_to_a_neighbour():
    image = np.array([[0.0, 1.0, 5.0], [0.0, 2.0, 2.0], [9.0, 2.0, 2.0]], dtype=np.float32)
    expected = [[1.0, 4.0, 4.0], [9.0, 2.0, 3.0], [9.0, 7.0, 0.0]]
    derivative = absolute_derivative(image)
    np.testing.assert_array_equal(derivative, expected)
    assert derivative.dtype == np.float32


def test_edges_of_a_flat_image_have_no_derivative():
    assert not absolute_derivative(flat()).any()


@given(slope=st.integers(-50, 50), shape=st.tuples(st.integers(1, 6), st.integers(2, 6)))
def test_derivative_of_a_plane_is_its_slope(slope: int, shape: tuple[int, int]):
    plane = (np.arange(shape[1], dtype=np.float32) * slope + np.zeros(shape, dtype=np.float32)).copy()
    np.testing.assert_array_equal(absolute_derivative(plane), np.full(shape, abs(slope)))


def test_a_derivative_that_knows_more_than_the_chip_replaces_its_own():
    science = flat()
    science[0, 5] += 60.0
    parameters = CosmicRayParameters()
    assert find_cosmic_rays(science, flat(), NOISE, parameters)[0, 5]
    beyond = np.zeros_like(flat())
    beyond[0] = 100.0
    assert not find_cosmic_rays(science, flat(), NOISE, parameters, derivative=beyond).any()
    with pytest.raises(MeasurementError):
        find_cosmic_rays(science, flat(), NOISE, parameters, derivative=beyond[1:])
