"""Median, mean, sum and minmed of a stack, whole and in blocks of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrodriz_core.combine.median import CombineParameters, mean_combine, median_combine, sum_combine
from astrodriz_core.combine.minmed import ExposureNoise, minmed_combine
from astrodriz_core.combine.stack import combine, low_weight_limit, row_blocks
from astrodriz_core.errors import MeasurementError
from astrodriz_core.parameters.choices import CombineType

SHAPE = (17, 9)


def column(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32).reshape(-1, 1, 1)


def unmasked(images: np.ndarray) -> np.ndarray:
    return np.zeros(images.shape, dtype=bool)


def parameters(kind: CombineType = CombineType.MEDIAN, **others: Any) -> CombineParameters:
    return CombineParameters(combine_type=kind, **others)


def stack(seed: int, count: int = 4) -> tuple[np.ndarray, np.ndarray, list[ExposureNoise]]:
    rng = np.random.default_rng(seed)
    images = rng.normal(1.0, 0.1, (count, *SHAPE)).astype(np.float32)
    images[rng.random(images.shape) < 0.1] += 5.0
    weights = rng.uniform(0.0, 100.0, images.shape).astype(np.float32)
    return images, weights, [ExposureNoise(100.0, 30.0, 5.0)] * count


def median_of(*values: float, masked: tuple[int, ...] = (), **others: Any) -> float:
    images = column(*values)
    mask = unmasked(images)
    mask[list(masked)] = True
    return float(median_combine(images, mask, parameters(**others))[0, 0])


@pytest.mark.parametrize(
    ("nlow", "nhigh", "expected"), [(0, 0, 2.5), (0, 1, 2.0), (1, 0, 3.0), (1, 1, 2.5), (0, 3, 1.0)]
)
def test_median_after_rejection(nlow: int, nhigh: int, expected: float):
    assert median_of(10.0, 3.0, 1.0, 2.0, nlow=nlow, nhigh=nhigh) == expected


def test_masked_values_do_not_count():
    assert median_of(1.0, 2.0, 3.0, 10.0, masked=(3,)) == 2.0
    assert median_of(1.0, 2.0, 3.0, 10.0, masked=(3,), nhigh=1) == 1.5


@pytest.mark.parametrize(
    ("nlow", "nhigh", "expected"), [(0, 2, 1.0), (1, 1, 5.5), (2, 0, 10.0), (1, 2, 1.0), (2, 1, 10.0)]
)
def test_rejection_gives_way_where_too_few_are_good(nlow: int, nhigh: int, expected: float):
    assert median_of(1.0, 10.0, 7.0, 7.0, masked=(2, 3), nlow=nlow, nhigh=nhigh) == expected


def test_the_last_good_value_is_kept():
    assert median_of(7.0, 8.0, 9.0, masked=(0, 2), nhigh=1) == 8.0


def test_thresholds_are_inclusive_below_and_exclusive_above():
    assert median_of(1.0, 2.0, 3.0, 10.0, lthresh=2.0) == 3.0
    assert median_of(1.0, 2.0, 3.0, 10.0, hthresh=3.0) == 1.5


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_does_not_count(value: float):
    assert median_of(value, 1.0, 5.0) == 3.0


def test_where_all_are_masked():
    images = column(4.0, 5.0, 6.0)
    mask = np.ones(images.shape, dtype=bool)
    results = {
        kind: float(combiner(images, mask, parameters(kind))[0, 0])
        for combiner, kinds in (
            (median_combine, (CombineType.MEDIAN, CombineType.IMEDIAN)),
            (mean_combine, (CombineType.MEAN, CombineType.IMEAN)),
        )
        for kind in kinds
    }
    assert list(results.values()) == [0.0, 4.0, 0.0, 4.0]


def test_first_value_stands_in_only_if_finite():
    images = column(np.nan, 2.0)
    assert median_combine(images, np.ones(images.shape, dtype=bool), parameters(CombineType.IMEDIAN)) == 0.0


def test_mean_after_rejection_and_masks():
    images = column(1.0, 2.0, 3.0, 10.0)
    mask = unmasked(images)
    assert mean_combine(images, mask, parameters(CombineType.MEAN)) == 4.0
    assert mean_combine(images, mask, parameters(CombineType.MEAN, nhigh=1)) == 2.0
    mask[1:] = True
    assert mean_combine(images, mask, parameters(CombineType.MEAN)) == 1.0
    assert mean_combine(images, mask, parameters(CombineType.MEAN, nhigh=1)) == 0.0


def test_sum_of_good_values():
    images = column(1.0, 2.0, np.nan, 10.0)
    mask = unmasked(images)
    mask[0] = True
    assert sum_combine(images, mask, parameters(CombineType.SUM, nhigh=3)) == 12.0
    assert sum_combine(images, ~unmasked(images), parameters(CombineType.SUM)) == 0.0


@given(seed=st.integers(0, 500), count=st.integers(1, 6))
def test_median_without_masks_is_the_median(seed: int, count: int):
    images, _, _ = stack(seed, count)
    expected = np.median(images.astype(np.float64), axis=0).astype(np.float32)
    np.testing.assert_array_equal(median_combine(images, unmasked(images), parameters()), expected)


@given(seed=st.integers(0, 500))
def test_order_of_exposures_does_not_matter(seed: int):
    images, weights, noise = stack(seed)
    mask = weights < 30.0
    for combiner in (median_combine, mean_combine, sum_combine):
        one, two = (combiner(part, bad, parameters()) for part, bad in ((images, mask), (images[::-1], mask[::-1])))
        np.testing.assert_allclose(one, two, rtol=1e-6)
    one = minmed_combine(images, weights, mask, noise, CombineParameters())
    two = minmed_combine(images[::-1], weights[::-1], mask[::-1], noise, CombineParameters())
    # The total weight is a float32 sum, so an undecided pixel may tip over.
    assert np.mean(one == two) > 0.98


@given(seed=st.integers(0, 500), kind=st.sampled_from(CombineType))
def test_result_lies_within_the_good_values(seed: int, kind: CombineType):
    images, weights, noise = stack(seed)
    result = combine(list(images), list(weights), noise, parameters(kind), low_weights=None)
    if kind is CombineType.SUM:
        np.testing.assert_allclose(result, images.sum(axis=0), rtol=1e-5)
    else:
        assert np.all(result >= images.min(axis=0) - 1e-6)
        assert np.all(result <= images.max(axis=0) + 1e-6)


def minmed_of(images: np.ndarray, masked: np.ndarray | None = None, **others: Any) -> np.ndarray:
    weights = np.full(images.shape, 100.0, dtype=np.float32)
    noise = [ExposureNoise(100.0, 50.0, 5.0)] * len(images)
    mask = unmasked(images) if masked is None else masked
    return minmed_combine(images, weights, mask, noise, CombineParameters(**others))


def test_minmed_takes_the_minimum_where_the_median_is_too_high():
    # W = 300 s; sky 150 e-, read noise 75 e-^2. Median (of the two lowest) minus minimum in electrons
    # against 4 * sqrt(300 * median + 225).
    images = np.repeat(column(1.0, 1.0, 1.0), 2, axis=2)
    images[:, 0, 1] = (1.0, 3.0, 3.0)  # median 2.0: 300 e- above, 4 * sqrt(825) = 115.
    np.testing.assert_array_equal(minmed_of(images, grow=0), [[1.0, 1.0]])
    images[:, 0, 1] = (1.0, 1.5, 1.5)  # median 1.25: 75 e- above, 4 * sqrt(600) = 98.
    np.testing.assert_array_equal(minmed_of(images, grow=0), [[1.0, 1.25]])


def test_minmed_is_less_patient_close_to_a_chosen_pixel():
    images = np.ones((3, 1, 5), dtype=np.float32)
    images[1:, 0, 1] = 3.0
    images[1:, 0, 2] = 1.5  # 75 e- above: between 3 and 4 sigma (73 and 98).
    images[1:, 0, 4] = 1.5
    assert minmed_of(images, grow=0)[0].tolist() == [1.0, 1.0, 1.25, 1.0, 1.25]
    assert minmed_of(images, grow=1)[0].tolist() == [1.0, 1.0, 1.0, 1.0, 1.25]
    assert minmed_of(images, grow=3)[0].tolist() == [1.0, 1.0, 1.0, 1.0, 1.0]


def test_minmed_of_one_and_two_exposures():
    assert minmed_of(column(3.0))[0, 0] == 3.0
    assert minmed_of(column(1.0, 1.2), nsigma=(50.0, 50.0))[0, 0] == np.float32(1.1)


def test_minmed_with_masks():
    images = column(5.0, 1.0, 9.0)
    mask = np.array([False, True, True]).reshape(-1, 1, 1)
    assert minmed_of(images, mask)[0, 0] == 5.0
    assert minmed_of(images, np.ones(images.shape, dtype=bool))[0, 0] == 0.0
    images[1] = np.nan
    assert np.isfinite(minmed_of(images))


def test_minmed_never_exceeds_the_median():
    images, weights, noise = stack(7)
    median = median_combine(images, unmasked(images), parameters(nhigh=1))
    assert np.all(minmed_combine(images, weights, unmasked(images), noise, CombineParameters()) <= median)


@given(ny=st.integers(0, 40), rows=st.integers(1, 45), halo=st.integers(0, 5))
def test_blocks_cover_every_row_once_and_stay_inside(ny: int, rows: int, halo: int):
    blocks = list(row_blocks(ny, rows, halo))
    assert [row for block in blocks for row in range(block.start, block.stop)] == list(range(ny))
    for block in blocks:
        read = np.arange(ny)[block.read]
        np.testing.assert_array_equal(read[block.inner], np.arange(block.start, block.stop))
        assert block.read_start == max(0, block.start - halo)
        assert block.read_stop == min(ny, block.stop + halo)


@given(
    seed=st.integers(0, 100),
    rows=st.integers(1, 20),
    grow=st.integers(0, 3),
    kind=st.sampled_from([CombineType.MINMED, CombineType.MEDIAN, CombineType.MEAN]),
)
def test_blocks_change_nothing(seed: int, rows: int, grow: int, kind: CombineType):
    images, weights, noise = stack(seed)
    given_parameters = parameters(kind, grow=grow)
    low = [low_weight_limit(weight, 0.3) for weight in weights]
    whole, parts = (
        combine(list(images), list(weights), noise, given_parameters, low_weights=low, block_rows=each)
        for each in (SHAPE[0], rows)
    )
    np.testing.assert_array_equal(whole, parts)


def test_low_weights_are_masked():
    images = [np.full((2, 2), value, dtype=np.float32) for value in (1.0, 2.0, 90.0)]
    weights = [np.full((2, 2), 100.0, dtype=np.float32) for _ in images]
    weights[2][0, 0] = 29.0
    noise = [ExposureNoise(100.0, 0.0, 0.0)] * 3
    result = combine(images, weights, noise, parameters(), low_weights=[30.0] * 3)
    assert result.tolist() == [[1.5, 2.0], [2.0, 2.0]]
    assert (combine(images, weights, noise, parameters(), low_weights=None) == 2.0).all()


def test_weight_limit_is_a_fraction_of_the_mean_of_seen_pixels():
    weight = np.array([[0.0, 0.0], [10.0, 30.0]], dtype=np.float32)
    assert low_weight_limit(weight, 0.5) == 10.0
    assert low_weight_limit(np.zeros((3, 3), dtype=np.float32), 0.5) == 0.0


def test_any_byte_order_and_memory_maps_will_do(tmp_path):
    images, weights, noise = stack(3)
    maps = []
    for number, image in enumerate(images):
        path = tmp_path / f"{number}.dat"
        image.astype(">f4").tofile(path)
        maps.append(np.memmap(path, dtype=">f4", mode="r", shape=SHAPE))
    expected = combine(list(images), list(weights), noise, CombineParameters(), low_weights=None)
    result = combine(maps, list(weights), noise, CombineParameters(), low_weights=None)
    np.testing.assert_array_equal(result, expected)
    assert result.dtype == np.dtype("=f4")


@pytest.mark.parametrize("kind", CombineType)
def test_inputs_are_not_modified(kind: CombineType):
    images, weights, noise = stack(5)
    images[0, 0, 0] = np.nan
    before = images.copy(), weights.copy()
    low = [low_weight_limit(weight, 0.3) for weight in weights]
    combine(list(images), list(weights), noise, parameters(kind, lthresh=0.0), low_weights=low)
    np.testing.assert_array_equal(images, before[0])
    np.testing.assert_array_equal(weights, before[1])


def test_rejecting_everything_is_an_error():
    images = column(1.0, 2.0)
    for combiner in (median_combine, mean_combine):
        with pytest.raises(MeasurementError, match="reject every"):
            combiner(images, unmasked(images), parameters(nlow=1, nhigh=1))


def test_shapes_and_numbers_are_checked():
    images, weights, noise = stack(1)
    with pytest.raises(MeasurementError, match="shape"):
        median_combine(images, unmasked(images)[:2], parameters())
    with pytest.raises(MeasurementError, match="stack"):
        sum_combine(images[:0], unmasked(images)[:0], parameters())
    with pytest.raises(MeasurementError, match="noise"):
        minmed_combine(images, weights, unmasked(images), noise[:1], CombineParameters())
    with pytest.raises(MeasurementError, match="exposure times"):
        minmed_combine(images, weights, unmasked(images), [ExposureNoise(0.0, 0.0, 0.0)] * 4, CombineParameters())
    with pytest.raises(MeasurementError, match="one shape"):
        combine([images[0], images[1][:3]], list(weights[:2]), noise[:2], parameters(), low_weights=None)
    with pytest.raises(MeasurementError, match="for each image"):
        combine(list(images), list(weights), noise, parameters(), low_weights=[1.0])
    with pytest.raises(MeasurementError, match="at least one"):
        combine([], [], [], parameters(), low_weights=None)


@pytest.mark.parametrize("bad", [{"nlow": -1}, {"nhigh": -1}, {"grow": -1}])
def test_bad_parameters_are_refused(bad: dict[str, Any]):
    with pytest.raises(ValueError, match="must be"):
        CombineParameters(**bad)
