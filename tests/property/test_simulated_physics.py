"""The physics of the simulator: motions of the sky, the point spread function, cosmic rays, charge."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st

from astrodriz_io.simulate.charged_particles import cosmic_ray_electrons
from astrodriz_io.simulate.detection import with_charge_trails
from astrodriz_io.simulate.detectors import SimulatedChip, detector_model, detector_names
from astrodriz_io.simulate.psf import PsfTable, encircled_energy, psf_table
from astrodriz_io.simulate.random_streams import Purpose, stream
from astrodriz_io.simulate.spec import FIELDS, SimulationSpec
from astrodriz_io.simulate.sphere import carry, east_north, move_linear_wcs, sky_motion, to_sky, to_vector

LONGITUDES = st.floats(0.0, 359.999)
LATITUDES = st.floats(-89.0, 89.0)
SHIFTS = st.floats(-100.0, 100.0)
ROLLS = st.floats(-5.0, 5.0)
WITHIN_PIXEL = st.floats(-0.5, 0.5)


@pytest.fixture(scope="module")
def core() -> PsfTable:
    return psf_table(5921.0, 672.0, 0.05, 0.35)[0]


@given(LONGITUDES, LATITUDES)
def test_positions_survive_the_way_to_vectors_and_back(ra: float, dec: float) -> None:
    vector = to_vector(np.array([ra, dec]))
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-12)
    assert to_vector(to_sky(3.0 * vector)) == pytest.approx(vector, abs=1e-12)


@given(LONGITUDES, LATITUDES)
def test_east_and_north_are_those_of_astropy(ra: float, dec: float) -> None:
    here = SkyCoord(ra, dec, unit="deg")
    for direction, angle in zip(east_north(np.array([ra, dec])), (90.0, 0.0), strict=True):
        there = here.directional_offset_by(angle * here.ra.unit, 1e-3 * here.ra.unit)
        step = to_vector(np.array([there.ra.deg, there.dec.deg])) - to_vector(np.array([ra, dec]))
        assert step / np.linalg.norm(step) == pytest.approx(direction, abs=2e-5)


@given(LONGITUDES, LATITUDES, SHIFTS, SHIFTS, ROLLS)
def test_motion_carries_the_point_by_the_shift_and_turns_the_sky_about_it(
    ra: float, dec: float, east: float, north: float, roll: float
) -> None:
    motion = sky_motion((ra, dec), (east, north), roll)
    here = SkyCoord(ra, dec, unit="deg")
    beside = here.directional_offset_by(30.0 * here.ra.unit, 0.01 * here.ra.unit)
    skies = np.array([[ra, dec], [beside.ra.deg, beside.dec.deg]])
    moved = SkyCoord(*to_sky(motion.apply(to_vector(skies))).T, unit="deg")
    assert here.separation(moved[0]).arcsec == pytest.approx(np.hypot(east, north), abs=1e-5)
    assert moved[0].separation(moved[1]).deg == pytest.approx(0.01, abs=1e-9)
    # Carried along the great circle, a direction keeps its angle to that circle; without a shift, to north.
    if np.hypot(east, north) < 1e-9:
        assert moved[0].position_angle(moved[1]).deg == pytest.approx((30.0 + roll) % 360.0, abs=1e-4)


@given(LONGITUDES, LATITUDES, ROLLS)
def test_roll_adds_to_the_position_angle(ra: float, dec: float, roll: float) -> None:
    here = SkyCoord(ra, dec, unit="deg")
    beside = here.directional_offset_by(30.0 * here.ra.unit, 0.01 * here.ra.unit)
    motion = sky_motion((ra, dec), (0.0, 0.0), roll)
    moved = SkyCoord(*to_sky(motion.apply(to_vector(np.array([beside.ra.deg, beside.dec.deg])))), unit="deg")
    assert here.position_angle(moved).deg == pytest.approx(30.0 + roll, abs=1e-4)


@given(LONGITUDES, LATITUDES, LONGITUDES, LATITUDES)
def test_carry_takes_one_position_to_the_other(ra: float, dec: float, ra2: float, dec2: float) -> None:
    start, end = np.array([ra, dec]), np.array([ra2, dec2])
    assert carry(start, end).apply(to_vector(start)) == pytest.approx(to_vector(end), abs=1e-9)


@settings(max_examples=40)
@given(LONGITUDES, st.floats(-85.0, 85.0), SHIFTS, SHIFTS, ROLLS)
def test_a_moved_wcs_gives_the_moved_sky(ra: float, dec: float, east: float, north: float, roll: float) -> None:
    motion = sky_motion((ra, dec), (east, north), roll)
    cd = np.array([[-1.2e-5, 3.0e-6], [4.0e-6, 1.3e-5]])
    original, moved = tangent_wcs((ra + 0.02, dec), cd), None
    crval, new_cd = move_linear_wcs((ra + 0.02, dec), cd, motion)
    moved = tangent_wcs(crval, new_cd)
    pixels = np.array([[0.0, 0.0], [1500.0, 40.0], [900.0, 2000.0]])
    expected = motion.apply(to_vector(original.wcs_pix2world(pixels, 0)))
    assert to_vector(moved.wcs_pix2world(pixels, 0)) == pytest.approx(expected, abs=1e-12)


def tangent_wcs(crval: tuple[float, float], cd: np.ndarray) -> WCS:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cd = crval, [500.0, 500.0], cd
    return wcs


@given(WITHIN_PIXEL, WITHIN_PIXEL)
def test_psf_keeps_its_flux_and_follows_the_position(core: PsfTable, dx: float, dy: float) -> None:
    image = core.image(dx, dy).astype(float)
    pixel = np.arange(-core.half, core.half + 1)
    assert image.sum() == pytest.approx(core.image(0.0, 0.0).sum(), rel=5e-4)
    assert (image.sum(axis=0) @ pixel) / image.sum() == pytest.approx(dx, abs=0.006)
    assert (image.sum(axis=1) @ pixel) / image.sum() == pytest.approx(dy, abs=0.006)
    assert image.min() >= 0


@given(WITHIN_PIXEL, WITHIN_PIXEL)
def test_psf_is_symmetric(core: PsfTable, dx: float, dy: float) -> None:
    np.testing.assert_allclose(core.image(-dx, -dy), core.image(dx, dy)[::-1, ::-1], atol=1e-6)
    np.testing.assert_allclose(core.image(dy, dx), core.image(dx, dy).T, atol=1e-6)


def test_encircled_energy_grows_to_the_flux_of_the_table(core: PsfTable) -> None:
    energies = [encircled_energy(core, radius) for radius in (0.0, 1.0, 3.0, 10.0, 24.0)]
    assert energies == sorted(energies)
    assert energies[0] < 0.01
    assert 0.8 < energies[3] < 0.97
    assert energies[4] == pytest.approx(float(core.image(0.0, 0.0).sum()), rel=0.01)


def test_both_tables_of_a_psf_are_normalised_alike() -> None:
    core, wings = psf_table(13923.0, 1132.0, 0.1283, 0.35)
    assert wings.image(0.0, 0.0).sum() == pytest.approx(1.0, abs=1e-3)
    middle = wings.half - core.half
    inner = wings.image(0.0, 0.0)[middle:-middle, middle:-middle]
    assert core.image(0.0, 0.0).sum() == pytest.approx(inner.sum(), abs=2e-3)


@given(st.floats(0.5, 8.0), st.floats(100.0, 3000.0), st.integers(0, 1000))
def test_cosmic_rays_leave_charge_on_tracks(length: float, charge: float, seed: int) -> None:
    shape = (40, 60)
    deposited = cosmic_ray_electrons(shape, 15.0, length, charge, np.random.default_rng(seed))
    assert deposited.shape == shape
    assert deposited.dtype == np.float32
    assert deposited.min() >= 0
    assert not cosmic_ray_electrons(shape, 0.0, length, charge, np.random.default_rng(seed)).any()


@pytest.mark.parametrize("readout", ["low", "high"])
def test_charge_trails_point_away_from_the_readout_and_keep_the_charge(readout: str) -> None:
    chip = SimulatedChip(1, 1, (9, 2048), (0.5, 0.5), readout)
    image = np.zeros((2048, 9), dtype=np.float32)
    image[1000, 4] = 10000.0
    original = image.copy()
    trailed = with_charge_trails(chip, image)
    side = 1 if readout == "low" else -1
    lost = 10000.0 - trailed[1000, 4]
    assert lost == pytest.approx(10000.0 * 0.004 * (1000 if side == 1 else 1047) / 2048, rel=1e-3)
    assert trailed[1000 + side, 4] > trailed[1000 + 2 * side, 4] > 0
    assert trailed[1000 - side, 4] == 0
    assert trailed.sum(dtype=float) == pytest.approx(10000.0, rel=1e-6)
    np.testing.assert_array_equal(image, original)


@given(st.integers(0, 10**6), st.sampled_from(Purpose), st.integers(0, 9), st.integers(0, 4))
def test_streams_repeat_and_differ(seed: int, purpose: Purpose, exposure: int, chip: int) -> None:
    first = stream(seed, purpose, exposure, chip).uniform(size=3)
    assert np.array_equal(first, stream(seed, purpose, exposure, chip).uniform(size=3))
    assert not np.array_equal(first, stream(seed, purpose, exposure + 1, chip).uniform(size=3))
    assert not np.array_equal(first, stream(seed + 1, purpose, exposure, chip).uniform(size=3))


@pytest.mark.parametrize("name", detector_names())
def test_every_detector_is_described_consistently(name: str) -> None:
    model = detector_model(name)
    assert model.name == name
    assert model.default_filter in model.filters
    assert {row.chip for row in model.idctab.rows} == {chip.number for chip in model.chips}
    assert [chip.extver for chip in model.chips] == list(range(1, len(model.chips) + 1))
    for row in model.idctab.rows:
        area = row.cx[0][0] * row.cy[0][1] - row.cx[0][1] * row.cy[0][0]
        assert len(row.cx) == len(row.cy) == model.idctab.norder
        assert np.sqrt(abs(area)) == pytest.approx(row.scale, rel=0.3)
        assert all(len(row.cx[i - 1]) == i + 1 for i in range(1, model.idctab.norder + 1))
    assert sum(bad.fraction for bad in model.bad_pixels) < 0.05
    assert model.provenance


@given(st.integers(0, 10**9), st.integers(1, 35))
def test_rootnames_are_nine_characters_and_differ(seed: int, exposures: int) -> None:
    spec = SimulationSpec(seed=seed, exposures=exposures)
    names = (*spec.rootnames, spec.association_root)
    assert all(len(name) == 9 and name.isalnum() and name == name.lower() for name in names)
    assert len(set(names)) == exposures + 1


def test_presets_run_from_faint_to_bright() -> None:
    assert all(preset.faint < preset.bright and preset.scale > 0 for preset in FIELDS.values())
