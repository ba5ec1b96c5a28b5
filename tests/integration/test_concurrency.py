"""Several whole runs at a time, and runs killed at any instant, on small simulated exposures."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from astropy.io import fits
from tiny_files import write_asn

from astrodriz import RunOutcome, process, read_record
from astrodriz_core.errors import LockedError
from astrodriz_io.storage.leftovers import clear_leftovers
from astrodriz_io.storage.locking import locked
from astrodriz_io.storage.publishing import recover

RUN = """
import pathlib, sys
from astrodriz import process
print("ready", flush=True)
process(pathlib.Path(sys.argv[1]), num_cores=1, wait=float(sys.argv[2]) if sys.argv[2:] else 0.0)
"""
LONG = "900"
"""Seconds to wait for a lock, more than all runs together take."""


@pytest.fixture
def environment(ir_singleton):
    """References of the simulated exposures; no alignment, which these tests are not about."""
    folders = {name: str(path) for name, path in ir_singleton.environment.items()}
    return folders | {"ASTROMETRY_APPLY_APRIORI": "off", "ASTROMETRY_COMPUTE_APOSTERIORI": "off"}


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def visible(folder):
    return {name: data for name, data in contents(folder).items() if not name.startswith(".")}


def renamed_exposure(singleton, folder, letter):
    """A copy of the exposure under another root, in the same folder."""
    root = singleton.rootnames[0]
    other = root[:-2] + letter + root[-1]
    for path in singleton.folder.glob(f"{root}_*.fits"):
        shutil.copy(path, folder / path.name.replace(root, other))
    return folder / f"{other}_flt.fits"


def test_two_runs_in_two_threads_do_not_disturb_each_other(ir_singleton, environment, tmp_path):
    folders = [tmp_path / "together1", tmp_path / "together2", tmp_path / "alone"]
    for folder in folders:
        shutil.copytree(ir_singleton.folder, folder)

    def run(folder):
        return process(folder / ir_singleton.input.name, environment=environment, num_cores=1)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(run, folders[:2])
    alone = run(folders[2])
    assert first.stages == second.stages == alone.stages
    trailers = [(folder / f"{alone.root}.tra").read_text() for folder in folders]
    assert len({text.count("\n") for text in trailers}) == 1


def test_runs_on_different_inputs_of_one_folder_go_on_side_by_side(ir_singleton, environment, tmp_path):
    inputs = [renamed_exposure(ir_singleton, tmp_path, letter) for letter in "bcd"]

    def run(path):
        return process(path, environment=environment, num_cores=1)

    with ThreadPoolExecutor(3) as pool:
        records = list(pool.map(run, inputs))
    assert [record.outcome for record in records] == [RunOutcome.DONE] * 3
    assert all((tmp_path / name).exists() for record in records for name in record.files)
    assert not [name for name in contents(tmp_path) if name.startswith(".")]


@pytest.mark.slow
def test_twenty_processes_at_once_in_one_folder_disturb_nobody(ir_singleton, environment, tmp_path):
    """Fifteen on different exposures, five on one and the same; each has to leave what it leaves alone."""
    together, alone = tmp_path / "together", tmp_path / "alone"
    for folder in (together, alone):
        folder.mkdir()
    expected = process(renamed_exposure(ir_singleton, alone, "z"), environment=environment, num_cores=1)
    different = [renamed_exposure(ir_singleton, together, letter) for letter in "bcdefghijklmnop"]
    shared = renamed_exposure(ir_singleton, together, "z")
    inputs = [*different, *[shared] * 5]
    children = [started([sys.executable, "-c", RUN, str(path), LONG], environment) for path in inputs]
    ends = [finished(child) for child in children]
    assert ends == [0] * 20
    for path in {*inputs}:
        root = path.name.removesuffix("_flt.fits")
        record = read_record(together / f"{root}_decisions.json")
        assert all((together / name).is_file() for name in record.files)
        again = path == shared
        check_same_product(together / f"{root}_drz.fits", alone / expected.products[0].filename, again=again)
        assert again or record.stages[-1].drizzle == expected.stages[-1].drizzle
    assert not [name for name in contents(together) if name.startswith(".")]


def check_same_product(made, expected, *, again):
    """Equal to the bit, or to the last digit of the header's pointing where an exposure was processed again."""
    with fits.open(made) as one, fits.open(expected) as other:
        for name in ("SCI", "WHT"):
            noise = 1e-4 * float(np.nanstd(other[name].data)) if again else 0.0
            np.testing.assert_allclose(one[name].data, other[name].data, rtol=0, atol=noise)


def finished(child):
    child.stdout.read()
    child.stdout.close()
    return child.wait()


def test_a_run_on_a_held_exposure_waits_when_it_is_asked_to(ir_singleton, environment, tmp_path):
    path = renamed_exposure(ir_singleton, tmp_path, "b")
    root = path.name.split("_")[0]
    with ThreadPoolExecutor(1) as pool, locked(tmp_path, (root,)):
        with pytest.raises(LockedError):
            process(path, environment=environment)
        waiting = pool.submit(process, path, environment=environment, num_cores=1, wait=120)
        time.sleep(0.3)
        assert not waiting.done()
    assert waiting.result().outcome is RunOutcome.DONE


def test_an_exposure_that_two_associations_share_is_held_by_one_of_them(ir_association, environment, tmp_path):
    shutil.copytree(ir_association.folder, tmp_path / "run")
    shared = ir_association.rootnames[0]
    other = write_asn(tmp_path / "run" / "other_asn.fits", [(shared.upper(), "EXP-DTH", True)])
    before = contents(tmp_path / "run")
    with locked(tmp_path / "run", (shared,)):
        for path in (other, tmp_path / "run" / ir_association.input.name):
            with pytest.raises(LockedError) as failure:
                process(path, environment=environment)
            assert failure.value.where == shared
    assert contents(tmp_path / "run") == before


@pytest.mark.slow
def test_kill_at_random_instants_of_a_whole_run_leaves_one_set_and_the_next_run_succeeds(
    ir_singleton, environment, tmp_path, record_property
):
    """ASTRODRIZ_KILLS sets the number of instants."""
    folder = tmp_path / "run"
    source = folder / ir_singleton.input.name
    command = [sys.executable, "-c", RUN, str(source)]
    shutil.copytree(ir_singleton.folder, folder)
    old = contents(folder)
    duration = whole_run(command, environment)
    new_names = visible(folder).keys()
    chance = random.Random(1)
    ends = []
    for _ in range(int(os.environ.get("ASTRODRIZ_KILLS", "200"))):
        shutil.rmtree(folder)
        shutil.copytree(ir_singleton.folder, folder)
        killed_run(command, environment, chance.uniform(0, 1.1 * duration))
        recover(folder)
        clear_leftovers(folder, source.name.split("_")[0])
        # The trailer grows beside the set of results.
        is_old = {name: data for name, data in visible(folder).items() if not name.endswith(".tra")} == old
        assert not (is_old and any(path.read_text().endswith(": done.\n") for path in folder.glob("*.tra")))
        assert is_old or visible(folder).keys() == new_names
        ends.append(is_old)
    whole_run(command, environment)
    assert visible(folder).keys() == new_names
    assert not [path.name for path in folder.iterdir() if path.name.startswith(".")]
    assert set(ends) == {True, False}
    record_property("old set, new set", f"{ends.count(True)}, {ends.count(False)}")


def started(command, environment):
    child = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"ready\n"
    return child


def whole_run(command, environment):
    """Run to the end; returns the seconds that it took."""
    child = started(command, environment)
    before = time.monotonic()
    child.stdout.read()
    assert child.wait() == 0
    child.stdout.close()
    return time.monotonic() - before


def killed_run(command, environment, seconds):
    child = started(command, environment)
    time.sleep(seconds)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
