"""A full disk, little memory, small files, few open files: each is told as what it is, and the inputs stay."""

from __future__ import annotations

import errno
import os
import resource
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from limited_runs import copy_inputs, digests, enlarge, run_with, small_disk

from astrodriz_core.errors import ResourceError, StorageError
from astrodriz_io.drizzling.store import ImageStore
from astrodriz_io.fits.files import reading
from astrodriz_io.storage.disk import ADVICE, OTHER_ADVICE, storage_errors

OPEN_FILES = Path("/proc/self/fd")


@contextmanager
def limited(kind: int, size: int) -> Iterator[None]:
    """This process under a limit; it is put back."""
    soft, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(kind, (soft, hard))


@pytest.mark.parametrize("number", [*ADVICE, errno.EBUSY])
def test_every_error_of_the_system_says_what_to_do(number):
    with pytest.raises(StorageError) as caught, storage_errors("a.fits"):
        raise OSError(number, os.strerror(number))
    assert caught.value.where == "a.fits"
    assert caught.value.problem == f"{os.strerror(number)}."
    assert caught.value.remedy == ADVICE.get(number, OTHER_ADVICE)


@pytest.mark.parametrize(("number", "limit"), [(errno.EMFILE, "ulimit -n"), (errno.EFBIG, "ulimit -f")])
def test_a_limit_of_the_process_is_named(number, limit):
    assert limit in ADVICE[number]
    assert "Check the disk" not in ADVICE[number]


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.ENOMEM, "Cannot allocate memory")])
def test_too_little_memory_is_no_defect(error):
    with (
        pytest.raises(ResourceError, match=r"a\.fits: There is not enough memory\. .*ulimit -v"),
        storage_errors("a.fits"),
    ):
        raise error


@pytest.mark.parametrize(
    "text",
    [
        "264960 requested and 199872 written",
        "Not enough space on disk: requested 262144, available 0. 264960 requested and 199872 written",
    ],
)
@pytest.mark.parametrize("guard", [storage_errors, reading])
def test_short_writes_of_numpy_and_astropy_are_a_full_disk(text, guard):
    with pytest.raises(StorageError, match=r"could not be written to its end\. Free some space"), guard("a.fits"):
        raise OSError(text)


def test_the_error_behind_another_one_counts():
    with pytest.raises(StorageError, match="No space left on device"), storage_errors("a.fits"):
        try:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise OSError("nothing was written") from error


def test_an_error_of_a_library_without_a_number_passes():
    with pytest.raises(OSError, match="Empty or corrupt FITS file"), storage_errors("a.fits"):
        raise OSError("Empty or corrupt FITS file")


@pytest.mark.parametrize("size", [1000, 4096, 100_000])
def test_a_full_disk_is_told_whatever_of_a_fits_file_has_room(tmp_path, size):
    hdus = fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.ones((300, 300), "f4"))])
    with limited(resource.RLIMIT_FSIZE, size), pytest.raises(StorageError), reading("a.fits"):
        hdus.writeto(tmp_path / "a.fits")


def images(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.normal(size=(50 + i, 30)).astype("f4" if i % 2 else "f8") for i in range(count)]


def test_scratch_images_are_read_back_from_few_open_files(tmp_path):
    store, given = ImageStore(tmp_path), images(200)
    before = len(list(OPEN_FILES.iterdir()))
    kept = [store.put(f"image {number}", image) for number, image in enumerate(given)]
    assert len(list(OPEN_FILES.iterdir())) - before <= 12
    for one, other in zip(given, kept, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype
        assert not other.flags.writeable
    assert sum(file.stat().st_blocks * 512 for file in tmp_path.iterdir()) < 2 * sum(image.nbytes for image in given)


def test_scratch_images_of_several_threads_do_not_mix(tmp_path):
    store, given, ready = ImageStore(tmp_path), images(40), threading.Barrier(8)

    def put(number: int) -> np.ndarray:
        if number < 8:
            ready.wait()
        return store.put(str(number), given[number])

    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(put, range(len(given))))
    assert all(np.array_equal(one, other) for one, other in zip(given, kept, strict=True))


def test_masks_and_strided_images_are_kept_too(tmp_path):
    store = ImageStore(tmp_path)
    image = np.arange(24.0).reshape(4, 6)
    np.testing.assert_array_equal(store.put("strided", image[::2, 1:4]), image[::2, 1:4])
    np.testing.assert_array_equal(store.put("mask", image > 3), image > 3)
    assert ImageStore(None).put("kept", image) is image


@pytest.mark.parametrize("size", [1, 5000, 100_000])
def test_a_scratch_image_for_which_there_is_no_room_is_an_error_of_storage(tmp_path, size):
    store = ImageStore(tmp_path)
    for name in ("sky", "wht"):
        # The second meets the same as the first, and nothing that the first has left.
        expected = pytest.raises(StorageError, match=rf"{name}: File too large\. .*ulimit -f")
        with limited(resource.RLIMIT_FSIZE, size), expected:
            store.put(name, np.ones((400, 400)))


def test_too_many_open_files_are_told_with_their_limit(tmp_path):
    store, opened = ImageStore(tmp_path), []
    with (
        limited(resource.RLIMIT_NOFILE, 64),
        pytest.raises(StorageError, match=r"sky: Too many open files\. .*ulimit -n"),
    ):
        try:
            while True:
                opened.append(os.open(tmp_path, os.O_RDONLY))
        except OSError:
            store.put("sky", np.ones((4, 4)))
        finally:
            for descriptor in opened:
                os.close(descriptor)


@pytest.mark.parametrize("size", [pytest.param(1_000_000, marks=pytest.mark.slow), 1_180_000])
def test_a_run_that_may_write_small_files_only_ends_with_an_error_of_storage(ir_association, tmp_path, size):
    """The first size has no room for a working copy, the second none for the product."""
    home = copy_inputs(ir_association, tmp_path / "home")
    before = digests(home)
    ended = run_with(ir_association, home, limits={resource.RLIMIT_FSIZE: size})
    assert ended.code == 8, ended.said
    assert "ulimit -f" in ended.said.splitlines()[-1]
    assert digests(home) == before


MAY_MOUNT = pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser may mount a small disk")
MEGABYTES = range(5, 61, 2)


@pytest.mark.slow
@MAY_MOUNT
@pytest.mark.parametrize("size", MEGABYTES)
def test_a_run_on_a_small_disk_is_done_or_says_so(ir_association, tmp_path, size):
    with small_disk(tmp_path / "disk", size * 1_000_000) as home:
        before = digests(copy_inputs(ir_association, home))
        ended = run_with(ir_association, home)
        assert ended.is_told, ended.said
        if ended.code != 0:
            assert digests(home) == before
            enlarge(home, 200_000_000)
            assert run_with(ir_association, home).code == 0


@pytest.mark.slow
@MAY_MOUNT
@pytest.mark.parametrize("size", MEGABYTES)
def test_a_run_with_a_small_disk_as_newpath_is_done_or_says_so(ir_association, tmp_path, size):
    home = copy_inputs(ir_association, tmp_path / "home")
    before = digests(home)
    with small_disk(tmp_path / "disk", size * 1_000_000) as newpath:
        ended = run_with(ir_association, home, str(newpath))
        assert ended.is_told, ended.said
        if ended.code != 0:
            assert digests(home) == before
            enlarge(newpath, 200_000_000)
            assert run_with(ir_association, home, str(newpath)).code == 0


LIMITS = (
    *((resource.RLIMIT_FSIZE, size) for size in range(100_000, 2_500_000, 200_000)),
    *((resource.RLIMIT_AS, size * 1_000_000) for size in (50, 100, 200, 300, 400, 500, 600, 800, 1000, 1500)),
    *((resource.RLIMIT_DATA, size * 1_000_000) for size in (20, 50, 100, 150, 200, 300, 500)),
    *((resource.RLIMIT_NOFILE, count) for count in (8, 12, 16, 24, 32, 48, 64, 256)),
)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "size"), LIMITS)
def test_a_run_under_a_limit_is_done_or_says_so(ir_association, tmp_path, kind, size):
    home = copy_inputs(ir_association, tmp_path / "home")
    before = digests(home)
    ended = run_with(ir_association, home, limits={kind: size})
    assert ended.is_told, ended.said
    if ended.code != 0:
        assert digests(home) == before
        assert run_with(ir_association, home).code == 0
