"""Reference files: known variables and plain names are found, everything else is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from astrodriz_core.errors import ReferenceFileError
from astrodriz_io.inputs.reference_folders import ReferenceFolders
from astrodriz_io.inputs.references import distortion_references, resolve_reference
from astrodriz_io.storage.digests import sha256_of


def folders_with(folder: Path, *names: str, variable: str = "jref") -> ReferenceFolders:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(name.encode())
    return ReferenceFolders.from_environment({variable: f"{folder}/"})


def test_variable_leads_to_its_folder(tmp_path: Path) -> None:
    folders = folders_with(tmp_path / "refs", "a_idc.fits")
    found = resolve_reference("jref$a_idc.fits", "IDCTAB", "x_flt.fits", folders)
    assert found is not None
    assert found.path == tmp_path / "refs" / "a_idc.fits"
    assert found.name == "a_idc.fits"


def test_variables_are_found_in_any_case(tmp_path: Path) -> None:
    folders = folders_with(tmp_path, "a_idc.fits")
    assert resolve_reference("JREF$a_idc.fits", "IDCTAB", "x", folders) is not None


@pytest.mark.parametrize("layout", ["references/hst/wfc3", "references/hst", "."])
def test_crds_cache_may_be_nested_or_flat(tmp_path: Path, layout: str) -> None:
    folders_with(tmp_path / layout, "a_idc.fits")
    folders = ReferenceFolders.from_environment({"CRDS_PATH": str(tmp_path)})
    found = resolve_reference("iref$a_idc.fits", "IDCTAB", "x", folders)
    assert found is not None
    assert found.path.samefile(tmp_path / layout / "a_idc.fits")


def test_own_variable_goes_before_the_cache(tmp_path: Path) -> None:
    folders_with(tmp_path / "cache" / "references/hst/acs", "a_idc.fits")
    folders_with(tmp_path / "own", "a_idc.fits")
    folders = ReferenceFolders.from_environment({"jref": str(tmp_path / "own"), "CRDS_PATH": str(tmp_path / "cache")})
    found = resolve_reference("jref$a_idc.fits", "IDCTAB", "x", folders)
    assert found is not None
    assert found.path.parent == tmp_path / "own"


def test_one_variable_does_not_stand_for_another(tmp_path: Path) -> None:
    folders = folders_with(tmp_path, "a_idc.fits", variable="iref")
    with pytest.raises(ReferenceFileError):
        resolve_reference("jref$a_idc.fits", "IDCTAB", "x", folders)


def test_bare_name_is_looked_for_beside_the_exposure_first(tmp_path: Path) -> None:
    folders = folders_with(tmp_path / "refs", "a_idc.fits")
    beside = tmp_path / "data"
    folders_with(beside, "a_idc.fits")
    found = resolve_reference("a_idc.fits", "IDCTAB", "x", folders, beside=beside)
    elsewhere = resolve_reference("a_idc.fits", "IDCTAB", "x", folders)
    assert found is not None
    assert elsewhere is not None
    assert (found.path.parent, elsewhere.path.parent) == (beside, tmp_path / "refs")


@pytest.mark.parametrize("value", ["", "  ", "N/A", "n/a", "NONE", "INDEF"])
def test_no_file_named_is_none(value: str) -> None:
    assert resolve_reference(value, "IDCTAB", "x", ReferenceFolders()) is None


def test_missing_file_names_file_keyword_exposure_and_variables(tmp_path: Path) -> None:
    folders = ReferenceFolders.from_environment({"jref": str(tmp_path)})
    with pytest.raises(ReferenceFileError) as caught:
        resolve_reference("jref$gone_idc.fits", "IDCTAB", "jabc_flc.fits", folders)
    for part in ("gone_idc.fits", "IDCTAB", "jabc_flc.fits", "jref", "CRDS_PATH", str(tmp_path)):
        assert part in str(caught.value)


def test_unset_variables_are_said_to_be_unset() -> None:
    with pytest.raises(ReferenceFileError, match="not set"):
        resolve_reference("jref$a_idc.fits", "IDCTAB", "x", ReferenceFolders.from_environment({"jref": ""}))


TRICKS = [
    "HOME$a_idc.fits",
    "jref$../a_idc.fits",
    "jref$/etc/passwd",
    "/etc/passwd",
    "../a_idc.fits",
    "~/a_idc.fits",
    "jref$iref$a_idc.fits",
    "jref$*.fits",
    "jref$a..fits",
    "jref$(HOME)",
    "jref$a\0.fits",
    "jref$ä_idc.fits",
    "jref$",
]


@pytest.mark.parametrize("value", TRICKS)
def test_tricks_are_refused(tmp_path: Path, value: str) -> None:
    folders = folders_with(tmp_path / "refs", "a_idc.fits")
    (tmp_path / "a_idc.fits").touch()
    with pytest.raises(ReferenceFileError):
        resolve_reference(value, "IDCTAB", "x", folders, beside=tmp_path / "refs")


def test_other_keywords_are_not_resolved(tmp_path: Path) -> None:
    folders = folders_with(tmp_path, "a_drk.fits")
    with pytest.raises(ReferenceFileError):
        resolve_reference("jref$a_drk.fits", "DARKFILE", "x", folders)


@given(st.text(max_size=40))
def test_what_is_found_lies_in_a_declared_folder(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    folder = tmp_path_factory.getbasetemp() / "declared"
    folders = folders_with(folder, "a_idc.fits")
    try:
        found = resolve_reference(value, "IDCTAB", "x", folders)
    except ReferenceFileError:
        return
    assert found is None or found.path.parent == folder


def test_distortion_references_of_a_header(tmp_path: Path) -> None:
    folders = folders_with(tmp_path, "a_idc.fits", "a_npl.fits")
    header = fits.Header(
        {
            "INSTRUME": "ACS",
            "IDCTAB": "jref$a_idc.fits",
            "NPOLFILE": "jref$a_npl.fits",
            "D2IMFILE": "N/A",
            "OFFTAB": "jref$gone_off.fits",
        }
    )
    found = distortion_references(header, "x_flc.fits", folders)
    assert [(each.keyword, each.name) for each in found] == [
        ("IDCTAB", "a_idc.fits"),
        ("NPOLFILE", "a_npl.fits"),
    ]


def test_wfpc2_uses_offtab_and_dgeofile_but_not_the_d2imfile_made_from_it(tmp_path: Path) -> None:
    folders = folders_with(tmp_path, "a_idc.fits", "a_off.fits", "a_dxy.fits", variable="uref")
    header = fits.Header(
        {
            "INSTRUME": "WFPC2",
            "IDCTAB": "uref$a_idc.fits",
            "OFFTAB": "uref$a_off.fits",
            "DGEOFILE": "N/A",
            "ODGEOFIL": "uref$a_dxy.fits",
            "D2IMFILE": "u_d2im.fits",
        }
    )
    found = distortion_references(header, "u_flt.fits", folders)
    assert [each.keyword for each in found] == ["IDCTAB", "OFFTAB", "ODGEOFIL"]


def test_relative_folders_are_fixed_when_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders_with(tmp_path / "refs", "a_idc.fits")
    monkeypatch.chdir(tmp_path)
    folders = ReferenceFolders.from_environment({"jref": "refs/"})
    monkeypatch.chdir("/")
    assert resolve_reference("jref$a_idc.fits", "IDCTAB", "x", folders) is not None


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    assert sha256_of(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
