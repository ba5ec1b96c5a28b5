"""A defect of astrodriz comes out as what it is, never as a damaged file: planted wherever a reader passes."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import pytest
from degenerate_files import Case, nothing, write_case
from fuzzing import Reader, readers
from planting import Spot, called_by, planted

from astrodriz_io.cli import runastrodriz
from astrodriz_io.inputs import exposures
from astrodriz_io.terminal.exit_codes import EXIT_INTERNAL

KINDS = (KeyError, TypeError, AttributeError, ValueError, IndexError, RuntimeError, AssertionError)


CALLED_BY_LIBRARIES = {"astrodriz_io.wcs.stwcs_calls._OwnThreadOutput.write"}
"""What stwcs calls itself, when it prints."""

TELL_BY_VALUE_ERROR = {
    "astrodriz_core.instruments.dq.interpret_bits",
    "astrodriz_core.parameters.values._to_number",
    "astrodriz_core.parameters.values._to_whole",
}
"""What says by a ValueError that a text is no value of a parameter."""

EXEMPT = CALLED_BY_LIBRARIES | TELL_BY_VALUE_ERROR


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Reader]]:
    """A folder with the reference files of the sound files, and all readers."""
    folder = tmp_path_factory.mktemp("defects")
    return folder, {reader.name: reader for reader in readers(folder)}


NAMES = [
    "iabc01aaq_flt.fits", "jabc01aaq_flc.fits", "iabc01010_asn.fits", "iabc01aaq_raw.fits", "x_mdz.fits",
    "kabc01aaq_flt.fits", "iabc01abq_flt.fits.gz", "hdrlet_flt.fits", "dist_flt.fits", "y_idc.fits", "a_hlet.fits",
    "cat.fits", "cat.csv", "cat.ecsv", "reply.txt", "database.xml", "guide.xml", "guide.json", "best.json",
    "run_decisions.json", "run_decisions.zip", "state.json", "mine.toml", "commit.json",
]  # fmt: skip


def test_all_readers_are_here(made: tuple[Path, dict[str, Reader]]) -> None:
    assert sorted(made[1]) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_defect_on_the_way_of_a_reader_comes_out_as_itself(made: tuple[Path, dict[str, Reader]], name: str) -> None:
    folder, all_readers = made
    reader = all_readers[name]
    spots = called_by(lambda: reader.read(_fresh(reader, folder / f"{name}-sound")))
    met, hidden = 0, []
    for number, (spot, kind) in enumerate(zip(spots, cycle(KINDS), strict=False)):
        defect = kind(f"planted in {spot.name}")
        found = _found(reader, _fresh(reader, folder / f"{name}-{number}"), spot, defect)
        met += found is defect
        if found not in (None, defect) and spot.name not in EXEMPT:
            hidden.append(f"{spot.name}: {type(found).__name__}: {found}")
    assert not hidden, "\n".join(hidden)
    assert met > len(spots) / 2


def _found(reader: Reader, path: Path, spot: Spot, defect: Exception) -> Exception | None:
    """What a reader raises; None where something else holds the function, such as a table or a cache."""
    with planted(spot, defect):
        try:
            reader.read(path)
        except Exception as error:  # noqa: BLE001  (which one it is, is the question)
            return error
    return None


def _fresh(reader: Reader, folder: Path) -> Path:
    """A sound file in a folder of its own."""
    folder.mkdir()
    path = folder / reader.name
    path.write_bytes(reader.sound)
    return path


def test_a_defect_ends_the_command_with_a_crash_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    association = write_case(tmp_path, "WFC3/IR", Case(nothing))
    for name, value in association.environment.items():
        monkeypatch.setenv(name, value)

    def broken(*_: object) -> object:
        raise KeyError("planted")

    monkeypatch.setattr(exposures, "_chip", broken)
    assert runastrodriz([str(association.input)]) == EXIT_INTERNAL
    assert "KeyError: 'planted'" in capsys.readouterr().err
    assert "KeyError: 'planted'" in (tmp_path / "xabc01010_crash.txt").read_text("utf-8")
