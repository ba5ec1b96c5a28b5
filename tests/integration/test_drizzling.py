"""All drizzle steps on simulated exposures: flux, grids, weights, units, masks, and what the parameters do."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from attrs import frozen

from astrodriz import DrizzleParameters, SimulationSpec, simulate_association, with_values
from astrodriz_core.combine.pixmap import coordinate_map
from astrodriz_core.errors import UsageError
from astrodriz_core.parameters.drizzle import BlotInterpolation, Kernel
from astrodriz_io.drizzling.chips import load_exposure
from astrodriz_io.drizzling.combination import combine_exposures
from astrodriz_io.drizzling.frame import chip_scale_ratio, frame_wcs
from astrodriz_io.drizzling.resample import INTERPOLANTS, blot_chip
from astrodriz_io.drizzling.resources import DrizzleResources
from astrodriz_io.drizzling.store import ImageStore
from astrodriz_io.inputs.reference_folders import ReferenceFolders
from astrodriz_io.runtime.workers import Workers, worker_processes
from astrodriz_io.wcs.distortion import apply_distortion

BASE = {"skymethod": "localmin", "final_bits": "512", "driz_sep_bits": "512", "sky_bits": "512"}
NO_REJECTION = {"driz_separate": False, "driz_cr": False, "static": False, "skysub": False}
CONSERVING = ("square", "point", "turbo")
"""Kernels under which the flux of every input pixel goes to the output undivided."""


@frozen(eq=False)
class Files:
    """Exposures with the pipeline-default WCS, as the drizzle steps get them."""

    paths: tuple[Path, ...]

    def combine(self, *, store=None, workers=None, **changes):
        return combine_exposures(
            self.paths,
            with_values(DrizzleParameters(), {**BASE, **changes}),
            DrizzleResources(ImageStore(store), workers=workers or Workers()),
        )

    def copied(self, folder):
        return Files(tuple(Path(shutil.copy(path, folder)) for path in self.paths))


def with_default_wcs(association, folder, count=None):
    sources = (association.flc or association.flt)[:count]
    files = tuple(Path(shutil.copy(source, folder)) for source in sources)
    apply_distortion(files, ReferenceFolders.from_environment(association.environment))
    return Files(files)


@pytest.fixture(scope="module")
def ir(ir_association, tmp_path_factory):
    return with_default_wcs(ir_association, tmp_path_factory.mktemp("ir"))


@pytest.fixture(scope="module")
def acs(acs_pair, tmp_path_factory):
    return with_default_wcs(acs_pair, tmp_path_factory.mktemp("acs"), 2)


@pytest.fixture(scope="module")
def ir_combination(ir):
    return ir.combine()


def wide(files, **changes):
    """A product whose frame holds every drop of every pixel, without sky subtraction and cosmic-ray search."""
    return files.combine(**NO_REJECTION, final_outnx=500, final_outny=500, **changes)


def set_science(files, value):
    for path in files.paths:
        with fits.open(path, mode="update") as hdus:
            hdus["SCI", 1].data[:] = value
            hdus["DQ", 1].data[:] = 0


@pytest.mark.parametrize("kernel", CONSERVING)
@pytest.mark.parametrize("pixfrac", [0.6, 1.0])
def test_flux_and_weight_of_every_good_pixel_reach_the_product(ir, kernel, pixfrac):
    final = wide(ir, final_kernel=kernel, final_pixfrac=pixfrac).final
    flux = weight = 0.0
    for path in ir.paths:
        chip = load_exposure(path).chips[0]
        good = (chip.pixels.dq() & ~np.uint16(512)) == 0
        ratio = chip_scale_ratio(final.frame, chip)
        flux += chip.exptime * ratio**2 * chip.pixels.sci()[good].sum(dtype=float)
        weight += chip.exptime * np.count_nonzero(good)
    seen = final.wht > 0
    assert (final.sci[seen].astype(float) * final.wht[seen]).sum() == pytest.approx(flux, rel=2e-4)
    assert final.wht.sum(dtype=float) == pytest.approx(weight, rel=2e-4)


@pytest.mark.parametrize("kernel", [kernel.value for kernel in Kernel])
def test_constant_surface_brightness_stays_constant_whatever_the_kernel_and_scale(ir, kernel, tmp_path):
    files = ir.copied(tmp_path)
    set_science(files, 2.0)
    final = files.combine(**NO_REJECTION, final_kernel=kernel, final_scale=0.0641).final
    chip = load_exposure(files.paths[0]).chips[0]
    solid = final.wht > 0.5 * np.median(final.wht[final.wht > 0])
    expected = 2.0 * chip_scale_ratio(final.frame, chip) ** 2
    np.testing.assert_allclose(final.sci[solid], expected, rtol=1e-4)


def test_all_separate_images_and_the_product_lie_on_one_grid(ir_combination):
    shape = ir_combination.inputs.frame.shape
    assert ir_combination.final.sci.shape == shape
    assert all(image.sci.shape == image.wht.shape == shape for image in ir_combination.singles)


def test_the_frame_holds_the_centre_of_every_corner_pixel_and_no_more(ir_combination):
    frame = ir_combination.inputs.frame
    wcs = frame_wcs(frame)
    corners = [wcs.wcs_world2pix(chip.wcs.calc_footprint(), 0) for chip in ir_combination.inputs.chips]
    low, high = np.min(np.concatenate(corners), axis=0), np.max(np.concatenate(corners), axis=0)
    np.testing.assert_allclose(low, 0.0, atol=1e-3)
    assert np.all(np.abs(high - frame.shape[::-1]) < 1.001)


def test_a_bit_of_the_context_is_set_exactly_where_its_chip_contributes(acs):
    combination = acs.combine(**NO_REJECTION)
    chips = combination.inputs.chips
    assert combination.final.ctx.shape == (1, *combination.final.frame.shape)
    for exposure, file in enumerate(acs.paths):
        alone = Files((file,)).combine(**NO_REJECTION, final_refimage=None, **frame_request(combination.final.frame))
        bits = sum(1 << index for index, chip in enumerate(chips) if chip.exposure.path == file)
        seen = (combination.final.ctx[0] & bits) != 0
        np.testing.assert_array_equal(seen, alone.final.wht > 0, err_msg=f"exposure {exposure}")


def frame_request(frame):
    ny, nx = frame.shape
    return {
        "final_outnx": nx,
        "final_outny": ny,
        "final_ra": frame.crval[0],
        "final_dec": frame.crval[1],
        "final_crpix1": frame.crpix[0],
        "final_crpix2": frame.crpix[1],
    }


def test_context_off_makes_no_context_image(ir):
    assert ir.combine(**NO_REJECTION, context=False).final.ctx is None


def test_exposure_weights_are_the_exposure_time_of_each_pixel(ir):
    final = wide(ir).final
    assert final.wht.max() == pytest.approx(final.exptime, rel=0.1)
    assert final.exptime == pytest.approx(sum(load_exposure(path).exptime for path in ir.paths))


@pytest.mark.parametrize("scale", ["exptime", "expsq", "1"])
def test_the_name_of_a_weight_scale_changes_nothing(ir, scale):
    np.testing.assert_array_equal(wide(ir, final_wt_scl=scale).final.wht, wide(ir).final.wht)


def test_error_weights_are_inverse_variances_of_the_rate(ir, tmp_path):
    files = Files(ir.copied(tmp_path).paths[:1])
    with fits.open(files.paths[0], mode="update") as hdus:
        hdus["ERR", 1].data[:] = 0.25
        hdus["ERR", 1].data[100, 100] = 0.0
        hdus["ERR", 1].data[120, 120] = np.nan
        hdus["DQ", 1].data[:] = 0
    final = wide(files, final_wht_type="ERR").final
    ratio = chip_scale_ratio(final.frame, load_exposure(files.paths[0]).chips[0])
    total = (256**2 - 2) / (0.25**2 * ratio**4)
    assert final.wht.sum(dtype=float) == pytest.approx(total, rel=1e-4), "ERR of 0 or NaN has no weight"


def test_variance_weights_come_from_sky_dark_and_read_noise(ir):
    combination = ir.combine(final_wht_type="IVM", driz_separate=False, driz_cr=False)
    expected = sum(
        chip.exptime**2 / (combination.inputs.native_sky(chip) * chip.exptime + chip.dark + chip.read_noise**2)
        for chip in combination.inputs.chips
    )
    assert combination.final.wht.max() == pytest.approx(expected, rel=0.1)


def test_counts_are_the_rate_times_the_total_exposure_time(ir):
    rate, counts = wide(ir).final, wide(ir, final_units="counts").final
    seen = rate.wht > 0
    np.testing.assert_allclose(counts.sci[seen], rate.sci[seen] * rate.exptime, rtol=1e-5)
    assert (rate.units, counts.units) == ("ELECTRONS/S", "ELECTRONS")
    np.testing.assert_allclose(
        counts.sci[seen] * counts.electron_rate_per_unit, rate.sci[seen] * rate.electron_rate_per_unit, rtol=1e-5
    )


def test_counts_become_electrons_where_they_are_asked_for(tmp_path):
    association = simulate_association(tmp_path / "sky", SimulationSpec(detector="STIS/CCD", size=128, exposures=2))
    (tmp_path / "run").mkdir()
    files = with_default_wcs(association, tmp_path / "run")
    native, electrons = (files.combine(**NO_REJECTION, proc_unit=unit).final for unit in ("native", "electrons"))
    gain = load_exposure(files.paths[0]).chips[0].gain
    seen = native.wht > 0
    np.testing.assert_allclose(electrons.sci[seen], native.sci[seen] * gain, rtol=1e-5)
    assert (native.units, electrons.units) == ("COUNTS/S", "ELECTRONS/S")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, np.nan),
        ({"final_fillval": 0.0}, 0.0),
        ({"final_maskval": -5.0}, -5.0),
        ({"final_fillval": 1.0, "final_maskval": -5.0}, 1.0),
    ],
)
def test_pixels_without_data_have_the_fill_value(ir, changes, expected):
    final = wide(ir, **changes).final
    empty = final.wht == 0
    assert empty.any()
    np.testing.assert_array_equal(final.sci[empty], np.float32(expected))
    assert np.isfinite(final.sci[~empty]).all()


def test_the_edge_of_a_cut_is_as_deep_as_the_same_place_of_the_whole(ir):
    whole = ir.combine(**NO_REJECTION).final
    (ny, nx), (x0, y0) = (90, 110), (73, 61)
    cut = ir.combine(
        **NO_REJECTION,
        final_outnx=nx,
        final_outny=ny,
        final_crpix1=whole.frame.crpix[0] - x0,
        final_crpix2=whole.frame.crpix[1] - y0,
    ).final
    same = np.s_[y0 : y0 + ny, x0 : x0 + nx]
    np.testing.assert_allclose(cut.wht, whole.wht[same], rtol=1e-4, atol=0.05)
    np.testing.assert_array_equal(cut.ctx, whole.ctx[:, *same])


def test_a_frame_for_the_separate_images_does_not_change_the_product(ir):
    plain = ir.combine(driz_cr=False)
    turned = ir.combine(driz_cr=False, driz_sep_rot=30.0)
    assert turned.inputs.frame != plain.inputs.frame
    assert turned.singles[0].sci.shape == turned.inputs.frame.shape
    assert turned.final.frame == plain.final.frame
    np.testing.assert_array_equal(turned.final.sci, plain.final.sci)


def test_a_reference_image_gives_its_frame(ir, ir_combination, tmp_path):
    frame = wide(ir, final_rot=20.0).final.frame
    header = frame_wcs(frame).to_header()
    reference = tmp_path / "reference.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.zeros(frame.shape, "f4"), header)]).writeto(reference)
    found = ir.combine(**NO_REJECTION, final_refimage=str(reference)).final.frame
    assert found.shape == frame.shape
    np.testing.assert_allclose(found.cd, frame.cd, rtol=1e-9)
    np.testing.assert_allclose(found.crpix, frame.crpix, rtol=1e-9)


@pytest.mark.parametrize("half", [{"final_outnx": 100}, {"final_ra": 150.0}, {"final_crpix2": 3.0}])
def test_half_a_pair_of_frame_parameters_is_refused(ir, half):
    with pytest.raises(UsageError, match="together"):
        ir.combine(**NO_REJECTION, **half)


def test_the_number_of_threads_and_the_place_of_images_do_not_change_a_bit(ir, ir_combination, tmp_path):
    check_equal(ir.combine(store=tmp_path, workers=Workers(2)), ir_combination)


def check_equal(ours, theirs):
    assert ours.record == theirs.record
    for one, other in ((ours.final, theirs.final), *zip(ours.singles, theirs.singles, strict=True)):
        np.testing.assert_array_equal(one.sci, other.sci)
        np.testing.assert_array_equal(one.wht, other.wht)
    for one, other in zip(ours.singles, theirs.singles, strict=True):
        np.testing.assert_array_equal(one.saturated, other.saturated)
        np.testing.assert_array_equal(one.cosmic_rays, other.cosmic_rays)
    np.testing.assert_array_equal(ours.final.ctx, theirs.final.ctx)
    assert ours.cosmic_rays.keys() == theirs.cosmic_rays.keys()
    assert all(np.array_equal(mask, theirs.cosmic_rays[key]) for key, mask in ours.cosmic_rays.items())


@pytest.fixture(scope="module", params=[2, 3, pytest.param(8, marks=pytest.mark.slow)])
def processes(request):
    with worker_processes(request.param) as workers:
        workers.worth = 0
        yield workers


@pytest.mark.parametrize("detector", ["ir", "acs"])
def test_processes_make_what_one_makes(detector, processes, tmp_path, request):
    exposures = request.getfixturevalue(detector)
    check_equal(exposures.combine(store=tmp_path, workers=processes), exposures.combine())
    assert processes.processes(1) == processes.count


def test_the_exposures_are_only_read(ir):
    def digests():
        return [hashlib.sha256(path.read_bytes()).hexdigest() for path in ir.paths]

    before = digests()
    ir.combine()
    assert digests() == before


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """Exposures without any cosmic ray."""
    folder = tmp_path_factory.mktemp("clean")
    spec = SimulationSpec(detector="WFC3/IR", size=200, cosmic_ray_rate=0.0)
    (folder / "run").mkdir()
    return with_default_wcs(simulate_association(folder / "sky", spec), folder / "run")


def hit(files, electrons_per_second):
    """Add cosmic rays of one pixel each where all exposures overlap, and give their true masks by chip."""
    truth = {}
    for index, path in enumerate(files.paths):
        chip = load_exposure(path).chips[0]
        rng = np.random.default_rng(index)
        mask = np.zeros(chip.chip.shape, dtype=bool)
        mask[rng.integers(40, 160, 80), rng.integers(40, 160, 80)] = True
        with fits.open(path, mode="update") as hdus:
            hdus["SCI", 1].data[mask] += electrons_per_second
            mask &= hdus["DQ", 1].data == 0
        truth[chip.key] = mask
    return truth


@pytest.mark.parametrize("interpolation", [each.value for each in BlotInterpolation if each.value != "nearest"])
def test_cosmic_rays_are_found_and_good_pixels_are_not(clean, interpolation, tmp_path):
    files = clean.copied(tmp_path)
    truth = hit(files, 10.0)
    combination = files.combine(blot_interp=interpolation, driz_cr_snr="5 4", driz_cr_scale="3 2.4")
    found = {key: np.asarray(mask) for key, mask in combination.cosmic_rays.items()}
    true_found = sum(np.count_nonzero(found[key] & mask) for key, mask in truth.items())
    assert true_found > 0.97 * sum(map(np.count_nonzero, truth.values()))
    for path in files.paths:
        chip = load_exposure(path).chips[0]
        false = found[chip.key] & ~truth[chip.key] & (chip.pixels.dq() == 0)
        assert np.count_nonzero(false) < 2e-3 * false.size


def test_a_found_cosmic_ray_does_not_reach_the_product(clean, tmp_path):
    files = clean.copied(tmp_path)
    reference = clean.combine(driz_cr_snr="5 4", driz_cr_scale="3 2.4").final
    hit(files, 1000.0)
    final = files.combine(driz_cr_snr="5 4", driz_cr_scale="3 2.4").final
    changed = np.abs(final.sci - reference.sci)[(final.wht > 0) & (reference.wht > 0)]
    assert changed.max() < 5.0, "a hit that got through would add 250"


def test_the_search_makes_the_separate_images_that_it_needs(ir, ir_combination):
    combination = ir.combine(driz_separate=False)
    assert combination.record.cosmic_rays == ir_combination.record.cosmic_rays


def test_the_verification_has_its_separate_images_whatever_the_parameters_say(ir, ir_combination):
    combination = ir.combine(driz_separate=False, driz_cr=False)
    assert combination.cosmic_rays == {}
    for ours, theirs in zip(combination.singles, ir_combination.singles, strict=True):
        np.testing.assert_array_equal(ours.sci, theirs.sci)
        assert ours.cosmic_rays is None


def test_one_exposure_is_drizzled_once_and_without_a_search(ir):
    combination = Files(ir.paths[:1]).combine()
    assert combination.cosmic_rays == {}
    assert combination.singles == ()
    assert np.isfinite(combination.final.sci).any()


@pytest.mark.parametrize(("resetbits", "kept"), [("4096", True), ("0", False), ("INDEF", False)])
def test_old_cosmic_ray_flags_count_unless_they_are_reset(ir, tmp_path, resetbits, kept):
    files = Files(ir.copied(tmp_path).paths[:1])
    with fits.open(files.paths[0], mode="update") as hdus:
        hdus["DQ", 1].data[100:140, 100:140] |= 4096
    final = files.combine(**NO_REJECTION, resetbits=resetbits).final
    chip = load_exposure(files.paths[0]).chips[0]
    x, y = (int(value) for value in chip.positions(np.array(120.0), np.array(120.0), final.frame))
    assert (final.wht[y, x] > 0) is np.bool_(kept)


def test_without_coefficients_the_map_is_a_shift_and_a_turn(ir):
    frame = ir.combine(**NO_REJECTION, coeffs=False).final.frame
    chip = load_exposure(ir.paths[0], coeffs=False).chips[0]
    places = coordinate_map(chip.undistorted(), chip.homography(frame))
    steps = np.diff(places, axis=1)
    assert np.ptp(steps.reshape(-1, 2), axis=0).max() < 1e-4
    assert chip_scale_ratio(frame, chip) == pytest.approx(1.0, rel=1e-6)
    distorted = load_exposure(ir.paths[0]).chips[0]
    with_coefficients = np.diff(coordinate_map(distorted.undistorted(), distorted.homography(frame)), axis=1)
    assert np.ptp(with_coefficients.reshape(-1, 2), axis=0).max() > 1e-4


@pytest.mark.parametrize("interpolation", list(BlotInterpolation))
def test_blotting_keeps_surface_brightness_whatever_the_interpolant(ir, interpolation):
    combination = ir.combine(**NO_REJECTION)
    frame, chip = combination.inputs.frame, combination.inputs.chips[0]
    image = np.full(frame.shape, 2.0, dtype=np.float32)
    ratio, places = chip_scale_ratio(frame, chip), coordinate_map(chip.undistorted(), chip.homography(frame))
    blotted = blot_chip(image, ratio, places, interpolation)
    expected = 2.0 / ratio**2
    np.testing.assert_allclose(blotted[12:-12, 12:-12], expected, rtol=1e-4)


def test_the_sky_is_gone_from_the_product(ir):
    subtracted, kept = (ir.combine(driz_separate=False, driz_cr=False, skysub=on) for on in (True, False))
    levels = [chip.value for chip in subtracted.record.sky]
    assert min(levels) > 0.0
    assert np.nanmedian(kept.final.sci) == pytest.approx(np.mean(levels), rel=0.2)
    assert abs(np.nanmedian(subtracted.final.sci)) < 0.1 * np.mean(levels)
    assert all(chip.value == 0.0 for chip in kept.record.sky)


@pytest.mark.parametrize("interpolation", [each for each in BlotInterpolation if each is not BlotInterpolation.SINC])
@pytest.mark.parametrize("shape", [(30, 25), (8, 8), (7, 12), (2, 3), (1, 1)])
def test_no_interpolant_looks_at_memory_beyond_the_image(interpolation, shape):
    """The package does, for positions in the last row: what lies there differs from run to run."""
    ny, nx = shape
    steps = np.arange(-2.5, max(shape) + 3, 1 / 16)
    places = np.stack(np.meshgrid(steps, steps), axis=-1)
    blotted = []
    for junk in (1e30, -1e30):
        memory = np.full((3, ny, nx), junk, np.float32)
        memory[1] = np.random.default_rng(1).normal(1, 0.1, shape)
        blotted.append(INTERPOLANTS[interpolation](memory[1], places, 1.0))
    np.testing.assert_array_equal(blotted[0], blotted[1])
    assert np.abs(blotted[0]).max() < 10
    outside = (places < -1).any(axis=-1) | (places[..., 0] >= nx) | (places[..., 1] >= ny)
    assert not blotted[0][outside].any()
