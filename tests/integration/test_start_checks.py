"""What keeps the program from being loaded is told in one line, and what has nothing to do with it keeps nothing."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tiny_files import write_association

from astrodriz import process
from astrodriz_core.errors import ResourceError, StorageError, UsageError
from astrodriz_io.cli import astrodriz, runastrodriz
from astrodriz_io.terminal import start_checks
from astrodriz_io.terminal.start_checks import LEAST, check_start, loading

FEW = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def started(
    *words: str, environment: Mapping[str, str] | None = None, before: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    code = "import sys; from astrodriz_io.main import astrodriz; sys.exit(astrodriz())"
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": ":".join(sys.path), **FEW, **(environment or {})}
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        env=variables, preexec_fn=before, timeout=300, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_backend_of_matplotlib_that_does_not_exist_is_none_of_our_business():
    ended = started("--version", environment={"MPLBACKEND": "nonsense"})
    assert (ended.returncode, ended.stderr) == (0, "")


def test_without_docstrings_it_is_said_what_needs_them():
    ended = started("--version", environment={"PYTHONOPTIMIZE": "2"})
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "PYTHONOPTIMIZE" in ended.stderr
    assert "stsci.tools" in ended.stderr
    check_start(optimize=1)


@pytest.mark.parametrize(
    ("kind", "size", "command"),
    [
        (resource.RLIMIT_AS, 300_000_000, "ulimit -v"),
        (resource.RLIMIT_DATA, 60_000_000, "ulimit -d"),
        (resource.RLIMIT_NOFILE, 16, "ulimit -n"),
    ],
)
def test_too_little_to_be_loaded_with_is_said_at_once(kind, size, command):
    ended = started("--version", "--json-errors", before=lambda: resource.setrlimit(kind, (size, size)))
    assert ended.returncode == 10
    told = json.loads(ended.stderr)
    assert (told["class"], told["where"], told["exit_code"]) == ("ResourceError", command, 10)


def test_what_is_enough_is_no_matter(monkeypatch):
    monkeypatch.setattr(start_checks, "soft_limit", lambda name: LEAST[name][0])
    check_start()
    monkeypatch.setattr(start_checks, "soft_limit", lambda name: LEAST[name][0] - 1)
    with pytest.raises(ResourceError):
        check_start()


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (ImportError("libscipy_openblas.so: failed to map segment from shared object"), ResourceError),
        (MemoryError(), ResourceError),
        (OSError(errno.EMFILE, "Too many open files"), StorageError),
        (ImportError("No module named 'stwcs'"), ImportError),
    ],
)
def test_memory_and_files_that_run_out_while_loading_are_no_defect(failure, kind):
    with pytest.raises(kind), loading():
        raise failure


def test_a_name_that_is_too_long_is_told_as_that(capsys):
    assert astrodriz(["explain", "a" * 300]) == 8
    assert "File name too long. Give a shorter name." in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--catalog", "--headerlets", "--parameters"])
def test_an_option_with_a_name_that_is_too_long_is_told_as_that(tmp_path, capsys, option):
    table = write_association(tmp_path)
    assert runastrodriz([str(table), option, "a" * 300]) == 8
    assert "File name too long. Give a shorter name." in capsys.readouterr().err


def test_a_second_input_is_not_taken_for_a_folder(tmp_path, capsys):
    table = write_association(tmp_path)
    assert runastrodriz([str(table), str(table)]) == 2
    told = capsys.readouterr().err
    assert "iabc01010_asn.fits: The second argument is the folder to work in (newpath), and this is a file." in told
    assert "one input at a time" in told
    with pytest.raises(UsageError, match="one input at a time"):
        process(table, newpath=table)


def test_a_newpath_within_a_file_is_told_as_that(tmp_path, capsys):
    table = write_association(tmp_path)
    assert runastrodriz([str(table), str(table / "folder")]) == 8
    assert "A part of the path is a file" in capsys.readouterr().err


def test_a_newpath_with_a_name_that_is_too_long_is_told_as_that(tmp_path, capsys):
    table = write_association(tmp_path)
    assert runastrodriz([str(table), "a" * 300]) == 8
    told = capsys.readouterr().err
    assert "File name too long. Give a shorter name." in told
    assert "Check the disk" not in told


def test_output_that_cannot_be_written_is_told(tmp_path):
    code = "import sys; from astrodriz_io.main import astrodriz; sys.exit(astrodriz())"
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", code, "schema"],
            env={"PYTHONPATH": ":".join(sys.path), **FEW}, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert ended.returncode == 8
    assert ended.stderr.startswith("astrodriz: standard output: No space left on device.")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "words", [["runastrodriz", "-h"], ["astrodriz", "-h"], ["astrodriz", "run", "-h"], ["astrodriz", "--version"]]
)
def test_help_comes_before_the_libraries_of_a_run(words):
    code = (
        "import sys; from astrodriz_io import main; sys.argv = sys.argv[1:]\n"
        "try: getattr(main, sys.argv[0])()\n"
        "except SystemExit: pass\n"
        "sys.stderr.write(' '.join({name.partition('.')[0] for name in sys.modules}))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, *words],
        env={"PYTHONPATH": ":".join(sys.path), **FEW}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert not {"astropy", "scipy", "photutils", "stwcs", "matplotlib", "cattrs", "tomlkit"} & set(ended.stderr.split())


@pytest.mark.parametrize("program", [runastrodriz, lambda words: astrodriz(["run", *words])])
@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (2, 0, 1)])
def test_newpath_may_stand_before_and_behind_options(tmp_path, monkeypatch, program, order):
    table, asked = write_association(tmp_path), []
    monkeypatch.setattr("astrodriz_io.commands.run.execute_run", lambda arguments, _: asked.append(arguments.newpath))
    monkeypatch.setattr("astrodriz_io.commands.run.describe_run", lambda record: ())
    words = ([str(table)], [str(tmp_path)], ["-n", "2", "-m"])
    assert program([word for number in order for word in words[number]]) == 0
    assert asked == [tmp_path]


def test_a_third_argument_and_a_wrong_option_are_refused(tmp_path, capsys):
    table = write_association(tmp_path)
    assert runastrodriz([str(table), str(tmp_path), "-m", "third"]) == 2
    assert "Unrecognized arguments: third" in capsys.readouterr().err
    assert runastrodriz([str(table), "--nonsense"]) == 2
    assert "Unrecognized arguments: --nonsense" in capsys.readouterr().err
