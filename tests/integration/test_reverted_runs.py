"""Whole runs in which a WCS is taken back, or a fit fails: what stood before is what is delivered, and all say so."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tweakwcs.correctors
from astropy.io import fits
from astropy.table import Table
from attrs import frozen
from golden_runs import add_hot_pixels
from whole_runs import NO_SERVICES, copied

from astrodriz import (
    RunRecord,
    SimulatedAssociation,
    SimulationSpec,
    Stage,
    StageOutcome,
    Verdict,
    WcsOrigin,
    explain,
    read_record,
    simulate_association,
)
from astrodriz_core.decide.selection import standing_stage
from astrodriz_core.tell.verdict import alignment_sentence
from astrodriz_io.cli import astrodriz
from astrodriz_io.fits.files import open_fits
from astrodriz_io.run.stages import aposteriori
from astrodriz_io.simulate import FieldKind
from astrodriz_io.wcs.attached import attached_headerlets
from astrodriz_io.wcs.distortion import exposure_wcs

PIXEL = 0.12825 / 3600
"""Degrees, of WFC3/IR."""
TARGET = np.array([150.1, 2.2])


@frozen(eq=False)
class Finished:
    """What a run left."""

    record: RunRecord
    folder: Path
    code: int
    printed: str

    def stage(self, wanted: Stage):
        return next(stage for stage in self.record.stages if stage.stage is wanted)


@pytest.fixture
def finished(tmp_path, monkeypatch, capsys) -> Callable[..., Finished]:
    """Run a copy of an association from the command line, after a change of its files."""

    def run(association: SimulatedAssociation, change: Callable[[Path], None], *options: str) -> Finished:
        source = copied(association, tmp_path / "run")
        change(source.parent)
        for name, value in {**{n: str(p) for n, p in association.environment.items()}, **NO_SERVICES}.items():
            monkeypatch.setenv(name, value)
        local = ["--catalog", str(source.parent / "gaia.ecsv"), "--headerlets", str(source.parent / "headerlets")]
        capsys.readouterr()
        code = astrodriz(["run", str(source), *local, *options])
        record = read_record(source.with_name(source.name.replace("_asn.fits", "_decisions.json")))
        return Finished(record, source.parent, code, capsys.readouterr().out)

    return run


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """Four WFC3/IR exposures of 256 x 256 pixels of a star cluster, with a catalogue of all its stars."""
    spec = SimulationSpec(detector="WFC3/IR", size=256, sky=FieldKind.CROWDED)
    association = simulate_association(tmp_path_factory.mktemp("crowded"), spec)
    sources = Table.read(association.sources)
    stars = sources[sources["kind"] == "star"]
    Table({name: stars[name] for name in ("ra", "dec", "mag")}).write(association.catalogue, overwrite=True)
    return association


def headerlets(folder: Path, rootname: str = "") -> list[Path]:
    return sorted((folder / "headerlets").glob(f"{rootname}*_hlet.fits"))


def moved(pixels: float) -> Callable[[Path], None]:
    """The a priori solutions of the second exposure lie off their place."""

    def change(folder: Path) -> None:
        for path in headerlets(folder, "i00101a2q"):
            fits.setval(path, "CRVAL2", value=fits.getval(path, "CRVAL2", 1) + pixels * PIXEL, ext=1)

    return change


def stretched(folder: Path) -> None:
    """All a priori solutions are 2 % longer along the rows and shorter along the columns: the same pixel scale."""
    for path in headerlets(folder):
        with fits.open(path, mode="update") as hdus:
            header = hdus[1].header
            cd = np.array([[header[f"CD{i}_{j}"] for j in (1, 2)] for i in (1, 2)])
            stretch = cd @ np.diag([1.02, 1 / 1.02]) @ np.linalg.inv(cd)
            value = TARGET + stretch @ (np.array([header["CRVAL1"], header["CRVAL2"]]) - TARGET)
            for i in (0, 1):
                header[f"CRVAL{i + 1}"] = value[i]
                for j in (0, 1):
                    header[f"CD{i + 1}_{j + 1}"] = (stretch @ cd)[i, j]


NO_FIT = ("-g",)
REASONS = {
    "the headerlet of one exposure is off by two pixels": (
        moved(2.0), "the new product is misaligned: i00101a2q: offset 1.9", Verdict.MISALIGNED,
    ),
    "the headerlet of one exposure is off by a twentieth of a pixel": (
        moved(-0.05), "measured to be aligned, and this one is not as good: i00101a1q: offset 0", Verdict.ALIGNED,
    ),
    "all headerlets are stretched": (
        stretched, "it differs from the default product: similarity index 1.", Verdict.ALIGNED,
    ),
    "the headerlet of one exposure is off by an arcminute": (
        moved(470.0), "with the new WCS there is no place in the product for i00101a2q", Verdict.ALIGNED,
    ),
}  # fmt: skip


SLOW_REASONS = {"all headerlets are stretched", "the headerlet of one exposure is off by an arcminute"}
REASONS_OF_RUNS = [
    pytest.param(*reason, marks=pytest.mark.slow if name in SLOW_REASONS else (), id=name)
    for name, reason in REASONS.items()
]


@pytest.mark.parametrize(("change", "reason", "verdict"), REASONS_OF_RUNS)
def test_an_a_priori_wcs_is_taken_back(change, reason, verdict, finished, ir_association):
    run = finished(ir_association, change, *NO_FIT)
    tried = run.stage(Stage.A_PRIORI)
    assert tried.outcome is StageOutcome.REVERTED
    assert reason in tried.reason
    assert tried.verification.verdict is verdict
    assert {chip.wcsname for one in tried.wcs for chip in one.chips} == {"IDC_sim00101i-HSC30"}
    assert_that_the_default_is_delivered(run, tried)
    for name in ir_association.rootnames:
        with open_fits(run.folder / f"{name}_flt.fits") as hdus:
            attached = {headerlet[0].header["WCSNAME"] for _, headerlet in attached_headerlets(hdus)}
        assert "IDC_sim00101i-HSC30" in attached


def scaled_catalogue(folder: Path) -> None:
    """The catalogue has another scale than the sky."""
    catalogue = Table.read(folder / "gaia.ecsv")
    for name, middle in zip(("ra", "dec"), TARGET, strict=True):
        catalogue[name] = middle + 1.02 * (catalogue[name] - middle)
    catalogue.write(folder / "gaia.ecsv", overwrite=True)


@pytest.mark.slow
def test_a_fit_that_gives_another_picture_is_taken_back(finished, crowded, monkeypatch):
    monkeypatch.setenv("ASTROMETRY_APPLY_APRIORI", "off")
    run = finished(crowded, scaled_catalogue)
    tried = run.stage(Stage.A_POSTERIORI)
    assert tried.aposteriori.attempts[tried.aposteriori.chosen].fit.scale == pytest.approx(1.02, abs=0.005)
    assert "it differs from the default product: similarity index 1." in tried.reason
    assert_that_the_default_is_delivered(run, tried)


@pytest.fixture(scope="module")
def few_stars(tmp_path_factory):
    """Four WFC3/IR exposures of 256 x 256 pixels with 80 stars."""
    spec = SimulationSpec(detector="WFC3/IR", size=256, sky=FieldKind.CROWDED, stars=80)
    return simulate_association(tmp_path_factory.mktemp("few"), spec)


@pytest.mark.slow
def test_exposures_that_were_fitted_to_each_other_by_their_hot_pixels_are_taken_back(finished, few_stars, monkeypatch):
    monkeypatch.setenv("ASTROMETRY_APPLY_APRIORI", "off")
    run = finished(few_stars, lambda folder: add_hot_pixels(folder.glob("*_flt.fits")), "-p", "driz_cr=no")
    tried = run.stage(Stage.A_POSTERIORI)
    # The new product looks aligned, by the hot pixels; the stars are what it has lost.
    assert tried.verification.verdict is Verdict.ALIGNED
    assert max(abs(one.east_mas) for one in tried.aposteriori.relative.exposures) > 1000
    assert "it does not show the sources that are aligned in the default product" in tried.reason
    assert_that_the_default_is_delivered(run, tried)


def test_a_fit_that_puts_an_exposure_off_its_place_is_taken_back(finished, ir_association, monkeypatch):
    # No catalogue and no field was found with which the fit itself does that: its result is spoiled here.
    def spoiling(files, *arguments, **options):
        fitted = fitting(files, *arguments, **options)
        fits.setval(files[2], "CRVAL2", value=fits.getval(files[2], "CRVAL2", 1) + 2 * PIXEL, ext=1)
        return fitted

    fitting = aposteriori.align
    monkeypatch.setattr(aposteriori, "align", spoiling)
    monkeypatch.setenv("ASTROMETRY_APPLY_APRIORI", "off")
    run = finished(ir_association, lambda folder: None)
    tried = run.stage(Stage.A_POSTERIORI)
    assert "the new product is misaligned: i00101a3q: offset " in tried.reason
    assert tried.verification.worst.rootname == "i00101a3q"
    assert_that_the_default_is_delivered(run, tried)


def test_a_fit_that_cannot_be_written_fails_and_the_run_goes_on(finished, ir_association, monkeypatch):
    def refuse(*_, **__):
        raise ValueError("not supported")

    monkeypatch.setattr(tweakwcs.correctors.FITSWCSCorrector, "set_correction", refuse)
    monkeypatch.setenv("ASTROMETRY_APPLY_APRIORI", "off")
    run = finished(ir_association, lambda folder: None)
    failed = run.stage(Stage.A_POSTERIORI)
    assert failed.outcome is StageOutcome.FAILED
    assert "cannot be moved (not supported)" in failed.reason
    assert any(failed.reason in warning for warning in run.record.warnings)
    assert fits.getval(run.folder / "i00101010_drz.fits", "NOTTRIED") == "a posteriori"
    assert_that_the_default_is_delivered(run, failed, notes=1)


def assert_that_the_default_is_delivered(run: Finished, told, notes: int = 0) -> None:
    """The files have the pipeline-default WCS and its cosmic rays, and every report says why."""
    record, default, final = run.record, run.stage(Stage.DEFAULT), run.record.stages[-1]
    assert run.code == 0
    assert record.selection.chosen is WcsOrigin.PIPELINE_DEFAULT
    assert standing_stage(record) == default
    assert (final.drizzle, final.verification, final.wcs) == (default.drizzle, default.verification, default.wcs)
    for wcs in default.wcs:
        assert exposure_wcs(run.folder / f"{wcs.rootname}_flt.fits") == wcs
    for count in final.drizzle.cosmic_rays:
        flags = fits.getdata(run.folder / f"{count.rootname}_flt.fits", ("DQ", count.extver))
        assert np.count_nonzero(flags & 4096) == count.pixels
    product = run.folder / record.products[0].filename
    assert fits.getval(product, "WCSNAME", "SCI") == default.wcs[0].chips[0].wcsname
    assert ("NOTTRIED" in fits.getheader(product)) == bool(notes)
    assert not [path for path in run.folder.iterdir() if path.name.startswith(".")]
    page = (run.folder / f"{record.root}_report.html").read_text(encoding="utf-8")
    assert re.findall(r"<strong>([^<]*) \(in use\)</strong>", page) == ["default products"]
    trailer = (run.folder / f"{record.root}.tra").read_text(encoding="utf-8")
    for text in (page.partition("</header>")[0], trailer, run.printed, "\n".join(explain(record))):
        assert alignment_sentence(record) in text
        assert told.reason.partition(":")[0] in text
