"""What a run would do, told without doing it: the same decisions as those of the run, and not a byte written."""

from __future__ import annotations

import json

import pytest
from astropy.io import fits
from attrs import evolve
from whole_runs import NO_SERVICES, copied, run_again

from astrodriz import RunOutcome, Settings, SimulationSpec, plan, settings_from_environment, simulate_association
from astrodriz_core.decide.invariants import check_record
from astrodriz_core.errors import MissingFilesError, ReferenceFileError
from astrodriz_io.cli import runastrodriz


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    spec = SimulationSpec(detector="WFC3/IR", size=256, exposures=2, stars=150)
    return simulate_association(tmp_path_factory.mktemp("sky") / "pair", spec)


def contents(folder):
    """All files with their bytes, times and modes, hidden ones among them."""
    return {
        path.relative_to(folder): (path.stat().st_mtime_ns, path.stat().st_mode, path.is_file() and path.read_bytes())
        for path in folder.rglob("*")
    }


def settings_for(association, **options):
    environment = {name: str(path) for name, path in association.environment.items()} | NO_SERVICES
    asked = Settings(catalog=association.catalogue, headerlet_folder=association.headerlets, num_cores=2, **options)
    return settings_from_environment(asked, environment)[0]


def decided(record):
    """What a record says but for the time at which it was made, of which some digests tell."""
    stages = tuple(evolve(stage, states=()) for stage in record.stages)
    return evolve(record, started="", outputs=(), sidecar=None, products=(), stages=stages)


def test_a_plan_decides_what_the_run_decides_and_leaves_every_byte_as_it_was(pair, tmp_path):
    source = copied(pair, tmp_path / "run")
    before = contents(source.parent)
    planned = plan(source, settings_for(pair))
    assert contents(source.parent) == before
    assert check_record(planned) == ()
    done = run_again(pair, source.parent)
    assert decided(planned) == decided(done)
    assert [p.filename for p in planned.products] == [p.filename for p in done.products]
    assert set(planned.files) == {path.name for path in source.parent.iterdir() if path.name in done.files}


def test_the_command_tells_the_plan_and_writes_nothing(pair, tmp_path, monkeypatch, capsys):
    source = copied(pair, tmp_path / "run")
    before = contents(source.parent)
    for name, value in {**pair.environment, **NO_SERVICES}.items():
        monkeypatch.setenv(name, str(value))
    words = ("--plan", "-g", "-b", "-n", "2", "--headerlets", pair.headerlets, source, tmp_path / "work")
    assert runastrodriz([str(word) for word in words]) == 0
    told = capsys.readouterr().out
    assert "nothing was written" in told
    assert "Why this WCS: " in told
    assert told.splitlines()[-1].startswith("Final WCS: IDC_")
    assert "See " not in told.splitlines()[-1]
    assert f"{source.name.removesuffix('_asn.fits')}_decisions.json" in told
    assert contents(source.parent) == before
    assert list((tmp_path / "work").iterdir()) == []


def test_the_plan_of_a_run_that_drizcorr_switches_off_says_so(pair, tmp_path):
    source = copied(pair, tmp_path / "run")
    for path in (*pair.raw, *pair.flt):
        fits.setval(source.with_name(path.name), "DRIZCORR", value="OMIT")
    before = contents(source.parent)
    planned = plan(source, settings_for(pair))
    assert planned.outcome is RunOutcome.OMITTED
    assert planned.products == ()
    assert contents(source.parent) == before


def test_what_stops_a_run_stops_its_plan_and_leaves_no_trailer(pair, tmp_path, capsys):
    source = copied(pair, tmp_path / "run")
    source.with_name(pair.flt[1].name).unlink()
    before = contents(source.parent)
    with pytest.raises(MissingFilesError, match=pair.rootnames[1]):
        plan(source, settings_for(pair))
    assert runastrodriz(["--plan", "--json-errors", str(source)]) != 0
    assert json.loads(capsys.readouterr().err.splitlines()[-1])
    assert contents(source.parent) == before


def test_an_error_in_the_midst_of_a_plan_leaves_the_folder_as_it_was(pair, tmp_path):
    source = copied(pair, tmp_path / "run")
    before = contents(source.parent)
    with pytest.raises(ReferenceFileError, match="was not found"):
        plan(source, evolve(settings_for(pair), references=Settings().references))
    assert contents(source.parent) == before
