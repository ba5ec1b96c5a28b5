"""Names of WCS solutions: parsing is the inverse of building, and the order of preference is the published one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrodriz_core.records.common import WcsOrigin
from astrodriz_core.solutions.wcsnames import (
    a_posteriori_name,
    a_priori_name,
    parse_wcsname,
    rank_a_priori,
    rank_preferred,
    wcs_type,
)

IDCTABS = st.from_regex(r"[a-z0-9]{6,9}", fullmatch=True)
FAMILIES = st.sampled_from(["GSC240", "GSC242", "HSC30", "HSC31"])
CATALOGS = st.sampled_from(["GAIAeDR3", "GAIADR3", "GAIADR2", "GAIADR1", "2MASS", "GSC242"])


@given(IDCTABS, FAMILIES)
def test_an_a_priori_name_is_taken_apart_into_what_it_was_built_from(idctab, family):
    name = parse_wcsname(a_priori_name(idctab, family))
    assert (name.idctab, name.family, name.fit, name.catalog) == (idctab, family, None, None)
    assert name.origin is WcsOrigin.A_PRIORI


@given(IDCTABS, st.sampled_from(["REL", "IMG"]), CATALOGS, st.sampled_from(["", "-GSC240", "-FIT_REL_GAIADR2"]))
def test_a_fit_is_named_after_the_distortion_file_of_the_wcs_before(idctab, fit, catalog, suffix):
    name = parse_wcsname(a_posteriori_name(f"IDC_{idctab}{suffix}", fit, catalog))
    assert (name.idctab, name.fit, name.catalog, name.family) == (idctab, fit, catalog, None)
    assert name.origin is WcsOrigin.A_POSTERIORI


@given(st.text(max_size=40))
def test_any_text_is_accepted(text):
    name = parse_wcsname(text)
    assert name.text == text.strip()
    assert isinstance(wcs_type(text), str)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("OPUS", WcsOrigin.PIPELINE_DEFAULT),
        ("IDC_w3m18525i", WcsOrigin.PIPELINE_DEFAULT),
        ("idc_w3m18525i-gsc240", WcsOrigin.A_PRIORI),
        ("IDC_11d1433lj-GSC240-1", WcsOrigin.A_PRIORI),
        ("IDC_0461802ej-FIT_SVM_GAIADR2", WcsOrigin.A_POSTERIORI),
        ("TWEAK", None),
        ("", None),
    ],
)
def test_the_stage_of_a_solution_shows_in_its_name(text, origin):
    assert parse_wcsname(text).origin is origin


@pytest.mark.parametrize(
    ("text", "description"),
    [
        ("OPUS", "pipeline default not aligned"),
        ("IDC_w3m18525i", "undistorted not aligned"),
        ("IDC_w3m18525i-HSC30", "undistorted a priori solution based on HSC30"),
        ("IDC_x1-FIT_REL_GAIAeDR3", "undistorted a posteriori solution relatively aligned to GAIAeDR3"),
        ("IDC_x1-FIT_IMG_GAIADR2", "undistorted a posteriori solution aligned image-by-image to GAIADR2"),
        ("TWEAK", "user-defined"),
    ],
)
def test_wcstype_describes_a_solution_in_the_terms_of_the_archive(text, description):
    assert wcs_type(text) == description


def test_hsc_is_preferred_to_gsc_to_a_bare_idc_to_opus_and_fits_are_left_out():
    names = ["OPUS", "IDC_a1", "IDC_a1-GSC240", "IDC_a1-FIT_REL_GAIADR2", "TWEAK", "IDC_a1-HSC30", "IDC_a1-GSC242"]
    expected = ("IDC_a1-HSC30", "IDC_a1-GSC242", "IDC_a1-GSC240", "IDC_a1", "OPUS")
    assert rank_a_priori(names) == expected


def test_fits_to_the_newest_gaia_come_before_all_else_and_relative_ones_before_image_by_image():
    names = [
        "IDC_a1-GSC240",
        "TWEAK",
        "IDC_a1-FIT_IMG_GAIAeDR3",
        "IDC_a1-FIT_REL_GAIADR2",
        "IDC_a1-FIT_REL_2MASS",
        "IDC_a1-FIT_REL_GAIAeDR3",
        "IDC_a1",
    ]
    expected = (
        "IDC_a1-FIT_REL_GAIAeDR3",
        "IDC_a1-FIT_IMG_GAIAeDR3",
        "IDC_a1-FIT_REL_GAIADR2",
        "IDC_a1-FIT_REL_2MASS",
        "IDC_a1-GSC240",
        "IDC_a1",
        "TWEAK",
    )
    assert rank_preferred(names) == expected
