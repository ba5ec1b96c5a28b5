"""Whatever a file holds: it is read, or an error of astrodriz says why not, soon, and without looking elsewhere."""

import random
import resource
import struct
from contextlib import nullcontext
from pathlib import Path

import pytest
from fuzzing import by_name, cases, check, readers
from tiny_files import write_exposure

from astrodriz import AstrodrizError
from astrodriz_core.errors import InputError
from astrodriz_io.fits.scan import MAX_COUNT
from astrodriz_io.inputs.exposures import read_exposure

CASES, SLOW_CASES = 1_500, 20_000
REGRESSIONS = Path(__file__).parent / "regressions"
MEMORY_KB = 600_000


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "work").mkdir()
    return readers(folder), folder / "work"


def test_sound_files_are_read_and_noise_is_refused(made):
    """Else damage would pass because nothing is read, or because everything is refused."""
    all_readers, work = made
    noise = random.Random(1).randbytes(3000)
    for reader in all_readers:
        path = work / reader.name
        for data, refused in ((reader.sound, nullcontext()), (noise, pytest.raises(AstrodrizError))):
            path.write_bytes(data)
            with refused:
                reader.read(path)
            for file in work.iterdir():
                if file.is_file():
                    file.unlink()


@pytest.mark.parametrize(
    ("first", "count"), [(1, CASES), pytest.param(CASES + 1, SLOW_CASES, marks=pytest.mark.slow, id="many")]
)
def test_damaged_files_end_in_errors_of_astrodriz_only(made, first, count):
    all_readers, work = made
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    failures = [
        failure
        for reader, seed, data in cases(all_readers, first, count)
        if (failure := check(reader, data, work, seed)) is not None
    ]
    assert not failures, "\n".join(f"{one.reader} seed {one.seed}: {one.what}" for one in failures[:5])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEMORY_KB


@pytest.mark.parametrize("path", sorted(REGRESSIONS.glob("*--*")), ids=lambda path: path.name)
def test_what_failed_once_does_not_fail_again(made, path):
    all_readers, work = made
    reader = by_name(all_readers)[path.name.split("--")[0]]
    assert check(reader, path.read_bytes(), work) is None


@pytest.mark.parametrize("keyword", ["NAXIS", "ZNAXIS", "TFIELDS"])
@pytest.mark.parametrize("value", [MAX_COUNT + 1, 2147483647, 10**25, 10**69, -1])
def test_a_count_that_fits_does_not_allow_is_refused_at_once(tmp_path, keyword, value):
    path = write_exposure(tmp_path / "iabc01aaq_flt.fits", size=8)
    card = f"{keyword:<8}= {value:>20}".ljust(80).encode()
    data = path.read_bytes()
    at = data.index(b"NAXIS   =", 2880) if keyword == "NAXIS" else data.index(b"BUNIT   =")
    path.write_bytes(data[:at] + card + data[at + 80 :])
    with pytest.raises(InputError, match=keyword):
        read_exposure(path)


def test_a_header_without_an_end_is_refused(tmp_path):
    path = tmp_path / "iabc01aaq_flt.fits"
    path.write_bytes(b"SIMPLE  =                    T".ljust(80) + b" " * 80 * 36 * 4100)
    with pytest.raises(InputError, match="end"):
        read_exposure(path)


@pytest.mark.parametrize("data", [b"", b"\x1f\x8b", b"\x1f\x8b" + struct.pack("<20Q", *range(20)), b"PK\3\4", b"BZh9"])
def test_other_formats_are_refused(tmp_path, data):
    path = tmp_path / "iabc01aaq_flt.fits"
    path.write_bytes(data)
    with pytest.raises(InputError, match="FITS"):
        read_exposure(path)
