"""The simulator: its files are what stwcs and the readers expect, and the truth is what it says."""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from applied_by_stwcs import apply_by_stwcs
from astropy.io import fits
from astropy.table import Table
from stwcs import updatewcs
from stwcs.wcsutil import HSTWCS

from astrodriz import SimulatedAssociation, SimulationSpec, score_wcs, simulate_association
from astrodriz_core.errors import InputError, MissingFilesError, StorageError, UsageError
from astrodriz_io.commands.simulate import (
    add_arguments,
    describe_association,
    describe_score,
    execute_simulate,
    spec_from_arguments,
)
from astrodriz_io.inputs.association import read_association
from astrodriz_io.inputs.exposures import read_exposure
from astrodriz_io.simulate import FieldKind, detector_names
from astrodriz_io.simulate.detectors import detector_model
from astrodriz_io.simulate.pointing import plan_exposures, true_hst_wcs
from astrodriz_io.simulate.references import write_references
from astrodriz_io.simulate.rendering import expected_electrons
from astrodriz_io.simulate.sources import Galaxies, Stars
from astrodriz_io.simulate.sphere import sky_motion, to_sky, to_vector
from astrodriz_io.simulate.truth import ChipTruth, load_truth

"""What astropy says of the files that stwcs makes."""

PointAt = Callable[[SimulatedAssociation], None]
NO_GALAXIES = Galaxies(np.empty((0, 2)), *(np.empty(0) for _ in range(4)))
CLEAN: dict[str, Any] = {"cosmic_ray_rate": 0.0, "galaxies": 0}


def separation_mas(sky: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.rad2deg(np.linalg.norm(to_vector(sky) - to_vector(other), axis=-1)) * 3.6e6


def updated_skies(path: Path, folder: Path, chips: tuple[ChipTruth, ...]) -> list[np.ndarray]:
    """Sky positions of the chips' grids after updatewcs on a copy in `folder`."""
    copy = Path(shutil.copy(path, folder))
    updatewcs.updatewcs(str(copy), use_db=False, checkfiles=False)
    return header_skies(copy, chips)


def header_skies(path: Path, chips: tuple[ChipTruth, ...]) -> list[np.ndarray]:
    with fits.open(path) as hdus:
        return [HSTWCS(hdus, ("SCI", chip.true.extver)).all_pix2world(chip.pixels, 0) for chip in chips]


def file_bytes(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module", params=detector_names())
def any_association(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SimulatedAssociation:
    """One exposure of every detector."""
    spec = SimulationSpec(detector=request.param, size=120, exposures=1, stars=40, galaxies=4)
    return simulate_association(tmp_path_factory.mktemp("any"), spec)


def test_updatewcs_gives_the_default_wcs_that_the_truth_records(
    any_association: SimulatedAssociation, reference_environment: PointAt, tmp_path: Path
) -> None:
    reference_environment(any_association)
    exposure = load_truth(any_association.truth).exposures[0]
    for path in (*any_association.flt, *any_association.flc):
        skies = updated_skies(path, tmp_path, exposure.chips)
        for sky, chip in zip(skies, exposure.chips, strict=True):
            assert separation_mas(sky, np.array(chip.default_sky)).max() < 0.001
        name = fits.getval(tmp_path / path.name, "WCSNAME", ("SCI", 1))
        idctab = fits.getval(path, "IDCTAB")
        assert name == f"IDC_{idctab.split('$')[1].removesuffix('_idc.fits')}"


def test_truth_is_the_default_wcs_after_the_injected_motion_of_the_sky(
    any_association: SimulatedAssociation,
) -> None:
    spec_target = (fits.getval(any_association.flt[0], "RA_TARG"), fits.getval(any_association.flt[0], "DEC_TARG"))
    for exposure in load_truth(any_association.truth).exposures:
        motion = sky_motion(spec_target, exposure.error_arcsec, exposure.roll_error_deg)
        for chip in exposure.chips:
            moved = to_sky(motion.apply(to_vector(np.array(chip.default_sky))))
            assert separation_mas(moved, np.array(chip.true_sky)).max() < 0.001


def test_project_reads_an_exposure_of_every_detector(any_association: SimulatedAssociation) -> None:
    truth = load_truth(any_association.truth)
    exposure = read_exposure(any_association.flt[0])
    assert exposure.description.name == truth.detector
    assert exposure.exposure_time == truth.exptime
    assert exposure.observation.conditions == ()
    assert [chip.extver for chip in exposure.chips] == [chip.true.extver for chip in truth.exposures[0].chips]


def test_signal_has_the_unit_that_the_header_states(any_association: SimulatedAssociation) -> None:
    truth = load_truth(any_association.truth)
    model = detector_model(truth.detector)
    with fits.open(any_association.flt[0]) as hdus:
        last = model.chips[-1]
        sky = model.filters[truth.filter].sky * truth.exptime
        expected = sky / model.electrons_per_unit(last, truth.exptime)
        sci, err, dq = (hdus[name, last.extver].data for name in ("SCI", "ERR", "DQ"))
        assert hdus["SCI", last.extver].header["BUNIT"] == model.electronics.unit
        faint = sci[(dq == 0) & (sci <= np.quantile(sci, 0.9))]
        assert faint.mean() == pytest.approx(expected, abs=4.0 * float(np.median(err)))
        assert np.all(err > 0)


def test_pixels_above_the_full_well_carry_the_detectors_flag(tmp_path: Path) -> None:
    spec = SimulationSpec(detector="WFPC2", size=100, exposures=1, sky=FieldKind.SATURATED)
    association = simulate_association(tmp_path, spec)
    with fits.open(association.flt[0]) as hdus:
        flagged = [
            hdus["SCI", chip.extver].data[(hdus["DQ", chip.extver].data & 8) > 0] * chip.gain for chip in spec.chips
        ]
    electrons = np.concatenate(flagged)
    assert electrons.size > 0
    assert electrons.min() > 0.95 * spec.model.electronics.full_well


def test_wfpc2_comes_as_signal_and_quality_files_too(tmp_path: Path) -> None:
    association = simulate_association(tmp_path, SimulationSpec(detector="WFPC2", size=100, exposures=1))
    root = association.rootnames[0]
    with (
        fits.open(association.flt[0]) as flt,
        fits.open(tmp_path / f"{root}_c0m.fits") as signal,
        fits.open(tmp_path / f"{root}_c1m.fits") as quality,
    ):
        assert [hdu.header["DETECTOR"] for hdu in signal[1:]] == [1, 2, 3, 4]
        for version in range(1, 5):
            np.testing.assert_array_equal(flt["SCI", version].data, signal["SCI", version].data)
            np.testing.assert_array_equal(flt["DQ", version].data, quality["SCI", version].data)
    assert association.raw[0].name == f"{root}_d0m.fits"


@pytest.fixture(scope="module")
def pointed_chip(tmp_path_factory: pytest.TempPathFactory) -> tuple[SimulationSpec, HSTWCS]:
    """Spec of ACS/WFC chips of 400 x 400 pixels, and the true WCS of one of them."""
    spec = SimulationSpec(detector="ACS/WFC", size=400, exposures=1, cosmic_ray_rate=0.0)
    folder = tmp_path_factory.mktemp("pointed")
    write_references(folder, spec.model, spec.table_size)
    (exposure,) = plan_exposures(spec, folder)
    return spec, true_hst_wcs(exposure, 1)


def rendered_star(spec: SimulationSpec, wcs: HSTWCS, xy: tuple[float, float], brighter: float) -> np.ndarray:
    """Electrons of one star without the sky."""
    star = Stars(wcs.all_pix2world([xy], 0), np.array([spec.filter_model.zero_point - brighter]))
    image = expected_electrons(spec, wcs, star, NO_GALAXIES, 0.0)
    return image - spec.filter_model.sky * spec.exposure_time


@pytest.mark.parametrize("xy", [(200.0, 150.0), (120.31, 240.77), (301.499, 77.501), (90.5, 333.25)])
def test_a_star_stands_where_the_true_wcs_puts_it(
    pointed_chip: tuple[SimulationSpec, HSTWCS], xy: tuple[float, float]
) -> None:
    image = rendered_star(*pointed_chip, xy, 4.0)
    ix, iy = (round(value) for value in xy)
    stamp = image[iy - 20 : iy + 21, ix - 20 : ix + 21].astype(float)
    y, x = np.mgrid[-20:21, -20:21]
    centre = ix + (x * stamp).sum() / stamp.sum(), iy + (y * stamp).sum() / stamp.sum()
    assert centre == pytest.approx(xy, abs=0.01)
    assert stamp.argmax() // 41 - 20 + iy == pytest.approx(xy[1], abs=0.51)


def test_flux_is_divided_by_the_relative_area_of_the_pixel(
    pointed_chip: tuple[SimulationSpec, HSTWCS],
) -> None:
    spec, wcs = pointed_chip
    corners = wcs.all_pix2world([(199.5, 199.5), (200.5, 199.5), (200.5, 200.5), (199.5, 200.5)], 0)
    a, b, c, d = (vector * 3600.0 * np.rad2deg(1.0) for vector in to_vector(corners))
    area = np.linalg.norm(np.cross(c - a, d - b)) / 2.0 / 0.05**2
    signal = rendered_star(spec, wcs, (200.0, 200.0), 9.0).sum(dtype=float)
    assert 0.9 < area < 0.99
    assert signal == pytest.approx(10**3.6 * spec.exposure_time / area, rel=0.002)


def sky_of_the_cut(spec: SimulationSpec, folder: Path) -> np.ndarray:
    """Vectors of two corners of the 400 x 400 pixels that a cut of each chip keeps."""
    write_references(folder, spec.model, spec.table_size)
    (exposure,) = plan_exposures(spec, folder)
    corners = []
    for chip in spec.chips:
        origin = np.subtract(chip.cut(400)[:2], chip.cut(spec.size)[:2])
        wcs = true_hst_wcs(exposure, chip.extver)
        corners.append(wcs.all_pix2world(np.array([(0, 0), (399, 399)]) + origin, 0))
    return to_vector(np.vstack(corners))


@pytest.mark.parametrize(("detector", "subarray"), [("ACS/WFC", False), ("WFC3/IR", False), ("WFC3/IR", True)])
def test_a_cut_keeps_the_distances_on_the_sky_of_the_whole_detector(
    detector: str, subarray: bool, tmp_path: Path
) -> None:
    cut = SimulationSpec(detector=detector, exposures=1, size=400, subarray=subarray)
    folders = [tmp_path / name for name in ("cut", "whole")]
    for folder in folders:
        folder.mkdir()
    skies = sky_of_the_cut(cut, folders[0]), sky_of_the_cut(attrs.evolve(cut, size=None, subarray=False), folders[1])
    points = len(skies[0])
    assert points == 2 * len(cut.chips)
    near, far = ([np.linalg.norm(sky[i] - sky[j]) for i in range(points) for j in range(i)] for sky in skies)
    assert np.rad2deg(np.abs(np.subtract(near, far))).max() * 3.6e6 < 0.05


def test_a_subarray_says_where_it_lies(tmp_path: Path, reference_environment: PointAt) -> None:
    spec = SimulationSpec(detector="WFC3/UVIS", exposures=1, size=200, subarray=True)
    association = simulate_association(tmp_path / "simulated", spec)
    with fits.open(association.flt[0]) as hdus:
        assert hdus[0].header["SUBARRAY"]
        assert (hdus["SCI", 1].header["LTV1"], hdus["SCI", 1].header["LTV2"]) == (-1948.0, -1851.0)
        assert ("SCI", 2) not in hdus
    reference_environment(association)
    (chip,) = load_truth(association.truth).exposures[0].chips
    (sky,) = updated_skies(association.flt[0], tmp_path, (chip,))
    assert separation_mas(sky, np.array(chip.default_sky)).max() < 0.001


@pytest.mark.slow
def test_same_spec_gives_the_same_bytes_in_threads(tmp_path: Path) -> None:
    spec = SimulationSpec(detector="WFC3/UVIS", size=100, exposures=2)
    folders = [tmp_path / name for name in "abc"]
    simulate_association(folders[0], spec)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda folder: simulate_association(folder, spec), folders[1:]))
    first = file_bytes(folders[0])
    assert file_bytes(folders[1]) == first
    assert file_bytes(folders[2]) == first


def test_another_seed_gives_other_stars(tmp_path: Path) -> None:
    sources = [
        Table.read(simulate_association(tmp_path / str(seed), SimulationSpec(seed=seed, size=100, exposures=1)).sources)
        for seed in (1, 2)
    ]
    assert not np.isin(sources[0]["ra"], sources[1]["ra"]).any()


def test_headers_name_reference_files_by_their_variable(acs_pair: SimulatedAssociation) -> None:
    headerlets = tuple(acs_pair.headerlets.glob("*.fits"))
    assert len(headerlets) == 4
    for path in (*acs_pair.flt, *acs_pair.flc, *headerlets):
        with fits.open(path) as hdus:
            texts = [str(value) for hdu in hdus for value in hdu.header.values()]
            assert hdus[0].header["IDCTAB"] == "jref$sim00201j_idc.fits"
        assert not any("/" in text and text.startswith(os.sep) for text in texts)


def test_environment_and_standard_output_stay_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = dict(os.environ)
    simulate_association(tmp_path, SimulationSpec(size=80, exposures=1))
    assert dict(os.environ) == before
    assert capsys.readouterr().out == ""


def test_headerlets_apply_and_leave_the_error_that_they_should(
    acs_pair: SimulatedAssociation, tmp_path: Path, reference_environment: PointAt
) -> None:
    reference_environment(acs_pair)
    truth = load_truth(acs_pair.truth).exposures[1]
    updated_skies(acs_pair.flc[1], tmp_path, truth.chips)
    copy = tmp_path / acs_pair.flc[1].name
    for tag, error_mas in (("GSC240", 50.0), ("HSC30", 15.0)):
        file = acs_pair.headerlets / f"{truth.rootname}_{tag}_hlet.fits"
        apply_by_stwcs(copy, file)
        assert fits.getval(copy, "WCSNAME", ("SCI", 2)) == f"IDC_sim00201j-{tag}"
        for sky, chip in zip(header_skies(copy, truth.chips), truth.chips, strict=True):
            offset = separation_mas(sky, np.array(chip.true_sky)).mean()
            assert offset == pytest.approx(error_mas, abs=2.0)


def test_best_solution_is_named_for_every_exposure(ir_association: SimulatedAssociation) -> None:
    text = (ir_association.headerlets / "best.json").read_text()
    assert all(f'"{root}": "IDC_sim00101i-HSC30"' in text for root in ir_association.rootnames)


def test_score_of_untouched_exposures_is_the_injected_error(ir_association: SimulatedAssociation) -> None:
    truth = load_truth(ir_association.truth)
    score = score_wcs(ir_association.truth, ir_association.folder)
    for one, exposure in zip(score.exposures, truth.exposures, strict=True):
        assert one.wcsname == "IDC_sim00101i"
        assert (-one.east_mas, -one.north_mas) == pytest.approx(np.multiply(exposure.error_arcsec, 1e3), abs=0.5)
    assert score.absolute_rms_mas == pytest.approx(350.0, abs=5.0)
    assert 0.5 < score.relative_rms_mas < 5.0


def test_score_of_the_true_wcs_is_zero(
    ir_association: SimulatedAssociation, tmp_path: Path, reference_environment: PointAt
) -> None:
    reference_environment(ir_association)
    truth = load_truth(ir_association.truth)
    for path, exposure in zip(ir_association.flt, truth.exposures, strict=True):
        updated_skies(path, tmp_path, exposure.chips)
        (chip,) = exposure.chips
        with fits.open(tmp_path / path.name, mode="update") as hdus:
            header = hdus["SCI", 1].header
            header["CRVAL1"], header["CRVAL2"] = chip.true.crval
            for i in (0, 1):
                header[f"CD{i + 1}_1"], header[f"CD{i + 1}_2"] = chip.true.cd[i]
    score = score_wcs(ir_association.truth, tmp_path)
    assert score.absolute_rms_mas < 1e-3
    assert score.relative_rms_mas < 1e-3


def test_score_names_what_is_missing(ir_association: SimulatedAssociation, tmp_path: Path) -> None:
    with pytest.raises(MissingFilesError, match="i00101a1q_flt"):
        score_wcs(ir_association.truth, tmp_path)
    bad = tmp_path / "truth.json"
    bad.write_text("{}")
    with pytest.raises(InputError, match=r"truth\.json"):
        score_wcs(bad, ir_association.folder)


def test_misaligned_exposure_lies_off_the_others(misaligned_association: SimulatedAssociation) -> None:
    truth = load_truth(misaligned_association.truth)
    lengths = [np.hypot(*exposure.relative_error_pix) for exposure in truth.exposures]
    assert lengths[2] == pytest.approx(2.0, abs=0.1)
    assert max(lengths[i] for i in (0, 1)) < 0.1
    score = score_wcs(misaligned_association.truth, misaligned_association.folder)
    assert score.relative_rms_mas > 80.0


def test_blurred_exposure_has_lower_peaks(tmp_path: Path) -> None:
    spec = SimulationSpec(size=128, exposures=2, blur=((1, 1.5),), stars=5, jitter_pix=0.0, **CLEAN)
    association = simulate_association(tmp_path, spec)
    assert [exposure.blur_pix for exposure in load_truth(association.truth).exposures] == [0.0, 1.5]
    sharp, blurred = (fits.getdata(path, ("SCI", 1)) for path in association.flt)
    good = fits.getdata(association.flt[0], ("DQ", 1)) == 0
    assert blurred[good].max() < 0.6 * sharp[good].max()


def test_uncorrected_exposure_differs_by_charge_moved_along_columns(acs_pair: SimulatedAssociation) -> None:
    assert fits.getval(acs_pair.flc[0], "PCTECORR") == "COMPLETE"
    assert fits.getval(acs_pair.flt[0], "PCTECORR") == "OMIT"
    with fits.open(acs_pair.flt[0]) as flt, fits.open(acs_pair.flc[0]) as flc:
        moved = flt["SCI", 1].data.astype(float) - flc["SCI", 1].data
        peak = np.unravel_index(moved[:-10].argmin(), moved[:-10].shape)
        assert moved[peak] < 0
        assert (moved[peak[0] + 2 : peak[0] + 8, peak[1]] > 0).all()
        assert abs(moved[:, peak[1]].sum()) < 0.2 * np.abs(moved[:, peak[1]]).sum()


def test_cosmic_ray_truth_is_the_charge_that_was_added(tmp_path: Path) -> None:
    common: dict[str, Any] = {"detector": "ACS/WFC", "size": 200, "exposures": 1, "stars": 0, "galaxies": 0}
    hit = simulate_association(tmp_path / "hit", SimulationSpec(**common))
    free = simulate_association(tmp_path / "free", SimulationSpec(**common, cosmic_ray_rate=0.0))
    root = hit.rootnames[0]
    counted = 0
    for version in (1, 2):
        charge = fits.getdata(hit.folder / f"{root}_crtruth.fits", ("CR", version))
        added, without = (fits.getdata(one.flc[0], ("SCI", version)) for one in (hit, free))
        strong = charge > 300
        assert strong.sum() > 20
        assert np.median((added - without)[strong] / charge[strong]) == pytest.approx(1.0, abs=0.05)
        counted += int(np.count_nonzero(charge))
    assert load_truth(hit.truth).exposures[0].cosmic_ray_pixels == pytest.approx(counted, abs=3)
    assert load_truth(free.truth).exposures[0].cosmic_ray_pixels == 0


def test_catalogue_leads_back_to_the_stars_of_the_observation(acs_pair: SimulatedAssociation) -> None:
    catalogue, sources = Table.read(acs_pair.catalogue), Table.read(acs_pair.sources)
    years = 2009.61 - catalogue["ref_epoch"]
    dec = catalogue["dec"] + catalogue["pmdec"] * years / 3.6e6
    ra = catalogue["ra"] + catalogue["pmra"] * years / 3.6e6 / np.cos(np.deg2rad(dec))
    stars = to_vector(np.column_stack([sources["ra"], sources["dec"]]))
    nearest = np.rad2deg(np.linalg.norm(to_vector(np.column_stack([ra, dec]))[:, None] - stars, axis=-1).min(axis=1))
    assert len(catalogue) > 10
    assert np.all(nearest * 3.6e6 < 5.0 * catalogue["ra_error"] * np.hypot(1.0, years) + 0.1)


def test_association_table_lists_the_exposures_and_the_product(ir_association: SimulatedAssociation) -> None:
    association = read_association(ir_association.input)
    assert tuple(member.rootname for member in association.members) == ir_association.rootnames
    table = fits.getdata(ir_association.input, 1)
    assert table["MEMNAME"][-1] == "I00101010"
    assert table["MEMTYPE"][-1] == "PROD-DTH"
    assert fits.getval(ir_association.flt[0], "ASN_TAB") == ir_association.input.name


def test_singleton_has_no_association_table(ir_singleton: SimulatedAssociation) -> None:
    assert ir_singleton.input == ir_singleton.raw[0]
    assert not list(ir_singleton.folder.glob("*_asn.fits"))
    assert fits.getval(ir_singleton.flt[0], "ASN_ID") == "NONE"
    assert fits.getval(ir_singleton.raw[0], "DRIZCORR") == "PERFORM"


@pytest.mark.parametrize("kind", list(FieldKind))
def test_every_kind_of_field_can_be_simulated(kind: FieldKind, tmp_path: Path) -> None:
    association = simulate_association(tmp_path, SimulationSpec(size=100, exposures=1, sky=kind))
    sources, catalogue = Table.read(association.sources), Table.read(association.catalogue)
    saturated = (fits.getdata(association.flt[0], ("DQ", 1)) & 256) > 0
    assert len(sources) > 0
    assert (len(catalogue) == 0) == (kind in {FieldKind.GALAXIES, FieldKind.FAINT})
    assert saturated.any() or kind not in {FieldKind.BRIGHT_STAR, FieldKind.SATURATED}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"detector": "ACS/XYZ"}, "ACS/WFC"),
        ({"filter": "F999W"}, "F140W"),
        ({"exposures": 0}, "exposures is 0"),
        ({"exposures": 2, "misalign": ((2, 1.0),)}, "exposure 2"),
        ({"blur": ((0, -1.0),)}, "blur"),
        ({"size": 10}, "size is 10"),
        ({"exptime": 0.0}, "exptime"),
        ({"singleton": True}, "exposures is 4"),
        ({"seed": -1}, "seed is -1"),
        ({"subarray": True}, "needs a size"),
    ],
)
def test_a_wrong_spec_is_refused_with_what_would_be_right(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        SimulationSpec(**wrong)


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("")
    with pytest.raises(StorageError, match="file"):
        simulate_association(occupied, SimulationSpec(size=80, exposures=1))


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(arguments)


def test_command_line_becomes_the_spec() -> None:
    arguments = parsed(
        *("out", "--detector", "ACS/WFC", "--exposures", "3", "--seed", "7", "--pointing", "1.5", "--roll", "0.1"),
        *("--misalign", "1:0.5", "--blur", "2:1.25", "--field", "crowded", "--stars", "50", "--size", "200"),
    )
    expected = SimulationSpec(
        detector="ACS/WFC",
        exposures=3,
        seed=7,
        pointing_arcsec=1.5,
        roll_deg=0.1,
        misalign=((1, 0.5),),
        blur=((2, 1.25),),
        sky=FieldKind.CROWDED,
        stars=50,
        size=200,
    )
    assert spec_from_arguments(arguments) == expected
    assert spec_from_arguments(parsed("out")) == SimulationSpec()
    assert spec_from_arguments(parsed("out", "--singleton")) == SimulationSpec(exposures=1, singleton=True)


def test_command_line_refuses_a_misalignment_that_is_not_a_pair() -> None:
    with pytest.raises(UsageError, match="INDEX:PIXELS"):
        spec_from_arguments(parsed("out", "--misalign", "one"))


def test_command_describes_what_it_wrote_and_how_far_off_it_is(tmp_path: Path) -> None:
    association = execute_simulate(parsed(str(tmp_path / "out"), "--size", "80", "--exposures", "2"))
    lines = describe_association(association)
    assert any(f"iref={tmp_path}" in line for line in lines)
    assert lines[-1].endswith(str(association.input))
    assert association.input.is_file()
    score = score_wcs(association.truth, association.folder)
    assert len(describe_score(score)) == 3
    assert f"{score.absolute_rms_mas:.2f} mas" in describe_score(score)[-1]
    assert attrs.asdict(score)["exposures"][0]["rootname"] == association.rootnames[0]
