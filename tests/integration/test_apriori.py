"""A priori solutions: which are attached, which becomes primary, which are refused; all exposures or none."""

from __future__ import annotations

import json
import math
import shutil
import time
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
from loopback import serving
from simulated_archive import database_answer
from stwcs.wcsutil import altwcs

from astrodriz import SilentProgress, SimulationSpec, StageOutcome, process, replay, score_wcs, simulate_association
from astrodriz_core.errors import DatabaseError, InputError
from astrodriz_core.records.astrometry import AprioriOutcome, SolutionOrigin
from astrodriz_io.align import apriori
from astrodriz_io.align.apriori import apply_apriori, propose_apriori
from astrodriz_io.services.guide_stars import GuideStarFile, GuideStarService
from astrodriz_io.services.headerlet_sources import DatabaseSource, FolderSource, Offers, read_headerlet
from astrodriz_io.services.time_budget import TimeBudget
from astrodriz_io.services.web import WebClient


class NoSource:
    def offers(self, rootname: str) -> Offers:
        return Offers()


@pytest.fixture(scope="module")
def defaults(acs_pair, tmp_path_factory):
    return with_default_wcs(acs_pair, tmp_path_factory.mktemp("defaults"))


@pytest.fixture
def files(defaults, tmp_path):
    """Two of the exposures: enough for an association."""
    return copies(defaults[:2], tmp_path / "stage")


@pytest.fixture
def folder(acs_pair, tmp_path):
    """A copy of the folder of headerlets that a test may change."""
    target = tmp_path / "headerlets"
    target.mkdir()
    for path in acs_pair.headerlets.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    return target


def rootname(path):
    return fits.getval(path, "ROOTNAME")


def change(folder, pattern, edit, ext=None):
    """Edit the headers of headerlets of a folder."""
    for path in sorted(folder.glob(pattern)):
        with fits.open(path, mode="update") as hdulist:
            for hdu in hdulist[1:] if ext is None else [hdulist[ext]]:
                if hdu.name in ("SIPWCS", "PRIMARY"):
                    edit(hdu.header)


def renamed(folder, pattern, wcsname):
    """Give headerlets another WCSNAME."""

    def edit(header):
        header["WCSNAME"] = wcsname
        if "HDRNAME" in header:
            header["HDRNAME"] = f"{header['HDRNAME']}_{wcsname}"

    change(folder, pattern, edit, ext=0)
    change(folder, pattern, edit)


def test_the_best_family_is_applied_to_all_exposures_and_brings_them_nearer_to_the_truth(
    defaults, folder, acs_pair, tmp_path
):
    files = copies(defaults, tmp_path / "stage")
    before = score_wcs(acs_pair.truth, files[0].parent)
    record = apply_apriori(files, FolderSource(folder))
    after = score_wcs(acs_pair.truth, files[0].parent)
    assert (record.outcome, record.family) == (AprioriOutcome.APPLIED, "HSC30")
    assert all(names(path)[0].endswith("-HSC30") for path in files)
    assert after.absolute_rms_mas < 20.0 < before.absolute_rms_mas
    assert after.relative_rms_mas == pytest.approx(before.relative_rms_mas, abs=0.05)
    assert record.relative_change_mas < 0.2


def test_a_proposal_is_what_is_done_and_changes_no_file(files, defaults, folder):
    plan = propose_apriori(files, FolderSource(folder))
    assert_as_before(files, defaults)
    done = apply_apriori(files, FolderSource(folder))
    assert plan.writes
    assert (plan.record.outcome, plan.record.family, plan.record.reason) == (done.outcome, done.family, done.reason)
    assert [e.after for e in plan.record.exposures] == [e.after for e in done.exposures] == [names(f)[0] for f in files]


def test_the_former_wcs_stays_as_an_alternate_exactly(files, defaults, folder):
    apply_apriori(files, FolderSource(folder))
    for path, default in zip(files, defaults[:2], strict=True):
        key = next(key for key, name in names(path)[1].items() if name == names(default)[0])
        for extver in (1, 2):
            assert linear_terms(path, extver, key) == linear_terms(default, extver)


def test_all_solutions_of_the_distortion_file_become_extensions_and_wcscorr_is_kept(files, folder):
    apply_apriori(files, FolderSource(folder))
    for path in files:
        attached = headerlets(path)
        assert len(attached) == len(set(attached)) == 3
        assert sum("GSC240" in name for name in attached) == sum("HSC30" in name for name in attached) == 1
        table = fits.getdata(path, "WCSCORR")
        assert {"OPUS", names(path)[0]} <= {str(value).strip() for value in table["WCS_ID"]}


def test_applying_again_changes_nothing(files, folder):
    apply_apriori(files, FolderSource(folder))
    before = [(headerlets(path), names(path), linear_terms(path)) for path in files]
    record = apply_apriori(files, FolderSource(folder))
    assert record.outcome is AprioriOutcome.ALREADY_PRIMARY
    table = fits.getdata(files[0], "WCSCORR")
    solutions = [(str(n), int(v)) for n, v in zip(table["WCS_ID"], table["EXTVER"], strict=True) if str(n).strip()]
    assert len(solutions) == len(set(solutions))
    assert [(headerlets(path), names(path), linear_terms(path)) for path in files] == before


def test_a_copy_of_a_solution_under_another_name_is_not_attached_twice(files, folder):
    for path in sorted(folder.glob("*_HSC30_hlet.fits")):
        (folder / path.name.replace("HSC30", "copy")).write_bytes(path.read_bytes())
    change(folder, "*_copy_hlet.fits", lambda header: header.set("HDRNAME", header["HDRNAME"] + "_copy"), ext=0)
    apply_apriori(files, FolderSource(folder))
    assert all(len(headerlets(path)) == 3 for path in files)


def test_the_solution_that_the_source_calls_the_best_comes_first(files, folder):
    best = {rootname(path): f"{names(path)[0]}-GSC240" for path in files}
    (folder / "best.json").write_text(json.dumps(best))
    record = apply_apriori(files, FolderSource(folder))
    assert record.family == "GSC240"
    assert [e.best for e in record.exposures] == list(best.values())


def test_an_a_posteriori_best_is_attached_but_not_applied(files, folder):
    fit = f"{names(files[0])[0]}-FIT_REL_GAIADR2"
    renamed(folder, "*_HSC30_hlet.fits", fit)
    (folder / "best.json").write_text(json.dumps({rootname(path): fit for path in files}))
    record = apply_apriori(files, FolderSource(folder))
    assert record.family == "GSC240"
    assert "a posteriori" in next(s.refused for s in record.exposures[0].offered if s.wcsname == fit)
    assert any("FIT_REL" in name for name in headerlets(files[0]))


def test_a_family_that_one_exposure_lacks_is_applied_to_none(files, folder):
    next(iter(sorted(folder.glob("*_HSC30_hlet.fits")))).unlink()
    record = apply_apriori(files, FolderSource(folder))
    assert record.family == "GSC240"
    assert all(names(path)[0].endswith("-GSC240") for path in files)


def test_with_nothing_in_common_every_exposure_keeps_its_wcs(files, defaults, folder):
    for path in folder.glob(f"{rootname(files[1])}_*"):
        path.unlink()
    record = apply_apriori(files, FolderSource(folder))
    assert record.outcome is AprioriOutcome.REFUSED
    assert rootname(files[1]) in record.reason
    assert [names(path)[0] for path in files] == [names(path)[0] for path in defaults[:2]]
    assert [linear_terms(path) for path in files] == [linear_terms(path) for path in defaults[:2]]


def moved(header):
    if "CRVAL1" in header:
        header["CRVAL2"] += 0.5


def scaled(header):
    for keyword in ("CD1_1", "CD1_2", "CD2_1", "CD2_2"):
        if keyword in header:
            header[keyword] *= 1.02


def turned(header):
    if "CD1_1" in header:
        cd = np.array([[header["CD1_1"], header["CD1_2"]], [header["CD2_1"], header["CD2_2"]]])
        c, s = math.cos(0.05), math.sin(0.05)
        cd = np.array([[c, s], [-s, c]]) @ cd
        (header["CD1_1"], header["CD1_2"]), (header["CD2_1"], header["CD2_2"]) = cd.tolist()


def without_a_term(header):
    header.remove("A_2_0", ignore_missing=True)


def without_a_keyword(header):
    header.remove("CRVAL1", ignore_missing=True)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (moved, "distance from the target"),
        (scaled, "pixel scale"),
        (turned, "orientation"),
        (without_a_term, "distortion terms"),
        (without_a_keyword, "every term is a number"),
    ],
)
def test_a_bad_solution_is_refused_with_its_reason_and_the_next_is_tried(files, folder, damage, words):
    change(folder, f"{rootname(files[1])}_HSC30_hlet.fits", damage)
    record = apply_apriori(files, FolderSource(folder))
    assert record.family == "GSC240"
    refused = next(s for s in record.exposures[1].offered if s.wcsname.endswith("HSC30"))
    assert words in refused.refused
    assert any(not check.passed for check in refused.checks)


@pytest.mark.parametrize("detector", ["STIS/CCD", "NICMOS/2", "WFPC2", "ACS/SBC"])
def test_solutions_from_which_terms_of_0_are_left_out_are_applied_exactly(detector, tmp_path):
    association = simulate_association(tmp_path, SimulationSpec(detector=detector, size=80, exposures=2))
    files = with_default_wcs(association, tmp_path / "stage")
    record = apply_apriori(files, FolderSource(association.headerlets))
    assert record.outcome is AprioriOutcome.APPLIED
    assert record.family == "HSC30"
    for path in files:
        (solution,) = association.headerlets.glob(f"{rootname(path).lower()}_HSC30_hlet.fits")
        with fits.open(solution) as hdulist:
            chips = [hdu.header for hdu in hdulist[1:] if hdu.name == "SIPWCS"]
        assert chips
        for header in chips:
            theirs = (header["CRVAL1"], header["CRVAL2"])
            assert linear_terms(path, header["TG_EVER"])[2:4] == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("order", [10**9, -1, "many"])
def test_a_solution_of_an_impossible_order_is_refused(files, folder, order):
    def change_order(header):
        header["A_ORDER"] = order

    change(folder, f"{rootname(files[1])}_HSC30_hlet.fits", change_order)
    assert apply_apriori(files, FolderSource(folder)).family == "GSC240"


def test_a_solution_without_a_chip_is_refused(files, folder):
    for path in folder.glob(f"{rootname(files[0])}_HSC30_hlet.fits"):
        with fits.open(path, mode="update") as hdulist:
            del hdulist["SIPWCS", 2]
    record = apply_apriori(files, FolderSource(folder))
    assert record.family == "GSC240"
    assert "chips [1] of [1, 2]" in next(s.refused for s in record.exposures[0].offered if s.refused)


def test_a_damaged_headerlet_is_named_and_the_others_are_used(files, folder):
    path = folder / f"{rootname(files[0])}_GSC240_hlet.fits"
    path.write_bytes(path.read_bytes()[:1000])
    record = apply_apriori(files, FolderSource(folder))
    assert (record.outcome, record.family) == (AprioriOutcome.APPLIED, "HSC30")
    assert path.name in record.not_tried


def test_solutions_of_another_distortion_file_are_left_out_unless_all_are_asked_for(files, folder):
    renamed(folder, "*_HSC30_hlet.fits", "IDC_other1-HSC30")
    record = apply_apriori(files, FolderSource(folder))
    assert record.family == "GSC240"
    assert not any("other1" in name for name in headerlets(files[0]))
    apply_apriori(files, FolderSource(folder), all_wcs=True)
    assert any("other1" in name for name in headerlets(files[0]))
    assert names(files[0])[0].endswith("-GSC240")


def test_a_headerlet_that_is_meant_for_another_exposure_is_refused(files, folder):
    change(folder, f"{rootname(files[0])}_HSC30_hlet.fits", lambda h: h.set("DESTIM", "another"), ext=0)
    record = apply_apriori(files, FolderSource(folder))
    assert "meant for another" in next(s.refused for s in record.exposures[0].offered if s.refused)


def test_headerlets_that_the_exposures_carry_are_enough(files, folder, tmp_path):
    apply_apriori(files, FolderSource(folder))
    default = names(files[0])[0].split("-")[0]
    for path in files:
        restore_default_wcs(path)
        assert names(path)[0] == default
    record = apply_apriori(files, NoSource())
    assert (record.outcome, record.family) == (AprioriOutcome.APPLIED, "HSC30")
    assert {s.origin for e in record.exposures for s in e.offered} == {SolutionOrigin.EMBEDDED}


def test_where_nothing_is_offered_nothing_changes(files, defaults):
    record = apply_apriori(files, NoSource())
    assert record.outcome is AprioriOutcome.NONE_OFFERED
    assert [path.read_bytes() for path in files] == [path.read_bytes() for path in defaults[:2]]


def test_what_stwcs_cannot_do_with_one_exposure_leaves_all_of_them_as_they_were(files, defaults, folder, monkeypatch):
    archive = altwcs.archive_wcs

    def failing(hdulist, *arguments):
        if hdulist[0].header["ROOTNAME"] == rootname(defaults[1]):
            raise KeyError("WCSDVARR")
        return archive(hdulist, *arguments)

    monkeypatch.setattr(altwcs, "archive_wcs", failing)
    with pytest.raises(InputError) as caught:
        apply_apriori(files, FolderSource(folder))
    assert files[1].name in str(caught.value)
    assert_as_before(files, defaults)


def test_a_defect_of_our_own_is_no_fault_of_the_exposure(files, defaults, folder, monkeypatch):
    def defect(*_):
        raise KeyError("a typo")

    monkeypatch.setattr(apriori, "apply_headerlet", defect)
    with pytest.raises(KeyError, match="a typo"):
        apply_apriori(files, FolderSource(folder))
    assert_as_before(files, defaults)


def assert_as_before(files, defaults):
    assert [path.read_bytes() for path in files] == [path.read_bytes() for path in defaults[:2]]
    assert sorted(path.name for path in files[0].parent.iterdir()) == sorted(path.name for path in files)


def test_a_new_distortion_file_gets_a_solution_from_the_guide_stars(files, defaults, tmp_path):
    offsets = tmp_path / "gsc.json"
    offsets.write_text(json.dumps({rootname(path).upper(): [0.2 / 3600, -0.1 / 3600] for path in files}))
    record = apply_apriori(files, NoSource(), guide_stars=GuideStarFile(offsets))
    assert (record.outcome, record.family) == (AprioriOutcome.APPLIED, "GSC240")
    for exposure, path, default in zip(record.exposures, files, defaults[:2], strict=True):
        assert exposure.guide_stars.east_arcsec == pytest.approx(0.2)
        assert (exposure.east_mas, exposure.north_mas) == (
            pytest.approx(200.0, abs=0.1),
            pytest.approx(-100.0, abs=0.1),
        )
        assert names(path)[0] == f"{names(default)[0]}-GSC240"
        assert any("GSC240" in name for name in headerlets(path))


def test_guide_stars_are_not_asked_where_the_database_has_a_solution(files, folder, tmp_path):
    offsets = tmp_path / "gsc.json"
    offsets.write_text("damaged")
    assert apply_apriori(files, FolderSource(folder), guide_stars=GuideStarFile(offsets)).family == "HSC30"


def test_data_that_were_pointed_with_gaia_only_gain_the_name(files, defaults):
    for path in files:
        fits.setval(path, "EXPSTART", value=58100.0)
    record = apply_apriori(files, NoSource(), guide_stars=GuideStarFile(Path("not needed")))
    assert (record.outcome, record.family) == (AprioriOutcome.APPLIED, "GSC240")
    for path, default in zip(files, defaults[:2], strict=True):
        assert names(path)[0] == f"{names(default)[0]}-GSC240"
        assert linear_terms(path) == linear_terms(default)


def test_nothing_is_printed_and_no_file_is_left_beside_the_exposures(files, folder, tmp_path, monkeypatch, capfd):
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    apply_apriori(files, FolderSource(folder))
    assert list(place.iterdir()) == []
    assert sorted(path.name for path in files[0].parent.iterdir()) == sorted(path.name for path in files)
    assert capfd.readouterr().out == ""


@pytest.fixture
def database(folder):
    """The astrometry database and the guide star service, from the folder of headerlets."""

    with serving(lambda path, query: database_answer(folder, path, query)) as loopback:
        yield loopback


def source(database, seconds=20.0):
    budget = TimeBudget(seconds)
    client = WebClient("astrometry database", DatabaseError, budget, first_wait=0.01, read_seconds=0.5)
    return DatabaseSource(f"{database.address}/astrometryDB/", budget, client)


def test_the_database_gives_what_the_folder_gives(files, folder, database, tmp_path):
    others = copies(files, tmp_path / "others")
    record = apply_apriori(files, source(database))
    apply_apriori(others, FolderSource(folder))
    assert (record.outcome, record.family) == (AprioriOutcome.APPLIED, "HSC30")
    assert [linear_terms(path) for path in files] == [linear_terms(path) for path in others]
    assert [headerlets(path) for path in files] == [headerlets(path) for path in others]


def test_the_database_does_not_know_a_new_observation(files, database, folder):
    for path in folder.glob("*_hlet.fits"):
        path.unlink()
    budget = TimeBudget(20.0)
    record = apply_apriori(files, source(database), guide_stars=GuideStarService(database.address, budget))
    assert (record.outcome, record.family) == (AprioriOutcome.APPLIED, "GSC242")


@pytest.mark.parametrize(
    ("fault", "only"),
    [(fault, "observation/read") for fault in ("refuse", "500", "garbage", "truncate", "short", "slow")]
    + [(fault, "wcsname=") for fault in ("garbage", "short", "slow")],
)
def test_a_database_that_fails_is_a_recorded_outcome_in_bounded_time(files, defaults, database, fault, only):
    database.fault, database.only = fault, only
    start = time.monotonic()
    record = apply_apriori(files, source(database, seconds=2.0))
    assert time.monotonic() - start < 10.0
    assert record.outcome is AprioriOutcome.UNAVAILABLE
    assert record.not_tried
    assert [linear_terms(path) for path in files] == [linear_terms(path) for path in defaults[:2]]


@pytest.mark.parametrize("fault", ["truncate", "garbage", "short"])
def test_one_lost_reply_is_asked_for_again(files, database, fault):
    database.fault, database.faults = fault, 1
    assert apply_apriori(files, source(database)).outcome is AprioriOutcome.APPLIED


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_reply_that_declares_entities_is_refused_in_every_encoding(files, encoding):
    text = '<!DOCTYPE o [<!ENTITY a "aaaaaaaaaa">]><o>&a;</o>'
    bomb = f'<?xml version="1.0" encoding="{encoding}"?>{text}'.encode(encoding)
    with serving(lambda path, query: (200, bomb)) as loopback:
        record = apply_apriori(files, source(loopback))
    assert record.outcome is AprioriOutcome.UNAVAILABLE
    assert "entities" in record.not_tried


def test_bytes_that_are_no_headerlet_are_refused(acs_pair):
    for body in (b"", b"SIMPLE", bytes(2880), acs_pair.flt[0].read_bytes()[:28800]):
        with pytest.raises(DatabaseError):
            read_headerlet(body, "body")


def test_a_folder_that_is_missing_or_has_a_damaged_list_is_a_recorded_outcome(files, folder, tmp_path):
    assert apply_apriori(files, FolderSource(tmp_path / "none")).outcome is AprioriOutcome.UNAVAILABLE
    (folder / "best.json").write_text("[1, 2]")
    record = apply_apriori(files, FolderSource(folder))
    assert record.outcome is AprioriOutcome.UNAVAILABLE
    assert "best.json" in record.not_tried


def test_an_offset_that_is_absurd_is_refused(files, tmp_path):
    offsets = tmp_path / "gsc.json"
    offsets.write_text(json.dumps({rootname(path): [1.0, 1.0] for path in files}))
    record = apply_apriori(files, NoSource(), guide_stars=GuideStarFile(offsets))
    assert record.outcome is AprioriOutcome.UNAVAILABLE
    assert "too great" in record.not_tried


def test_a_headerlet_of_a_solution_reproduces_it(files, folder):
    apply_apriori(files, FolderSource(folder))
    path = folder / f"{rootname(files[0])}_HSC30_hlet.fits"
    with fits.open(path) as hdulist:
        terms = tuple(hdulist["SIPWCS", 1].header[k] for k in ("CRVAL1", "CRVAL2", "CD1_1"))
    header = fits.getheader(files[0], ("SCI", 1))
    assert terms == tuple(header[k] for k in ("CRVAL1", "CRVAL2", "CD1_1"))


def test_a_guide_star_catalogue_without_a_sensible_name_is_refused(files, tmp_path):
    offsets = tmp_path / "gsc.json"
    entry = {"deltaRA": 1e-5, "deltaDEC": 0.0, "outputCatalog": "../GSC240"}
    offsets.write_text(json.dumps({rootname(path): entry for path in files}))
    record = apply_apriori(files, NoSource(), guide_stars=GuideStarFile(offsets))
    assert record.outcome is AprioriOutcome.UNAVAILABLE
    assert "no sensible name" in record.not_tried


@pytest.fixture
def run(ir_pair, tmp_path):
    """A whole run without the a posteriori stage, with a folder of headerlets that a test may change first."""
    shutil.copytree(ir_pair.folder, tmp_path / "run")

    def runs():
        return process(
            tmp_path / "run" / ir_pair.input.name,
            headerlet_folder=tmp_path / "run" / "headerlets",
            align_to_gaia=False,
            environment=dict(ir_pair.environment),
        )

    return tmp_path / "run", runs


def test_solutions_that_are_not_applied_are_attached_all_the_same_and_by_a_replay_too(
    run, ir_pair, reference_environment
):
    folder, runs = run
    for path in (folder / "headerlets").glob(f"{ir_pair.rootnames[1]}_*"):
        path.unlink()
    record = runs()
    assert record.stages[2].outcome is StageOutcome.SKIPPED
    default, others = folder / ir_pair.flt[0].name, folder / ir_pair.flt[1].name
    assert "-" not in names(default)[0]
    assert sum("GSC240" in name for name in headerlets(default)) == sum("HSC30" in name for name in headerlets(default))
    assert sum("HSC30" in name for name in headerlets(default)) == 1
    assert headerlets(others) == []
    reference_environment(ir_pair)
    again = folder / "again"
    result = replay(folder / f"{record.root}_decisions.json", ir_pair.folder, again, SilentProgress())
    assert result.different == ()
    assert headerlets(again / default.name) == headerlets(default)


def test_a_solution_from_guide_stars_is_written_as_a_headerlet_that_stwcs_applies(run, ir_pair):
    folder, runs = run
    for path in (folder / "headerlets").glob("*_hlet.fits"):
        path.unlink()
    offsets = {root: [0.2 / 3600, -0.1 / 3600] for root in ir_pair.rootnames}
    (folder / "headerlets" / "guide_star_offsets.json").write_text(json.dumps(offsets))
    record = runs()
    flt = folder / ir_pair.flt[0].name
    written = folder / f"{flt.stem}_{names(flt)[0]}_hlet.fits"
    assert names(flt)[0].endswith("-GSC240")
    assert written.name in record.files
    fresh = with_default_wcs(ir_pair, folder / "fresh")[0]
    apply_by_stwcs(fresh, written)
    assert largest_difference_mas(sky(fresh), sky(flt)) < 1e-4
