"""The distortion of each chip is evaluated once, and what is shared is what each would have got by itself."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from astropy.wcs import Sip
from attrs import evolve

from astrodriz_core.names import ChipKey
from astrodriz_io.drizzling.chips import DrizzleChip, load_exposure
from astrodriz_io.drizzling.undistorted import UndistortedPixels


@pytest.fixture(scope="module")
def chips(acs_run) -> list[DrizzleChip]:
    """Both chips of two exposures that have their distortion model, with lookup tables."""
    _, folder = acs_run
    paths = sorted(folder.glob("*_flc.fits"))
    return [chip for path in paths for chip in load_exposure(path).chips]


def evaluations(monkeypatch: pytest.MonkeyPatch) -> list[ChipKey]:
    made: list[ChipKey] = []
    undistorted = DrizzleChip.undistorted

    def counted(chip: DrizzleChip, border: int = 0) -> np.ndarray:
        made.append(chip.key)
        return undistorted(chip, border)

    monkeypatch.setattr(DrizzleChip, "undistorted", counted)
    return made


def test_exposures_share_what_their_chips_have_in_common(chips, tmp_path, monkeypatch):
    alone = [chip.undistorted(1) for chip in chips]
    made = evaluations(monkeypatch)
    shared = UndistortedPixels(tmp_path)
    for chip, expected in zip(chips, alone, strict=True):
        np.testing.assert_array_equal(shared.of(chip, 1), expected)
    assert made == [chip.key for chip in chips[:2]]


def test_the_pointing_changes_nothing_and_every_term_of_the_distortion_does(chips):
    first = chips[0]
    keys = {first.distortion_key}
    moved = evolve(first, wcs=first.wcs.deepcopy())
    moved.wcs.wcs.crval = [10.0, 10.0]
    moved.wcs.wcs.cd = first.wcs.wcs.cd @ [[0.6, 0.8], [-0.8, 0.6]]
    assert moved.distortion_key == first.distortion_key
    np.testing.assert_array_equal(moved.undistorted(1), first.undistorted(1))
    for change in (_more_sip, _without("cpdis1"), _without("cpdis2"), _without("det2im1"), _without("det2im2")):
        other = evolve(first, wcs=first.wcs.deepcopy())
        change(other.wcs)
        if not np.array_equal(other.undistorted(), first.undistorted()):
            assert other.distortion_key not in keys
            keys.add(other.distortion_key)
    assert len(keys) > 3


def test_a_hundred_threads_at_a_time_evaluate_it_once(chips, tmp_path, monkeypatch):
    made = evaluations(monkeypatch)
    shared = UndistortedPixels(tmp_path)
    with ThreadPoolExecutor(20) as pool:
        arrays = list(pool.map(lambda chip: shared.of(chip, 0), chips[:1] * 100))
    assert made == [chips[0].key]
    assert all(array is arrays[0] for array in arrays)


def test_where_there_is_little_room_nothing_is_kept(chips, tmp_path, monkeypatch):
    made = evaluations(monkeypatch)
    monkeypatch.setattr("astrodriz_io.drizzling.store.free_space", lambda folder: 1000)
    shared = UndistortedPixels(tmp_path)
    for _ in range(2):
        np.testing.assert_array_equal(shared.of(chips[0], 0), chips[0].undistorted())
    assert len(made) == 4


def _more_sip(wcs):
    a = wcs.sip.a.copy()
    a[2, 0] += 1e-7
    wcs.sip = Sip(a, wcs.sip.b, None, None, wcs.sip.crpix)


def _without(name):
    def change(wcs):
        setattr(wcs, name, None)

    return change
