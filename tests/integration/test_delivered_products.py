"""What a run delivers is what it verified, and every report of it says so."""

import re
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from whole_runs import run

from astrodriz import Verdict, WcsOrigin, explain
from astrodriz_core.combine.masks import unpack_mask
from astrodriz_core.decide.selection import standing_stage, standing_verification
from astrodriz_core.tell.verdict import alignment_sentence, last_line
from astrodriz_io.commands.run import describe_run
from astrodriz_io.record_files.sidecar import Piece, read_sidecar
from astrodriz_io.run import context


@pytest.fixture(params=["ir_run", "acs_run"])
def a_run(request):
    return request.getfixturevalue(request.param)


def test_the_last_stage_delivers_the_combination_of_the_stage_that_won_with_its_judgement(a_run):
    record, _ = a_run
    final, standing = record.stages[-1], standing_stage(record)
    assert record.selection.chosen is WcsOrigin.A_POSTERIORI
    assert final.drizzle == standing.drizzle
    assert final.wcs == standing.wcs
    assert final.verification == standing.verification == standing_verification(record)
    assert final.verification is not None


def test_the_file_has_the_very_pixels_that_were_measured_and_nothing_is_combined_afterwards(
    ir_association, tmp_path, monkeypatch
):
    measured, combine = [], context.combine_exposures
    monkeypatch.setattr(context, "combine_exposures", lambda *a, **b: measured.append(combine(*a, **b)) or measured[-1])
    record = run(ir_association, tmp_path / "run")
    assert [one.record.cosmic_rays_from for one in measured] == [
        "the default combination",
        "the a_priori combination",
        "the a_posteriori combination",
    ]
    won = next(one for one in measured if one.record == standing_stage(record).drizzle)
    with fits.open(tmp_path / "run" / record.products[0].filename) as hdus:
        np.testing.assert_array_equal(hdus["SCI"].data, won.final.sci)
        np.testing.assert_array_equal(hdus["WHT"].data, won.final.wht)


def test_cosmic_rays_in_the_exposures_are_those_of_the_delivered_products(a_run):
    record, folder = a_run
    final = record.stages[-1]
    files = {"flc": final.drizzle, "flt": final.companions} if final.companions else {"flt": final.drizzle}
    with read_sidecar(folder, record.sidecar) as sidecar:
        for suffix, drizzle in files.items():
            for count in drizzle.cosmic_rays:
                flags = fits.getdata(folder / f"{count.rootname}_{suffix}.fits", ("DQ", count.extver))
                mask = unpack_mask(sidecar.get(Piece.MASK, count.mask.sha256), count.mask.shape)
                np.testing.assert_array_equal(flags & 4096 != 0, mask)


def test_the_product_of_the_companions_is_verified_too(acs_run):
    record, _ = acs_run
    judged = record.stages[-1].companions_verification
    assert judged.verdict is Verdict.ALIGNED
    assert [each.rootname for each in judged.measurements.registration] == list(record.products[1].exposures)


def test_page_trailer_terminal_and_explanation_of_a_real_run_agree(a_run):
    record, folder = a_run
    sentence = alignment_sentence(record)
    assert re.fullmatch(r"Exposures agree to \d+\.\d \+- \d+\.\d mas\.", sentence)
    page = Path(folder / f"{record.root}_report.html").read_text(encoding="utf-8")
    head = page.partition("</header>")[0]
    assert sentence in head
    assert "Not verified" not in page
    assert f"<dd>{standing_verification(record).worst.offset_pix:.3f} px</dd>" in head
    assert re.findall(r"<strong>([^<]*) \(in use\)</strong>", page) == [record.selection.chosen.value]
    assert sentence in (folder / f"{record.root}.tra").read_text(encoding="utf-8")
    assert sentence in last_line(record)
    assert describe_run(record)[-1] == explain(record)[-1] == last_line(record)
