"""The a posteriori stage on simulated exposures whose truth is known, and the headerlets that come of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from aligned_exposures import (
    copies,
    headerlets,
    largest_difference_mas,
    linear_terms,
    names,
    restore_default_wcs,
    sky,
    with_default_wcs,
)
from applied_by_stwcs import apply_by_stwcs
from astropy.io import fits
from astropy.table import Table
from attrs import evolve

from astrodriz import SimulationSpec, alignment_parameters, score_wcs, simulate_association
from astrodriz_core.errors import CatalogError, InputError
from astrodriz_core.records.astrometry import AlignmentOutcome, FitQuality
from astrodriz_io.align.alignment import align, propose_alignment
from astrodriz_io.catalogs.files import FileCatalog
from astrodriz_io.wcs.headerlet_files import copy_wcs, write_headerlet


class BrokenCatalog:
    """A catalogue that cannot be had."""

    name = "GAIAeDR3"

    def query(self, footprint, epoch):
        raise CatalogError("The catalogue service gave no usable answer: status 500.")


class CountingCatalog:
    """A catalogue that notes that it was asked."""

    def __init__(self, catalog, name):
        self.catalog, self.name, self.asked = evolve(catalog, name=name), name, 0

    def query(self, footprint, epoch):
        self.asked += 1
        return self.catalog.query(footprint, epoch)


@pytest.fixture(scope="module")
def ir_defaults(ir_association, tmp_path_factory):
    return with_default_wcs(ir_association, tmp_path_factory.mktemp("ir_defaults"))


@pytest.fixture(scope="module")
def ir_aligned(ir_association, ir_defaults, tmp_path_factory):
    files = copies(ir_defaults, tmp_path_factory.mktemp("ir_aligned") / "stage")
    return align(files, [FileCatalog(ir_association.catalogue)]), files


@pytest.fixture(scope="module")
def acs_defaults(acs_pair, tmp_path_factory):
    return with_default_wcs(acs_pair, tmp_path_factory.mktemp("acs_defaults"))


@pytest.fixture(scope="module")
def acs_aligned(acs_pair, acs_defaults, tmp_path_factory):
    files = copies(acs_defaults, tmp_path_factory.mktemp("acs_aligned") / "stage")
    return align(files, [FileCatalog(acs_pair.catalogue)]), files


@pytest.fixture
def files(ir_defaults, tmp_path):
    return copies(ir_defaults, tmp_path / "stage")


def untouched(files, defaults):
    return [path.read_bytes() for path in files] == [path.read_bytes() for path in defaults]


def some_rows(association, folder, count, seed=0):
    """A catalogue of so many of the stars."""
    table = Table.read(association.catalogue)
    chosen = np.random.default_rng(seed).permutation(len(table))[:count]
    table[np.sort(chosen)].write(folder / f"{count}.ecsv")
    return FileCatalog(folder / f"{count}.ecsv")


def test_exposures_are_aligned_to_the_catalogue_and_to_each_other(ir_aligned, ir_association, ir_defaults):
    record, files = ir_aligned
    before, after = (score_wcs(ir_association.truth, paths[0].parent) for paths in (ir_defaults, files))
    assert record.outcome is AlignmentOutcome.ALIGNED
    assert before.absolute_rms_mas > 300.0
    assert after.absolute_rms_mas < 6.0
    assert after.relative_rms_mas < before.relative_rms_mas + 0.3


def test_two_chips_move_together_and_land_on_the_truth(acs_aligned, acs_pair, acs_defaults):
    record, files = acs_aligned
    after = score_wcs(acs_pair.truth, files[0].parent)
    assert record.outcome is AlignmentOutcome.ALIGNED
    assert after.absolute_rms_mas < 1.5
    assert after.relative_rms_mas < 0.5
    for path, default in zip(files, acs_defaults, strict=True):
        shifts = [sky(path, v).mean(axis=0) - sky(default, v).mean(axis=0) for v in (1, 2)]
        assert np.abs(shifts[0] - shifts[1]).max() * 3.6e6 < 5.0


def test_the_headers_say_what_the_archive_says_of_a_fit(ir_aligned, ir_defaults):
    record, files = ir_aligned
    fit = record.attempts[record.chosen].fit
    for path, default, name in zip(files, ir_defaults, record.wcsnames, strict=True):
        header = fits.getheader(path, ("SCI", 1))
        assert header["WCSNAME"] == name == f"{names(default)[0]}-FIT_REL_GAIAeDR3"
        assert header["WCSTYPE"] == "undistorted a posteriori solution relatively aligned to GAIAeDR3"
        assert header["HDRNAME"] == f"{path.stem}_{name}-hlet.fits"
        assert (header["NMATCHES"], header["FITGEOM"], header["CATALOG"]) == (
            fit.matches,
            fit.geometry.value,
            "GAIAeDR3",
        )
        assert header["RMS_RA"] == pytest.approx(fit.rms_ra_mas)
        assert header["CRDER2"] == pytest.approx(fit.rms_dec_mas / 3.6e6)
        assert header["RELMATCH"] > 0
        assert header["HDRNAME"] in headerlets(path)


def test_the_former_wcs_can_be_restored_exactly(ir_aligned, ir_defaults, tmp_path):
    for path, default in zip(copies(ir_aligned[1], tmp_path / "restored"), ir_defaults, strict=True):
        restore_default_wcs(path)
        assert linear_terms(path) == linear_terms(default)
        assert names(path)[0] == names(default)[0]
        header = fits.getheader(path, ("SCI", 1))
        assert not {"NMATCHES", "FITGEOM", "RMS_RA", "RELMATCH"} & set(header)
        assert any("FIT_REL" in name for name in names(path)[1].values())
        assert np.array_equal(sky(path), sky(default))


def test_the_record_holds_every_check_with_its_value(ir_aligned):
    record, _ = ir_aligned
    assert len(record.sources) == 3
    assert record.catalogs[0].origin == "file gaia.ecsv"
    attempt = record.attempts[record.chosen]
    assert attempt.quality is FitQuality.VALID
    assert {"held-out residual", "registration", "beyond chance", "matches"} <= {c.name for c in attempt.checks}
    assert attempt.holdout.after_mas < attempt.holdout.before_mas
    assert record.relative.registration.error_mas > 0


def test_data_arrays_are_not_changed(ir_aligned, ir_defaults):
    for path, default in zip(ir_aligned[1], ir_defaults, strict=True):
        with fits.open(path) as ours, fits.open(default) as theirs:
            for ext in ("SCI", "ERR", "DQ"):
                assert np.array_equal(ours[ext].data, theirs[ext].data)


def test_the_number_of_threads_does_not_matter(files, ir_association, ir_aligned):
    record = align(files, [FileCatalog(ir_association.catalogue)], threads=3)
    assert record == ir_aligned[0]
    assert [linear_terms(path) for path in files] == [linear_terms(path) for path in ir_aligned[1]]


def test_a_proposal_is_what_is_done_and_changes_no_file(files, ir_association, ir_defaults, ir_aligned):
    plan = propose_alignment(files, [FileCatalog(ir_association.catalogue)])
    assert plan.record == ir_aligned[0]
    assert len(plan.transforms) == len(files)
    assert untouched(files, ir_defaults)


def test_an_exposure_off_its_place_a_wrong_pointing_and_roll_are_recovered(tmp_path):
    spec = SimulationSpec(
        detector="WFC3/IR", size=320, stars=200, misalign=((1, 20.0),), pointing_arcsec=5.0, roll_deg=0.05, seed=11
    )
    association = simulate_association(tmp_path / "association", spec)
    files = with_default_wcs(association, tmp_path / "stage")
    record = align(files, [FileCatalog(association.catalogue)])
    after = score_wcs(association.truth, tmp_path / "stage")
    assert record.outcome is AlignmentOutcome.ALIGNED
    assert after.absolute_rms_mas < 12.0
    assert after.relative_rms_mas < 5.0


def test_a_single_exposure_is_fitted_by_itself(ir_singleton, tmp_path):
    files = with_default_wcs(ir_singleton, tmp_path / "stage")
    record = align(files, [FileCatalog(ir_singleton.catalogue)])
    assert record.outcome is AlignmentOutcome.ALIGNED
    assert record.wcsnames[0].endswith("-FIT_IMG_GAIAeDR3")
    assert record.relative.registration is None
    assert score_wcs(ir_singleton.truth, tmp_path / "stage").absolute_rms_mas < 12.0


def test_a_catalogue_of_noise_is_refused_and_nothing_is_changed(files, ir_defaults, ir_association, tmp_path):
    rng = np.random.default_rng(5)
    table = Table.read(ir_association.catalogue)
    extent = [np.ptp(table[name]) / 2 for name in ("ra", "dec")]
    noise = Table(
        {
            "ra": np.mean(table["ra"]) + rng.uniform(-1, 1, 200) * extent[0],
            "dec": np.mean(table["dec"]) + rng.uniform(-1, 1, 200) * extent[1],
            "mag": rng.uniform(15, 21, 200),
        }
    )
    noise.write(tmp_path / "noise.ecsv")
    record = align(files, [FileCatalog(tmp_path / "noise.ecsv")])
    assert record.outcome in (AlignmentOutcome.NO_VALID_FIT, AlignmentOutcome.NOT_BETTER)
    assert record.reason
    assert untouched(files, ir_defaults)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_with_fewer_than_three_stars_nothing_is_changed_and_the_reason_is_said(
    files, ir_defaults, ir_association, tmp_path, count
):
    record = align(files, [some_rows(ir_association, tmp_path, count)])
    assert record.outcome is AlignmentOutcome.TOO_FEW_CATALOG_SOURCES
    assert str(count) in record.reason
    assert untouched(files, ir_defaults)


@pytest.mark.parametrize("count", [4, 7, 15])
def test_with_few_stars_the_wcs_never_becomes_worse(files, ir_association, tmp_path, count):
    before = score_wcs(ir_association.truth, files[0].parent)
    record = align(files, [some_rows(ir_association, tmp_path, count)])
    after = score_wcs(ir_association.truth, files[0].parent)
    assert after.absolute_rms_mas <= before.absolute_rms_mas
    assert after.relative_rms_mas <= before.relative_rms_mas + 0.3
    assert record.reason


def test_a_wcs_that_is_right_already_is_kept(ir_aligned, ir_association, tmp_path):
    files = copies(ir_aligned[1], tmp_path / "again")
    before = [linear_terms(path) for path in files]
    record = align(files, [FileCatalog(ir_association.catalogue)])
    assert record.outcome is AlignmentOutcome.NOT_BETTER
    assert [linear_terms(path) for path in files] == before


def test_a_catalogue_that_cannot_be_had_is_a_recorded_outcome(files, ir_defaults):
    record = align(files, [BrokenCatalog()])
    assert record.outcome is AlignmentOutcome.NO_CATALOG
    assert "status 500" in record.not_tried
    assert record.catalogs[0].problem is not None
    assert untouched(files, ir_defaults)


def test_no_catalogue_at_all_is_a_recorded_outcome(files):
    assert align(files, []).outcome is AlignmentOutcome.NO_CATALOG


def test_the_next_catalogue_is_asked_only_where_the_first_gives_no_best_fit(files, ir_association, tmp_path):
    good = FileCatalog(ir_association.catalogue)
    second = CountingCatalog(good, "GSC242")
    record = align(copies(files, tmp_path / "a"), [good, second])
    assert (second.asked, record.attempts[record.chosen].catalog) == (0, "GAIAeDR3")
    record = align(copies(files, tmp_path / "b"), [BrokenCatalog(), second])
    assert (second.asked, record.attempts[record.chosen].catalog) == (1, "GSC242")
    assert record.wcsnames[0].endswith("FIT_REL_GSC242")
    assert "status 500" in record.not_tried


def test_misaligned_exposures_are_brought_together_even_without_a_catalogue(misaligned_association, tmp_path):
    files = with_default_wcs(misaligned_association, tmp_path / "stage")
    before = score_wcs(misaligned_association.truth, tmp_path / "stage")
    record = align(files, [BrokenCatalog()])
    after = score_wcs(misaligned_association.truth, tmp_path / "stage")
    assert record.outcome is AlignmentOutcome.ALIGNED_RELATIVELY
    assert record.wcsnames[0].endswith("-FIT_REL_NONE")
    assert after.relative_rms_mas < 5.0 < 50.0 < before.relative_rms_mas


@pytest.mark.parametrize(
    ("keyword", "value", "words"), [("FILTER", "G141", "grism"), ("SCAN_TYP", "C", "scan"), ("MTFLAG", "T", "moving")]
)
def test_an_exposure_that_cannot_be_aligned_takes_the_wcs_of_the_direct_images(
    files, ir_association, ir_aligned, keyword, value, words
):
    fits.setval(files[2], keyword, value=value)
    record = align(files, [FileCatalog(ir_association.catalogue)])
    assert record.outcome is AlignmentOutcome.ALIGNED
    assert words in record.sources[2].skipped.lower()
    assert "takes the correction of" in record.relative.exposures[2].reason
    assert names(files[2]) == names(ir_aligned[1][2])
    score = score_wcs(ir_association.truth, files[0].parent)
    assert score.exposures[2].rms_mas < 10.0


def test_an_exposure_without_a_time_takes_the_wcs_of_the_nearest_in_the_list_and_that_is_told(files, ir_association):
    fits.setval(files[2], "FILTER", value="G141")
    fits.delval(files[2], "EXPSTART")
    record = align(files, [FileCatalog(ir_association.catalogue)])
    assert record.outcome is AlignmentOutcome.ALIGNED
    root = fits.getval(files[1], "ROOTNAME").lower()
    assert record.relative.exposures[2].reason.endswith(f"correction of {root}, {NO_TIME}")
    assert record.warnings == (
        f"EXPSTART is missing in {files[2].name}: the epoch of the catalogue is that of the others",
    )


NO_TIME = "the nearest in the list, since EXPSTART is missing"


def test_without_any_time_no_catalogue_is_asked_and_nothing_is_changed(files, ir_defaults):
    class Unasked:
        name = "GAIAeDR3"

        def query(self, *_):
            raise AssertionError("no catalogue has positions for an unknown day")

    for path in files:
        fits.delval(path, "EXPSTART")
    before = [path.read_bytes() for path in files]
    record = align(files, [Unasked()])
    assert record.outcome is AlignmentOutcome.NOT_ALIGNABLE
    assert "EXPSTART" in record.reason
    assert all(path.name in record.warnings[0] for path in files)
    assert [path.read_bytes() for path in files] == before


def test_exposures_that_cannot_be_aligned_at_all_are_left_alone(files, ir_association):
    for path in files:
        fits.setval(path, "MTFLAG", value="T")
    record = align(files, [FileCatalog(ir_association.catalogue)])
    assert record.outcome is AlignmentOutcome.NOT_ALIGNABLE
    assert "moving target" in record.reason


def test_exposures_without_sources_are_left_alone(files, ir_association):
    for path in files:
        with fits.open(path, mode="update") as hdulist:
            rng = np.random.default_rng(1)
            hdulist["SCI"].data = rng.normal(0, 1, hdulist["SCI"].data.shape).astype(np.float32)
    record = align(files, [FileCatalog(ir_association.catalogue)])
    assert record.outcome is AlignmentOutcome.TOO_FEW_SOURCES


def test_flags_that_lie_on_stars_can_be_ignored(files, ir_association):
    for path in files:
        with fits.open(path, mode="update") as hdulist:
            image, dq = hdulist["SCI"].data, hdulist["DQ"].data
            dq[image > np.percentile(image, 97)] |= 4096
    catalog = FileCatalog(ir_association.catalogue)
    honoured = align(files, [catalog])
    assert honoured.outcome is not AlignmentOutcome.ALIGNED
    assert align(files, [catalog], ignore_cosmic_rays=True).outcome is AlignmentOutcome.ALIGNED


def test_parameters_can_be_given(files, ir_association):
    own = alignment_parameters("WFC3", "IR")
    record = align(files, [FileCatalog(ir_association.catalogue)], evolve(own, fit=evolve(own.fit, rms_limit_mas=0.01)))
    assert record.outcome is AlignmentOutcome.NO_VALID_FIT
    assert "RMS" in record.reason


def test_nothing_is_printed_and_no_file_is_left(files, ir_association, tmp_path, monkeypatch, capfd):
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    align(files, [FileCatalog(ir_association.catalogue)])
    assert list(place.iterdir()) == []
    assert sorted(path.name for path in files[0].parent.iterdir()) == sorted(path.name for path in files)
    assert capfd.readouterr().out == ""


def test_a_headerlet_is_applied_by_stwcs_to_a_flt_as_the_archive_delivers_it(ir_aligned, ir_association, tmp_path):
    """Its WCS has no distortion model yet: that of the headerlet comes with it."""
    _, (source, *_) = ir_aligned
    delivered = copies(ir_association.flt[:1], tmp_path / "delivered")[0]
    path = write_headerlet(source, tmp_path / "a_hlet.fits")
    apply_by_stwcs(delivered, path, force=True)
    assert names(delivered)[0] == names(source)[0]
    assert largest_difference_mas(sky(delivered), sky(source)) < 1e-4


def test_a_headerlet_of_the_fit_is_applied_by_stwcs_to_a_fresh_flt(acs_aligned, acs_pair, tmp_path):
    _, (source, *_) = acs_aligned
    fresh = with_default_wcs(acs_pair, tmp_path / "fresh", flt=True)[0]
    path = write_headerlet(source, tmp_path / "a_hlet.fits")
    header = fits.getheader(path)
    assert header["NMATCH"] > 0
    assert header["CATALOG"] == "GAIAeDR3"
    apply_by_stwcs(fresh, path)
    for extver in (1, 2):
        assert largest_difference_mas(sky(fresh, extver), sky(source, extver)) < 1e-4


def test_the_solution_of_the_flc_is_carried_to_the_flt_exactly(acs_aligned, acs_pair, tmp_path):
    _, (source, *_) = acs_aligned
    target = with_default_wcs(acs_pair, tmp_path / "flt", flt=True)[0]
    default = Path(shutil.copy(target, tmp_path / "default.fits"))
    copy_wcs(source, target)
    assert names(target)[0] == names(source)[0]
    assert headerlets(target) == headerlets(source)
    for extver in (1, 2):
        assert linear_terms(target, extver) == linear_terms(source, extver)
        assert np.array_equal(sky(target, extver), sky(source, extver))
    restore_default_wcs(target)
    assert linear_terms(target, 2) == linear_terms(default, 2)
    with fits.open(target) as ours, fits.open(default) as theirs:
        assert np.array_equal(ours["SCI", 1].data, theirs["SCI", 1].data)


def test_carrying_a_solution_twice_changes_nothing(acs_aligned, acs_pair, tmp_path):
    _, (source, *_) = acs_aligned
    target = with_default_wcs(acs_pair, tmp_path / "flt", flt=True)[0]
    copy_wcs(source, target)
    before = names(target), headerlets(target), linear_terms(target)
    copy_wcs(source, target)
    assert (names(target), headerlets(target), linear_terms(target)) == before


def test_a_solution_is_not_carried_to_another_exposure(acs_aligned, acs_pair, tmp_path):
    _, (source, *_) = acs_aligned
    other = with_default_wcs(acs_pair, tmp_path / "flt", flt=True)[1]
    before = other.read_bytes()
    with pytest.raises(InputError, match="not the same exposure"):
        copy_wcs(source, other)
    assert other.read_bytes() == before


def test_a_wcs_that_an_exposure_does_not_have_cannot_be_restored(ir_defaults, tmp_path):
    path = copies(ir_defaults[:1], tmp_path / "one")[0]
    with fits.open(path, mode="update") as hdulist:
        hdulist["SCI"].header["WCSNAME"] = "IDC_gone-FIT_REL_GAIADR2"
    with pytest.raises(InputError, match="no alternate WCS"):
        restore_default_wcs(path)
