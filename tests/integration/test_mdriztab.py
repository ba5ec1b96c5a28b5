"""Parameters from MDRIZTAB, the bundled table, files and options, in their order."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from astropy.io import fits
from attrs import fields
from hypothesis import given
from hypothesis import strategies as st
from tiny_files import write_exposure, write_mdriztab

from astrodriz import DrizzleParameters, drizzle_parameters, with_values
from astrodriz_core.errors import InputError, MissingFilesError, ReferenceFileError, UsageError
from astrodriz_core.instruments.detectors import DETECTORS
from astrodriz_core.parameters.choices import CombineType, SkyMethod
from astrodriz_core.parameters.drizzle import Kernel
from astrodriz_io.inputs.exposures import Exposure, read_exposure
from astrodriz_io.inputs.mdriztab import read_mdriztab
from astrodriz_io.inputs.parameters import BundledSelection, bundled_parameters
from astrodriz_io.inputs.parameters_toml import parameters_to_toml
from astrodriz_io.inputs.reference_folders import ReferenceFolders


def row(filters: str, numimages: int, **values: object) -> dict[str, object]:
    return {
        "filter": filters,
        "numimages": numimages,
        "coeffs": "header",
        "skylower": -100.0,
        "skyupper": float("nan"),
        "static": True,
        "resetbits": 0,
        "driz_cr_snr": "5.0 4.0",
        "final_bits": "528",
        "final_fillval": "INDEF",
        "final_scale": 0.06,
        "combine_type": "minmed",
        **values,
    }


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = [
        row("ANY", 1, final_bits="1"),
        row("ANY", 2, final_bits="2"),
        row("ANY", 4, final_bits="4"),
        row("F160W", 3, final_bits="163"),
    ]
    return write_mdriztab(tmp_path / "a_mdz.fits", rows)


def exposures(folder: Path, count: int, table_name: str = "N/A", **primary: object) -> list[Exposure]:
    paths = (folder / f"iabc01a{i}q_flt.fits" for i in range(count))
    return [read_exposure(write_exposure(path, primary={"MDRIZTAB": table_name, **primary})) for path in paths]


@pytest.mark.parametrize(("n", "expected"), [(1, 1), (2, 2), (3, 2), (4, 3), (40, 3)])
def test_row_with_the_largest_number_not_above(table: Path, n: int, expected: int) -> None:
    assert read_mdriztab(table, ("F140W",), n).row == expected


def test_order_of_the_rows_does_not_matter(tmp_path: Path) -> None:
    shuffled = [row("ANY", 4), row("ANY", 1), row("ANY", 2)]
    path = write_mdriztab(tmp_path / "a_mdz.fits", shuffled)
    assert [read_mdriztab(path, (), n).row for n in (1, 2, 3, 4)] == [2, 3, 3, 1]


def test_row_of_the_filter_goes_before_any(table: Path) -> None:
    assert read_mdriztab(table, ("F160W",), 3).row == 4
    with pytest.raises(ReferenceFileError, match="no row for 2 exposures"):
        read_mdriztab(table, ("F160W",), 2)


def test_filters_are_joined_by_a_comma(tmp_path: Path) -> None:
    path = write_mdriztab(tmp_path / "a_mdz.fits", [row("ANY", 1), row("F606W,CLEAR2L", 1)])
    assert read_mdriztab(path, ("F606W", "CLEAR2L"), 1).row == 2


def test_values_are_read_as_they_stand(tmp_path: Path, table: Path) -> None:
    folders = ReferenceFolders.from_environment({"iref": str(tmp_path)})
    resolved = drizzle_parameters(exposures(tmp_path, 4, "iref$a_mdz.fits"), folders)
    assert resolved.table == "MDRIZTAB a_mdz.fits, row 3"
    assert not resolved.bundled
    assert resolved.mdriztab is not None
    parameters = resolved.parameters
    assert parameters.coeffs
    assert (parameters.skylower, parameters.skyupper) == (-100.0, None)
    assert parameters.driz_cr_snr == (5.0, 4.0)
    assert parameters.final_bits == 4
    assert parameters.final_frame is None, "a table's frame is off unless final_wcs is on"
    sources = {source.name: source.source for source in resolved.sources}
    assert sources["final_bits"] == "MDRIZTAB a_mdz.fits, row 3"
    assert sources["driz_sep_fillval"].startswith("pipeline: ")
    assert sources["resetbits"].startswith("pipeline: ")
    assert parameters.resetbits == 4096


def test_float32_columns_give_the_number_that_was_meant(tmp_path: Path) -> None:
    import numpy as np

    path = write_mdriztab(tmp_path / "a_mdz.fits", [row("ANY", 1, combine_maskpt=0.3)])
    from astropy.io import fits

    with fits.open(path) as hdulist:
        columns = [
            fits.Column(c.name, "E" if c.format == "D" else c.format, array=hdulist[1].data[c.name])
            for c in hdulist[1].columns
        ]
        fits.BinTableHDU.from_columns(columns).writeto(tmp_path / "b_mdz.fits")
    values = dict(read_mdriztab(tmp_path / "b_mdz.fits", (), 1).values)
    assert with_values(DrizzleParameters(), values).combine_maskpt == 0.3
    assert float(np.float32(0.3)) != 0.3


def test_old_names_and_foreign_columns(tmp_path: Path) -> None:
    old = {"filter": "ANY", "numimages": 1, "subsky": True, "crbitval": 64, "bits": "8", "shiftfile": "x.txt"}
    path = write_mdriztab(tmp_path / "a_mdz.fits", [{**old, "clean": False, "runfile": ""}])
    found = read_mdriztab(path, (), 1)
    assert dict(found.values) == {"skysub": "True", "crbit": "64", "driz_sep_bits": "8", "final_bits": "8"}
    assert found.ignored == ("shiftfile", "clean")


def test_bad_value_in_the_table_names_table_and_row(tmp_path: Path) -> None:
    write_mdriztab(tmp_path / "a_mdz.fits", [row("ANY", 1, combine_type="worst")])
    folders = ReferenceFolders.from_environment({"iref": str(tmp_path)})
    with pytest.raises(ReferenceFileError, match=r"a_mdz.fits, row 1: combine_type cannot be 'worst'"):
        drizzle_parameters(exposures(tmp_path, 1, "iref$a_mdz.fits"), folders)


def test_damaged_table_is_a_reference_error(tmp_path: Path) -> None:
    (tmp_path / "a_mdz.fits").write_bytes(b"nothing")
    with pytest.raises(ReferenceFileError, match=r"a_mdz.fits"):
        read_mdriztab(tmp_path / "a_mdz.fits", (), 1)


@pytest.mark.parametrize("name", ["N/A", "iref$gone_mdz.fits"])
def test_without_a_table_the_bundled_one_holds_and_is_flagged(tmp_path: Path, name: str) -> None:
    resolved = drizzle_parameters(exposures(tmp_path, 4, name), ReferenceFolders())
    assert resolved.bundled
    assert resolved.table == "bundled table, WFC3/IR any_n4"
    assert resolved.parameters.combine_type is CombineType.MEDIAN
    assert {source.source for source in resolved.sources} >= {"bundled table, WFC3/IR any_n4"}


@pytest.mark.parametrize(
    ("name", "folders", "told"),
    [
        ("N/A", ReferenceFolders(), "iabc01a0q_flt.fits names no MDRIZTAB"),
        (
            "iref$gone_mdz.fits",
            ReferenceFolders(variables=(("iref", Path("/x")), ("jref", Path("/y"))), crds=Path("/z")),
            "iabc01a0q_flt.fits names the MDRIZTAB iref$gone_mdz.fits, which was not found "
            "(looked in the folder of iref, the CRDS cache)",
        ),
        ("iref$gone_mdz.fits", ReferenceFolders(), "nowhere: neither iref nor CRDS_PATH is set"),
        ("gone_mdz.fits", ReferenceFolders(), "looked in the folder of the exposure"),
        ("home$gone_mdz.fits", ReferenceFolders(), "home$gone_mdz.fits, which is not behind one of the variables iref"),
    ],
)
def test_a_table_that_is_missing_is_told_with_its_name_its_exposure_and_where_it_was_looked_for(
    tmp_path: Path, name: str, folders: ReferenceFolders, told: str
) -> None:
    (warning,) = drizzle_parameters(exposures(tmp_path, 4, name), folders).warnings
    assert told in warning
    assert warning.endswith("; the drizzle parameters are those of the bundled table, WFC3/IR any_n4")
    assert str(tmp_path) not in warning


def test_an_exposure_that_names_another_table_is_told(tmp_path: Path) -> None:
    found = exposures(tmp_path, 3, "N/A")
    fits.setval(found[1].path, "MDRIZTAB", value="iref$other_mdz.fits")
    warnings = drizzle_parameters(found, ReferenceFolders()).warnings
    assert len(warnings) == 2
    assert "iabc01a1q_flt.fits names the MDRIZTAB iref$other_mdz.fits, iabc01a0q_flt.fits names N/A" in warnings[1]


def test_a_missing_time_that_decides_on_the_row_is_told(tmp_path: Path) -> None:
    path = write_exposure(tmp_path / "iabc01aaq_flt.fits", "WFC3/UVIS")
    fits.delval(path, "EXPSTART")
    warnings = drizzle_parameters([read_exposure(path)], ReferenceFolders()).warnings
    assert any("iabc01aaq_flt.fits has no EXPSTART" in warning for warning in warnings)


def test_only_exposures_that_can_be_combined_count(tmp_path: Path) -> None:
    good = exposures(tmp_path, 3)
    lost = read_exposure(write_exposure(tmp_path / "iabc01zzq_flt.fits", primary={"EXPTIME": 0.0}))
    assert drizzle_parameters([*good, lost], ReferenceFolders()).table.endswith("any_n2")
    assert drizzle_parameters([lost], ReferenceFolders()).table.endswith("any_n1")


def test_file_and_options_come_on_top_in_that_order(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('final_pixfrac = 0.8\nfinal_kernel = "turbo"\ndriz_sep_kernel = "square"\n')
    resolved = drizzle_parameters(
        exposures(tmp_path, 2),
        ReferenceFolders(),
        parameter_file=file,
        overrides=[("final_pixfrac", "0.6"), ("final_scale", "0.06")],
    )
    parameters = resolved.parameters
    assert (parameters.final_pixfrac, parameters.final_kernel) == (0.6, Kernel.TURBO)
    assert parameters.driz_sep_kernel is Kernel.SQUARE, "a user's wish goes before the pipeline's"
    assert parameters.final_frame is not None
    assert parameters.final_frame.scale == 0.06
    sources = {source.name: source.source for source in resolved.sources}
    assert sources["final_kernel"] == "file mine.toml"
    assert sources["final_pixfrac"] == "option -p final_pixfrac"
    assert sources["final_wcs"] == "option -p final_scale"


def test_one_exposure_takes_no_step_that_needs_two(tmp_path: Path) -> None:
    resolved = drizzle_parameters(exposures(tmp_path, 1), ReferenceFolders(), overrides=[("driz_cr", "yes")])
    parameters = resolved.parameters
    assert not any((parameters.static, parameters.median, parameters.blot, parameters.driz_cr))
    assert parameters.skymethod is SkyMethod.LOCALMIN


def test_unknown_name_in_a_file_is_told_with_the_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("final_pixfac = 0.8\n")
    with pytest.raises(UsageError, match=r"mine.toml: 'final_pixfac' .* Did you mean final_pixfrac"):
        drizzle_parameters(exposures(tmp_path, 2), ReferenceFolders(), parameter_file=file)


def test_file_that_is_no_toml(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("final_pixfrac 0.8")
    with pytest.raises(InputError, match=r"mine.toml: cannot be read as TOML"):
        drizzle_parameters(exposures(tmp_path, 2), ReferenceFolders(), parameter_file=file)
    with pytest.raises(MissingFilesError, match=r"gone.toml"):
        drizzle_parameters(exposures(tmp_path, 2), ReferenceFolders(), parameter_file=tmp_path / "gone.toml")


@pytest.mark.parametrize("detector", sorted(DETECTORS))
@pytest.mark.parametrize("n", [1, 2, 3, 5, 9])
def test_every_detector_has_bundled_parameters(detector: str, n: int) -> None:
    parameters, name = bundled_parameters(BundledSelection(detector, n))
    assert name.startswith(f"{detector} any_n")
    assert int(name.rpartition("_n")[2]) <= n
    assert not (n == 1 and parameters.driz_cr)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (BundledSelection("WFC3/IR", 3, ("G141",)), "WFC3/IR grism_n2"),
        (BundledSelection("WFC3/IR", 1, ("G141",)), "WFC3/IR any_n1"),
        (BundledSelection("ACS/SBC", 6, ("F122M",)), "ACS/SBC blue_n6"),
        (BundledSelection("WFC3/UVIS", 2, ("F606W",), 56000.0), "WFC3/UVIS pre2012_n2"),
        (BundledSelection("WFC3/UVIS", 2, ("F606W",), 57000.0), "WFC3/UVIS any_n2"),
    ],
)
def test_variants_of_the_bundled_table(selection: BundledSelection, expected: str) -> None:
    assert bundled_parameters(selection)[1] == expected


def test_unknown_detector_lists_those_of_the_bundled_table() -> None:
    for name in ("COS/FUV", "common"):
        with pytest.raises(UsageError, match="ACS/HRC"):
            bundled_parameters(BundledSelection(name, 1))
    with pytest.raises(UsageError, match="number of exposures"):
        bundled_parameters(BundledSelection("ACS/WFC", 0))


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "final_scale": st.floats(0.001, 10),
            "skyupper": st.none() | st.floats(-1e30, 1e30),
            "final_refimage": st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
            "final_bits": st.none() | st.integers(-65536, 65535),
            "combine_nsigma": st.tuples(st.floats(0, 100), st.floats(0, 100)),
            "blot_interp": st.sampled_from(["linear", "lan3", "sinc"]),
            "static": st.booleans(),
        },
    )
)
def test_toml_is_read_back_unchanged(values: dict[str, object]) -> None:
    parameters = with_values(DrizzleParameters(), values)
    assert with_values(DrizzleParameters(), tomllib.loads(parameters_to_toml(parameters))) == parameters


def test_toml_has_its_comments_first_and_then_a_line_for_every_parameter() -> None:
    parameters = with_values(DrizzleParameters(), {"driz_cr_snr": "5 4"})
    lines = parameters_to_toml(parameters, ["One.", "Another."]).splitlines()
    assert lines[:2] == ["# One.", "# Another."]
    assert [line.partition(" = ")[0] for line in lines[2:]] == [item.name for item in fields(DrizzleParameters)]
    assert "driz_cr_snr = [5.0, 4.0]" in lines
