"""What is wrong with the input is told before any work is done: file, extension, keyword, remedy; never as a defect."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from astropy.io import fits
from degenerate_files import Case, TinyAssociation, nothing, write_case
from tiny_files import write_asn, write_exposure, write_raw

from astrodriz import AstrodrizError, SilentProgress, process
from astrodriz_core.errors import CatalogError, DatabaseError, InputError, MissingFilesError, UsageError
from astrodriz_core.names import Rootname
from astrodriz_io.catalogs.files import read_table
from astrodriz_io.cli import runastrodriz
from astrodriz_io.inputs.association import read_association
from astrodriz_io.inputs.exposures import read_exposure
from astrodriz_io.inputs.keyword_table import NUMBERS, TEXTS
from astrodriz_io.inputs.reference_folders import ReferenceFolders
from astrodriz_io.services.guide_stars import GuideStarFile
from astrodriz_io.services.headerlet_sources import FolderSource
from astrodriz_io.storage.regular_files import check_regular
from astrodriz_io.terminal.exit_codes import exit_code
from astrodriz_io.wcs.wcscorr_table import drop_repeated_rows

Item = TypeVar("Item")
PIPE_SECONDS = 60
PAGE = Path(__file__).parents[2] / "docs" / "first-checks.md"
HEAD = ["number", "least", "greatest", "unit"]


class Early(SilentProgress):
    """Fails when the run goes beyond its first checks."""

    def stage(self, title: str) -> None:
        assert title == "Initialise", f"the run got as far as {title!r}"

    def track(self, items: Iterable[Item], description: str, total: int) -> Iterator[Item]:
        raise AssertionError("the run got as far as a step")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> TinyAssociation:
    """An association without a fault; copied by each test."""
    return write_case(tmp_path_factory.mktemp("sound"), "WFC3/IR", Case(nothing))


@pytest.fixture
def association(sound: TinyAssociation, tmp_path: Path) -> TinyAssociation:
    return copied(sound, tmp_path / "home")


def copied(association: TinyAssociation, folder: Path) -> TinyAssociation:
    shutil.copytree(association.input.parent, folder)
    environment = {**association.environment, "iref": str(folder)}
    exposures = tuple(folder / path.name for path in association.exposures)
    return TinyAssociation(folder / association.input.name, exposures, environment)


def refusal(association: TinyAssociation) -> AstrodrizError:
    """The error with which a run ends before its first step; the input is as it was."""
    before = {path: path.read_bytes() for path in association.input.parent.iterdir() if path.is_file()}
    with pytest.raises(AstrodrizError) as caught:
        process(association.input, environment=association.environment, num_cores=1, progress=Early())
    assert {path: path.read_bytes() for path in before} == before
    return caught.value


def put_card(path: Path, extension: int, card: bytes) -> None:
    """Write the bytes of a card into a header, in the place of the card of that keyword or at the end."""
    with fits.open(path) as hdus:
        place = hdus[extension].fileinfo()
    data = path.read_bytes()
    header = data[place["hdrLoc"] : place["datLoc"]]
    cards = [header[at : at + 80] for at in range(0, len(header), 80)]
    cards = cards[: next(at for at, each in enumerate(cards) if each.startswith(b"END  "))]
    name = card.partition(b"=")[0]
    named = [at for at, each in enumerate(cards) if each.partition(b"=")[0] == name]
    cards[named[0] if named else len(cards) : (named[0] + 1) if named else len(cards)] = [card[:80].ljust(80)]
    whole = b"".join([*cards, b"END".ljust(80)])
    path.write_bytes(data[: place["hdrLoc"]] + whole.ljust(-(-len(whole) // 2880) * 2880) + data[place["datLoc"] :])


BAD_CARDS = {
    b"FOO     = NaN": "no text, number or switch",
    b"FOO     = 'without its end": "no text, number or switch",
    b"FOO     = 'a\tb'": "no text, number or switch",
    b"FOO     = 'a\0b'": "no text, number or switch",
    b"FOO     = 1E400": "not finite",
    b"FOO     = (1.0, 1E400)": "not finite",
    b"FOO     = 99999999999999999999999": "larger than any number",
    b"FOO     = 5 / a\tb": "not as FITS allows",
    b"F\xe9O     = 5": "not as FITS allows",
    b"F*O     = 5": "not as FITS allows",
    b"HIERARCH a b = NaN": "no text, number or switch",
    b"HISTORY a\tb": "not as FITS allows",
    b"FOO     ='abc'": "not as FITS allows",
}


@pytest.mark.filterwarnings("ignore:non-ASCII characters are present", "ignore:The following header keyword is invalid")
@pytest.mark.parametrize("extension", ["0", "SCI,1", "DQ,1"])
@pytest.mark.parametrize("card", BAD_CARDS)
def test_a_card_that_cannot_be_written_again(association: TinyAssociation, extension: str, card: bytes) -> None:
    put_card(association.exposures[1], {"0": 0, "SCI,1": 1, "DQ,1": 3}[extension], card)
    error = refusal(association)
    assert isinstance(error, InputError)
    assert BAD_CARDS[card] in error.problem
    assert error.where.startswith(f"xabc01abq_flt.fits[{extension}]: ")
    assert error.remedy


def test_a_header_without_what_fits_requires(association: TinyAssociation) -> None:
    path = association.exposures[1]
    path.write_bytes(path.read_bytes().replace(b"NAXIS   =", b"FOO     =", 1))
    error = refusal(association)
    assert isinstance(error, InputError)
    assert error.where.startswith("xabc01abq_flt.fits")


@pytest.mark.parametrize("extension", [0, 1])
@pytest.mark.parametrize("value", [b"-2147483648", b"7", b"0"])
def test_a_kind_of_pixels_that_does_not_exist(association: TinyAssociation, extension: int, value: bytes) -> None:
    put_card(association.exposures[1], extension, b"BITPIX  = " + value.rjust(20))
    error = refusal(association)
    assert isinstance(error, InputError)
    assert error.where == f"xabc01abq_flt.fits[{extension}]: BITPIX"


BAD_VALUES = {
    "EXPSTART= 1E300": "1e+300 is not between 47892 and 88069",
    "EXPSTART= -57085.0": "-57085.0 is not between",
    "EXPTIME = 'long'": "'long' is no number",
    "EXPTIME = T": "True is no number",
    "RA_TARG = 1000.0": "1000.0 is not between -360 and 720",
    "IDCTAB  = 5": "5 is no text",
    "ROOTNAME= 5": "5 is no text",
    "DATE-OBS= 5": "5 is no text",
}
BAD_SCIENCE_VALUES = {
    "CRVAL1  = NaN": "no text, number or switch",
    "CRVAL1  = 1E400": "not finite",
    "CRVAL2  = 91.0": "91.0 is not between -90 and 90",
    "CRPIX1A = 'x'": "'x' is no number",
    "CD1_1   = 1E30": "is not between",
    "WCSNAME = 5": "5 is no text",
    "WCSNAMEA= T": "True is no text",
    "A_ORDER = 99": "99 is not between 0 and 9",
    "BINAXIS1= 0": "0 is not between 1 and 64",
    "VAFACTOR= 2.0": "2.0 is not between 0.99 and 1.01",
    "NGOODPIX= -1": "-1 is not between",
}


@pytest.mark.parametrize(
    ("extension", "card", "problem"),
    [(0, card, problem) for card, problem in BAD_VALUES.items()]
    + [(1, card, problem) for card, problem in BAD_SCIENCE_VALUES.items()],
)
def test_a_value_of_the_wrong_kind_or_size(
    association: TinyAssociation, extension: int, card: str, problem: str
) -> None:
    put_card(association.exposures[1], extension, card.encode())
    error = refusal(association)
    assert isinstance(error, InputError)
    assert problem in error.problem
    assert error.where.startswith("xabc01abq_flt.fits")
    assert error.where.endswith(f": {card[:8].strip()}")
    assert error.remedy


@pytest.mark.filterwarnings("ignore:non-ASCII characters are present", "ignore:The following header keyword is invalid")
@pytest.mark.parametrize("card", ["foo     = 5", "FOO     = 1.5e-05", "FOO     =  'unusual'", "FOO     = (1.0, 2.0)"])
def test_a_card_that_can_be_put_right_is_no_obstacle(association: TinyAssociation, card: str) -> None:
    for extension in (0, 1):
        put_card(association.exposures[0], extension, card.encode())
    record = process(association.input, environment=association.environment, num_cores=1, headerlets=False)
    with fits.open(association.exposures[0]) as hdus:
        hdus.verify("exception")
        assert "FOO" in hdus[1].header
    assert record.products


def test_less_data_than_a_header_promises(association: TinyAssociation) -> None:
    put_card(association.exposures[1], 1, b"NAXIS2  =                 3200")
    error = refusal(association)
    assert error.problem.startswith("the header promises data beyond the end of the file")
    assert error.where == "xabc01abq_flt.fits[SCI]"


def test_more_data_than_a_header_promises(association: TinyAssociation) -> None:
    put_card(association.exposures[1], 1, b"NAXIS2  =                    4")
    error = refusal(association)
    assert error.problem.startswith("no header begins where the data before it end")
    assert error.where == "xabc01abq_flt.fits[2]"


def test_flags_that_are_no_whole_numbers(association: TinyAssociation) -> None:
    with fits.open(association.exposures[1], mode="update") as hdus:
        hdus.append(fits.ImageHDU(np.zeros((32, 32), "f4"), name="DQ", ver=7))
    assert refusal(association).where == "xabc01abq_flt.fits[DQ,7]: BITPIX"


def test_two_chips_with_one_number(association: TinyAssociation) -> None:
    with fits.open(association.exposures[1], mode="update") as hdus:
        hdus.append(hdus["SCI", 1].copy())
    assert refusal(association).where == "xabc01abq_flt.fits[SCI,1]: EXTVER"


def test_a_drizzled_product_is_no_exposure(association: TinyAssociation) -> None:
    fits.setval(association.exposures[1], "NDRIZIM", value=4)
    error = refusal(association)
    assert (error.where, error.problem) == (
        "xabc01abq_flt.fits: NDRIZIM",
        "this is a drizzled product, not an exposure.",
    )


def test_two_files_of_one_exposure(association: TinyAssociation) -> None:
    fits.setval(association.exposures[1], "ROOTNAME", value="xabc01aaq")
    error = refusal(association)
    assert error.where == "xabc01abq_flt.fits: ROOTNAME"
    assert "xabc01aaq_flt.fits" in error.problem


@pytest.mark.parametrize("change", [{"ROOTNAME": "jabc01xyq"}, {"size": 24}])
def test_an_flc_of_another_exposure(tmp_path: Path, change: dict[str, object]) -> None:
    size = int(str(change.pop("size", 32)))
    for suffix, pixels, primary in (("flt", 32, {}), ("flc", size, change)):
        path = tmp_path / f"jabc01aaq_{suffix}.fits"
        write_exposure(path, "ACS/WFC", primary={"IDCTAB": "N/A", **primary}, size=pixels)
    write_raw(tmp_path / "jabc01aaq_raw.fits", INSTRUME="ACS", DETECTOR="WFC")
    asn = write_asn(tmp_path / "jabc01010_asn.fits", [("JABC01AAQ", "EXP-DTH", True)], "ACS")
    error = refusal(TinyAssociation(asn, (), {}))
    assert error.where.startswith("jabc01aaq_flc.fits")
    assert "jabc01aaq_flt.fits" in error.problem


def make_folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("make", [os.mkfifo, make_folder], ids=["pipe", "folder"])
@pytest.mark.parametrize("name", ["xabc01abq_flt.fits", "xabc01abq_raw.fits", "xabc01010_asn.fits"])
def test_an_input_that_is_no_file(association: TinyAssociation, name: str, make: Callable[[Path], None]) -> None:
    path = association.input.with_name(name)
    path.unlink()
    make(path)
    before = stat.S_IFMT(path.stat().st_mode)
    with pytest.raises(InputError, match=r"this is a (named pipe|folder), not a file") as caught:
        process(association.input, environment=association.environment, num_cores=1, progress=Early())
    assert caught.value.where == name
    assert stat.S_IFMT(path.stat().st_mode) == before


@pytest.mark.parametrize("option", ["--catalog", "--headerlets", "--parameters"])
@pytest.mark.parametrize("name", ["a\0b", "\udcff", "/dev/zero"])
def test_an_option_names_a_file_or_a_folder(capsys: pytest.CaptureFixture[str], option: str, name: str) -> None:
    assert runastrodriz([option, name, "iabc01aaq_flt.fits"]) == exit_code(UsageError(""))
    assert "There is no such file or folder." in capsys.readouterr().err


def test_a_device_is_no_file() -> None:
    with pytest.raises(InputError, match="a device"):
        check_regular(Path("/dev/zero"))


def test_a_name_with_a_nul_is_that_of_no_file(tmp_path: Path) -> None:
    with pytest.raises(MissingFilesError, match=r"File a\\x00b\.fits not found"):
        check_regular(tmp_path / "a\0b.fits")


@pytest.mark.parametrize("name", ["cat.fits", "cat.ecsv", "cat.csv", "cat.parquet"])
def test_a_pipe_is_no_catalogue(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(CatalogError, match="a named pipe"):
        read_table(tmp_path / name)


def test_a_pipe_and_a_file_of_100_gigabytes_are_no_headerlets(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "iabc01aaq_pipe_hlet.fits")
    with (tmp_path / "iabc01aaq_sparse_hlet.fits").open("wb") as stream:
        stream.truncate(100 * 1024**3)
    offers = FolderSource(tmp_path).offers(Rootname("iabc01aaq"))
    assert offers.solutions == ()
    assert offers.problem is not None
    assert "pipe_hlet.fits: this is a named pipe" in offers.problem
    assert "sparse_hlet.fits: the file has 107374182400 bytes" in offers.problem


@pytest.mark.parametrize("name", ["best.json", "gsc.json"])
def test_a_pipe_is_no_table_of_names(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(DatabaseError, match="a named pipe"):
        if name == "best.json":
            FolderSource(tmp_path).offers(Rootname("iabc01aaq"))
        else:
            GuideStarFile(tmp_path / name).offset(Rootname("iabc01aaq"))


def test_a_pipe_as_the_input_does_not_hold_up_the_command(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x_asn.fits")
    command = [sys.executable, "-c", "from astrodriz_io.cli import runastrodriz as r; raise SystemExit(r())"]
    ended = subprocess.run(
        [*command, str(tmp_path / "x_asn.fits")], timeout=PIPE_SECONDS, capture_output=True, text=True, check=False
    )
    assert ended.returncode == exit_code(InputError(""))
    assert (
        ended.stderr.splitlines()[-1]
        == "runastrodriz: x_asn.fits: this is a named pipe, not a file. Give the file itself."
    )


@pytest.mark.parametrize("variable", ["iref", "jref", "CRDS_PATH"])
@pytest.mark.parametrize("value", ["~nobody-of-this-name/refs", "a\0b"])
def test_a_folder_of_references_that_cannot_be(variable: str, value: str) -> None:
    with pytest.raises(UsageError) as caught:
        ReferenceFolders.from_environment({variable: value})
    assert caught.value.where == variable


def test_names_that_are_not_utf_8(sound: TinyAssociation, tmp_path: Path) -> None:
    """A folder and a file of parameters with bytes that are no text do not keep a run from telling what it did."""
    association = copied(sound, tmp_path / os.fsdecode(b"caf\xe9"))
    parameters = tmp_path / os.fsdecode(b"m\xe9.toml")
    parameters.write_text("final_pixfrac = 0.8\n")
    record = process(
        association.input,
        environment=association.environment,
        num_cores=1,
        headerlets=False,
        parameter_file=parameters,
        make_manifest=True,
    )
    home = association.input.parent
    assert all((home / name).is_file() for name in record.files)
    assert "m\\udce9.toml" in (home / "xabc01010_decisions.json").read_text("utf-8")


@pytest.mark.parametrize("name", [b"caf\xe9_asn.fits", b"x_\xe9.fits", b"\xe9_flt.fits"])
def test_an_input_whose_name_is_not_utf_8(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    path.write_bytes(b"")
    with pytest.raises(InputError) as caught:
        read_association(path)
    assert str(caught.value).isprintable()
    assert "\\udce9" in str(caught.value)


def test_an_exposure_is_checked_by_whoever_reads_it(tmp_path: Path) -> None:
    path = write_exposure(tmp_path / "iabc01aaq_flt.fits", primary={"EXPSTART": -1.0})
    with pytest.raises(InputError, match=r"^iabc01aaq_flt\.fits: EXPSTART: -1\.0 is not between"):
        read_exposure(path)


def wcscorr(**columns: object) -> fits.HDUList:
    """An HDUList with a table of two solutions, or with other columns."""
    sound = {"WCS_ID": ["OPUS", "IDC_x"], "EXTVER": [1, 1], "CRVAL1": [30.0, 30.1], **columns}
    formats = {"U": "40A", "i": "J", "f": "D"}
    made = [
        fits.Column(name, formats[np.array(cells).dtype.kind], array=np.array(cells))
        for name, cells in sound.items()
        if cells is not None
    ]
    return fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(made, name="WCSCORR")])


@pytest.mark.parametrize(
    ("columns", "place"),
    [
        ({"WCS_ID": None}, r"\[WCSCORR\]: the table has no column WCS_ID"),
        ({"EXTVER": None}, r"\[WCSCORR\]: the table has no column EXTVER"),
        ({"EXTVER": ["1x", "2x"]}, r"\[WCSCORR\]: EXTVER: its cells are no numbers"),
        ({"CRVAL1": ["a", "b"]}, r"\[WCSCORR\]: CRVAL1: its cells are no numbers"),
    ],
)
def test_a_history_of_solutions_that_is_damaged(columns: dict[str, object], place: str) -> None:
    with pytest.raises(InputError, match=place):
        drop_repeated_rows(wcscorr(**columns))


def test_an_image_is_no_history_of_solutions() -> None:
    hdulist = fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.zeros((2, 2)), name="WCSCORR")])
    with pytest.raises(InputError, match="this is no table"):
        drop_repeated_rows(hdulist)


def test_a_history_without_positions_stays(tmp_path: Path) -> None:
    for hdulist in (wcscorr(), wcscorr(CRVAL1=None), wcscorr(CRVAL1=[np.nan, np.nan])):
        drop_repeated_rows(hdulist)
        assert len(hdulist["WCSCORR"].data) == 2


def test_the_page_has_every_keyword_with_its_range() -> None:
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    told = {
        keyword: (float(least), float(greatest))
        for keywords, least, greatest, *_ in (row for row in rows[rows.index(HEAD) + 1 :])
        for keyword in keywords.split(", ")
    }
    assert told == {keyword: (span.least, span.greatest) for keyword, span in NUMBERS.items()}
    assert f"Texts are {', '.join(sorted(TEXTS))}." in PAGE.read_text("utf-8")


@pytest.mark.parametrize("option", ["--catalog", "--headerlets", "--parameters"])
def test_a_pipe_is_no_value_of_an_option(
    association: TinyAssociation, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe = association.input.with_name("pipe.csv")
    os.mkfifo(pipe)
    assert runastrodriz([str(association.input), option, str(pipe)]) == exit_code(UsageError(""))
    assert capsys.readouterr().err == (
        "runastrodriz: pipe.csv: There is no such file or folder. Check the option's path.\n"
    )
