"""From the one input file to the exposures: tables, switches, missing files, and names that are no names."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from astropy.io import fits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_files import write_asn, write_association, write_exposure, write_raw

from astrodriz_core.errors import InputError, MissingFilesError
from astrodriz_core.names import Rootname, rootname
from astrodriz_io.inputs.asn_table import read_asn_table
from astrodriz_io.inputs.association import DrizzleSwitch, InputKind, raw_idctab, read_association

ROOTS = ("iabc01aaq", "iabc01abq")


def test_table_gives_members_product_and_files(tmp_path: Path) -> None:
    association = read_association(write_association(tmp_path))
    assert association.kind is InputKind.ASSOCIATION
    assert association.rootname == "iabc01010"
    assert association.product == "iabc01010"
    assert association.flt == tuple(f"{root}_flt.fits" for root in ROOTS)
    assert association.flc == ()
    assert association.deciding == association.flt
    assert association.drizcorr is DrizzleSwitch.PERFORM
    assert association.path(association.flt[0]) == tmp_path / "iabc01aaq_flt.fits"


def test_names_come_in_any_case_with_blanks_and_nuls(tmp_path: Path) -> None:
    rows = [
        ("IABC01AAQ   ", "exp-dth ", True),
        ("iabc01abq\0x", "EXP-DTH\0", True),
        ("IABC01010 ", "Prod-Dth", True),
    ]
    table = read_asn_table(write_asn(tmp_path / "x_asn.fits", rows))
    assert table.members == (("iabc01aaq", "EXP-DTH"), ("iabc01abq", "EXP-DTH"))
    assert table.product == "iabc01010"


def test_absent_members_and_other_types_are_left_out(tmp_path: Path) -> None:
    rows = [
        ("IA", "EXP-DTH", True),
        ("IB", "EXP-DTH", False),
        ("IC", "CAL-DTH", True),
        ("ID", "PROD-DTH", False),
    ]
    table = read_asn_table(write_asn(tmp_path / "x_asn.fits", rows))
    assert table.members == (("ia", "EXP-DTH"),)
    assert table.product == "id"


def test_dithered_product_goes_before_others(tmp_path: Path) -> None:
    rows = [
        ("IA", "EXP-CR1", True),
        ("IA", "EXP-CR1", True),
        ("IP1", "PROD-CR1", True),
        ("IP2", "PROD-DTH", True),
    ]
    table = read_asn_table(write_asn(tmp_path / "x_asn.fits", rows))
    assert table.product == "ip2"
    assert len(table.members) == 1


def test_table_without_product_row_names_it_after_the_file(tmp_path: Path) -> None:
    write_association(tmp_path)
    asn = write_asn(tmp_path / "iabc01020_asn.fits", [("IABC01AAQ", "EXP-DTH", True)])
    assert read_association(asn).product == "iabc01020"


def test_every_missing_file_is_named_in_one_error(tmp_path: Path) -> None:
    asn = write_association(tmp_path)
    (tmp_path / "iabc01aaq_flt.fits").unlink()
    (tmp_path / "iabc01abq_flt.fits").unlink()
    (tmp_path / "iabc01abq_raw.fits").unlink()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(MissingFilesError) as caught:
        read_association(asn)
    assert caught.value.files == ("iabc01aaq_flt", "iabc01abq_raw", "iabc01abq_flt")
    assert "File iabc01aaq_flt not found." in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before


def test_force_needs_no_raw_files(tmp_path: Path) -> None:
    asn = write_association(tmp_path)
    for root in ROOTS:
        (tmp_path / f"{root}_raw.fits").unlink()
    association = read_association(asn, force=True)
    assert association.drizcorr is DrizzleSwitch.FORCED
    assert association.to_be_drizzled


@pytest.mark.parametrize(
    ("switch", "expected", "runs"),
    [
        ("PERFORM", DrizzleSwitch.PERFORM, True),
        ("COMPLETE", DrizzleSwitch.COMPLETE, True),
        ("OMIT", DrizzleSwitch.OMIT, False),
        ("SKIPPED", DrizzleSwitch.OMIT, False),
        (None, DrizzleSwitch.ABSENT, False),
    ],
)
def test_switch_of_the_raw_file_decides(
    tmp_path: Path, switch: str | None, expected: DrizzleSwitch, runs: bool
) -> None:
    raw = write_raw(tmp_path / "iabc01aaq_raw.fits", switch)
    write_exposure(tmp_path / "iabc01aaq_flt.fits")
    association = read_association(raw)
    assert association.kind is InputKind.RAW
    assert association.drizcorr is expected
    assert association.to_be_drizzled is runs
    assert read_association(raw, force=True).to_be_drizzled
    assert read_association(raw, force=True).switched_off_by == ()


@pytest.mark.parametrize(
    ("switch", "told"),
    [
        ("PERFORM", []),
        ("OMIT", ["iabc01abq_raw.fits: DRIZCORR is OMIT"]),
        ("SKIPPED", ["iabc01abq_raw.fits: DRIZCORR is SKIPPED, which counts as OMIT"]),
        (None, ["iabc01abq_raw.fits: DRIZCORR is missing, which counts as OMIT"]),
    ],
)
def test_what_switches_a_run_off_is_told_with_its_file_and_its_value(
    tmp_path: Path, switch: str | None, told: list[str]
) -> None:
    asn = write_association(tmp_path)
    (tmp_path / "iabc01abq_raw.fits").unlink()
    write_raw(tmp_path / "iabc01abq_raw.fits", switch)
    assert [str(found) for found in read_association(asn).switched_off_by] == told


def test_one_omit_stops_the_whole(tmp_path: Path) -> None:
    asn = write_association(tmp_path)
    fits.setval(tmp_path / "iabc01abq_raw.fits", "DRIZCORR", value="OMIT")
    association = read_association(asn)
    assert [member.drizcorr for member in association.members] == [DrizzleSwitch.PERFORM, DrizzleSwitch.OMIT]
    assert not association.to_be_drizzled


@pytest.mark.parametrize("instrument", ["STIS", "NICMOS"])
def test_instruments_without_the_switch_run(tmp_path: Path, instrument: str) -> None:
    suffix = "cal" if instrument == "NICMOS" else "flt"
    raw = write_raw(tmp_path / "oabc01aaq_raw.fits", None, INSTRUME=instrument)
    write_exposure(tmp_path / f"oabc01aaq_{suffix}.fits", f"{instrument}/{'1' if suffix == 'cal' else 'CCD'}")
    association = read_association(raw)
    assert association.flt == (f"oabc01aaq_{suffix}.fits",)
    assert association.to_be_drizzled


def test_bare_exposure_needs_no_raw_and_takes_its_own_switch(tmp_path: Path) -> None:
    flt = write_exposure(tmp_path / "iabc01aaq_flt.fits", primary={"DRIZCORR": "COMPLETE"})
    association = read_association(flt)
    assert association.kind is InputKind.EXPOSURE
    assert association.product == "iabc01aaq"
    assert association.drizcorr is DrizzleSwitch.COMPLETE
    assert association.to_be_drizzled
    assert raw_idctab(association, Rootname("iabc01aaq")) is None


def test_bare_exposure_brings_its_companion(tmp_path: Path) -> None:
    for suffix in ("flt", "flc"):
        write_exposure(tmp_path / f"jabc01aaq_{suffix}.fits", "ACS/WFC")
    association = read_association(tmp_path / "jabc01aaq_flc.fits")
    assert association.flt == ("jabc01aaq_flt.fits",)
    assert association.deciding == ("jabc01aaq_flc.fits",)
    assert association.exposures == ("jabc01aaq_flt.fits", "jabc01aaq_flc.fits")


def test_flc_of_some_members_only_are_left_aside(tmp_path: Path) -> None:
    asn = write_association(tmp_path)
    shutil.copy(tmp_path / "iabc01aaq_flt.fits", tmp_path / "iabc01aaq_flc.fits")
    association = read_association(asn)
    assert association.deciding == association.flt
    assert association.lone_flc == ("iabc01aaq_flc.fits",)


def test_file_names_on_disk_may_have_any_case(tmp_path: Path) -> None:
    asn = write_association(tmp_path)
    (tmp_path / "iabc01aaq_flt.fits").rename(tmp_path / "IABC01AAQ_FLT.fits")
    assert read_association(asn).flt[0] == "IABC01AAQ_FLT.fits"


def test_raw_idctab_is_read_for_each_member(tmp_path: Path) -> None:
    asn = write_association(tmp_path)
    fits.setval(tmp_path / "iabc01abq_raw.fits", "IDCTAB", value="iref$new_idc.fits")
    association = read_association(asn)
    assert raw_idctab(association, Rootname("iabc01aaq")) is None
    assert raw_idctab(association, Rootname("iabc01abq")) == "iref$new_idc.fits"


@pytest.mark.parametrize("name", ["iabc.fits", "x_drz.fits", "asn.fits", "x_asn.txt"])
def test_other_inputs_are_refused(tmp_path: Path, name: str) -> None:
    fits.PrimaryHDU().writeto(tmp_path / "x_drz.fits")
    with pytest.raises(InputError, match="not the name of an input"):
        read_association(tmp_path / name)


def test_input_that_is_not_there_is_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MissingFilesError, match=r"File nothing_asn.fits not found"):
        read_association(tmp_path / "nothing_asn.fits")


@pytest.mark.parametrize("content", [b"", b"no FITS at all", b"SIMPLE  =                    T" + b" " * 4000])
def test_damaged_input_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "iabc01010_asn.fits"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_association(path)
    assert "iabc01010_asn.fits" in str(caught.value)


def test_table_without_exposures_is_refused(tmp_path: Path) -> None:
    asn = write_asn(tmp_path / "x_asn.fits", [("IP", "PROD-DTH", True)])
    with pytest.raises(InputError, match="nothing to process"):
        read_association(asn)


def test_file_without_a_table_is_refused(tmp_path: Path) -> None:
    fits.PrimaryHDU().writeto(tmp_path / "x_asn.fits")
    with pytest.raises(InputError, match="no ASN table"):
        read_association(tmp_path / "x_asn.fits")


@pytest.mark.parametrize("column", ["MEMNAME", "MEMTYPE", "MEMPRSNT"])
def test_missing_column_is_a_typed_error(tmp_path: Path, column: str) -> None:
    asn = write_asn(tmp_path / "x_asn.fits", [("IA", "EXP-DTH", True)])
    with fits.open(asn, mode="update") as hdulist:
        hdulist[1].columns.change_name(column, "OTHER")
    with pytest.raises(InputError, match=column):
        read_association(asn)


HOSTILE = [
    "../x",
    "/etc/passwd",
    "a/b",
    "a\\b",
    "*",
    "a?c",
    "[ab]",
    "$HOME",
    "jref$x",
    "~root",
    "a.b",
    "",
    "-a",
    "a b",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_member_names_that_are_no_roots_are_refused_with_their_row(tmp_path: Path, name: str) -> None:
    asn = write_asn(tmp_path / "x_asn.fits", [("IA", "EXP-DTH", True), (name, "EXP-DTH", True)])
    with pytest.raises(InputError, match="row 2"):
        read_association(asn)


@given(st.text(min_size=1))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_root_is_plain_or_refused(name: str) -> None:
    try:
        root = rootname(name, "x")
    except InputError:
        return
    assert root.isascii()
    assert root.replace("_", "a").replace("-", "a").isalnum()
    assert Path("folder", f"{root}_flt.fits").parent == Path("folder")
